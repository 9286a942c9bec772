//! Table `apps`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Page, Result, instances, row};
use crate::model::Invalid;
use crate::model::app::{
    App, AppSettings, AppStatus, BuildSettings, BuildTarget, Builder, Health, HealthPath, Port, Resources, RunSettings,
};
use crate::model::ids::{AppId, DeploymentId, ProjectId, ReleaseId};
use crate::model::instance::{Instance, InstanceState};
use crate::model::slug::{AppSlug, ProjectSlug};
use crate::model::source::{Branch, GitUrl, ImageRef, RelativePath, Source, WatchPath};
use crate::model::text::{ContainerCommand, Name};
use crate::model::time::Timestamp;

/// The columns of an app, its project's slug, and what its deployments and its instance say of its condition.
const SELECT: &str = "SELECT apps.id, apps.project_id, projects.slug AS project_slug, apps.slug, apps.name, \
    source_kind, source_url, source_branch, source_root_dir, source_submodules, source_watch_paths, source_image, \
    builder, build_context, build_dockerfile, build_target, build_command, publish_dir, \
    apps.port, apps.health_path, apps.health_timeout_s, apps.memory_mb, apps.cpus, \
    apps.start_command, apps.release_command, apps.stop_timeout_s, is_port_guessed, auto_deploy, active_release_id, \
    stopped_at, \
    (SELECT number FROM releases WHERE releases.id = active_release_id) AS active_release_number, \
    apps.created_at, \
    EXISTS (SELECT 1 FROM deployments WHERE app_id = apps.id AND status IN ('queued', 'running')) AS is_deploying, \
    (SELECT status FROM deployments WHERE app_id = apps.id ORDER BY number DESC LIMIT 1) AS last_status, \
    instances.deployment_id AS instance_deployment_id, instances.state, instances.since, instances.exit_code, \
    instances.was_out_of_memory, instances.is_unhealthy, instances.restarts \
    FROM apps JOIN projects ON projects.id = apps.project_id \
    LEFT JOIN instances ON instances.app_id = apps.id AND instances.deployment_id = apps.active_deployment_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<App> {
    let instance = instances::from_row(row)?;
    Ok(App {
        id: AppId(row.get("id")?),
        project_id: ProjectId(row.get("project_id")?),
        project_slug: row::text(row, "project_slug", ProjectSlug::parse)?,
        slug: row::text(row, "slug", AppSlug::parse)?,
        settings: AppSettings {
            name: row::text(row, "name", Name::parse)?,
            source: source_from_row(row)?,
            build: BuildSettings {
                builder: row::text(row, "builder", Builder::parse)?,
                context: row::text(row, "build_context", RelativePath::parse)?,
                dockerfile: row::text(row, "build_dockerfile", RelativePath::parse)?,
                target: row::optional_text(row, "build_target", BuildTarget::parse)?,
                build_command: row::optional_text(row, "build_command", ContainerCommand::parse)?,
                publish_dir: row::optional_text(row, "publish_dir", RelativePath::parse)?,
            },
            run: run_settings_from_row(row)?,
            is_port_guessed: row.get("is_port_guessed")?,
            auto_deploy: row.get("auto_deploy")?,
        },
        status: status_from_row(row, instance.as_ref())?,
        active_release_id: row.get::<_, Option<i64>>("active_release_id")?.map(ReleaseId),
        active_release_number: row.get("active_release_number")?,
        stopped_at: row.get::<_, Option<i64>>("stopped_at")?.map(Timestamp::from_millis),
        instance,
        created_at: Timestamp::from_millis(row.get("created_at")?),
    })
}

fn source_from_row(row: &Row<'_>) -> rusqlite::Result<Source> {
    if let Some(image) = row::optional_text(row, "source_image", ImageRef::parse)? {
        return Ok(Source::Image { image });
    }
    let root_dir = row::text(row, "source_root_dir", RelativePath::parse)?;
    let branch = row::optional_text(row, "source_branch", Branch::parse)?;
    match row::optional_text(row, "source_url", GitUrl::parse)? {
        Some(url) => Ok(Source::Git {
            url,
            branch,
            root_dir,
            submodules: row.get("source_submodules")?,
            watch_paths: row::text(row, "source_watch_paths", watch_paths_from_json)?,
        }),
        None => Ok(Source::Push { branch, root_dir }),
    }
}

fn watch_paths_from_json(text: &str) -> std::result::Result<Vec<WatchPath>, Invalid> {
    let paths: Vec<String> = serde_json::from_str(text).map_err(|error| Invalid::new(error.to_string()))?;
    paths.iter().map(|path| WatchPath::parse(path)).collect()
}

