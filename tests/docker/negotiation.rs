//! Case run-engine-api-version: the version is agreed on at the start and again when the engine has changed.

use std::time::{Duration, Instant};

use dhow::docker::{Engine, Error};
use dhow::model::subnet::SubnetPool;
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::harness::{Place, ownership};
use crate::relay::{DOCKER_19_03, DOCKER_20_10, DOCKER_29, DOCKER_99, Relay, Release};

async fn connect(relay: &Relay) -> Result<Engine, Error> {
    Engine::connect(Some(&relay.address()), ownership("dhowtest-relay")).await
}

#[tokio::test]
async fn every_request_names_the_version_that_was_agreed_on() {
    for (release, prefix) in [(DOCKER_20_10, "/v1.41/"), (DOCKER_29, "/v1.52/")] {
        let relay = Relay::start(release);
        let engine = connect(&relay).await.unwrap();
        assert_eq!(engine.version().await.unwrap(), release.version);
        engine.ping().await.unwrap();
        engine.list_containers(None).await.unwrap();
        assert!(engine.find_image("busybox:1").await.unwrap().is_some());
        let requests = relay.take_requests();
        let versioned = requests.iter().filter(|line| !line.contains(" /version "));
        assert!(
            versioned.clone().count() == 3 && versioned.clone().all(|line| line.contains(prefix)),
            "{requests:?}"
        );
    }
}

#[tokio::test]
async fn versions_without_overlap_are_refused_in_one_sentence() {
    for (release, remedy) in [(DOCKER_19_03, "Upgrade Docker"), (DOCKER_99, "Upgrade Dhow")] {
        match connect(&Relay::start(release)).await {
            Err(Error::TooOld(text)) => assert!(text.contains(remedy) && text.contains(release.version), "{text}"),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
}

#[tokio::test]
async fn an_engine_that_comes_back_as_another_release_is_agreed_with_again() {
    let relay = Relay::start(DOCKER_20_10);
    let engine = connect(&relay).await.unwrap();
    for upgrade in [DOCKER_29, DOCKER_20_10] {
        relay.become_release(None);
        assert!(matches!(engine.ping().await, Err(Error::Unreachable(_))));
        assert!(matches!(engine.list_containers(None).await, Err(Error::Unreachable(_))));
        relay.become_release(Some(upgrade));
        engine.list_containers(None).await.expect("without a ping in between");
    }
    relay.become_release(Some(DOCKER_29));
    engine
        .ping()
        .await
        .expect("the exchange of the engine went unnoticed until now");
    engine.list_containers(None).await.unwrap();

    relay.become_release(Some(Release {
        version: "99",
        ..DOCKER_99
    }));
    assert!(matches!(engine.ping().await, Err(Error::TooOld(_))));
    relay.become_release(Some(DOCKER_29));
    engine.ping().await.unwrap();
}

#[tokio::test]
async fn builds_and_sessions_work_at_an_agreed_version() {
    let place = Place::open().await;
    let relay = Relay::start(DOCKER_29);
    let engine = Engine::connect(Some(&relay.address()), place.engine.ownership().clone())
        .await
        .unwrap();
    crate::workshop::build_trivially(&engine, &format!("{}/relayed:1", place.name)).await;
    let requests = relay.take_requests();
    for path in ["POST /v1.52/build?", "POST /v1.52/session "] {
        assert!(
            requests.iter().any(|line| line.starts_with(path)),
            "{path} in {requests:?}"
        );
    }
    let pool = SubnetPool::parse("10.196.0.0/24").unwrap();
    let network = format!("{}-net", place.name);
    engine
        .ensure_network(&network, Some(&pool), Default::default())
        .await
        .unwrap();
    let mut spec = place.sleeper("web");
    spec.network = network;
    engine
        .create_container(&spec)
        .await
        .expect("the priority of the gateway is no hindrance");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_with_its_address_and_a_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let dead = directory.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let cases = [
        (
            format!("unix://{}/none.sock", directory.path().display()),
            "there is no such socket",
        ),
        (format!("unix://{}", dead.display()), "nothing listens there"),
        ("tcp://127.0.0.1:1".to_owned(), "nothing listens there"),
        ("ssh://somewhere".to_owned(), "no Docker address that Dhow can use"),
    ];
    for (address, problem) in cases {
        match Engine::connect(Some(&address), ownership("dhowtest-none")).await {
            Err(Error::Unreachable(text)) => assert!(text.contains(&address) && text.contains(problem), "{text}"),
            other => panic!("{address}: {:?}", other.map(|_| ())),
        }
    }
}

#[tokio::test]
async fn a_ping_is_bounded() {
    let relay = Relay::start(DOCKER_20_10);
    let engine = connect(&relay).await.unwrap();
    std::fs::remove_file(&relay.path).unwrap();
    let _silent = UnixListener::bind(&relay.path).unwrap();
    let begun = Instant::now();
    let outcome = engine.ping().await;
    assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_engine_on_tcp_serves_as_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut engine = UnixStream::connect("/var/run/docker.sock").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
            });
        }
    });
    let place = Place::open().await;
    let engine = Engine::connect(Some(&address), place.engine.ownership().clone())
        .await
        .unwrap();
    engine.ping().await.unwrap();
    crate::workshop::build_trivially(&engine, &format!("{}/tcp:1", place.name)).await;
}
