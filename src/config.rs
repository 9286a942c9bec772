//! The only reader of flags and environment.
//!
//! Every flag of `serve` has an environment variable `DHOW_<FLAG>`; a flag wins. Limits and times that are not
//! flags stand here too, as constants with their unit and their reason.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::host::Host;
use crate::model::subnet::SubnetPool;
use crate::model::user::{Role, Scope};

mod network;

pub use network::BuildNetwork;

/// Longest body of a form or an API call, in bytes; .env texts are the largest.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long a session lasts after its last use, in seconds.
pub const SESSION_IDLE_S: i64 = 14 * 24 * 3600;
/// How long a session lasts at most, however much it is used, in seconds.
pub const SESSION_LIFETIME_S: i64 = 30 * 24 * 3600;
/// How long a sign-in waits for its second step, in seconds.
pub const SECOND_STEP_S: i64 = 5 * 60;
/// How long the claim link of a start is good.
pub const CLAIM_LIFETIME: Duration = Duration::from_secs(3600);
/// How long an invitation is good, in seconds.
pub const INVITATION_LIFETIME_S: i64 = 7 * 24 * 3600;
/// How long a link for a new password is good, in seconds: it opens an account that has something to lose.
pub const RESET_LIFETIME_S: i64 = 24 * 3600;
/// How long a stop may take before what still runs is left behind.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// A self-hosted platform-as-a-service small enough for one VPS.
#[derive(Debug, Parser)]
#[command(name = "dhow", version, disable_version_flag = true)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Serve the panel, deploy apps, keep the proxy.
    Serve(Box<Config>),
    /// Manage people who can sign in.
    #[command(subcommand)]
    User(UserVerb),
    /// Manage API tokens.
    #[command(subcommand)]
    Token(TokenVerb),
    /// Manage the key that stored secrets are sealed with.
    #[command(subcommand)]
    Secrets(SecretsVerb),
    /// Print the version.
    Version,
}

/// Where all state is.
#[derive(Debug, Clone, Args)]
pub struct DataDir {
    /// Directory of all state: database, key, logs, repositories, routes.
    #[arg(
        long = "data-dir",
        env = "DHOW_DATA_DIR",
        default_value = "./data",
        value_name = "DIR"
    )]
    pub path: PathBuf,
}

/// Verbs about users.
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// Add a user; a password is made and printed, or read from standard input.
    Add {
        /// The name to sign in with.
        email: String,
        /// What they may do: owner, admin or member.
        #[arg(long, default_value = "member", value_parser = parse_role)]
        role: Role,
        /// Read the password from standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
        /// Where all state is.
        #[command(flatten)]
        data: DataDir,
    },
    /// Set a new password, end the user's sessions and turn two-factor sign-in off.
    ResetPassword {
        /// The name to sign in with.
        email: String,
        /// Read the password from standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
        /// Where all state is.
        #[command(flatten)]
        data: DataDir,
    },
    /// List users: e-mail, role, when made.
    List {
        /// Where all state is.
        #[command(flatten)]
        data: DataDir,
    },
}

/// Verbs about tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token and print it; it cannot be shown again.
    Create {
        /// Whose rights it has.
        #[arg(long, value_name = "EMAIL")]
        user: String,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do: read, deploy or admin.
        #[arg(long, default_value = "deploy", value_parser = parse_scope)]
        scope: Scope,
        /// How long it is good, such as 30d; for ever when left out.
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        expires: Option<Duration>,
        /// Where all state is.
        #[command(flatten)]
        data: DataDir,
    },
}

/// Verbs about the key.
#[derive(Debug, Subcommand)]
pub enum SecretsVerb {
    /// Make a new key and seal everything with it; the old one is gone afterwards. Works while Dhow serves.
    Rotate {
        /// Where all state is.
        #[command(flatten)]
        data: DataDir,
    },
}

