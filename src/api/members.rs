//! `/projects/{project}/members`.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::{Items, Paging, with_one_more};
use super::{Api, Problem};
use crate::actions::Error;
use crate::actions::json::parse_json;
use crate::db;
use crate::db::memberships::Member;
use crate::model::access::{ProjectRole, Right};
use crate::model::app::Project;
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/projects/{project}/members", get(list))
        .route("/projects/{project}/members/{email}", put(set).delete(remove))
}

#[derive(Debug, Serialize)]
struct MemberView {
    email: String,
    role: ProjectRole,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberInput {
    role: String,
}

async fn list(
    caller: Caller,
    Path(project): Path<String>,
    Paging(page): Paging,
) -> Result<Json<Items<MemberView>>, Problem> {
    let project = caller.project(project).await?.id;
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

/// A project whose members the caller may change: told before the body is looked at.
async fn administered(caller: &Caller, slug: &str) -> Result<Project, Problem> {
    match caller.actions().find_project(&caller.actor, slug).await? {
        (project, Right::Administer) => Ok(project),
        _ => Err(Error::Forbidden.into()),
    }
}

async fn set(
    Writer(caller): Writer,
    Path((project, email)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Json<MemberView>, Problem> {
    let project = administered(&caller, &project).await?;
    let input: MemberInput = parse_json(body)?;
    let role = ProjectRole::parse(&input.role).map_err(|error| Error::field("role", error))?;
    let member = caller
        .actions()
        .set_member(&caller.actor, &project, &email, role)
        .await?;
    Ok(Json(member.into()))
}

async fn remove(Writer(caller): Writer, Path((project, email)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    let project = administered(&caller, &project).await?;
    caller.actions().remove_member(&caller.actor, &project, &email).await?;
    Ok(StatusCode::NO_CONTENT)
}
