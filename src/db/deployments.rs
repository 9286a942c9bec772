//! Tables `deployments` and `deployment_steps`. The queued rows are the queue.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::apps::Active;
use super::{Page, Result, releases, row};
use crate::model::delivery::Asked;
use crate::model::deployment::{
    CommitInfo, Deployment, ErrorKind, Status, Step, StepRun, SwitchReport, Trigger, Wanted,
};
use crate::model::ids::{AppId, DeploymentId, ReleaseId, UserId};
use crate::model::source::{CommitSha, PulledImage};
use crate::model::time::Timestamp;

const COLUMNS: &str = "id, app_id, number, status, step, trigger, wanted_commit, wanted_release_id, is_fresh, \
    commit_sha, commit_message, commit_author, image_name, image_digest, created_at, started_at, finished_at, \
    error_kind, error_message, \
    release_id, (SELECT number FROM releases WHERE releases.id = release_id) AS release_number, \
    switch_requests, switch_failed, switch_ms";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Deployment> {
    let error = row::optional_text(row, "error_kind", ErrorKind::parse)?;
    let message: Option<String> = row.get("error_message")?;
    let requests: Option<i64> = row.get("switch_requests")?;
    let (failed, millis): (Option<i64>, Option<i64>) = (row.get("switch_failed")?, row.get("switch_ms")?);
    let moment = |column| {
        row.get::<_, Option<i64>>(column)
            .map(|millis| millis.map(Timestamp::from_millis))
    };
    Ok(Deployment {
        id: DeploymentId(row.get("id")?),
        app_id: AppId(row.get("app_id")?),
        number: row.get("number")?,
        status: row::text(row, "status", Status::parse)?,
        step: row::optional_text(row, "step", Step::parse)?,
        trigger: row::text(row, "trigger", Trigger::parse)?,
        wanted_commit: row.get("wanted_commit")?,
        wanted_release_id: row.get::<_, Option<i64>>("wanted_release_id")?.map(ReleaseId),
        is_fresh: row.get("is_fresh")?,
        commit: releases::commit_from_row(row)?,
        image: releases::image_from_row(row)?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        started_at: moment("started_at")?,
        finished_at: moment("finished_at")?,
        error: error.map(|kind| (kind, message.unwrap_or_default())),
        release_id: row.get::<_, Option<i64>>("release_id")?.map(ReleaseId),
        release_number: row.get("release_number")?,
        switch: requests
            .zip(failed)
            .zip(millis)
            .map(|((requests, failed), millis)| SwitchReport {
                requests,
                failed,
                millis,
            }),
    })
}

