//! Which request reaches what, and what must not be reached.

use crate::bed::{Bed, PASSWORD, docker};
use crate::client::Visitor;
use crate::{alone, app, domain};
use dhow::model::domain::Tls;
use dhow::model::route::AppRoutes;
use dhow::traefik::proxy::{Acme, PRIVATE_PORT};
use dhow::traefik::{Mark, ProxyApi};
use http_body_util::BodyExt as _;
use std::time::{Duration, Instant};

#[tokio::test]
async fn route_path_prefix_order() {
    let _turn = alone().await;
    let bed = Bed::start().await;
    let (one, two) = (bed.serve("a", "A").await, bed.serve("b", "B").await);
    let a = app(
        "a",
        &[
            ("a.test", "/"),
            ("b.test", "/"),
            ("c.test", "/"),
            ("a.test", "/blog/en"),
        ],
        &one,
    );
    let b = app(
        "b",
        &[("a.test", "/blog"), ("a.test", "/caf%C3%A9"), ("a.test", "/x%20y")],
        &two,
    );
    let visitor = Visitor::new(bed.ports.http, true);
    // Each app deployed last once, since Traefik keeps files in no order that matters.
    for order in [[&a, &b], [&b, &a], [&a, &b]] {
        for routes in order {
            bed.apply(&AppRoutes::none(&routes.app)).await;
            bed.apply(routes).await;
        }
        for (path, marker) in [
            ("/", "A"),
            ("/blog", "B"),
            ("/blog/", "B"),
            ("/blog/x?y=1", "B"),
            ("/%62log/x", "B"),
            ("/blogger", "A"),
            ("/blog%2Fx", "A"),
            ("/blog;x", "A"),
            ("/blog/en", "A"),
            ("/blog/en/x", "A"),
            ("/blog/english", "B"),
            ("/caf%C3%A9/x", "B"),
            ("/caf%c3%a9", "B"),
            ("/x%20y", "B"),
            ("/x%20yz", "A"),
        ] {
            assert_eq!(visitor.get("a.test", path).await.text, marker, "{path}");
        }
        for host in ["b.test", "c.test", "B.TEST", "b.test.", "b.test:8080"] {
            assert_eq!(visitor.get(host, "/blog").await.text, "A", "{host}");
        }
        assert_eq!(visitor.get("unknown.test", "/blog").await.status, 404);
    }
    assert_eq!(bed.api.problems().await.expect("asked"), [""; 0]);
}

#[tokio::test]
async fn route_www_and_apex_redirects_keep_path_and_query() {
    let _turn = alone().await;
    let acme = Acme {
        email: "admin@example.com".to_owned(),
        directory: Some("https://127.0.0.1:1/directory".to_owned()),
        ca_file: None,
    };
    let bed = Bed::with_acme(Some(acme)).await;
    let server = bed.serve("one", "one").await;
    let domains = [
        domain("example.com", "/", Tls::Auto, None),
        domain("www.example.com", "/", Tls::Auto, Some("example.com")),
        domain("plain.example.com", "/", Tls::Off, None),
        domain("old.example.com", "/", Tls::Off, Some("plain.example.com")),
    ];
    bed.apply(&AppRoutes::derive("shop", &domains, Some(server), true))
        .await;
    let visitor = Visitor::new(bed.ports.http, true);
    let (secure, plain) = (
        format!("https://example.com:{}", bed.ports.https),
        format!("http://plain.example.com:{}", bed.ports.http),
    );
    for path in ["/", "/p/a?q=1&r=%20", "/caf%C3%A9/a%2Fb?x=https://e.test/?y", "/?"] {
        for (host, target) in [
            ("example.com", &secure),
            ("www.example.com:8080", &secure),
            ("old.example.com", &plain),
        ] {
            for (method, status) in [("GET", 301), ("POST", 308), ("PUT", 308)] {
                let answer = visitor.send(method, host, path).await.expect("an answer");
                let location = answer
                    .headers
                    .get("Location")
                    .map(|value| value.to_str().expect("text"));
                assert_eq!(
                    (answer.status, location),
                    (status, Some(&*format!("{target}{path}"))),
                    "{method} {host}"
                );
            }
        }
    }
    assert_eq!(visitor.get("plain.example.com", "/").await.text, "one");
    // Whatever the host, this proxy says whose it is to those who know its password.
    let mark = Mark::of(PASSWORD);
    for host in ["example.com", "plain.example.com", "unknown.test"] {
        let answer = visitor.get(host, &mark.path).await;
        assert_eq!(answer.status, 302, "{host}");
        assert_eq!(answer.headers["Location"], mark.location, "{host}");
    }
    // Traefik answers challenges itself, before any router of ours.
    let challenge = visitor.get("example.com", "/.well-known/acme-challenge/none").await;
    assert_eq!(challenge.status, 404);
    assert_eq!(bed.api.problems().await.expect("asked"), [""; 0]);
}

