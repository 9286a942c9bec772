//! One question to an instance, asked from outside: does the port accept a connection, what does the path answer?

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::model::app::HealthPath;

/// Longest single question.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// What one question found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// All is well.
    Good,
    /// No connection, and why.
    Nothing(String),
    /// A connection, but not what the health path should answer.
    Answer(Answer),
}

/// A wrong answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A status outside 200 to 399.
    Status(u16),
    /// No HTTP, in the client's words.
    NotHttp(String),
    /// The end of the connection.
    HungUp,
    /// Nothing in time.
    Silence,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "with status {status}"),
            Self::NotHttp(error) => write!(f, "with something that is not HTTP ({error})"),
            Self::HungUp => f.write_str("nothing: it closed the connection"),
            Self::Silence => write!(f, "nothing within {} s", PROBE_TIMEOUT.as_secs()),
        }
    }
}

/// Asks once.
pub async fn ask(address: SocketAddr, path: Option<&HealthPath>) -> Found {
    let stream = match timeout(PROBE_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Found::Nothing(format!("{address}: {}", words(&error))),
        Err(_elapsed) => return Found::Nothing(format!("{address}: no answer within {} s", PROBE_TIMEOUT.as_secs())),
    };
    let Some(path) = path else { return Found::Good };
    match timeout(PROBE_TIMEOUT, ask_path(stream, address, path)).await {
        Ok(Ok(200..400)) => Found::Good,
        Ok(Ok(status)) => Found::Answer(Answer::Status(status)),
        Ok(Err(error)) if error.is_canceled() || error.is_incomplete_message() || error.is_closed() => {
            Found::Answer(Answer::HungUp)
        }
        Ok(Err(error)) => Found::Answer(Answer::NotHttp(error.to_string())),
        Err(_elapsed) => Found::Answer(Answer::Silence),
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    }
}

async fn ask_path(stream: TcpStream, address: SocketAddr, path: &HealthPath) -> Result<u16, hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path.as_str())
        .header(hyper::header::HOST, address.to_string())
        .header(hyper::header::USER_AGENT, "Dhow health check")
        .body(Empty::<Bytes>::new())
        .expect("a health path is a valid request target");
    // The connection only moves while it is polled; it ends when the sender is dropped with this exchange.
    let exchange = async move {
        sender
            .send_request(request)
            .await
            .map(|response| response.status().as_u16())
    };
    let (status, _connection_ended) = tokio::join!(exchange, connection);
    status
}
