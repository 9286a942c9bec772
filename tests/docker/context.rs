//! What a large context costs. Measured in a process of its own, as the other tests need memory at the same time.

use std::process::Command;
use std::time::Duration;

use dhow::build::{Context, plan};
use futures_util::StreamExt;

const FILES: u64 = 5;
const FILE_BYTES: u64 = 256 << 20;
const MOST_GROWTH: usize = 8 << 20;

#[test]
fn a_context_of_more_than_a_gibibyte_costs_a_few_mebibytes() {
    let measured = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "context::measured"])
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&measured.stdout);
    assert!(
        measured.status.success() && output.contains("1 passed"),
        "{output}{}",
        String::from_utf8_lossy(&measured.stderr)
    );
}

/// The reader is slow at first: what it does not take must not pile up.
#[tokio::test]
#[ignore = "measures its own process, so another test starts it alone"]
async fn measured() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("Dockerfile"), "FROM x").unwrap();
    for number in 0..FILES {
        let file = std::fs::File::create(directory.path().join(format!("big-{number}"))).unwrap();
        file.set_len(FILE_BYTES).unwrap();
    }
    let context = Context::open(&plan(directory.path(), "", ".", "Dockerfile", None).unwrap()).unwrap();
    let mut stream = Box::pin(context.into_stream());
    let before = anonymous_bytes();
    let (mut total, mut most) = (0, before);
    for number in 0.. {
        let Some(piece) = stream.next().await else { break };
        total += piece.unwrap().len() as u64;
        if number < 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if number % 64 == 0 {
            most = most.max(anonymous_bytes());
        }
    }
    assert!(total > FILES * FILE_BYTES, "{total} bytes came");
    let growth = most.saturating_sub(before);
    assert!(growth < MOST_GROWTH, "{growth} bytes more than before");
}

fn anonymous_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
