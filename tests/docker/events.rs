//! Events: told of our own containers, and of nothing else on the engine.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, HealthConfig, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions};
use dhow::docker::{ContainerEvent, Engine, Error, Happened};
use dhow::model::container::{APP_LABEL, ContainerSpec, KIND_LABEL};
use dhow::model::time::Timestamp;
use futures_util::StreamExt as _;

use crate::harness::{Place, outsider, ownership, words};
use crate::relay::{DOCKER_20_10, Relay};

/// Time for an event of a busy engine.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

/// Events since a moment, up to the first of a kind.
async fn events_until(engine: &Engine, since: Timestamp, last: Happened) -> Vec<ContainerEvent> {
    let mut stream = std::pin::pin!(engine.events(since));
    let mut events = Vec::new();
    let collecting = async {
        while let Some(event) = stream.next().await {
            let event = event.unwrap();
            let is_last = event.happened == last;
            events.push(event);
            if is_last {
                return;
            }
        }
    };
    let outcome = tokio::time::timeout(TOLD_WITHIN, collecting).await;
    assert!(outcome.is_ok(), "not told of {last:?}, only of {events:#?}");
    events
}

fn happened(events: &[ContainerEvent]) -> Vec<Happened> {
    events.iter().map(|event| event.happened).collect()
}

async fn run(place: &Place, spec: &ContainerSpec) {
    place.engine.create_container(spec).await.unwrap();
    place.engine.start_container(&spec.name).await.unwrap();
}