/// The columns that apps and releases share.
pub(super) fn run_settings_from_row(row: &Row<'_>) -> rusqlite::Result<RunSettings> {
    Ok(RunSettings {
        port: row::parsed(row, "port", Port::parse)?,
        health: Health {
            path: row::optional_text(row, "health_path", HealthPath::parse)?,
            timeout_s: row.get("health_timeout_s")?,
        },
        resources: Resources {
            memory_mb: row.get("memory_mb")?,
            cpus: row.get("cpus")?,
        },
        start_command: row::optional_text(row, "start_command", ContainerCommand::parse)?,
        release_command: row::optional_text(row, "release_command", ContainerCommand::parse)?,
        stop_timeout_s: row.get("stop_timeout_s")?,
    })
}

fn status_from_row(row: &Row<'_>, instance: Option<&Instance>) -> rusqlite::Result<AppStatus> {
    let last_status: Option<String> = row.get("last_status")?;
    Ok(if row.get("is_deploying")? {
        AppStatus::Deploying
    } else if row.get::<_, Option<i64>>("active_release_id")?.is_some() {
        if row.get::<_, Option<i64>>("stopped_at")?.is_some() {
            AppStatus::Stopped
        } else if instance.is_some_and(|instance| instance.state != InstanceState::Running) {
            AppStatus::Crashed
        } else {
            AppStatus::Running
        }
    } else if last_status.as_deref() == Some("failed") {
        AppStatus::Failed
    } else {
        AppStatus::New
    })
}

fn query(connection: &Connection, condition: &str, values: impl rusqlite::Params) -> Result<Vec<App>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE {condition}"))?;
    Ok(statement
        .query_map(values, from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// An app by its slug, unless it is being deleted.
pub fn find_by_slug(connection: &Connection, slug: &str) -> Result<Option<App>> {
    Ok(query(connection, "apps.slug = ?1 AND apps.deleting_at IS NULL", [slug])?.pop())
}

/// An app by its id, also while it is being deleted.
pub fn find(connection: &Connection, id: AppId) -> Result<Option<App>> {
    Ok(query(connection, "apps.id = ?1", [id.0])?.pop())
}

/// A page of a project's apps, newest first.
pub fn list_of_project(connection: &Connection, project: ProjectId, page: Page) -> Result<Vec<App>> {
    let condition = "apps.project_id = ?1 AND apps.deleting_at IS NULL AND apps.id < ?2 ORDER BY apps.id DESC LIMIT ?3";
    query(connection, condition, params![project.0, page.before(), page.limit])
}

/// A page of all apps, newest first.
pub fn list(connection: &Connection, page: Page) -> Result<Vec<App>> {
    let condition = "apps.deleting_at IS NULL AND apps.id < ?1 ORDER BY apps.id DESC LIMIT ?2";
    query(connection, condition, params![page.before(), page.limit])
}

/// Every app's id, those being deleted included: what the engine has to be made to match.
pub fn list_ids(connection: &Connection) -> Result<Vec<AppId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM apps ORDER BY id")?;
    Ok(statement
        .query_map([], |row| row.get(0).map(AppId))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Every app's slug, those being deleted included.
pub fn list_slugs(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT slug FROM apps")?;
    Ok(statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// How many apps a project has.
pub fn count_of_project(connection: &Connection, project: ProjectId) -> Result<i64> {
    let sql = "SELECT count(*) FROM apps WHERE project_id = ?1 AND deleting_at IS NULL";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([project.0], |row| row.get(0))?)
}

/// Whether an app waits for its Docker objects to go.
pub fn is_deleting(connection: &Connection, id: AppId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM apps WHERE id = ?1 AND deleting_at IS NOT NULL)";
    Ok(connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}

/// Whether there is such an app, and it is not being deleted.
pub fn is_kept(connection: &Connection, id: AppId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM apps WHERE id = ?1 AND deleting_at IS NULL)";
    Ok(connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}

/// Adds an app; `Error::Taken` when the slug is in use.
pub fn insert(connection: &Connection, project: ProjectId, slug: &AppSlug, settings: &AppSettings) -> Result<AppId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO apps (project_id, slug, created_at, name, \
         source_kind, source_url, source_branch, source_root_dir, source_submodules, source_watch_paths, source_image, \
         builder, build_context, build_dockerfile, build_target, build_command, publish_dir, port, health_path, health_timeout_s, \
         memory_mb, cpus, start_command, release_command, stop_timeout_s, is_port_guessed, auto_deploy) \
         VALUES (:project_id, :slug, :created_at, :name, \
         :source_kind, :source_url, :source_branch, :source_root_dir, :source_submodules, :source_watch_paths, :source_image, \
         :builder, :build_context, :build_dockerfile, :build_target, :build_command, :publish_dir, :port, :health_path, :health_timeout_s, \
         :memory_mb, :cpus, :start_command, :release_command, :stop_timeout_s, :is_port_guessed, :auto_deploy)",
    )?;
    bind_settings(&mut statement, settings)?;
    bind(&mut statement, ":project_id", project.0)?;
    bind(&mut statement, ":slug", slug.as_str())?;
    bind(&mut statement, ":created_at", Timestamp::now().as_millis())?;
    statement.raw_execute()?;
    Ok(AppId(connection.last_insert_rowid()))
}

/// Writes an app's settings.
pub fn update_settings(connection: &Connection, id: AppId, settings: &AppSettings) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE apps SET name = :name, source_kind = :source_kind, source_url = :source_url, \
         source_branch = :source_branch, source_root_dir = :source_root_dir, source_submodules = :source_submodules, \
         source_watch_paths = :source_watch_paths, source_image = :source_image, \
         builder = :builder, build_context = :build_context, build_dockerfile = :build_dockerfile, \
         build_target = :build_target, build_command = :build_command, publish_dir = :publish_dir, port = :port, health_path = :health_path, \
         health_timeout_s = :health_timeout_s, memory_mb = :memory_mb, cpus = :cpus, \
         start_command = :start_command, release_command = :release_command, \
         stop_timeout_s = :stop_timeout_s, is_port_guessed = :is_port_guessed, auto_deploy = :auto_deploy \
         WHERE id = :id",
    )?;
    bind_settings(&mut statement, settings)?;
    bind(&mut statement, ":id", id.0)?;
    statement.raw_execute()?;
    Ok(())
}

