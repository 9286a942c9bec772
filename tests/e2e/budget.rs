//! What the signed-in dashboard costs on the wire, with an empty and with a full cache.

use serde_json::Value;

use crate::harness::browser::Browser;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;

/// Bytes and requests of a page and everything that it fetched.
#[derive(Debug)]
struct Cost {
    requests: usize,
    bytes: u64,
}

/// Reads what the browser has measured (Resource Timing: `transferSize` is the encoded body and the headers).
async fn cost(browser: &Browser) -> Cost {
    let script = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .map(entry => [entry.name, entry.transferSize])";
    let entries = browser.script(script).await;
    let entries = entries.as_array().unwrap();
    println!("{entries:?}");
    let bytes = |entry: &Value| entry[1].as_u64().unwrap();
    // What came from the cache was no request.
    Cost {
        requests: entries.iter().filter(|entry| bytes(entry) > 0).count(),
        bytes: entries.iter().map(bytes).sum(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_costs_thirty_kilobytes_and_five_requests_at_most() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    api.live_app("Shop", "web", &repository).await;
    for number in 1..=5 {
        api.create_app("shop", &format!("app{number}"), &repository).await;
    }
    // Signed in by the cookie alone, so that no page before this one has filled the cache.
    let browser = Browser::open().await;
    browser.goto(&format!("{}/healthz", dhow.url())).await;
    browser.sign_in_unseen().await;
    browser.goto(&format!("{}/", dhow.url())).await;
    browser.see("web", crate::harness::browser::SHOWN_WITHIN).await;
    let cold = cost(&browser).await;
    browser.goto(&format!("{}/", dhow.url())).await;
    browser.see("web", crate::harness::browser::SHOWN_WITHIN).await;
    let warm = cost(&browser).await;
    println!(
        "dashboard, cold: {} bytes in {} requests; warm: {} bytes in {} requests",
        cold.bytes, cold.requests, warm.bytes, warm.requests
    );

    assert!(
        cold.bytes > 1000 && cold.requests >= 2,
        "something was measured: {cold:?}"
    );
    assert!(cold.bytes <= 30 * 1024 && cold.requests <= 5, "{cold:?}");
    assert!(warm.bytes <= 10 * 1024 && warm.requests <= 2, "{warm:?}");
    browser.finish().await;
}
