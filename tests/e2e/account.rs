//! Somebody's own account: the password, the sessions and the tokens on the account page.

use std::time::Duration;

use futures_util::future::join_all;

use crate::harness::api::Api;
use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::panel::{Page, Panel};

const COOKIE: &str = "dhow_session";
const NEW_PASSWORD: &str = "another horse, another battery";
/// Between two sign-ins of those that meet a change of the password, which takes some of these.
const PACE: Duration = Duration::from_millis(10);

/// Tries to sign in with a password.
async fn can_sign_in(dhow: &Dhow, password: &str) -> bool {
    let panel = Panel::stranger(&dhow.url());
    let form = panel.page("/login").await.form(&["email", "password"]);
    let form = form.set("email", OWNER).set("password", password);
    panel.submit("/login", &form).await.status == 303
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_other_session_and_renews_this_one() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let (panel, other) = (dhow.panel().await, dhow.panel().await);
    let form = panel.page("/account").await.form(&["password", "new_password"]);

    let wrong = form.clone().set("password", "wrong").set("new_password", NEW_PASSWORD);
    let answer = panel.submit("/account", &wrong).await.expect(422);
    assert!(answer.text().contains("This is not your password."), "{answer}");
    let short = form.clone().set("password", PASSWORD).set("new_password", "short");
    panel.submit("/account", &short).await.expect(422);
    other.get("/account").await.expect(200);

    let before = panel.cookies();
    let good = form.clone().set("password", PASSWORD).set("new_password", NEW_PASSWORD);
    let page = panel.submit_and_follow("/account", &good).await;
    page.expect_words("Your password is changed.");
    let after = panel.cookies();
    assert_ne!(before[COOKIE], after[COOKIE], "the session has a new id");
    other.get("/account").await.expect(303);
    panel.remember(before);
    panel.get("/account").await.expect(303);

    panel.remember(after);
    assert!(!can_sign_in(&dhow, PASSWORD).await);
    assert!(can_sign_in(&dhow, NEW_PASSWORD).await);

    // One of ten free failures was spent above, and one by the sign-in with the old password.
    let wrong = form.set("password", "wrong").set("new_password", PASSWORD);
    for _ in 0..8 {
        panel.submit("/account", &wrong).await.expect(422);
    }
    panel.submit("/account", &wrong).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_that_the_old_password_began_outlives_it() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let panel = dhow.panel().await;
    let form = panel.page("/account").await.form(&["password", "new_password"]);
    let mut strangers = Vec::new();
    for _ in 0..9 {
        let stranger = Panel::stranger(&dhow.url());
        let form = stranger.page("/login").await.form(&["email", "password"]);
        strangers.push((stranger, form.set("email", OWNER).set("password", PASSWORD)));
    }
    // Some of them are known by the old password when the new one is made, and let in after it is stored.
    let signing_in = join_all(strangers.iter().enumerate().map(async |(number, (stranger, form))| {
        tokio::time::sleep(PACE * number as u32).await;
        stranger.submit("/login", form).await
    }));
    let change = form.set("password", PASSWORD).set("new_password", NEW_PASSWORD);
    let (answers, changed) = tokio::join!(signing_in, panel.submit("/account", &change));
    changed.expect(303);
    let let_in = answers.iter().filter(|answer| answer.status == 303).count();
    println!("{let_in} of {} were let in", answers.len());
    for (stranger, _) in &strangers {
        stranger.get("/account").await.expect(303);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended_and_nobody_chooses_their_id() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let (panel, second, third) = (dhow.panel().await, dhow.panel().await, dhow.panel().await);
    let page = panel.page("/account").await.expect_words("this one");
    assert_eq!(page.html().matches(">End</button>").count(), 2);
    assert!(!page.html().contains(&second.cookies()[COOKIE]), "no page tells an id");

    // Which of the two ends is the list's choice; the other one goes with all others.
    panel
        .submit_and_follow("/account", &page.form_of_button("End"))
        .await
        .expect_words("The session has ended.");
    let alive = [second.get("/account").await.status, third.get("/account").await.status];
    assert!(alive == [200, 303] || alive == [303, 200], "{alive:?}");
    let page = panel.page("/account").await;
    panel
        .submit_and_follow("/account", &page.form_of_button("End all others"))
        .await
        .expect_words("The other session has ended.");
    second.get("/account").await.expect(303);
    third.get("/account").await.expect(303);

    // Another user's session is none of theirs.
    let member = dhow.verb(&["user", "add", "member@example.com", "--password-stdin"], PASSWORD);
    assert_eq!(member.await.code, 0);
    let member = Panel::sign_in(&dhow.url(), "member@example.com", PASSWORD).await;
    let foreign = page.form_of_button("End").set("session", &"0".repeat(64));
    member.submit("/account", &foreign).await.expect(404);
    panel.get("/account").await.expect(200);

    // An id that somebody planted is not taken over by a sign-in, and a stolen one ends with signing out.
    let victim = Panel::stranger(&dhow.url());
    let planted = [(COOKIE.to_owned(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned())];
    victim.remember(planted.clone().into());
    let form = victim.page("/login").await.form(&["email", "password"]);
    let form = form.set("email", OWNER).set("password", PASSWORD);
    victim.submit("/login", &form).await.expect(303);
    let stolen = victim.cookies();
    assert_ne!(stolen[COOKIE], planted[0].1);
    let thief = Panel::stranger(&dhow.url());
    thief.remember(planted.into());
    thief.get("/account").await.expect(303);
    thief.remember(stolen.clone());
    let page = thief.page("/account").await;
    victim
        .submit("/account", &page.form_of_button("Sign out"))
        .await
        .expect(303);
    thief.remember(stolen);
    thief.get("/account").await.expect(303);
}

/// The text in the page's element to copy.
fn copied(page: &Page) -> String {
    let html = page.html();
    let (_, rest) = html.split_once("class=\"copy\">").expect("something to copy");
    rest.split('<').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_shown_once_used_and_revoked_on_the_page() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let panel = dhow.panel().await;
    let form = panel.page("/account").await.form(&["name", "scope", "expires"]);
    panel
        .submit("/account", &form.clone().set("name", " "))
        .await
        .expect(422);
    panel
        .submit("/account", &form.clone().set("name", "x").set("scope", "root"))
        .await
        .expect(422);

    let answer = panel.submit("/account", &form.set("name", "<b>laptop</b>")).await;
    let page = Page {
        path: "/account/tokens".to_owned(),
        answer: answer.expect(200),
    };
    assert_eq!(page.answer.header("cache-control"), "no-store");
    let token = copied(&page);
    assert!(token.starts_with("dhow_"), "{token}");
    let api = Api::new(&dhow.url(), &token);
    api.get("/projects").await.expect(200);
    api.post("/projects", serde_json::json!({ "name": "no" }))
        .await
        .problem(403);

    let page = panel.page("/account").await.expect_words("<b>laptop</b> read");
    assert!(page.words().contains("in 90 days"), "{}", page.words());
    assert!(!page.html().contains(&token));
    for file in dhow.files() {
        let bytes = std::fs::read(&file).unwrap();
        let is_told = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!is_told, "the token is in {}", file.display());
    }
    let revoke = page.form_of_button("Revoke");
    let member = dhow.verb(&["user", "add", "member@example.com", "--password-stdin"], PASSWORD);
    assert_eq!(member.await.code, 0);
    let member = Panel::sign_in(&dhow.url(), "member@example.com", PASSWORD).await;
    member.submit("/account", &revoke).await.expect(404);
    api.get("/projects").await.expect(200);
    panel
        .submit_and_follow("/account", &revoke)
        .await
        .expect_words("The token is revoked.");
    api.get("/projects").await.problem(401);

    let arguments = ["token", "create", "--user", OWNER, "--name", "old", "--expires", "0s"];
    let expired = dhow.verb(&arguments, "").await;
    assert_eq!(expired.code, 0, "{}", expired.stderr);
    Api::new(&dhow.url(), expired.stdout.trim())
        .get("/projects")
        .await
        .problem(401);
    panel.page("/account").await.expect_words("never expired");
}
