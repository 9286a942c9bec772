//! Many pages of the panel in one browser, which has six connections for a host: none waits for another one's stream.

use serde_json::json;

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::wait::{eventually, seconds};

/// Milliseconds from the click to the end of the page's answer, the wait for a free connection included.
const ANSWERED: &str = "return performance.getEntriesByType('navigation')[0].responseEnd";
/// A tab that waits for another one's stream waits for minutes. Two seconds are kept by a machine that does nothing else.
const BLOCKED_MS: f64 = 5_000.0;
const HAS_STREAM: &str = "return !!document.querySelector('#stream')?._htmx?.sse";

/// Connections that a port of this machine's loopback has accepted and that both sides still hold.
fn connections(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let own = format!("0100007F:{port:04X}");
    let is_open = |line: &&str| {
        let mut columns = line.split_whitespace().skip(1);
        columns.next() == Some(&own) && columns.nth(1) == Some("01")
    };
    table.lines().filter(is_open).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn panel_seven_tabs_every_page_of_one_browser_opens_at_once_and_goes_on() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("web");
    repository.write_app("web", &gate.step("build"));
    repository.commit("Wait");
    let project = api.create_project("Web").await;
    let app = api.create_app(&project, "web", &repository).await;
    let id = api.deploy(&app).await;
    gate.arrival("build", seconds(60)).await;
    let port = dhow.url().rsplit(':').next().unwrap().parse().unwrap();

    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    let pages = ["/apps/web/deployments/1", "/apps/web", "/"];
    let mut tabs = vec![browser.client.window().await.unwrap()];
    for number in 0..7 {
        if number > 0 {
            tabs.push(browser.client.new_window(number % 2 == 0).await.unwrap().handle);
            browser.client.switch_to_window(tabs[number].clone()).await.unwrap();
        }
        browser.goto(&format!("{}{}", dhow.url(), pages[number % 3])).await;
        assert!(browser.sees("web").await, "tab {number}");
        let answered_ms = browser.script(ANSWERED).await.as_f64().unwrap();
        println!("tab {number} was answered after {answered_ms:.0} ms");
        assert!(answered_ms < BLOCKED_MS, "tab {number} waited {answered_ms} ms");
        eventually("the tab's stream has begun", SHOWN_WITHIN, || async {
            let has_begun = browser.script(HAS_STREAM).await == true;
            has_begun.then_some(()).ok_or_else(|| "not yet".to_owned())
        })
        .await;
    }
    gate.open("build");
    api.succeeded(id).await;
    for (number, tab) in tabs.iter().enumerate().rev() {
        browser.client.switch_to_window(tab.clone()).await.unwrap();
        let words = if number % 3 == 1 { "running" } else { "succeeded" };
        browser.see(words, SHOWN_WITHIN).await;
    }

    for tab in &tabs {
        browser.client.switch_to_window(tab.clone()).await.unwrap();
        browser.goto("about:blank").await;
    }
    eventually("a page that was left holds no connection", seconds(30), || async {
        match connections(port) {
            0 => Ok(()),
            open => Err(format!("{open} are open")),
        }
    })
    .await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn panel_seven_tabs_a_page_that_nobody_looks_at_holds_no_stream_and_misses_nothing() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let port = dhow.url().rsplit(':').next().unwrap().parse().unwrap();
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    // A window without a screen is always in front; a page is told here that it is not.
    let source = "Object.defineProperty(document, 'hidden', { get: () => !window.isInFront });";
    let params = json!({ "source": source });
    browser.cdp("Page.addScriptToEvaluateOnNewDocument", params).await;
    browser.goto(&dhow.url()).await;
    let no_stream = async || {
        eventually("a hidden page holds no connection", seconds(30), || async {
            match connections(port) {
                0 => Ok(()),
                open => Err(format!("{open} are open")),
            }
        })
        .await;
    };
    no_stream().await;
    api.create_project("Made behind its back").await;
    assert!(!browser.sees("Made behind its back").await);

    let look = |is_in_front: bool| {
        format!("window.isInFront = {is_in_front}; document.dispatchEvent(new Event('visibilitychange'))")
    };
    browser.script(&look(true)).await;
    browser.see("Made behind its back", SHOWN_WITHIN).await;
    api.create_project("Made before its eyes").await;
    browser.see("Made before its eyes", SHOWN_WITHIN).await;
    browser.script(&look(false)).await;
    no_stream().await;
    api.create_project("Made once more").await;
    assert!(!browser.sees("Made once more").await);
    browser.script(&look(true)).await;
    browser.see("Made once more", SHOWN_WITHIN).await;
    browser.finish().await;
}
