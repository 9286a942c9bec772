//! A socket between Dhow and the real engine that can be cut and mended, and that can speak another range of API versions.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// The engine's newest API here; a proxy that claims more translates to it.
const SPOKEN: &str = "v1.41";

/// Minor versions of API 1 that an engine accepts.
#[derive(Clone, Copy)]
pub struct Versions {
    pub name: &'static str,
    pub oldest: u32,
    pub newest: u32,
}

/// Engine 29 dropped everything before 1.44.
pub const ENGINE_29: Versions = Versions {
    name: "29.0.0",
    oldest: 44,
    newest: 52,
};
/// One that is newer than any client of today.
pub const ENGINE_OF_TOMORROW: Versions = Versions {
    name: "99.0.0",
    oldest: 199,
    newest: 210,
};
/// One from 2015, before networks as they are now.
pub const ENGINE_OF_YESTERDAY: Versions = Versions {
    name: "1.9.1",
    oldest: 12,
    newest: 21,
};

/// Bytes of requests, and as many that the engine gets instead.
#[derive(Clone, Copy)]
struct Altered {
    from: &'static [u8],
    to: &'static [u8],
}

/// A proxy before the engine; the socket goes with it.
pub struct EngineProxy {
    directory: TempDir,
    versions: Option<Versions>,
    altered: Option<Altered>,
    running: Option<CancellationToken>,
}

impl EngineProxy {
    /// Passes everything through.
    pub fn start() -> Self {
        Self::start_as(None, None)
    }

    /// Answers for other versions than the real engine's.
    pub fn speaking(versions: Versions) -> Self {
        Self::start_as(Some(versions), None)
    }

    /// Has the engine read something else where a request says `from`; both of one length.
    pub fn altering(from: &'static str, to: &'static str) -> Self {
        assert_eq!(from.len(), to.len(), "a body's length is told before it");
        let (from, to) = (from.as_bytes(), to.as_bytes());
        Self::start_as(None, Some(Altered { from, to }))
    }

    fn start_as(versions: Option<Versions>, altered: Option<Altered>) -> Self {
        let directory = tempfile::Builder::new().prefix("dhow-e2e-engine-").tempdir().unwrap();
        let mut this = Self {
            directory,
            versions,
            altered,
            running: None,
        };
        this.mend();
        this
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("docker.sock")
    }

    /// The value of `--docker-host`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The engine is gone: no socket, and every open connection is closed.
    pub fn cut(&mut self) {
        self.running.take().expect("it was not cut before").cancel();
        std::fs::remove_file(self.socket()).unwrap();
    }

    /// The engine is back.
    pub fn mend(&mut self) {
        assert!(self.running.is_none(), "it was cut before");
        let listener = UnixListener::bind(self.socket()).unwrap();
        let running = CancellationToken::new();
        self.running = Some(running.clone());
        tokio::spawn(accept(listener, running, self.versions, self.altered));
    }

    /// The engine is back, but is another one.
    pub fn mend_as(&mut self, versions: Versions) {
        self.versions = Some(versions);
        self.mend();
    }
}

impl Drop for EngineProxy {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.cancel();
        }
    }
}

async fn accept(
    listener: UnixListener,
    running: CancellationToken,
    versions: Option<Versions>,
    altered: Option<Altered>,
) {
    let engine: Arc<str> = match std::env::var("DOCKER_HOST") {
        Ok(host) => host
            .strip_prefix("unix://")
            .expect("tests with a proxy need an engine on a Unix socket")
            .into(),
        Err(_) => "/var/run/docker.sock".into(),
    };
    while let Some(Ok((client, _))) = running.run_until_cancelled(listener.accept()).await {
        let (running, engine) = (running.clone(), Arc::clone(&engine));
        tokio::spawn(async move {
            running
                .run_until_cancelled(serve(client, &engine, versions, altered))
                .await
        });
    }
}

