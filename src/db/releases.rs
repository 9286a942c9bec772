//! Table `releases`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Page, Result, apps, row};
use crate::model::Invalid;
use crate::model::app::{Port, RunSettings};
use crate::model::build_inputs::BuildInputs;
use crate::model::deployment::CommitInfo;
use crate::model::ids::{AppId, DeploymentId, ReleaseId};
use crate::model::release::Release;
use crate::model::source::PulledImage;
use crate::model::time::Timestamp;

const COLUMNS: &str = "id, app_id, number, deployment_id, image_id, commit_sha, commit_message, commit_author, \
    image_name, image_digest, port, health_path, health_timeout_s, memory_mb, cpus, start_command, release_command, \
    stop_timeout_s, build_inputs, created_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Release> {
    Ok(Release {
        id: ReleaseId(row.get("id")?),
        app_id: AppId(row.get("app_id")?),
        number: row.get("number")?,
        deployment_id: DeploymentId(row.get("deployment_id")?),
        image_id: row.get("image_id")?,
        commit: commit_from_row(row)?,
        image: image_from_row(row)?,
        run: apps::run_settings_from_row(row)?,
        build_inputs: build_inputs_from_row(row)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
    })
}

/// The columns of a commit, as releases and deployments have them.
pub(super) fn commit_from_row(row: &Row<'_>) -> rusqlite::Result<Option<CommitInfo>> {
    let Some(sha) = row.get("commit_sha")? else {
        return Ok(None);
    };
    Ok(Some(CommitInfo {
        sha,
        message: row.get::<_, Option<String>>("commit_message")?.unwrap_or_default(),
        author: row.get::<_, Option<String>>("commit_author")?.unwrap_or_default(),
    }))
}

/// The columns of a ready image, as releases and deployments have them.
pub(super) fn image_from_row(row: &Row<'_>) -> rusqlite::Result<Option<PulledImage>> {
    let Some(name) = row.get("image_name")? else {
        return Ok(None);
    };
    Ok(Some(PulledImage {
        name,
        digest: row.get("image_digest")?,
    }))
}

fn build_inputs_from_row(row: &Row<'_>) -> rusqlite::Result<Option<BuildInputs>> {
    row::optional_text(row, "build_inputs", |text| {
        serde_json::from_str(text).map_err(|error| Invalid::new(error.to_string()))
    })
}

/// A release by its id.
pub fn find(connection: &Connection, id: ReleaseId) -> Result<Option<Release>> {
    let sql = format!("SELECT {COLUMNS} FROM releases WHERE id = ?1");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// A release by its number in an app.
pub fn find_by_number(connection: &Connection, app: AppId, number: i64) -> Result<Option<Release>> {
    let sql = format!("SELECT {COLUMNS} FROM releases WHERE app_id = ?1 AND number = ?2");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([app.0, number], from_row)
        .optional()?)
}

/// A page of an app's releases, newest first; the cursor is their number.
pub fn list_of_app(connection: &Connection, app: AppId, page: Page) -> Result<Vec<Release>> {
    let sql = format!("SELECT {COLUMNS} FROM releases WHERE app_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_map(params![app.0, page.before(), page.limit], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// The images that an app may still need: of its newest releases, and of the one that serves.
pub fn list_kept_images(connection: &Connection, app: AppId, newest: u32) -> Result<Vec<String>> {
    let sql = "SELECT image_id FROM (SELECT image_id FROM releases WHERE app_id = ?1 ORDER BY number DESC LIMIT ?2) \
         UNION SELECT image_id FROM releases WHERE id = (SELECT active_release_id FROM apps WHERE id = ?1)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map(params![app.0, newest], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Whether a release of an app is of a ready image with that digest.
pub fn has_image(connection: &Connection, app: AppId, digest: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM releases WHERE app_id = ?1 AND image_digest = ?2)";
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params![app.0, digest], |row| row.get(0))?)
}

