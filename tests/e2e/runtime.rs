//! What an app's instance does after it went live is seen at once, and what somebody broke by hand is put right.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect, try_docker};
use crate::harness::engine_proxy::EngineProxy;
use crate::harness::git_server::GitServer;
use crate::harness::http::Http;
use crate::harness::load::Load;
use crate::harness::panel::Panel;
use crate::harness::private_engine::PrivateEngine;
use crate::harness::repository::Repository;
use crate::harness::setup::Setup;
use crate::harness::sse::EventStream;
use crate::harness::wait::{eventually, seconds};

/// Time from an end that the engine tells of to the status that shows it.
const SHOWN_WITHIN: Duration = seconds(2);
/// Time until something that was broken by hand serves again, on a machine that others use too.
const HEALED_WITHIN: Duration = seconds(15);
/// Ten seconds until the engine calls an instance steady, one look, and some for a busy machine.
const STEADY_WITHIN: Duration = seconds(20);

/// Writes an app that does what it finds in a file, see [`cause`].
fn commit_frail_app(repository: &Repository, page: &str) {
    repository.write("index.html", page);
    repository.write(
        "run.sh",
        "httpd -p $PORT -h /www\nwhile true; do [ -e /trouble ] && . /trouble; sleep 0.1; done\n",
    );
    repository.write(
        "Dockerfile",
        "FROM busybox:1\nWORKDIR /www\nCOPY index.html run.sh ./\nCMD [\"sh\", \"run.sh\"]\n",
    );
    repository.commit("Serve until told otherwise");
}

/// Has a frail app run a line of shell, once or after each start.
fn cause(container: &str, line: &str, is_once: bool) {
    docker(&["exec", container, "sh", "-c", &cause_by(line, is_once)]);
}

fn cause_by(line: &str, is_once: bool) -> String {
    let first = if is_once { "rm /trouble; " } else { "" };
    format!("echo '{first}{line}' >/tmp/trouble && mv /tmp/trouble /trouble")
}

/// The one container of an app.
fn container_of(dhow: &Dhow, app: &str) -> String {
    let containers = dhow.containers_of(app);
    assert_eq!(containers.len(), 1, "{app} has one container");
    containers.into_iter().next().unwrap()
}

/// The network of its project.
fn network_of(container: &str) -> String {
    let networks = inspect("container", container)["NetworkSettings"]["Networks"].take();
    networks.as_object().unwrap().keys().next().unwrap().clone()
}

async fn until_status(api: &Api, app: &str, status: &str, within: Duration) {
    eventually(&format!("{app} is {status}"), within, || async {
        let app = api.read(&format!("/apps/{app}")).await;
        if app["status"] == status {
            Ok(())
        } else {
            Err(app["status"].to_string())
        }
    })
    .await;
}

/// Waits until a page has the words.
async fn until_words(panel: &Panel, path: &str, expected: &str, within: Duration) {
    eventually(&format!("{path} says '{expected}'"), within, || async {
        let words = panel.page(path).await.words();
        if words.contains(expected) { Ok(()) } else { Err(words) }
    })
    .await;
}

/// Waits until an app answers with its page.
async fn until_served(dhow: &Dhow, app: &str) {
    let host = format!("{app}.localhost");
    let http = Http::new();
    eventually(&format!("{app} serves"), HEALED_WITHIN, || async {
        let url = dhow.app_url("/");
        let headers = [("host", host.as_str())];
        let answer = tokio::time::timeout(seconds(1), http.try_send("GET", &url, &headers, "")).await;
        match answer.map_err(|_| "no answer within 1 s".to_owned())?? {
            answer if answer.status == 200 && answer.text() == app => Ok(()),
            answer => Err(answer.to_string()),
        }
    })
    .await;
}

/// Waits until the container that `find` answers is in a network.
async fn until_joined(find: impl Fn() -> String, network: &str) {
    eventually(&format!("it is in {network}"), HEALED_WITHIN, || {
        let networks = inspect("container", &find())["NetworkSettings"]["Networks"].take();
        let is_in = networks.get(network).is_some();
        std::future::ready(if is_in { Ok(()) } else { Err(networks.to_string()) })
    })
    .await;
}