fn query(connection: &Connection, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Deployment>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM deployments WHERE {condition}"))?;
    Ok(statement
        .query_map(values, from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// A deployment by its id.
pub fn find(connection: &Connection, id: DeploymentId) -> Result<Option<Deployment>> {
    Ok(query(connection, "id = ?1", [id.0])?.pop())
}

/// How long the last build of an app took that went live, in milliseconds.
pub fn find_last_build(connection: &Connection, app: AppId) -> Result<Option<i64>> {
    let sql = "SELECT ms FROM deployments JOIN deployment_steps ON deployment_id = id AND deployment_steps.step = 'build' \
         WHERE app_id = ?1 AND status = 'succeeded' AND ms IS NOT NULL ORDER BY number DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([app.0], |row| row.get(0)).optional()?)
}

/// A deployment by its number in an app.
pub fn find_by_number(connection: &Connection, app: AppId, number: i64) -> Result<Option<Deployment>> {
    Ok(query(connection, "app_id = ?1 AND number = ?2", [app.0, number])?.pop())
}

/// A page of an app's deployments, newest first; the cursor is their number.
pub fn list_of_app(connection: &Connection, app: AppId, page: Page) -> Result<Vec<Deployment>> {
    let condition = "app_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
    query(connection, condition, params![app.0, page.before(), page.limit])
}

/// The newest deployments of all apps that are not being deleted, or of those in a user's projects.
pub fn list_newest(connection: &Connection, member: Option<UserId>, limit: u32) -> Result<Vec<Deployment>> {
    let condition = "app_id IN (SELECT id FROM apps WHERE deleting_at IS NULL AND (?1 IS NULL OR project_id IN \
         (SELECT project_id FROM memberships WHERE user_id = ?1))) ORDER BY id DESC LIMIT ?2";
    query(connection, condition, params![member.map(|id| id.0), limit])
}

/// All that a former process left running.
pub fn list_running(connection: &Connection) -> Result<Vec<Deployment>> {
    query(connection, "status = 'running' ORDER BY id", [])
}

/// What was cancelled and has not ended.
pub fn list_cancel_asked(connection: &Connection) -> Result<Vec<Deployment>> {
    let condition = "status IN ('queued', 'running') AND cancel_asked_at IS NOT NULL ORDER BY id";
    query(connection, condition, [])
}

/// All ids of an app's deployments, to remove their logs.
pub fn list_ids_of_app(connection: &Connection, app: AppId) -> Result<Vec<DeploymentId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM deployments WHERE app_id = ?1")?;
    Ok(statement
        .query_map([app.0], |row| row.get(0).map(DeploymentId))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Whether an app was ever to be deployed for a push of that commit.
pub fn is_pushed(connection: &Connection, app: AppId, commit: &str) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM deployments WHERE app_id = ?1 AND trigger = 'push' AND wanted_commit = ?2)",
    )?;
    Ok(statement.query_row(params![app.0, commit], |row| row.get(0))?)
}

/// An app's deployments that wait.
pub fn list_queued_of_app(connection: &Connection, app: AppId) -> Result<Vec<Deployment>> {
    query(connection, "app_id = ?1 AND status = 'queued' ORDER BY id", [app.0])
}

/// An app's deployments that wait or run.
pub fn list_unfinished_of_app(connection: &Connection, app: AppId) -> Result<Vec<DeploymentId>> {
    let found = query(
        connection,
        "app_id = ?1 AND status IN ('queued', 'running') ORDER BY id",
        [app.0],
    )?;
    Ok(found.into_iter().map(|deployment| deployment.id).collect())
}

/// The newest commits of a branch that an app was to be deployed from, newest request first. What somebody cancelled
/// was not wanted after all.
pub fn list_asked(connection: &Connection, app: AppId, branch: &str, limit: u32) -> Result<Vec<Asked>> {
    let sql = "SELECT deployments.id, number, coalesce(deployments.commit_sha, wanted_commit) AS sha, before_sha, \
         coalesce(is_forced, 0) AS is_forced FROM deployments \
         LEFT JOIN deliveries ON deliveries.id = (SELECT max(id) FROM deliveries WHERE deployment_id = deployments.id) \
         WHERE deployments.app_id = ?1 AND branch = ?2 AND length(sha) = 40 AND status <> 'cancelled' \
         ORDER BY deployments.id DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let asked = statement.query_map(params![app.0, branch, limit], |row| {
        Ok(Asked {
            deployment: DeploymentId(row.get("id")?),
            number: row.get("number")?,
            commit: row::text(row, "sha", CommitSha::parse)?,
            before: row::optional_text(row, "before_sha", CommitSha::parse)?,
            is_forced: row.get("is_forced")?,
        })
    })?;
    Ok(asked.collect::<rusqlite::Result<_>>()?)
}

