//! Connections that change their protocol, as WebSockets do, stay open through the proxy in both directions.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::wait::{in_time, seconds};

const DOCKERFILE: &str = "FROM debian:bookworm-slim\nCOPY upgrade.pl .\nCMD [\"perl\", \"upgrade.pl\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_stays_open_while_the_app_is_deployed_anew() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("chat");
    repository.write("upgrade.pl", include_str!("../fixtures/upgrade.pl"));
    repository.write("Dockerfile", DOCKERFILE);
    repository.commit("Chat");
    let app = api.live_app("Chat", "chat", &repository).await;

    let mut socket = TcpStream::connect(("127.0.0.1", dhow.http_port)).await.unwrap();
    let head = "GET / HTTP/1.1\r\nHost: chat.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = in_time("the answer to an upgrade", seconds(10), socket.read_u8()).await;
        answer.push(byte.unwrap());
    }
    assert!(
        answer.starts_with(b"HTTP/1.1 101 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    echoes(&mut socket, b"\x81\x05hello").await;

    repository.commit("Again");
    let again = api.deploy(&app).await;
    api.at_step(again, "retire").await;
    echoes(&mut socket, b"\x81\x05there").await;
    drop(socket);
    api.succeeded(again).await;
}

async fn echoes(socket: &mut TcpStream, frame: &[u8]) {
    socket.write_all(frame).await.unwrap();
    let mut back = vec![0; frame.len()];
    in_time("a frame that comes back", seconds(10), socket.read_exact(&mut back))
        .await
        .unwrap();
    assert_eq!(back, frame);
}
