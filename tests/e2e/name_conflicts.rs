//! Case run-name-conflict: a container that has the name already does not block an app, and is removed only when it is
//! Dhow's own.

use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect, try_docker};
use crate::harness::git_server::GitServer;

/// Containers that are not Dhow's, removed with the test.
struct Foreign(String);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = try_docker(&["rm", "--force", &self.0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn run_name_conflict_own_leftovers_give_way_and_foreign_containers_are_named_and_stay() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("one");
    let app = api.live_app("Web", "web", &repository).await;
    let serving = inspect("container", &dhow.containers_of(&app)[0]);
    let (name, last) = serving["Name"].as_str().unwrap().rsplit_once('-').unwrap();
    let last: i64 = last.parse().unwrap();
    let name_of = |deployment: i64| format!("{}-{deployment}", name.trim_start_matches('/'));
    let labels = &serving["Config"]["Labels"];

    // A former attempt's, by its labels.
    let mut create = vec!["create".to_owned(), "--name".to_owned(), name_of(last + 1)];
    for (label, value) in labels.as_object().unwrap() {
        create.extend(["--label".to_owned(), format!("{label}={}", value.as_str().unwrap())]);
    }
    create.extend(["busybox:1".to_owned(), "true".to_owned()]);
    docker(&create.iter().map(String::as_str).collect::<Vec<_>>());
    repository.commit_app("two");
    let id = api.deploy(&app).await;
    assert_eq!(id, last + 1, "the next name is known");
    api.succeeded(id).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "two");

    // Somebody else's.
    let taken = name_of(last + 2);
    let create = [
        "create",
        "--label",
        "dhow.bait=name",
        "--name",
        &taken,
        "busybox:1",
        "true",
    ];
    let foreign = Foreign(docker(&create));
    repository.commit_app("three");
    let id = api.deploy(&app).await;
    let message = api.failed(id, "start_failed").await["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    for words in [taken.as_str(), &foreign.0[..12], "somebody else", "remove or rename it"] {
        assert!(message.contains(words), "'{words}' is not in: {message}");
    }
    assert_eq!(inspect("container", &foreign.0)["Id"], foreign.0, "it is still there");
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "two");

    // It blocks one name, not the app.
    api.succeeded(api.deploy(&app).await).await;
    assert_eq!(dhow.visit("web.localhost", "/").await.expect(200).text(), "three");
    assert_eq!(inspect("container", &foreign.0)["Id"], foreign.0, "it is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_name_conflict_names_that_make_the_same_slug_do_not_collide() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let projects = [api.create_project("My Team").await, api.create_project("my-team").await];
    assert_ne!(projects[0], projects[1]);
    let mut pages = Vec::new();
    let names = ["My App", "my-app", "My_App!"];
    let all = projects.iter().flat_map(|project| names.map(|name| (project, name)));
    for (number, (project, name)) in all.enumerate() {
        let repository = git.repository(&number.to_string());
        let page = format!("{name} of {project}");
        repository.commit_app(&page);
        let app = api.create_app(project, name, &repository).await;
        api.succeeded(api.deploy(&app).await).await;
        pages.push((app, page));
    }
    for (app, page) in pages {
        assert_eq!(
            dhow.visit(&format!("{app}.localhost"), "/").await.expect(200).text(),
            page
        );
    }
}
