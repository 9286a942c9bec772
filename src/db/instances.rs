//! Table `instances`, one row an app; it is read together with its app.

use rusqlite::{Connection, Row, params};

use super::{Result, row};
use crate::model::ids::{AppId, DeploymentId};
use crate::model::instance::{Instance, InstanceState};
use crate::model::time::Timestamp;

/// The row beside an app's in a join, if there is one.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Option<Instance>> {
    let Some(deployment) = row.get("instance_deployment_id")? else {
        return Ok(None);
    };
    Ok(Some(Instance {
        deployment_id: DeploymentId(deployment),
        state: row::text(row, "state", InstanceState::parse)?,
        since: Timestamp::from_millis(row.get("since")?),
        exit_code: row.get("exit_code")?,
        was_out_of_memory: row.get("was_out_of_memory")?,
        is_unhealthy: row.get("is_unhealthy")?,
        restarts: row.get("restarts")?,
    }))
}

/// Writes what was seen of an app's instance in the place of what was seen before.
pub fn update(connection: &Connection, app: AppId, instance: &Instance) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO instances \
         (app_id, deployment_id, state, since, exit_code, was_out_of_memory, is_unhealthy, restarts) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    statement.execute(params![
        app.0,
        instance.deployment_id.0,
        instance.state.as_str(),
        instance.since.as_millis(),
        instance.exit_code,
        instance.was_out_of_memory,
        instance.is_unhealthy,
        instance.restarts,
    ])?;
    Ok(())
}
