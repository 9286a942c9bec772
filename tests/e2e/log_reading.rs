//! A deployment's log is read whole, in part, as it grows, and after a lost connection, by scripts as by browsers.

use std::time::Duration;

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::dhow::{Dhow, PASSWORD};
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::sse::{Event, EventStream};
use crate::harness::wait::seconds;
use crate::journey::{EARLY, LATE, write_talking_app};

const WITHIN: Duration = seconds(60);

/// A deployment whose build stands at the gate.
struct Talking {
    dhow: Dhow,
    api: Api,
    gate: Gate,
    deployment: i64,
    _git: GitServer,
}

async fn talking() -> Talking {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("talk");
    write_talking_app(&repository, &gate, "talk");
    repository.commit("Talk");
    let project = api.create_project("Talk").await;
    let app = api.create_app(&project, "talk", &repository).await;
    let deployment = api.deploy(&app).await;
    gate.arrival("build", WITHIN).await;
    Talking {
        dhow,
        api,
        gate,
        deployment,
        _git: git,
    }
}

/// Reads events until one of them tells `words`; the log as received, and the last id.
async fn events_until(stream: &mut EventStream, words: &str) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = stream.next(&format!("an event tells '{words}'"), WITHIN).await;
        events.push(event.unwrap_or_else(|| panic!("the stream ended before '{words}': {events:?}")));
        if events.last().unwrap().data.contains(words) {
            return events;
        }
    }
}