/// When the container last ended, by its own account.
fn end_of(container: &str) -> SystemTime {
    let finished_at = docker(&["inspect", "-f", "{{.State.FinishedAt}}", container]);
    OffsetDateTime::parse(&finished_at, &Rfc3339).unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_shown_with_its_exit_code_until_the_instance_is_steady_again() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let git = GitServer::start().await;
    let repository = git.repository("frail");
    commit_frail_app(&repository, "frail");
    api.live_app("Frail", "frail", &repository).await;
    assert_eq!(api.read("/apps/frail").await["status"], "running");
    let container = container_of(&dhow, "frail");

    cause(&container, "exit 3", true);
    // On a busy machine the engine itself needs seconds until it tells anybody.
    eventually("the engine tells of the crash", seconds(30), || {
        let restarts = docker(&["inspect", "-f", "{{.RestartCount}}", &container]);
        std::future::ready(if restarts == "1" { Ok(()) } else { Err(restarts) })
    })
    .await;
    until_status(&api, "frail", "crashed", SHOWN_WITHIN).await;
    let took = SystemTime::now().duration_since(end_of(&container)).unwrap();
    println!("the status told of the crash after {took:?}");
    until_words(&panel, "/apps/frail", "Crashed: exit code 3, restarted", SHOWN_WITHIN).await;
    until_words(&panel, "/", "crashed, exit code 3, restarted", SHOWN_WITHIN).await;

    // The page of a crashed app changes by itself.
    let cookies = panel.cookies();
    let (name, value) = cookies.iter().next().unwrap();
    let url = format!("{}/apps/frail/stream", dhow.url());
    let stream = Http::new().open(&url, &[("cookie", &format!("{name}={value}"))]).await;
    let mut stream = EventStream::new(stream);
    let first = stream.next("the page as it is", seconds(5)).await.unwrap();
    assert!(first.data.contains("Crashed"), "{}", first.data);
    let rest = stream.rest("the page until all is well", STEADY_WITHIN).await;
    let [.., last, done] = &rest[..] else {
        panic!("{rest:#?}")
    };
    assert!(
        last.data.contains(">running<") && !last.data.contains("Crashed"),
        "{}",
        last.data
    );
    assert_eq!(done.name, "done");
    assert_eq!(api.read("/apps/frail").await["status"], "running");
    assert_eq!(
        container_of(&dhow, "frail"),
        container,
        "the engine started it again, not Dhow"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lack_of_memory_is_told_as_such_and_another_kill_is_not() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let git = GitServer::start().await;
    let repository = git.repository("greedy");
    commit_frail_app(&repository, "greedy");
    let project = api.create_project("Greedy").await;
    let resources = json!({ "resources": { "memory_mb": 32 } });
    api.create_app_with(&project, "greedy", &repository, resources).await;
    api.succeeded(api.deploy("greedy").await).await;
    let container = container_of(&dhow, "greedy");

    cause(&container, "kill -9 $$", true);
    until_words(&panel, "/apps/greedy", "Crashed: exit code 137, restarted", seconds(10)).await;
    cause(&container, "exec tail /dev/zero", true);
    let words = "Crashed: it used more memory than it may, restarted 2 times, last";
    until_words(&panel, "/apps/greedy", words, seconds(10)).await;
    until_words(&panel, "/", "it used more memory than it may", SHOWN_WITHIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_somebody_takes_away_comes_back_and_others_do_not_notice() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    for app in ["victim", "bystander"] {
        let repository = git.repository(app);
        commit_frail_app(&repository, app);
        api.live_app(app, app, &repository).await;
    }
    let load = Load::on(&dhow, "bystander.localhost");
    let network = network_of(&container_of(&dhow, "victim"));
    let damages: [&[&str]; 5] = [
        &["kill"],
        &["pause"],
        &["stop", "--time=1"],
        &["rm", "--force"],
        &["network", "disconnect", &network],
    ];
    for damage in damages {
        docker(&[damage, &[container_of(&dhow, "victim").as_str()]].concat());
        let began = SystemTime::now();
        until_served(&dhow, "victim").await;
        println!(
            "after docker {} it served again in {:?}",
            damage[0],
            began.elapsed().unwrap()
        );
        until_status(&api, "victim", "running", HEALED_WITHIN).await;
        container_of(&dhow, "victim");
    }
    // What Dhow itself takes away is not put back.
    api.delete("/apps/victim").await.expect(202);
    let deleted = api.delete("/projects/victim").await.status;
    assert!((200..300).contains(&deleted), "{deleted}");
    eventually("the network of the deleted project is gone", HEALED_WITHIN, || {
        let found = try_docker(&["network", "inspect", "-f", "{{.Name}}", &network]);
        std::future::ready(found.map_or(Ok(()), Err))
    })
    .await;
    load.assert_nothing_failed("what was done to another app").await;
    let is_put_back = |line: &String| line.contains("putting the proxy back");
    assert!(!dhow.lines().all().iter().any(is_put_back), "{}", dhow.lines().text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_somebody_takes_away_comes_back() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    for app in ["victim", "bystander"] {
        let repository = git.repository(app);
        commit_frail_app(&repository, app);
        api.live_app(app, app, &repository).await;
    }
    let proxy = || dhow.containers("proxy").remove(0);

    let load = Load::on(&dhow, "bystander.localhost");
    let network = network_of(&container_of(&dhow, "victim"));
    for _ in 0..3 {
        docker(&["network", "disconnect", &network, &proxy()]);
        let began = SystemTime::now();
        until_served(&dhow, "victim").await;
        println!("put back into the network in {:?}", began.elapsed().unwrap());
    }
    load.assert_nothing_failed("the proxy's return into another project's network")
        .await;

    let own = format!("{}--proxy", dhow.instance);
    let damages: [(&str, &[&str]); 3] = [
        ("a disconnect from its own network", &["network", "disconnect", &own]),
        ("docker kill", &["kill"]),
        ("docker rm", &["rm", "--force"]),
    ];
    for (what, damage) in damages {
        docker(&[damage, &[proxy().as_str()]].concat());
        let began = SystemTime::now();
        for app in ["victim", "bystander"] {
            until_served(&dhow, app).await;
        }
        until_joined(&proxy, &own).await;
        println!("after {what} the proxy served again in {:?}", began.elapsed().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_by_hand_is_not_called_a_crash_for_long() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("steady");
    commit_frail_app(&repository, "steady");
    api.live_app("Steady", "steady", &repository).await;
    let container = container_of(&dhow, "steady");
    docker(&["restart", "--time=1", &container]);
    until_status(&api, "steady", "running", seconds(3)).await;
    until_served(&dhow, "steady").await;
    assert_eq!(container_of(&dhow, "steady"), container);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_the_engine_was_out_of_reach_is_seen_when_it_is_back() {
    let mut engine = EngineProxy::start();
    let dhow = Setup::new().flag("--docker-host", &engine.host()).start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let git = GitServer::start().await;
    let project = api.create_project("Shop").await;
    for app in ["killed", "looping", "lost"] {
        let repository = git.repository(app);
        commit_frail_app(&repository, app);
        api.create_app(&project, app, &repository).await;
        api.succeeded(api.deploy(app).await).await;
    }
    let image = inspect("container", &container_of(&dhow, "lost"))["Image"].take();

    engine.cut();
    docker(&["kill", &container_of(&dhow, "killed")]);
    cause(&container_of(&dhow, "looping"), "exit 4", false);
    docker(&["rm", "--force", &container_of(&dhow, "lost")]);
    docker(&["rmi", "--force", image.as_str().unwrap()]);
    engine.mend();

    until_served(&dhow, "killed").await;
    until_status(&api, "killed", "running", HEALED_WITHIN).await;
    until_status(&api, "looping", "crashed", HEALED_WITHIN).await;
    until_words(
        &panel,
        "/apps/looping",
        "Crashed: exit code 4, restarted",
        HEALED_WITHIN,
    )
    .await;
    until_status(&api, "lost", "crashed", HEALED_WITHIN).await;
    until_words(&panel, "/apps/lost", "Crashed: its container was removed", SHOWN_WITHIN).await;

    // A start that cannot succeed is not tried without end.
    api.succeeded(api.deploy("looping").await).await;
    until_status(&api, "looping", "running", HEALED_WITHIN).await;
    let attempts = |line: &String| line.contains("could not be put right");
    let attempts = dhow.lines().all().iter().filter(|line| attempts(line)).count();
    assert!((1..=4).contains(&attempts), "{attempts} attempts");
    api.succeeded(api.deploy("lost").await).await;
    until_served(&dhow, "lost").await;
    assert_eq!(api.read("/apps/lost").await["status"], Value::from("running"));
}

#[test]
fn an_engine_that_is_killed_or_stopped_comes_back_with_its_apps_and_what_they_do_is_known() {
    let test = "runtime::an_engine_that_is_killed_or_stopped_comes_back_with_its_apps_and_what_they_do_is_known";
    PrivateEngine::tell(test, seconds(400), |engine| async move {
        let dhow = Dhow::start().await;
        let api = dhow.owner().await;
        let git = GitServer::start().await;
        let project = api.create_project("Shop").await;
        for app in ["steady", "looping"] {
            let repository = git.repository(app);
            commit_frail_app(&repository, app);
            api.create_app(&project, app, &repository).await;
            api.succeeded(api.deploy(app).await).await;
        }
        cause(&container_of(&dhow, "looping"), "exit 5", false);
        until_status(&api, "looping", "crashed", seconds(10)).await;
        for is_killed in [true, false] {
            if is_killed {
                engine.kill().await;
            } else {
                engine.terminate().await;
            }
            engine.start_again();
            until_served(&dhow, "steady").await;
            until_status(&api, "steady", "running", STEADY_WITHIN).await;
            until_status(&api, "looping", "crashed", STEADY_WITHIN).await;
        }
        assert_eq!(dhow.containers("app").len(), 2, "one container an app");
    });
}
