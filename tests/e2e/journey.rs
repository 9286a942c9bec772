//! The way from the sign-in to a deployment, by clicking only what a newcomer finds on the pages.

use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::gate::Gate;
use crate::harness::repository::Repository;
use crate::harness::words;

/// What the build says before and after the gate; the numbers stand only in what it prints, not in its command.
pub const EARLY: &str = "early 21";
pub const LATE: &str = "late 42";

/// An app whose build says something, waits at the gate `build`, and says something else.
pub fn write_talking_app(repository: &Repository, gate: &Gate, page: &str) {
    let step = format!(
        "RUN echo \"early $((20 + 1))\"; {}; echo \"late $((41 + 1))\"",
        gate.command("build")
    );
    repository.write_app(page, &step);
}

/// Becomes the owner by the claim link.
pub async fn claim(browser: &Browser, dhow: &Dhow, link: &str) {
    browser.goto(link).await;
    browser.look("claim").await;
    browser.fill("email", OWNER).await;
    browser.fill("password", PASSWORD).await;
    browser.click(words::CLAIM).await;
    browser
        .at("the dashboard", |url| url == format!("{}/", dhow.url()))
        .await;
}

/// From the dashboard to the page of a new project.
pub async fn create_project(browser: &Browser, name: &str) {
    browser.look("dashboard-empty").await;
    browser.click(words::NEW_PROJECT).await;
    browser.fill("name", name).await;
    browser.click(words::CREATE_PROJECT).await;
    browser
        .at("the project's page", |url| {
            url.contains("/projects/") && !url.ends_with("/new")
        })
        .await;
    browser.see(name, SHOWN_WITHIN).await;
    browser.look("project-empty").await;
}

/// From a project's page to the page of a new app.
pub async fn create_app(browser: &Browser, name: &str, repository: &Repository) {
    browser.click(words::NEW_APP).await;
    browser.look("app-new").await;
    browser.fill("name", name).await;
    browser.fill("url", &repository.url).await;
    browser.fill("branch", "main").await;
    browser.fill("port", "3000").await;
    browser.click(words::CREATE_APP).await;
    browser
        .at("the app's page", |url| url.ends_with(&format!("/apps/{name}")))
        .await;
    browser.look("app-new-made").await;
}

/// From an app's page to the page of its first deployment.
pub async fn deploy(browser: &Browser, app: &str) {
    browser.click(words::DEPLOY).await;
    browser
        .at("the deployment's page", |url| {
            url.ends_with(&format!("/apps/{app}/deployments/1"))
        })
        .await;
}
