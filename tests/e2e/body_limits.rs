//! A body has a limit wherever one is read, however its length is told: 413, as a problem or as a page.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bad_input::shop;
use crate::harness::wait::{in_time, seconds};

/// One byte more than is accepted.
const TOO_LARGE: usize = (1 << 20) + 1;

/// What a server answers to a body that is sent in chunks and whose end it need not wait for.
async fn answer_to_chunks(address: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
    let head = format!("{head}\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..TOO_LARGE / 0x10000 {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"1\r\nx\r\n").await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    in_time("a body without end is refused", seconds(20), reading)
        .await
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_on_every_route_that_reads_one() {
    let (dhow, api, _git) = shop().await;
    let panel = dhow.panel().await;
    let address = dhow.url().replace("http://", "");
    let large = "x".repeat(TOO_LARGE);
    for (method, path, kind) in [
        ("POST", "/projects", "application/json"),
        ("PATCH", "/projects/shop", "application/json"),
        ("POST", "/projects/shop/apps", "application/json"),
        ("PATCH", "/apps/web", "application/json"),
        ("PUT", "/apps/web/env", "application/json"),
        ("POST", "/apps/web/domains", "application/json"),
        ("POST", "/apps/web/deployments", "application/json"),
        ("POST", "/apps/web/rollback", "application/json"),
        ("PUT", "/projects/shop/members/ann@example.com", "application/json"),
        ("PATCH", "/users/owner@example.com", "application/json"),
        ("POST", "/invitations", "application/json"),
    ] {
        let answer = api.send(method, path, &[("content-type", kind)], &large).await;
        answer.problem(413);
        let head = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: {kind}",
            api.token
        );
        let answer = answer_to_chunks(&address, &head).await;
        assert!(
            answer.starts_with("HTTP/1.1 413") && answer.contains("application/problem+json"),
            "{answer}"
        );
    }
    let form = "application/x-www-form-urlencoded";
    for path in [
        "/login",
        "/login/code",
        "/setup",
        "/invitations/x",
        "/projects",
        "/projects/shop",
        "/projects/shop/apps",
        "/projects/shop/members",
        "/apps/web/env",
        "/apps/web/settings",
        "/apps/web/domains",
        "/apps/web/rollback",
        "/account/password",
        "/account/tokens",
        "/account/two-factor/begin",
        "/admin/users",
        "/admin/invitations",
    ] {
        let headers = [("content-type", form), ("accept", "text/html")];
        let answer = panel.send("POST", path, &headers, &large).await;
        let answer = answer.expect(413);
        assert!(answer.text().contains("larger than Dhow accepts"), "{answer}");
        let cookie = panel.cookie_header();
        let head = format!("POST {path} HTTP/1.1\r\nCookie: {cookie}\r\nContent-Type: {form}");
        let answer = answer_to_chunks(&address, &head).await;
        assert!(
            answer.starts_with("HTTP/1.1 413") && answer.contains("text/html"),
            "{path}: {answer}"
        );
    }
}
