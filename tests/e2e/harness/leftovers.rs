//! Nothing is left over: what an instance has on the engine and on disk is what its API tells, and no more.

use std::collections::BTreeSet;

use serde_json::Value;

use super::api::Api;
use super::dhow::Dhow;
use super::docker::{docker, try_docker};
use super::wait::{eventually, seconds};

/// Time for what an end has still to clear away: an old version is given its stop timeout.
const CLEARED_WITHIN: std::time::Duration = seconds(30);

/// Waits until every deployment has ended and no container, network, image, route file or checkout is there but those of
/// live releases; fails with what is too much or missing.
pub async fn assert_nothing_left_over(dhow: &Dhow, api: &Api) {
    eventually(
        "nothing is left over and nothing is missing",
        CLEARED_WITHIN,
        || async {
            let known = Known::read(api).await;
            let found = [
                known.unfinished.clone(),
                known.wrong_containers(dhow),
                known.wrong_networks(dhow),
                known.wrong_images(dhow),
                known.wrong_files(dhow),
            ]
            .concat();
            if found.is_empty() {
                Ok(())
            } else {
                Err(found.join("\n"))
            }
        },
    )
    .await;
}

/// What the API tells.
#[derive(Default)]
struct Known {
    projects: BTreeSet<String>,
    apps: usize,
    /// Live apps with project and release.
    live: Vec<(String, String, String)>,
    /// Ids of deployments that succeeded: only their images may be kept.
    succeeded: BTreeSet<String>,
    unfinished: Vec<String>,
}

impl Known {
    async fn read(api: &Api) -> Self {
        let mut known = Self::default();
        for project in items(api, "/projects").await {
            let project = text(&project["slug"]);
            for app in items(api, &format!("/projects/{project}/apps")).await {
                known.note_app(api, &project, &app).await;
            }
            known.projects.insert(project);
        }
        known
    }

    async fn note_app(&mut self, api: &Api, project: &str, app: &Value) {
        let slug = text(&app["slug"]);
        self.apps += 1;
        if !app["active_release"].is_null() {
            let release = app["active_release"].to_string();
            self.live.push((project.to_owned(), slug.clone(), release));
        }
        for deployment in items(api, &format!("/apps/{slug}/deployments")).await {
            let (id, status) = (deployment["id"].to_string(), text(&deployment["status"]));
            match status.as_str() {
                "succeeded" => drop(self.succeeded.insert(id)),
                "queued" | "running" => self.unfinished.push(format!("deployment {id} of {slug} is {status}")),
                _ => {}
            }
        }
    }

    fn wrong_containers(&self, dhow: &Dhow) -> Vec<String> {
        let format = "{{.Label \"dhow.kind\"}} {{.Label \"dhow.app\"}} {{.Label \"dhow.release\"}} {{.State}}";
        let found = list(dhow, &["ps", "--all", "--format", format]);
        let live = self
            .live
            .iter()
            .map(|(_, app, release)| format!("app {app} {release} running"));
        differences("container", &found, live.chain(["proxy   running".to_owned()]))
    }

    /// A project keeps the network of an app that never became live.
    fn wrong_networks(&self, dhow: &Dhow) -> Vec<String> {
        let found = list(
            dhow,
            &["network", "ls", "--format", "of project '{{.Label \"dhow.project\"}}'"],
        );
        let of = |project: &String| format!("of project '{project}'");
        let live: BTreeSet<String> = self.live.iter().map(|(project, ..)| of(project)).collect();
        let allowed: BTreeSet<String> = self
            .projects
            .iter()
            .map(of)
            .filter(|name| found.contains(name))
            .collect();
        let wanted = live.union(&allowed).cloned();
        differences("network", &found, wanted.chain(["of project ''".to_owned()]))
    }

    fn wrong_images(&self, dhow: &Dhow) -> Vec<String> {
        let label = "{{index .Config.Labels \"dhow.deployment\"}}";
        let ids = list(dhow, &["images", "--quiet", "--no-trunc"]);
        // One that is gone by now is not left over.
        let of = |id: &String| try_docker(&["image", "inspect", "--format", label, id]).ok();
        let strays = ids
            .iter()
            .filter_map(of)
            .filter(|deployment| !self.succeeded.contains(deployment));
        strays
            .map(|deployment| format!("an image of deployment {deployment}"))
            .collect()
    }

    fn wrong_files(&self, dhow: &Dhow) -> Vec<String> {
        let routes = self.live.iter().map(|(_, app, _)| format!("app-{app}.yml"));
        let mut wrong = differences(
            "route file",
            &entries(dhow, "traefik/dynamic"),
            routes.chain(["dhow.yml".to_owned()]),
        );
        wrong.extend(differences("file", &entries(dhow, "traefik/unfinished"), []));
        let repositories = entries(dhow, "repos");
        if repositories.len() > self.apps {
            wrong.push(format!(
                "files of {} apps, but only {} exist",
                repositories.len(),
                self.apps
            ));
        }
        for app in repositories {
            let checkouts = entries(dhow, &format!("repos/{app}"));
            wrong.extend(checkouts.into_iter().filter(|name| name.starts_with("checkout")));
        }
        wrong
    }
}

/// Everything that a list of the API holds, in one page.
async fn items(api: &Api, path: &str) -> Vec<Value> {
    let list = api.read(&format!("{path}?limit=200")).await;
    assert!(list["next"].is_null(), "{path} has more than one page");
    list["items"].as_array().unwrap().clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The lines that a list of the engine prints about an instance's objects.
fn list(dhow: &Dhow, arguments: &[&str]) -> Vec<String> {
    let filter = format!("--filter=label=dhow.instance={}", dhow.instance);
    let lines = docker(&[arguments, &[filter.as_str()]].concat());
    lines.lines().map(str::to_owned).collect()
}

fn entries(dhow: &Dhow, directory: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dhow.data_file(directory)) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// What is found and not wanted, and the reverse; one that is there twice is once too much.
fn differences(kind: &str, found: &[String], wanted: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut surplus = found.to_vec();
    let mut wrong = Vec::new();
    for wanted in wanted {
        match surplus.iter().position(|found| *found == wanted) {
            Some(at) => drop(surplus.swap_remove(at)),
            None => wrong.push(format!("missing {kind}: {wanted}")),
        }
    }
    wrong.extend(surplus.into_iter().map(|surplus| format!("left {kind}: {surplus}")));
    wrong
}
