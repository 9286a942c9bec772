//! `git push` to Dhow itself, by git's own command.

use serde_json::json;
use tokio::task::JoinHandle;

use super::api::Api;
use super::process::{Outcome, run};
use super::repository::{Repository, git};

/// Pushes the working copy's head to an app's branch at a panel, with a token as password, and stays until its deployment
/// has ended.
pub async fn push(panel: &str, repository: &Repository, app: &str, token: &str, branch: &str) -> Outcome {
    begin_push(panel, repository, app, token, branch).await.unwrap()
}

/// The same, beside what the test goes on with.
pub fn begin_push(panel: &str, repository: &Repository, app: &str, token: &str, branch: &str) -> JoinHandle<Outcome> {
    begin(panel, repository, app, token, &format!("HEAD:{branch}"))
}

/// Deletes a branch of an app.
pub async fn delete_branch(panel: &str, repository: &Repository, app: &str, token: &str, branch: &str) -> Outcome {
    begin(panel, repository, app, token, &format!(":{branch}"))
        .await
        .unwrap()
}

fn begin(panel: &str, repository: &Repository, app: &str, token: &str, refspec: &str) -> JoinHandle<Outcome> {
    let url = panel.replace("http://", &format!("http://any:{token}@"));
    let mut command = git(
        repository.directory(),
        &["push", &format!("{url}/git/{app}.git"), refspec],
    );
    command.current_dir(repository.directory());
    tokio::spawn(run(command, ""))
}

/// Makes a project and a push app in it, both of this name.
pub async fn create_push_app(api: &Api, name: &str) {
    let project = api.create_project(name).await;
    let body =
        json!({ "name": name, "source": { "kind": "push" }, "build": { "builder": "dockerfile" }, "port": 3000 });
    api.post(&format!("/projects/{project}/apps"), body).await.expect(201);
}
