//! A real Traefik in a real container, made from the very description that Dhow's engine carries out, with small
//! web servers beside it. Everything carries the run's own name and goes when the bed does, after a panic too.

use dhow::model::container::{ContainerSpec, RestartPolicy};
use dhow::model::route::{AppRoutes, Server};
use dhow::traefik::proxy::{self, Acme, ProxySettings};
use dhow::traefik::{DynamicFiles, ProxyApi, PublicPorts, api_file, app_file, render, render_api};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::docker_cli;
use crate::free_port::free_port;

/// What a person would wait for at most; Dhow's own limits are shorter.
pub const LONG: Duration = Duration::from_secs(20);
/// The private entry point's password in tests.
pub const PASSWORD: &str = "3b1f0c5a9d7e42186b0a4f8c2d9e7351";

/// Numbers the beds of this process.
static BEDS: AtomicU32 = AtomicU32::new(0);

pub struct Bed {
    pub run: String,
    pub files: DynamicFiles,
    pub api: ProxyApi,
    pub ports: PublicPorts,
    pub root: tempfile::TempDir,
}

impl Bed {
    /// A proxy that serves nothing yet but its API, in the network of one project besides its own.
    pub async fn start() -> Self {
        Self::with_acme(None).await
    }

    pub async fn with_acme(acme: Option<Acme>) -> Self {
        let number = BEDS.fetch_add(1, Ordering::Relaxed);
        let run = format!("dhow-test-{}-{number}", std::process::id());
        let root = tempfile::tempdir().expect("a data directory");
        let directory = root.path().join("traefik");
        let files = DynamicFiles::open(&directory).expect("its directories");
        files
            .write(api_file(), &render_api(PASSWORD))
            .await
            .expect("the API's file");
        let ports = PublicPorts {
            http: free_port(),
            https: free_port(),
        };
        let settings = ProxySettings {
            instance: run.clone(),
            image: "traefik:v3.7".to_owned(),
            bind: "127.0.0.1".to_owned(),
            ports,
            directory,
            acme,
        };
        let unreachable = ProxyApi::new(([127, 0, 0, 1], 1).into(), PASSWORD);
        let mut bed = Self {
            run,
            files,
            api: unreachable,
            ports,
            root,
        };
        let spec = proxy::container(&settings);
        docker(&["network", "create", "--label", &bed.label(), &spec.network]);
        docker(&["network", "create", "--label", &bed.label(), &bed.project_network()]);
        bed.run_container(&spec);
        docker(&["network", "connect", &bed.project_network(), &spec.name]);
        bed.find_api().await;
        bed
    }

