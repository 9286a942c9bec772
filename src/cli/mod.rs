//! The verbs of the command line. Those that only touch the data directory are safe while `serve` runs.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::config::{CommandLine, DataDir, Verb};
use crate::db::Db;

mod secrets;
mod serve;
mod token;
mod user;

/// Carries a verb out.
pub fn run(line: CommandLine) -> ExitCode {
    match run_verb(line.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell.
            let _closed = writeln!(io::stderr(), "dhow: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_verb(verb: Verb) -> anyhow::Result<()> {
    // Two threads carry the requests of one server's panel; blocking work has its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime could not be started")?;
    let outcome = runtime.block_on(async {
        match verb {
            Verb::Serve(config) => serve::run(*config).await,
            Verb::User(verb) => user::run(verb).await,
            Verb::Token(verb) => token::run(verb).await,
            Verb::Secrets(verb) => secrets::run(verb).await,
            Verb::Version => print_line(&format!("dhow {}", env!("CARGO_PKG_VERSION"))),
        }
    });
    runtime.shutdown_background();
    outcome
}

/// The database of a data directory that Dhow has used before.
fn open_existing_database(data: &DataDir) -> anyhow::Result<Db> {
    if !data.path.join(crate::DATABASE_FILE).exists() {
        bail!(
            "there is no Dhow data in {}; name its directory with --data-dir",
            data.path.display()
        );
    }
    open_database(data)
}

/// The database of a data directory, made when missing.
fn open_database(data: &DataDir) -> anyhow::Result<Db> {
    let path = crate::prepare_data_dir(&data.path)?.join(crate::DATABASE_FILE);
    Db::open(&path).with_context(|| format!("{} cannot be used; check --data-dir", path.display()))
}

/// Writes a line of output, as one write.
fn print_line(line: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes())?;
    Ok(stdout.flush()?)
}
