//! Case run-port-guessing: where nobody has chosen a port, the app is found and it is said where; a chosen one is kept, and
//! fails when it is wrong.

mod field;

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::docker;
use crate::harness::engine_proxy::EngineProxy;
use crate::harness::git_server::GitServer;
use crate::harness::repository::Repository;
use crate::harness::setup::Setup;
use crate::harness::wait::{eventually, seconds};

const OBEDIENT: &str = "exec httpd -f -p $PORT -h /www";

/// An instance with a project `ports`, and where its apps' repositories are.
struct Harbour {
    dhow: Dhow,
    api: Api,
    git: GitServer,
}

impl Harbour {
    async fn open() -> Self {
        Self::of(Setup::new()).await
    }

    async fn of(setup: Setup) -> Self {
        let dhow = setup.start().await;
        let api = dhow.owner().await;
        api.create_project("Ports").await;
        let git = GitServer::start().await;
        Self { dhow, api, git }
    }

    /// Makes an app whose image exposes ports and runs a line of shell; `port` is null where none is chosen.
    async fn app(&self, name: &str, port: Value, exposed: &str, script: &str) -> Repository {
        let repository = self.git.repository(name);
        write(&repository, "first", exposed, script);
        let more = json!({ "port": port, "health": { "timeout_s": 6 } });
        self.api.create_app_with("ports", name, &repository, more).await;
        repository
    }

    /// Deploys an app, which must go well; answers the log.
    async fn deploy(&self, app: &str) -> String {
        let id = self.api.deploy(app).await;
        self.api.succeeded(id).await;
        self.api.log(id).await
    }

    async fn port(&self, app: &str) -> (Value, Value) {
        let app = self.api.read(&format!("/apps/{app}")).await;
        (app["port"].clone(), app["port_guessed"].clone())
    }

    async fn page(&self, app: &str) -> String {
        let host = format!("{app}.localhost");
        self.dhow.visit(&host, "/").await.expect(200).text()
    }
}

