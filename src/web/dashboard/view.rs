//! What the dashboard shows, in parts that each have one root with an id, so that the stream can replace them one by
//! one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use askama::Template;
use askama::filters::HtmlSafe;

use super::facts::{Facts, ProjectFacts};
use crate::config::Config;
use crate::model::access::Right;
use crate::model::app::{App, AppStatus};
use crate::model::deployment::Deployment;
use crate::web::apps::condition::Condition;
use crate::web::deployments::rows::DeploymentRow;
use crate::web::layout::Banner;
use crate::web::moment::Moment;
use crate::web::projects::table::{AppFacts, AppRow};

/// Apps that are told of above the projects; the tables show all.
const ATTENTION_LINES: usize = 5;

/// Everything that the stream keeps up to date.
pub struct Parts {
    /// What does not answer.
    pub banner: BannerPart,
    /// What needs a hand.
    pub attention: Attention,
    /// The projects.
    pub projects: Projects,
    /// The last deployments.
    pub deployments: Deployments,
    /// Whether something is under way, so that durations on the page grow.
    pub is_busy: bool,
}

impl Parts {
    /// The parts for what is known.
    pub fn of(facts: &Facts, config: &Config, banner: Banner) -> Self {
        let apps = facts.projects.iter().flat_map(|facts| &facts.apps);
        Self {
            banner: BannerPart { banner },
            attention: Attention::of(apps),
            projects: Projects {
                cards: facts
                    .projects
                    .iter()
                    .map(|facts| ProjectCard::of(facts, config))
                    .collect(),
                may_administer: facts.may_administer,
            },
            deployments: Deployments {
                rows: facts.deployments.iter().map(NamedRow::of).collect(),
            },
            is_busy: facts
                .deployments
                .iter()
                .any(|(deployment, _)| !deployment.status.is_final()),
        }
    }

    /// The markup of each part.
    pub fn render(&self) -> Result<Rendered, anyhow::Error> {
        let cards = self.projects.cards.iter().map(|card| Ok((card.id(), card.render()?)));
        let others = vec![
            ("banner".to_owned(), self.banner.render()?),
            ("attention".to_owned(), self.attention.render()?),
            ("deployments".to_owned(), self.deployments.render()?),
        ];
        Ok(Rendered {
            projects: self.projects.render()?,
            cards: cards.collect::<askama::Result<_>>()?,
            others,
        })
    }
}

/// Markup by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// All projects.
    pub projects: String,
    /// Each of them, in order.
    pub cards: Vec<(String, String)>,
    /// The rest.
    pub others: Vec<(String, String)>,
}

impl Rendered {
    /// A short text that differs when anything differs.
    pub fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.projects.hash(&mut hasher);
        self.others.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// What does not answer, as on every page.
#[derive(Template)]
#[template(path = "_banner.html")]
pub struct BannerPart {
    banner: Banner,
}

/// Apps that do not serve, or whose last deployment failed.
#[derive(Template)]
#[template(path = "dashboard/_attention.html")]
pub struct Attention {
    /// The first ones.
    lines: Vec<AttentionLine>,
    /// How many there are in all.
    count: usize,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Attention {}

/// One app that needs a hand.
#[derive(Debug)]
struct AttentionLine {
    slug: String,
    name: String,
    serves: bool,
    condition: Option<Condition>,
    failed: Option<FailedDeployment>,
}

#[derive(Debug)]
struct FailedDeployment {
    number: i64,
    reason: String,
    when: Moment,
}

impl Attention {
    fn of<'a>(apps: impl Iterator<Item = &'a AppFacts>) -> Self {
        let mut lines: Vec<_> = apps.filter_map(AttentionLine::of).collect();
        lines.sort_by_key(|line| line.serves);
        let count = lines.len();
        lines.truncate(ATTENTION_LINES);
        Self { lines, count }
    }

    /// Whether all is well.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many are not listed.
    fn more(&self) -> usize {
        self.count - self.lines.len()
    }

    /// `bad` when something does not serve, else `warn`.
    fn class(&self) -> &'static str {
        if self.lines.iter().all(|line| line.serves) {
            "warn"
        } else {
            "bad"
        }
    }

    fn heading(&self) -> String {
        match self.count {
            1 => "One app needs a hand".to_owned(),
            count => format!("{count} apps need a hand"),
        }
    }
}

impl AttentionLine {
    fn of(facts: &AppFacts) -> Option<Self> {
        let app = &facts.app;
        let condition = Condition::of(app);
        let is_failing = condition.is_some() || app.status == AppStatus::Failed;
        // While the next attempt runs, nobody is needed.
        let failed = facts.failed.as_ref().filter(|_| app.status != AppStatus::Deploying);
        if !is_failing && failed.is_none() {
            return None;
        }
        Some(Self {
            slug: app.slug.to_string(),
            name: app.settings.name.to_string(),
            serves: app.status == AppStatus::Running,
            condition,
            failed: failed.map(|deployment| FailedDeployment {
                number: deployment.number,
                reason: deployment
                    .error
                    .as_ref()
                    .map(|(_, message)| message.clone())
                    .unwrap_or_default(),
                when: Moment::of(deployment.finished_at.unwrap_or(deployment.created_at)),
            }),
        })
    }
}

/// All projects of a page.
#[derive(Template)]
#[template(path = "dashboard/_projects.html")]
pub struct Projects {
    cards: Vec<ProjectCard>,
    /// Whether the visitor may make projects.
    pub may_administer: bool,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Projects {}

impl Projects {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }
}

/// A project with its apps.
#[derive(Template)]
#[template(path = "dashboard/_project.html")]
pub struct ProjectCard {
    slug: String,
    name: String,
    rows: Vec<AppRow>,
    /// Whether the visitor may make apps in it.
    may_change: bool,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for ProjectCard {}

impl ProjectCard {
    fn of(facts: &ProjectFacts, config: &Config) -> Self {
        Self {
            slug: facts.project.slug.to_string(),
            name: facts.project.name.to_string(),
            rows: facts.apps.iter().map(|facts| AppRow::of(facts, config)).collect(),
            may_change: facts.right >= Right::Change,
        }
    }

    fn id(&self) -> String {
        format!("project-{}", self.slug)
    }

    fn count(&self) -> String {
        match self.rows.len() {
            1 => "1 app".to_owned(),
            count => format!("{count} apps"),
        }
    }
}

/// The last deployments of all apps.
#[derive(Template)]
#[template(path = "dashboard/_deployments.html")]
pub struct Deployments {
    rows: Vec<NamedRow>,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Deployments {}

/// A deployment, and whose it is.
#[derive(Debug)]
struct NamedRow {
    app_slug: String,
    app_name: String,
    row: DeploymentRow,
}

impl NamedRow {
    fn of((deployment, app): &(Deployment, App)) -> Self {
        Self {
            app_slug: app.slug.to_string(),
            app_name: app.settings.name.to_string(),
            row: DeploymentRow::from(deployment),
        }
    }
}
