//! Apps that run a ready image: from an open registry and from one with a password, by tag and by digest; what a
//! deployment asks the registry and what a rollback does not; whose images are removed in the end.

mod names;
mod pages;
mod passwords;
mod pulls;
mod removal;

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::docker;

/// Makes an app of an image; answers its slug.
async fn create(api: &Api, project: &str, name: &str, image: &str) -> String {
    let body = json!({ "name": name, "source": { "kind": "image", "image": image }, "port": 3000 });
    let app = api
        .post(&format!("/projects/{project}/apps"), body)
        .await
        .expect(201)
        .json();
    assert_eq!(app["source"]["image"], image, "{app:#}");
    app["slug"].as_str().unwrap().to_owned()
}

/// Makes it live; answers the deployment.
async fn deploy(api: &Api, app: &str) -> Value {
    let id = api.deploy(app).await;
    api.succeeded(id).await
}

/// The text that an app serves.
async fn page(dhow: &Dhow, app: &str) -> String {
    dhow.visit(&format!("{app}.localhost"), "/").await.expect(200).text()
}

/// The names that an instance has given to images on the engine.
fn names(dhow: &Dhow) -> Vec<String> {
    let own = format!("--filter=reference={}/*", dhow.instance);
    let listed = docker(&["images", "--format={{.Repository}}:{{.Tag}}", &own]);
    let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
    names.sort();
    names
}

/// Whether the engine has anything under a registry's name.
fn has_any(registry: &str) -> bool {
    let images = docker(&["images", "--all", "--digests", "--format={{.Repository}}"]);
    images.lines().any(|repository| repository.starts_with(registry))
}
