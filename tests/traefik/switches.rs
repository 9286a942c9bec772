//! Switching under load, and what Traefik counts meanwhile.

use crate::bed::{Bed, LONG, docker};
use crate::client::{Load, Visitor};
use crate::{alone, app};
use dhow::model::route::{AppRoutes, Server};
use dhow::traefik::Error;
use std::process::Command;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_switches_lose_nothing_and_are_true_when_confirmed() {
    let _turn = alone().await;
    let bed = Bed::start().await;
    let servers = [bed.serve("one", "one").await, bed.serve("two", "two").await];
    bed.apply(&app("shop", &[("shop.test", "/")], &servers[0])).await;
    let before = bed.api.counters("shop").await.expect("counters");
    let load = Load::start(bed.ports.http, "shop.test");
    let visitor = Visitor::new(bed.ports.http, true);
    let (mut times, mut own_requests) = (Vec::new(), 0);
    for number in 1..=20 {
        times.push(
            bed.apply(&app("shop", &[("shop.test", "/")], &servers[number % 2]))
                .await,
        );
        for _ in 0..20 {
            let answer = visitor.get("shop.test", "/").await;
            own_requests += 1;
            assert_eq!(
                answer.text.trim(),
                ["one", "two"][number % 2],
                "confirmed switch {number}"
            );
        }
        tokio::time::sleep(Duration::from_millis(20 * number as u64 % 130)).await;
    }
    let seen = load.stop().await;
    let counted = bed.api.counters("shop").await.expect("counters").since(before);
    let log = bed.log();
    assert!(!log.contains(" ERR "), "{log}");
    times.sort();
    println!(
        "switches: median {:?}, slowest {:?}; answers {seen:?}; counted {counted:?}",
        times[10], times[19]
    );
    assert!(
        seen.keys().all(|answer| answer == "200 one" || answer == "200 two"),
        "{seen:?}\n{}",
        bed.log()
    );
    assert_eq!(
        (counted.requests, counted.failed),
        (seen.values().sum::<u64>() + own_requests, 0)
    );
    assert!(
        times[10] < Duration::from_millis(500) && times[19] < Duration::from_secs(2),
        "{times:?}"
    );
}

#[tokio::test]
async fn what_is_not_served_is_not_confirmed_and_says_what_is_shown_instead() {
    let _turn = alone().await;
    let bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    let written = app("shop", &[("shop.test", "/")], &server);
    bed.apply(&written).await;
    let limit = Duration::from_millis(300);

    let elsewhere = Server {
        port: 9999,
        ..server.clone()
    };
    let with_another_domain = app("shop", &[("shop.test", "/"), ("other.test", "/")], &server);
    let with_another_path = app("shop", &[("shop.test", "/blog")], &server);
    for (expected, word) in [
        (app("shop", &[("shop.test", "/")], &elsewhere), ":8080"),
        (with_another_domain, "app-shop_1@file"),
        (with_another_path, "Host(`shop.test`)"),
        (
            app("shop-1", &[("shop.test", "/")], &server),
            "does not know app-shop-1@file",
        ),
        (AppRoutes::none("shop"), "still knows"),
    ] {
        let started = Instant::now();
        let error = bed.api.confirm(&expected, limit).await.expect_err("not served");
        assert!(
            matches!(&error, Error::NotConfirmed(text) if text.contains(word)),
            "{error}"
        );
        assert!(started.elapsed() < limit * 3);
    }

    bed.write(&AppRoutes::none("shop")).await;
    bed.api.wait_until_gone("shop", LONG).await.expect("gone");
    assert_eq!(
        Visitor::new(bed.ports.http, true).get("shop.test", "/").await.status,
        404
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_counted_as_failed_and_a_stopped_app_says_503() {
    let _turn = alone().await;
    let bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    let visitor = Visitor::new(bed.ports.http, true);
    let nothing = Server {
        port: 9999,
        ..server.clone()
    };
    let gone = Server {
        container: format!("{}-gone", bed.run),
        port: 8080,
    };
    for (number, broken) in [nothing, gone].into_iter().enumerate() {
        bed.apply(&app("shop", &[("shop.test", "/")], &broken)).await;
        assert_eq!(visitor.get("shop.test", "/").await.status, 502);
        let counters = bed.api.counters("shop").await.expect("counters");
        assert_eq!(
            (counters.requests, counters.failed),
            (number as u64 + 1, number as u64 + 1)
        );
    }
    let stopped = AppRoutes {
        server: None,
        ..app("shop", &[("shop.test", "/")], &server)
    };
    bed.apply(&stopped).await;
    assert_eq!(visitor.get("shop.test", "/").await.status, 503);
    // An answer without any server behind it is no failure of a server: Traefik does not count it.
    assert_eq!(bed.api.counters("shop").await.expect("counters").failed, 2);
    assert_eq!(bed.api.counters("none").await.expect("counters").requests, 0);
}

#[tokio::test]
async fn a_killed_proxy_comes_back_with_the_same_routes() {
    let _turn = alone().await;
    let mut bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    let routes = app("shop", &[("shop.test", "/")], &server);
    bed.apply(&routes).await;
    let pid = docker(&["inspect", "--format", "{{.State.Pid}}", &bed.proxy()]);
    let killed = Command::new("kill")
        .args(["-9", pid.trim()])
        .status()
        .expect("kill can be run");
    assert!(killed.success());
    let started = Instant::now();
    while bed.api.ping().await.is_ok() {
        assert!(started.elapsed() < LONG, "it still answers");
    }
    assert!(matches!(bed.api.ping().await, Err(Error::Unreachable(_))));
    while docker(&["inspect", "--format", "{{.State.Pid}}", &bed.proxy()]).trim() == "0" {
        assert!(started.elapsed() < LONG, "the engine does not start it again");
    }
    bed.find_api().await;
    bed.api.confirm(&routes, LONG).await.expect("served again");
    println!("served again {:?} after the kill", started.elapsed());
    assert_eq!(
        Visitor::new(bed.ports.http, true).get("shop.test", "/").await.text,
        "one"
    );
}
