//! `/projects`.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::{Items, Paging, with_one_more};
use super::{Api, Problem};
use crate::actions::Error;
use crate::actions::json::parse_json;
use crate::actions::projects::ProjectInput;
use crate::db;
use crate::model::access::Right;
use crate::model::app::Project;
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/projects", get(list).post(create))
        .route("/projects/{project}", get(show).patch(rename).delete(delete))
}

#[derive(Debug, Serialize)]
struct ProjectView {
    id: i64,
    slug: String,
    name: String,
    created_at: Timestamp,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id.0,
            slug: project.slug.to_string(),
            name: project.name.to_string(),
            created_at: project.created_at,
        }
    }
}

async fn list(caller: Caller, Paging(page): Paging) -> Result<Json<Items<ProjectView>>, Problem> {
    let member = caller.actor.only_member();
    let rows = caller
        .actions()
        .db
        .read(move |c| db::projects::list(c, member, with_one_more(page)))
        .await?;
    Ok(Json(Items::page(rows, page, |project| project.id.0, ProjectView::from)))
}

async fn create(Writer(caller): Writer, JsonBody(body): JsonBody) -> Result<(StatusCode, Json<ProjectView>), Problem> {
    if !caller.actor.may_administer() {
        return Err(Error::Forbidden.into());
    }
    let input: ProjectInput = parse_json(body)?;
    let project = caller.actions().create_project(&caller.actor, &input).await?;
    Ok((StatusCode::CREATED, Json(project.into())))
}

async fn show(caller: Caller, Path(project): Path<String>) -> Result<Json<ProjectView>, Problem> {
    Ok(Json(caller.project(project, Right::View).await?.into()))
}

async fn rename(
    Writer(caller): Writer,
    Path(project): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<ProjectView>, Problem> {
    let project = caller.project(project, Right::Administer).await?;
    let input = if body.as_object().is_some_and(serde_json::Map::is_empty) {
        ProjectInput {
            name: project.name.to_string(),
        }
    } else {
        parse_json(body)?
    };
    Ok(Json(
        caller
            .actions()
            .rename_project(&caller.actor, project.slug.as_str(), &input)
            .await?
            .into(),
    ))
}

async fn delete(Writer(caller): Writer, Path(project): Path<String>) -> Result<StatusCode, Problem> {
    let project = caller.project(project, Right::Administer).await?;
    caller
        .actions()
        .delete_project(&caller.actor, project.slug.as_str())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
