//! Case route-two-networks-504: an app that is in further networks is reached by the one that it shares with the proxy.

use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::git_server::GitServer;
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn route_two_networks_504_an_app_in_further_networks_is_reached_after_each_of_twenty_restarts() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("both");
    repository.commit_app("both");
    api.live_app("Both", "both", &repository).await;
    let app = dhow.containers_of("both").remove(0);

    // Somebody's networks with a database, of names that sort before and after the project's.
    let networks = ["0", "zz"].map(|prefix| format!("{prefix}-{}", dhow.instance));
    for network in &networks {
        docker(&[
            "network",
            "create",
            "--label",
            &format!("dhow.instance={}", dhow.instance),
            network,
        ]);
        docker(&["network", "connect", network, &app]);
    }
    for _ in 0..20 {
        docker(&["restart", "--time", "2", &app]);
        serves(&dhow).await;
    }
    for network in &networks {
        docker(&["network", "disconnect", network, &app]);
        serves(&dhow).await;
        docker(&["network", "connect", network, &app]);
        serves(&dhow).await;
    }
    let members = inspect("container", &app)["NetworkSettings"]["Networks"].clone();
    assert_eq!(
        members.as_object().unwrap().len(),
        3,
        "Dhow leaves them alone: {members:#}"
    );
}

/// The app answers within ten seconds, and nothing waits for an address where it is not.
async fn serves(dhow: &Dhow) {
    eventually("the app answers", seconds(10), || async {
        let answer = dhow.visit("both.localhost", "/").await;
        assert_ne!(answer.status, 504, "{answer}");
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    })
    .await;
}
