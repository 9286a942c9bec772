//! The REST API as a script uses it.

use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Answer, Http, Stream};
use super::repository::Repository;
use super::sse::EventStream;
use super::wait::{eventually, seconds};

/// Time for a deployment of a small app on a busy machine.
pub const DEPLOYED_WITHIN: Duration = seconds(90);

/// A client with a token.
#[derive(Clone)]
pub struct Api {
    base: String,
    pub token: String,
    pub http: Http,
}

impl Api {
    pub fn new(panel: &str, token: &str) -> Self {
        Self {
            base: format!("{panel}/api/v1"),
            token: token.to_owned(),
            http: Http::new(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// A call with a body of any kind.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let authorization = self.authorization();
        let headers = [&[("authorization", authorization.as_str())], headers].concat();
        self.http.send(method, &self.url(path), &headers, body.to_owned()).await
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], &body.to_string())
            .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// The JSON of a GET that must succeed.
    pub async fn read(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, &body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call("PUT", path, &body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", path, &body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    /// Opens a stream, with further headers.
    pub async fn open(&self, path: &str, headers: &[(&str, &str)]) -> Stream {
        let authorization = self.authorization();
        let headers = [&[("authorization", authorization.as_str())], headers].concat();
        self.http.open(&self.url(path), &headers).await
    }

    /// Opens an event stream, resumed after `last` where there was one.
    pub async fn events(&self, path: &str, last: Option<&str>) -> EventStream {
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(last.map(|id| ("last-event-id", id)));
        EventStream::new(self.open(path, &headers).await)
    }

    /// Makes a project; answers its slug.
    pub async fn create_project(&self, name: &str) -> String {
        let project = self.post("/projects", json!({ "name": name })).await.expect(201).json();
        project["slug"].as_str().expect("a project has a slug").to_owned()
    }

    /// Makes an app of a repository with a Dockerfile that listens on port 3000; answers its slug.
    pub async fn create_app(&self, project: &str, name: &str, repository: &Repository) -> String {
        self.create_app_with(project, name, repository, json!({})).await
    }

    /// As `create_app`, with further fields.
    pub async fn create_app_with(&self, project: &str, name: &str, repository: &Repository, more: Value) -> String {
        let mut body = json!({
            "name": name,
            "source": { "kind": "git", "url": repository.url, "branch": "main" },
            "build": { "builder": "dockerfile" },
            "port": 3000,
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let app = self
            .post(&format!("/projects/{project}/apps"), body)
            .await
            .expect(201)
            .json();
        app["slug"].as_str().expect("an app has a slug").to_owned()
    }

    /// Asks for a deployment of the branch's head; answers its id.
    pub async fn deploy(&self, app: &str) -> i64 {
        let answer = self
            .post(&format!("/apps/{app}/deployments"), json!({}))
            .await
            .expect(202);
        let deployment = answer.json();
        let id = deployment["id"].as_i64().expect("a deployment has an id");
        assert_eq!(
            answer.header("location"),
            format!("/api/v1/deployments/{id}"),
            "the answer says where to look"
        );
        id
    }

    pub async fn deployment(&self, id: i64) -> Value {
        self.read(&format!("/deployments/{id}")).await
    }

    pub async fn log(&self, id: i64) -> String {
        self.get(&format!("/deployments/{id}/log")).await.expect(200).text()
    }

    /// Waits until a deployment is where the test wants it; fails at once when it has ended elsewhere.
    pub async fn until(&self, id: i64, expectation: &str, reached: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("deployment {id} {expectation}"), DEPLOYED_WITHIN, || async {
            let deployment = self.deployment(id).await;
            if reached(&deployment) {
                return Ok(deployment);
            }
            if has_ended(&deployment) {
                panic!(
                    "deployment {id} ended before it {expectation}: {deployment:#}\n{}",
                    self.log(id).await
                );
            }
            Err(format!("{deployment:#}"))
        })
        .await
    }

    /// Waits for the end, whichever it is.
    pub async fn ended(&self, id: i64) -> Value {
        self.until(id, "ends", has_ended).await
    }

    /// Waits for a good end.
    pub async fn succeeded(&self, id: i64) -> Value {
        self.until(id, "succeeds", |deployment| deployment["status"] == "succeeded")
            .await
    }

    /// Waits for a failure and checks its kind.
    pub async fn failed(&self, id: i64, kind: &str) -> Value {
        let deployment = self
            .until(id, "fails", |deployment| deployment["status"] == "failed")
            .await;
        assert_eq!(deployment["error"]["kind"], kind, "the kind of failure: {deployment:#}");
        deployment
    }

    /// Waits until a deployment is at a step.
    pub async fn at_step(&self, id: i64, step: &str) -> Value {
        self.until(id, &format!("is at {step}"), |deployment| deployment["step"] == step)
            .await
    }

    /// A project with one app that is live: where most stories begin. Answers the app's slug.
    pub async fn live_app(&self, project: &str, app: &str, repository: &Repository) -> String {
        let project = self.create_project(project).await;
        let app = self.create_app(&project, app, repository).await;
        let deployment = self.deploy(&app).await;
        self.succeeded(deployment).await;
        app
    }
}

fn has_ended(deployment: &Value) -> bool {
    !matches!(deployment["status"].as_str(), Some("queued" | "running"))
}
