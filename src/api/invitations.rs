//! `/invitations`.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde::Serialize;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::{Items, Paging, with_one_more};
use super::{Api, Problem};
use crate::actions::invitations::InvitationInput;
use crate::actions::json::parse_json;
use crate::model::access::ProjectRole;
use crate::model::ids::InvitationId;
use crate::model::invitation::Invitation;
use crate::model::time::Timestamp;
use crate::model::user::Role;

/// The calls.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/invitations", get(list).post(create))
        .route("/invitations/{id}", delete(take_back))
}

#[derive(Debug, Serialize)]
struct InvitationView {
    id: i64,
    email: String,
    role: Role,
    project: Option<String>,
    project_role: Option<ProjectRole>,
    /// A user sets a new password by it; nobody new is let in.
    resets_password: bool,
    invited_by: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let (project, project_role) = invitation.place.map(|place| (place.slug, place.role)).unzip();
        Self {
            id: invitation.id.0,
            email: invitation.email,
            role: invitation.role,
            project,
            project_role,
            resets_password: invitation.resets.is_some(),
            invited_by: invitation.inviter,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            link: None,
        }
    }
}

async fn list(caller: Caller, Paging(page): Paging) -> Result<Json<Items<InvitationView>>, Problem> {
    let rows = caller
        .actions()
        .list_invitations(&caller.actor, with_one_more(page))
        .await?;
    Ok(Json(Items::page(
        rows,
        page,
        |invitation| invitation.id.0,
        InvitationView::from,
    )))
}

async fn create(
    Writer(caller): Writer,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<InvitationView>), Problem> {
    let input: InvitationInput = parse_json(body)?;
    let made = caller.actions().invite(&caller.actor, &input).await?;
    let view = InvitationView {
        link: Some(made.link),
        ..made.invitation.into()
    };
    Ok((StatusCode::CREATED, Json(view)))
}

async fn take_back(Writer(caller): Writer, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = InvitationId(id.parse().map_err(|_| Problem::not_found())?);
    caller.actions().take_back_invitation(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