async fn serve(
    mut client: UnixStream,
    engine: &str,
    versions: Option<Versions>,
    altered: Option<Altered>,
) -> std::io::Result<()> {
    let mut engine = UnixStream::connect(engine).await?;
    if let Some(altered) = altered {
        return pass_altered(client, engine, altered).await;
    }
    if let Some(versions) = versions {
        let Some((head, rest)) = read_head(&mut client).await? else {
            return Ok(());
        };
        match translated(&head, versions) {
            Ok(head) => {
                engine.write_all(head.as_bytes()).await?;
                engine.write_all(&rest).await?;
            }
            Err(answer) => {
                client.write_all(answer.as_bytes()).await?;
                client.shutdown().await?;
                // What the client still sends is read, or the socket would break before it has read the answer.
                tokio::io::copy(&mut client, &mut tokio::io::sink()).await?;
                return Ok(());
            }
        }
    }
    copy_bidirectional(&mut client, &mut engine).await.map(|_| ())
}

async fn pass_altered(client: UnixStream, engine: UnixStream, altered: Altered) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_engine, mut to_engine) = engine.into_split();
    let requests = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from_client.read(&mut buffer).await?;
            if count == 0 {
                return to_engine.shutdown().await;
            }
            let bytes = &mut buffer[..count];
            let found = bytes
                .windows(altered.from.len())
                .position(|window| window == altered.from);
            if let Some(at) = found {
                bytes[at..at + altered.to.len()].copy_from_slice(altered.to);
            }
            to_engine.write_all(bytes).await?;
        }
    };
    let answers = async {
        tokio::io::copy(&mut from_engine, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(requests, answers).map(|_| ())
}

/// A request's head, and the bytes of its body that came along; none when the client has nothing to ask.
async fn read_head(client: &mut UnixStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), rest)));
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

/// The request as the real engine takes it, or the answer that an engine of these versions gives itself.
fn translated(head: &str, versions: Versions) -> Result<String, String> {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let asked = path
        .strip_prefix("/v1.")
        .and_then(|rest| rest.split('/').next()?.parse::<u32>().ok());
    if let Some(minor) = asked {
        let Versions { oldest, newest, .. } = versions;
        let refusal = |words: String| {
            Err(answer(
                400,
                versions,
                &serde_json::json!({ "message": words }).to_string(),
            ))
        };
        if minor < oldest {
            return refusal(format!(
                "client version 1.{minor} is too old. Minimum supported API version is 1.{oldest}, please upgrade your client to a newer version"
            ));
        }
        if minor > newest {
            return refusal(format!(
                "client version 1.{minor} is too new. Maximum supported API version is 1.{newest}"
            ));
        }
    }
    let call = path
        .strip_prefix(&asked.map_or_else(String::new, |minor| format!("/v1.{minor}")))
        .unwrap_or(path);
    if call == "/_ping" {
        return Err(answer(200, versions, "OK"));
    }
    if call == "/version" {
        let version = serde_json::json!({
            "Version": versions.name, "Os": "linux", "Arch": "amd64",
            "ApiVersion": format!("1.{}", versions.newest), "MinAPIVersion": format!("1.{}", versions.oldest),
        });
        return Err(answer(200, versions, &version.to_string()));
    }
    let head = head.replacen(path, &format!("/{SPOKEN}{call}"), 1);
    // One request a connection, so that every head is seen here; a hijacked connection is left as it is.
    if head.to_lowercase().contains("\r\nupgrade:") {
        return Ok(head);
    }
    Ok(head.replacen("\r\n", "\r\nConnection: close\r\n", 1))
}

fn answer(status: u16, versions: Versions, body: &str) -> String {
    let reason = if status == 200 { "OK" } else { "Bad Request" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nApi-Version: 1.{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        versions.newest,
        body.len()
    )
}

#[tokio::test]
async fn a_proxied_engine_answers_until_it_is_cut_and_again_when_it_is_mended() {
    let mut proxy = EngineProxy::start();
    let host = proxy.host();
    let ask = || {
        let host = host.clone();
        let asking = move || super::docker::try_docker(&["--host", &host, "ps", "--filter=id=none", "--format=one"]);
        async { tokio::task::spawn_blocking(asking).await.unwrap() }
    };
    assert_eq!(ask().await, Ok(String::new()));
    proxy.cut();
    assert!(ask().await.is_err());
    proxy.mend_as(ENGINE_29);
    assert_eq!(
        ask().await,
        Ok(String::new()),
        "a client that negotiates can use a newer engine"
    );
    proxy.cut();
    proxy.mend_as(ENGINE_OF_TOMORROW);
    let refusal = ask().await.unwrap_err();
    assert!(refusal.contains("Minimum supported API version is 1.199"), "{refusal}");
}
