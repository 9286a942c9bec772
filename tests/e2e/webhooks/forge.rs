//! A forge as far as Dhow sees it: payloads with its headers and a real signature.

use std::time::{Duration, Instant};

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::api::Api;
use crate::harness::http::{Answer, Http};

pub const NONE: &str = "0000000000000000000000000000000000000000";
/// A commit that no repository has.
pub const SOME: &str = "1111111111111111111111111111111111111111";

/// An app's webhook, as its owner entered it at the forge.
#[derive(Clone)]
pub struct Webhook {
    pub url: String,
    pub secret: String,
    pub http: Http,
}

/// A push as GitHub tells of it.
#[derive(Clone)]
pub struct Push<'a> {
    pub git_ref: &'a str,
    pub before: &'a str,
    pub after: &'a str,
    pub forced: bool,
    pub messages: &'a [&'a str],
}

impl Default for Push<'_> {
    fn default() -> Self {
        Self {
            git_ref: "refs/heads/main",
            before: SOME,
            after: SOME,
            forced: false,
            messages: &["Serve a new page"],
        }
    }
}

impl Push<'_> {
    pub fn payload(&self) -> String {
        let author = json!({ "name": "Ada", "email": "ada@example.com" });
        let commit = |message: &&str| json!({ "id": self.after, "message": message, "author": author });
        let commits: Vec<Value> = self.messages.iter().map(commit).collect();
        json!({
            "ref": self.git_ref,
            "before": self.before,
            "after": self.after,
            "deleted": self.after == NONE,
            "forced": self.forced,
            "head_commit": commits.last(),
            "commits": commits,
            "repository": { "full_name": "acme/web", "default_branch": "main" },
        })
        .to_string()
    }
}

/// HMAC-SHA-256 in hexadecimal digits.
pub fn digits(secret: &[u8], body: &str) -> String {
    let tag = tag(secret, body);
    tag.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn tag(secret: &[u8], body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// An id as forges make them.
pub fn delivery_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file of `tests/fixtures/webhooks`, about these commits.
pub fn fixture(name: &str, before: &str, after: &str) -> String {
    let path = format!("{}/tests/fixtures/webhooks/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.replace("{before}", before).replace("{after}", after)
}

impl Webhook {
    pub async fn of(api: &Api, app: &str) -> Self {
        let webhook = api.read(&format!("/apps/{app}/webhook")).await;
        Self {
            url: webhook["url"].as_str().unwrap().to_owned(),
            secret: webhook["secret"].as_str().unwrap().to_owned(),
            http: Http::new(),
        }
    }

    pub async fn send(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        self.http.send("POST", &self.url, headers, body.to_owned()).await
    }

    /// As GitHub sends it.
    pub async fn github(&self, event: &str, id: &str, body: &str) -> Answer {
        self.signed(event, id, body.to_owned()).send().await
    }

    /// A push as GitHub sends it, under a new id.
    pub async fn push(&self, push: &Push<'_>) -> Answer {
        self.signed_push(push).send().await
    }

    /// The same, ready to be sent.
    pub fn signed_push(&self, push: &Push<'_>) -> Signed {
        self.signed("push", &delivery_id(), push.payload())
    }

    fn signed(&self, event: &str, id: &str, body: String) -> Signed {
        Signed {
            signature: format!("sha256={}", digits(self.secret.as_bytes(), &body)),
            hook: self.clone(),
            event: event.to_owned(),
            id: id.to_owned(),
            body,
        }
    }
}

/// What GitHub is about to send.
pub struct Signed {
    hook: Webhook,
    event: String,
    id: String,
    body: String,
    signature: String,
}

impl Signed {
    async fn send(&self) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("x-github-event", &self.event),
            ("x-github-delivery", &self.id),
            ("x-hub-signature-256", &self.signature),
        ];
        self.hook.send(&headers, &self.body).await
    }

    /// Sends it; answers the time until the answer too.
    pub async fn send_timed(self) -> (Answer, Duration) {
        let began = Instant::now();
        let answer = self.send().await;
        (answer, began.elapsed())
    }
}

/// The id of the deployment that an answer names.
#[track_caller]
pub fn deployment(answer: Answer) -> i64 {
    let answer = answer.expect(202);
    answer.json()["deployment"]
        .as_i64()
        .unwrap_or_else(|| panic!("no deployment in {answer}"))
}

/// The reason that an answer names.
#[track_caller]
pub fn ignored(answer: Answer) -> String {
    let answer = answer.expect(200);
    let reason = answer.json()["ignored"].as_str().map(str::to_owned);
    reason.unwrap_or_else(|| panic!("no reason in {answer}"))
}

/// How many deployments an app has.
pub async fn count(api: &Api, app: &str) -> usize {
    api.read(&format!("/apps/{app}/deployments")).await["items"]
        .as_array()
        .unwrap()
        .len()
}

/// An app whose repository nobody serves: what is asked for fails soon.
pub async fn idle_app(api: &Api, project: &str, name: &str) -> Webhook {
    let source = json!({ "kind": "git", "url": "http://127.0.0.1:9/nothing.git", "branch": "main" });
    let app = json!({ "name": name, "source": source });
    api.post(&format!("/projects/{project}/apps"), app).await.expect(201);
    Webhook::of(api, name).await
}
