//! Ten thousand random values, by every way in: what the container has is what was given, byte for byte.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::island::put;
use crate::harness::panel::Panel;
use crate::harness::values::{OddValues, environment, quoted};

/// Values at a time: as many as an app may have.
const BATCH: usize = 1_000;

#[derive(Debug, Clone, Copy)]
enum Way {
    Api,
    Import,
    Form,
    Island,
}

/// Ten batches.
const WAYS: [Way; 10] = [
    Way::Api,
    Way::Import,
    Way::Form,
    Way::Island,
    Way::Api,
    Way::Import,
    Way::Form,
    Way::Island,
    Way::Import,
    Way::Form,
];

struct Visitors {
    dhow: Dhow,
    api: Api,
    panel: Panel,
    browser: Browser,
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_random_values_arrive_byte_for_byte_by_form_island_api_and_import() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    api.live_app("Values", "web", &repository).await;
    let browser = Browser::open().await;
    browser.sign_in(&dhow).await;
    let panel = dhow.panel().await;
    let visitors = Visitors {
        dhow,
        api,
        panel,
        browser,
    };
    let mut odd = OddValues::new();
    for way in WAYS {
        let values = odd.take(BATCH);
        visitors.save(way, &values).await;
        visitors.apply(way).await;
        let found = environment(&visitors.dhow, "web");
        for (key, value) in &values {
            assert_eq!(found.get(key), Some(value), "{key} by {way:?}");
        }
    }
    visitors.browser.finish().await;
}

impl Visitors {
    async fn save(&self, way: Way, values: &BTreeMap<String, String>) {
        match way {
            Way::Api => {
                let vars = values.iter().map(|(key, value)| json!({ "key": key, "value": value }));
                let vars: Vec<_> = vars.collect();
                self.api.put("/apps/web/env", json!({ "vars": vars })).await.expect(200);
            }
            Way::Import => {
                let headers = [("content-type", "text/plain; charset=utf-8")];
                self.api
                    .send("POST", "/apps/web/env/import", &headers, &quoted(values))
                    .await
                    .expect(200);
            }
            Way::Form => {
                let form = self.panel.page("/apps/web/env?as=text").await.form(&["text"]);
                // As browsers send what stands in a text area (HTML standard, "constructing the entry list").
                let text = quoted(values).replace('\n', "\r\n");
                self.panel
                    .submit_and_follow("/apps/web/env", &form.set("text", &text))
                    .await;
            }
            Way::Island => {
                self.browser.goto(&format!("{}/apps/web/env", self.dhow.url())).await;
                self.browser.click("Text").await;
                put(&self.browser, "Variables as text", &quoted(values)).await;
                self.browser.see("Restarts the app", SHOWN_WITHIN).await;
            }
        }
    }

    async fn apply(&self, way: Way) {
        if let Way::Island = way {
            self.browser.click("Save and apply now").await;
            self.browser
                .at("the deployment", |url| url.contains("/deployments/"))
                .await;
        } else {
            self.api.post("/apps/web/apply", json!({})).await.expect(202);
        }
        let newest = &self.api.read("/apps/web/deployments").await["items"][0]["id"];
        self.api.succeeded(newest.as_i64().unwrap()).await;
    }
}
