//! How a container ended, in words: its exit code, lack of memory, a command that could not be run at all.
//!
//! Only the engine's word counts as lack of memory: exit code 137 alone is any SIGKILL.

use crate::model::app::Resources;
use crate::model::container::ContainerState;
use crate::model::text::ContainerCommand;

/// Why a container ended, with what mends it, as sentences that go on after a colon.
pub fn reason(state: &ContainerState, resources: Resources) -> String {
    if state.was_out_of_memory {
        return out_of_memory(state.exit_code, resources);
    }
    if state.is_running {
        return format!("it has been started again {} times.", state.restart_count);
    }
    let code = state.exit_code;
    let meaning = match code {
        0 => ", as if its work was done. Let it run in the foreground until it is told to stop.",
        126 | 127 => ", which says that a command could not be run.",
        137 => ": it was killed (SIGKILL), and Docker does not say that memory ran out.",
        139 => ": it crashed (SIGSEGV).",
        _ => ".",
    };
    format!("exit code {code}{meaning}")
}

fn out_of_memory(exit_code: i64, resources: Resources) -> String {
    match resources.memory_mb {
        Some(limit) => format!(
            "out of memory (exit code {exit_code}). It may use {limit} MiB; raise the memory limit in the app's settings, or let \
             it use less."
        ),
        None => format!(
            "out of memory (exit code {exit_code}). The server had none left; set memory limits for its apps, or give it more."
        ),
    }
}

/// What went wrong when the container's init could not execute the command, so that the app never ran; `command` is the
/// one that stands in for the image's own.
pub fn never_ran(command: Option<&ContainerCommand>, output: &[String]) -> Option<String> {
    let (program, error) = output.iter().find_map(|line| init_failure(line))?;
    if command.is_some() && program == ContainerCommand::SHELL {
        return Some(format!(
            "{program} could not be run ({error}). A command of the app's settings is run by it, and this image has no \
             shell: remove the command, so that the image's own is run, or use an image with a shell."
        ));
    }
    Some(format!(
        "{program} could not be run ({error}). Check the image's CMD and ENTRYPOINT."
    ))
}

/// Program and error in `[FATAL tini (7)] exec /bin/sh failed: No such file or directory`.
fn init_failure(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("[FATAL tini")?
        .split_once("] exec ")?
        .1
        .rsplit_once(" failed: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i64, was_out_of_memory: bool) -> ContainerState {
        ContainerState {
            exit_code,
            was_out_of_memory,
            ..Default::default()
        }
    }

    #[test]
    fn only_the_engine_says_that_memory_ran_out() {
        let limited = Resources {
            memory_mb: Some(32),
            cpus: None,
        };
        let killed = reason(&ended(137, false), limited);
        assert!(killed.contains("137") && !killed.contains("out of memory"), "{killed}");
        let told = reason(&ended(137, true), limited);
        assert!(
            told.starts_with("out of memory (exit code 137)") && told.contains("32 MiB"),
            "{told}"
        );
        let server = reason(&ended(137, true), Resources::default());
        assert!(
            server.starts_with("out of memory") && server.contains("server"),
            "{server}"
        );
        assert_eq!(reason(&ended(7, false), limited), "exit code 7.");
    }

    #[test]
    fn a_command_that_init_cannot_run_is_told_by_name() {
        let output = ["[FATAL tini (7)] exec /bin/sh failed: No such file or directory".to_owned()];
        let command = ContainerCommand::parse("serve --now").unwrap();
        let of_settings = never_ran(Some(&command), &output).unwrap();
        assert!(
            of_settings.starts_with("/bin/sh could not be run (No such file"),
            "{of_settings}"
        );
        assert!(of_settings.contains("this image has no shell"), "{of_settings}");
        let of_image = never_ran(None, &output).unwrap();
        assert!(of_image.contains("CMD and ENTRYPOINT"), "{of_image}");
        assert_eq!(never_ran(None, &["sh: exec x failed: no".to_owned()]), None);
    }
}
