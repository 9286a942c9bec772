//! `/invitations`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::{Items, Paging, PagingQuery, with_one_more};
use super::{Api, Problem};
use crate::actions::invitations::InvitationInput;
use crate::actions::json::parse_json;
use crate::model::access::ProjectRole;
use crate::model::ids::InvitationId;
use crate::model::invitation::Invitation;
use crate::model::time::Timestamp;
use crate::model::user::Role;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(take_back))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationView {
    id: i64,
    email: String,
    #[schema(value_type = String)]
    role: Role,
    project: Option<String>,
    #[schema(value_type = Option<String>)]
    project_role: Option<ProjectRole>,
    /// A user sets a new password by it; nobody new is let in.
    resets_password: bool,
    invited_by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
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

#[utoipa::path(get, path = "/invitations", tag = "people", summary = "The open invitations that the caller may see", operation_id = "invitations_list", params(PagingQuery), responses((status = 200, body = Items<InvitationView>)))]
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

#[utoipa::path(post, path = "/invitations", tag = "people", summary = "Invite somebody; the link is in this answer alone", operation_id = "invitations_create", request_body = InvitationInput, responses((status = 201, body = InvitationView)))]
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

#[utoipa::path(delete, path = "/invitations/{id}", tag = "people", summary = "Take an invitation back", operation_id = "invitations_take_back", params(("id" = i64, Path, description = "Id of the invitation")), responses((status = 204, description = "Taken back")))]
async fn take_back(Writer(caller): Writer, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = InvitationId(id.parse().map_err(|_| Problem::not_found())?);
    caller.actions().take_back_invitation(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
