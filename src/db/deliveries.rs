//! Table `deliveries`: what came to webhooks. Old ones go where new ones come, and at the start.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{Page, Result, row};
use crate::model::delivery::{
    Decision, Delivery, Event, Forge, KEPT_PER_APP, KEPT_REFUSED, KEPT_S, LedTo, Push, Received, Signature, Verdict,
};
use crate::model::deployment::Status;
use crate::model::ids::{AppId, DeliveryId, DeploymentId};
use crate::model::source::CommitSha;
use crate::model::time::Timestamp;

/// Everything but the payload, which only its own page shows.
const SELECT: &str = "SELECT deliveries.id, deliveries.app_id, apps.slug AS app, received_at, forge, event, signature, \
    git_ref, before_sha, deliveries.commit_sha, deliveries.commit_message, deliveries.commit_author, is_forced, \
    skip_marker, default_branch, is_deferred, decision, rule, reason, deployment_id, deployments.number, \
    deployments.status, replay_of \
    FROM deliveries JOIN apps ON apps.id = deliveries.app_id LEFT JOIN deployments ON deployments.id = deployment_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: DeliveryId(row.get("id")?),
        app_id: AppId(row.get("app_id")?),
        app: row.get("app")?,
        received_at: Timestamp::from_millis(row.get("received_at")?),
        forge: row::optional_text(row, "forge", Forge::parse)?,
        event: row.get("event")?,
        push: push_from_row(row)?,
        signature: row::text(row, "signature", Signature::parse)?,
        is_deferred: row.get("is_deferred")?,
        verdict: verdict_from_row(row)?,
        deployment: led_to_from_row(row)?,
        replay_of: row.get::<_, Option<i64>>("replay_of")?.map(DeliveryId),
    })
}

fn led_to_from_row(row: &Row<'_>) -> rusqlite::Result<Option<LedTo>> {
    let Some(status) = row::optional_text(row, "status", Status::parse)? else {
        return Ok(None);
    };
    Ok(Some(LedTo {
        id: DeploymentId(row.get("deployment_id")?),
        number: row.get("number")?,
        status,
    }))
}

fn push_from_row(row: &Row<'_>) -> rusqlite::Result<Option<Push>> {
    let Some(git_ref) = row.get("git_ref")? else {
        return Ok(None);
    };
    Ok(Some(Push {
        git_ref,
        before: row::optional_text(row, "before_sha", CommitSha::parse)?,
        after: row::optional_text(row, "commit_sha", CommitSha::parse)?,
        is_forced: row.get("is_forced")?,
        message: row.get::<_, Option<String>>("commit_message")?.unwrap_or_default(),
        author: row.get::<_, Option<String>>("commit_author")?.unwrap_or_default(),
        skip_marker: row.get("skip_marker")?,
        default_branch: row.get("default_branch")?,
    }))
}

fn verdict_from_row(row: &Row<'_>) -> rusqlite::Result<Option<Verdict>> {
    let Some(decision) = row::optional_text(row, "decision", Decision::parse)? else {
        return Ok(None);
    };
    Ok(Some(Verdict {
        decision,
        rule: row.get::<_, Option<String>>("rule")?.unwrap_or_default(),
        reason: row.get::<_, Option<String>>("reason")?.unwrap_or_default(),
    }))
}

fn query(connection: &Connection, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Delivery>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE {condition}"))?;
    Ok(statement
        .query_map(values, from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// A delivery by its id.
pub fn find(connection: &Connection, id: DeliveryId) -> Result<Option<Delivery>> {
    Ok(query(connection, "deliveries.id = ?1", [id.0])?.pop())
}

/// The accepted delivery that a forge gave this id.
pub fn find_accepted(connection: &Connection, app: AppId, forge_id: &str) -> Result<Option<Delivery>> {
    let condition = "deliveries.app_id = ?1 AND forge_id = ?2 AND signature = 'valid'";
    Ok(query(connection, condition, params![app.0, forge_id])?.pop())
}

/// The payload of a delivery, masked and capped.
pub fn find_payload(connection: &Connection, id: DeliveryId) -> Result<String> {
    let sql = "SELECT payload FROM deliveries WHERE id = ?1";
    let found = connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0));
    Ok(found.optional()?.unwrap_or_default())
}

/// A page of what came to an app's webhook, newest first.
pub fn list_of_app(connection: &Connection, app: AppId, page: Page) -> Result<Vec<Delivery>> {
    let condition = "deliveries.app_id = ?1 AND deliveries.id < ?2 ORDER BY deliveries.id DESC LIMIT ?3";
    query(connection, condition, params![app.0, page.before(), page.limit])
}

/// A page of what came to all webhooks, newest first.
pub fn list(connection: &Connection, page: Page) -> Result<Vec<Delivery>> {
    let condition = "apps.deleting_at IS NULL AND deliveries.id < ?1 ORDER BY deliveries.id DESC LIMIT ?2";
    query(connection, condition, params![page.before(), page.limit])
}

/// Apps with deliveries that wait for a decision.
pub fn list_undecided_apps(connection: &Connection) -> Result<Vec<AppId>> {
    let sql = "SELECT DISTINCT app_id FROM deliveries JOIN apps ON apps.id = app_id \
         WHERE decision IS NULL AND deleting_at IS NULL ORDER BY app_id";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_map([], |row| row.get(0).map(AppId))?
        .collect::<rusqlite::Result<_>>()?)
}

