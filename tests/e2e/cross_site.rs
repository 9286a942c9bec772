//! A foreign page cannot act in a signed-in person's name; a script without a browser's headers can.

use serde_json::json;

use crate::harness::dhow::Dhow;
use crate::harness::http::Answer;
use crate::harness::panel::Panel;
use crate::harness::words;

/// Headers of a browser on a foreign page, and of one that hides where it comes from.
const FOREIGN: [&[(&str, &str)]; 6] = [
    &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
    &[("origin", "https://evil.example")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("origin", "null")],
    &[("origin", "http://127.0.0.1:1")],
];

/// An API call with nothing but the session cookie.
async fn by_cookie(panel: &Panel, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    panel
        .send(
            "POST",
            "/api/v1/projects",
            &headers,
            &json!({ "name": "Planted" }).to_string(),
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_cannot_act_for_a_signed_in_person() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let new = panel.page("/").await.link(words::NEW_PROJECT);
    let form = panel.page(&new).await.form(&["name"]).set("name", "Planted");
    let login = Panel::stranger(&dhow.url())
        .page("/login")
        .await
        .form(&["email", "password"]);

    for headers in FOREIGN {
        panel.submit_with(&new, &form, headers).await.expect(403);
        by_cookie(&panel, headers).await.problem(403);
        Panel::stranger(&dhow.url())
            .submit_with("/login", &login, headers)
            .await
            .expect(403);
    }
    assert_eq!(api.read("/projects").await["items"], json!([]), "nothing was made");

    // Reading changes nothing and stays possible: a link on a foreign page may lead here.
    panel
        .send("GET", "/", &[("sec-fetch-site", "cross-site")], "")
        .await
        .expect(200);
    // A token is no cookie: whoever has it may use it from anywhere.
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://tool.example"),
    ];
    api.send(
        "POST",
        "/projects",
        &headers,
        &json!({ "name": "By token" }).to_string(),
    )
    .await
    .expect(201);

    let own = dhow.url();
    for headers in [
        &[][..],
        &[("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
        &[("origin", own.as_str())],
    ] {
        panel.submit_with(&new, &form, headers).await.expect(303);
        by_cookie(&panel, headers).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_sent_with_headers_that_keep_them_to_themselves() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let panel = dhow.panel().await;
    let login = Panel::stranger(&dhow.url()).page("/login").await;
    let home = panel.page("/").await;
    for page in [login, home] {
        let policy = page.answer.header("content-security-policy");
        assert!(
            policy.contains("default-src") && !policy.contains("unsafe-"),
            "{}: {policy}",
            page.path
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{}: {policy}", page.path);
        assert_eq!(page.answer.header("x-content-type-options"), "nosniff", "{}", page.path);
        assert!(
            !page.html().contains(" style=") && !page.html().contains(" onclick="),
            "{}",
            page.path
        );
    }
    let form = Panel::stranger(&dhow.url())
        .page("/login")
        .await
        .form(&["email", "password"]);
    let form = form
        .set("email", crate::harness::dhow::OWNER)
        .set("password", crate::harness::dhow::PASSWORD);
    let answer = Panel::stranger(&dhow.url()).submit("/login", &form).await.expect(303);
    let cookies: Vec<_> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect();
    assert!(!cookies.is_empty());
    for cookie in cookies {
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
    }

    // Signing out ends the session, not only the cookie.
    let kept = panel.cookies();
    let out = panel.page("/").await.form_of_button("Sign out");
    panel.submit("/", &out).await.expect(303);
    panel.remember(kept);
    panel.get("/").await.expect(303);
}