/// How log lines of Dhow itself look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Everything that `serve` can be told.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Where all state is.
    #[command(flatten)]
    pub data: DataDir,
    /// The panel's own address.
    #[arg(long, env = "DHOW_LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Name prefix and label of everything that Dhow makes in Docker.
    #[arg(long, env = "DHOW_INSTANCE", default_value = "dhow", value_parser = parse_instance)]
    pub instance: String,
    /// Address of the Docker engine; else DOCKER_HOST, else the default socket.
    #[arg(long, env = "DHOW_DOCKER_HOST", value_name = "URL")]
    pub docker_host: Option<String>,
    /// Address on which the sites' ports are published.
    #[arg(long, env = "DHOW_BIND", default_value = "0.0.0.0", value_name = "IP")]
    pub bind: IpAddr,
    /// Port of the sites over http.
    #[arg(long, env = "DHOW_HTTP_PORT", default_value_t = 80)]
    pub http_port: u16,
    /// Port of the sites over https.
    #[arg(long, env = "DHOW_HTTPS_PORT", default_value_t = 443)]
    pub https_port: u16,
    /// Image of the proxy.
    #[arg(
        long,
        env = "DHOW_TRAEFIK_IMAGE",
        default_value = "traefik:v3.7",
        value_name = "IMAGE"
    )]
    pub traefik_image: String,
    /// An app without a domain of its own is served at <app>.<base-domain>.
    #[arg(long, env = "DHOW_BASE_DOMAIN", default_value = "localhost", value_parser = parse_host, value_name = "HOST")]
    pub base_domain: Host,
    /// Serve the panel itself through the proxy with TLS at this name.
    #[arg(long, env = "DHOW_PANEL_DOMAIN", value_parser = parse_host, value_name = "HOST")]
    pub panel_domain: Option<Host>,
    /// E-mail address for the certificate authority; certificates are asked for when it is given.
    #[arg(long, env = "DHOW_ACME_EMAIL", value_name = "EMAIL")]
    pub acme_email: Option<String>,
    /// Directory URL of the certificate authority; Let's Encrypt when left out.
    #[arg(long, env = "DHOW_ACME_DIRECTORY", value_name = "URL", requires = "acme_email")]
    pub acme_directory: Option<String>,
    /// Certificate (PEM) of a private certificate authority's own server.
    #[arg(long, env = "DHOW_ACME_CA_FILE", value_name = "FILE", requires = "acme_email")]
    pub acme_ca_file: Option<PathBuf>,
    /// Deployments that run at once.
    #[arg(long, env = "DHOW_MAX_DEPLOYMENTS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub max_deployments: u16,
    /// Longest build.
    #[arg(long, env = "DHOW_BUILD_TIMEOUT", default_value = "30m", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub build_timeout: Duration,
    /// How builds reach what they load.
    #[command(flatten)]
    pub build_network: BuildNetwork,
    /// Below this much free space no deployment starts.
    #[arg(long, env = "DHOW_DISK_FLOOR", default_value = "2G", value_parser = parse_bytes, value_name = "SIZE")]
    pub disk_floor: u64,
    /// Releases whose images are kept for each app.
    #[arg(long, env = "DHOW_KEEP_RELEASES", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub keep_releases: u32,
    /// Private networks of projects are cut from it, /24 each.
    #[arg(long, env = "DHOW_SUBNET_POOL", default_value = "10.210.0.0/16", value_parser = parse_subnet_pool, value_name = "CIDR")]
    pub subnet_pool: SubnetPool,
    /// DNS server that is asked where domains lead; the system's own when left out.
    #[arg(long, env = "DHOW_RESOLVER", value_parser = parse_resolver, value_name = "ADDR")]
    pub resolver: Option<SocketAddr>,
    /// Permit Git hosts on loopback and private addresses, and Git over plain http.
    #[arg(long, env = "DHOW_ALLOW_PRIVATE_SOURCES")]
    pub allow_private_sources: bool,
    /// How log lines look.
    #[arg(long, env = "DHOW_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl Config {
    /// Whether certificates can be had.
    pub fn has_acme(&self) -> bool {
        self.acme_email.is_some()
    }

    /// The name in CAA records of the authority that is asked for certificates; `None` where the directory is one's own.
    pub fn caa_authority(&self) -> Option<&'static str> {
        let is_lets_encrypt = |url: &String| {
            let host = url.split('/').nth(2).unwrap_or_default();
            host.ends_with(".letsencrypt.org")
        };
        let is_known = self.acme_directory.as_ref().is_none_or(is_lets_encrypt);
        is_known.then_some("letsencrypt.org")
    }

    /// Where the panel is reached, without a slash at its end: what the operator chose, since a `Host` header is
    /// anybody's claim. One that listens everywhere is reached by the name that the operator has for the server.
    pub fn panel_url(&self) -> String {
        if let Some(host) = &self.panel_domain {
            let port = self.https_port;
            return if port == 443 {
                format!("https://{host}")
            } else {
                format!("https://{host}:{port}")
            };
        }
        let listen = self.listen;
        if listen.ip().is_unspecified() {
            format!("http://{}:{}", self.base_domain, listen.port())
        } else {
            format!("http://{listen}")
        }
    }

    /// Whether the panel may be visited at a host, which no app may have then: browsers send cookies to every port of a
    /// host (RFC 6265 §8.5), and so the panel's sessions to the app. Whoever can reach `--listen` from outside may do it
    /// by the server's name or by any of its addresses, which an address translation hides; on the machine itself it is
    /// `localhost` and the loopback addresses.
    pub fn is_panels(&self, host: &Host) -> bool {
        let is_reached_directly = !self.listen.ip().is_loopback();
        let is_loopback = host.as_str() == "localhost" || host.as_str().starts_with("127.") && host.is_address();
        self.panel_domain.as_ref() == Some(host)
            || is_loopback
            || is_reached_directly && (*host == self.base_domain || host.is_address())
    }

    /// The engine's address as asked for, if anybody asked.
    pub fn engine_address(&self) -> Option<String> {
        self.docker_host
            .clone()
            .or_else(|| std::env::var("DOCKER_HOST").ok())
            .filter(|host| !host.is_empty())
    }
}

