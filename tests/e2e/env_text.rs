//! .env texts: what stands in them reaches the program byte for byte, whichever way it was saved, and a project's
//! variables reach its apps.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::values::environment;

const PEM: &str = "-----BEGIN TEST KEY-----\nAAAA+/==\nBBBB/x=\n-----END TEST KEY-----\n";

async fn live() -> (Dhow, Api, GitServer) {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    api.live_app("web", "web", &repository).await;
    (dhow, api, git)
}

async fn import(api: &Api, text: &str) -> crate::harness::http::Answer {
    let headers = [("content-type", "text/plain; charset=utf-8")];
    api.send("POST", "/apps/web/env/import", &headers, text).await
}

/// Key and value of each variable as the API tells them.
async fn vars(api: &Api) -> Vec<(String, Value)> {
    let env = api.read("/apps/web/env").await;
    let vars = env["vars"].as_array().unwrap().iter();
    vars.map(|var| (var["key"].as_str().unwrap().to_owned(), var["value"].clone()))
        .collect()
}

/// The rows as they lie in the database, with the version.
fn rows(dhow: &Dhow) -> Vec<(String, Vec<u8>, i64)> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = rusqlite::Connection::open_with_flags(dhow.data_file("dhow.db"), flags).unwrap();
    let sql = "SELECT key, sealed, env_version FROM env_vars JOIN apps ON apps.id = app_id ORDER BY key";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn env_hash_inside_value_env_dollar_is_literal_env_pem_multiline_imported_texts_reach_the_program_as_they_are() {
    let (dhow, api, _git) = live().await;
    let secret = json!({ "vars": [{ "key": "TOKEN", "value": "old", "secret": true, "scope": "both" }] });
    let version = api.put("/apps/web/env", secret).await.expect(200).json()["version"].clone();
    let text = format!(
        "CONN=Server=db;User=u;Password=123#123abc;\nNOTE=keep # drop this\nQ=\"a # b\" # c\n\
         PW=pa$$word\nV=$123*&456$\nT=${{NOT_SET}}x\nC=$(id)\nB=`id`\n\
         KEY=\"{PEM}\"\nAFTER=1\nTOKEN=new\nAFTER=2\n"
    );
    // Unquoted, the lines of a key are no variables; nothing is stored, also of the lines that are good.
    let unquoted = format!("GOOD=1\nKEY={PEM}AFTER=1\n");
    let refused = import(&api, &unquoted).await.problem(422);
    let message = refused["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("Line 2: ") && message.contains("double quotes"),
        "{refused:#}"
    );
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1, "{refused:#}");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    api.send("POST", "/apps/web/env/import", &form, "A=1")
        .await
        .problem(415);
    api.send(
        "POST",
        "/apps/web/env/import?version=0",
        &[("content-type", "text/plain")],
        "A=1",
    )
    .await
    .problem(409);
    assert_eq!(
        api.read("/apps/web/env").await["version"],
        version,
        "nothing was stored"
    );

    let imported = import(&api, &text).await.expect(200).json();
    assert_eq!(imported["warnings"][0]["line"], 16, "{imported:#}");
    let token = imported["vars"]
        .as_array()
        .unwrap()
        .iter()
        .find(|var| var["key"] == "TOKEN");
    assert_eq!(
        token,
        Some(&json!({ "key": "TOKEN", "value": null, "secret": true, "scope": "both" })),
        "use and secrecy stay"
    );
    api.succeeded(api.deploy("web").await).await;
    let env = environment(&dhow, "web");
    for (name, value) in [
        ("CONN", "Server=db;User=u;Password=123#123abc;"),
        ("NOTE", "keep"),
        ("Q", "a # b"),
        ("PW", "pa$$word"),
        ("V", "$123*&456$"),
        ("T", "${NOT_SET}x"),
        ("C", "$(id)"),
        ("B", "`id`"),
        ("KEY", PEM),
        ("AFTER", "2"),
        ("TOKEN", "new"),
    ] {
        assert_eq!(env.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(
        !env.keys().any(|name| name == "GOOD" || name.starts_with("AAAA")),
        "{env:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn env_json_round_trip_env_bom_and_crlf_env_bulk_save_replaces_both_forms_keep_what_is_stored() {
    let (dhow, api, _git) = live().await;
    let panel = dhow.panel().await;
    let cfg = r#"{"a":"x\n y","b":[1]}"#;
    let csp = "default 'self' https://*";
    let secret = json!({ "vars": [{ "key": "TOKEN", "value": "hush", "secret": true }] });
    api.put("/apps/web/env", secret).await.expect(200);
    for (key, value) in [("CFG", cfg), ("CSP", csp)] {
        let form = panel.page("/apps/web/env").await.form(&["key", "value"]);
        let form = form.set_last("key", key).set_last("value", value);
        panel.submit_and_follow("/apps/web/env", &form).await;
    }
    let before = rows(&dhow);
    assert_eq!(before.len(), 3);
    for _ in 0..3 {
        let page = panel.page("/apps/web/env?as=text").await;
        assert!(page.words().contains("TOKEN") && !page.html().contains("hush"));
        panel.submit_and_follow("/apps/web/env", &page.form(&["text"])).await;
        let table = panel.page("/apps/web/env").await.form(&["key", "value"]);
        panel.submit_and_follow("/apps/web/env", &table).await;
    }
    assert_eq!(rows(&dhow), before, "saving without an edit changes nothing");

    // A file made on Windows, as a browser sends it: three more, and the secret stays.
    let text_form = async || panel.page("/apps/web/env?as=text").await.form(&["text"]);
    let stored = text_form().await.value("text").unwrap().replace('\n', "\r\n");
    let windows = format!("\u{feff}FIRST=1\r\nSECOND=two\r\n# note\r\n\r\nTHIRD=\"x\"\r\n{stored}");
    panel
        .submit_and_follow("/apps/web/env", &text_form().await.set("text", &windows))
        .await;
    // A mistake is told with its line, and what was typed is kept.
    let refused = panel
        .submit("/apps/web/env", &text_form().await.set("text", "A=1\r\nno pair"))
        .await
        .expect(422);
    assert!(
        refused.text().contains("Line 2: ") && refused.text().contains("no pair"),
        "{refused}"
    );
    api.succeeded(api.deploy("web").await).await;
    let env = environment(&dhow, "web");
    for (name, value) in [
        ("FIRST", "1"),
        ("SECOND", "two"),
        ("THIRD", "x"),
        ("CFG", cfg),
        ("CSP", csp),
        ("TOKEN", "hush"),
    ] {
        assert_eq!(env.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(
        !env.iter()
            .any(|(name, value)| name.contains('\u{feff}') || value.contains('\r')),
        "{env:?}"
    );

    // The text is the whole truth of what it can tell.
    panel
        .submit_and_follow("/apps/web/env", &text_form().await.set("text", "A=1\nB=2\n"))
        .await;
    for _ in 0..2 {
        let repeated = text_form().await.set("text", "A=9\nA=10\na=x\n");
        let page = panel.submit_and_follow("/apps/web/env", &repeated).await;
        page.expect_words("Line 2: A is set again here");
    }
    let expected = [("A", json!("10")), ("TOKEN", Value::Null), ("a", json!("x"))];
    assert_eq!(vars(&api).await, expected.map(|(key, value)| (key.to_owned(), value)));
    let stale = text_form().await.set("version", "1").set("text", "MINE=1\n");
    let conflict = panel.submit("/apps/web/env", &stale).await.expect(409);
    assert!(conflict.text().contains("MINE=1"), "what was typed is kept");
    panel.page("/apps/web/env").await.expect_words("removed B");
    api.succeeded(api.deploy("web").await).await;
    let env = environment(&dhow, "web");
    assert_eq!(
        (env["A"].as_str(), env["a"].as_str(), env["TOKEN"].as_str()),
        ("10", "x", "hush")
    );
    assert!(!env.contains_key("B") && !env.contains_key("CFG"), "{env:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_shares_variables_that_its_apps_may_override() {
    let (dhow, api, _git) = live().await;
    let shared = json!({ "vars": [
        { "key": "BOTH", "value": "theirs", "scope": "both" },
        { "key": "OWN", "value": "theirs" },
        { "key": "HUSH", "value": "s3cret", "secret": true },
    ]});
    api.put("/projects/web/env", shared).await.expect(200);
    api.put("/apps/web/env", json!({ "vars": [{ "key": "OWN", "value": "mine" }] }))
        .await
        .expect(200);
    let told = api.read("/apps/web/env").await;
    assert_eq!(told["shared"].as_array().unwrap().len(), 3, "{told:#}");
    assert!(!told.to_string().contains("s3cret"));
    // What was read can be written back as it is.
    let again = api.put("/apps/web/env", told.clone()).await.expect(200).json();
    assert_eq!(again, told);
    let panel = dhow.panel().await;
    let page = panel.page("/apps/web/env").await;
    for words in ["From the project", "not used: the app has its own", "HUSH (new)"] {
        assert!(page.words().contains(words), "{words}: {}", page.words());
    }

    api.succeeded(api.deploy("web").await).await;
    let env = environment(&dhow, "web");
    let found = ["BOTH", "OWN", "HUSH"].map(|name| env.get(name).map(String::as_str));
    assert_eq!(found, [Some("theirs"), Some("mine"), Some("s3cret")]);
    assert!(
        !panel.page("/apps/web/env").await.words().contains("(new)"),
        "all of it is live"
    );

    // The page of the project is the same form; what an app has not live yet is told there.
    let form = panel.page("/projects/web/env?as=text").await.form(&["text"]);
    assert_eq!(form.value("text"), Some("BOTH=theirs\nOWN=theirs\n"));
    panel
        .submit_and_follow("/projects/web/env", &form.set("text", "BOTH=changed\nHUSH=other\n"))
        .await;
    let history = panel.page("/projects/web/env").await;
    history.expect_words("changed BOTH HUSH").expect_words("removed OWN");
    let page = panel.page("/apps/web/env").await.expect_words("Needs a build");
    assert!(
        page.words().contains("BOTH") && page.words().contains("HUSH"),
        "{}",
        page.words()
    );
    let rollback = panel.page("/apps/web/rollback?release=1").await;
    assert!(rollback.words().contains("HUSH"), "{}", rollback.words());
    api.succeeded(api.deploy("web").await).await;
    let env = environment(&dhow, "web");
    assert_eq!(
        (env["BOTH"].as_str(), env["HUSH"].as_str(), env["OWN"].as_str()),
        ("changed", "other", "mine")
    );
    let merge = json!({ "vars": [{ "key": "HUSH", "value": "third" }] });
    let merged = api.patch("/projects/web/env", merge).await.expect(200).json();
    assert!(!merged.to_string().contains("third"), "{merged:#}");
    api.patch("/projects/web/env", json!({ "version": 0, "delete": ["BOTH"] }))
        .await
        .problem(409);
}
