//! Two-factor sign-in: set up with an authenticator app, asked for, proof against replay, and a way back without it.

use crate::harness::browser::Browser;
use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::http::Answer;
use crate::harness::panel::{Page, Panel};
use crate::harness::totp::Authenticator;
use crate::harness::visitor::Visitor;

const COOKIE: &str = "dhow_session";
const PATH: &str = "/account/two-factor";

/// The words of the page's n-th element to copy.
fn copied(html: &str, index: usize) -> String {
    let rest = html.split("class=\"copy\">").nth(index + 1).expect("something to copy");
    rest.split("</code>").next().unwrap().trim().to_owned()
}

/// Somebody who has given the right password and owes a code.
async fn first_step(dhow: &Dhow) -> Panel {
    let panel = Panel::stranger(&dhow.url());
    let form = panel.page("/login").await.form(&["email", "password"]);
    let form = form.set("email", OWNER).set("password", PASSWORD);
    let answer = panel.submit("/login", &form).await.expect(303);
    assert_eq!(answer.header("location"), "/login/code");
    panel.get("/account").await.expect(303);
    panel
}

async fn second_step(panel: &Panel, code: &str) -> Answer {
    let form = panel.page("/login/code").await.form(&["code"]).set("code", code);
    panel.submit("/login/code", &form).await
}

/// Turns it on; answers the app, the step of the code that was used, and the recovery codes.
pub async fn turn_on(panel: &Panel) -> (Authenticator, u64, Vec<String>) {
    let form = panel.page(PATH).await.form(&["password"]);
    panel
        .submit(PATH, &form.clone().set("password", "wrong"))
        .await
        .expect(422);
    let page = panel.submit_and_follow(PATH, &form.set("password", PASSWORD)).await;
    assert!(page.html().contains("<svg class=\"qr\""), "{}", page.html());
    let app = Authenticator::new(&copied(&page.html(), 0));
    let form = page.form(&["code"]);
    panel.submit(PATH, &form.clone().set("code", "12345")).await.expect(422);
    let step = Authenticator::step();
    let answer = panel.submit(PATH, &form.set("code", &app.code(step))).await.expect(200);
    let codes = copied(&answer.text(), 0);
    let codes: Vec<String> = codes.lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    (app, step, codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_besides_the_password_and_is_good_once() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let panel = dhow.panel().await;
    let (app, step, codes) = turn_on(&panel).await;

    // The code that turned it on is used up; the next one signs in, under a new id, and once.
    let visitor = first_step(&dhow).await;
    let pending = visitor.cookies();
    second_step(&visitor, &app.code(step)).await.expect(422);
    let next = app.code(step + 1);
    second_step(&visitor, &next).await.expect(303);
    visitor.get("/account").await.expect(200);
    assert_ne!(visitor.cookies()[COOKIE], pending[COOKIE]);
    let other = first_step(&dhow).await;
    second_step(&other, &next).await.expect(422);
    other.remember(pending);
    other.get("/login/code").await.expect(303);

    // A recovery code, typed carelessly, signs in once.
    let other = first_step(&dhow).await;
    let careless = codes[0].to_uppercase().replace('-', " ");
    second_step(&other, &careless).await.expect(303);
    let page = other.page("/account").await;
    page.expect_words("on, 9 recovery codes left");
    let other = first_step(&dhow).await;
    second_step(&other, &codes[0]).await.expect(422);

    // Nothing of the secret or the codes can be read from the data directory.
    for file in dhow.files() {
        let bytes = std::fs::read(&file).unwrap();
        let secret = codes[1].as_bytes();
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret),
            "{}",
            file.display()
        );
    }

    // Off again takes both, the password and a code.
    let form = panel.page(PATH).await.form(&["password", "code"]);
    let wrong = form.clone().set("password", "wrong").set("code", &codes[1]);
    panel.submit(PATH, &wrong).await.expect(422);
    let good = form.set("password", PASSWORD).set("code", &codes[1]);
    panel
        .submit_and_follow(PATH, &good)
        .await
        .expect_words("Two-factor sign-in is off.");
    dhow.panel().await.get("/account").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_is_limited_and_the_machines_owner_lets_somebody_in_again() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let panel = dhow.panel().await;
    let (_, _, codes) = turn_on(&panel).await;
    let visitor = first_step(&dhow).await;
    // One of five was spent when it was turned on.
    for _ in 0..4 {
        second_step(&visitor, "000000x").await.expect(422);
    }
    let answer = second_step(&visitor, &codes[0]).await.expect(429);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=301).contains(&seconds), "{seconds}");

    let reset = dhow.verb(&["user", "reset-password", OWNER, "--password-stdin"], PASSWORD);
    assert_eq!(reset.await.code, 0);
    panel.get("/account").await.expect(303);
    dhow.panel()
        .await
        .page("/account")
        .await
        .expect_words("off: the password alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_is_kept_by_a_browser() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    dhow.token("deploy").await;
    dhow.panel().await;
    for (name, dark, width) in [("light", false, 1280), ("dark-phone", true, 500)] {
        let visitor = Visitor {
            dark,
            width,
            ..Visitor::default()
        };
        let browser = Browser::open_as(visitor).await;
        browser.sign_in(&dhow).await;
        browser.goto(&format!("{}/account", dhow.url())).await;
        browser.look(&format!("account-{name}")).await;
        browser.goto(&format!("{}{PATH}", dhow.url())).await;
        if !dark {
            browser.fill("password", PASSWORD).await;
            browser.click("Go on").await;
        }
        browser.see("Scan this", crate::harness::browser::SHOWN_WITHIN).await;
        browser.look(&format!("two-factor-{name}")).await;
        browser.finish().await;
    }

    let panel = dhow.panel().await;
    let page: Page = panel.page(PATH).await;
    let app = Authenticator::new(&copied(&page.html(), 0));
    let step = Authenticator::step();
    let form = page.form(&["code"]).set("code", &app.code(step));
    panel.submit(PATH, &form).await.expect(200);
    let browser = Browser::open().await;
    browser.goto(&format!("{}/login", dhow.url())).await;
    browser.fill("email", OWNER).await;
    browser.fill("password", PASSWORD).await;
    browser.click("Sign in").await;
    browser.see("Enter a code", crate::harness::browser::SHOWN_WITHIN).await;
    browser.look("second-step").await;
    browser.fill("code", &app.code(step + 1)).await;
    browser.click("Sign in").await;
    browser
        .at("the dashboard", |url| url == format!("{}/", dhow.url()))
        .await;
    browser.goto(&format!("{}{PATH}", dhow.url())).await;
    browser.look("two-factor-on").await;
    browser.finish().await;
}
