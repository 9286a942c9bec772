//! Deployments that stand still, each in a step of its own, for as long as the test wants.
//!
//! Each app is called as the step in which its deployment is held up: by the git server, by scripts that wait at the gate,
//! by a file that Traefik cannot read, or by a visitor of the old version whose answer waits at the gate.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::api::Api;
use super::dhow::Dhow;
use super::gate::Gate;
use super::git_server::GitServer;
use super::http::Answer;
use super::process::commands_with;
use super::repository::{Repository, plain_text};
use super::setup::Setup;
use super::wait::{eventually, in_time, seconds};

/// Every step, in order.
pub const STEPS: [&str; 6] = ["fetch", "build", "start", "check", "switch", "retire"];
/// The page that an old version answers when the gate opens for it.
const WAIT: &str = "cgi-bin/wait";
/// Time until a deployment stands where it is held up, beside the others.
const THERE_WITHIN: Duration = seconds(60);

/// An instance whose apps are live with the page "old" and are being deployed with the page "new".
pub struct HeldUp {
    pub dhow: Dhow,
    pub api: Api,
    pub git: GitServer,
    gate: Gate,
    /// The deployments, by step.
    pub ids: BTreeMap<&'static str, i64>,
    visitor: Mutex<Option<JoinHandle<Result<Answer, String>>>>,
}

impl HeldUp {
    /// Starts an instance and brings a deployment into each of these steps.
    pub async fn in_steps(steps: &[&'static str]) -> Self {
        Self::in_steps_of(Setup::new(), steps).await
    }

    /// The same for an instance that is started as a test wants.
    pub async fn in_steps_of(setup: Setup, steps: &[&'static str]) -> Self {
        let setup = setup.flag("--max-deployments", &steps.len().to_string());
        let dhow = setup.start().await;
        let api = dhow.owner().await;
        api.create_project("Steps").await;
        let mut this = Self {
            dhow,
            api,
            git: GitServer::start().await,
            gate: Gate::start().await,
            ids: BTreeMap::new(),
            visitor: Mutex::default(),
        };
        let firsts = steps.iter().map(|step| this.first_deployment(step));
        for first in join_all(firsts).await {
            this.api.succeeded(first).await;
        }
        // What holds up a switch would hold up every other one as well, so it comes last.
        for together in [&["retire"][..], &["fetch", "build", "start", "check"], &["switch"]] {
            let together: Vec<_> = steps.iter().copied().filter(|step| together.contains(step)).collect();
            let ids = join_all(together.iter().map(|step| this.hold_up(step))).await;
            this.ids.extend(together.iter().copied().zip(ids));
            join_all(together.iter().map(|step| this.stands_still(step, 1))).await;
        }
        this
    }

    async fn first_deployment(&self, step: &str) -> i64 {
        self.commit(&self.git.repository(step), "old", None);
        self.create_app(step).await;
        self.api.deploy(step).await
    }

    /// Makes an app of the repository that is called as the step.
    pub async fn create_app(&self, step: &str) -> String {
        let command = (step == "start").then_some("sh release.sh");
        let more = json!({ "build": { "builder": "dockerfile", "release_command": command } });
        self.api
            .create_app_with("steps", step, &self.git.again(step), more)
            .await
    }

    /// Commits a version that waits at the gate in a step, or nowhere.
    fn commit(&self, repository: &Repository, page: &str, step: Option<&str>) {
        for (script, of) in [("build", "build"), ("release", "start"), ("start", "check")] {
            let command = if step == Some(of) {
                self.gate.command(of)
            } else {
                "true".to_owned()
            };
            repository.write(&format!("{script}.sh"), &format!("{command}\n"));
        }
        repository.write_script(
            WAIT,
            &format!("{}\n{}", self.gate.command("retire"), plain_text("served")),
        );
        repository.write("index.html", page);
        let serve = "CMD [\"sh\", \"-c\", \"sh start.sh; exec httpd -f -p $PORT -h /www\"]";
        repository.write(
            "Dockerfile",
            &format!("FROM busybox:1\nWORKDIR /www\nCOPY . .\nRUN sh build.sh\n{serve}\n"),
        );
        repository.commit(page);
    }

    /// Deploys the app's next version, which will come no further than its step; answers the deployment's id.
    async fn hold_up(&self, step: &str) -> i64 {
        self.commit(&self.git.again(step), "new", Some(step));
        match step {
            "fetch" => self.git.hold(step),
            "switch" => std::fs::write(self.bad_file(), "http: [").unwrap(),
            "retire" => self.visit_old_version().await,
            _ => {}
        }
        self.api.deploy(step).await
    }

    /// The same once more with another page, for a step that waits at the gate.
    pub async fn hold_up_again(&mut self, step: &'static str, page: &str) {
        self.gate.close(step);
        let times = self.gate.times(step);
        self.commit(&self.git.again(step), page, Some(step));
        self.ids.insert(step, self.api.deploy(step).await);
        self.stands_still(step, times + 1).await;
    }

    /// Dhow writes no file of this name; while Traefik cannot read it, it takes no change.
    fn bad_file(&self) -> std::path::PathBuf {
        self.dhow.data_file("traefik/dynamic/NOT-DHOWS.yml")
    }

    async fn visit_old_version(&self) {
        let (http, url) = (self.dhow.http.clone(), self.dhow.app_url(&format!("/{WAIT}")));
        let visit = async move { http.try_send("GET", &url, &[("host", "retire.localhost")], "").await };
        *self.visitor.lock().unwrap() = Some(tokio::spawn(visit));
        self.gate.arrival("retire", THERE_WITHIN).await;
    }

    /// Waits until a deployment has come to its step for the `times`th time, and does not get on.
    pub async fn stands_still(&self, step: &str, times: usize) {
        match step {
            "fetch" => self.git.waiting(step, times, THERE_WITHIN).await,
            "switch" | "retire" => drop(self.api.at_step(self.ids[step], step).await),
            _ => self.gate.arrivals(step, times, THERE_WITHIN).await,
        }
    }

    /// Lets every deployment go on, and whatever comes to these steps later.
    pub fn go_on(&self) {
        self.git.open("fetch");
        for step in STEPS {
            self.gate.open(step);
        }
        let _ = std::fs::remove_file(self.bad_file());
    }

    /// The old version's visitor has his whole answer.
    pub async fn assert_visitor_was_served(&self) {
        let visitor = self.visitor.lock().unwrap().take().expect("somebody visits");
        let answer = in_time("the old version answers", seconds(30), visitor).await;
        assert_eq!(answer.unwrap().unwrap().expect(200).text(), "served");
    }

    /// The first page of an app.
    pub async fn page(&self, step: &str) -> String {
        self.dhow
            .visit(&format!("{step}.localhost"), "/")
            .await
            .expect(200)
            .text()
    }

    pub async fn succeeded(&self, step: &str) -> Value {
        self.api.succeeded(self.ids[step]).await
    }

    /// Waits until no process of a build, release command or new version is left that waited at the gate.
    pub async fn processes_are_gone(&self, within: Duration) {
        let waits = ["build", "start", "check"].map(|step| self.gate.command(step));
        eventually("no process of an ended deployment is left", within, || async {
            let left: Vec<String> = waits.iter().flat_map(|wait| commands_with(wait)).collect();
            if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
        })
        .await;
    }

    /// Deploys a version that waits nowhere; answers its id.
    pub async fn deploy_freely(&self, step: &str, page: &str) -> i64 {
        self.commit(&self.git.again(step), page, None);
        self.api.deploy(step).await
    }
}
