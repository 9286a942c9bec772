//! Many pushes at once: every one is answered quickly, none is lost, and the newest commit of each app goes live.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::forge::{Push, Signed, Webhook};
use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::http::Http;
use crate::harness::repository::Repository;
use crate::harness::setup::Setup;
use crate::harness::wait::{eventually, seconds};

const APPS: usize = 10;
const PUSHES: usize = 5;
/// How long somebody else keeps the database to themselves.
const LOCKED: Duration = Duration::from_secs(3);

struct App {
    slug: String,
    hook: Webhook,
    /// Oldest first.
    commits: Vec<String>,
}

impl App {
    async fn make(api: &Api, works: &GitServer, number: usize) -> Self {
        let repository: Repository = works.repository(&format!("app{number}"));
        let mut commits = vec![repository.commit_app(&format!("app{number} before"))];
        commits.extend((1..=PUSHES).map(|push| repository.commit_app(&format!("app{number} push {push}"))));
        let slug = api.create_app("shop", &format!("app{number}"), &repository).await;
        let hook = Webhook::of(api, &slug).await;
        Self { slug, hook, commits }
    }

    fn pushes(&self) -> impl Iterator<Item = Push<'_>> {
        self.commits.windows(2).map(|pair| Push {
            before: &pair[0],
            after: &pair[1],
            ..Push::default()
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn panel_database_locked_fifty_pushes_for_ten_apps_are_all_accepted_and_end_with_the_newest_commits() {
    let dhow = Setup::new().flag("--max-deployments", "8").start().await;
    let api = dhow.owner().await;
    let works = GitServer::start().await;
    api.create_project("shop").await;
    let mut apps = Vec::new();
    for number in 0..APPS {
        apps.push(App::make(&api, &works, number).await);
    }

    // The newest come first, so that most are overtaken. What the forge itself needs is done before.
    let sent: Vec<Signed> = apps
        .iter()
        .flat_map(|app| {
            app.pushes()
                .map(|push| app.hook.signed_push(&push))
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
        })
        .collect();
    let limit = limit(&dhow).await;
    let answers = join_all(sent.into_iter().map(|push| tokio::spawn(push.send_timed()))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let slowest = answers.iter().map(|(_, took)| *took).max().unwrap();
    println!("50 pushes: the slowest answer took {slowest:?} of {limit:?}");
    for (answer, took) in answers {
        let answer = answer.expect(202);
        assert!(took < limit, "{took:?} for {answer}");
    }

    // While the builds run, somebody else holds the database, and settings are saved.
    let locked = hold_database(&dhow);
    let began = Instant::now();
    let again = apps.iter().flat_map(|app| app.pushes().map(move |push| (app, push)));
    let again = join_all(again.map(|(app, push)| async move { app.hook.push(&push).await }));
    let saved = join_all(apps.iter().map(|app| {
        let path = format!("/apps/{}", app.slug);
        let api = api.clone();
        async move { api.patch(&path, json!({ "name": "Renamed" })).await }
    }));
    let (again, saved) = tokio::join!(again, saved);
    println!("with the database held for {LOCKED:?}: {:?}", began.elapsed());
    locked.join().unwrap();
    for answer in again {
        answer.expect(202);
    }
    for answer in saved {
        answer.expect(200);
    }
    for app in &apps {
        check(&dhow, &api, app).await;
    }
}

/// A second; more only where neighbours keep the machine so busy that fifty answers to nothing take a tenth of that.
async fn limit(dhow: &Dhow) -> Duration {
    let url = format!("{}/healthz", dhow.url());
    let asked = (0..APPS * PUSHES).map(|_| {
        let url = url.clone();
        tokio::spawn(async move {
            let began = Instant::now();
            Http::new().send("GET", &url, &[], "").await.expect(200);
            began.elapsed()
        })
    });
    let slowest = join_all(asked).await.into_iter().map(Result::unwrap).max().unwrap();
    seconds(1).max(slowest * 10)
}

/// `BEGIN IMMEDIATE` of another process, for a while; answers once it is held.
fn hold_database(dhow: &Dhow) -> std::thread::JoinHandle<()> {
    let database = rusqlite::Connection::open(dhow.data_file("dhow.db")).unwrap();
    database.busy_timeout(seconds(5)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE; SELECT 1;").unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(LOCKED);
        database.execute_batch("COMMIT").unwrap();
    })
}

async fn check(dhow: &Dhow, api: &Api, app: &App) {
    let path = format!("/apps/{}/deployments?limit=200", app.slug);
    let all_ended = eventually("every deployment has ended", seconds(120), || async {
        let listed = api.read(&path).await["items"].as_array().unwrap().clone();
        let is_open = |status: &serde_json::Value| status == "queued" || status == "running";
        match listed.iter().filter(|it| is_open(&it["status"])).count() {
            0 => Ok(listed),
            open => Err(format!("{open} of {} are open", listed.len())),
        }
    });
    let deployments = all_ended.await;
    let builds = deployments.iter().filter(|it| {
        let steps = it["steps"].as_array().unwrap();
        steps.iter().any(|step| step["step"] == "build")
    });
    let builds = builds.count();
    println!("{}: {} deployments, {builds} builds", app.slug, deployments.len());
    assert!(
        (1..=2).contains(&builds),
        "{builds} builds of {}: {deployments:#?}",
        app.slug
    );
    let bad = deployments
        .iter()
        .find(|it| it["status"] != "succeeded" && it["status"] != "superseded");
    assert!(bad.is_none(), "{bad:#?}");
    let deliveries = api.read(&format!("/apps/{}/deliveries?limit=200", app.slug)).await;
    assert_eq!(deliveries["items"].as_array().unwrap().len(), 2 * PUSHES);
    let host = format!("{}.localhost", app.slug);
    let page = dhow.visit(&host, "/").await.expect(200).text();
    assert!(
        page.ends_with(&format!("push {PUSHES}")),
        "{page} is the newest of {}",
        app.slug
    );
}
