//! Reads the command line and carries the verb out. Exit codes: 0 done, 1 failed with one line that says why and
//! what to do, 2 bad usage.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    dhow::cli::run(dhow::config::CommandLine::parse())
}
