//! A meeting point for a test and its builds: a build step says that it has arrived and waits until the test opens the gate.
//!
//! It listens on the address of Docker's default bridge, where builds reach it and nobody outside this machine does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use tokio::sync::watch;

use super::docker::bridge_address;
use super::process::run_id;
use super::wait::in_time;

/// The longest that a build waits, so that a forgotten gate cannot hold an engine.
const OPENS_WITHIN: Duration = Duration::from_secs(120);

#[derive(Default, Clone)]
struct Book {
    /// Who has arrived, in order; one that comes again stands there again.
    arrived: Vec<String>,
    open: BTreeSet<String>,
}

impl Book {
    fn times(&self, name: &str) -> usize {
        self.arrived.iter().filter(|arrived| *arrived == name).count()
    }
}

/// A gate for any number of builds, each known by a name.
pub struct Gate {
    address: String,
    book: Arc<watch::Sender<Book>>,
}

impl Gate {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind((bridge_address(), 0)).await.unwrap();
        // A step that names the port alone is in the build cache once another test had that port.
        let address = format!("{}/{}", listener.local_addr().unwrap(), run_id());
        let book = Arc::new(watch::Sender::new(Book::default()));
        let router = Router::new()
            .route("/{gate}/{name}", get(wait))
            .with_state(Arc::clone(&book));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, book }
    }

    /// The Dockerfile line of a step that arrives as `name` and goes on when the gate opens.
    pub fn step(&self, name: &str) -> String {
        format!("RUN {}", self.command(name))
    }

    /// The same as a command, to stand in a longer step.
    pub fn command(&self, name: &str) -> String {
        format!("wget -q -O /dev/null http://{}/{name}", self.address)
    }

    /// Waits until a build has arrived as `name`.
    pub async fn arrival(&self, name: &str, within: Duration) {
        self.arrivals(name, 1, within).await;
    }

    /// Waits until something has arrived as `name` for the `times`th time.
    pub async fn arrivals(&self, name: &str, times: usize, within: Duration) {
        let mut book = self.book.subscribe();
        let here = book.wait_for(|book| book.times(name) >= times);
        in_time(
            &format!("somebody is at the gate as '{name}', time {times}"),
            within,
            here,
        )
        .await
        .unwrap();
    }

    pub fn arrived(&self) -> Vec<String> {
        self.book.borrow().arrived.clone()
    }

    /// How often something has arrived as `name`.
    pub fn times(&self, name: &str) -> usize {
        self.book.borrow().times(name)
    }

    /// Lets `name` pass, now and until it is closed.
    pub fn open(&self, name: &str) {
        self.book.send_modify(|book| {
            book.open.insert(name.to_owned());
        });
    }

    /// Keeps whoever comes as `name` from now on waiting again.
    pub fn close(&self, name: &str) {
        self.book.send_modify(|book| {
            book.open.remove(name);
        });
    }
}

async fn wait(
    State(book): State<Arc<watch::Sender<Book>>>,
    Path((_gate, name)): Path<(String, String)>,
) -> &'static str {
    let mut opened = book.subscribe();
    book.send_modify(|book| book.arrived.push(name.clone()));
    let _ = tokio::time::timeout(OPENS_WITHIN, opened.wait_for(|book| book.open.contains(&name))).await;
    "open"
}
