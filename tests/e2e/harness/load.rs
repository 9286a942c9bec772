//! Bounded load on one app through the proxy, which tells what failed.
//!
//! It is an open loop: requests begin at their times however slow the answers are, so that an app that stalls is asked as
//! often as one that does not. Every second pair of requests uses kept connections, the others open fresh ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::dhow::Dhow;
use super::http::Http;
use super::wait::seconds;

/// Requests a second on a site that bears them.
pub const RATE: u32 = 200;
/// Requests a second on busybox's httpd: its queue holds nine connections, and a tenth one is lost for a second or more
/// while the machine has no time for it.
const GENTLE_RATE: u32 = 50;
/// The longest that an answer may take: the slow ones take two seconds, more on a machine that does much else.
const ANSWER_WITHIN: Duration = seconds(20);
/// The end of a load whose test does not name one.
const LONGEST: Duration = seconds(120);

/// How many requests were answered so far, and how many of them badly.
#[derive(Debug, Default, Clone, Copy)]
pub struct Count {
    pub total: u64,
    pub failed: u64,
    /// Those of the failed that got 502, 503 or 504: what Dhow counts as failed too.
    pub by_proxy: u64,
}

impl std::ops::Sub for Count {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            total: self.total - earlier.total,
            failed: self.failed - earlier.failed,
            by_proxy: self.by_proxy - earlier.by_proxy,
        }
    }
}

#[derive(Default)]
struct Tally {
    count: Count,
    /// What went wrong, with how often and when first.
    failures: BTreeMap<String, (u32, Duration)>,
}

/// A running load.
pub struct Load {
    began: Instant,
    stop: CancellationToken,
    running: JoinHandle<()>,
    tally: Arc<Mutex<Tally>>,
}

/// What each request needs.
struct Visits {
    url: String,
    host: String,
    kept: Http,
    fresh: Http,
    began: Instant,
    tally: Arc<Mutex<Tally>>,
}

impl Load {
    /// On the first page of a host, gently.
    pub fn on(dhow: &Dhow, host: &str) -> Self {
        Self::start(dhow.app_url(""), host, &["/"], GENTLE_RATE, LONGEST)
    }

    /// On these paths in turn, so many requests a second.
    pub fn on_paths(dhow: &Dhow, host: &str, paths: &'static [&'static str], rate: u32, longest: Duration) -> Self {
        Self::start(dhow.app_url(""), host, paths, rate, longest)
    }

    fn start(url: String, host: &str, paths: &'static [&'static str], rate: u32, longest: Duration) -> Self {
        let (stop, tally) = (CancellationToken::new(), Arc::default());
        let began = Instant::now();
        let visits = Arc::new(Visits {
            url,
            host: host.to_owned(),
            kept: Http::with_keep_alive(),
            fresh: Http::new(),
            began,
            tally: Arc::clone(&tally),
        });
        let requests = u64::from(rate) * longest.as_secs();
        let visiting = visit(visits, paths, Duration::from_secs(1) / rate, requests, stop.clone());
        Self {
            began,
            stop,
            running: tokio::spawn(visiting),
            tally,
        }
    }

    pub fn count(&self) -> Count {
        self.tally.lock().unwrap().count
    }

    /// Ends the load and waits for its last answers; fails when it had come to its own end before.
    pub async fn stop(self, during: &str) -> Count {
        assert!(!self.running.is_finished(), "the load did not last for {during}");
        self.stop.cancel();
        let seconds = self.began.elapsed().as_secs_f32();
        self.running.await.unwrap();
        let tally = self.tally.lock().unwrap();
        let Count { total, failed, .. } = tally.count;
        println!("{during}: {total} requests in {seconds:.1} s, {failed} failed");
        for (failure, (times, first)) in &tally.failures {
            println!("  {times} times, first after {first:.1?}: {failure}");
        }
        assert!(total >= 20, "only {total} requests during {during}");
        tally.count
    }

    /// Ends the load; fails when any request failed, or when there were too few to say anything.
    pub async fn assert_nothing_failed(self, during: &str) {
        let Count { total, failed, .. } = self.stop(during).await;
        assert!(
            failed == 0,
            "{failed} of {total} requests failed during {during}, see above"
        );
    }
}

async fn visit(
    visits: Arc<Visits>,
    paths: &'static [&'static str],
    pace: Duration,
    requests: u64,
    stop: CancellationToken,
) {
    let mut pace = interval(pace);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = JoinSet::new();
    for (request, path) in (0..requests).zip(paths.iter().cycle()) {
        if stop.run_until_cancelled(pace.tick()).await.is_none() {
            break;
        }
        let visits = Arc::clone(&visits);
        under_way.spawn(async move { visits.one(request % 4 < 2, path).await });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

impl Visits {
    async fn one(&self, is_kept: bool, path: &str) {
        let http = if is_kept { &self.kept } else { &self.fresh };
        let (url, headers) = (format!("{}{path}", self.url), [("host", self.host.as_str())]);
        let answer = timeout(ANSWER_WITHIN, http.try_send("GET", &url, &headers, "")).await;
        let (failure, status) = match answer {
            Ok(Ok(answer)) if answer.status == 200 => (None, 200),
            Ok(Ok(answer)) => (Some(format!("{} {}", answer.status, answer.text())), answer.status),
            Ok(Err(error)) => (Some(error), 0),
            Err(_) => (Some(format!("no answer within {ANSWER_WITHIN:?}")), 0),
        };
        let tally = &mut *self.tally.lock().unwrap();
        tally.count.total += 1;
        let Some(failure) = failure else { return };
        tally.count.failed += 1;
        tally.count.by_proxy += u64::from(matches!(status, 502..=504));
        // One that differs each time must not fill the memory.
        if tally.failures.len() < 20 || tally.failures.contains_key(&failure) {
            let at = self.began.elapsed();
            tally.failures.entry(failure).or_insert((0, at)).0 += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_keeps_its_rate_over_slow_answers_and_counts_the_bad_ones() {
    let slow = || async {
        tokio::time::sleep(seconds(1)).await;
        "slow"
    };
    let bad = || async { (axum::http::StatusCode::BAD_GATEWAY, "bad") };
    let wrong = || async { (axum::http::StatusCode::NOT_FOUND, "wrong") };
    let router = Router::new()
        .route("/slow", get(slow))
        .route("/bad", get(bad))
        .route("/wrong", get(wrong));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let load = Load::start(url, "any", &["/slow", "/slow", "/bad", "/wrong"], 100, seconds(60));
    super::wait::eventually("two seconds of answers", seconds(20), || async {
        let count = load.count();
        if count.total >= 200 {
            Ok(())
        } else {
            Err(format!("{count:?}"))
        }
    })
    .await;
    let began = load.began;
    let count = load.stop("the proof of the load").await;
    let due = began.elapsed().as_secs_f64() * 100.0;
    assert!((count.total as f64) < due * 1.1, "{count:?} of {due}");
    // The slow ones would take 100 s one after the other.
    assert!(count.failed.abs_diff(count.total / 2) <= 2, "{count:?}");
    assert!(count.by_proxy.abs_diff(count.total / 4) <= 2, "{count:?}");
}
