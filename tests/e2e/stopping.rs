//! Case run-sigterm-and-drain: the new version takes the traffic first, then the old one is told to end, and has as
//! long as its stop timeout says.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::git_server::GitServer;
use crate::harness::http::Http;
use crate::harness::repository::{DOWNLOAD, DOWNLOAD_PARTS};
use crate::harness::wait::{in_time, seconds};

fn retire_ms(deployment: &Value) -> i64 {
    let steps = deployment["steps"].as_array().unwrap();
    let retire = steps.iter().find(|step| step["step"] == "retire").unwrap();
    retire["ms"].as_i64().unwrap()
}

fn dockerfile(script: &str, page: &str) -> String {
    format!("FROM busybox:1\nWORKDIR /www\nRUN echo {page} > index.html\nCMD [\"sh\", \"-c\", \"{script}\"]\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn run_sigterm_and_drain_an_app_that_ignores_the_signal_costs_its_stop_timeout() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("deaf");
    let project = api.create_project("Deaf").await;
    api.create_app_with(&project, "deaf", &repository, json!({ "stop_timeout_s": 5 }))
        .await;
    assert_eq!(api.read("/apps/deaf").await["stop_timeout_s"], 5);
    let deaf = "httpd -p $PORT -h /www; trap '' TERM; while :; do sleep 1; done";
    repository.write("Dockerfile", &dockerfile(deaf, "deaf"));
    repository.commit("Ignore SIGTERM");
    api.succeeded(api.deploy("deaf").await).await;
    let serving = dhow.containers_of("deaf").remove(0);
    assert_eq!(
        inspect("container", &serving)["Config"]["StopTimeout"],
        5,
        "the engine's own stops keep it"
    );

    repository.write("Dockerfile", &dockerfile("exec httpd -f -p $PORT -h /www", "tame"));
    repository.commit("Heed it");
    let from_deaf = api.succeeded(api.deploy("deaf").await).await;
    repository.write("Dockerfile", &dockerfile("exec httpd -f -p $PORT -h /www", "tamer"));
    repository.commit("Heed it again");
    let from_tame = api.succeeded(api.deploy("deaf").await).await;

    let cost = retire_ms(&from_deaf) - retire_ms(&from_tame);
    assert!(
        (4_000..8_000).contains(&cost),
        "{cost} ms: {from_deaf:#}\n{from_tame:#}"
    );

    // A killed version is told by its code; that memory ran out is what only the engine can say.
    repository.write("Dockerfile", &dockerfile("kill -9 $$", "killed"));
    repository.commit("End by SIGKILL");
    let id = api.deploy("deaf").await;
    let killed = api.failed(id, "exited").await;
    let message = killed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("exit code 137") && !message.contains("out of memory"),
        "{message}"
    );
    assert_eq!(
        dhow.visit("deaf.localhost", "/").await.expect(200).text().trim(),
        "tamer"
    );
}

/// Requests that take three seconds each, one begun every quarter of a second, until they are stopped; answers all that
/// failed, and how many there were.
async fn slow_visits(dhow_url: String, stop: CancellationToken) -> (Vec<String>, usize) {
    let mut visits = JoinSet::new();
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(250));
    while !stop.is_cancelled() {
        pace.tick().await;
        let url = dhow_url.clone();
        visits.spawn(async move {
            let answer = Http::new()
                .try_send("GET", &url, &[("host", "slow.localhost")], "")
                .await?;
            if answer.status == 200 && answer.text().trim() == "slept" {
                Ok(())
            } else {
                Err(answer.to_string())
            }
        });
    }
    let all = visits.join_all().await;
    let count = all.len();
    (all.into_iter().filter_map(Result::err).collect(), count)
}

async fn deploy_slow(api: &Api, repository: &crate::harness::repository::Repository, page: &str) -> Value {
    let slow = r#"RUN mkdir cgi-bin && printf '#!/bin/sh\nsleep 3\nprintf "\\r\\nslept"\n' > cgi-bin/slow"#;
    let serve = dockerfile("exec httpd -f -p $PORT -h /www", page);
    let lines = format!("{serve}{slow}\nRUN chmod 755 cgi-bin/slow\n");
    repository.write("Dockerfile", &lines);
    repository.commit(page);
    api.succeeded(api.deploy("slow").await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn run_sigterm_and_drain_requests_in_flight_are_finished_by_the_old_version() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("slow");
    let project = api.create_project("Slow").await;
    api.create_app(&project, "slow", &repository).await;
    deploy_slow(&api, &repository, "one").await;

    let stop = CancellationToken::new();
    let visits = tokio::spawn(slow_visits(dhow.app_url("/cgi-bin/slow"), stop.clone()));
    let deployment = deploy_slow(&api, &repository, "two").await;
    stop.cancel();
    let (failed, count) = in_time("the slow requests end", seconds(20), visits).await.unwrap();

    assert!(
        failed.is_empty(),
        "{} of {count} failed: {:#?}",
        failed.len(),
        failed.first()
    );
    assert!(count > 12, "only {count} requests");
    assert_eq!(deployment["switch"]["failed"], 0, "{deployment:#}");
    assert_eq!(dhow.visit("slow.localhost", "/").await.expect(200).text().trim(), "two");
    assert_eq!(dhow.containers_of("slow").len(), 1);
    let left = dhow.containers_of("slow").remove(0);
    assert_eq!(
        docker(&["inspect", "-f", "{{.Config.StopTimeout}}", &left]),
        "10",
        "what is said where nothing is said"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn run_sigterm_and_drain_a_version_on_another_port_waits_for_what_the_old_one_has_begun() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("slow");
    repository.write_slow_site("slow");
    repository.commit("Serve slowly");
    let app = api.live_app("Slow", "slow", &repository).await;

    let host = [("host", "slow.localhost")];
    let mut download = dhow.http.open(&dhow.app_url(DOWNLOAD), &host).await;
    let first = download.chunk("the download begins", seconds(10)).await.unwrap();
    api.patch(&format!("/apps/{app}"), json!({ "port": 4000 }))
        .await
        .expect(200);
    let id = api.deploy(&app).await;
    let rest = download.rest("the download ends", seconds(30)).await;
    let whole = [&first[..], &rest].concat();
    let parts = String::from_utf8(whole).unwrap().lines().count();
    assert_eq!(parts, DOWNLOAD_PARTS, "the whole download arrives");
    api.succeeded(id).await;
    assert_eq!(dhow.visit("slow.localhost", "/").await.expect(200).text(), "slow");
}
