//! Guessing: only so many wrong passwords an account and an address, and nothing tells whether an account exists.

use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::form::Form;
use crate::harness::http::Answer;
use crate::harness::panel::Panel;

const MEMBER: &str = "member@example.com";

/// Seconds to wait, of an answer that refuses by a limit.
#[track_caller]
fn wait(answer: Answer) -> u64 {
    let answer = answer.expect(429);
    assert!(answer.text().contains("Too much was tried"), "in plain words: {answer}");
    answer.header("retry-after").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_by_account_and_by_address_and_tells_nothing() {
    let dhow = Dhow::start().await;
    dhow.add_owner().await;
    let member = dhow.verb(&["user", "add", MEMBER, "--password-stdin"], PASSWORD);
    assert_eq!(member.await.code, 0);
    let guesser = Panel::stranger(&dhow.url());
    let login: Form = guesser.page("/login").await.form(&["email", "password"]);
    let guess = |email: &str, password: &str| login.clone().set("email", email).set("password", password);

    // Signing in is not limited, only failing to.
    for _ in 0..35 {
        dhow.panel().await;
    }

    let unknown = "nobody@example.com";
    let mut answers = Vec::new();
    for email in [OWNER, unknown] {
        for _ in 0..10 {
            let answer = guesser.submit("/login", &guess(email, "wrong")).await.expect(422);
            answers.push(answer.text().replace(email, "SOMEBODY"));
        }
        let seconds = wait(guesser.submit("/login", &guess(email, "wrong")).await);
        assert!((1..=61).contains(&seconds), "{email}: {seconds}");
    }
    answers.dedup();
    assert_eq!(
        answers.len(),
        1,
        "an account that exists is answered as one that does not"
    );

    // The right password does not help now, nor an address that a header claims; others sign in.
    let right = guess(OWNER, PASSWORD);
    wait(guesser.submit("/login", &right).await);
    let elsewhere = [("x-forwarded-for", "192.0.2.7"), ("sec-fetch-site", "same-origin")];
    wait(guesser.submit_with("/login", &right, &elsewhere).await);
    Panel::sign_in(&dhow.url(), MEMBER, PASSWORD).await;

    // Twenty of the address's thirty are spent; wrong claim links count as well.
    let typed = [("content-type", "application/x-www-form-urlencoded")];
    let claim = || guesser.send("POST", "/setup", &typed, "token=wrong");
    for number in 0..5 {
        let email = format!("guess{number}@example.com");
        guesser.submit("/login", &guess(&email, "wrong")).await.expect(422);
        claim().await.expect(403);
    }
    wait(claim().await);
    let seconds = wait(guesser.submit("/login", &guess(MEMBER, PASSWORD)).await);
    assert!(seconds <= 11, "{seconds}");
}
