//! What is pulled when: each deployment asks again, restarts and rollbacks do not.

use serde_json::json;

use super::{create, deploy, page};
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, inspect};
use crate::harness::registry::{Registry, make, serving};
use crate::harness::setup::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn every_deployment_brings_what_the_tag_stands_for_and_a_way_back_needs_no_registry() {
    let mut registry = Registry::start().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    let image = registry.image("team/web:1");
    let first = registry.push("team/web:1", "one");
    let app = create(&api, &project, "web", &image).await;

    let deployment = deploy(&api, &app).await;
    assert_eq!(page(&dhow, &app).await, "one");
    assert_eq!(deployment["commit"], json!(null));
    assert_eq!(deployment["source_image"], json!({ "name": image, "digest": first }));
    let steps: Vec<&str> = deployment["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        ["fetch", "start", "check", "switch", "retire"],
        "nothing is built"
    );
    let log = api.log(deployment["id"].as_i64().unwrap()).await;
    assert!(log.contains(&first) && log.contains("without a password"), "{log}");
    let container = dhow.containers_of(&app).remove(0);
    let config = inspect("container", &container)["Config"].clone();
    assert_eq!(config["User"], "1000", "as the image has it");
    let environment = config["Env"].to_string();
    assert!(
        environment.contains("PORT=3000") && !environment.contains("DHOW_COMMIT"),
        "{environment}"
    );

    // The tag is moved: a change of settings keeps the image, a deployment brings the new one.
    let second = registry.push("team/web:1", "two");
    assert_ne!(first, second);
    let vars = json!({ "vars": [{ "key": "A", "value": "1" }] });
    api.patch(&format!("/apps/{app}/env"), vars).await.expect(200);
    let applied = api
        .post(&format!("/apps/{app}/apply"), json!({}))
        .await
        .expect(202)
        .json();
    let applied = api.succeeded(applied["id"].as_i64().unwrap()).await;
    assert_eq!(applied["source_image"]["digest"], first, "{applied:#}");
    assert_eq!(page(&dhow, &app).await, "one");
    let deployment = deploy(&api, &app).await;
    assert_eq!(deployment["source_image"]["digest"], second);
    assert_eq!(page(&dhow, &app).await, "two");

    // What did not move is not pulled again, and is a release all the same.
    let again = deploy(&api, &app).await;
    let log = api.log(again["id"].as_i64().unwrap()).await;
    assert!(log.contains("Nothing to pull"), "{log}");
    assert_eq!(again["release"], 4);

    registry.stop().await;
    let id = api
        .post(&format!("/apps/{app}/rollback"), json!({ "release": 1 }))
        .await
        .expect(202)
        .json()["id"]
        .as_i64();
    let back = api.succeeded(id.unwrap()).await;
    assert_eq!(back["source_image"]["digest"], first, "{back:#}");
    assert_eq!(page(&dhow, &app).await, "one");
    let id = api
        .post(&format!("/apps/{app}/restart"), json!({}))
        .await
        .expect(202)
        .json()["id"]
        .as_i64();
    api.succeeded(id.unwrap()).await;
    assert_eq!(page(&dhow, &app).await, "one");
    let failed = api.deploy(&app).await;
    let failed = api.failed(failed, "image_not_found").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("cannot be reached"), "{message}");
    assert_eq!(page(&dhow, &app).await, "one", "it goes on serving");
    let releases = api.read(&format!("/apps/{app}/releases")).await;
    let digests: Vec<&str> = releases["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|release| release["source_image"]["digest"].as_str().unwrap())
        .collect();
    assert_eq!(digests, [&second, &second, &first, &first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_stays_what_it_is_and_what_is_missing_is_told_while_the_old_version_serves() {
    let mut registry = Registry::start().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    let first = registry.push("web:1", "one");
    registry.push("web:1", "two");
    let pinned = registry.image(&format!("web@{first}"));
    let app = create(&api, &project, "web", &pinned).await;
    let deployment = deploy(&api, &app).await;
    assert_eq!(deployment["source_image"], json!({ "name": pinned, "digest": first }));
    assert_eq!(page(&dhow, &app).await, "one");

    for missing in ["web:never", "none/such:1", &format!("web@sha256:{}", "0".repeat(64))] {
        let image = registry.image(missing);
        let change = json!({ "source": { "image": image } });
        api.patch(&format!("/apps/{app}"), change).await.expect(200);
        let pending = api.read(&format!("/apps/{app}")).await;
        assert_eq!(pending["source"]["image"], image);
        let failed = api.deploy(&app).await;
        let failed = api.failed(failed, "image_not_found").await;
        let message = failed["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("The registry has no") && message.contains(&image),
            "{message}"
        );
        assert_eq!(failed["source_image"]["name"], image);
        assert_eq!(page(&dhow, &app).await, "one");
    }
    let refused = api
        .post(&format!("/apps/{app}/deployments"), json!({ "commit": "abcdef1" }))
        .await;
    assert!(refused.expect(422).text().contains("has no commits"));

    // An image that listens elsewhere than its app's settings say: what it exposes is told.
    let elsewhere = registry.image("elsewhere:1");
    let program = "CMD [\"httpd\", \"-f\", \"-p\", \"127.0.0.1:8080\"]";
    make(&elsewhere, &["EXPOSE 8081", program]);
    registry.push_made(&elsewhere);
    let change = json!({ "source": { "image": elsewhere }, "health": { "timeout_s": 2 } });
    api.patch(&format!("/apps/{app}"), change).await.expect(200);
    let failed = api.deploy(&app).await;
    let failed = api.failed(failed, "port_not_listening").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("127.0.0.1:8080") && message.contains("The image exposes port 8081"),
        "{message}"
    );

    // The start command counts as everywhere, in place of what the image would do.
    let change = json!({
        "source": { "image": pinned },
        "build": { "start_command": "mkdir /tmp/own && echo own > /tmp/own/index.html && exec httpd -f -p $PORT -h /tmp/own" },
    });
    api.patch(&format!("/apps/{app}"), change).await.expect(200);
    deploy(&api, &app).await;
    assert_eq!(page(&dhow, &app).await, "own\n");

    // Without its registry a digest is as good as ever, for the app that it was pulled for and for no other.
    registry.stop().await;
    let again = deploy(&api, &app).await;
    let log = api.log(again["id"].as_i64().unwrap()).await;
    assert!(log.contains("The engine has this very image"), "{log}");
    let other = create(&api, &project, "other", &pinned).await;
    let failed = api.deploy(&other).await;
    api.failed(failed, "image_not_found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_only_the_engine_has_is_used_with_a_warning() {
    let mut registry = Registry::start().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    registry.stop().await;
    let image = registry.image("by/hand:1");
    make(
        &image,
        &["EXPOSE 3000", "ENTRYPOINT [\"sh\", \"-c\"]", &serving("by hand")],
    );
    let app = create(&api, &project, "web", &image).await;
    let deployment = deploy(&api, &app).await;
    assert_eq!(deployment["source_image"], json!({ "name": image, "digest": null }));
    assert_eq!(page(&dhow, &app).await, "by hand");
    let log = api.log(deployment["id"].as_i64().unwrap()).await;
    assert!(
        log.contains("cannot be reached") && log.contains("Warning: the image that the engine has"),
        "{log}"
    );

    // What Dhow made for an app is no other app's, whatever it is called.
    let own = super::names(&dhow).remove(0);
    let thief = create(&api, &project, "thief", &own).await;
    let failed = api.deploy(&thief).await;
    api.failed(failed, "image_not_found").await;

    // The app is deleted: the image made by hand stays.
    api.delete(&format!("/apps/{app}")).await.expect(202);
    crate::harness::wait::eventually("its name is gone", crate::harness::wait::seconds(30), || async {
        let names = super::names(&dhow);
        if names.is_empty() { Ok(()) } else { Err(names.join(" ")) }
    })
    .await;
    docker(&["image", "inspect", &image]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_at_a_private_address_is_not_asked_unless_the_operator_allows_it() {
    let registry = Registry::start().await;
    let dhow = Setup::new().without_private_sources().start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    registry.push("web:1", "one");
    let app = create(&api, &project, "web", &registry.image("web:1")).await;
    let failed = api.deploy(&app).await;
    let failed = api.failed(failed, "image_not_found").await;
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("a private address") && message.contains("--allow-private-sources"),
        "{message}"
    );
    let refused = api.post(&format!("/apps/{app}/access-check"), json!({})).await;
    assert!(refused.expect(422).text().contains("a private address"));
    for host in [
        "localhost/web",
        "0x7f.1/web",
        "169.254.169.254/latest",
        "127.1:5000/web",
    ] {
        let image = json!({ "source": { "image": host } });
        api.patch(&format!("/apps/{app}"), image).await.expect(200);
        let refused = api.post(&format!("/apps/{app}/access-check"), json!({})).await;
        assert!(refused.expect(422).text().contains("a private address"), "{host}");
    }
}