fn write(repository: &Repository, page: &str, exposed: &str, script: &str) {
    repository.write("index.html", page);
    let expose = if exposed.is_empty() {
        String::new()
    } else {
        format!("EXPOSE {exposed}\n")
    };
    let dockerfile =
        format!("FROM busybox:1\nWORKDIR /www\nCOPY index.html .\n{expose}CMD [\"sh\", \"-c\", \"{script}\"]\n");
    repository.write("Dockerfile", &dockerfile);
    repository.commit(page);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_port_guessing_an_app_without_a_chosen_port_is_found_stored_and_served() {
    let harbour = Harbour::open().await;
    for (app, exposed, script, port, told) in [
        (
            "fixed",
            "",
            "exec httpd -f -p 5555 -h /www",
            5555,
            "listens on port 5555, not on 3000",
        ),
        (
            "several",
            "9000 3000",
            "exec httpd -f -p 3000 -h /www",
            3000,
            "Port 3000 accepts",
        ),
        ("obedient", "", OBEDIENT, 3000, "Port 3000 accepts"),
        (
            "declared",
            "8080",
            OBEDIENT,
            8080,
            "Port 8080, since it is the only one that the image exposes",
        ),
        // Told 7000, and listens elsewhere all the same.
        (
            "mistaken",
            "7000",
            "exec httpd -f -p 6000 -h /www",
            6000,
            "listens on port 6000, not on 7000",
        ),
        (
            "two",
            "4001 9000",
            "httpd -p 4000 -h /; exec httpd -f -p 4001 -h /www",
            4001,
            "listens on port 4001, not",
        ),
        // Only one of them speaks HTTP.
        (
            "cluster",
            "",
            "nc -ll -p 4369 -e true & exec httpd -f -p 4002 -h /www",
            4002,
            "listens on port 4002, not",
        ),
    ] {
        harbour.app(app, Value::Null, exposed, script).await;
        assert_eq!(harbour.port(app).await, (json!(3000), json!(true)), "{app}");
        let log = harbour.deploy(app).await;
        assert!(log.contains(told), "{app}: {log}");
        assert_eq!(log.contains("is used from now on"), port != 3000, "{app}: {log}");
        assert_eq!(harbour.port(app).await, (json!(port), json!(true)), "{app}");
        assert_eq!(harbour.page(app).await, "first", "{app}");
    }

    // What was found is told from then on, also to an instance that is made anew.
    let log = harbour.deploy("fixed").await;
    assert!(
        log.contains("Waiting for port 5555") && !log.contains("not on"),
        "{log}"
    );
    let instance = harbour.dhow.containers_of("fixed").remove(0);
    assert!(docker(&["exec", &instance, "env"]).contains("PORT=5555"));
    docker(&["rm", "--force", &instance]);
    assert_eq!(harbour.dhow.serves_again("fixed.localhost", seconds(20)).await, "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_port_guessing_a_chosen_port_that_is_wrong_fails_with_what_the_image_exposes() {
    let harbour = Harbour::open().await;
    let repository = harbour.app("web", json!(3000), "", OBEDIENT).await;
    harbour.deploy("web").await;
    write(&repository, "second", "9000 3000", "exec httpd -f -p 3000 -h /www");
    harbour
        .api
        .patch("/apps/web", json!({ "port": 8080 }))
        .await
        .expect(200);
    let failed = harbour.api.deploy("web").await;
    let failed = harbour.api.failed(failed, "port_not_listening").await;
    let message = failed["error"]["message"].as_str().unwrap();
    for words in [
        "on port 8080",
        "listens on port 3000, not on 8080",
        "exposes ports 3000 and 9000",
    ] {
        assert!(message.contains(words), "'{words}' is not said by {message}");
    }
    assert_eq!(harbour.port("web").await, (json!(8080), json!(false)));
    assert_eq!(harbour.page("web").await, "first");

    // Not chosen any more, but of two that it listens on none is declared.
    let two = "httpd -p 4000 -h /www; exec httpd -f -p 5000 -h /www";
    write(&repository, "third", "", two);
    harbour
        .api
        .patch("/apps/web", json!({ "port": null }))
        .await
        .expect(200);
    let failed = harbour.api.deploy("web").await;
    let failed = harbour.api.failed(failed, "port_not_listening").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("listens on ports 4000 and 5000, not on 8080"),
        "{message}"
    );
    assert_eq!(harbour.port("web").await, (json!(8080), json!(true)));
    assert_eq!(harbour.page("web").await, "first");
    write(&repository, "fourth", "5000", two);
    harbour.deploy("web").await;
    assert_eq!(harbour.port("web").await, (json!(5000), json!(true)));
    assert_eq!(harbour.page("web").await, "fourth");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_port_guessing_a_version_that_moves_is_followed_once_it_is_good_and_a_rollback_brings_its_own_port() {
    let harbour = Harbour::open().await;
    let repository = harbour
        .app("web", Value::Null, "", "exec httpd -f -p 5555 -h /www")
        .await;
    harbour.deploy("web").await;
    // What is found, but never good, counts for nobody.
    write(&repository, "second", "", "exec httpd -f -p 6666 -h /www");
    let health = |path: Value| json!({ "health": { "path": path, "timeout_s": 6 } });
    harbour
        .api
        .patch("/apps/web", health(json!("/healthy")))
        .await
        .expect(200);
    let failed = harbour.api.deploy("web").await;
    let failed = harbour.api.failed(failed, "health_check_failed").await;
    assert!(
        failed["error"]["message"].to_string().contains("on port 6666"),
        "{failed:#}"
    );
    assert_eq!(harbour.port("web").await, (json!(5555), json!(true)));
    assert_eq!(harbour.page("web").await, "first");

    harbour.api.patch("/apps/web", health(Value::Null)).await.expect(200);
    harbour.deploy("web").await;
    assert_eq!(harbour.port("web").await, (json!(6666), json!(true)));
    assert_eq!(harbour.page("web").await, "second");

    let back = harbour
        .api
        .post("/apps/web/rollback", json!({ "release": 1 }))
        .await
        .expect(202)
        .json();
    harbour.api.succeeded(back["id"].as_i64().unwrap()).await;
    assert_eq!(harbour.page("web").await, "first");
    let words = harbour.dhow.panel().await.page("/apps/web").await.words();
    assert!(!words.contains("Not live yet"), "a guess is nothing to apply: {words}");
}

/// Case panel-stuck-in-progress.
#[tokio::test(flavor = "multi_thread")]
async fn run_port_guessing_a_found_port_stays_when_dhow_dies_twice_before_it_is_served() {
    let mut engine = EngineProxy::start();
    let setup = Setup::new().flag("--docker-host", &engine.host());
    let mut harbour = Harbour::of(setup).await;
    let repository = harbour.app("web", Value::Null, "", OBEDIENT).await;
    harbour.deploy("web").await;
    write(&repository, "second", "", "exec httpd -f -p 5555 -h /www");
    // While Traefik cannot read it, it takes no change.
    let bad_file = harbour.dhow.data_file("traefik/dynamic/NOT-DHOWS.yml");
    std::fs::write(&bad_file, "http: [").unwrap();
    let id = harbour.api.deploy("web").await;
    for death in 1..=2 {
        eventually("the switch is under way", seconds(60), || async {
            let (app, log) = (harbour.api.read("/apps/web").await, harbour.api.log(id).await);
            let is_there = app["active_release"] == 2 && log.matches("==> switch").count() == death;
            if is_there {
                Ok(())
            } else {
                Err(format!("{app:#}\n{log}"))
            }
        })
        .await;
        assert_eq!(harbour.port("web").await, (json!(5555), json!(true)));
        engine.cut();
        harbour.dhow.kill().await;
        engine.mend();
        harbour.dhow.start_again().await;
    }
    std::fs::remove_file(&bad_file).unwrap();
    harbour.api.succeeded(id).await;
    eventually("the second version is served", seconds(20), || async {
        let answer = harbour.dhow.visit("web.localhost", "/").await;
        if answer.text() == "second" {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    })
    .await;
    assert_eq!(harbour.port("web").await, (json!(5555), json!(true)));
    harbour.deploy("web").await;
    assert_eq!(harbour.page("web").await, "second");
}
