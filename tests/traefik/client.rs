//! A client that asks Traefik for a host, once or all the time, and counts what it gets.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{HeaderMap, Request, Response, body::Incoming};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Keeps connections open between requests, or not.
#[derive(Clone)]
pub struct Visitor {
    client: Client<HttpConnector, Empty<Bytes>>,
    port: u16,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Visitor {
    pub fn new(port: u16, keeps_connections: bool) -> Self {
        let idle = if keeps_connections { usize::MAX } else { 0 };
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(idle)
                .build_http(),
            port,
        }
    }

    pub async fn open(&self, method: &str, host: &str, path: &str) -> Result<Response<Incoming>, String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{path}", self.port))
            .header("Host", host)
            .header("X-Forwarded-For", "198.51.100.66")
            .header("X-Forwarded-Proto", "https")
            .body(Empty::new())
            .expect("a request");
        self.client.request(request).await.map_err(|error| format!("{error:?}"))
    }

    pub async fn send(&self, method: &str, host: &str, path: &str) -> Result<Answer, String> {
        let (head, body) = self.open(method, host, path).await?.into_parts();
        let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text,
        })
    }

    pub async fn get(&self, host: &str, path: &str) -> Answer {
        self.send("GET", host, path).await.expect("an answer")
    }
}

/// Requests without pause, half of them on kept connections, until stopped.
pub struct Load {
    is_over: Arc<AtomicBool>,
    tasks: JoinSet<BTreeMap<String, u64>>,
}

impl Load {
    pub fn start(port: u16, host: &'static str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..8 {
            let (visitor, is_over) = (Visitor::new(port, number % 2 == 0), is_over.clone());
            tasks.spawn(async move {
                let mut seen = BTreeMap::new();
                while !is_over.load(Ordering::Relaxed) {
                    let key = match visitor.send("GET", host, "/").await {
                        Ok(answer) => format!("{} {}", answer.status, answer.text.trim()),
                        Err(error) => error,
                    };
                    *seen.entry(key).or_default() += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                seen
            });
        }
        Self { is_over, tasks }
    }

    /// How often each answer was seen.
    pub async fn stop(self) -> BTreeMap<String, u64> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut sum = BTreeMap::new();
        for (answer, count) in self.tasks.join_all().await.into_iter().flatten() {
            *sum.entry(answer).or_default() += count;
        }
        sum
    }
}