/// Runs a sleeper with these labels, made by hand.
async fn run_by_hand(name: &str, labels: HashMap<String, String>, healthcheck: Option<HealthConfig>) {
    let body = ContainerCreateBody {
        image: Some("busybox:1".to_owned()),
        cmd: Some(words("sleep 600")),
        labels: Some(labels),
        healthcheck,
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    outsider().create_container(Some(options), body).await.unwrap();
    let started = outsider().start_container(name, None::<StartContainerOptions>).await;
    started.unwrap();
}

/// Puts a container into a network and takes it out again, by hand.
async fn visit(network: &str, container: &str) {
    let join = NetworkConnectRequest {
        container: container.to_owned(),
        endpoint_config: None,
    };
    outsider().connect_network(network, join).await.unwrap();
    leave(network, container).await;
}

async fn leave(network: &str, container: &str) {
    let leave = NetworkDisconnectRequest {
        container: container.to_owned(),
        force: None,
    };
    outsider().disconnect_network(network, leave).await.unwrap();
}

#[tokio::test]
async fn a_life_is_told_while_it_goes_on_and_again_to_who_asks_later() {
    let place = Place::open().await;
    let since = Timestamp::now();
    let listening = tokio::spawn({
        let engine = place.engine.clone();
        async move { events_until(&engine, since, Happened::Removed).await }
    });
    let mut spec = place.sleeper("web");
    spec.labels.insert("dhow.deployment".to_owned(), "7".to_owned());
    spec.command = Some(vec!["sh".to_owned(), "-c".to_owned(), "exit 3".to_owned()]);
    run(&place, &spec).await;
    assert_eq!(place.engine.wait_container(&spec.name).await.unwrap(), 3);
    place.engine.remove_container(&spec.name).await.unwrap();

    let told = listening.await.unwrap();
    let life = [Happened::Started, Happened::Ended { exit_code: 3 }, Happened::Removed];
    assert_eq!(happened(&told), life);
    for event in &told {
        assert_eq!(event.labels[KIND_LABEL], "app", "{event:?}");
        assert_eq!(event.labels["dhow.deployment"], "7", "{event:?}");
        assert!(event.at >= since && event.at <= Timestamp::now(), "{event:?}");
    }
    let repeated = events_until(&place.engine, since, Happened::Removed).await;
    assert_eq!(repeated, told);
}

#[tokio::test]
async fn only_our_own_containers_are_told_of() {
    let place = Place::open().await;
    let since = Timestamp::now();
    let network = format!("{}-shop", place.name);
    let pool = None;
    place
        .engine
        .ensure_network(&network, pool, BTreeMap::new())
        .await
        .unwrap();
    let foreign_network = format!("{}_shop", place.name);
    let request = NetworkCreateRequest {
        name: foreign_network.clone(),
        labels: Some(place.foreign_labels()),
        ..Default::default()
    };
    outsider().create_network(request).await.unwrap();
    // One of somebody else, and one that somebody runs from our image by hand: it has inherited the image's labels.
    let inherited: HashMap<String, String> = ownership(&place.name).labels().into_iter().collect();
    for (suffix, labels) in [("foreign", place.foreign_labels()), ("inherited", inherited)] {
        let name = format!("{}-{suffix}", place.name);
        run_by_hand(&name, labels, None).await;
        visit(&network, &name).await;
    }

    let [web, api] = ["web", "api"].map(|app| {
        let mut spec = place.sleeper(app);
        spec.labels.insert(APP_LABEL.to_owned(), app.to_owned());
        spec
    });
    for spec in [&web, &api] {
        run(&place, spec).await;
    }
    visit(&foreign_network, &web.name).await;
    place.engine.connect_network(&network, &api.name).await.unwrap();
    leave(&network, &api.name).await;
    let told = events_until(&place.engine, since, Happened::Disconnected).await;
    let told: Vec<(Happened, &str)> = told
        .iter()
        .map(|event| (event.happened, event.labels[APP_LABEL].as_str()))
        .collect();
    let expected = [
        (Happened::Started, "web"),
        (Happened::Started, "api"),
        (Happened::Disconnected, "api"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_container_that_ends_is_not_called_disconnected() {
    let place = Place::open().await;
    let network = format!("{}-shop", place.name);
    let pool = None;
    place
        .engine
        .ensure_network(&network, pool, BTreeMap::new())
        .await
        .unwrap();
    let since = Timestamp::now();
    let mut spec = place.sleeper("web");
    spec.network = network;
    run(&place, &spec).await;
    place.engine.stop_container(&spec.name).await.unwrap();
    place.engine.remove_container(&spec.name).await.unwrap();
    let told = events_until(&place.engine, since, Happened::Removed).await;
    let life = [Happened::Started, Happened::Ended { exit_code: 143 }, Happened::Removed];
    assert_eq!(happened(&told), life);
}

#[tokio::test]
async fn lack_of_memory_and_a_failing_health_check_are_told() {
    let place = Place::open().await;
    let since = Timestamp::now();
    let mut spec = place.sleeper("greedy");
    spec.memory_bytes = Some(16 << 20);
    spec.command = Some(words("tail /dev/zero"));
    run(&place, &spec).await;
    // Docker 20.10 misses one now and then, so that it gets further chances.
    let mut told = events_until(&place.engine, since, Happened::Ended { exit_code: 137 }).await;
    for _ in 0..4 {
        if happened(&told).contains(&Happened::OutOfMemory) {
            break;
        }
        let since = Timestamp::now();
        place.engine.start_container(&spec.name).await.unwrap();
        told = events_until(&place.engine, since, Happened::Ended { exit_code: 137 }).await;
    }
    assert!(happened(&told).contains(&Happened::OutOfMemory), "{told:#?}");

    let since = Timestamp::now();
    let mut labels: HashMap<String, String> = ownership(&place.name).labels().into_iter().collect();
    labels.insert(KIND_LABEL.to_owned(), "app".to_owned());
    let sickly = HealthConfig {
        test: Some(words("CMD false")),
        interval: Some(100_000_000),
        retries: Some(1),
        ..Default::default()
    };
    run_by_hand(&format!("{}-sick", place.name), labels, Some(sickly)).await;
    events_until(&place.engine, since, Happened::HealthChanged).await;
}

#[tokio::test]
async fn an_engine_that_is_gone_ends_the_stream_with_an_error() {
    let relay = Relay::start(DOCKER_20_10);
    let place = Place::open().await;
    let engine = Engine::connect(Some(&relay.address()), ownership(&place.name))
        .await
        .unwrap();
    relay.become_release(None);
    let first = std::pin::pin!(engine.events(Timestamp::now())).next().await;
    assert!(matches!(first, Some(Err(Error::Unreachable(_)))), "{first:?}");
}
