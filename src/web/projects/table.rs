//! Apps as rows of a table: name, status, what is live since when, address. The dashboard and a project's page show
//! the same one.

use crate::config::Config;
use crate::db::{self, Page};
use crate::model::app::App;
use crate::model::deployment::{Deployment, Status};
use crate::model::domain::Domain;
use crate::model::ids::ProjectId;
use crate::model::release::Release;
use crate::web::apps::head::{Address, Live, addresses, find_live};
use crate::web::status::StatusWord;

/// What the database knows of an app, as far as a row tells it.
pub struct AppFacts {
    /// The app.
    pub app: App,
    domains: Vec<Domain>,
    live: Option<(Deployment, Release)>,
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
            live: find_live(c, app.id)?,
            failed: newest.filter(|deployment| deployment.status == Status::Failed),
            app,
        })
    }
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
    pub live: Option<Live>,
    /// Where.
    pub address: Option<Address>,
}

impl AppRow {
    /// The row of an app.
    pub fn of(facts: &AppFacts, config: &Config) -> Self {
        let app = &facts.app;
        Self {
            slug: app.slug.to_string(),
            name: app.settings.name.to_string(),
            status: StatusWord::from(app.status),
            live: facts.live.as_ref().map(Live::of),
            address: addresses(config, app, &facts.domains).into_iter().next(),
        }
    }
}
