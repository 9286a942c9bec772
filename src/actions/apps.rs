//! Apps: create, edit, delete.

use std::sync::Arc;

use serde_json::Value;

use super::app_input::AppInput;
use super::source::{fits, sealed_token};
use super::{Actions, Error, Fields, Result, access, webhooks};
use crate::config::Config;
use crate::db;
use crate::events::Event;
use crate::model::Invalid;
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::ids::AppId;
use crate::model::route::default_host;
use crate::model::slug::AppSlug;
use crate::model::source::{Source, SourceToken};
use crate::model::user::Actor;
use crate::secrets::SecretKey;

impl Actions {
    /// Makes an app in a project.
    pub async fn create_app(&self, actor: &Actor, project: &str, input: &AppInput) -> Result<App> {
        // Before the input: whoever may not is told nothing of it.
        self.require_in_project(actor, project, Right::Change).await?;
        let mut input = input.clone();
        let token = input.source.take_token()?;
        let settings = input.check(self.config.allow_private_sources)?;
        let wanted = wanted_slug(&input)?;
        let config = Arc::clone(&self.config);
        let is_chosen = input.slug.is_some();
        let (actor, project, secrets) = (actor.clone(), project.to_owned(), self.secrets.clone());
        let app: App = self
            .db
            .write(move |tx| {
                let project = access::project(tx, &actor, &project, Right::Change)?;
                let slug = free_slug(tx, wanted, is_chosen, &config)?;
                let id = db::apps::insert(tx, project.id, &slug, &settings)?;
                webhooks::make(tx, &secrets, id)?;
                keep_fitting_credential(tx, &secrets, id, &settings.source, token.as_ref())?;
                db::audit::insert(tx, &actor, "app.create", slug.as_str())?;
                db::apps::find(tx, id)?.ok_or(Error::NotFound)
            })
            .await?;
        self.events.announce(Event::App(app.id));
        Ok(app)
    }

    /// Changes the fields that a JSON object names.
    pub async fn change_app(&self, actor: &Actor, slug: &str, changes: Value) -> Result<App> {
        let allows_plain_http = self.config.allow_private_sources;
        let (actor, slug, secrets) = (actor.clone(), slug.to_owned(), self.secrets.clone());
        let app: App = self
            .db
            .write(move |tx| {
                let app = access::app(tx, &actor, &slug, Right::Change)?;
                let mut input = AppInput::from(&app).changed_by(changes)?;
                if input.slug.as_deref().is_some_and(|slug| slug != app.slug.as_str()) {
                    return Err(Error::field(
                        "slug",
                        Invalid::new("The slug is fixed; make a new app for another one."),
                    ));
                }
                let token = input.source.take_token()?;
                let mut settings = AppInput { slug: None, ..input }.check(allows_plain_http)?;
                if settings.is_port_guessed {
                    // Whoever chooses none leaves the search to go on from where the app is.
                    settings.run.port = app.settings.run.port;
                }
                db::apps::update_settings(tx, app.id, &settings)?;
                db::audit::insert(tx, &actor, "app.change", &slug)?;
                if !keep_fitting_credential(tx, &secrets, app.id, &settings.source, token.as_ref())? {
                    db::audit::insert(tx, &actor, "credential.remove", &slug)?;
                }
                db::apps::find(tx, app.id)?.ok_or(Error::NotFound)
            })
            .await?;
        self.events.announce(Event::App(app.id));
        Ok(app)
    }

    /// Deletes an app. Its name and hosts are free at once; its containers, images and logs go soon after.
    pub async fn delete_app(&self, actor: &Actor, slug: &str) -> Result<()> {
        let (actor, slug) = (actor.clone(), slug.to_owned());
        let id = self
            .db
            .write(move |tx| {
                let app = access::app(tx, &actor, &slug, Right::Administer)?;
                db::apps::update_deleting(tx, app.id)?;
                db::audit::insert(tx, &actor, "app.delete", &slug)?;
                Ok::<_, Error>(app.id)
            })
            .await?;
        self.events.announce(Event::App(id));
        self.deployer.reconcile(id);
        Ok(())
    }
}

/// Stores the token that was typed into an address, and forgets a credential that is for another server: who may change
/// an address must not be able to have a secret sent to a server of their own. `false` when one was forgotten.
fn keep_fitting_credential(
    tx: &db::Tx,
    secrets: &SecretKey,
    app: AppId,
    source: &Source,
    typed: Option<&SourceToken>,
) -> Result<bool> {
    if let (Source::Git { url, .. }, Some(token)) = (source, typed) {
        db::source_credentials::replace(tx, app, &sealed_token(secrets, app, url, token))?;
    } else if db::source_credentials::find(tx, app)?.is_some_and(|stored| !fits(&stored, source)) {
        db::source_credentials::delete(tx, app)?;
        return Ok(false);
    }
    Ok(true)
}

fn wanted_slug(input: &AppInput) -> Result<AppSlug> {
    let mut fields = Fields::default();
    let slug = match &input.slug {
        Some(slug) => fields.check("slug", AppSlug::parse(slug)),
        None => fields.check(
            "name",
            AppSlug::from_name(&input.name).ok_or_else(|| {
                Invalid::new("Use a name with at least one letter from a to z in it, other than “new”.")
            }),
        ),
    };
    fields.finish()?;
    Ok(slug.expect("without refusals every field is there"))
}

/// The wanted slug, or the next number of it when it was only made from the name.
fn free_slug(tx: &db::Tx, wanted: AppSlug, is_chosen: bool, config: &Config) -> Result<AppSlug> {
    let mut slug = wanted.clone();
    let mut number = 2;
    while let Some(problem) = slug_problem(tx, &slug, config)? {
        if is_chosen {
            return Err(Error::field("slug", problem));
        }
        slug = wanted.numbered(number);
        number += 1;
    }
    Ok(slug)
}

fn slug_problem(tx: &db::Tx, slug: &AppSlug, config: &Config) -> Result<Option<Invalid>> {
    if db::apps::find_by_slug(tx, slug.as_str())?.is_some() {
        return Ok(Some(Invalid::new(format!(
            "An app named “{slug}” exists; choose another name."
        ))));
    }
    let host = default_host(slug, &config.base_domain).map_err(|error| Error::field("slug", error))?;
    if config.is_panels(&host) {
        return Ok(Some(Invalid::new(format!(
            "{host} is the panel's own address; choose another name."
        ))));
    }
    let holder = db::domains::find_app_by_host(tx, &host)?;
    Ok(holder.map(|(_, app)| Invalid::new(format!("{host} is a domain of {app}; choose another name."))))
}
