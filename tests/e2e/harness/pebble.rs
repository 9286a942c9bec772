//! A certificate authority of its own that speaks ACME (Debian `pebble`), and the DNS that it and Dhow ask.
//!
//! Every name leads to this machine unless told otherwise. The authority listens on the engine's own bridge, where the
//! proxy's container reaches it.

use std::process::Command;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::docker::inspect;
use super::free_port::free_port;
use super::http::Http;
use super::process::Process;
use super::setup::Setup;
use super::tls;
use super::wait::{eventually, seconds};

const STARTED_WITHIN: Duration = seconds(10);

/// Prepared for a Dhow, then started for its port.
pub struct Pebble {
    files: TempDir,
    host: String,
    acme_port: u16,
    management_port: u16,
    dns_port: u16,
    dns_management_port: u16,
    certificate: String,
    authority: Option<Process>,
    dns: Option<Process>,
}

impl Pebble {
    pub fn prepare() -> Self {
        let files = tempfile::tempdir().unwrap();
        let bridge = inspect("network", "bridge");
        // The engine takes the first address of the network for itself.
        let subnet = bridge["IPAM"]["Config"][0]["Subnet"].as_str().unwrap();
        let host = subnet.split('/').next().unwrap().strip_suffix(".0").unwrap().to_owned() + ".1";
        let key = KeyPair::generate().unwrap();
        let names = vec![host.clone(), "localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap().pem();
        std::fs::write(files.path().join("cert.pem"), &certificate).unwrap();
        std::fs::write(files.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self {
            files,
            host,
            acme_port: free_port(),
            management_port: free_port(),
            dns_port: free_port(),
            dns_management_port: free_port(),
            certificate,
            authority: None,
            dns: None,
        }
    }

    /// The flags by which Dhow asks it.
    pub fn setup(&self, setup: Setup) -> Setup {
        let ca_file = self.files.path().join("cert.pem");
        setup
            .flag("--acme-email", "admin@example.com")
            .flag(
                "--acme-directory",
                &format!("https://{}:{}/dir", self.host, self.acme_port),
            )
            .flag("--acme-ca-file", ca_file.to_str().unwrap())
            .flag("--resolver", &format!("127.0.0.1:{}", self.dns_port))
    }

    /// Starts both; `http_port` is where the authority comes to look.
    pub async fn start(&mut self, http_port: u16) {
        let mut dns = Command::new("pebble-challtestsrv");
        dns.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]);
        dns.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        dns.args(["-dns01", &format!("127.0.0.1:{}", self.dns_port)]);
        dns.args(["-management", &format!("127.0.0.1:{}", self.dns_management_port)]);
        self.dns = Some(Process::start("pebble-challtestsrv", &mut dns));
        let path = |name: &str| self.files.path().join(name).to_str().unwrap().to_owned();
        let config = json!({ "pebble": {
            "listenAddress": format!("{}:{}", self.host, self.acme_port),
            "managementListenAddress": format!("127.0.0.1:{}", self.management_port),
            "certificate": path("cert.pem"),
            "privateKey": path("key.pem"),
            "httpPort": http_port,
            "tlsPort": 1,
            "ocspResponderURL": "",
        }});
        std::fs::write(path("config.json"), config.to_string()).unwrap();
        let mut authority = Command::new("pebble");
        authority.args([
            "-config",
            &path("config.json"),
            "-dnsserver",
            &format!("127.0.0.1:{}", self.dns_port),
        ]);
        authority.envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0")]);
        self.authority = Some(Process::start("pebble", &mut authority));
        self.root().await;
    }

    /// The certificate that all of its certificates go back to.
    pub async fn root(&self) -> String {
        let ask = || tls::ask(self.management_port, "localhost", "/roots/0", &self.certificate);
        let look = || async { ask().await.map(|answer| answer.text) };
        eventually("pebble tells its root", STARTED_WITHIN, look).await
    }

    /// Lets a name lead to this address alone.
    pub async fn point(&self, host: &str, address: &str) {
        let host = format!("{host}.");
        self.change_dns("clear-a", json!({ "host": host })).await;
        self.change_dns("add-a", json!({ "host": host, "addresses": [address] }))
            .await;
    }

    /// Has a name allow this authority alone, by a CAA record.
    pub async fn allow(&self, host: &str, authority: &str) {
        let policies = json!([{ "tag": "issue", "value": authority }]);
        self.change_dns("add-caa", json!({ "host": format!("{host}."), "policies": policies }))
            .await;
    }

    async fn change_dns(&self, call: &str, body: Value) {
        let url = format!("http://127.0.0.1:{}/{call}", self.dns_management_port);
        Http::new().send("POST", &url, &[], body.to_string()).await.expect(200);
    }

    /// How many certificates were asked for.
    pub fn orders(&self) -> usize {
        let lines = self.authority.as_ref().expect("it was started").lines.all();
        lines.iter().filter(|line| line.contains("POST /order-plz")).count()
    }
}
