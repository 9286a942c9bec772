//! The heads of requests and answers (RFC 9112), changed where the relay shows: who is asked, and that every connection
//! carries one request.

use std::io::{self, ErrorKind, Read};

use subtle::ConstantTimeEq as _;
use url::{Origin, Url};

use crate::git::error::single_line;

/// libgit2's heads have some hundred bytes, those of forges a few thousand.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Reads up to the empty line: the head with it, and what came after it.
pub(super) fn read<R: Read + ?Sized>(stream: &mut R) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((bytes, rest));
        }
        if bytes.len() > MAX_HEAD_BYTES {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "it does not answer as a web server does",
            ));
        }
        match stream.read(&mut buffer)? {
            0 => {
                return Err(io::Error::new(
                    ErrorKind::UnexpectedEof,
                    "it closed the connection without an answer",
                ));
            }
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// The request as the server gets it, if it is one of the two of a fetch (gitprotocol-http(5)) by who knows the secret.
pub(super) fn of_fetch(head: &[u8], secret: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(head).ok()?;
    let (line, rest) = text.split_once("\r\n")?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let shown = target.get(1..=secret.len())?;
    let path = target.get(secret.len() + 1..)?;
    let is_known: bool = shown.as_bytes().ct_eq(secret.as_bytes()).into();
    let is_fetch = match method {
        "GET" => path.ends_with("/info/refs?service=git-upload-pack"),
        "POST" => path.ends_with("/git-upload-pack"),
        _ => false,
    };
    (is_known && is_fetch && path.starts_with('/')).then(|| format!("{method} {path} {version}\r\n{rest}").into_bytes())
}

/// A request for the server itself, with what lets it in, and the length of the body that it announces.
pub(super) fn rewrite_request(head: &[u8], authority: &str, authorization: Option<&str>) -> io::Result<(Vec<u8>, u64)> {
    let mut body_bytes = 0;
    let mut is_supported = true;
    let rewritten = rewrite(head, |name, value| match name {
        "host" => Some(match authorization {
            Some(authorization) => format!("Host: {authority}\r\nAuthorization: {authorization}"),
            None => format!("Host: {authority}"),
        }),
        "authorization" => None,
        "content-length" => {
            match value.parse() {
                Ok(length) => body_bytes = length,
                Err(_) => is_supported = false,
            }
            Some(format!("Content-Length: {value}"))
        }
        // libgit2 sends the requests of a fetch whole; only its push is chunked.
        "transfer-encoding" | "expect" => {
            is_supported = false;
            None
        }
        _ => Some(format!("{name}: {value}")),
    });
    if is_supported {
        Ok((rewritten, body_bytes))
    } else {
        Err(ErrorKind::Unsupported.into())
    }
}

/// The head of an answer, as libgit2 gets it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Vec<u8>,
    /// Whether the body must be put into chunks: libgit2 takes one that ends with the connection for an empty one.
    pub(super) needs_chunks: bool,
}

/// An answer whose redirect, if it is one, stays on the relay; fails with the target of one to another server.
pub(super) fn rewrite_answer(head: &[u8], origin: &Origin, secret: &str) -> Result<Answer, String> {
    let mut elsewhere = None;
    let mut has_length = false;
    let mut head = rewrite(head, |name, value| {
        has_length |= matches!(name, "content-length" | "transfer-encoding");
        if name != "location" {
            return Some(format!("{name}: {value}"));
        }
        let place = place_on(origin, value);
        if place.is_none() {
            elsewhere = Some(single_line(value.as_bytes(), 200));
        }
        place.map(|place| format!("Location: /{secret}{place}"))
    });
    if let Some(target) = elsewhere.filter(|_| is_redirect(&head)) {
        return Err(target);
    }
    if !has_length {
        // Before the empty line. Chunks are of version 1.1, which an older server does not speak.
        head.truncate(head.len() - 2);
        head.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        if head.starts_with(b"HTTP/1.0") {
            head[7] = b'1';
        }
    }
    Ok(Answer {
        head,
        needs_chunks: !has_length,
    })
}

/// Path and query of a redirect to the same server.
fn place_on(origin: &Origin, location: &str) -> Option<String> {
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(location.to_owned());
    }
    let target = Url::parse(location).ok().filter(|target| target.origin() == *origin)?;
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", target.path()))
}

fn is_redirect(head: &[u8]) -> bool {
    head.split(|byte| *byte == b' ')
        .nth(1)
        .is_some_and(|status| status.starts_with(b"3"))
}

