//! What stands at the top of every page of an app: its status, what is live, where it is, the next sensible action.

use super::condition::Condition;
use crate::actions::{Actions, Error};
use crate::config::Config;
use crate::db;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::deployment::Deployment;
use crate::model::domain::Domain;
use crate::model::ids::AppId;
use crate::model::release::Release;
use crate::model::route;
use crate::model::source::Source;
use crate::web::deployments::view::CommitView;
use crate::web::moment::Moment;
use crate::web::status::StatusWord;

/// Deployments that are looked at for one that has not ended; more than ever wait for one app.
const NEWEST: u32 = 10;

/// The parts of an app that have a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// The app itself.
    Overview,
    /// What was tried to make live.
    Deployments,
    /// Its environment.
    Variables,
    /// Its hosts.
    Domains,
    /// How a forge tells of pushes.
    Webhook,
    /// What its owner typed.
    Settings,
}

impl Tab {
    /// Every tab with its title and the end of its path, in order.
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Overview, "Overview", ""),
        (Self::Deployments, "Deployments", "/deployments"),
        (Self::Variables, "Variables", "/env"),
        (Self::Domains, "Domains", "/domains"),
        (Self::Webhook, "Webhook", "/webhook"),
        (Self::Settings, "Settings", "/settings"),
    ];
}

/// One tab as shown.
#[derive(Debug)]
pub struct TabLink {
    /// Its title.
    pub title: &'static str,
    /// Its address.
    pub href: String,
    /// Whether it is the page's own.
    pub is_current: bool,
}

/// The tabs of an app. No forge tells of a ready image.
pub fn tabs(app: &App, current: Tab) -> Vec<TabLink> {
    let slug = &app.slug;
    let is_image = matches!(app.settings.source, Source::Image { .. });
    let link = |(tab, title, path)| TabLink {
        title,
        href: format!("/apps/{slug}{path}"),
        is_current: tab == current,
    };
    let shown = Tab::ALL
        .into_iter()
        .filter(|(tab, ..)| !is_image || *tab != Tab::Webhook);
    shown.map(link).collect()
}

/// What serves.
#[derive(Debug)]
pub struct Live {
    /// Number of the release.
    pub release: i64,
    /// Number of the deployment whose instance runs it.
    pub deployment: i64,
    /// What it was built from.
    pub commit: Option<CommitView>,
    /// Since when.
    pub since: Moment,
}

/// Where an app is, or will be once something is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// For a link.
    pub href: String,
    /// For people.
    pub text: String,
}

/// The top of an app's page.
#[derive(Debug)]
pub struct AppHead {
    /// The app's slug.
    pub slug: String,
    /// The app's name.
    pub name: String,
    /// Its project's slug.
    pub project_slug: String,
    /// Its project's name.
    pub project_name: String,
    /// Its condition.
    pub status: StatusWord,
    /// What is wrong with its instance.
    pub condition: Option<Condition>,
    /// What serves.
    pub live: Option<Live>,
    /// Whether somebody stopped what was live.
    pub is_stopped: bool,
    /// Where it is.
    pub addresses: Vec<Address>,
    /// The deployment that is under way: its number.
    pub watch: Option<i64>,
    /// Whether a deployment can be asked for here: there is something to fetch, and the visitor may.
    pub can_deploy: bool,
    /// What the visitor may do.
    pub right: Right,
    /// The app's parts.
    pub tabs: Vec<TabLink>,
}

/// What the database knows for it.
struct Facts {
    project_name: String,
    domains: Vec<Domain>,
    live: Option<(Deployment, Release)>,
    newest: Vec<Deployment>,
}

impl AppHead {
    /// Reads it.
    pub async fn load(actions: &Actions, app: &App, right: Right, tab: Tab) -> Result<Self, Error> {
        let wanted = app.clone();
        let facts = actions.db.read(move |c| facts(c, &wanted)).await?;
        let unfinished = facts
            .newest
            .iter()
            .rev()
            .find(|deployment| !deployment.status.is_final());
        Ok(Self {
            slug: app.slug.to_string(),
            name: app.settings.name.to_string(),
            project_slug: app.project_slug.to_string(),
            project_name: facts.project_name,
            status: StatusWord::from(app.status),
            condition: Condition::of(app),
            live: facts.live.as_ref().map(Live::of),
            is_stopped: app.stopped_at.is_some() && facts.live.is_some(),
            addresses: addresses(&actions.config, app, &facts.domains),
            watch: unfinished.map(|deployment| deployment.number),
            can_deploy: right >= Right::Deploy
                && (!matches!(app.settings.source, Source::Push { .. }) || !facts.newest.is_empty()),
            right,
            tabs: tabs(app, tab),
        })
    }
}

impl AppHead {
    /// Whether the visitor may deploy, start and stop it.
    pub fn may_deploy(&self) -> bool {
        self.right >= Right::Deploy
    }

    /// Whether the visitor may change its settings, variables and domains.
    pub fn may_change(&self) -> bool {
        self.right >= Right::Change
    }

    /// Whether the visitor may delete it.
    pub fn may_delete(&self) -> bool {
        self.right >= Right::Administer
    }
}

fn facts(c: &db::Tx, app: &App) -> db::Result<Facts> {
    let project = db::projects::find(c, app.project_id)?;
    Ok(Facts {
        project_name: project.map_or_else(|| app.project_slug.to_string(), |project| project.name.to_string()),
        domains: db::domains::list_of_app(c, app.id)?,
        live: find_live(c, app.id)?,
        newest: db::deployments::list_of_app(c, app.id, db::Page::first(NEWEST))?,
    })
}

/// What serves an app: the deployment whose instance runs, and its release.
pub fn find_live(c: &db::Tx, app: AppId) -> db::Result<Option<(Deployment, Release)>> {
    match db::apps::find_active(c, app)? {
        Some((release, deployment)) => Ok(db::deployments::find(c, deployment)?.zip(db::releases::find(c, release)?)),
        None => Ok(None),
    }
}

impl Live {
    /// What serves, as shown.
    pub fn of((deployment, release): &(Deployment, Release)) -> Self {
        Self {
            release: release.number,
            deployment: deployment.number,
            commit: CommitView::of(release.commit.as_ref(), release.image.as_ref()),
            since: Moment::of(deployment.finished_at.unwrap_or(deployment.created_at)),
        }
    }
}

/// Where an app with these domains is served; a host that only redirects counts when there is no other.
pub fn addresses(config: &Config, app: &App, domains: &[Domain]) -> Vec<Address> {
    let ports = (config.http_port, config.https_port);
    let served: Vec<Domain> = domains
        .iter()
        .filter(|domain| domain.redirect_to.is_none())
        .cloned()
        .collect();
    let domains = if served.is_empty() { domains } else { &served };
    let addresses = route::addresses(&app.slug, domains, &config.base_domain, config.has_acme(), ports);
    addresses.iter().map(|address| Address::of(address)).collect()
}

impl Address {
    /// For an address as the proxy serves it.
    pub fn of(href: &str) -> Self {
        let text = href.split_once("://").map_or(href, |(_, rest)| rest);
        Self {
            href: href.to_owned(),
            text: text.strip_suffix('/').unwrap_or(text).to_owned(),
        }
    }
}
