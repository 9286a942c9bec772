//! Whose images go: Dhow's own names and what Dhow pulled, never what somebody else has, also after a kill.

use serde_json::json;

use super::{create, deploy, has_any, names, page};
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, try_docker};
use crate::harness::registry::Registry;
use crate::harness::setup::Setup;
use crate::harness::wait::{eventually, seconds};

/// Waits until an instance has given no image a name.
async fn nothing_is_named(dhow: &Dhow) {
    eventually("no image has a name of Dhow's", seconds(60), || async {
        let names = names(dhow);
        if names.is_empty() { Ok(()) } else { Err(names.join(" ")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_app_takes_its_own_names_along_and_leaves_those_of_others() {
    let registry = Registry::start().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    registry.push("kept:1", "kept");
    registry.push("gone:1", "gone");
    let (kept, gone) = (registry.image("kept:1"), registry.image("gone:1"));
    // Somebody has pulled one of them for a purpose of their own.
    docker(&["pull", "--quiet", &kept]);
    let foreign = format!("{}/foreign:mine", registry.name);
    docker(&["tag", &kept, &foreign]);
    for (app, image) in [("one", &kept), ("two", &gone), ("three", &gone)] {
        create(&api, &project, app, image).await;
        deploy(&api, app).await;
    }
    assert_eq!(names(&dhow).len(), 3, "{:?}", names(&dhow));
    assert!(
        try_docker(&["image", "inspect", &gone]).is_err(),
        "no name but Dhow's own was made"
    );

    for app in ["one", "two"] {
        api.delete(&format!("/apps/{app}")).await.expect(202);
    }
    eventually("only the third app's name is there", seconds(60), || async {
        match names(&dhow).as_slice() {
            [name] if name.contains("/three:") => Ok(()),
            names => Err(names.join(" ")),
        }
    })
    .await;
    assert_eq!(page(&dhow, "three").await, "gone");
    docker(&["image", "inspect", &kept]);
    docker(&["image", "inspect", &foreign]);
    api.delete("/apps/three").await.expect(202);
    nothing_is_named(&dhow).await;
    docker(&["rmi", &kept, &foreign]);
    eventually("what Dhow pulled is gone, too", seconds(30), || async {
        if has_any(&registry.name) {
            Err(docker(&["images", "--digests"]))
        } else {
            Ok(())
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn images_of_old_releases_go_and_a_failed_deployment_leaves_none() {
    let registry = Registry::start().await;
    let dhow = Setup::new().flag("--keep-releases", "2").start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    let app = create(&api, &project, "web", &registry.image("web:1")).await;
    let mut digests = Vec::new();
    for text in ["one", "two", "three"] {
        digests.push(registry.push("web:1", text));
        deploy(&api, &app).await;
        deploy(&api, &app).await;
    }
    let pulled = |digest: &str| try_docker(&["image", "inspect", &registry.image(&format!("web@{digest}"))]).is_ok();
    assert_eq!(names(&dhow).len(), 1, "one name for one image: {:?}", names(&dhow));
    assert!(!pulled(&digests[0]) && !pulled(&digests[1]) && pulled(&digests[2]));

    let image = registry.image("web:broken");
    crate::harness::registry::make(&image, &["ENTRYPOINT [\"false\"]"]);
    let broken = registry.push_made(&image);
    api.patch(&format!("/apps/{app}"), json!({ "source": { "image": image } }))
        .await
        .expect(200);
    let failed = api.deploy(&app).await;
    api.failed(failed, "exited").await;
    eventually("nothing of it is left", seconds(30), || async {
        if pulled(&broken) || names(&dhow).len() > 1 {
            Err(names(&dhow).join(" "))
        } else {
            Ok(())
        }
    })
    .await;
    assert_eq!(page(&dhow, &app).await, "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_pull_is_made_good_and_leaves_nothing() {
    let registry = Registry::start().await;
    let mut dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    registry.push("web:1", "one");
    let app = create(&api, &project, "web", &registry.image("web:1")).await;
    // The layers of busybox are on this engine; the configuration of the image is not, and is a blob too.
    registry.hold();
    let id = api.deploy(&app).await;
    registry.holds().await;
    dhow.kill().await;
    registry.let_go();
    dhow.start_again().await;
    api.succeeded(id).await;
    assert_eq!(page(&dhow, &app).await, "one");

    // A cancelled one ends at once, whatever the registry does.
    registry.push("web:1", "two");
    registry.hold();
    let id = api.deploy(&app).await;
    registry.holds().await;
    api.post(&format!("/deployments/{id}/cancel"), json!({}))
        .await
        .expect(202);
    api.until(id, "is cancelled", |deployment| deployment["status"] == "cancelled")
        .await;
    registry.let_go();
    api.delete(&format!("/apps/{app}")).await.expect(202);
    nothing_is_named(&dhow).await;

    // What a database that was put back does not know is found at the next start.
    dhow.terminate().await;
    registry.push("web:2", "stray");
    let image = registry.image("web:2");
    docker(&["pull", "--quiet", &image]);
    let owner = owner_part(&dhow);
    docker(&["tag", &image, &format!("{}/web:999-{owner}", dhow.instance)]);
    dhow.start_again().await;
    nothing_is_named(&dhow).await;
    docker(&["image", "inspect", &image]);
}

/// The part of an instance's random identity that is in the names it gives, as its containers tell it.
fn owner_part(dhow: &Dhow) -> String {
    let proxy = dhow.containers("proxy").remove(0);
    docker(&["inspect", "-f", "{{index .Config.Labels \"dhow.owner\"}}", &proxy])[..6].to_owned()
}
