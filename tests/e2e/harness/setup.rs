//! How an instance is started, and how a start that must fail has failed.

use std::time::Duration;

use super::dhow::Dhow;
use super::process::run_id;

/// How an instance is started; change what a test is about, then `start` it.
#[derive(Clone)]
pub struct Setup {
    pub instance: String,
    pub flags: Vec<String>,
    /// The pool of addresses.
    pub subnets: String,
    /// MiB of a disk of its own for the data directory.
    pub disk_mib: Option<u32>,
}

impl Setup {
    pub fn new() -> Self {
        Self::named(&format!("t{}", run_id()))
    }

    /// Under a given instance name, which may be another's.
    pub fn named(instance: &str) -> Self {
        Self {
            instance: instance.to_owned(),
            flags: vec!["--allow-private-sources".to_owned()],
            subnets: some_subnets(),
            disk_mib: None,
        }
    }

    /// As an operator who did not permit the tests' own git server.
    pub fn without_private_sources(mut self) -> Self {
        self.flags.clear();
        self
    }

    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// With this machine's own certificate authorities for builds, which some networks need.
    pub fn with_machines_authorities(self) -> Self {
        self.flag("--build-ca-file", "/etc/ssl/certs/ca-certificates.crt")
    }

    pub async fn start(self) -> Dhow {
        let mut dhow = Dhow::prepare(self);
        dhow.start_process().await;
        dhow
    }

    /// Starts an instance that must refuse to; answers how it ended.
    pub async fn refused(self) -> Refusal {
        Dhow::prepare(self).refuse().await
    }
}

/// Sixteen networks of projects; a slice that another run took is skipped by Dhow itself.
fn some_subnets() -> String {
    let mut slice = [0; 2];
    getrandom::fill(&mut slice).unwrap();
    format!("10.{}.{}.0/20", 211 + slice[0] % 40, slice[1] & 0xf0)
}

/// How a start failed.
#[derive(Debug)]
pub struct Refusal {
    pub code: Option<i32>,
    pub lines: Vec<String>,
    pub took: Duration,
}

impl Refusal {
    /// The one line that says why; fails when there are more or none, or the exit code is not 1.
    #[track_caller]
    pub fn one_line(&self) -> &str {
        let lines: Vec<&String> = self.lines.iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(self.code, Some(1), "the exit code of a failed start: {self:?}");
        assert_eq!(lines.len(), 1, "one line says why: {self:#?}");
        lines[0]
    }
}
