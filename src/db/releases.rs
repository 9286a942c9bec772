//! Table `releases`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Result, apps};
use crate::model::app::RunSettings;
use crate::model::deployment::CommitInfo;
use crate::model::ids::{AppId, DeploymentId, ReleaseId};
use crate::model::release::Release;
use crate::model::time::Timestamp;

const COLUMNS: &str = "id, app_id, number, deployment_id, image_id, commit_sha, commit_message, commit_author, \
    port, health_path, health_timeout_s, memory_mb, cpus, start_command, release_command, created_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Release> {
    Ok(Release {
        id: ReleaseId(row.get("id")?),
        app_id: AppId(row.get("app_id")?),
        number: row.get("number")?,
        deployment_id: DeploymentId(row.get("deployment_id")?),
        image_id: row.get("image_id")?,
        commit: commit_from_row(row)?,
        run: apps::run_settings_from_row(row)?,
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

/// A release by its id.
pub fn find(connection: &Connection, id: ReleaseId) -> Result<Option<Release>> {
    let sql = format!("SELECT {COLUMNS} FROM releases WHERE id = ?1");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([id.0], from_row)
        .optional()?)
}

/// An app's newest releases.
pub fn list_newest(connection: &Connection, app: AppId, limit: u32) -> Result<Vec<Release>> {
    let sql = format!("SELECT {COLUMNS} FROM releases WHERE app_id = ?1 ORDER BY number DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_map(params![app.0, limit], from_row)?
        .collect::<rusqlite::Result<_>>()?)
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
    /// How its instances run.
    pub run: &'a RunSettings,
}

/// Adds a release.
pub fn insert(connection: &Connection, new: &NewRelease<'_>) -> Result<ReleaseId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO releases (app_id, number, deployment_id, image_id, commit_sha, commit_message, commit_author, \
         created_at, port, health_path, health_timeout_s, memory_mb, cpus, start_command, release_command) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
         :port, :health_path, :health_timeout_s, :memory_mb, :cpus, :start_command, :release_command)",
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
    statement.raw_execute()?;
    Ok(ReleaseId(connection.last_insert_rowid()))
}

/// Forgets a release that never became live.
pub fn delete(connection: &Connection, id: ReleaseId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM releases WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}
