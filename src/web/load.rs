//! Extractors that load what a path names *and* authorise: what somebody may not see does not exist for them.

use std::collections::HashMap;

use axum::RequestPartsExt as _;
use axum::extract::{FromRef, FromRequestParts, Path};
use axum::http::request::Parts;

use super::Web;
use super::error::PageError;
use super::signed_in::SignedIn;
use crate::actions::Error;
use crate::db;
use crate::model::app::{App, Project};
use crate::model::slug::{AppSlug, ProjectSlug};

/// The project of `{project}` in the path.
#[derive(Debug, Clone)]
pub struct LoadedProject(pub Project);

/// The app of `{app}` in the path.
#[derive(Debug, Clone)]
pub struct LoadedApp(pub App);

impl<S> FromRequestParts<S> for LoadedProject
where
    Web: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let slug = authorise(parts, "project").await?;
        let slug = ProjectSlug::parse(&slug).map_err(|_| Error::NotFound)?;
        let db = Web::from_ref(state).actions.db;
        let project = db.read(move |c| db::projects::find_by_slug(c, slug.as_str())).await?;
        Ok(Self(project.ok_or(Error::NotFound)?))
    }
}

impl<S> FromRequestParts<S> for LoadedApp
where
    Web: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let slug = authorise(parts, "app").await?;
        let slug = AppSlug::parse(&slug).map_err(|_| Error::NotFound)?;
        let db = Web::from_ref(state).actions.db;
        let app = db.read(move |c| db::apps::find_by_slug(c, slug.as_str())).await?;
        Ok(Self(app.ok_or(Error::NotFound)?))
    }
}

/// The part of the path that names the thing, for somebody who may see things.
async fn authorise(parts: &mut Parts, name: &str) -> Result<String, PageError> {
    let signed_in: SignedIn = parts.extract().await?;
    if !signed_in.actor.may_read() {
        return Err(Error::NotFound.into());
    }
    let Path(mut path) = parts
        .extract::<Path<HashMap<String, String>>>()
        .await
        .map_err(|_| Error::NotFound)?;
    Ok(path.remove(name).ok_or(Error::NotFound)?)
}
