//! Stands before the real engine and answers for the API version as another release of Docker would.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};

pub const ENGINE: &str = "/var/run/docker.sock";

/// The range of API versions (minor numbers) that a release accepts.
#[derive(Clone, Copy)]
pub struct Release {
    pub version: &'static str,
    pub oldest: u32,
    pub newest: u32,
}

pub const DOCKER_19_03: Release = Release {
    version: "19.03.15",
    oldest: 12,
    newest: 40,
};
pub const DOCKER_20_10: Release = Release {
    version: "20.10.24",
    oldest: 12,
    newest: 41,
};
pub const DOCKER_29: Release = Release {
    version: "29.0.0",
    oldest: 44,
    newest: 52,
};
pub const DOCKER_99: Release = Release {
    version: "99.0.0",
    oldest: 60,
    newest: 70,
};

/// A socket that behaves as the release set last, or refuses all connections while none is set.
pub struct Relay {
    pub path: PathBuf,
    shared: Arc<Shared>,
    _directory: tempfile::TempDir,
}

struct Shared {
    release: Mutex<Option<Release>>,
    /// Request lines as they came.
    requests: Mutex<Vec<String>>,
}

impl Relay {
    pub fn start(release: Release) -> Relay {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let shared = Arc::new(Shared {
            release: Mutex::new(Some(release)),
            requests: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&serving)));
            }
        });
        Relay {
            path,
            shared,
            _directory: directory,
        }
    }

    pub fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    pub fn become_release(&self, release: Option<Release>) {
        *self.shared.release.lock().unwrap() = release;
    }

    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }
}

async fn serve(mut client: UnixStream, shared: Arc<Shared>) {
    let Some(release) = *shared.release.lock().unwrap() else {
        return;
    };
    let mut head = vec![0; 64 * 1024];
    let length = client.read(&mut head).await.unwrap_or(0);
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let Some((line, rest)) = head.split_once("\r\n") else {
        return;
    };
    shared.requests.lock().unwrap().push(line.to_owned());
    let path = line.split(' ').nth(1).unwrap_or_default();
    if path == "/version" {
        let Release {
            version,
            oldest,
            newest,
        } = release;
        let body = format!(r#"{{"Version":"{version}","ApiVersion":"1.{newest}","MinAPIVersion":"1.{oldest}"}}"#);
        return answer(&mut client, "200 OK", &body).await;
    }
    let asked: Option<u32> = path
        .strip_prefix("/v1.")
        .and_then(|rest| rest.split('/').next()?.parse().ok());
    if let Some(refusal) = asked.and_then(|asked| refusal(asked, release)) {
        return answer(&mut client, "400 Bad Request", &format!(r#"{{"message":"{refusal}"}}"#)).await;
    }
    let line = asked.map_or_else(
        || line.to_owned(),
        |asked| line.replacen(&format!("/v1.{asked}"), "/v1.41", 1),
    );
    let mut engine = UnixStream::connect(ENGINE).await.unwrap();
    engine.write_all(format!("{line}\r\n{rest}").as_bytes()).await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut engine).await;
}

/// The engine's own words (moby, `version` middleware).
fn refusal(asked: u32, release: Release) -> Option<String> {
    let Release { oldest, newest, .. } = release;
    if asked < oldest {
        return Some(format!(
            "client version 1.{asked} is too old. Minimum supported API version is 1.{oldest}, please upgrade your client \
             to a newer version"
        ));
    }
    (asked > newest)
        .then(|| format!("client version 1.{asked} is too new. Maximum supported API version is 1.{newest}"))
}

async fn answer(client: &mut UnixStream, status: &str, body: &str) {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let _ = client.write_all(answer.as_bytes()).await;
}
