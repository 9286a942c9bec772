//! Members of a project: who belongs to it and as what, said by its admins.

use super::invitations::{InvitationInput, Made};
use super::{Actions, Error, Result, access};
use crate::db;
use crate::db::memberships::Member;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::{ProjectRole, Right};
use crate::model::app::Project;
use crate::model::user::{Actor, Email};

/// What became of somebody who was to belong to a project.
#[derive(Debug)]
pub enum Added {
    /// They are a member now.
    Member(Box<Member>),
    /// Nobody has this address yet: a link was made for them.
    Invited(Box<Made>),
}

impl Actions {
    /// Makes a user a member of a project, or gives a member another role.
    pub async fn set_member(&self, actor: &Actor, project: &Project, email: &str, role: ProjectRole) -> Result<Member> {
        let email = Email::parse(email).map_err(|error| Error::field("email", error))?;
        let (actor, slug) = (actor.clone(), project.slug.to_string());
        let set = self.db.write(move |tx| set(tx, &actor, &slug, &email, role));
        let member = set.await?;
        self.events.announce(Event::Project(project.id));
        Ok(member)
    }

    /// The same for an address that perhaps nobody has yet: then they are invited to the project.
    pub async fn add_member(&self, actor: &Actor, project: &Project, email: &str, role: ProjectRole) -> Result<Added> {
        let parsed = Email::parse(email).map_err(|error| Error::field("email", error))?;
        let found = self.db.read(move |c| db::users::find_by_email(c, parsed.as_str()));
        if found.await?.is_some() {
            let member = self.set_member(actor, project, email, role).await?;
            return Ok(Added::Member(Box::new(member)));
        }
        let input = InvitationInput {
            email: email.to_owned(),
            role: None,
            project: Some(project.slug.to_string()),
            project_role: Some(role.to_string()),
        };
        Ok(Added::Invited(Box::new(self.invite(actor, &input).await?)))
    }

    /// Takes somebody out of a project.
    pub async fn remove_member(&self, actor: &Actor, project: &Project, email: &str) -> Result<()> {
        let (actor, slug, email) = (actor.clone(), project.slug.to_string(), email.to_owned());
        self.db.write(move |tx| remove(tx, &actor, &slug, &email)).await?;
        self.events.announce(Event::Project(project.id));
        Ok(())
    }
}

fn set(tx: &db::Tx, actor: &Actor, slug: &str, email: &Email, role: ProjectRole) -> Result<Member> {
    let actor = access::as_now(tx, actor)?;
    let project = access::project(tx, &actor, slug, Right::Administer)?;
    let Some(user) = db::users::find_by_email(tx, email.as_str())? else {
        let sentence = "No user has this address. Invite them to the project instead.";
        return Err(Error::field("email", Invalid::new(sentence)));
    };
    db::memberships::upsert(tx, project.id, user.id, role)?;
    db::audit::insert(tx, &actor, "member.set", &format!("{slug}: {email}, {role}"))?;
    db::memberships::find(tx, project.id, user.id)?.ok_or(Error::NotFound)
}

fn remove(tx: &db::Tx, actor: &Actor, slug: &str, email: &str) -> Result<()> {
    let actor = access::as_now(tx, actor)?;
    let project = access::project(tx, &actor, slug, Right::Administer)?;
    let email = Email::parse(email).map_err(|_| Error::NotFound)?;
    let user = db::users::find_by_email(tx, email.as_str())?.ok_or(Error::NotFound)?;
    if !db::memberships::delete(tx, project.id, user.id)? {
        return Err(Error::NotFound);
    }
    Ok(db::audit::insert(
        tx,
        &actor,
        "member.remove",
        &format!("{slug}: {email}"),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::invitations::tests::Office;
    use crate::model::user::Role;

    #[tokio::test]
    async fn only_those_who_administer_a_project_say_who_belongs_to_it() {
        let office = Office::open().await;
        for (email, role) in [("admin@shop", ProjectRole::Admin), ("dev@shop", ProjectRole::Developer)] {
            office.user(email, Role::Member).await;
            let (owner, email) = (office.owner(), Email::parse(email).unwrap());
            office
                .write(move |tx| set(tx, &owner, "shop", &email, role).map(|_| ()))
                .await
                .unwrap();
        }
        office.user("other@shop", Role::Member).await;
        let email = Email::parse("other@shop").unwrap();
        for (actor, expected) in [
            ("dev@shop", Some(Error::Forbidden)),
            ("other@shop", Some(Error::NotFound)),
            ("admin@shop", None),
        ] {
            let (actor, email) = (office.actor(actor).await, email.clone());
            let result = office
                .write(move |tx| set(tx, &actor, "shop", &email, ProjectRole::Viewer).map(|_| ()))
                .await;
            assert_eq!(result.err().map(|e| e.to_string()), expected.map(|e| e.to_string()));
        }
        // Rights count as they are in the transaction, not as they were when the request began.
        let admin = office.actor("admin@shop").await;
        let (actor, own) = (admin.clone(), Email::parse("admin@shop").unwrap());
        office
            .write(move |tx| remove(tx, &actor, "shop", own.as_str()))
            .await
            .unwrap();
        let address = email.clone();
        let refused = office
            .write(move |tx| remove(tx, &admin, "shop", address.as_str()))
            .await;
        assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
        let chief = office.user("chief@x", Role::Admin).await;
        let id = chief.user().unwrap().id;
        let refused = office.write(move |tx| {
            db::users::update_deactivated(tx, id, Some(crate::model::time::Timestamp::now()))?;
            remove(tx, &chief, "shop", email.as_str())
        });
        let refused = refused.await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    }
}
