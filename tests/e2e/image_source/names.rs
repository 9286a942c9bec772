//! Names of images that are none: refused in words, by the API and in the form.

use serde_json::json;

use crate::harness::dhow::Dhow;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_of_an_image_is_refused_with_a_sentence() {
    let dhow = Dhow::start().await;
    let (api, panel) = (dhow.owner().await, dhow.panel().await);
    let project = api.create_project("Names").await;
    let address = format!("/projects/{project}/apps");
    let form = panel.page(&format!("{address}/new")).await.form(&["image", "name"]);
    let long = format!("{}/x", "a".repeat(300));
    for name in [
        "",
        "--help",
        "a b",
        "../x",
        "UPPER",
        "x:tag:tag",
        "x@sha256:short",
        "x\ny",
        "localhost:70000/x",
        "https://ghcr.io/x",
        "x?a=b",
        &long,
    ] {
        let body = json!({ "name": "web", "source": { "kind": "image", "image": name }, "port": 3000 });
        let refused = api.post(&address, body).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "source.image", "{name:?}: {refused:#}");
        let sentence = refused["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(sentence.ends_with('.') && sentence.len() < 250, "{name:?}: {sentence}");
        let typed = form.clone().set("kind", "image").set("name", "web").set("image", name);
        let page = panel.submit(&address, &typed).await.expect(422).text();
        let words = crate::harness::form::words(&page);
        assert!(words.contains(&sentence), "{name:?}: {sentence}: {words}");
    }
    let listed = api.read(&address).await;
    assert_eq!(listed["items"], json!([]), "none was made");
    for more in [
        json!({ "url": "https://git.example.com/x.git" }),
        json!({ "branch": "main" }),
    ] {
        let mut source = json!({ "kind": "image", "image": "nginx:1" });
        source
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let body = json!({ "name": "web", "source": source, "port": 3000 });
        let refused = api.post(&address, body).await.expect(422).text();
        assert!(refused.contains("has no repository"), "{refused}");
    }
}
