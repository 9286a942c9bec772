//! Redeploys under load, and what each must show: no request failed, by the visitors' own count and by Dhow's.

use std::time::Duration;

use serde_json::Value;

use super::api::Api;
use super::dhow::Dhow;
use super::git_server::GitServer;
use super::load::Load;
use super::repository::{DOWNLOAD, DOWNLOAD_PARTS, SLOW};
use super::wait::seconds;

/// The shortest time that an old version is drained.
const SHORTEST_DRAIN_S: u64 = 5;

/// An app that is redeployed again and again while it is asked `rate` times a second, half of that for slow pages.
pub struct BusyApp<'a> {
    pub dhow: &'a Dhow,
    pub api: &'a Api,
    pub git: &'a GitServer,
    pub name: &'a str,
    pub rate: u32,
}

impl BusyApp<'_> {
    fn host(&self) -> String {
        format!("{}.localhost", self.name)
    }

    /// Makes the app, puts the load on it and redeploys it so often; a long download is open over the first switch.
    pub async fn redeploy(&self, times: u32, longest: Duration) {
        let repository = self.git.repository(self.name);
        repository.write_slow_site("version 0");
        repository.commit("Version 0");
        self.api.live_app(self.name, self.name, &repository).await;
        let load = Load::on_paths(self.dhow, &self.host(), &["/", SLOW], self.rate, longest);
        let host = self.host();
        let mut download = self
            .dhow
            .http
            .open(&self.dhow.app_url(DOWNLOAD), &[("host", &host)])
            .await;
        let downloading = tokio::spawn(async move { download.rest("the next part of a download", seconds(20)).await });
        for version in 1..=times {
            let page = format!("version {version}");
            repository.write_slow_site(&page);
            repository.commit(&page);
            self.redeploy_once(&load, &page).await;
        }
        let parts = String::from_utf8(downloading.await.unwrap()).unwrap();
        assert_eq!(parts.lines().count(), DOWNLOAD_PARTS, "the whole download arrives");
        load.assert_nothing_failed(&format!("{times} redeploys of {}", self.name))
            .await;
    }

    async fn redeploy_once(&self, load: &Load, page: &str) {
        let before = load.count();
        let deployment = self.api.succeeded(self.api.deploy(self.name).await).await;
        let during = load.count() - before;
        assert_eq!(self.dhow.visit(&self.host(), "/").await.expect(200).text(), page);
        println!("{} {page}: {during:?}, {}", self.name, course(&deployment));
        let switch = &deployment["switch"];
        assert_eq!(
            switch["failed"], during.by_proxy,
            "Dhow's count and the visitors': {deployment:#}"
        );
        let counted = switch["requests"].as_u64().unwrap();
        let least = u64::from(self.rate) * SHORTEST_DRAIN_S / 2;
        assert!(
            (least..=during.total).contains(&counted),
            "{counted} requests of {during:?}"
        );
    }
}

/// The cost of the switch and the milliseconds of each step.
pub fn course(deployment: &Value) -> String {
    let steps = deployment["steps"].as_array().unwrap();
    let steps: Vec<String> = steps
        .iter()
        .map(|step| format!("{} {}", step["step"].as_str().unwrap(), step["ms"]))
        .collect();
    format!("{} {}", deployment["switch"], steps.join(", "))
}