/// The branch whose commit a deployment is about.
pub fn find_branch(connection: &Connection, id: DeploymentId) -> Result<Option<String>> {
    let sql = "SELECT branch FROM deployments WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}

/// The steps of a deployment as they went.
pub fn list_steps(connection: &Connection, id: DeploymentId) -> Result<Vec<StepRun>> {
    let sql = "SELECT step, started_at, ms FROM deployment_steps WHERE deployment_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut steps: Vec<StepRun> = statement
        .query_map([id.0], |row| {
            Ok(StepRun {
                step: row::text(row, "step", Step::parse)?,
                started_at: Timestamp::from_millis(row.get("started_at")?),
                millis: row.get("ms")?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    steps.sort_by_key(|run| run.step);
    Ok(steps)
}

/// Puts a request into the queue. Its turn is that of a request since `waits_since`, or of one that comes now.
pub fn insert(
    connection: &Connection,
    app: AppId,
    trigger: Trigger,
    wanted: &Wanted,
    waits_since: Option<Timestamp>,
) -> Result<DeploymentId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO deployments \
         (app_id, number, status, trigger, wanted_commit, wanted_release_id, created_at, waits_since, is_fresh) \
         SELECT ?1, coalesce(max(number), 0) + 1, 'queued', ?2, ?3, ?4, ?5, ?6, ?7 FROM deployments WHERE app_id = ?1",
    )?;
    let (commit, release) = match wanted {
        Wanted::Newest | Wanted::Fresh => (None, None),
        Wanted::Commit(commit) => (Some(commit.as_str()), None),
        Wanted::Release(release) => (None, Some(release.0)),
    };
    let now = Timestamp::now();
    let waits_since = waits_since.unwrap_or(now).as_millis();
    Ok(DeploymentId(statement.insert(params![
        app.0,
        trigger.as_str(),
        commit,
        release,
        now.as_millis(),
        waits_since,
        *wanted == Wanted::Fresh
    ])?))
}

/// Since when a request waits for its turn.
pub fn find_waits_since(connection: &Connection, id: DeploymentId) -> Result<Timestamp> {
    let sql = "SELECT waits_since FROM deployments WHERE id = ?1";
    let millis = connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?;
    Ok(Timestamp::from_millis(millis))
}

/// What an app does before a queued request of it gets its turn: the deployment that runs, else one that waits longer.
pub fn find_before_in_app(connection: &Connection, app: AppId, id: DeploymentId) -> Result<Option<Deployment>> {
    let condition = "app_id = ?1 AND id <> ?2 AND (status = 'running' OR (status = 'queued' \
         AND (waits_since, id) < (SELECT waits_since, id FROM deployments WHERE id = ?2))) \
         ORDER BY status = 'queued', waits_since, id LIMIT 1";
    Ok(query(connection, condition, params![app.0, id.0])?.pop())
}

/// How many deployments of other apps come before a queued one: those that hold a place, and those that wait longer.
pub fn count_before_of_others(connection: &Connection, id: DeploymentId) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM deployments AS other JOIN deployments AS this ON this.id = ?1 \
         WHERE other.app_id <> this.app_id AND this.trigger NOT IN ('rollback', 'restart') \
         AND other.trigger NOT IN ('rollback', 'restart') AND ((other.status = 'running' AND other.step IS NOT 'retire') \
         OR (other.status = 'queued' AND (other.waits_since, other.id) < (this.waits_since, this.id)))",
    )?;
    Ok(statement.query_row([id.0], |row| row.get(0))?)
}

/// Takes the request that waits longest and whose app is not in `busy`: from queued to running, or nothing. Without
/// room, only one that builds nothing.
pub fn claim_next(connection: &Connection, busy: &[AppId], has_room: bool) -> Result<Option<Deployment>> {
    let busy = busy.iter().map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let sql = "SELECT deployments.id FROM deployments JOIN apps ON apps.id = app_id \
         WHERE status = 'queued' AND apps.deleting_at IS NULL \
         AND app_id NOT IN (SELECT value FROM json_each('[' || ?1 || ']')) \
         AND (?2 OR trigger IN ('rollback', 'restart')) \
         ORDER BY waits_since, deployments.id LIMIT 1";
    let next: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(params![busy, has_room], |row| row.get(0))
        .optional()?;
    let Some(id) = next else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "UPDATE deployments SET status = 'running', step = NULL, started_at = ?2 WHERE id = ?1 AND status = 'queued'",
    )?;
    statement.execute(params![id, Timestamp::now().as_millis()])?;
    find(connection, DeploymentId(id))
}

/// Notes that somebody does not want a deployment any more.
pub fn update_cancel_asked(connection: &Connection, id: DeploymentId) -> Result<()> {
    let sql = "UPDATE deployments SET cancel_asked_at = ?2 WHERE id = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![id.0, Timestamp::now().as_millis()])?;
    Ok(())
}

/// Enters a step.
pub fn update_step(connection: &Connection, id: DeploymentId, step: Step) -> Result<()> {
    let sql = "UPDATE deployments SET step = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![id.0, step.as_str()])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO deployment_steps (deployment_id, step, started_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (deployment_id, step) DO UPDATE SET started_at = excluded.started_at, ms = NULL",
    )?;
    statement.execute(params![id.0, step.as_str(), Timestamp::now().as_millis()])?;
    Ok(())
}

/// Notes how long a step took.
pub fn update_step_ended(connection: &Connection, id: DeploymentId, step: Step) -> Result<()> {
    let sql = "UPDATE deployment_steps SET ms = max(0, ?3 - started_at) WHERE deployment_id = ?1 AND step = ?2";
    connection
        .prepare_cached(sql)?
        .execute(params![id.0, step.as_str(), Timestamp::now().as_millis()])?;
    Ok(())
}

