//! Dhow is killed without a word: what it was doing ends by itself after the next start, and nothing is left lying about.

use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::held_up::HeldUp;
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn a_build_in_which_dhow_dies_twice_is_given_up() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("hard");
    repository.commit_app("before");
    let app = api.live_app("Hard", "hard", &repository).await;

    // A build that kills the machine does not do so for ever.
    repository.write_app("never", &gate.step("deadly"));
    repository.commit("Kill");
    let id = api.deploy(&app).await;
    for death in 1..=2 {
        gate.arrivals("deadly", death, seconds(60)).await;
        dhow.kill().await;
        dhow.start_again().await;
    }
    api.failed(id, "interrupted").await;
    assert_eq!(dhow.visit("hard.localhost", "/").await.expect(200).text(), "before");
    assert_nothing_left_over(&dhow, &api).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_took_over_stays_when_dhow_dies_twice_in_the_drain_of_the_old_one() {
    let mut halfway = HeldUp::in_steps(&["retire"]).await;
    halfway.dhow.kill().await;
    halfway.dhow.start_again().await;
    eventually("the drain goes on", seconds(10), || async {
        let log = halfway.api.log(halfway.ids["retire"]).await;
        if log.matches("==> retire").count() == 2 {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    halfway.dhow.kill().await;
    halfway.dhow.start_again().await;

    let deployment = halfway.succeeded("retire").await;
    assert_eq!(deployment["release"], 2, "{deployment:#}");
    assert_eq!(halfway.page("retire").await, "new");
    halfway.go_on();
    assert_nothing_left_over(&halfway.dhow, &halfway.api).await;
    let app = halfway.dhow.containers_of("retire").remove(0);
    let policy = inspect("container", &app)["HostConfig"]["RestartPolicy"]["Name"].clone();
    assert_eq!(policy, "unless-stopped", "it comes back after a crash");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_by_hand_is_made_again_at_the_next_start() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("hand");
    repository.commit_app("hand");
    api.live_app("Hand", "hand", &repository).await;
    served_after(&mut dhow, |dhow| {
        let app = dhow.containers("app").remove(0);
        let networks = inspect("container", &app)["NetworkSettings"]["Networks"].clone();
        for network in networks.as_object().unwrap().keys() {
            docker(&["network", "disconnect", "--force", network, &app]);
        }
    })
    .await;
    served_after(&mut dhow, |dhow| {
        let removed = [dhow.containers("app"), dhow.containers("proxy")].concat();
        assert_eq!(removed.len(), 2);
        for id in &removed {
            docker(&["rm", "--force", id]);
        }
    })
    .await;
}

/// Stops Dhow, does the damage, and sees the app serve again after the next start.
async fn served_after(dhow: &mut Dhow, damage: impl Fn(&Dhow)) {
    dhow.terminate().await;
    damage(dhow);

    dhow.start_again().await;

    dhow.serves_again("hand.localhost", seconds(30)).await;
}