/// What the images of all apps' releases were made of, where it is known.
pub fn list_build_inputs(connection: &Connection) -> Result<Vec<(ReleaseId, BuildInputs)>> {
    let sql = "SELECT id, build_inputs FROM releases WHERE build_inputs IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((ReleaseId(row.get("id")?), build_inputs_from_row(row)?)))?;
    let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, inputs)| Some((id, inputs?)))
        .collect())
}

/// Writes what a release's image was made of under another key.
pub fn update_build_inputs(connection: &Connection, release: ReleaseId, inputs: &BuildInputs) -> Result<()> {
    connection
        .prepare_cached("UPDATE releases SET build_inputs = ?2 WHERE id = ?1")?
        .execute(params![release.0, to_text(inputs)])?;
    Ok(())
}

/// Writes the port that a release's instance was found at.
pub fn update_port(connection: &Connection, release: ReleaseId, port: Port) -> Result<()> {
    connection
        .prepare_cached("UPDATE releases SET port = ?2 WHERE id = ?1")?
        .execute(params![release.0, port.get()])?;
    Ok(())
}

fn to_text(inputs: &BuildInputs) -> String {
    serde_json::to_string(inputs).expect("maps of texts are valid JSON")
}

/// The number that an app's next release gets.
pub fn next_number(connection: &Connection, app: AppId) -> Result<i64> {
    let sql = "SELECT coalesce(max(number), 0) + 1 FROM releases WHERE app_id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([app.0], |row| row.get(0))?)
}

/// What a new release is made of.
pub struct NewRelease<'a> {
    /// Whose it is.
    pub app_id: AppId,
    /// Counts from 1 in its app.
    pub number: i64,
    /// The deployment that makes it.
    pub deployment_id: DeploymentId,
    /// The image's id.
    pub image_id: &'a str,
    /// The commit it was built from.
    pub commit: Option<&'a CommitInfo>,
    /// The ready image that it is.
    pub image: Option<&'a PulledImage>,
    /// How its instances run.
    pub run: &'a RunSettings,
    /// What went into its image.
    pub build_inputs: &'a BuildInputs,
}

/// Adds a release.
pub fn insert(connection: &Connection, new: &NewRelease<'_>) -> Result<ReleaseId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO releases (app_id, number, deployment_id, image_id, commit_sha, commit_message, commit_author, \
         created_at, build_inputs, image_name, image_digest, \
         port, health_path, health_timeout_s, memory_mb, cpus, start_command, release_command, stop_timeout_s) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, :port, :health_path, :health_timeout_s, \
         :memory_mb, :cpus, :start_command, :release_command, :stop_timeout_s)",
    )?;
    apps::bind_run_settings(&mut statement, new.run)?;
    statement.raw_bind_parameter(1, new.app_id.0)?;
    statement.raw_bind_parameter(2, new.number)?;
    statement.raw_bind_parameter(3, new.deployment_id.0)?;
    statement.raw_bind_parameter(4, new.image_id)?;
    statement.raw_bind_parameter(5, new.commit.map(|commit| &commit.sha))?;
    statement.raw_bind_parameter(6, new.commit.map(|commit| &commit.message))?;
    statement.raw_bind_parameter(7, new.commit.map(|commit| &commit.author))?;
    statement.raw_bind_parameter(8, Timestamp::now().as_millis())?;
    statement.raw_bind_parameter(9, to_text(new.build_inputs))?;
    statement.raw_bind_parameter(10, new.image.map(|image| &image.name))?;
    statement.raw_bind_parameter(11, new.image.and_then(|image| image.digest.as_ref()))?;
    statement.raw_execute()?;
    Ok(ReleaseId(connection.last_insert_rowid()))
}

/// Forgets the release that a deployment made, unless it is `kept`.
pub fn delete_of_deployment(connection: &Connection, deployment: DeploymentId, kept: Option<ReleaseId>) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM releases WHERE deployment_id = ?1 AND id IS NOT ?2")?
        .execute(params![deployment.0, kept.map(|release| release.0)])?;
    Ok(())
}
