//! What is killed, cancelled or deleted in the middle of a deployment, in whichever step, leaves what serves and nothing else.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::docker::{docker, kill_process_of};
use crate::harness::held_up::{HeldUp, STEPS};
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::load::Load;
use crate::harness::wait::seconds;

#[tokio::test(flavor = "multi_thread")]
async fn panel_stuck_in_progress_a_kill_in_every_step_is_made_good_at_the_next_start() {
    let mut halfway = HeldUp::in_steps(&STEPS).await;

    let visitors = Load::on_paths(&halfway.dhow, "retire.localhost", &["/"], 20, seconds(120));
    halfway.dhow.kill().await;
    for step in STEPS {
        let expected = if step == "retire" { "new" } else { "old" };
        assert_eq!(halfway.page(step).await, expected, "{step}");
    }
    halfway.dhow.start_again().await;
    for step in STEPS {
        halfway.stands_still(step, 2).await;
    }
    halfway.go_on();

    for step in STEPS {
        halfway.succeeded(step).await;
        assert_eq!(halfway.page(step).await, "new", "{step}");
    }
    halfway.assert_visitor_was_served().await;
    visitors.assert_nothing_failed("a kill in every step").await;
    assert_nothing_left_over(&halfway.dhow, &halfway.api).await;
}

/// Case build-cancel-really-stops.
#[tokio::test(flavor = "multi_thread")]
async fn build_cancel_really_stops_a_cancel_in_any_step_before_the_switch_leaves_nothing_and_holds_nobody_up() {
    const BEFORE: [&str; 4] = ["fetch", "build", "start", "check"];
    let halfway = HeldUp::in_steps(&["fetch", "build", "start", "check", "retire"]).await;
    let api = halfway.api.clone();
    let cancel = async |step| {
        let path = format!("/deployments/{}/cancel", halfway.ids[step]);
        api.post(&path, json!({})).await
    };

    let began = Instant::now();
    for step in BEFORE {
        cancel(step).await.expect(202);
    }
    for step in BEFORE {
        let ended = api.ended(halfway.ids[step]).await;
        assert_eq!(ended["status"], "cancelled", "{ended:#}");
    }
    halfway.processes_are_gone(seconds(10)).await;
    let took = began.elapsed();
    println!("cancelled in four steps within {took:.1?}");
    assert!(took < seconds(10), "it took {took:?}");
    cancel("build").await.problem(409);
    let refusal = cancel("retire").await.problem(409);
    assert!(refusal["detail"].as_str().unwrap().contains("roll back"), "{refusal}");

    // While the gate is still closed: nobody waits for what was cancelled.
    halfway.git.open("fetch");
    let next = join_all(BEFORE.map(|step| halfway.deploy_freely(step, "next"))).await;
    for (step, next) in BEFORE.into_iter().zip(next) {
        api.succeeded(next).await;
        assert_eq!(halfway.page(step).await, "next", "{step}");
        assert_eq!(api.deployment(halfway.ids[step]).await["status"], "cancelled");
    }
    halfway.go_on();
    halfway.succeeded("retire").await;
    halfway.assert_visitor_was_served().await;
    assert_nothing_left_over(&halfway.dhow, &halfway.api).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_was_accepted_holds_when_dhow_is_killed_before_it_is_carried_out() {
    const BEFORE: [&str; 4] = ["fetch", "build", "start", "check"];
    let mut halfway = HeldUp::in_steps(&BEFORE).await;
    let api = halfway.api.clone();

    let cancel = BEFORE.map(|step| {
        let path = format!("/deployments/{}/cancel", halfway.ids[step]);
        let api = api.clone();
        async move { api.post(&path, json!({})).await.expect(202) }
    });
    join_all(cancel).await;
    halfway.dhow.kill().await;
    halfway.dhow.start_again().await;

    for step in BEFORE {
        let ended = api.ended(halfway.ids[step]).await;
        assert_eq!(ended["status"], "cancelled", "{ended:#}");
        assert_eq!(halfway.page(step).await, "old");
    }
    halfway.go_on();
    assert_nothing_left_over(&halfway.dhow, &api).await;
}

/// Case panel-delete-while-deploying.
#[tokio::test(flavor = "multi_thread")]
async fn panel_delete_while_deploying_an_app_that_is_deleted_in_any_step_is_gone_for_good_and_its_name_free() {
    let halfway = HeldUp::in_steps(&STEPS).await;
    let api = halfway.api.clone();

    for step in STEPS {
        api.delete(&format!("/apps/{step}")).await.expect(202);
        api.get(&format!("/apps/{step}")).await.problem(404);
    }
    assert_eq!(halfway.create_app("build").await, "build", "its name is free at once");
    halfway.processes_are_gone(seconds(10)).await;
    halfway.go_on();
    halfway.assert_visitor_was_served().await;

    let second = halfway.deploy_freely("build", "second life").await;
    api.succeeded(second).await;
    assert_nothing_left_over(&halfway.dhow, &api).await;
    assert_eq!(halfway.page("build").await, "second life");
    for step in STEPS.into_iter().filter(|step| *step != "build") {
        halfway.dhow.visit(&format!("{step}.localhost"), "/").await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_killed_comes_back_by_itself_and_the_switch_under_way_is_confirmed() {
    let halfway = HeldUp::in_steps(&["check", "retire"]).await;
    let proxy = halfway.dhow.containers("proxy").remove(0);

    // Frozen, so that it cannot confirm the switch before it dies.
    docker(&["pause", &proxy]);
    halfway.go_on();
    halfway.api.at_step(halfway.ids["check"], "switch").await;
    kill_process_of(&proxy);
    docker(&["unpause", &proxy]);
    let began = Instant::now();
    assert_eq!(halfway.dhow.serves_again("retire.localhost", seconds(10)).await, "new");
    println!("served again {:.1?} after the proxy's death", began.elapsed());

    for step in ["check", "retire"] {
        halfway.succeeded(step).await;
        assert_eq!(halfway.page(step).await, "new", "{step}");
    }
    assert_nothing_left_over(&halfway.dhow, &halfway.api).await;
}
