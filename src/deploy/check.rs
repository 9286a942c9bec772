//! Check: from outside the container, at the address that the proxy will use, until the instance is good.
//!
//! Good is: the port accepts a connection, or the health path answers 200 to 399, twice in a row. A refused
//! connection means that the app still starts, until the time is over. There are no fixed waits.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::job::Job;
use super::{DeployError, proxy};
use crate::model::app::{HealthPath, RunSettings};
use crate::model::container::ContainerState;
use crate::model::release::Release;

/// How often in a row the answer must be good.
const GOOD_IN_A_ROW: u32 = 2;
/// Longest single question.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between questions, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Lines of the app's own output that a failure shows.
const OUTPUT_LINES: usize = 20;

/// What one question found.
#[derive(Debug, PartialEq, Eq)]
enum Probe {
    Good,
    NotListening,
    Answered(String),
}

/// Waits until the new instance is good.
pub async fn run(job: &Job, release: &Release) -> Result<(), DeployError> {
    let Err(error) = wait_until_good(job, &release.run).await else {
        return Ok(());
    };
    let output = show_output(job).await;
    Err(never_ran(&output).unwrap_or(error))
}

/// What the container's init says when it cannot execute the command: the app never ran.
fn never_ran(output: &[String]) -> Option<DeployError> {
    let failure = output
        .iter()
        .find_map(|line| line.strip_prefix("[FATAL tini")?.split_once("] exec "))?
        .1;
    let advice = "Check the image's CMD and ENTRYPOINT, or the start command in the app's settings.";
    Some(DeployError::StartFailed(format!("{failure}. {advice}")))
}

async fn wait_until_good(job: &Job, run: &RunSettings) -> Result<(), DeployError> {
    let health = &run.health;
    let deadline = Instant::now() + Duration::from_secs(u64::from(health.timeout_s));
    let (mut good, mut pause) = (0, FIRST_PAUSE);
    let mut last = Probe::NotListening;
    job.log.line(&describe_wait(run));
    loop {
        let state = running_state(job, "while it was being checked").await?;
        let probe = match address(job, run, &state) {
            Some(address) => ask(address, health.path.as_ref()).await,
            None => Probe::NotListening,
        };
        if let (Probe::Answered(answer), true) = (&probe, probe != last) {
            job.log.line(&format!("Answered {answer}; asking on"));
        }
        good = if probe == Probe::Good { good + 1 } else { 0 };
        if good == GOOD_IN_A_ROW {
            job.log.line(&describe_good(run));
            return Ok(());
        }
        if Instant::now() + pause > deadline {
            return Err(explain(job, run, probe).await);
        }
        last = probe;
        sleep(if good > 0 { FIRST_PAUSE } else { pause }).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The instance's state as long as it runs and is not called unhealthy.
pub async fn running_state(job: &Job, when: &'static str) -> Result<ContainerState, DeployError> {
    let state = job.context.engine.inspect_container(&job.container()).await?;
    let Some(state) = state else {
        return Err(DeployError::Exited {
            when,
            reason: "its container was removed by somebody else".into(),
        });
    };
    if !state.is_running || state.restart_count > 0 {
        return Err(DeployError::Exited {
            when,
            reason: exit_reason(&state),
        });
    }
    if state.health.as_deref() == Some("unhealthy") {
        return Err(DeployError::Unhealthy);
    }
    Ok(state)
}

fn exit_reason(state: &ContainerState) -> String {
    if state.was_out_of_memory {
        return format!("it used more memory than it may (exit code {})", state.exit_code);
    }
    format!("exit code {}", state.exit_code)
}

fn address(job: &Job, run: &RunSettings, state: &ContainerState) -> Option<SocketAddr> {
    let network = proxy::project_network(&job.context, &job.app);
    let ip = state.addresses.get(&network)?.parse().ok()?;
    Some(SocketAddr::new(ip, run.port.get()))
}

async fn ask(address: SocketAddr, path: Option<&HealthPath>) -> Probe {
    let Ok(Ok(stream)) = timeout(PROBE_TIMEOUT, TcpStream::connect(address)).await else {
        return Probe::NotListening;
    };
    match path {
        None => Probe::Good,
        Some(path) => match timeout(PROBE_TIMEOUT, ask_path(stream, address, path)).await {
            Ok(Ok(status)) if (200..400).contains(&status) => Probe::Good,
            Ok(Ok(status)) => Probe::Answered(format!("with status {status}")),
            Ok(Err(error)) => Probe::Answered(format!("with something that is not HTTP ({error})")),
            Err(_elapsed) => Probe::Answered(format!("nothing within {} s", PROBE_TIMEOUT.as_secs())),
        },
    }
}

async fn ask_path(stream: TcpStream, address: SocketAddr, path: &HealthPath) -> Result<u16, hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path.as_str())
        .header(hyper::header::HOST, address.to_string())
        .header(hyper::header::USER_AGENT, "Dhow health check")
        .body(Empty::<Bytes>::new())
        .expect("a health path is a valid request target");
    // The connection only moves while it is polled; it ends when the sender is dropped with this exchange.
    let exchange = async move {
        sender
            .send_request(request)
            .await
            .map(|response| response.status().as_u16())
    };
    let (status, _connection_ended) = tokio::join!(exchange, connection);
    status
}

fn describe_wait(run: &RunSettings) -> String {
    let wanted = match &run.health.path {
        Some(path) => format!("{} on port {} to answer", path.as_str(), run.port.get()),
        None => format!("port {} to accept connections", run.port.get()),
    };
    format!("Waiting for {wanted}, {} s at most", run.health.timeout_s)
}

fn describe_good(run: &RunSettings) -> String {
    match &run.health.path {
        Some(path) => format!("{} on port {} answers", path.as_str(), run.port.get()),
        None => format!("Port {} accepts connections", run.port.get()),
    }
}

async fn explain(job: &Job, run: &RunSettings, probe: Probe) -> DeployError {
    let seconds = run.health.timeout_s;
    match (probe, &run.health.path) {
        (Probe::Answered(answer), Some(path)) => DeployError::HealthCheckFailed {
            path: path.as_str().to_owned(),
            answer,
            seconds,
        },
        _ => DeployError::PortNotListening {
            port: run.port.get(),
            seconds,
            hint: port_hint(job, run).await,
        },
    }
}

/// The likely mistake: another port, or an address that only the container itself reaches.
async fn port_hint(job: &Job, run: &RunSettings) -> String {
    let bind = "Let the app listen on 0.0.0.0, not on 127.0.0.1, at the port in the variable PORT.";
    let image = job.context.engine.find_image(&job.image_tag()).await.ok().flatten();
    let exposed = image.map(|image| image.exposed_ports).unwrap_or_default();
    if exposed.is_empty() || exposed.contains(&run.port.get()) {
        return bind.to_owned();
    }
    let ports = exposed.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    format!("{bind} The image says it uses port {ports}; if so, set that in the app's settings.")
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
