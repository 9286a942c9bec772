//! Check: from outside the container, at the address that the proxy will use, until the instance is good.
//!
//! Good is: the port accepts a connection, or the health path answers 200 to 399, twice in a row. A refused
//! connection means that the app still starts, until the time is over; or that it listens elsewhere, which counts when
//! nobody has chosen its port. There are no fixed waits.

mod probe;
mod reason;
mod search;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::probe::{Found, ask};
use self::search::Search;
use super::job::Job;
use super::{DeployError, exit, port, proxy};
use crate::model::app::{Port, RunSettings};
use crate::model::container::{ContainerState, HealthCheckRun};
use crate::model::release::Release;

/// How often in a row the answer must be good.
const GOOD_IN_A_ROW: u32 = 2;
/// Pause between questions, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Lines of the app's own output that a failure shows.
const OUTPUT_LINES: usize = 20;

/// Waits until the new instance is good.
pub async fn run(job: &Job, mut release: Release) -> Result<(), DeployError> {
    let Err(error) = wait_until_good(job, &mut release).await else {
        return port::keep(job, &release).await;
    };
    let output = show_output(job).await;
    if let DeployError::Exited { .. } = error
        && let Some(reason) = exit::never_ran(release.run.start_command.as_ref(), &output)
    {
        return Err(DeployError::StartFailed(reason));
    }
    Err(error)
}

async fn wait_until_good(job: &Job, release: &mut Release) -> Result<(), DeployError> {
    let deadline = Instant::now() + Duration::from_secs(u64::from(release.run.health.timeout_s));
    let mut search = Search::of(job, release).await?;
    let (mut good, mut pause) = (0, FIRST_PAUSE);
    let mut last = None;
    job.log.line(&describe_wait(&release.run));
    loop {
        let state = running_state(job, &release.run, "while it was being checked").await?;
        let address = address(job, &release.run, &state);
        let found = match address {
            Some(address) => ask(address, release.run.health.path.as_ref()).await,
            None => Found::Nothing("it is not in its project's network".to_owned()),
        };
        good = if found == Found::Good { good + 1 } else { 0 };
        if good == GOOD_IN_A_ROW {
            job.log.line(&describe_good(&release.run));
            return Ok(());
        }
        if let Found::Answer(answer) = &found
            && last.as_ref() != Some(&found)
        {
            job.log.line(&format!("Answered {answer}; asking on"));
        }
        if let (Found::Nothing(_), Some(address), Some(looking)) = (&found, address, &mut search)
            && let Some(elsewhere) = looking.look(&state, address.ip()).await
        {
            job.log.line(&describe_elsewhere(release.run.port, elsewhere));
            release.run.port = elsewhere;
            (search, pause, last) = (None, FIRST_PAUSE, None);
            continue;
        }
        // One that has just become good is asked its second time.
        if good == 0 && Instant::now() + pause > deadline {
            return Err(reason::of(job, release, &state, address, found).await);
        }
        last = Some(found);
        sleep(if good > 0 { FIRST_PAUSE } else { pause }).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The instance's state as long as it runs and is not called unhealthy.
pub async fn running_state(job: &Job, run: &RunSettings, when: &'static str) -> Result<ContainerState, DeployError> {
    let state = job.context.engine.inspect_container(&job.container()).await?;
    let Some(state) = state else {
        return Err(DeployError::Exited {
            when,
            reason: "its container was removed by somebody else.".into(),
        });
    };
    if !state.is_running || state.restart_count > 0 {
        return Err(DeployError::Exited {
            when,
            reason: exit::reason(&state, run.resources),
        });
    }
    if state.health.as_deref() == Some("unhealthy") {
        return Err(unhealthy(job, state.last_health_check.as_ref()));
    }
    Ok(state)
}

/// What the image's own check printed is in the log whole, and its last line in the sentence.
fn unhealthy(job: &Job, check: Option<&HealthCheckRun>) -> DeployError {
    if let Some(check) = check {
        job.log
            .line(&format!("The image's own health check, exit code {}:", check.exit_code));
        check.output.lines().for_each(|line| job.log.line(&format!("  {line}")));
    }
    DeployError::Unhealthy {
        said: reason::health_check_said(check),
    }
}

fn address(job: &Job, run: &RunSettings, state: &ContainerState) -> Option<SocketAddr> {
    let network = proxy::project_network(&job.context, &job.app);
    let ip = state.addresses.get(&network)?.parse().ok()?;
    Some(SocketAddr::new(ip, run.port.get()))
}

fn describe_wait(run: &RunSettings) -> String {
    let wanted = match &run.health.path {
        Some(path) => format!("{} on port {} to answer", path.as_str(), run.port.get()),
        None => format!("port {} to accept connections", run.port.get()),
    };
    format!("Waiting for {wanted}, {} s at most", run.health.timeout_s)
}

fn describe_elsewhere(told: Port, found: Port) -> String {
    let (told, found) = (told.get(), found.get());
    format!("The app listens on port {found}, not on {told}, and no port was chosen: it is asked there")
}

fn describe_good(run: &RunSettings) -> String {
    match &run.health.path {
        Some(path) => format!("{} on port {} answers", path.as_str(), run.port.get()),
        None => format!("Port {} accepts connections", run.port.get()),
    }
}

/// Writes the last lines that the new instance printed into the log, and answers them.
pub async fn show_output(job: &Job) -> Vec<String> {
    match job.context.engine.last_output(&job.container(), OUTPUT_LINES).await {
        Ok(lines) => {
            let heading = if lines.is_empty() {
                "The app printed nothing."
            } else {
                "The app's last output:"
            };
            job.log.line(heading);
            lines.iter().for_each(|line| job.log.line(&format!("  {line}")));
            lines
        }
        Err(error) => {
            job.log.line(&format!("The app's output could not be read: {error}"));
            Vec::new()
        }
    }
}
