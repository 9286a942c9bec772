//! The docker command with a time limit. An engine can come to a standstill (Debian's 20.10 was seen to, when the
//! database of its build cache grew during builds): then what asked it fails and says so, and no test waits for ever.

use std::process::{Command, Output};

/// Seconds that any one command may take; on a busy machine the slowest good one was seen to take 20.
const LIMIT: &str = "180";

/// Runs docker; its outputs, or why there are none: it could not be run, or the engine did not answer in time.
pub fn run(arguments: &[&str]) -> Result<Output, String> {
    let output = Command::new("timeout").args([LIMIT, "docker"]).args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.code() == Some(124) {
        return Err(format!(
            "the engine did not answer within {LIMIT} s; SIGUSR1 makes dockerd write down what it waits for"
        ));
    }
    Ok(output)
}
