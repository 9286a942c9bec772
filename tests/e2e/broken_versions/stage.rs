//! A working version with its visitors, and how a broken one is put over it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::labelled;
use crate::harness::git_server::GitServer;
use crate::harness::http::Http;
use crate::harness::repository::Repository;

/// Time between two requests to the old version.
const PACE: Duration = Duration::from_millis(20);

/// A visitor who asks again and again and remembers every answer that was not the old version's.
pub struct Visits {
    stop: CancellationToken,
    asking: JoinHandle<(usize, Vec<String>)>,
}

impl Visits {
    pub fn of(dhow: &Dhow, expected: &'static str) -> Self {
        let (stop, url) = (CancellationToken::new(), dhow.app_url("/"));
        let stopped = stop.clone();
        let asking = tokio::spawn(async move {
            let (kept, fresh) = (Http::with_keep_alive(), Http::new());
            let (mut count, mut wrong) = (0, Vec::new());
            let mut pace = tokio::time::interval(PACE);
            while !stopped.is_cancelled() {
                pace.tick().await;
                count += 1;
                let http = if count % 2 == 0 { &kept } else { &fresh };
                match http.try_send("GET", &url, &[("host", "web.localhost")], "").await {
                    Ok(answer) if answer.status == 200 && answer.text() == expected => {}
                    Ok(answer) => wrong.push(answer.to_string()),
                    Err(error) => wrong.push(error),
                }
            }
            (count, wrong)
        });
        Self { stop, asking }
    }

    pub async fn assert_all_were_answered(self) {
        self.stop.cancel();
        let (count, wrong) = self.asking.await.unwrap();
        println!("{count} visits, {} wrong", wrong.len());
        assert!(
            wrong.is_empty(),
            "{} of {count} visits: {:#?}",
            wrong.len(),
            wrong.first()
        );
        assert!(count > 50, "only {count} visits");
    }
}

/// An instance whose app `web` serves `good` on a port.
pub struct Stage {
    pub dhow: Dhow,
    pub api: Api,
    repository: Repository,
    _git: GitServer,
}

impl Stage {
    pub async fn with_port(port: u16) -> Self {
        let dhow = Dhow::start().await;
        let api = dhow.owner().await;
        let git = GitServer::start().await;
        let repository = git.repository("web");
        repository.commit_app("good");
        let project = api.create_project("Web").await;
        // A short time to be good: most of the broken ones use it up.
        let settings = json!({ "port": port, "health": { "timeout_s": 3 } });
        api.create_app_with(&project, "web", &repository, settings).await;
        api.succeeded(api.deploy("web").await).await;
        Self {
            dhow,
            api,
            repository,
            _git: git,
        }
    }

    /// Deploys a version that must fail, and checks that nothing of it is left; answers the sentence and the log.
    pub async fn fails(&self, version: &Broken) -> (String, String) {
        let mut settings = json!({
            "health": { "path": null, "timeout_s": 3 },
            "resources": { "memory_mb": null },
            "build": { "start_command": null },
        });
        settings
            .as_object_mut()
            .unwrap()
            .extend(version.settings.as_object().unwrap().clone());
        self.api.patch("/apps/web", settings).await.expect(200);
        self.repository.write("index.html", "bad");
        self.repository.write("Dockerfile", &version.dockerfile);
        self.repository.commit(version.name);
        let id = self.api.deploy("web").await;
        let deployment = self.api.ended(id).await;
        let log = self.api.log(id).await;
        let what = format!("{}: {deployment:#}\n{log}", version.name);
        assert_eq!(deployment["error"]["kind"], version.kind, "{what}");
        let message = deployment["error"]["message"].as_str().unwrap().to_owned();
        for words in version.words {
            assert!(message.contains(words), "'{words}' is not said by {what}");
        }
        assert!(log.trim_end().ends_with(&message) && !message.contains('\n'), "{what}");
        println!("{}: {message}", version.name);
        self.assert_nothing_is_left(&deployment).await;
        (message, log)
    }

    async fn assert_nothing_is_left(&self, deployment: &Value) {
        assert_eq!(deployment["release"], Value::Null, "{deployment:#}");
        assert_eq!(self.dhow.containers_of("web").len(), 1, "{deployment:#}");
        let images = labelled(
            "image",
            &[&format!("dhow.instance={}", self.dhow.instance), "dhow.app=web"],
        );
        assert_eq!(images.len(), 1, "{images:?} after {deployment:#}");
        let releases = self.api.read("/apps/web/releases").await;
        assert_eq!(releases["items"].as_array().unwrap().len(), 1, "{releases:#}");
        assert_eq!(self.api.read("/apps/web").await["status"], "running");
        assert_eq!(self.dhow.visit("web.localhost", "/").await.expect(200).text(), "good");
    }
}

/// A new version, and how its failure must be told.
pub struct Broken {
    pub name: &'static str,
    pub dockerfile: String,
    pub settings: Value,
    pub kind: &'static str,
    pub words: &'static [&'static str],
}

impl Broken {
    /// One whose image runs a line of shell in the directory of its page.
    pub fn running(name: &'static str, script: &str, kind: &'static str, words: &'static [&'static str]) -> Self {
        Self {
            name,
            dockerfile: format!(
                "FROM busybox:1\nWORKDIR /www\nCOPY index.html .\nCMD [\"sh\", \"-c\", \"{script}\"]\n"
            ),
            settings: json!({}),
            kind,
            words,
        }
    }

    pub fn line(mut self, line: &str) -> Self {
        self.dockerfile.push_str(line);
        self.dockerfile.push('\n');
        self
    }

    pub fn setting(mut self, name: &str, value: Value) -> Self {
        self.settings[name] = value;
        self
    }
}
