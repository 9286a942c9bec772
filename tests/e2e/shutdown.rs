//! Case panel-shutdown-with-open-streams: Dhow stops in time, whoever is reading, and takes up its work again.

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::wait::seconds;
use crate::journey::{EARLY, LATE, write_talking_app};

#[tokio::test(flavor = "multi_thread")]
async fn panel_shutdown_with_open_streams_a_stop_with_open_streams_and_a_running_build_is_quick_and_loses_nothing() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("long");
    repository.commit_app("before");
    let app = api.live_app("Long", "long", &repository).await;
    write_talking_app(&repository, &gate, "after");
    repository.commit("Talk");
    let id = api.deploy(&app).await;
    gate.arrival("build", seconds(60)).await;

    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/long/deployments/2", dhow.url())).await;
    browser.see(EARLY, SHOWN_WITHIN).await;
    let mut events = api.events(&format!("/deployments/{id}/log"), None).await;
    let mut follow = api.open(&format!("/deployments/{id}/log?follow=true"), &[]).await;
    follow
        .until("the follower hears the early line", seconds(10), |text| {
            text.contains(EARLY)
        })
        .await;

    let (code, took) = dhow.terminate().await;
    println!("stopped with a build and three open streams in {took:?}");
    assert_eq!(code, Some(0));
    assert!(took <= seconds(10), "it took {took:?}");
    events.rest("the event stream is ended by the server", seconds(1)).await;
    follow.rest("the followed log is ended by the server", seconds(1)).await;
    assert_eq!(
        dhow.visit("long.localhost", "/").await.expect(200).text(),
        "before",
        "apps go on without Dhow"
    );

    dhow.start_again().await;
    let deployment = api.deployment(id).await;
    assert!(
        matches!(deployment["status"].as_str(), Some("queued" | "running")),
        "marked, not lost: {deployment:#}"
    );
    panel.page("/apps/long").await.expect_words("long");
    gate.arrivals("build", 2, seconds(60)).await;
    gate.open("build");
    api.succeeded(id).await;
    assert_eq!(dhow.visit("long.localhost", "/").await.expect(200).text(), "after");

    // The open page has found the new process by itself. Its failed attempts are complaints that are due.
    browser.see(LATE, seconds(30)).await;
    browser.see("succeeded", SHOWN_WITHIN).await;
    let complaints = browser.console().await;
    let others: Vec<_> = complaints
        .iter()
        .filter(|line| !line.contains("net::ERR_") && !line.contains("fetch"))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_instance_stops_at_once_and_leaves_what_serves() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("calm");
    repository.commit_app("calm");
    api.live_app("Calm", "calm", &repository).await;
    let panel = dhow.panel().await;
    let containers = dhow.containers("app");

    let (code, took) = dhow.terminate().await;

    assert_eq!(code, Some(0));
    assert!(took < seconds(3), "it took {took:?}");
    assert_eq!(dhow.visit("calm.localhost", "/").await.expect(200).text(), "calm");
    dhow.start_again().await;
    assert_eq!(dhow.containers("app"), containers, "a restart makes nothing new");
    assert_eq!(dhow.visit("calm.localhost", "/").await.expect(200).text(), "calm");
    panel.page("/").await.expect_words("calm");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_never_finishes_a_request_is_hung_up_on_and_holds_up_no_stop() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut dhow = Dhow::start().await;
    let address = dhow.url().trim_start_matches("http://").to_owned();
    let connect = || tokio::net::TcpStream::connect(&address);
    let mut slow = connect().await.unwrap();
    slow.write_all(b"GET / HT").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(seconds(30), slow.read_to_end(&mut answer))
        .await
        .expect("it is hung up on")
        .unwrap();

    let mut half = connect().await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let (code, took) = dhow.terminate().await;
    assert_eq!(code, Some(0));
    assert!(took < seconds(6), "it took {took:?}");
}
