//! `/projects`.

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
use crate::actions::Error;
use crate::actions::json::parse_json;
use crate::actions::projects::ProjectInput;
use crate::db;
use crate::model::access::Right;
use crate::model::app::Project;
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, rename, delete))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProjectView {
    id: i64,
    slug: String,
    name: String,
    #[schema(value_type = String, format = DateTime)]
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

#[utoipa::path(get, path = "/projects", tag = "projects", summary = "The projects that the caller may see, newest first", operation_id = "projects_list", params(PagingQuery), responses((status = 200, body = Items<ProjectView>)))]
async fn list(caller: Caller, Paging(page): Paging) -> Result<Json<Items<ProjectView>>, Problem> {
    let member = caller.actor.only_member();
    let rows = caller
        .actions()
        .db
        .read(move |c| db::projects::list(c, member, with_one_more(page)))
        .await?;
    Ok(Json(Items::page(rows, page, |project| project.id.0, ProjectView::from)))
}

#[utoipa::path(post, path = "/projects", tag = "projects", summary = "Make a project", operation_id = "projects_create", request_body = ProjectInput, responses((status = 201, body = ProjectView)))]
async fn create(Writer(caller): Writer, JsonBody(body): JsonBody) -> Result<(StatusCode, Json<ProjectView>), Problem> {
    if !caller.actor.may_administer() {
        return Err(Error::Forbidden.into());
    }
    let input: ProjectInput = parse_json(body)?;
    let project = caller.actions().create_project(&caller.actor, &input).await?;
    Ok((StatusCode::CREATED, Json(project.into())))
}

#[utoipa::path(get, path = "/projects/{project}", tag = "projects", summary = "One project", operation_id = "projects_show", params(("project" = String, Path, description = "Slug of the project")), responses((status = 200, body = ProjectView)))]
async fn show(caller: Caller, Path(project): Path<String>) -> Result<Json<ProjectView>, Problem> {
    Ok(Json(caller.project(project, Right::View).await?.into()))
}

#[utoipa::path(patch, path = "/projects/{project}", tag = "projects", summary = "Give a project another name", operation_id = "projects_rename", params(("project" = String, Path, description = "Slug of the project")), request_body = Object, responses((status = 200, body = ProjectView)))]
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

#[utoipa::path(delete, path = "/projects/{project}", tag = "projects", summary = "Delete a project without apps", operation_id = "projects_delete", params(("project" = String, Path, description = "Slug of the project")), responses((status = 204, description = "Deleted")))]
async fn delete(Writer(caller): Writer, Path(project): Path<String>) -> Result<StatusCode, Problem> {
    let project = caller.project(project, Right::Administer).await?;
    caller
        .actions()
        .delete_project(&caller.actor, project.slug.as_str())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