/// An app's deliveries that wait for a decision, in their order.
pub fn list_undecided_of_app(connection: &Connection, app: AppId) -> Result<Vec<Delivery>> {
    query(
        connection,
        "deliveries.app_id = ?1 AND decision IS NULL ORDER BY deliveries.id",
        [app.0],
    )
}

/// What is stored of a delivery besides the request itself.
#[derive(Debug, Clone, Copy)]
pub struct Handled<'a> {
    /// Whether it was signed.
    pub signature: Signature,
    /// What was decided; `None` for one that waits.
    pub verdict: Option<&'a Verdict>,
    /// The deployment that it led to.
    pub deployment: Option<DeploymentId>,
    /// The earlier one that is handled once more.
    pub replay_of: Option<DeliveryId>,
}

/// Stores a delivery, and forgets what is too old or too much.
pub fn insert(connection: &Connection, app: AppId, received: &Received, handled: Handled<'_>) -> Result<DeliveryId> {
    let push = match &received.event {
        Event::Push(push) => Some(push),
        Event::Pushes(_) | Event::Ping | Event::Other | Event::Unreadable(_) => None,
    };
    let (decision, rule, reason) = decided(handled.verdict);
    let mut statement = connection.prepare_cached(
        "INSERT INTO deliveries (app_id, received_at, forge, event, forge_id, signature, git_ref, before_sha, \
         commit_sha, commit_message, commit_author, is_forced, skip_marker, default_branch, is_deferred, \
         decision, rule, reason, deployment_id, replay_of, payload) \
         VALUES (:app, :now, :forge, :event, :forge_id, :signature, :git_ref, :before, :after, :message, :author, \
         :is_forced, :skip_marker, :default_branch, :is_deferred, :decision, :rule, :reason, :deployment, :replay_of, \
         :payload)",
    )?;
    let id = statement.insert(named_params! {
        ":app": app.0,
        ":now": Timestamp::now().as_millis(),
        ":forge": received.forge.map(Forge::as_str),
        ":event": received.event_name,
        ":forge_id": received.forge_id,
        ":signature": handled.signature.as_str(),
        ":git_ref": push.map(|push| &push.git_ref),
        ":before": push.and_then(|push| push.before.as_ref()).map(CommitSha::as_str),
        ":after": push.and_then(|push| push.after.as_ref()).map(CommitSha::as_str),
        ":message": push.map(|push| &push.message),
        ":author": push.map(|push| &push.author),
        ":is_forced": push.is_some_and(|push| push.is_forced),
        ":skip_marker": push.and_then(|push| push.skip_marker.as_ref()),
        ":default_branch": push.and_then(|push| push.default_branch.as_ref()),
        ":is_deferred": handled.verdict.is_none(),
        ":decision": decision,
        ":rule": rule,
        ":reason": reason,
        ":deployment": handled.deployment.map(|id| id.0),
        ":replay_of": handled.replay_of.map(|id| id.0),
        ":payload": received.payload,
    })?;
    delete_old(connection, app)?;
    Ok(DeliveryId(id))
}

fn decided(verdict: Option<&Verdict>) -> (Option<&'static str>, Option<&str>, Option<&str>) {
    match verdict {
        Some(Verdict { decision, rule, reason }) => (Some(decision.as_str()), Some(rule), Some(reason)),
        None => (None, None, None),
    }
}

/// Writes what was decided about one that waited; `false` when it waits no more.
pub fn update_decided(
    connection: &Connection,
    id: DeliveryId,
    verdict: &Verdict,
    deployment: Option<DeploymentId>,
) -> Result<bool> {
    let sql = "UPDATE deliveries SET decision = ?2, rule = ?3, reason = ?4, deployment_id = ?5 \
         WHERE id = ?1 AND decision IS NULL";
    let (decision, rule, reason) = decided(Some(verdict));
    let values = params![id.0, decision, rule, reason, deployment.map(|id| id.0)];
    Ok(connection.prepare_cached(sql)?.execute(values)? > 0)
}

/// Deletes what is older than it is kept, of all apps.
pub fn delete_expired(connection: &Connection) -> Result<()> {
    let oldest = Timestamp::now().plus_seconds(-KEPT_S).as_millis();
    connection
        .prepare_cached("DELETE FROM deliveries WHERE received_at < ?1 AND decision IS NOT NULL")?
        .execute([oldest])?;
    Ok(())
}

fn delete_old(connection: &Connection, app: AppId) -> Result<()> {
    delete_expired(connection)?;
    for (condition, kept) in [("1", KEPT_PER_APP), ("signature <> 'valid'", KEPT_REFUSED)] {
        let sql = format!(
            "DELETE FROM deliveries WHERE app_id = ?1 AND decision IS NOT NULL AND {condition} AND id <= \
             (SELECT id FROM deliveries WHERE app_id = ?1 AND {condition} ORDER BY id DESC LIMIT 1 OFFSET ?2)"
        );
        connection.prepare_cached(&sql)?.execute(params![app.0, kept])?;
    }
    Ok(())
}
