//! What a file in the watched directory can do to other apps.

use crate::bed::{Bed, LONG, docker};
use crate::client::{Load, Visitor};
use crate::{alone, app};
use dhow::model::route::{AppRoutes, Server};
use dhow::traefik::{DynamicFiles, Error, app_file};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Names the directory in which [`write_until_killed`] writes.
const WRITER_ROOT: &str = "DHOW_TEST_WRITER_ROOT";
/// The test that runs itself as the process that it kills.
const KILLED_TEST: &str = "files::route_one_bad_file_kills_all_dhow_killed_while_it_writes";

#[tokio::test]
async fn route_one_bad_file_kills_all_nothing_that_dhow_writes_is_bad() {
    let _turn = alone().await;
    let bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    bed.apply(&app("shop", &[("shop.test", "/")], &server)).await;
    let load = Load::start(bed.ports.http, "shop.test");

    bed.apply(&app("without-domains", &[], &server)).await;
    bed.apply(&AppRoutes {
        server: None,
        ..app("stopped", &[("stopped.test", "/")], &server)
    })
    .await;
    bed.write(&AppRoutes::none("nothing")).await;
    for path in ["/caf%C3%A9", "/a%20b", "/50%25", "/a%2Fb%27%24", "/%F0%9F%98%80"] {
        bed.apply(&app("odd-path", &[("odd.test", path)], &server)).await;
    }
    // No slug and no container can be called so; were it otherwise, it would still be a name and nothing else.
    let hostile = "a: {{ env \"HOME\" }} #\u{7f}\u{85}\u{feff}\n{";
    let hostile_server = Server {
        container: hostile.to_owned(),
        port: 1,
    };
    let mut routes = app("hostile", &[("hostile.test", "/")], &hostile_server);
    bed.write(&routes).await;
    routes.app = hostile.to_owned();
    let text = dhow::traefik::render(&routes, bed.ports).expect("a file");
    bed.files.write("app-hostile-too", &text).await.expect("written");

    bed.apply(&app("last", &[("last.test", "/")], &server)).await;
    let seen = load.stop().await;
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["200 one"], "{}", bed.log());
    let log = bed.log();
    assert!(!log.contains("watcher callback") && !log.contains("/root"), "{log}");
}

#[tokio::test]
async fn route_one_bad_file_kills_all_a_foreign_bad_file_stops_changes_and_is_named() {
    let _turn = alone().await;
    let mut bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    let visitor = Visitor::new(bed.ports.http, true);
    bed.apply(&app("shop", &[("shop.test", "/")], &server)).await;
    fs::write(bed.dynamic("garbage.toml"), "a: {{ env \"HOME\" }} #: [").expect("written");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(visitor.get("shop.test", "/").await.text, "one", "what is served stays");

    let other = app("other", &[("other.test", "/")], &server);
    bed.write(&other).await;
    let error = bed
        .api
        .confirm(&other, Duration::from_secs(1))
        .await
        .expect_err("a change cannot be read");
    assert!(matches!(error, Error::NotConfirmed(_)), "{error}");
    assert_eq!(visitor.get("shop.test", "/").await.text, "one");
    assert_eq!(bed.files.foreign().await.expect("listed"), ["garbage.toml"]);

    fs::remove_file(bed.dynamic("garbage.toml")).expect("removed");
    bed.api
        .confirm(&other, LONG)
        .await
        .expect("read again without a restart");

    // At Traefik's start nothing was served before that could stay: not even its API.
    fs::write(bed.dynamic("garbage.toml"), "[").expect("written");
    docker(&["restart", &bed.proxy()]);
    while visitor.send("GET", "shop.test", "/").await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = visitor.get("shop.test", "/").await.status;
    println!("a bad file at Traefik's start: the other app answers {status}");
    fs::remove_file(bed.dynamic("garbage.toml")).expect("removed");
    bed.find_api().await;
    bed.api
        .confirm(&other, LONG)
        .await
        .expect("read again without a restart");
    assert_eq!(visitor.get("shop.test", "/").await.text, "one");
}

#[tokio::test]
async fn route_one_bad_file_kills_all_dhow_killed_while_it_writes() {
    if let Some(root) = std::env::var_os(WRITER_ROOT) {
        return write_until_killed(Path::new(&root)).await;
    }
    let _turn = alone().await;
    let bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    bed.apply(&app("shop", &[("shop.test", "/")], &server)).await;
    let load = Load::start(bed.ports.http, "shop.test");
    let root = bed.root.path().join("traefik");
    for number in 0..20 {
        kill_a_writer_after(&root, Duration::from_millis(7 * number % 61));
        for entry in fs::read_dir(root.join("dynamic")).expect("listed") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("read");
            serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        }
    }
    let files = DynamicFiles::open(&root).expect("opened again");
    assert_eq!(files.foreign().await.expect("listed"), [""; 0]);
    assert_eq!(fs::read_dir(root.join("unfinished")).expect("listed").count(), 0);
    bed.apply(&app("last", &[("last.test", "/")], &server)).await;
    let seen = load.stop().await;
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["200 one"], "{}", bed.log());
    assert!(!bed.log().contains("watcher callback"), "{}", bed.log());
}

/// Starts this test binary as a process of its own that only writes, and kills it in the middle.
fn kill_a_writer_after(root: &Path, time: Duration) {
    let mut writer = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", KILLED_TEST, "--nocapture"])
        .env(WRITER_ROOT, root)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer can be run");
    let mut lines = BufReader::new(writer.stdout.take().expect("its output")).lines();
    assert!(
        lines.any(|line| line.expect("a line").contains("writing")),
        "the writer ended early"
    );
    std::thread::sleep(time);
    writer.kill().expect("killed");
    writer.wait().expect("reaped");
}

/// What the process that is killed does.
async fn write_until_killed(root: &Path) {
    let files = DynamicFiles::open(root).expect("opened");
    println!("writing");
    for number in 0u16.. {
        let server = Server {
            container: format!("none-{number}"),
            port: 1,
        };
        let places: Vec<_> = (0..200).map(|host| format!("h{host}.writer.test")).collect();
        let places: Vec<_> = places.iter().map(|host| (host.as_str(), "/")).collect();
        let routes = app("writer", &places, &server);
        let text = dhow::traefik::render(&routes, dhow::traefik::PublicPorts { http: 80, https: 443 });
        files
            .write(&app_file("writer"), &text.expect("a file"))
            .await
            .expect("written");
    }
}
