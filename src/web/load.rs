//! Extractors that load what a path names *and* authorise: what somebody may not see does not exist for them.

use std::collections::HashMap;

use axum::RequestPartsExt as _;
use axum::extract::{FromRef, FromRequestParts, Path};
use axum::http::request::Parts;

use super::Web;
use super::error::PageError;
use super::signed_in::SignedIn;
use crate::actions::Error;
use crate::model::access::Right;
use crate::model::app::{App, Project};
use crate::model::user::Actor;

/// The project of `{project}` in the path, and what the visitor may do there.
#[derive(Debug, Clone)]
pub struct LoadedProject(pub Project, pub Right);

/// The app of `{app}` in the path, and what the visitor may do with it.
#[derive(Debug, Clone)]
pub struct LoadedApp(pub App, pub Right);

impl<S> FromRequestParts<S> for LoadedProject
where
    Web: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let (actor, slug) = named(parts, "project").await?;
        let (project, right) = Web::from_ref(state).actions.find_project(&actor, &slug).await?;
        Ok(Self(project, right))
    }
}

impl<S> FromRequestParts<S> for LoadedApp
where
    Web: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let (actor, slug) = named(parts, "app").await?;
        let (app, right) = Web::from_ref(state).actions.find_app(&actor, &slug).await?;
        Ok(Self(app, right))
    }
}

/// Who is signed in, and the part of the path that names the thing.
async fn named(parts: &mut Parts, name: &str) -> Result<(Actor, String), PageError> {
    let signed_in: SignedIn = parts.extract().await?;
    let Path(mut path) = parts
        .extract::<Path<HashMap<String, String>>>()
        .await
        .map_err(|_| Error::NotFound)?;
    Ok((signed_in.actor, path.remove(name).ok_or(Error::NotFound)?))
}
