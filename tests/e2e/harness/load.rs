//! Bounded load on one app through the proxy, by kept and by fresh connections, that remembers what failed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::dhow::Dhow;
use super::http::Http;

/// Time between two requests of one connection: a load that two cores carry beside a build.
const PACE: Duration = Duration::from_millis(5);
/// The end of every load, however long its test takes.
const LONGEST: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Tally {
    total: AtomicUsize,
    failed: AtomicUsize,
    first_failures: Mutex<Vec<String>>,
}

/// A running load.
pub struct Load {
    began: Instant,
    stop: CancellationToken,
    workers: JoinSet<()>,
    tally: Arc<Tally>,
}

impl Load {
    /// Four visitors, two of whom open a connection for each request.
    pub fn on(dhow: &Dhow, host: &str) -> Self {
        let (stop, tally) = (CancellationToken::new(), Arc::new(Tally::default()));
        let mut workers = JoinSet::new();
        for visitor in 0..4 {
            let http = if visitor % 2 == 0 {
                Http::new()
            } else {
                Http::without_keep_alive()
            };
            let (url, host) = (dhow.app_url("/"), host.to_owned());
            let (stop, tally) = (stop.clone(), Arc::clone(&tally));
            workers.spawn(async move { visit(&http, &url, &host, &stop, &tally).await });
        }
        Self {
            began: Instant::now(),
            stop,
            workers,
            tally,
        }
    }

    /// Ends the load; fails when any request failed, or when there were too few to say anything.
    pub async fn assert_nothing_failed(mut self, during: &str) {
        self.stop.cancel();
        while self.workers.join_next().await.is_some() {}
        let (total, failed) = (
            self.tally.total.load(Ordering::Relaxed),
            self.tally.failed.load(Ordering::Relaxed),
        );
        let seconds = self.began.elapsed().as_secs_f32();
        println!("{during}: {total} requests in {seconds:.1} s, {failed} failed");
        let failures = self.tally.first_failures.lock().unwrap();
        assert!(
            failed == 0,
            "{failed} of {total} requests failed during {during}, first: {failures:#?}"
        );
        assert!(total > 100, "only {total} requests during {during}");
    }
}

async fn visit(http: &Http, url: &str, host: &str, stop: &CancellationToken, tally: &Tally) {
    let began = Instant::now();
    let mut pace = tokio::time::interval(PACE);
    while !stop.is_cancelled() && began.elapsed() < LONGEST {
        pace.tick().await;
        let sent = began.elapsed();
        let answer = tokio::time::timeout(
            Duration::from_secs(10),
            http.try_send("GET", url, &[("host", host)], ""),
        )
        .await;
        tally.total.fetch_add(1, Ordering::Relaxed);
        let failure = match answer {
            Ok(Ok(answer)) if answer.status == 200 => continue,
            Ok(Ok(answer)) => format!("{} {}", answer.status, answer.text()),
            Ok(Err(error)) => error,
            Err(_) => "no answer within 10 s".to_owned(),
        };
        tally.failed.fetch_add(1, Ordering::Relaxed);
        let mut failures = tally.first_failures.lock().unwrap();
        if failures.len() < 5 {
            failures.push(format!("after {sent:?}: {failure}"));
        }
    }
}
