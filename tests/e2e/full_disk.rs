//! A disk that fills up while deployments are under way: what serves goes on, and nothing is stuck once there is room.

use serde_json::json;

use crate::harness::held_up::HeldUp;
use crate::harness::leftovers::assert_nothing_left_over;
use crate::harness::setup::Setup;
use crate::harness::wait::{eventually, seconds};

const DISK_MIB: u32 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_what_is_under_way_and_everything_works_again_once_there_is_room() {
    let mut setup = Setup::new();
    setup.disk_mib = Some(DISK_MIB);
    let setup = setup.flag("--disk-floor", "1K");
    let halfway = HeldUp::in_steps_of(setup, &["check"]).await;
    let (api, dhow) = (&halfway.api, &halfway.dhow);

    dhow.disk().fill();
    halfway.go_on();
    eventually("Dhow says that the disk is full", seconds(30), || {
        let lines = dhow.lines().all();
        let is_told = lines.iter().any(|line| line.contains("stored once there is room"));
        std::future::ready(if is_told { Ok(()) } else { Err(lines.join("\n")) })
    })
    .await;
    let refusal = api.post("/apps/check/deployments", json!({})).await.problem(503);
    assert!(
        refusal["detail"].as_str().unwrap().contains("disk is full"),
        "{refusal}"
    );
    assert_eq!(halfway.page("check").await, "old");

    dhow.disk().free();
    let ended = api.ended(halfway.ids["check"]).await;
    assert_eq!(ended["error"]["kind"], "disk_full", "{ended:#}");
    assert_eq!(halfway.page("check").await, "old");
    let next = halfway.deploy_freely("check", "next").await;
    api.succeeded(next).await;
    assert_eq!(halfway.page("check").await, "next");
    assert_nothing_left_over(dhow, api).await;
}
