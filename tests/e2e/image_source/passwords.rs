//! A registry with a password: who has it gets in, and nobody sees it again.

use serde_json::json;

use super::{create, deploy, page};
use crate::harness::dhow::Dhow;
use crate::harness::docker::{docker, labelled};
use crate::harness::registry::{PASSWORD, Registry, USER};

#[tokio::test(flavor = "multi_thread")]
async fn a_private_image_is_pulled_with_the_stored_password_alone_and_that_is_never_seen() {
    let open = Registry::start().await;
    let locked = open.with_password().await;
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Images").await;
    open.push("team/secret:1", "secret page");
    let image = locked.image("team/secret:1");
    let app = create(&api, &project, "web", &image).await;
    let check = async || api.post(&format!("/apps/{app}/access-check"), json!({})).await;
    let store = async |username: &str, password: &str| {
        let input = json!({ "kind": "token", "username": username, "token": password });
        api.put(&format!("/apps/{app}/credential"), input).await
    };

    let refused = check().await.expect(422).text();
    assert!(
        refused.contains("to nobody without a password") && refused.contains("credential"),
        "{refused}"
    );
    let failed = api.deploy(&app).await;
    let failed = api.failed(failed, "image_not_found").await;
    assert!(
        failed["error"]["message"]
            .as_str()
            .unwrap()
            .contains("without a password"),
        "{failed:#}"
    );

    store(USER, "wrong-password").await.expect(200);
    let refused = check().await.expect(422).text();
    assert!(refused.contains("refused the user name and the password"), "{refused}");
    let failed = api.deploy(&app).await;
    api.failed(failed, "image_not_found").await;

    for (username, password, field) in [
        ("", PASSWORD, "username"),
        (USER, "", "token"),
        ("a:b", PASSWORD, "token"),
    ] {
        let refused = store(username, password).await.expect(422).text();
        assert!(refused.contains(field) && !refused.contains(PASSWORD), "{refused}");
    }
    let key = json!({ "kind": "key" });
    api.put(&format!("/apps/{app}/credential"), key).await.expect(422);

    let stored = store(USER, PASSWORD).await.expect(200).json();
    assert_eq!(
        (&stored["kind"], &stored["origin"]),
        (&json!("token"), &json!(locked.name))
    );
    let found = check().await.expect(200).json();
    assert!(
        found["image"]
            .as_str()
            .unwrap()
            .starts_with(&locked.image("team/secret@sha256:")),
        "{found}"
    );
    let deployment = deploy(&api, &app).await;
    assert_eq!(page(&dhow, &app).await, "secret page");

    // Nowhere: pages, answers, logs, the engine, the files.
    let id = deployment["id"].as_i64().unwrap();
    let panel = dhow.panel().await;
    let mut seen = vec![
        api.get(&format!("/apps/{app}")).await.text(),
        api.get(&format!("/apps/{app}/credential")).await.text(),
        api.get(&format!("/deployments/{id}")).await.text(),
        api.read("/audit").await.to_string(),
        api.log(id).await,
        dhow.lines().text(),
    ];
    for path in ["", "/source", "/settings", "/deployments/3", "/releases"] {
        seen.push(panel.page(&format!("/apps/{app}{path}")).await.html());
    }
    for container in labelled("container", &[&format!("dhow.instance={}", dhow.instance)]) {
        seen.push(docker(&["inspect", &container]));
    }
    for text in &seen {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    for file in dhow.files() {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(
            !bytes
                .windows(PASSWORD.len())
                .any(|window| window == PASSWORD.as_bytes()),
            "{}",
            file.display()
        );
    }

    // Another registry is not shown it: the change forgets it.
    let other = json!({ "source": { "image": open.image("team/secret:1") } });
    api.patch(&format!("/apps/{app}"), other).await.expect(200);
    assert_eq!(api.read(&format!("/apps/{app}/credential")).await["kind"], json!(null));
    api.patch(&format!("/apps/{app}"), json!({ "source": { "image": image } }))
        .await
        .expect(200);
    check().await.expect(422);
}
