//! What the database knows for the dashboard, as far as the visitor may see it.

use serde::Deserialize;

use crate::db::{self, Page};
use crate::model::access::Right;
use crate::model::app::{App, Project};
use crate::model::deployment::Deployment;
use crate::model::ids::UserId;
use crate::model::user::Actor;
use crate::web::projects::table::AppFacts;

/// Projects on one page.
const PROJECTS: u32 = 50;
/// Deployments under "Last deployments".
const DEPLOYMENTS: u32 = 8;

/// Which projects: the newest, or those before one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Which {
    /// Only projects with a smaller id.
    #[serde(default)]
    pub before: Option<i64>,
}

/// What the database knows.
pub struct Facts {
    /// A page of projects.
    pub projects: Vec<ProjectFacts>,
    /// The last deployments, with their apps.
    pub deployments: Vec<(Deployment, App)>,
    /// The cursor to older projects.
    pub older: Option<i64>,
    /// Whether the visitor may make projects.
    pub may_administer: bool,
}

/// A project, what is in it, and what the visitor may do there.
pub struct ProjectFacts {
    /// The project.
    pub project: Project,
    /// Its apps.
    pub apps: Vec<AppFacts>,
    /// What the visitor may do there.
    pub right: Right,
}

impl Facts {
    /// Reads it in one go, as far as a user may see it; `None` for one who may see nothing any more.
    pub fn read(c: &db::Tx, user: UserId, which: Which) -> db::Result<Option<Self>> {
        let Some(user) = db::users::find_active(c, user)? else {
            return Ok(None);
        };
        let viewer = Actor::person(user);
        let member = viewer.only_member();
        let mut projects = db::projects::list(
            c,
            member,
            Page {
                limit: PROJECTS + 1,
                before: which.before,
            },
        )?;
        let has_more = projects.len() > PROJECTS as usize;
        projects.truncate(PROJECTS as usize);
        let older = projects.last().filter(|_| has_more).map(|project| project.id.0);
        let with_apps = |project: Project| {
            let role = match member {
                Some(user) => db::memberships::find_role(c, project.id, user)?,
                None => None,
            };
            let right = viewer.right_in(role).unwrap_or(Right::View);
            Ok(ProjectFacts {
                apps: AppFacts::of_project(c, project.id)?,
                project,
                right,
            })
        };
        let projects = projects.into_iter().map(with_apps).collect::<db::Result<Vec<_>>>()?;
        let mut deployments = Vec::new();
        for deployment in db::deployments::list_newest(c, member, DEPLOYMENTS)? {
            if let Some(app) = db::apps::find(c, deployment.app_id)? {
                deployments.push((deployment, app));
            }
        }
        Ok(Some(Self {
            projects,
            deployments,
            older,
            may_administer: viewer.may_administer(),
        }))
    }
}