/// Notes the commit that was found.
pub fn update_commit(connection: &Connection, id: DeploymentId, commit: &CommitInfo) -> Result<()> {
    let sql = "UPDATE deployments SET commit_sha = ?2, commit_message = ?3, commit_author = ?4 WHERE id = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![id.0, commit.sha, commit.message, commit.author])?;
    Ok(())
}

/// Notes the ready image that was found.
pub fn update_image(connection: &Connection, id: DeploymentId, image: &PulledImage) -> Result<()> {
    let sql = "UPDATE deployments SET image_name = ?2, image_digest = ?3 WHERE id = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![id.0, image.name, image.digest])?;
    Ok(())
}

/// Notes the branch whose commit a deployment is about.
pub fn update_branch(connection: &Connection, id: DeploymentId, branch: &str) -> Result<()> {
    let sql = "UPDATE deployments SET branch = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![id.0, branch])?;
    Ok(())
}

/// Notes the release that the deployment makes live.
pub fn update_release(connection: &Connection, id: DeploymentId, release: Option<ReleaseId>) -> Result<()> {
    let mut statement = connection.prepare_cached("UPDATE deployments SET release_id = ?2 WHERE id = ?1")?;
    statement.execute(params![id.0, release.map(|release| release.0)])?;
    Ok(())
}

/// Notes what an undo of the switch has to put back.
pub fn update_replaced(connection: &Connection, id: DeploymentId, replaced: Option<Active>) -> Result<()> {
    let (release, deployment) = replaced.map(|(release, deployment)| (release.0, deployment.0)).unzip();
    let sql = "UPDATE deployments SET replaced_release_id = ?2, replaced_deployment_id = ?3 WHERE id = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![id.0, release, deployment])?;
    Ok(())
}

/// What an undo of the switch has to put back; nothing when nothing served.
pub fn find_replaced(connection: &Connection, id: DeploymentId) -> Result<Option<Active>> {
    let sql = "SELECT replaced_release_id, replaced_deployment_id FROM deployments \
         WHERE id = ?1 AND replaced_release_id IS NOT NULL AND replaced_deployment_id IS NOT NULL";
    let replaced = connection
        .prepare_cached(sql)?
        .query_row([id.0], |row| Ok((ReleaseId(row.get(0)?), DeploymentId(row.get(1)?))));
    Ok(replaced.optional()?)
}

/// Notes what the switch cost.
pub fn update_switch(connection: &Connection, id: DeploymentId, report: &SwitchReport) -> Result<()> {
    let sql = "UPDATE deployments SET switch_requests = ?2, switch_failed = ?3, switch_ms = ?4 WHERE id = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![id.0, report.requests, report.failed, report.millis])?;
    Ok(())
}

/// Gives a running deployment back to the queue, at its old place.
pub fn update_requeued(connection: &Connection, id: DeploymentId) -> Result<()> {
    let sql = "UPDATE deployments SET status = 'queued', started_at = NULL WHERE id = ?1 AND status = 'running'";
    connection.prepare_cached(sql)?.execute([id.0])?;
    Ok(())
}

/// Counts that Dhow or the engine ended during the present step; answers how often that was so in this step.
pub fn update_died(connection: &Connection, id: DeploymentId) -> Result<i64> {
    let sql = "UPDATE deployments SET deaths = CASE WHEN death_step IS step THEN deaths + 1 ELSE 1 END, \
         death_step = step WHERE id = ?1 RETURNING deaths";
    Ok(connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}

/// Writes the final status; `false` when the deployment had ended already.
pub fn update_finished(
    connection: &Connection,
    id: DeploymentId,
    status: Status,
    error: Option<&(ErrorKind, String)>,
) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "UPDATE deployments SET status = ?2, finished_at = ?3, error_kind = ?4, error_message = ?5 \
         WHERE id = ?1 AND status IN ('queued', 'running')",
    )?;
    let now = Timestamp::now().as_millis();
    let (kind, message) = error.map(|(kind, message)| (kind.as_str(), message)).unzip();
    let changed = statement.execute(params![id.0, status.as_str(), now, kind, message])?;
    let sql = "UPDATE deployment_steps SET ms = max(0, ?2 - started_at) WHERE deployment_id = ?1 AND ms IS NULL";
    connection.prepare_cached(sql)?.execute(params![id.0, now])?;
    Ok(changed > 0)
}
