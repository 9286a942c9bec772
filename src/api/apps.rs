//! `/projects/{project}/apps` and `/apps/{app}`.

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
use crate::actions::app_input::{AppInput, BuildInput, HealthInput, ResourcesInput, SourceInput};
use crate::config::Config;
use crate::db;
use crate::model::access::Right;
use crate::model::app::{App, AppStatus};
use crate::model::domain::Domain;
use crate::model::route::addresses;
use crate::model::time::Timestamp;

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppView {
    id: i64,
    slug: String,
    project: String,
    name: String,
    source: SourceInput,
    build: BuildInput,
    /// The port it listens on; a guess as long as `port_guessed` is true.
    port: u16,
    /// Whether Dhow looks for the port, since none was chosen.
    port_guessed: bool,
    health: HealthInput,
    resources: ResourcesInput,
    stop_timeout_s: i64,
    auto_deploy: bool,
    #[schema(value_type = String)]
    status: AppStatus,
    active_release: Option<i64>,
    urls: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl AppView {
    fn new(app: &App, domains: &[Domain], config: &Config) -> Self {
        let ports = (config.http_port, config.https_port);
        let settings = AppInput::from(app);
        Self {
            id: app.id.0,
            slug: app.slug.to_string(),
            project: app.project_slug.to_string(),
            name: settings.name,
            source: settings.source,
            build: settings.build,
            port: app.settings.run.port.get(),
            port_guessed: app.settings.is_port_guessed,
            health: settings.health,
            resources: settings.resources,
            stop_timeout_s: settings.stop_timeout_s,
            auto_deploy: settings.auto_deploy,
            status: app.status,
            active_release: app.active_release_number,
            urls: addresses(&app.slug, domains, &config.base_domain, config.has_acme(), ports),
            created_at: app.created_at,
        }
    }
}

async fn view(caller: &Caller, app: App) -> Result<Json<AppView>, Problem> {
    let id = app.id;
    let domains = caller
        .actions()
        .db
        .read(move |c| db::domains::list_of_app(c, id))
        .await?;
    Ok(Json(AppView::new(&app, &domains, &caller.actions().config)))
}

#[utoipa::path(get, path = "/projects/{project}/apps", tag = "apps", summary = "A project's apps, newest first", operation_id = "apps_list", params(("project" = String, Path, description = "Slug of the project"), PagingQuery), responses((status = 200, body = Items<AppView>)))]
async fn list(
    caller: Caller,
    Path(project): Path<String>,
    Paging(page): Paging,
) -> Result<Json<Items<AppView>>, Problem> {
    let project = caller.project(project, Right::View).await?.id;
    let rows = caller.actions().db.read(move |c| {
        let apps = db::apps::list_of_project(c, project, with_one_more(page))?;
        apps.into_iter()
            .map(|app| Ok((db::domains::list_of_app(c, app.id)?, app)))
            .collect::<db::Result<Vec<_>>>()
    });
    let config = &caller.actions().config;
    let show = |(domains, app): (Vec<Domain>, App)| AppView::new(&app, &domains, config);
    Ok(Json(Items::page(rows.await?, page, |(_, app)| app.id.0, show)))
}

#[utoipa::path(post, path = "/projects/{project}/apps", tag = "apps", summary = "Make an app", operation_id = "apps_create", params(("project" = String, Path, description = "Slug of the project")), request_body = AppInput, responses((status = 201, body = AppView)))]
async fn create(
    Writer(caller): Writer,
    Path(project): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<AppView>), Problem> {
    let project = caller.project(project, Right::Change).await?;
    let input = AppInput::from_json(body)?;
    let app = caller
        .actions()
        .create_app(&caller.actor, project.slug.as_str(), &input)
        .await?;
    Ok((StatusCode::CREATED, view(&caller, app).await?))
}

#[utoipa::path(get, path = "/apps/{app}", tag = "apps", summary = "One app", operation_id = "apps_show", params(("app" = String, Path, description = "Slug of the app")), responses((status = 200, body = AppView)))]
async fn show(caller: Caller, Path(app): Path<String>) -> Result<Json<AppView>, Problem> {
    let app = caller.app(app, Right::View).await?;
    view(&caller, app).await
}

#[utoipa::path(patch, path = "/apps/{app}", tag = "apps", summary = "Change the fields that are there; null is the default of a field", operation_id = "apps_change", params(("app" = String, Path, description = "Slug of the app")), request_body = Object, responses((status = 200, body = AppView)))]
async fn change(
    Writer(caller): Writer,
    Path(app): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<AppView>, Problem> {
    let app = caller.app(app, Right::Change).await?;
    let app = caller
        .actions()
        .change_app(&caller.actor, app.slug.as_str(), body)
        .await?;
    view(&caller, app).await
}

#[utoipa::path(delete, path = "/apps/{app}", tag = "apps", summary = "Delete an app", operation_id = "apps_delete", params(("app" = String, Path, description = "Slug of the app")), responses((status = 202, description = "Its name is free, what it leaves is being removed")))]
async fn delete(Writer(caller): Writer, Path(app): Path<String>) -> Result<StatusCode, Problem> {
    let app = caller.app(app, Right::Administer).await?;
    caller.actions().delete_app(&caller.actor, app.slug.as_str()).await?;
    Ok(StatusCode::ACCEPTED)
}
