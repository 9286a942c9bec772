//! Who calls: by a bearer token, or by the session of the panel's own pages.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum_extra::TypedHeader;
use axum_extra::headers::Authorization;
use axum_extra::headers::authorization::Bearer;

use super::{Api, Problem};
use crate::actions::sessions::SessionUser;
use crate::actions::{Actions, Error};
use crate::model::access::Right;
use crate::model::app::{App, Project};
use crate::model::client::Client;
use crate::model::deployment::Deployment;
use crate::model::ids::DeploymentId;
use crate::model::user::Actor;

/// Somebody known, with what they may do.
pub struct Caller {
    /// Who.
    pub actor: Actor,
    actions: Actions,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Api) -> Result<Self, Problem> {
        let actions = Actions::from_ref(state);
        let bearer = TypedHeader::<Authorization<Bearer>>::from_request_parts(parts, state).await;
        let actor = match bearer {
            Ok(TypedHeader(authorization)) => actions.actor_by_token(authorization.token()).await?,
            Err(rejection) if rejection.is_missing() => parts
                .extensions
                .get::<SessionUser>()
                .map(|SessionUser(user)| Actor::person(user.clone())),
            Err(_malformed) => None,
        };
        // Put there by the layer around pages and API, for everybody.
        let client = parts.extensions.get::<Client>();
        actor
            .zip(client)
            .map(|(actor, client)| Self {
                actor: actor.at(client.address),
                actions,
            })
            .ok_or_else(Problem::unauthorized)
    }
}

/// A caller whose token, if it is one, may change things; others are refused before the body is looked at.
pub struct Writer(pub Caller);

impl FromRequestParts<Api> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Api) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.actor.has_scope(Right::Change) {
            Ok(Self(caller))
        } else {
            Err(Error::Forbidden.into())
        }
    }
}

impl Caller {
    /// The actions, for a caller who is known.
    pub fn actions(&self) -> &Actions {
        &self.actions
    }

    /// A project in which the caller has a right.
    pub async fn project(&self, slug: String, needed: Right) -> Result<Project, Problem> {
        let (project, right) = self.actions.find_project(&self.actor, &slug).await?;
        enough(right, needed).map(|()| project)
    }

    /// An app in whose project the caller has a right.
    pub async fn app(&self, slug: String, needed: Right) -> Result<App, Problem> {
        let (app, right) = self.actions.find_app(&self.actor, &slug).await?;
        enough(right, needed).map(|()| app)
    }

    /// A deployment that the caller may see, with its app.
    pub async fn deployment(&self, id: &str) -> Result<(Deployment, App), Problem> {
        let id = DeploymentId(id.parse().map_err(|_| Problem::not_found())?);
        Ok(self.actions.find_deployment(&self.actor, id).await?)
    }
}

fn enough(right: Right, needed: Right) -> Result<(), Problem> {
    if right < needed {
        return Err(Error::Forbidden.into());
    }
    Ok(())
}