fn bind(statement: &mut rusqlite::Statement<'_>, name: &str, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
    let index = statement
        .parameter_index(name)?
        .expect("the statement names every parameter that is bound");
    statement.raw_bind_parameter(index, value)
}

fn bind_settings(statement: &mut rusqlite::Statement<'_>, settings: &AppSettings) -> rusqlite::Result<()> {
    let (kind, url, image) = match &settings.source {
        Source::Git { url, .. } => ("git", Some(url.as_str()), None),
        Source::Push { .. } => ("push", None, None),
        Source::Image { image } => ("image", None, Some(image.as_str())),
    };
    let (submodules, watch_paths) = match &settings.source {
        Source::Git {
            submodules,
            watch_paths,
            ..
        } => (*submodules, watch_paths.as_slice()),
        Source::Push { .. } | Source::Image { .. } => (false, [].as_slice()),
    };
    let watch_paths: Vec<&str> = watch_paths.iter().map(WatchPath::as_str).collect();
    bind(
        statement,
        ":source_watch_paths",
        serde_json::json!(watch_paths).to_string(),
    )?;
    bind(statement, ":source_kind", kind)?;
    bind(statement, ":source_url", url)?;
    bind(statement, ":source_image", image)?;
    bind(
        statement,
        ":source_branch",
        settings.source.branch().map(Branch::as_str),
    )?;
    let root_dir = settings.source.root_dir().map_or("", RelativePath::as_str);
    bind(statement, ":source_root_dir", root_dir)?;
    bind(statement, ":source_submodules", submodules)?;
    bind(statement, ":name", settings.name.as_str())?;
    bind(statement, ":builder", settings.build.builder.as_str())?;
    bind(statement, ":build_context", settings.build.context.as_str())?;
    bind(statement, ":build_dockerfile", settings.build.dockerfile.as_str())?;
    bind(
        statement,
        ":build_target",
        settings.build.target.as_ref().map(BuildTarget::as_str),
    )?;
    bind(
        statement,
        ":build_command",
        settings.build.build_command.as_ref().map(ContainerCommand::as_str),
    )?;
    bind(
        statement,
        ":publish_dir",
        settings.build.publish_dir.as_ref().map(RelativePath::as_str),
    )?;
    bind(statement, ":is_port_guessed", settings.is_port_guessed)?;
    bind(statement, ":auto_deploy", settings.auto_deploy)?;
    bind_run_settings(statement, &settings.run)
}

