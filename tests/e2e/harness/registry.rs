//! A real registry of images (Debian `docker-registry`) on the loopback address, where the engine speaks plain http to
//! it; open, or with a password. Layers can be held up on their way.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::docker::{docker, try_docker};
use super::free_port::free_port;
use super::process::Process;
use super::wait::{eventually, in_time, seconds};

/// What opens a registry with a password. Some of its characters are told apart only in the right alphabet of base64.
pub const USER: &str = "puller";
pub const PASSWORD: &str = "S3cret?>~/pass";
/// Both in the form of htpasswd, which the registry reads.
const HTPASSWD: &str = "puller:$2y$05$DdMqrihfb.Lj1Jd5I.JHa.JqiveoO8jVSPdqpRa.m.kCRtYBpJzbi\n";
const STARTED_WITHIN: Duration = seconds(20);

/// Images of the tests carry it, so that those who look for what belongs to nobody pass them by.
const LABEL: &str = "LABEL dhow.bait=registry";

/// A registry; ends with the test, and with it all that the engine has under its name. Start it before Dhow, so that what
/// runs of its images has ended by then.
pub struct Registry {
    files: Arc<TempDir>,
    /// Its name in those of images, as `127.0.0.1:12345`.
    pub name: String,
    server: Option<Process>,
    held: Arc<watch::Sender<Held>>,
}

/// Whether layers wait, and how many do.
#[derive(Default)]
struct Held {
    is_held: bool,
    waiting: usize,
}

impl Registry {
    /// One that gives to everybody.
    pub async fn start() -> Self {
        let files = tempfile::Builder::new().prefix("dhow-e2e-registry-").tempdir().unwrap();
        Self::serve(Arc::new(files), false).await
    }

    /// The same images behind a password.
    pub async fn with_password(&self) -> Self {
        Self::serve(Arc::clone(&self.files), true).await
    }

    async fn serve(files: Arc<TempDir>, is_locked: bool) -> Self {
        let (port, behind) = (free_port(), free_port());
        let dir = files.path().display();
        std::fs::write(files.path().join("htpasswd"), HTPASSWD).unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: {{rootdirectory: {dir}/images}}\nhttp: {{addr: \
             \"127.0.0.1:{behind}\"}}\n"
        );
        if is_locked {
            config.push_str(&format!("auth:\n  htpasswd: {{realm: tests, path: {dir}/htpasswd}}\n"));
        }
        let path = files.path().join(format!("{port}.yml"));
        std::fs::write(&path, config).unwrap();
        let server = Process::start(
            "docker-registry",
            Command::new("docker-registry").arg("serve").arg(path),
        );
        eventually("the registry listens", STARTED_WITHIN, || async {
            let connected = TcpStream::connect(("127.0.0.1", behind)).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
        .await;
        let held = Arc::new(watch::Sender::new(Held::default()));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        tokio::spawn(pass_on(listener, behind, Arc::clone(&held)));
        Self {
            files,
            name: format!("127.0.0.1:{port}"),
            server: Some(server),
            held,
        }
    }

    /// The full name of one of its images.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }

    /// Makes an image that serves a text on the port it is told, as another user than root, and pushes it; answers its
    /// digest. The engine does not keep it.
    pub fn push(&self, name: &str, text: &str) -> String {
        let (program, image) = (serving(text), self.image(name));
        make(&image, &["USER 1000", "ENTRYPOINT [\"sh\", \"-c\"]", &program]);
        self.push_made(&image)
    }

    /// Pushes what the engine has under one of its names, and removes it there.
    pub fn push_made(&self, image: &str) -> String {
        let pushed = docker(&["push", image]);
        let digest = pushed.split_whitespace().find(|word| word.starts_with("sha256:"));
        let digest = digest.unwrap_or_else(|| panic!("no digest: {pushed}")).to_owned();
        docker(&["rmi", image]);
        digest
    }

    /// Keeps whoever asks for layers waiting.
    pub fn hold(&self) {
        self.held.send_modify(|held| {
            held.is_held = true;
            held.waiting = 0;
        });
    }

    pub fn let_go(&self) {
        self.held.send_modify(|held| held.is_held = false);
    }

    /// Waits until somebody waits for a layer.
    pub async fn holds(&self) {
        let mut held = self.held.subscribe();
        let waiting = held.wait_for(|held| held.waiting > 0);
        in_time("somebody waits for a layer", seconds(60), waiting)
            .await
            .unwrap();
    }

    /// Ends it: whoever asks from now on gets no answer.
    pub async fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.signal("KILL");
            server.ended(seconds(10)).await;
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let filter = format!("--filter=reference={}/*", self.name);
        let deep = format!("--filter=reference={}/*/*", self.name);
        for filter in [filter, deep] {
            let ids = try_docker(&["images", "--quiet", "--no-trunc", &filter]).unwrap_or_default();
            for id in ids.lines() {
                let _ = try_docker(&["rmi", "--force", id]);
            }
        }
    }
}

/// The command of an image that serves a text.
pub fn serving(text: &str) -> String {
    format!(
        "CMD [\"mkdir -p /tmp/www && printf '%s' '{text}' > /tmp/www/index.html && exec httpd -f -p ${{PORT:-3000}} -h \
         /tmp/www\"]"
    )
}

/// Makes an image of busybox on the engine.
pub fn make(name: &str, changes: &[&str]) {
    let container = docker(&["create", "busybox:1", "true"]);
    let mut commit = vec!["commit", "--change", LABEL];
    for change in changes {
        commit.extend(["--change", change]);
    }
    commit.extend([container.as_str(), name]);
    docker(&commit);
    docker(&["rm", &container]);
}

async fn pass_on(listener: TcpListener, port: u16, held: Arc<watch::Sender<Held>>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(converse(client, port, Arc::clone(&held)));
    }
}

/// Ends where either side does; one that was stopped refuses.
async fn converse(client: TcpStream, port: u16, held: Arc<watch::Sender<Held>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
        () = ask(from_client, to_server, &held) => {}
    }
}

async fn ask(mut from_client: OwnedReadHalf, mut to_server: OwnedWriteHalf, held: &watch::Sender<Held>) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from_client.read(&mut piece).await {
        if String::from_utf8_lossy(&piece[..read]).contains("/blobs/") {
            wait(held).await;
        }
        if to_server.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

async fn wait(held: &watch::Sender<Held>) {
    let mut changes = held.subscribe();
    if held.borrow().is_held {
        held.send_modify(|held| held.waiting += 1);
        let _ = changes.wait_for(|held| !held.is_held).await;
    }
}
