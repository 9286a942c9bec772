//! `/projects/{project}/members`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::{Items, Paging, PagingQuery, with_one_more};
use super::{Api, Problem};
use crate::actions::Error;
use crate::actions::json::parse_json;
use crate::db;
use crate::db::memberships::Member;
use crate::model::access::{ProjectRole, Right};
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(set, remove))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MemberView {
    email: String,
    #[schema(value_type = String)]
    role: ProjectRole,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            email: member.user.email,
            role: member.role,
            since: member.since,
        }
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberInput {
    role: String,
}

#[utoipa::path(get, path = "/projects/{project}/members", tag = "people", summary = "The members of a project", operation_id = "members_list", params(("project" = String, Path, description = "Slug of the project"), PagingQuery), responses((status = 200, body = Items<MemberView>)))]
async fn list(
    caller: Caller,
    Path(project): Path<String>,
    Paging(page): Paging,
) -> Result<Json<Items<MemberView>>, Problem> {
    let project = caller.project(project, Right::View).await?.id;
    let rows = caller
        .actions()
        .db
        .read(move |c| db::memberships::list_of_project(c, project, with_one_more(page)))
        .await?;
    Ok(Json(Items::page(
        rows,
        page,
        |member| member.user.id.0,
        MemberView::from,
    )))
}

#[utoipa::path(put, path = "/projects/{project}/members/{email}", tag = "people", summary = "Make a user a member, or give a member another role", operation_id = "members_set", params(("project" = String, Path, description = "Slug of the project"), ("email" = String, Path, description = "E-mail address of the user")), request_body = MemberInput, responses((status = 200, body = MemberView)))]
async fn set(
    Writer(caller): Writer,
    Path((project, email)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Json<MemberView>, Problem> {
    let project = caller.project(project, Right::Administer).await?;
    let input: MemberInput = parse_json(body)?;
    let role = ProjectRole::parse(&input.role).map_err(|error| Error::field("role", error))?;
    let member = caller
        .actions()
        .set_member(&caller.actor, &project, &email, role)
        .await?;
    Ok(Json(member.into()))
}

#[utoipa::path(delete, path = "/projects/{project}/members/{email}", tag = "people", summary = "Take a user out of a project", operation_id = "members_remove", params(("project" = String, Path, description = "Slug of the project"), ("email" = String, Path, description = "E-mail address of the user")), responses((status = 204, description = "Removed")))]
async fn remove(Writer(caller): Writer, Path((project, email)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    let project = caller.project(project, Right::Administer).await?;
    caller.actions().remove_member(&caller.actor, &project, &email).await?;
    Ok(StatusCode::NO_CONTENT)
}
