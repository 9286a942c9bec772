//! Apps as rows of a table: name, status, what is live since when, address. The dashboard and a project's page show
//! the same one.

use crate::config::Config;
use crate::db::{self, Page};
use crate::model::app::App;
use crate::model::deployment::{CommitInfo, Deployment, Status};
use crate::model::domain::Domain;
use crate::model::ids::ProjectId;
use crate::model::release::Release;
use crate::model::route::addresses;
use crate::model::time::Timestamp;
use crate::web::moment::Moment;
use crate::web::status::StatusWord;

/// What the database knows of an app, as far as a row tells it.
pub struct AppFacts {
    /// The app.
    pub app: App,
    domains: Vec<Domain>,
    live: Option<(Release, Timestamp)>,
    /// Its newest deployment, if that failed.
    pub failed: Option<Deployment>,
}

impl AppFacts {
    /// The apps of a project, newest first.
    pub fn of_project(c: &db::Tx, project: ProjectId) -> db::Result<Vec<Self>> {
        let apps = db::apps::list_of_project(c, project, Page::first(Page::MAX_LIMIT))?;
        apps.into_iter().map(|app| Self::of(c, app)).collect()
    }

    fn of(c: &db::Tx, app: App) -> db::Result<Self> {
        let newest = db::deployments::list_of_app(c, app.id, Page::first(1))?.pop();
        Ok(Self {
            domains: db::domains::list_of_app(c, app.id)?,
            live: find_live(c, &app)?,
            failed: newest.filter(|deployment| deployment.status == Status::Failed),
            app,
        })
    }
}

/// The release that serves, and since when.
fn find_live(c: &db::Tx, app: &App) -> db::Result<Option<(Release, Timestamp)>> {
    let Some((release, deployment)) = db::apps::find_active(c, app.id)? else {
        return Ok(None);
    };
    let release = db::releases::find(c, release)?;
    let deployment = db::deployments::find(c, deployment)?;
    Ok(release.map(|release| {
        let since = deployment.and_then(|deployment| deployment.finished_at.or(deployment.started_at));
        let made_at = release.created_at;
        (release, since.unwrap_or(made_at))
    }))
}

/// A row.
#[derive(Debug)]
pub struct AppRow {
    /// For its link.
    pub slug: String,
    /// For people.
    pub name: String,
    /// Its condition.
    pub status: StatusWord,
    /// What serves.
    pub live: Option<LiveCell>,
    /// Where.
    pub address: Option<AddressCell>,
}

/// What serves.
#[derive(Debug)]
pub struct LiveCell {
    /// Number of the release.
    pub release: i64,
    /// What it was built from.
    pub commit: Option<CommitCell>,
    /// Since when.
    pub since: Moment,
}

/// A commit in a few words.
#[derive(Debug, PartialEq, Eq)]
pub struct CommitCell {
    /// The beginning of its id.
    pub short: String,
    /// The first line of its message.
    pub subject: String,
}

impl CommitCell {
    /// Digits of a commit's id that tell it apart for people.
    const SHORT_DIGITS: usize = 7;

    /// In a few words.
    pub fn of(commit: &CommitInfo) -> Self {
        Self {
            short: commit.sha.chars().take(Self::SHORT_DIGITS).collect(),
            subject: commit.message.clone(),
        }
    }
}

/// Where an app is reached.
#[derive(Debug, PartialEq, Eq)]
pub struct AddressCell {
    /// For a link.
    pub href: String,
    /// For people.
    pub text: String,
}

impl AddressCell {
    fn of(href: String) -> Self {
        let text = href.split_once("://").map_or(href.as_str(), |(_, rest)| rest);
        Self {
            text: text.trim_end_matches('/').to_owned(),
            href,
        }
    }
}

impl AppRow {
    /// The row of an app.
    pub fn of(facts: &AppFacts, config: &Config) -> Self {
        let app = &facts.app;
        let ports = (config.http_port, config.https_port);
        let addresses = addresses(&app.slug, &facts.domains, &config.base_domain, config.has_acme(), ports);
        Self {
            slug: app.slug.to_string(),
            name: app.settings.name.to_string(),
            status: StatusWord::from(app.status),
            live: facts.live.as_ref().map(|(release, since)| LiveCell {
                release: release.number,
                commit: release.commit.as_ref().map(CommitCell::of),
                since: Moment::of(*since),
            }),
            address: addresses.into_iter().next().map(AddressCell::of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_scheme() {
        let cell = AddressCell::of("http://web.localhost:8080/".to_owned());
        assert_eq!(
            (cell.href.as_str(), cell.text.as_str()),
            ("http://web.localhost:8080/", "web.localhost:8080")
        );
        assert_eq!(
            AddressCell::of("https://example.org/shop".to_owned()).text,
            "example.org/shop"
        );
    }
}