/// The filter for log lines (`RUST_LOG`), Dhow's own from `info` on when unset. A browser's stale cookie is no news,
/// though tower-sessions warns of it.
pub fn log_filter() -> String {
    // bollard logs requests with their bodies, and so variables, on debug: never wanted.
    let wanted = std::env::var("RUST_LOG")
        .unwrap_or_else(|_| "warn,dhow=info,tower_sessions=error,tower_sessions_core=error".to_owned());
    format!("{wanted},bollard=info")
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).map_err(|error| error.0)
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).map_err(|error| error.0)
}

fn parse_host(text: &str) -> Result<Host, String> {
    Host::parse(text).map_err(|error| error.0)
}

/// An address, with a port where it is not DNS's own.
fn parse_resolver(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse::<SocketAddr>();
    let alone = || text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    with_port
        .or_else(|_| alone())
        .map_err(|_| "use an address such as 9.9.9.9 or 127.0.0.1:5353".to_owned())
}

fn parse_subnet_pool(text: &str) -> Result<SubnetPool, String> {
    SubnetPool::parse(text).map_err(|error| error.0)
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    parse_size::Config::new()
        .with_binary()
        .parse_size(text)
        .map_err(|error| error.to_string())
}

/// The name is part of container names and labels: Docker's own rule, shortened so that the rest fits.
fn parse_instance(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_valid = (1..=30).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.chars().all(is_allowed);
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 30 lower-case letters, digits and hyphens, beginning with a letter".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serve_has_the_documented_defaults() {
        let line = CommandLine::try_parse_from(["dhow", "serve"]).unwrap();
        let Verb::Serve(config) = line.verb else {
            panic!("serve")
        };
        assert_eq!(config.listen.to_string(), "127.0.0.1:7070");
        assert_eq!(config.disk_floor, 2 * 1024 * 1024 * 1024);
        assert_eq!(config.build_timeout, Duration::from_secs(1800));
        assert_eq!(
            (config.instance.as_str(), config.http_port, config.max_deployments),
            ("dhow", 80, 1)
        );
    }

    #[test]
    fn the_panel_is_reached_where_it_listens_or_by_the_servers_name() {
        for (arguments, url) in [
            (["--base-domain", "apps.example.com"], "http://127.0.0.1:7070"),
            (["--listen", "[::1]:80"], "http://[::1]:80"),
            (["--listen", "0.0.0.0:7070"], "http://localhost:7070"),
            (["--panel-domain", "Dhow.example.com"], "https://dhow.example.com"),
            (
                ["--panel-domain=dhow.example.com", "--https-port=8443"],
                "https://dhow.example.com:8443",
            ),
            (
                ["--listen=[::]:81", "--base-domain=apps.example.com"],
                "http://apps.example.com:81",
            ),
        ] {
            let line = CommandLine::try_parse_from(["dhow", "serve"].into_iter().chain(arguments)).unwrap();
            let Verb::Serve(config) = line.verb else {
                panic!("serve")
            };
            assert_eq!(config.panel_url(), url, "{arguments:?}");
        }
    }

    #[test]
    fn hosts_at_which_the_panel_may_be_visited_are_its_own() {
        for (arguments, own, free) in [
            (
                &["--base-domain=apps.example"][..],
                &["localhost", "127.0.0.1"][..],
                &["apps.example", "203.0.113.7", "dhow.example"][..],
            ),
            (
                &[
                    "--listen=0.0.0.0:7070",
                    "--base-domain=apps.example",
                    "--panel-domain=dhow.example",
                ],
                &["apps.example", "dhow.example", "203.0.113.7"],
                &["web.apps.example"],
            ),
            (
                &["--listen=203.0.113.7:7070"],
                &["localhost", "203.0.113.7", "198.51.100.1"],
                &["a.example"],
            ),
            (&["--listen=[::]:7070"], &["localhost", "203.0.113.7"], &["a.localhost"]),
        ] {
            let line = CommandLine::try_parse_from(["dhow", "serve"].iter().chain(arguments)).unwrap();
            let Verb::Serve(config) = line.verb else {
                panic!("serve")
            };
            let is_panels = |host: &&str| config.is_panels(&Host::parse(host).unwrap());
            assert!(own.iter().all(is_panels), "{arguments:?}");
            assert!(!free.iter().any(is_panels), "{arguments:?}");
        }
    }

    #[test]
    fn the_authority_is_lets_encrypt_unless_told_otherwise() {
        let lets_encrypt = Some("letsencrypt.org");
        for (directory, authority) in [
            (None, lets_encrypt),
            (
                Some("https://acme-staging-v02.api.letsencrypt.org/directory"),
                lets_encrypt,
            ),
            (Some("https://ca.example/letsencrypt.org"), None),
            (Some("https://notletsencrypt.org/directory"), None),
        ] {
            let line = ["dhow", "serve", "--acme-email=a@b.example"].map(str::to_owned);
            let more = directory.map(|url| format!("--acme-directory={url}"));
            let line = CommandLine::try_parse_from(line.into_iter().chain(more)).unwrap();
            let Verb::Serve(config) = line.verb else {
                panic!("serve")
            };
            assert_eq!(config.caa_authority(), authority, "{directory:?}");
        }
    }

    #[test]
    fn bad_values_are_refused_with_what_is_allowed() {
        for arguments in [
            ["--instance", "Über"],
            ["--disk-floor", "lots"],
            ["--subnet-pool", "x"],
            ["--resolver", "dns.example"],
            ["--max-deployments", "0"],
        ] {
            let line = CommandLine::try_parse_from(["dhow", "serve"].iter().chain(&arguments));
            assert_eq!(line.unwrap_err().exit_code(), 2, "{arguments:?}");
        }
    }
}
