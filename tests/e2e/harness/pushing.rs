//! `git push` to Dhow itself, by git's own command.

use serde_json::json;

use super::api::Api;
use super::process::{Outcome, run};
use super::repository::{Repository, git};

/// Pushes the working copy's head to an app's branch at a panel, with a token as password.
pub async fn push(panel: &str, repository: &Repository, app: &str, token: &str, branch: &str) -> Outcome {
    let url = panel.replace("http://", &format!("http://any:{token}@"));
    let mut command = git(
        repository.directory(),
        &["push", &format!("{url}/git/{app}.git"), &format!("HEAD:{branch}")],
    );
    command.current_dir(repository.directory());
    run(command, "").await
}

/// Makes a project and a push app in it, both of this name.
pub async fn create_push_app(api: &Api, name: &str) {
    let project = api.create_project(name).await;
    let body =
        json!({ "name": name, "source": { "kind": "push" }, "build": { "builder": "dockerfile" }, "port": 3000 });
    api.post(&format!("/projects/{project}/apps"), body).await.expect(201);
}
