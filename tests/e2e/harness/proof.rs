//! The harness itself is put to the test: a check that cannot fail would prove nothing.

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use futures_util::FutureExt;

use super::browser::Browser;
use super::docker::{ForeignObjects, docker, labelled, remove_instance};
use super::gate::Gate;
use super::process::{Process, commands_with, run_id};
use super::visitor::Visitor;
use super::wait::{eventually, seconds};

/// A site with one good and one bad page.
async fn site() -> String {
    let good = "<!doctype html><html lang=en><title>T</title><main><h1>Hello</h1><form action=/more><label>Name \
        <input name=name></label><button>Go on</button></form><p id=js>no script</p>\
        <script>document.getElementById('js').textContent = 'scripted'</script></main>";
    let bad = "<!doctype html><title>T</title><main><h1>Bad</h1><input name=bare><script>nowhere()</script>\
        <img src='http://elsewhere.example/x.png' alt=''></main>";
    let more = "<!doctype html><title>More</title><main><h1>More</h1></main>";
    let icon = || async {
        (
            [("content-type", "image/svg+xml")],
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
        )
    };
    let router = Router::new()
        .route("/", get(move || async move { Html(good) }))
        .route("/bad", get(move || async move { Html(bad) }))
        .route("/more", get(move || async move { Html(more) }))
        .route("/favicon.ico", get(icon));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn the_browser_presses_buttons_with_and_without_javascript() {
    let site = site().await;
    for (javascript, shown) in [(true, "scripted"), (false, "no script")] {
        let browser = Browser::open_as(Visitor {
            javascript,
            dark: true,
            width: 400,
        })
        .await;
        browser.goto(&site).await;
        browser.see(shown, seconds(5)).await;
        browser.fill("name", "Ada").await;
        browser.click("Go on").await;
        browser.at("the next page", |url| url.ends_with("/more?name=Ada")).await;
        browser.look("proof").await;
        browser.finish().await;
    }
}

#[tokio::test]
async fn the_browser_notices_script_errors_foreign_hosts_and_fields_without_a_label() {
    let browser = Browser::open().await;
    browser.goto(&format!("{}/bad", site().await)).await;
    let looked = std::panic::AssertUnwindSafe(browser.look("proof-bad"))
        .catch_unwind()
        .await;
    let words = *looked.unwrap_err().downcast::<String>().unwrap();
    assert!(words.contains("no label: bare"), "{words}");
    let complaints = browser.console().await.join("\n");
    assert!(complaints.contains("nowhere is not defined"), "{complaints}");
    assert!(complaints.contains("elsewhere.example"), "{complaints}");
    browser.finish().await;
}

#[tokio::test]
async fn a_browser_takes_its_processes_along_when_it_goes() {
    let browser = Browser::open().await;
    let profile = browser.profile().to_owned();
    let running = || commands_with(&profile).len();
    assert!(running() > 0, "Chromium runs on its own profile");
    browser.finish().await;
    eventually("Chromium has ended", seconds(5), || async {
        if running() == 0 {
            Ok(())
        } else {
            Err(running().to_string())
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_waits_at_the_gate_until_the_test_opens_it() {
    let gate = Gate::start().await;
    let mut command = std::process::Command::new("docker");
    let script = format!("echo before; {}; echo after", gate.command("one"));
    command.args([
        "run",
        "--rm",
        "--label",
        "dhow.bait=gate",
        "busybox:1",
        "sh",
        "-c",
        &script,
    ]);
    let mut process = Process::start("a container", &mut command);
    gate.arrival("one", seconds(30)).await;
    process
        .line("what it says before", seconds(10), |line| {
            (line == "before").then_some(())
        })
        .await;
    assert_eq!(process.lines.all(), ["before"], "it waits");
    gate.open("one");
    let (status, _) = process.ended(seconds(10)).await;
    assert!(status.success());
    assert_eq!(
        (process.lines.all().join(" "), gate.arrived()),
        ("before after".to_owned(), vec!["one".to_owned()])
    );
}

#[test]
fn a_lost_foreign_object_is_noticed_and_an_instance_is_removed_whole() {
    let instance = format!("t{}", run_id());
    let foreign = ForeignObjects::beside(&instance);
    foreign.assert_survived();
    docker(&["rm", "--force", &format!("{instance}-plain")]);
    let noticed = std::panic::catch_unwind(|| foreign.assert_survived()).unwrap_err();
    assert!(
        noticed
            .downcast::<String>()
            .unwrap()
            .contains("foreign objects are gone")
    );
    let neighbour = format!("{instance}x");
    let label = format!("dhow.instance={neighbour}");
    for kind in ["container", "network", "volume", "image"] {
        assert_ne!(labelled(kind, &[&label]).len(), 0, "{kind}");
    }
    remove_instance(&neighbour);
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(labelled(kind, &[&label]).len(), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_broken_expectation_says_what_was_seen_last() {
    let never = eventually("pigs fly", Duration::ZERO, || async {
        Err::<(), _>("pigs walk".to_owned())
    });
    let words = std::panic::AssertUnwindSafe(never).catch_unwind().await.unwrap_err();
    let words = words.downcast::<String>().unwrap();
    assert!(words.contains("pigs fly") && words.contains("pigs walk"), "{words}");
}
