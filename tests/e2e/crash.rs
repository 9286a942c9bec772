//! Dhow is killed without a word: what it was doing ends by itself after the next start, and nothing is left lying about.

use std::net::TcpStream;

use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::gate::Gate;
use crate::harness::git_server::GitServer;
use crate::harness::load::Load;
use crate::harness::wait::{eventually, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_a_build_is_made_good_and_a_second_one_ends_it() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (git, gate) = (GitServer::start().await, Gate::start().await);
    let repository = git.repository("hard");
    repository.commit_app("before");
    let app = api.live_app("Hard", "hard", &repository).await;
    repository.write_app("after", &gate.step("build"));
    repository.commit("Wait");
    let id = api.deploy(&app).await;
    gate.arrival("build", seconds(60)).await;

    dhow.kill().await;
    assert_eq!(dhow.visit("hard.localhost", "/").await.expect(200).text(), "before");
    dhow.start_again().await;
    eventually("the build is at the gate a second time", seconds(60), || async {
        if gate.arrived().len() == 2 {
            Ok(())
        } else {
            Err(format!("{:?}", gate.arrived()))
        }
    })
    .await;
    gate.open("build");
    api.succeeded(id).await;
    assert_eq!(dhow.visit("hard.localhost", "/").await.expect(200).text(), "after");
    assert_eq!(dhow.containers_of("hard").len(), 1);

    // Two deaths in the same step end a deployment: a build that kills the machine does not do so for ever.
    repository.write_app("never", &gate.step("deadly"));
    repository.commit("Kill");
    let id = api.deploy(&app).await;
    for death in 1..=2 {
        eventually("the deadly build is at the gate", seconds(60), || async {
            let arrived = gate.arrived().iter().filter(|name| *name == "deadly").count();
            if arrived == death {
                Ok(())
            } else {
                Err(format!("{:?}", gate.arrived()))
            }
        })
        .await;
        dhow.kill().await;
        dhow.start_again().await;
    }
    api.failed(id, "interrupted").await;
    assert_eq!(dhow.visit("hard.localhost", "/").await.expect(200).text(), "after");
    assert_eq!(dhow.containers_of("hard").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_the_old_version_drains_leaves_the_new_one_alone() {
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("drain");
    repository.commit_app("old");
    let app = api.live_app("Drain", "drain", &repository).await;
    // A visitor who has not finished: the old version is not taken away under him.
    let slow = half_a_request(&dhow);
    let visitors = Load::on(&dhow, "drain.localhost");
    repository.commit_app("new");
    let id = api.deploy(&app).await;
    api.at_step(id, "retire").await;

    dhow.kill().await;
    assert_eq!(dhow.visit("drain.localhost", "/").await.expect(200).text(), "new");
    dhow.start_again().await;
    drop(slow);
    let deployment = api.succeeded(id).await;

    assert_eq!(deployment["release"], 2, "{deployment:#}");
    assert_eq!(dhow.visit("drain.localhost", "/").await.expect(200).text(), "new");
    assert_eq!(
        dhow.containers_of("drain").len(),
        1,
        "the old version is gone, and no other is left"
    );
    visitors.assert_nothing_failed("the drain and the kill").await;
}

/// A connection with a request that is not complete yet.
fn half_a_request(dhow: &Dhow) -> TcpStream {
    use std::io::Write;
    let mut stream = TcpStream::connect(("127.0.0.1", dhow.http_port)).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: drain.localhost\r\nContent-Length: 10\r\n\r\nhalf")
        .unwrap();
    stream
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
