//! A browser's session: begun by signing in, renewed with each sign-in, ended by signing out, alive over a restart.

use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::panel::Panel;

const COOKIE: &str = "dhow_session";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_begun_renewed_and_ended_by_its_person_and_outlives_a_restart() {
    let mut dhow = Dhow::start().await;
    dhow.add_owner().await;

    // Whoever only looks is not given anything to remember, also after a wrong password.
    let stranger = Panel::stranger(&dhow.url());
    let login = stranger.page("/login").await.form(&["email", "password"]);
    stranger
        .submit("/login", &login.clone().set("email", OWNER).set("password", "wrong"))
        .await
        .expect(422);
    stranger.get("/").await.expect(303);
    assert!(stranger.cookies().is_empty(), "{:?}", stranger.cookies());

    // Another sign-in in the same browser ends the session that was there.
    let panel = dhow.panel().await;
    let first = panel.cookies();
    let login = login.set("email", OWNER).set("password", PASSWORD);
    panel.submit("/login", &login).await.expect(303);
    let second = panel.cookies();
    assert_ne!(first[COOKIE], second[COOKIE]);
    panel.remember(first);
    panel.get("/account").await.expect(303);

    panel.remember(second.clone());
    dhow.terminate().await;
    dhow.start_again().await;
    let page = panel.page("/account").await.expect_words(OWNER);
    assert_eq!(panel.cookies(), second, "reading a page renews nothing");

    panel
        .submit("/account", &page.form_of_button("Sign out"))
        .await
        .expect(303);
    assert_eq!(panel.cookies()[COOKIE], "", "the browser is told to forget it");
    panel.remember(second);
    panel.get("/account").await.expect(303);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_back_to_the_page_that_was_wanted_and_nowhere_else() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    for (wanted, led_to) in [
        ("/account?a=1&b=%2F", "/account?a=1&b=%2F"),
        ("/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let login = format!("/login?next={next}");
        let panel = Panel::stranger(&dhow.url());
        let form = panel.page(&login).await.form(&["email", "password"]);
        let form = form.set("email", OWNER).set("password", PASSWORD);
        let answer = panel.submit(&login, &form).await.expect(303);
        assert_eq!(answer.header("location"), led_to, "{wanted}");
    }
    let panel = Panel::stranger(&dhow.url());
    let sent = panel.get("/account?a=1&b=%2F").await.expect(303);
    assert_eq!(sent.header("location"), "/login?next=%2Faccount%3Fa%3D1%26b%3D%252F");

    // What cannot follow a redirect is told so.
    let stream = [("accept", "text/event-stream")];
    panel.send("GET", "/dashboard/events", &stream, "").await.expect(401);
    let htmx = [("hx-request", "true"), ("hx-current-url", "http://127.0.0.1/account")];
    let answer = panel.send("GET", "/dashboard/events", &htmx, "").await.expect(401);
    assert_eq!(answer.header("hx-redirect"), "/login?next=%2Faccount");
}
