//! The Docker engine is missing, goes away, comes back, or speaks another language.

use crate::harness::engine_proxy::{ENGINE_29, ENGINE_OF_TOMORROW, ENGINE_OF_YESTERDAY, EngineProxy};
use crate::harness::free_port::free_port;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::setup::Setup;
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn without_an_engine_the_start_fails_with_one_line_that_says_what_to_do() {
    for host in [
        "unix:///nowhere/docker.sock".to_owned(),
        format!("tcp://127.0.0.1:{}", free_port()),
    ] {
        let refusal = Setup::new().flag("--docker-host", &host).refused().await;
        let line = refusal.one_line();
        assert!(
            line.contains("Docker") && line.contains(&host),
            "it names the engine and where it was sought: {line}"
        );
        assert!(refusal.took < seconds(10), "it took {:?}", refusal.took);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn run_engine_api_version_an_engine_that_goes_away_gives_a_banner_and_no_crash() {
    let mut engine = EngineProxy::start();
    let mut dhow = Setup::new().flag("--docker-host", &engine.host()).start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let git = GitServer::start().await;
    let repository = git.repository("steady");
    repository.commit_app("steady");
    let app = api.live_app("Steady", "steady", &repository).await;
    assert_eq!(dhow.readiness(200).await["docker"], "ok");
    assert!(!panel.page("/").await.words().contains("unreachable"));

    engine.cut();
    let ready = dhow.readiness(503).await;
    assert_ne!(ready["docker"], "ok", "{ready}");
    assert_eq!(ready["db"], "ok", "{ready}");
    for path in ["/", "/apps/steady", "/projects/steady"] {
        let words = panel.page(path).await.words();
        assert!(
            words.contains("Docker") && words.contains("unreachable"),
            "a banner on {path}: {words}"
        );
    }
    dhow.http
        .send("GET", &format!("{}/healthz", dhow.url()), &[], "")
        .await
        .expect(200);
    assert_eq!(
        dhow.visit("steady.localhost", "/").await.expect(200).text(),
        "steady",
        "what serves goes on"
    );
    assert!(!dhow.has_ended(), "Dhow itself goes on");

    engine.mend();
    assert_eq!(dhow.readiness(200).await["docker"], "ok");
    assert!(
        !panel.page("/").await.words().contains("unreachable"),
        "the banner is gone"
    );
    repository.commit_app("steady again");
    api.succeeded(api.deploy(&app).await).await;
    assert_eq!(
        dhow.visit("steady.localhost", "/").await.expect(200).text(),
        "steady again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_loses_the_engine_is_made_again_when_it_is_back() {
    let mut engine = EngineProxy::start();
    let dhow = Setup::new().flag("--docker-host", &engine.host()).start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("patient");
    repository.write_app("patient", &gate.step("build"));
    repository.commit("Wait for it");
    let project = api.create_project("Patient").await;
    let app = api.create_app(&project, "patient", &repository).await;
    let id = api.deploy(&app).await;
    gate.arrival("build", seconds(60)).await;

    engine.cut();
    dhow.readiness(503).await;
    engine.mend();
    gate.open("build");

    let deployment = api.succeeded(id).await;
    assert_eq!(deployment["error"], serde_json::Value::Null);
    assert_eq!(dhow.visit("patient.localhost", "/").await.expect(200).text(), "patient");
}

/// Case run-engine-api-version.
#[tokio::test(flavor = "multi_thread")]
async fn run_engine_api_version_an_engine_that_refuses_old_clients_is_spoken_to_in_its_own_version() {
    let engine = EngineProxy::speaking(ENGINE_29);
    let dhow = Setup::new().flag("--docker-host", &engine.host()).start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("modern");
    repository.commit_app("modern");
    api.live_app("Modern", "modern", &repository).await;
    assert_eq!(dhow.visit("modern.localhost", "/").await.expect(200).text(), "modern");
}

/// Case run-engine-api-version.
#[tokio::test(flavor = "multi_thread")]
async fn run_engine_api_version_an_engine_of_another_age_is_refused_with_one_line_that_names_both_versions() {
    for (engine, version) in [(ENGINE_OF_TOMORROW, "1.199"), (ENGINE_OF_YESTERDAY, "1.21")] {
        let proxy = EngineProxy::speaking(engine);
        let refusal = Setup::new().flag("--docker-host", &proxy.host()).refused().await;
        let line = refusal.one_line();
        assert!(
            line.contains("Docker") && line.contains(version),
            "the engine's version {version}: {line}"
        );
        assert!(refusal.took < seconds(10), "it took {:?}", refusal.took);
    }
}

/// Case run-engine-api-version.
#[tokio::test(flavor = "multi_thread")]
async fn run_engine_api_version_an_engine_that_comes_back_as_another_version_gives_a_banner_and_no_crash() {
    let mut engine = EngineProxy::start();
    let mut dhow = Setup::new().flag("--docker-host", &engine.host()).start().await;
    dhow.owner().await;
    let panel = dhow.panel().await;
    engine.cut();
    dhow.readiness(503).await;

    engine.mend_as(ENGINE_OF_TOMORROW);
    eventually("a banner tells the version", seconds(20), || async {
        let words = panel.page("/").await.words();
        if words.contains("Docker") && words.contains("1.199") {
            Ok(())
        } else {
            Err(words)
        }
    })
    .await;
    assert!(!dhow.has_ended());

    engine.cut();
    engine.mend_as(ENGINE_29);
    dhow.readiness(200).await;
}