/// Binds the columns that apps and releases share.
pub(super) fn bind_run_settings(statement: &mut rusqlite::Statement<'_>, run: &RunSettings) -> rusqlite::Result<()> {
    bind(statement, ":port", run.port.get())?;
    bind(
        statement,
        ":health_path",
        run.health.path.as_ref().map(HealthPath::as_str),
    )?;
    bind(statement, ":health_timeout_s", run.health.timeout_s)?;
    bind(statement, ":memory_mb", run.resources.memory_mb)?;
    bind(statement, ":cpus", run.resources.cpus)?;
    bind(
        statement,
        ":start_command",
        run.start_command.as_ref().map(ContainerCommand::as_str),
    )?;
    bind(
        statement,
        ":release_command",
        run.release_command.as_ref().map(ContainerCommand::as_str),
    )?;
    bind(statement, ":stop_timeout_s", run.stop_timeout_s)
}

/// What serves an app: a release, and the deployment whose instance runs it.
pub type Active = (ReleaseId, DeploymentId);

/// What serves an app now.
pub fn find_active(connection: &Connection, id: AppId) -> Result<Option<Active>> {
    let sql = "SELECT active_release_id, active_deployment_id FROM apps \
         WHERE id = ?1 AND active_release_id IS NOT NULL AND active_deployment_id IS NOT NULL";
    let active = connection
        .prepare_cached(sql)?
        .query_row([id.0], |row| Ok((ReleaseId(row.get(0)?), DeploymentId(row.get(1)?))));
    Ok(active.optional()?)
}

/// Apps that something serves and that nobody has stopped.
pub fn list_wanted(connection: &Connection) -> Result<Vec<AppId>> {
    let sql = "SELECT id FROM apps \
         WHERE active_deployment_id IS NOT NULL AND stopped_at IS NULL AND deleting_at IS NULL ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([], |row| row.get(0).map(AppId))?
        .collect::<rusqlite::Result<_>>()?)
}

/// The app that a deployment's instance serves, unless somebody has stopped it.
pub fn find_wanted(connection: &Connection, deployment: DeploymentId) -> Result<Option<AppId>> {
    let sql = "SELECT apps.id FROM deployments JOIN apps ON apps.id = deployments.app_id \
         WHERE deployments.id = ?1 AND apps.active_deployment_id = ?1 AND stopped_at IS NULL AND deleting_at IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row([deployment.0], |row| row.get(0).map(AppId))
        .optional()?)
}

/// Changes what serves an app; `None` when nothing does.
pub fn update_active(connection: &Connection, id: AppId, active: Option<Active>) -> Result<()> {
    let (release, deployment) = active.map(|(release, deployment)| (release.0, deployment.0)).unzip();
    let sql = "UPDATE apps SET active_release_id = ?2, active_deployment_id = ?3 WHERE id = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![id.0, release, deployment])?;
    Ok(())
}

/// Notes since when somebody wants an app not to run; `None` when it shall run.
pub fn update_stopped(connection: &Connection, id: AppId, since: Option<Timestamp>) -> Result<()> {
    let mut statement = connection.prepare_cached("UPDATE apps SET stopped_at = ?2 WHERE id = ?1")?;
    statement.execute(params![id.0, since.map(Timestamp::as_millis)])?;
    Ok(())
}

/// Remembers the branch that a blank setting turned out to mean, unless one was chosen meanwhile.
pub fn update_branch(connection: &Connection, id: AppId, branch: &Branch) -> Result<()> {
    let sql = "UPDATE apps SET source_branch = ?2 WHERE id = ?1 AND source_branch IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![id.0, branch.as_str()])?;
    Ok(())
}

/// Remembers the port that an app was found at, unless it has another one by now; answers whether it was remembered.
pub fn update_guessed_port(connection: &Connection, id: AppId, before: Port, found: Port) -> Result<bool> {
    let sql = "UPDATE apps SET port = ?3 WHERE id = ?1 AND port = ?2 AND is_port_guessed";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.execute(params![id.0, before.get(), found.get()])? > 0)
}

/// Marks an app to be deleted; its slug and its hosts are free at once.
pub fn update_deleting(connection: &Connection, id: AppId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM domains WHERE app_id = ?1")?
        .execute([id.0])?;
    let mut statement = connection.prepare_cached("UPDATE apps SET deleting_at = ?2 WHERE id = ?1")?;
    statement.execute(params![id.0, Timestamp::now().as_millis()])?;
    Ok(())
}

/// Forgets an app whose Docker objects are gone, with everything that belongs to it.
pub fn delete(connection: &Connection, id: AppId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM apps WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}
