//! Case log-text-is-not-html: what builds print and committers write is shown, never carried out.

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::wait::seconds;

/// Colours, a script, a link with a script, a cleared screen, and lines that look like an event of the stream.
const HOSTILE: &str = r"\033[31mred\033[0m <script>alert(1)</script> \033]8;;javascript:alert(1)\007x\033]8;;\007 \033[2J\n\nevent: forged\ndata: forged\nid: 1\n\r\rdata: forged\r\rend of it $((40 + 2))\n";
const END: &str = "end of it 42";
const MESSAGE: &str = "<img src=x onerror=alert(1)>";

#[tokio::test(flavor = "multi_thread")]
async fn log_text_is_not_html_hostile_log_lines_and_commit_messages_are_only_text() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("hostile");
    repository.write_app(
        "hostile",
        &format!("RUN {}; printf \"{HOSTILE}\"", gate.command("build")),
    );
    repository.commit(MESSAGE);
    let project = api.create_project("Hostile").await;
    let app = api.create_app(&project, "hostile", &repository).await;
    let deployment = api.deploy(&app).await;
    gate.arrival("build", seconds(60)).await;

    // The page is open before the lines come, so that they reach it through the live stream.
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    browser
        .goto(&format!("{}/apps/hostile/deployments/1", dhow.url()))
        .await;
    browser.see(MESSAGE, SHOWN_WITHIN).await;
    let mut events = api.events(&format!("/deployments/{deployment}/log"), None).await;
    gate.open("build");
    browser.see(END, SHOWN_WITHIN).await;
    browser.see("<script>alert(1)</script>", SHOWN_WITHIN).await;
    browser.see("succeeded", seconds(60)).await;
    let carried_out =
        "return [...document.querySelectorAll('main script, img[src=x], a[href^=\"javascript:\"]')].length";
    assert_eq!(browser.script(carried_out).await, 0, "elements that the log made");
    browser.look("deployment-hostile-log").await;

    for event in events.rest("the stream ends", seconds(60)).await {
        assert_ne!(event.name, "forged", "{event:?}");
        assert_ne!(
            event.data.trim(),
            "forged",
            "a line of the log became an event of its own: {event:?}"
        );
        assert_ne!(
            event.id.as_deref(),
            Some("1"),
            "a line of the log became an id: {event:?}"
        );
    }

    let panel = dhow.panel().await;
    for path in [
        "/",
        "/projects/hostile",
        "/apps/hostile",
        "/apps/hostile/deployments",
        "/apps/hostile/deployments/1",
    ] {
        let html = panel.page(path).await.html();
        assert!(
            !html.contains("<script>alert") && !html.contains("<img src=x"),
            "{path}: {html}"
        );
        assert!(
            !html.contains('\u{1b}') && !html.contains('\u{7}'),
            "control characters on {path}"
        );
        browser.goto(&format!("{}{path}", dhow.url())).await;
        assert!(browser.client.get_alert_text().await.is_err(), "no dialog on {path}");
    }
    let html = panel.page("/apps/hostile/deployments/1").await.html();
    assert!(
        html.contains("&lt;script&gt;alert(1)") || html.contains("&#60;script&#62;alert(1)"),
        "{html}"
    );
    assert!(
        panel
            .page("/apps/hostile/deployments/1")
            .await
            .words()
            .contains(MESSAGE)
    );
    // A complaint of the content security policy would mean that something tried.
    browser.finish().await;
}
