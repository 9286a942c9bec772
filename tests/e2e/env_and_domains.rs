//! Variables reach the container and nobody else; domains are served at once, each by one app.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::docker::inspect;
use crate::harness::git_server::GitServer;
use crate::harness::words;

/// What Docker was told: the only pass between Dhow and the program.
fn container_env(dhow: &Dhow, app: &str) -> Vec<String> {
    let containers = dhow.containers_of(app);
    assert_eq!(containers.len(), 1, "{containers:?}");
    let env = inspect("container", &containers[0])["Config"]["Env"].take();
    env.as_array()
        .unwrap()
        .iter()
        .map(|pair| pair.as_str().unwrap().to_owned())
        .collect()
}

async fn live(name: &str) -> (Dhow, Api, GitServer) {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository(name);
    repository.commit_app(name);
    api.live_app(name, name, &repository).await;
    (dhow, api, git)
}

/// The variables as the API tells them.
async fn vars(api: &Api) -> Vec<(String, Value, Value)> {
    let env = api.read("/apps/web/env").await;
    let vars = env["vars"].as_array().unwrap().iter();
    vars.map(|var| {
        (
            var["key"].as_str().unwrap().to_owned(),
            var["value"].clone(),
            var["secret"].clone(),
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_reach_the_container_byte_for_byte_and_are_sealed_at_rest() {
    let (dhow, api, _git) = live("web").await;
    let secret = "s3cret-\"quoted\"-$HOME-`id`-Zürich";
    let lines = "first line\nsecond = line # kept\n\\n";
    let set = json!({ "vars": [
        { "key": "PASSWORD", "value": secret, "secret": true },
        { "key": "LINES", "value": lines },
        { "key": "EMPTY", "value": "" },
        { "key": "BUILD_ONLY", "value": "not at run time", "scope": "build" },
    ]});
    api.put("/apps/web/env", set).await.expect(200);
    assert!(
        !container_env(&dhow, "web")
            .iter()
            .any(|pair| pair.starts_with("PASSWORD=")),
        "not before the next release"
    );

    api.succeeded(api.deploy("web").await).await;

    let env = container_env(&dhow, "web");
    for pair in [
        format!("PASSWORD={secret}"),
        format!("LINES={lines}"),
        "EMPTY=".to_owned(),
        "PORT=3000".to_owned(),
    ] {
        assert!(env.contains(&pair), "{pair} in {env:?}");
    }
    assert!(!env.iter().any(|pair| pair.starts_with("BUILD_ONLY=")), "{env:?}");
    let told = vars(&api).await;
    assert!(
        told.contains(&("PASSWORD".to_owned(), Value::Null, json!(true))),
        "a secret is never told: {told:?}"
    );
    assert!(
        told.contains(&("LINES".to_owned(), json!(lines), json!(false))),
        "{told:?}"
    );
    assert!(
        !dhow.panel().await.page("/apps/web/env").await.html().contains("s3cret"),
        "nor shown on the page"
    );
    for file in dhow.files() {
        let bytes = std::fs::read(&file).unwrap();
        for value in ["s3cret-", "second = line", "not at run time"] {
            let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
            assert!(!found, "'{value}' lies open in {}", file.display());
        }
    }
    assert!(!dhow.lines().text().contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_merged_kept_and_removed_without_being_known() {
    let (dhow, api, _git) = live("web").await;
    let set = json!({ "vars": [{ "key": "A", "value": "1" }, { "key": "SECRET", "value": "hush", "secret": true }] });
    let version = api.put("/apps/web/env", set).await.expect(200).json()["version"].clone();
    // Merge: one changed, one added, the others as they are.
    let merge = json!({ "version": version, "vars": [{ "key": "A", "value": "2" }, { "key": "B", "value": "3" }] });
    api.patch("/apps/web/env", merge.clone()).await.expect(200);
    api.patch("/apps/web/env", merge).await.problem(409);
    // What a merge leaves out of a variable stays as it is: a secret is one still, and does not come back.
    let patch = |var| api.patch("/apps/web/env", json!({ "vars": [var] }));
    let merged = patch(json!({ "key": "SECRET", "value": "hush", "scope": "both" }))
        .await
        .expect(200);
    assert!(!merged.text().contains("hush"), "{}", merged.text());
    patch(json!({ "key": "SECRET", "secret": false })).await.problem(422);
    patch(json!({ "key": "A", "scope": "both" })).await.expect(200);
    assert!(
        vars(&api)
            .await
            .iter()
            .any(|(key, value, ..)| key == "A" && value == "2")
    );
    // Replace: a secret that the writer does not know is kept by null.
    let replace = json!({ "vars": [{ "key": "SECRET", "value": null, "secret": true }, { "key": "C", "value": "4" }] });
    api.put("/apps/web/env", replace).await.expect(200);
    let keys: Vec<String> = vars(&api).await.into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["C", "SECRET"]);
    api.patch("/apps/web/env", json!({ "delete": ["C"] })).await.expect(200);

    api.succeeded(api.deploy("web").await).await;
    let env = container_env(&dhow, "web");
    assert!(env.contains(&"SECRET=hush".to_owned()), "{env:?}");
    assert!(
        !env.iter().any(|pair| pair.starts_with("A=") || pair.starts_with("C=")),
        "{env:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_is_set_by_the_plain_form() {
    let (dhow, api, _git) = live("web").await;
    let panel = dhow.panel().await;
    // The blank row is the last one.
    let form = panel.page("/apps/web/env").await.form(&["key", "value"]);
    let form = form.set_last("key", "GREETING").set_last("value", "a=b \"c\"");
    let page = panel.submit_and_follow("/apps/web/env", &form).await;
    let form = page.form(&["key", "value"]);
    assert_eq!(form.value("key"), Some("GREETING"));
    assert_eq!(
        vars(&api).await,
        [("GREETING".to_owned(), json!("a=b \"c\""), json!(false))]
    );
    let refused = panel
        .submit(
            "/apps/web/env",
            &form.set_last("key", "not a key").set_last("value", "kept"),
        )
        .await
        .expect(422);
    assert!(
        refused.text().contains("not a key") && refused.text().contains("kept"),
        "what was typed is kept"
    );
    assert_eq!(vars(&api).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_are_served_at_once_and_belong_to_one_app() {
    let (dhow, api, git) = live("web").await;
    let other = git.repository("other");
    other.commit_app("other");
    let id = {
        let app = api.create_app("web", "other", &other).await;
        api.deploy(&app).await
    };
    api.succeeded(id).await;
    dhow.visit("shop.example.com", "/").await.expect(404);

    let domain = api
        .post("/apps/web/domains", json!({ "host": "Shop.Example.com", "tls": "off" }))
        .await
        .expect(201)
        .json();
    assert_eq!(domain["host"], "shop.example.com", "hosts have no capital letters");
    assert_eq!(dhow.visit("shop.example.com", "/").await.expect(200).text(), "web");
    assert_eq!(dhow.visit("SHOP.example.com", "/").await.expect(200).text(), "web");
    assert_eq!(dhow.visit("other.localhost", "/").await.expect(200).text(), "other");

    // Neither twice nor by another app, nor the host that another app has by its name.
    for app in ["web", "other"] {
        let answer = api
            .post(&format!("/apps/{app}/domains"), json!({ "host": "shop.example.com" }))
            .await;
        assert!(matches!(answer.status, 409 | 422), "{answer}");
    }
    let taken = api
        .post("/apps/other/domains", json!({ "host": "web.localhost" }))
        .await;
    assert!(matches!(taken.status, 409 | 422), "{taken}");
    assert_eq!(dhow.visit("shop.example.com", "/").await.expect(200).text(), "web");

    let redirect = json!({ "host": "www.example.com", "tls": "off", "redirect_to": "shop.example.com" });
    api.post("/apps/web/domains", redirect).await.expect(201);
    let answer = dhow.visit("www.example.com", "/a?b=c").await;
    assert!(matches!(answer.status, 301 | 302 | 307 | 308), "{answer}");
    let target = format!("http://shop.example.com:{}/a?b=c", dhow.http_port);
    assert_eq!(answer.header("location"), target, "{answer}");

    let listed = api.read("/apps/web/domains").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed:#}");
    let deleted = api.delete("/apps/web/domains/shop.example.com").await;
    assert!(matches!(deleted.status, 200 | 202 | 204), "{deleted}");
    dhow.visit("shop.example.com", "/").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_added_and_removed_by_the_plain_form() {
    let (dhow, api, _git) = live("web").await;
    let panel = dhow.panel().await;
    let page = panel.page("/apps/web/domains").await;
    let form = page.form(&["host"]);
    assert!(
        form.buttons.iter().any(|button| button == words::ADD_DOMAIN),
        "{form:?}"
    );
    let page = panel
        .submit_and_follow("/apps/web/domains", &form.clone().set("host", "form.example.com"))
        .await;
    let page = page.expect_words("form.example.com");
    assert_eq!(dhow.visit("form.example.com", "/").await.expect(200).text(), "web");
    let again = panel
        .submit("/apps/web/domains", &form.set("host", "form.example.com"))
        .await;
    assert!(
        matches!(again.status, 409 | 422) && again.text().contains("form.example.com"),
        "{again}"
    );

    let remove = page.form_of_button("Remove");
    panel.submit_and_follow("/apps/web/domains", &remove).await;
    dhow.visit("form.example.com", "/").await.expect(404);
    assert_eq!(api.read("/apps/web/domains").await["items"], json!([]));
}