#[tokio::test]
async fn the_api_and_the_metrics_answer_nobody_without_the_password() {
    let _turn = alone().await;
    let bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    bed.apply(&app("shop", &[("shop.test", "/")], &server)).await;
    let address = bed.address(&bed.proxy());
    for path in ["/api/version", "/api/rawdata", "/metrics"] {
        let command = format!("wget -q -O - -S http://{address}:{PRIVATE_PORT}{path} 2>&1; true");
        let answer = bed.run_as_app(&["sh", "-c", &command]);
        assert!(
            answer.contains("401 Unauthorized") && !answer.contains("app-shop"),
            "{path}: {answer}"
        );
        let command = format!("wget -q -O - -S http://{address}:80{path} 2>&1; true");
        let answer = bed.run_as_app(&["sh", "-c", &command]);
        assert!(answer.contains("404 Not Found"), "{path}: {answer}");
    }
    let port = docker(&["port", &bed.proxy(), &format!("{PRIVATE_PORT}/tcp")]);
    assert!(
        port.trim().starts_with("127.0.0.1:") && port.trim().lines().count() == 1,
        "{port}"
    );
    let wrong = ProxyApi::new(port.trim().parse().expect("an address"), &PASSWORD.replace('3', "4"));
    assert!(wrong.ping().await.expect_err("refused").to_string().contains("401"));
}

#[tokio::test]
async fn streams_arrive_piece_by_piece_and_forwarded_headers_of_clients_are_replaced() {
    let _turn = alone().await;
    let bed = Bed::start().await;
    let server = bed.serve("one", "one").await;
    bed.apply(&app("shop", &[("shop.test", "/")], &server)).await;
    let visitor = Visitor::new(bed.ports.http, true);

    let started = Instant::now();
    let mut body = visitor
        .open("GET", "shop.test", "/cgi-bin/stream")
        .await
        .expect("an answer")
        .into_body();
    let first = body
        .frame()
        .await
        .expect("a first piece")
        .expect("read")
        .into_data()
        .expect("data");
    assert!(first.starts_with(b"data: 1"), "{first:?}");
    assert!(
        started.elapsed() < Duration::from_millis(900),
        "{:?}",
        started.elapsed()
    );
    let rest = body.collect().await.expect("the rest").to_bytes();
    assert!(
        rest.ends_with(b"data: 3\n\n") && started.elapsed() > Duration::from_millis(1900),
        "{rest:?}"
    );

    let environment = visitor.get("shop.test", "/cgi-bin/env").await.text;
    assert!(environment.contains("HTTP_HOST=shop.test\n"), "{environment}");
    assert!(environment.contains("HTTP_X_FORWARDED_PROTO=http\n"), "{environment}");
    assert!(
        environment.contains("HTTP_X_FORWARDED_FOR=") && !environment.contains("198.51.100.66"),
        "{environment}"
    );
}