    /// Finds the API again: an engine-chosen port is another one after a restart.
    pub async fn find_api(&mut self) {
        let port = docker(&["port", &self.proxy(), &format!("{}/tcp", proxy::PRIVATE_PORT)]);
        let address = port
            .lines()
            .next()
            .expect("a published port")
            .parse()
            .expect("address and port");
        self.api = ProxyApi::new(address, PASSWORD);
        let started = Instant::now();
        while let Err(error) = self.api.ping().await {
            assert!(started.elapsed() < LONG, "{error}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn proxy(&self) -> String {
        proxy::name(&self.run)
    }

    pub fn project_network(&self) -> String {
        format!("{}-project", self.run)
    }

    /// What Traefik wrote so far.
    pub fn log(&self) -> String {
        docker(&["logs", &self.proxy()])
    }

    /// A web server in the project's network that answers its marker to every request, with 404 on all paths but
    /// `/`, and a slow stream at `/cgi-bin/stream`.
    pub async fn serve(&self, name: &str, marker: &str) -> Server {
        let script = format!(
            "mkdir -p /www/cgi-bin && printf %s {marker} | tee /www/index.html >/www/404.html && \
             echo E404:/www/404.html >/httpd.conf && \
             printf '%s\\n' '#!/bin/sh' 'printf \"Content-Type: text/event-stream\\r\\n\\r\\n\"' \
             'for n in 1 2 3; do echo \"data: $n\"; echo; sleep 1; done' >/www/cgi-bin/stream && \
             printf '%s\\n' '#!/bin/sh' 'printf \"Content-Type: text/plain\\r\\n\\r\\n\"' env >/www/cgi-bin/env && \
             chmod +x /www/cgi-bin/* && exec httpd -f -p 8080 -h /www -c /httpd.conf"
        );
        let container = format!("{}-{name}", self.run);
        let (label, network) = (self.label(), self.project_network());
        let run = [
            "run",
            "--detach",
            "--init",
            "--label",
            &label,
            "--network",
            &network,
            "--name",
            &container,
        ];
        docker(&[&run[..], &["busybox:1", "sh", "-c", &script]].concat());
        let address = self.address(&container);
        let started = Instant::now();
        while tokio::net::TcpStream::connect((&*address, 8080)).await.is_err() {
            assert!(started.elapsed() < LONG, "{container} does not listen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Server { container, port: 8080 }
    }

    /// A container's address in the project's network.
    pub fn address(&self, container: &str) -> String {
        let format = format!(
            "{{{{(index .NetworkSettings.Networks \"{}\").IPAddress}}}}",
            self.project_network()
        );
        docker(&["inspect", "--format", &format, container]).trim().to_owned()
    }

    /// Runs a command in a new container of the project's network, as an app could.
    pub fn run_as_app(&self, command: &[&str]) -> String {
        let (label, network) = (self.label(), self.project_network());
        docker(
            &[
                &["run", "--rm", "--label", &label, "--network", &network, "busybox:1"],
                command,
            ]
            .concat(),
        )
    }

    /// Writes an app's file as the engine does.
    pub async fn write(&self, routes: &AppRoutes) {
        let name = app_file(&routes.app);
        match render(routes, self.ports) {
            Some(text) => self.files.write(&name, &text).await.expect("written"),
            None => self.files.remove(&name).await.expect("removed"),
        };
    }

    /// Writes an app's file and waits until Traefik serves it; answers how long that took.
    pub async fn apply(&self, routes: &AppRoutes) -> Duration {
        let started = Instant::now();
        self.write(routes).await;
        if let Err(error) = self.api.confirm(routes, LONG).await {
            panic!("{error}\n{}", self.log());
        }
        started.elapsed()
    }

    pub fn dynamic(&self, entry: &str) -> PathBuf {
        self.root.path().join("traefik/dynamic").join(entry)
    }

    fn label(&self) -> String {
        format!("dhow.instance={}", self.run)
    }

    fn run_container(&self, spec: &ContainerSpec) {
        let mut arguments = vec!["run".to_owned(), "--detach".to_owned()];
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        option("--name", spec.name.clone());
        option("--network", spec.network.clone());
        option("--label", self.label());
        option("--stop-timeout", spec.stop_timeout.as_secs().to_string());
        assert_eq!(spec.restart, RestartPolicy::UnlessStopped);
        option("--restart", "unless-stopped".to_owned());
        for (name, value) in &spec.labels {
            option("--label", format!("{name}={value}"));
        }
        for port in &spec.ports {
            let host_port = port.host_port.map(|port| port.to_string()).unwrap_or_default();
            option(
                "--publish",
                format!("{}:{host_port}:{}", port.host_address, port.container_port),
            );
        }
        for bind in &spec.binds {
            let mode = if bind.is_read_only { ":ro" } else { "" };
            option(
                "--volume",
                format!("{}:{}{mode}", bind.host_path.display(), bind.container_path),
            );
        }
        arguments.push(spec.image.clone());
        arguments.extend(spec.command.clone().unwrap_or_default());
        docker(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let filter = format!("label={}", self.label());
        let ids = |arguments: &[&str]| {
            let output = docker_cli::run(&[arguments, &["--quiet", "--filter", &filter]].concat());
            let text = output.map(|output| output.stdout).unwrap_or_default();
            let lines = String::from_utf8_lossy(&text).into_owned();
            lines.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        for (list, remove) in [
            (vec!["ps", "--all"], vec!["rm", "--force", "--volumes"]),
            (vec!["network", "ls"], vec!["network", "rm"]),
        ] {
            let found = ids(&list);
            if !found.is_empty() {
                // A failure here must not hide the test's own.
                let found = found.iter().map(String::as_str);
                let _ = docker_cli::run(&remove.into_iter().chain(found).collect::<Vec<_>>());
            }
        }
    }
}

/// Runs the docker client; both of its outputs as text.
pub fn docker(arguments: &[&str]) -> String {
    let output = docker_cli::run(arguments).unwrap_or_else(|error| panic!("docker {arguments:?}: {error}"));
    let text = [&*output.stdout, &*output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "docker {arguments:?}: {text}");
    text
}
