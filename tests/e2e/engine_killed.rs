//! The engine itself is killed in the middle of deployments and started again, with whatever became of its containers.

use crate::harness::held_up::HeldUp;
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::private_engine::PrivateEngine;
use crate::harness::wait::seconds;

/// Cases panel-stuck-in-progress and panel-delete-while-deploying.
#[test]
fn panel_stuck_in_progress_a_killed_engine_takes_no_deployment_and_no_deletion_along() {
    let test = "engine_killed::panel_stuck_in_progress_a_killed_engine_takes_no_deployment_and_no_deletion_along";
    PrivateEngine::tell(test, seconds(240), kill_and_restart);
}

async fn kill_and_restart(engine: PrivateEngine) {
    const STEPS: [&str; 4] = ["build", "start", "check", "retire"];
    let mut halfway = HeldUp::in_steps(&STEPS).await;
    let api = halfway.api.clone();

    engine.kill().await;
    halfway.dhow.readiness(503).await;
    api.delete("/apps/start").await.expect(202);
    api.get("/apps/start").await.problem(404);
    engine.start_again();
    halfway.go_on();
    let others = STEPS.into_iter().filter(|step| *step != "start");
    for step in others.clone() {
        halfway.succeeded(step).await;
        assert_eq!(
            halfway
                .dhow
                .serves_again(&format!("{step}.localhost"), seconds(10))
                .await,
            "new"
        );
    }
    halfway.dhow.visit("start.localhost", "/").await.expect(404);
    assert_nothing_left_over(&halfway.dhow, &api).await;

    // And once more in good order, as an upgrade of the engine does.
    halfway.hold_up_again("build", "newer").await;
    engine.terminate().await;
    engine.start_again();
    halfway.go_on();
    for step in others {
        let expected = if step == "build" { "newer" } else { "new" };
        halfway.succeeded(step).await;
        assert_eq!(
            halfway
                .dhow
                .serves_again(&format!("{step}.localhost"), seconds(20))
                .await,
            expected
        );
    }
    assert_nothing_left_over(&halfway.dhow, &api).await;
}
