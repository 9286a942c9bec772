//! What a push may cost, and that nothing is left behind by one that ends badly.

use std::fs::DirEntry;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dhow::hooks::push::PushLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::git_server::{GitServer, TOKEN, WorkTree};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_too_large_is_refused_in_words() {
    let server = GitServer::with_limits(PushLimits {
        body_bytes: 1 << 20,
        ..PushLimits::default()
    })
    .await;
    let hosted = server.host("hello");
    let tree = WorkTree::new();
    let noise: String = (0..400_000_u64)
        .map(|number| format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    tree.write("noise", &noise);
    tree.commit("noise");
    // Whole with its length, and in chunks without one.
    for buffer in ["100000000", "65536"] {
        let setting = format!("http.postBuffer={buffer}");
        let (is_ok, said) = tree
            .try_git(&["-c", &setting, "push", &server.push_address("hello"), "main"])
            .await;
        assert!(
            !is_ok && (said.contains("413") || said.contains("exceeds maximum")),
            "{said}"
        );
    }
    assert!(hosted.branches().unwrap().is_empty() && server.pushes().is_empty());

    // The server is as good as before.
    std::fs::remove_file(tree.path().join("noise")).unwrap();
    tree.write("small", "small");
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-q", "--amend", "-m", "small"]);
    let (is_ok, said) = tree.try_git(&["push", &server.push_address("hello"), "main"]).await;
    assert!(is_ok, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_takes_too_long_is_ended() {
    let limits = PushLimits {
        duration: Duration::from_millis(500),
        ..PushLimits::default()
    };
    let server = GitServer::with_limits(limits).await;
    let hosted = server.host("hello");
    let mut client = tokio::net::TcpStream::connect(&server.authority).await.unwrap();
    let credential = BASE64_STANDARD.encode(format!("any:{TOKEN}"));
    // A body that never comes, with a length and without one.
    for length in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let head = format!(
            "POST /git/hello.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credential}\r\n\
             Content-Type: application/x-git-receive-pack-request\r\n{length}\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1024];
        let count = client.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
        assert!(
            answer.starts_with("HTTP/1.1 504") && answer.contains("took too long"),
            "{answer}"
        );
        client = tokio::net::TcpStream::connect(&server.authority).await.unwrap();
    }
    until(|| processes_in(hosted.dir()) == 0, "git processes are left behind").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pusher_who_goes_away_leaves_no_process() {
    let server = GitServer::start().await;
    let hosted = server.host("hello");
    let mut client = tokio::net::TcpStream::connect(&server.authority).await.unwrap();
    let credential = BASE64_STANDARD.encode(format!("any:{TOKEN}"));
    let head = format!(
        "POST /git/hello.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credential}\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n00"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    until(|| processes_in(hosted.dir()) > 0, "git was not started").await;
    drop(client);
    until(|| processes_in(hosted.dir()) == 0, "git processes are left behind").await;
}

async fn until(is_so: impl Fn() -> bool, complaint: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !is_so() {
        assert!(Instant::now() < deadline, "{complaint}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many processes work in that directory.
fn processes_in(dir: &Path) -> usize {
    let is_there = |process: &DirEntry| std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == dir);
    std::fs::read_dir("/proc").unwrap().flatten().filter(is_there).count()
}
