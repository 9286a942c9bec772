//! Case panel-newest-commit-wins: however quickly one asks again, deployments of an app go one by one and the newest stays.

use crate::harness::dhow::Dhow;
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::pushing::{begin_push, create_push_app};
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn panel_newest_commit_wins_two_quick_pushes_and_a_double_click_end_with_the_newest_version_alone() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    create_push_app(&api, "quick").await;
    let token = dhow.token("deploy").await;
    let (works, gate) = (GitServer::start().await, Gate::start().await);
    let repository = works.repository("work");

    repository.write_app("first", &gate.step("slow"));
    repository.commit("Build slowly");
    let push = || begin_push(&dhow.url(), &repository, "quick", &token, "main");
    let first_push = push();
    gate.arrival("slow", seconds(60)).await;
    let second = repository.commit_app("second");
    let second_push = push();
    eventually("the second push is asked for", seconds(20), || async {
        let listed = api.read("/apps/quick/deployments").await;
        let is_there = listed["items"].as_array().unwrap().len() == 2;
        is_there.then_some(()).ok_or(format!("{listed:#}"))
    })
    .await;
    // The page offers no Deploy meanwhile, but one that was open before does.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let click = || panel.send("POST", "/apps/quick/deployments", &form, "");
    let (once, twice) = tokio::join!(click(), click());
    assert_eq!((once.status, twice.status), (303, 303));

    let listed = api.read("/apps/quick/deployments").await;
    let status = |number: usize| listed["items"][number - 1]["status"].as_str().unwrap().to_owned();
    let newest_first = [status(1), status(2), status(3), status(4)];
    assert_eq!(
        newest_first,
        ["queued", "superseded", "superseded", "running"],
        "{listed:#}"
    );
    assert_eq!(gate.arrived(), ["slow"], "nothing else is built beside it");
    gate.open("slow");
    let last = api.succeeded(listed["items"][0]["id"].as_i64().unwrap()).await;
    let first = api.succeeded(listed["items"][3]["id"].as_i64().unwrap()).await;

    assert_eq!(last["commit"]["sha"], second, "{last:#}");
    assert!(
        last["started_at"].as_str() >= first["finished_at"].as_str(),
        "{first:#}\n{last:#}"
    );
    assert_eq!(dhow.visit("quick.localhost", "/").await.expect(200).text(), "second");
    assert_eq!(first_push.await.unwrap().code, 0);
    let second_push = second_push.await.unwrap();
    assert!(
        second_push.code == 1
            && second_push
                .stderr
                .contains("a newer request took the place of deployment 2"),
        "{}",
        second_push.stderr
    );
    assert_nothing_left_over(&dhow, &api).await;
}
