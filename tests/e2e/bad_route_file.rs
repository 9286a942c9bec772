//! Case route-one-bad-file-kills-all: no app's name, missing domain or half-written file disturbs the others.

use serde_json::json;

use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::load::Load;

#[tokio::test(flavor = "multi_thread")]
async fn route_one_bad_file_kills_all_odd_apps_and_a_kill_while_routes_are_written_leave_the_others_alone() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("steady");
    repository.commit_app("steady");
    api.live_app("Routes", "steady", &repository).await;
    let visitors = Load::on(&dhow, "steady.localhost");

    // An app that was never deployed, and one whose name is a template.
    api.create_app("routes", "idle", &repository).await;
    let odd = json!({
        "name": "a: {{ env \"HOME\" }} #", "slug": "odd", "port": 3000,
        "source": { "kind": "git", "url": repository.url, "branch": "main" },
    });
    api.post("/projects/routes/apps", odd).await.expect(201);
    api.succeeded(api.deploy("odd").await).await;
    assert_eq!(dhow.visit("odd.localhost", "/").await.expect(200).text(), "steady");

    // Killed while it switches, several times; each deployment comes to its end all the same.
    for round in 0..3 {
        repository.commit_app(&format!("round {round}"));
        let id = api.deploy("odd").await;
        api.until(id, "reaches the switch", |deployment| {
            matches!(deployment["step"].as_str(), Some("switch" | "retire")) || deployment["status"] == "succeeded"
        })
        .await;
        dhow.kill().await;
        dhow.start_again().await;
        api.succeeded(id).await;
        assert_eq!(
            dhow.visit("odd.localhost", "/").await.expect(200).text(),
            format!("round {round}")
        );
    }
    visitors.assert_nothing_failed("odd names and three kills").await;

    for file in dhow
        .files()
        .into_iter()
        .filter(|file| file.parent().unwrap().ends_with("dynamic"))
    {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            !text.contains("{{") && !text.contains(&*std::env::var("HOME").unwrap()),
            "{}: {text}",
            file.display()
        );
        assert!(!text.contains("{}"), "an empty map in {}: {text}", file.display());
    }
    let errors: Vec<_> = dhow
        .proxy_log()
        .lines()
        .filter(|line| line.contains("ERR"))
        .map(str::to_owned)
        .collect();
    assert!(errors.is_empty(), "the proxy complains: {errors:#?}");
}
