//! The open page of a deployment: bounded however much is printed, equal to what a reload shows, resumed where it was.

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::sse::Event;
use crate::harness::wait::seconds;

/// What the page's log holds, for scripts.
const LOG: &str = "return document.querySelector('#log').innerText.trim()";
const ELEMENTS: &str = "return document.querySelectorAll('*').length";

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_log_leaves_the_page_small_and_shows_its_end() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("loud");
    let print = "seq 1 30000; head -c 20000 /dev/zero | tr '\\0' x; echo END; seq 70001 $((70000 + 100))";
    repository.write_app(
        "loud",
        &format!("RUN {}; {print}; {}", gate.command("build"), gate.command("printed")),
    );
    repository.commit("Print a lot");
    let project = api.create_project("Loud").await;
    let app = api.create_app(&project, "loud", &repository).await;
    let id = api.deploy(&app).await;
    gate.arrival("build", seconds(60)).await;

    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser.goto(&format!("{}/apps/loud/deployments/1", dhow.url())).await;
    gate.open("build");
    browser.see("70100", seconds(60)).await;
    let elements = browser.script(ELEMENTS).await.as_i64().unwrap();
    assert!(elements < 5_000, "{elements} elements");
    // The driver tells only the words that are scrolled into view.
    let log = browser.script(LOG).await;
    assert!(
        log.as_str().unwrap().contains("bytes of this line are not shown"),
        "the long line is cut with a marker"
    );
    browser.look("deployment-huge-log").await;
    gate.arrival("printed", seconds(60)).await;
    gate.open("printed");
    browser.see("succeeded", seconds(60)).await;
    browser.see("Done.", SHOWN_WITHIN).await;

    let live = browser.script(LOG).await.as_str().unwrap().to_owned();
    browser.client.refresh().await.unwrap();
    let again = browser.script(LOG).await.as_str().unwrap().to_owned();
    let end = |text: &str| text.lines().rev().take(50).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(end(&live), end(&again), "the stream and a reload end alike");
    assert_eq!(
        browser
            .script("return document.querySelectorAll('#stream, script').length")
            .await,
        0,
        "a finished page has no stream"
    );
    assert!(
        api.log(id).await.contains("\n29999\n"),
        "the whole log has what the page leaves out"
    );
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_stream_goes_on_where_the_browser_was() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    // Named after the instance, so that no build before this one has it in its cache.
    repository.write_app("web", &format!("RUN seq 1 20 # {}", dhow.url()));
    repository.commit("Count");
    api.live_app("Web", "web", &repository).await;
    let panel = dhow.panel().await;
    let path = "/apps/web/deployments/1/stream?from=0";

    let whole = panel.send("GET", path, &[("hx-request", "true")], "").await.expect(200);
    assert!(whole.header("content-type").starts_with("text/event-stream"), "{whole}");
    let events = Event::all(&whole.text());
    assert_eq!(
        events.last().unwrap().name,
        "done",
        "a late client is told that it is over"
    );
    let log = api
        .log(
            api.read("/apps/web/deployments").await["items"][0]["id"]
                .as_i64()
                .unwrap(),
        )
        .await;
    let last_id = events.iter().rev().find_map(|event| event.id.clone()).unwrap();
    assert_eq!(
        last_id,
        log.len().to_string(),
        "an id is the offset after what was sent"
    );

    // The header wins over the address, and what was had is not sent again.
    let middle = log.find("\n10\n").unwrap() + 1;
    let headers = [("hx-request", "true"), ("last-event-id", &*middle.to_string())];
    let resumed = panel.send("GET", path, &headers, "").await.expect(200).text();
    assert!(
        resumed.contains(">10</span>") && !resumed.contains(">9</span>"),
        "{resumed}"
    );
    for wild in ["", "-1", "x", "99999999999999999999", "99999999"] {
        let headers = [("hx-request", "true"), ("last-event-id", wild)];
        let answer = panel.send("GET", path, &headers, "").await.expect(200);
        assert!(
            answer.text().contains("event: done"),
            "Last-Event-ID '{wild}': {answer}"
        );
    }
    let stranger = crate::harness::panel::Panel::stranger(&dhow.url());
    stranger
        .send("GET", path, &[("hx-request", "true")], "")
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_cancelled_by_its_button() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("slow");
    repository.write_app("slow", &gate.step("build"));
    repository.commit("Wait");
    let project = api.create_project("Slow").await;
    let app = api.create_app(&project, "slow", &repository).await;
    let id = api.deploy(&app).await;
    gate.arrival("build", seconds(60)).await;
    let panel = dhow.panel().await;
    let path = "/apps/slow/deployments/1";
    let form = panel.page(path).await.form_of_button("Cancel");
    panel.submit_and_follow(path, &form).await;
    assert_eq!(api.ended(id).await["status"], "cancelled");
    let page = panel.page(path).await.expect_words("Cancelled before it was live");
    assert_eq!(page.form_of_button("Deploy again").action, "/apps/slow/deployments");
    // Pressed once more on a page that is still open.
    panel.submit_and_follow(path, &form).await.expect_words("has ended");
}
