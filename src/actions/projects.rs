//! Projects: create, rename, delete.

use serde::{Deserialize, Serialize};

use super::{Actions, Error, Fields, Result, access};
use crate::db;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::Project;
use crate::model::slug::ProjectSlug;
use crate::model::text::Name;
use crate::model::user::Actor;

/// What a project is made of.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectInput {
    /// Its name for people.
    pub name: String,
}

impl Actions {
    /// Makes a project; its slug comes from its name and is numbered when taken.
    pub async fn create_project(&self, actor: &Actor, input: &ProjectInput) -> Result<Project> {
        if !actor.may_administer() {
            return Err(Error::Forbidden);
        }
        let name = parse_name(input)?;
        let slug = ProjectSlug::from_name(name.as_str()).ok_or_else(|| {
            Error::field(
                "name",
                Invalid::new("Use a name with at least one letter from a to z in it, other than “new”."),
            )
        })?;
        let actor = actor.clone();
        let project: Project = self
            .db
            .write(move |tx| {
                let slug = free_slug(tx, slug)?;
                let id = db::projects::insert(tx, &slug, &name)?;
                db::audit::insert(tx, &actor, "project.create", slug.as_str())?;
                db::projects::find(tx, id)?.ok_or(Error::NotFound)
            })
            .await?;
        self.events.announce(Event::Project(project.id));
        Ok(project)
    }

    /// Gives a project another name; its slug, and so its address, stays.
    pub async fn rename_project(&self, actor: &Actor, slug: &str, input: &ProjectInput) -> Result<Project> {
        self.require_in_project(actor, slug, Right::Administer).await?;
        let name = parse_name(input)?;
        let (actor, slug) = (actor.clone(), slug.to_owned());
        let project: Project = self
            .db
            .write(move |tx| {
                let project = access::project(tx, &actor, &slug, Right::Administer)?;
                db::projects::update_name(tx, project.id, &name)?;
                db::audit::insert(tx, &actor, "project.rename", &slug)?;
                db::projects::find(tx, project.id)?.ok_or(Error::NotFound)
            })
            .await?;
        self.events.announce(Event::Project(project.id));
        Ok(project)
    }

    /// Deletes a project without apps; its network goes soon after.
    pub async fn delete_project(&self, actor: &Actor, slug: &str) -> Result<()> {
        let (actor, slug) = (actor.clone(), slug.to_owned());
        let id = self
            .db
            .write(move |tx| {
                let project = access::project(tx, &actor, &slug, Right::Administer)?;
                match db::apps::count_of_project(tx, project.id)? {
                    0 => {}
                    1 => return Err(Error::Conflict("The project has an app. Delete it first.".into())),
                    count => {
                        return Err(Error::Conflict(format!(
                            "The project has {count} apps. Delete them first."
                        )));
                    }
                }
                db::projects::update_deleting(tx, project.id)?;
                db::audit::insert(tx, &actor, "project.delete", &slug)?;
                Ok(project.id)
            })
            .await?;
        self.events.announce(Event::Project(id));
        self.deployer.wake();
        Ok(())
    }
}

fn parse_name(input: &ProjectInput) -> Result<Name> {
    let mut fields = Fields::default();
    let name = fields.check("name", Name::parse(&input.name));
    fields.finish()?;
    Ok(name.expect("without refusals every field is there"))
}

fn free_slug(tx: &db::Tx, wanted: ProjectSlug) -> db::Result<ProjectSlug> {
    let mut slug = wanted.clone();
    let mut number = 2;
    while db::projects::find_by_slug(tx, slug.as_str())?.is_some() {
        slug = wanted.numbered(number);
        number += 1;
    }
    Ok(slug)
}