/// Fails unless the events are exactly the log's bytes from `start` on, each with the offset after it.
#[track_caller]
fn assert_is_log(events: &[Event], log: &str, mut start: usize) {
    for event in events.iter().filter(|event| event.id.is_some()) {
        let end = event.offset();
        let expected = log
            .get(start..end)
            .unwrap_or_else(|| panic!("no text from {start} to {end}: {event:?}"));
        assert_eq!(
            event.data.trim_end_matches('\n'),
            expected.trim_end_matches('\n'),
            "bytes {start} to {end}"
        );
        start = end;
    }
    assert_eq!(start, log.len(), "the events end where the log ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_log_grows_with_the_build_and_ends_with_the_deployment() {
    let Talking {
        api,
        gate,
        deployment,
        dhow,
        ..
    } = talking().await;
    let path = format!("/deployments/{deployment}/log");
    let mut follow = api.open(&format!("{path}?follow=true"), &[]).await;
    let kind = follow.headers.get("content-type").unwrap().to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain"), "{kind}");
    let early = follow
        .until("the follower hears the early line", WITHIN, |text| text.contains(EARLY))
        .await;
    assert!(!early.contains(LATE));
    // A program's token is not the browser's session, which ends here.
    dhow.panel().await.send("POST", "/logout", &[], "").await.expect(303);

    gate.open("build");
    let rest = follow.rest("the followed log ends", WITHIN).await;

    assert_eq!(
        api.deployment(deployment).await["status"],
        "succeeded",
        "the stream ends when the deployment has ended"
    );
    let log = api.log(deployment).await;
    assert_eq!(
        format!("{early}{}", String::from_utf8(rest).unwrap()),
        log,
        "nothing lost, nothing twice"
    );
    assert!(log.contains(LATE));

    // Of an ended deployment it answers at once, and ends.
    let mut again = api.open(&format!("{path}?follow=true"), &[]).await;
    assert_eq!(
        String::from_utf8(again.rest("an ended log ends", seconds(5)).await).unwrap(),
        log
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_comes_back_loses_nothing_and_reads_nothing_twice() {
    let Talking {
        api,
        gate,
        deployment,
        dhow: _dhow,
        ..
    } = talking().await;
    let path = format!("/deployments/{deployment}/log");
    let first = events_until(&mut api.events(&path, None).await, EARLY).await;
    // The connection is gone here; the build goes on and ends without a reader.
    gate.open("build");
    api.succeeded(deployment).await;
    let log = api.log(deployment).await;

    let offset = first.last().unwrap().offset();
    let second = api
        .events(&path, Some(&offset.to_string()))
        .await
        .rest("the resumed stream ends", WITHIN)
        .await;
    assert_is_log(&second, &log, offset);
    assert_is_log(&[first, second].concat(), &log, 0);

    let whole = api
        .events(&path, None)
        .await
        .rest("the whole stream ends", WITHIN)
        .await;
    assert_is_log(&whole, &log, 0);
    let nothing = api
        .events(&path, Some(&log.len().to_string()))
        .await
        .rest("a stream from the end ends", WITHIN)
        .await;
    assert!(
        nothing
            .iter()
            .all(|event| event.id.is_none() || event.offset() == log.len()),
        "{nothing:?}"
    );
    // An offset that no stream gave is refused or read from a sane place, never a crash.
    for wild in ["-1", "abc", "99999999999999999999", "1000000"] {
        let stream = api
            .open(&path, &[("accept", "text/event-stream"), ("last-event-id", wild)])
            .await;
        assert!(stream.status < 500, "Last-Event-ID {wild}: {}", stream.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_log_is_read_by_its_bytes() {
    let Talking {
        api,
        gate,
        deployment,
        dhow: _dhow,
        ..
    } = talking().await;
    gate.open("build");
    api.succeeded(deployment).await;
    let path = format!("/deployments/{deployment}/log");
    let log = api.log(deployment).await;
    let length = log.len();
    assert!(length > 40, "{log}");

    let cases = [
        ("bytes=0-9".to_owned(), 0..10),
        ("bytes=5-5".to_owned(), 5..6),
        ("bytes=10-".to_owned(), 10..length),
        ("bytes=-7".to_owned(), length - 7..length),
        (format!("bytes=20-{}", length + 500), 20..length),
    ];
    for (range, expected) in cases {
        let answer = api.send("GET", &path, &[("range", &range)], "").await.expect(206);
        let bytes = format!("bytes {}-{}/{length}", expected.start, expected.end - 1);
        assert_eq!(answer.header("content-range"), bytes, "{range}");
        assert_eq!(answer.text(), log[expected], "{range}");
    }
    let beyond = api
        .send("GET", &path, &[("range", &format!("bytes={length}-"))], "")
        .await
        .expect(416);
    assert_eq!(beyond.header("content-range"), format!("bytes */{length}"));
    // RFC 9110 §14.2: a range that is not understood is ignored.
    assert_eq!(
        api.send("GET", &path, &[("range", "lines=1-2")], "")
            .await
            .expect(200)
            .text(),
        log
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_taken_out_of_a_project_reads_its_logs_no_further() {
    const VIEWER: &str = "viewer@example.com";
    let Talking {
        api,
        gate,
        deployment,
        dhow,
        ..
    } = talking().await;
    let arguments = ["user", "add", VIEWER, "--role", "member", "--password-stdin"];
    assert_eq!(dhow.verb(&arguments, PASSWORD).await.code, 0);
    let member = format!("/projects/talk/members/{VIEWER}");
    api.put(&member, json!({ "role": "viewer" })).await.expect(200);
    let viewer = Api::new(&dhow.url(), &dhow.token_of(VIEWER, "read").await);
    let path = format!("/deployments/{deployment}/log");
    let mut text = viewer.open(&format!("{path}?follow=true"), &[]).await;
    let mut events = viewer.open(&path, &[("accept", "text/event-stream")]).await;
    for stream in [&mut text, &mut events] {
        stream
            .until("the viewer hears the early line", WITHIN, |text| text.contains(EARLY))
            .await;
    }

    api.delete(&member).await.expect(204);
    for stream in [&mut text, &mut events] {
        stream
            .rest("the stream ends while the build goes on", seconds(10))
            .await;
    }
    viewer.get(&path).await.problem(404);
    gate.open("build");
    api.succeeded(deployment).await;
}
