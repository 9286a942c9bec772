//! Containers: their life, their end and their output.

use std::time::{Duration, Instant};

use dhow::docker::Error;
use dhow::model::container::{BindMount, Ownership, PublishedPort, RestartPolicy};
use futures_util::{StreamExt, TryStreamExt};

use crate::harness::{Place, words};

#[tokio::test]
async fn a_container_lives_and_dies_as_specified() {
    let place = Place::open().await;
    let mut spec = place.sleeper("web");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("index.html"), "from the host").unwrap();
    spec.command = Some(words("httpd -f -p 8080 -h /site"));
    spec.env = vec![("MULTI".to_owned(), "a=b\nc $HOME \"quoted\"".to_owned())];
    let address = "127.0.0.1".to_owned();
    spec.ports = vec![PublishedPort {
        container_port: 8080,
        host_address: address,
        host_port: None,
    }];
    let (host_path, container_path) = (directory.path().to_owned(), "/site".to_owned());
    spec.binds = vec![BindMount {
        host_path,
        container_path,
        is_read_only: true,
    }];
    spec.memory_bytes = Some(64 << 20);
    spec.nano_cpus = Some(500_000_000);
    let id = place.engine.create_container(&spec).await.unwrap();

    let made = place.engine.inspect_container(&spec.name).await.unwrap().unwrap();
    assert_eq!(
        (made.id.as_str(), made.name.as_str(), made.is_running),
        (id.as_str(), spec.name.as_str(), false)
    );
    assert_eq!(
        made.labels.get(Ownership::OWNER_LABEL),
        Some(&place.engine.ownership().owner)
    );

    place.engine.start_container(&spec.name).await.unwrap();
    place
        .engine
        .start_container(&spec.name)
        .await
        .expect("running already is fine");
    let running = place.engine.inspect_container(&spec.name).await.unwrap().unwrap();
    assert!(running.is_running && running.pid > 0 && running.health.is_none());
    assert!(
        running.addresses["bridge"].starts_with("172."),
        "{:?}",
        running.addresses
    );
    let port = running.host_ports[&8080];
    assert!(get(port).await.ends_with("from the host"));
    let environment = std::fs::read_to_string(format!("/proc/{}/environ", child_of(running.pid))).unwrap();
    assert!(
        environment
            .split('\0')
            .any(|entry| entry == "MULTI=a=b\nc $HOME \"quoted\""),
        "{environment:?}"
    );

    place
        .engine
        .set_restart_policy(&spec.name, RestartPolicy::UnlessStopped)
        .await
        .unwrap();
    let begun = Instant::now();
    place.engine.stop_container(&spec.name).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "its init passes SIGTERM on: {:?}",
        begun.elapsed()
    );
    place
        .engine
        .stop_container(&spec.name)
        .await
        .expect("stopped already is fine");
    let listed = place.engine.list_containers(Some("app")).await.unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|found| (&found.name, found.is_running))
            .collect::<Vec<_>>(),
        [(&spec.name, false)]
    );
    assert!(place.engine.list_containers(Some("proxy")).await.unwrap().is_empty());

    place.engine.remove_container(&spec.name).await.unwrap();
    place.engine.remove_container(&spec.name).await.expect("gone is fine");
    place.engine.stop_container(&spec.name).await.expect("gone is fine");
    assert_eq!(place.engine.inspect_container(&spec.name).await.unwrap(), None);
}

#[tokio::test]
async fn the_end_of_a_container_is_told_with_its_output() {
    let place = Place::open().await;
    let mut spec = place.sleeper("job");
    spec.entrypoint = Some(words("/bin/sh -c"));
    spec.command = Some(vec![
        "sleep 1; for i in 1 2 3; do echo out $i; done; sleep 0.3; echo oops >&2; exit 7".to_owned(),
    ]);
    place.engine.create_container(&spec).await.unwrap();
    place.engine.start_container(&spec.name).await.unwrap();
    let output = tokio::spawn(place.engine.follow_output(&spec.name).try_collect::<Vec<_>>());
    let begun = Instant::now();
    assert_eq!(place.engine.wait_container(&spec.name).await.unwrap(), 7);
    assert!(begun.elapsed() > Duration::from_millis(500), "it waited for the end");
    assert_eq!(
        place.engine.wait_container(&spec.name).await.unwrap(),
        7,
        "also when it has ended already"
    );
    let state = place.engine.inspect_container(&spec.name).await.unwrap().unwrap();
    assert_eq!(
        (state.exit_code, state.is_running, state.was_out_of_memory, state.pid),
        (7, false, false, 0)
    );
    assert_eq!(
        place.engine.last_output(&spec.name, 2).await.unwrap(),
        ["out 3", "oops"]
    );
    let output = output.await.unwrap().unwrap().concat();
    let output = String::from_utf8(output).unwrap();
    assert_eq!(
        output.lines().count(),
        4,
        "followed from the first byte to the end: {output}"
    );
    assert!(output.starts_with("out 1\n") && output.contains("oops\n"), "{output}");
}

#[tokio::test]
async fn a_container_that_outgrows_its_memory_is_reported_so() {
    let place = Place::open().await;
    let mut spec = place.sleeper("glutton");
    spec.memory_bytes = Some(16 << 20);
    spec.command = Some(words("tail /dev/zero"));
    // Docker 20.10 misses the kernel's word about 1 time in 24.
    for _attempt in 0..5 {
        place.engine.create_container(&spec).await.unwrap();
        place.engine.start_container(&spec.name).await.unwrap();
        assert_eq!(place.engine.wait_container(&spec.name).await.unwrap(), 137);
        if place
            .engine
            .inspect_container(&spec.name)
            .await
            .unwrap()
            .unwrap()
            .was_out_of_memory
        {
            return;
        }
        place.engine.remove_container(&spec.name).await.unwrap();
    }
    panic!("never reported");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let place = Place::open().await;
    let mut spec = place.sleeper("orphan");
    assert!(matches!(
        place.engine.start_container("dhowtest-none").await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        place.engine.wait_container("dhowtest-none").await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        place.engine.last_output("dhowtest-none", 5).await,
        Err(Error::NotFound(_))
    ));
    let output: Vec<_> = place.engine.follow_output("dhowtest-none").collect().await;
    assert!(matches!(output.as_slice(), [Err(Error::NotFound(_))]), "{output:?}");
    spec.image = "dhowtest/none:1".to_owned();
    assert!(matches!(
        place.engine.create_container(&spec).await,
        Err(Error::NotFound(_))
    ));
    assert_eq!(place.engine.find_image("dhowtest/none:1").await.unwrap(), None);
    place
        .engine
        .remove_image("dhowtest/none:1")
        .await
        .expect("gone is fine");
}

async fn get(port: u16) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        if let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
            let mut answer = String::new();
            stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n").await.unwrap();
            if stream.read_to_string(&mut answer).await.is_ok() && !answer.is_empty() {
                return answer;
            }
        }
        assert!(Instant::now() < deadline, "nothing answers on port {port}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The program below the init process.
fn child_of(pid: i64) -> String {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children
        .split_whitespace()
        .next()
        .expect("init has started it")
        .to_owned()
}