/// Passes every field, its name in lower case, through `change`, and says that the connection ends after this.
fn rewrite(head: &[u8], mut change: impl FnMut(&str, &str) -> Option<String>) -> Vec<u8> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_end().split("\r\n");
    let mut rewritten = format!("{}\r\n", lines.next().unwrap_or_default());
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        if matches!(name.as_str(), "connection" | "keep-alive" | "proxy-connection") {
            continue;
        }
        if let Some(changed) = change(&name, value.trim()) {
            rewritten.push_str(&changed);
            rewritten.push_str("\r\n");
        }
    }
    rewritten.push_str("Connection: close\r\n\r\n");
    rewritten.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_the_server_and_ends_the_connection() {
        let head =
            b"POST /a.git/git-upload-pack HTTP/1.1\r\nHOST: 127.0.0.1:5\r\nContent-Length: 12\r\nConnection: x\r\n\r\n";
        let (rewritten, body_bytes) = rewrite_request(head, "git.example.com:443", None).unwrap();
        let expected = "POST /a.git/git-upload-pack HTTP/1.1\r\nHost: git.example.com:443\r\nContent-Length: 12\r\n\
                        Connection: close\r\n\r\n";
        assert_eq!(
            (String::from_utf8(rewritten).unwrap().as_str(), body_bytes),
            (expected, 12)
        );
        for field in [
            "Transfer-Encoding: chunked",
            "Content-Length: x",
            "Expect: 100-continue",
        ] {
            assert!(rewrite_request(format!("GET / HTTP/1.1\r\n{field}\r\n\r\n").as_bytes(), "x", None).is_err());
        }
    }

    #[test]
    fn a_request_carries_the_relays_authorization_and_no_other() {
        let head = b"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Basic b3RoZXI=\r\n\r\n";
        let rewritten = |authorization| {
            let (head, _) = rewrite_request(head, "h.example", authorization).unwrap();
            String::from_utf8(head).unwrap()
        };
        assert!(!rewritten(None).contains("uthorization"));
        let with = rewritten(Some("Basic eDp5"));
        assert!(
            with.contains("\r\nAuthorization: Basic eDp5\r\n") && !with.contains("b3RoZXI="),
            "{with}"
        );
    }

    #[test]
    fn only_who_knows_the_secret_is_carried_and_only_for_a_fetch() {
        let asked = |line: &str| of_fetch(format!("{line}\r\nHost: h\r\n\r\n").as_bytes(), "5ec2e7");
        for (line, sent) in [
            (
                "GET /5ec2e7/a.git/info/refs?service=git-upload-pack HTTP/1.1",
                "GET /a.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: h\r\n\r\n",
            ),
            (
                "POST /5ec2e7/a.git/git-upload-pack HTTP/1.1",
                "POST /a.git/git-upload-pack HTTP/1.1\r\nHost: h\r\n\r\n",
            ),
        ] {
            assert_eq!(asked(line).unwrap(), sent.as_bytes());
        }
        for line in [
            "GET /a.git/info/refs?service=git-upload-pack HTTP/1.1",
            "GET /5ec2e8/a.git/info/refs?service=git-upload-pack HTTP/1.1",
            "GET /5ec2e7/a.git/info/refs?service=git-receive-pack HTTP/1.1",
            "GET /5ec2e7/api/v1/user HTTP/1.1",
            "DELETE /5ec2e7/a.git/git-upload-pack HTTP/1.1",
            "POST /5ec2e7a.git/git-upload-pack HTTP/1.1",
            "POST / HTTP/1.1",
            "",
        ] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn a_redirect_stays_on_the_server() {
        let origin = Url::parse("https://git.example.com/a.git").unwrap().origin();
        let answer = |location: &str| {
            let head = format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n");
            rewrite_answer(head.as_bytes(), &origin, "5ec2e7").map(|answer| String::from_utf8(answer.head).unwrap())
        };
        for (location, kept) in [
            ("/b.git/info/refs?service=x", "/b.git/info/refs?service=x"),
            ("https://git.example.com/b.git?x", "/b.git?x"),
            ("https://GIT.example.com:443/b", "/b"),
        ] {
            assert!(
                answer(location)
                    .unwrap()
                    .contains(&format!("Location: /5ec2e7{kept}\r\n")),
                "{location}"
            );
        }
        for location in [
            "http://git.example.com/b",
            "https://git.example.com:444/b",
            "https://evil.example/b",
            "https://git.example.com@evil.example/b",
            "//evil.example/b",
            "b.git",
        ] {
            assert_eq!(answer(location).unwrap_err(), location);
        }
        assert!(rewrite_answer(b"HTTP/1.1 200 OK\r\nLocation: https://x\r\n\r\n", &origin, "").is_ok());
    }

    #[test]
    fn an_answer_without_length_is_put_into_chunks() {
        let origin = Url::parse("https://git.example.com/a.git").unwrap().origin();
        for (fields, needs_chunks) in [
            ("", true),
            ("Content-Length: 3\r\n", false),
            ("transfer-encoding: chunked\r\n", false),
        ] {
            let answer = rewrite_answer(format!("HTTP/1.0 200 OK\r\n{fields}\r\n").as_bytes(), &origin, "").unwrap();
            assert_eq!(answer.needs_chunks, needs_chunks, "{fields}");
            let head = String::from_utf8(answer.head).unwrap();
            assert_eq!(head.contains("HTTP/1.1"), needs_chunks, "{head}");
            assert!(head.ends_with("\r\n\r\n") && !head.contains("\r\n\r\n\r\n"), "{head}");
        }
    }
}
