//! The panel's connections: accepted, known by their peer, bounded in number, in the size of a request's head and in the time to send it.
//!
//! A visitor who opens connections and says nothing costs little, for a short time; a stop does not wait for such.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::door::Door;

/// Connections at once; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 512;
/// Longest head of a request in bytes; cookies and addresses of browsers stay far below.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Longest time for a request's head to arrive, and for a kept connection to be silent.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a stop waits for answers that are under way.
const GRACE: Duration = Duration::from_secs(4);
/// Pause after a failed accept, which means that file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`, then lets what is being answered come to its end for a moment.
pub async fn serve(listener: TcpListener, router: Router, door: Door, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let (stream, peer, place) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let (asked, entering, leaving) = (door.clone(), door.clone(), door.clone());
        let router = router
            .clone()
            .map_request(move |mut request: Request<Incoming>| {
                let visitor = entering.visitor(peer, request.headers());
                request.extensions_mut().insert(ConnectInfo(visitor));
                request
            })
            .map_response(move |mut response| {
                leaving.seal(&mut response);
                response
            });
        let service = TowerToHyperService::new(router);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if !asked.admits(peer.ip()).await {
                return;
            }
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    // Connections that are still open then end with the process.
    let _elapsed = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let place = Arc::clone(room)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without it small answers wait for the visitor's acknowledgement; with an error they only wait.
                let _slower = stream.set_nodelay(true);
                return (stream, peer, place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
