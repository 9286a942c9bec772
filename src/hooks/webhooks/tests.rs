use super::*;
use crate::model::delivery::Push;
use crate::model::ids::AppId;
use crate::model::source::CommitSha;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn told(pairs: &[(&'static str, &str)], fixture: &str) -> (Envelope, Push) {
    let path = format!("{}/tests/fixtures/webhooks/{fixture}", env!("CARGO_MANIFEST_DIR"));
    let body = std::fs::read_to_string(&path).unwrap();
    let body = body
        .replace("{before}", &"1".repeat(40))
        .replace("{after}", &"a".repeat(40));
    let (headers, hook) = (headers(pairs), Hook::new(AppId(1), "whsec_"));
    let envelope = Envelope::open(&headers);
    let event = match envelope.read(&headers, body.as_bytes(), &hook).event {
        Event::Pushes(pushes) => Event::Push(pushes[0].clone()),
        event => event,
    };
    let Event::Push(push) = event else {
        panic!("{fixture}: {event:?}")
    };
    (envelope, push)
}

#[test]
fn every_forge_tells_of_a_push_in_its_own_way() {
    type Case<'a> = (&'a [(&'static str, &'a str)], &'a str, Forge);
    let cases: [Case<'_>; 4] = [
        (
            &[
                ("x-github-event", "push"),
                ("x-github-delivery", "d1"),
                ("x-hub-signature-256", "sha256=ab"),
            ],
            "github-push.json",
            Forge::Github,
        ),
        (
            &[
                ("x-gitlab-event", "Push Hook"),
                ("idempotency-key", "d1"),
                ("x-gitlab-token", "ab"),
            ],
            "gitlab-push.json",
            Forge::Gitlab,
        ),
        (
            &[
                ("x-gitea-event", "push"),
                ("x-gitea-delivery", "d1"),
                ("x-gitea-signature", "ab"),
                ("x-github-event", "push"),
            ],
            "gitea-push.json",
            Forge::Gitea,
        ),
        (
            &[
                ("x-event-key", "repo:push"),
                ("x-request-uuid", "d1"),
                ("x-hub-signature", "sha256=ab"),
            ],
            "bitbucket-push.json",
            Forge::Bitbucket,
        ),
    ];
    for (pairs, fixture, forge) in cases {
        let (envelope, push) = told(pairs, fixture);
        assert_eq!(
            (envelope.forge, envelope.forge_id.as_deref()),
            (Some(forge), Some("d1")),
            "{fixture}"
        );
        assert!(matches!(envelope.proof, Proof::Hmac(_) | Proof::Token(_)), "{fixture}");
        assert_eq!(push.git_ref, "refs/heads/main", "{fixture}");
        assert_eq!(push.before, CommitSha::parse(&"1".repeat(40)).ok(), "{fixture}");
        assert_eq!(push.after, CommitSha::parse(&"a".repeat(40)).ok(), "{fixture}");
        assert_eq!(
            (push.message.as_str(), push.author.as_str()),
            ("Serve a new page", "Ada"),
            "{fixture}"
        );
        assert_eq!(push.skip_marker, None, "{fixture}");
    }
}

/// Case wh-no-secret-no-deploy: what proves nothing.
#[test]
fn wh_no_secret_no_deploy_empty_and_unsafe_proofs_are_none() {
    for pairs in [
        &[][..],
        &[("x-github-event", "push")],
        &[("x-github-event", "push"), ("x-hub-signature", "sha1=0123")],
        &[("x-github-event", "push"), ("x-hub-signature-256", "sha256=")],
        &[("x-github-event", "push"), ("x-hub-signature-256", "sha1=0123")],
        &[("x-gitlab-event", "Push Hook"), ("x-gitlab-token", "")],
        &[("x-gitlab-event", "Push Hook"), ("webhook-signature", "v1,AAAA")],
        &[("x-gitea-event", "push"), ("x-gitea-signature", "")],
        &[("x-event-key", "repo:push"), ("x-hub-signature", "sha1=0123")],
    ] {
        assert_eq!(Envelope::open(&headers(pairs)).proof, Proof::None, "{pairs:?}");
    }
}

#[test]
fn names_that_no_branch_can_have_are_not_kept() {
    let named = |git_ref: &str, default_branch: Option<&str>| Push {
        git_ref: git_ref.to_owned(),
        default_branch: default_branch.map(str::to_owned),
        ..Push::default()
    };
    let long = format!("refs/heads/{}", "a".repeat(255));
    assert!(payload::checked(named("refs/heads/main", Some("main"))).is_ok());
    assert!(payload::checked(named("refs/heads/feature/ä", None)).is_ok());
    for push in [
        named(&long, None),
        named("refs/heads/a\nb", None),
        named("refs/heads/main", Some(&long)),
    ] {
        assert!(payload::checked(push).unwrap_err().contains("no branch"));
    }
}

#[test]
fn a_payload_is_masked_capped_and_read_from_a_form() {
    let form = headers(&[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
    let payload = payload::parse(&form, b"x=1&payload=%7B%22zen%22%3A%22a+b%22%7D").unwrap();
    assert_eq!(payload, json!({ "zen": "a b" }));
    assert!(payload::parse(&form, b"zen=1").unwrap_err().contains("no field"));
    assert!(payload::parse(&headers(&[]), b"{").unwrap_err().contains("no JSON"));
    let masked = payload::masked(json!({
        "hook": { "config": { "secret": "s3cr3t", "token_id": 5 } },
        "url": "see https://ada:pass@git.example.com/a and https://git.example.com/@b",
        "list": [{ "access_token": "t" }],
    }));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&masked).unwrap(),
        json!({
            "hook": { "config": { "secret": "***", "token_id": "***" } },
            "url": "see https://***@git.example.com/a and https://git.example.com/@b",
            "list": [{ "access_token": "***" }],
        })
    );
    assert_eq!(payload::capped("ä".repeat(40_000)).len(), 64 << 10);
}
