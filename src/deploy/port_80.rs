//! What answers at port 80 of a domain's addresses, where an authority asks: this Dhow's proxy, or something else?
//!
//! Asked from this machine and only at addresses that are this machine's own, so nobody else is called. That is less
//! than an authority's own look: a firewall further out is not seen, and a router may refuse what comes from inside.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::model::host::Host;
use crate::model::pointing::Port80;
use crate::traefik::Mark;

/// Where an authority asks (RFC 8555 §8.3).
const PORT: u16 = 80;
/// How long one question may take.
const WITHIN: Duration = Duration::from_secs(2);

/// What answers at a host's addresses, all asked at once; the worst of them.
pub(super) async fn ask(host: &Host, addresses: &[IpAddr], mark: &Mark) -> Option<Port80> {
    let asks = addresses
        .iter()
        .map(|address| ask_one(SocketAddr::new(*address, PORT), host, mark));
    join_all(asks).await.into_iter().max()
}

async fn ask_one(address: SocketAddr, host: &Host, mark: &Mark) -> Port80 {
    let ask = async {
        let Ok(stream) = TcpStream::connect(address).await else {
            return Port80::Unreachable;
        };
        match location(stream, host, mark).await {
            Ok(Some(location)) if location == mark.location => Port80::Proxy,
            Ok(_) | Err(_) => Port80::Other,
        }
    };
    timeout(WITHIN, ask).await.unwrap_or(Port80::Unreachable)
}

/// Where the answer leads.
async fn location(stream: TcpStream, host: &Host, mark: &Mark) -> Result<Option<String>, hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(&mark.path)
        .header(hyper::header::HOST, host.as_str())
        .header(hyper::header::USER_AGENT, "Dhow port check")
        .body(Empty::<Bytes>::new())
        .expect("a mark is a valid request target, a host a valid header");
    // The connection only moves while it is polled; it ends when the sender is dropped with this exchange.
    let exchange = async move {
        let response = sender.send_request(request).await?;
        let location = response.headers().get(hyper::header::LOCATION);
        Ok(location.and_then(|value| value.to_str().ok()).map(str::to_owned))
    };
    let (location, _connection_ended) = tokio::join!(exchange, connection);
    location
}

#[cfg(test)]
mod tests {
    use super::{Mark, Port80, ask_one};
    use crate::model::host::Host;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn only_the_answer_of_ones_own_proxy_counts() {
        let host = Host::parse("a.example.com").expect("a host");
        let mark = Mark::of("password");
        let theirs = Mark::of("another").location;
        let redirect = |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        for (answer, found) in [
            (redirect(&mark.location), Port80::Proxy),
            (redirect(&theirs), Port80::Other),
            (redirect(&format!("https://a.example.com{}", mark.path)), Port80::Other),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), Port80::Other),
            ("SSH-2.0-x\r\n".to_owned(), Port80::Other),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address");
            let serve = async {
                let (mut stream, _) = listener.accept().await.expect("a caller");
                let mut asked = [0; 1024];
                let length = stream.read(&mut asked).await.expect("a request");
                stream.write_all(answer.as_bytes()).await.expect("an open connection");
                String::from_utf8_lossy(&asked[..length]).to_lowercase()
            };
            let (seen, asked) = tokio::join!(ask_one(address, &host, &mark), serve);
            assert_eq!(seen, found, "{answer}");
            assert!(asked.starts_with(&format!("get {} ", mark.path)), "{asked}");
            assert!(asked.contains("host: a.example.com\r\n"), "{asked}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        assert_eq!(ask_one(address, &host, &mark).await, Port80::Unreachable);
    }
}
