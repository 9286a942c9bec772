//! Table `build_plans`: how each app's source would be built, as it was last seen.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Result, row};
use crate::model::Invalid;
use crate::model::build_plan::{PlanOutcome, SeenPlan};
use crate::model::ids::AppId;
use crate::model::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<SeenPlan> {
    Ok(SeenPlan {
        outcome: row::optional_text(row, "outcome", |text| {
            serde_json::from_str(text).map_err(|error| Invalid::new(error.to_string()))
        })?,
        seen_at: Timestamp::from_millis(row.get("created_at")?),
    })
}

/// What was last seen of an app's source.
pub fn find(connection: &Connection, app: AppId) -> Result<Option<SeenPlan>> {
    let sql = "SELECT outcome, created_at FROM build_plans WHERE app_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([app.0], from_row).optional()?)
}

/// Stores what was seen of an app's source in place of what was seen before; `None` asks for a look.
pub fn replace(connection: &Connection, app: AppId, outcome: Option<&PlanOutcome>) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO build_plans (app_id, outcome, created_at) VALUES (?1, ?2, ?3)";
    let text = outcome.map(|outcome| serde_json::to_string(outcome).expect("texts in lists are valid JSON"));
    connection
        .prepare_cached(sql)?
        .execute(params![app.0, text, Timestamp::now().as_millis()])?;
    Ok(())
}

/// The apps whose source is to be looked at.
pub fn list_unseen(connection: &Connection) -> Result<Vec<AppId>> {
    let sql = "SELECT app_id FROM build_plans JOIN apps ON apps.id = app_id \
         WHERE outcome IS NULL AND deleting_at IS NULL ORDER BY app_id";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([], |row| row.get(0).map(AppId))?
        .collect::<rusqlite::Result<_>>()?)
}
