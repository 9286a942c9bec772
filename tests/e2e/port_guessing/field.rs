//! The field of the port on the pages, and what an empty one stands for.

use serde_json::json;

use super::{Harbour, write};
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::panel::Panel;
use crate::harness::visitor::Visitor;

#[tokio::test(flavor = "multi_thread")]
async fn run_port_guessing_an_empty_field_stays_a_guess_until_somebody_types_a_port() {
    let harbour = Harbour::open().await;
    let repository = harbour.git.repository("web");
    write(&repository, "first", "", "exec httpd -f -p 5555 -h /www");
    let panel = harbour.dhow.panel().await;
    let new = panel.page("/projects/ports/apps/new").await;
    assert_eq!(port_field(&new.html()), ("".to_owned(), "3000".to_owned()));
    let form = new
        .form(&["name", "url", "port"])
        .set("name", "Web")
        .set("url", &repository.url);
    let page = panel.submit_and_follow("/projects/ports/apps", &form).await;
    assert!(!page.words().contains("on port 3000"), "{}", page.words());
    harbour.deploy("web").await;
    assert_eq!(harbour.page("web").await, "first");
    panel.page("/apps/web").await.expect_words("Port 5555 found");

    save(&panel, None).await;
    assert_eq!(harbour.port("web").await, (json!(5555), json!(true)));
    save(&panel, Some("5555")).await;
    assert_eq!(harbour.port("web").await, (json!(5555), json!(false)));
    let page = panel.page("/apps/web").await;
    assert!(!page.words().contains("5555 found"), "{}", page.words());
    let settings = panel.page("/apps/web/settings").await.html();
    assert_eq!(port_field(&settings).0, "5555");
    save(&panel, Some("")).await;
    assert_eq!(harbour.port("web").await, (json!(5555), json!(true)));
    pages_are_usable(&harbour.dhow).await;
}

/// The pages that speak of the port, on a phone and on a desk.
async fn pages_are_usable(dhow: &Dhow) {
    let browser = Browser::open_as(Visitor {
        javascript: false,
        ..Visitor::default()
    })
    .await;
    browser.sign_in(dhow).await;
    for width in [360, 1280] {
        browser.resize(width, 900).await;
        for (page, path) in [
            ("new", "/projects/ports/apps/new"),
            ("settings", "/apps/web/settings"),
            ("overview", "/apps/web"),
        ] {
            browser.goto(&format!("{}{path}", dhow.url())).await;
            browser.see("Port", SHOWN_WITHIN).await;
            browser.look(&format!("port-{page}-{width}")).await;
        }
    }
    browser.finish().await;
}

/// Saves the settings, with another port or as they are.
async fn save(panel: &Panel, port: Option<&str>) {
    let path = "/apps/web/settings";
    let page = panel.page(path).await;
    let form = page.form(&["name", "port"]);
    let form = match port {
        Some(port) => form.set("port", port),
        None => {
            assert_eq!(port_field(&page.html()), ("".to_owned(), "5555".to_owned()));
            form
        }
    };
    panel.submit_and_follow(path, &form).await.expect_words("Saved");
}

/// What the field of the port holds, and what it says while it is empty.
fn port_field(html: &str) -> (String, String) {
    let (_, field) = html.split_once("<input id=\"port\"").expect("a field for the port");
    let attribute = |name: &str| {
        let (_, rest) = field.split_once(&format!(" {name}=\"")).expect(name);
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    (attribute("value"), attribute("placeholder"))
}
