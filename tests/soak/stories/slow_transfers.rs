//! Transfers that take longer than the minute after which proxies like to hang up.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;

/// One a second: longer than Traefik's own limit of 60 s for a whole request.
const PIECES: usize = 70;
const PIECE: [u8; 1024] = [b'x'; 1024];

/// Sends a request in pieces, one a second; answers what came back.
async fn send_slowly(port: u16, head: &str, pieces: usize) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..pieces {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stream.write_all(&PIECE).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn route_upload_longer_than_60s_an_upload_and_a_silent_answer_of_seventy_seconds_arrive_whole() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    let count = "printf 'Content-Type: text/plain\\r\\n\\r\\n'; head -c \"$CONTENT_LENGTH\" | wc -c";
    let silent = format!(
        "printf 'Content-Type: text/event-stream\\r\\n\\r\\ndata: 1\\n\\n'; sleep {PIECES}; printf 'data: 2\\n\\n'"
    );
    repository.write_script("cgi-bin/count", count);
    repository.write_script("cgi-bin/silent", &silent);
    repository.write_app("web", "COPY cgi-bin cgi-bin");
    repository.commit("Serve slowly");
    api.live_app("web", "web", &repository).await;

    let length = PIECES * PIECE.len();
    let upload = format!(
        "POST /cgi-bin/count HTTP/1.1\r\nHost: web.localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    let stream = "GET /cgi-bin/silent HTTP/1.1\r\nHost: web.localhost\r\nConnection: close\r\n\r\n";
    let began = Instant::now();
    let (counted, streamed) = tokio::join!(
        send_slowly(dhow.http_port, &upload, PIECES),
        send_slowly(dhow.http_port, stream, 0),
    );
    println!("an upload and a silent stream took {:.1?}", began.elapsed());
    assert!(
        counted.starts_with("HTTP/1.1 200") && counted.contains(&length.to_string()),
        "{counted}"
    );
    assert!(
        streamed.contains("data: 1") && streamed.contains("data: 2"),
        "{streamed}"
    );
}
