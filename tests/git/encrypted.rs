//! Fetching over https: by the relay's TLS, with certificates checked.
//!
//! What the machine trusts is read from the environment, so the trusting half runs in a process of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dhow::git::{Access, Commit, Error, FetchLimits, HostKeys, LargeFiles, Mirror, Pointer, Room, Want};
use dhow::model::source::GitUrl;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::fetcher::OPEN;
use crate::git_server::{GitServer, WorkTree};
use crate::lfs_store::oid;

const ADDRESS: &str = "DHOW_TEST_ADDRESS";
const AUTHORITY: &str = "DHOW_TEST_AUTHORITY";

/// A certificate for `localhost` and its key; for an authority, as `openssl req -x509` makes it by itself, or not.
fn make_certificate(dir: &Path, is_authority: bool) {
    let constraint = if is_authority { "CA:TRUE" } else { "CA:FALSE" };
    let config = format!(
        "[req]\ndistinguished_name=name\nx509_extensions=ext\n[name]\n[ext]\nsubjectAltName=DNS:localhost\n\
         basicConstraints=critical,{constraint}\n"
    );
    std::fs::write(dir.join("config"), config).unwrap();
    let arguments = "req -x509 -config config -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                     -subj /CN=dhow-test -keyout key.pem -out cert.pem";
    let made = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Speaks TLS on a free port, and plain HTTP to the server; answers the port.
fn encrypt(dir: &Path, server: &str) -> u16 {
    let certificate = CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (config, server) = (Arc::new(config), server.to_owned());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, plain) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            for socket in [&client, &plain] {
                socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
            }
            let tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), client);
            std::thread::spawn(move || join(tls, plain));
        }
    });
    port
}

/// Carries bytes both ways until one side ends.
fn join(mut left: impl Read + Write, mut right: impl Read + Write) {
    while pass(&mut left, &mut right) && pass(&mut right, &mut left) {}
    let _ = left.flush();
}

fn pass(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut buffer = [0; 16 * 1024];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

fn fetch(address: &str) -> Result<Commit, Error> {
    let dir = TempDir::new().unwrap();
    let access = Access {
        allow_private: true,
        limits: FetchLimits::default(),
        credential: None,
        host_keys: &HostKeys::default(),
    };
    let url = GitUrl::parse(address).unwrap();
    Mirror::open(&dir.path().join("mirror"))?.fetch(
        &url,
        &Want::Branch(None),
        access,
        &mut |_| {},
        &AtomicBool::new(false),
    )
}

/// Fetches a file of Git LFS; answers its contents.
fn fetch_large(server: &str) -> Result<String, Error> {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let pointer = Pointer {
        oid: oid(b"large"),
        size: 5,
    };
    let url = GitUrl::parse(&format!("{server}/git/web.git")).unwrap();
    let cancelled = AtomicBool::new(false);
    LargeFiles::new(OPEN, &Room::new(5), &cancelled).fill(
        &url,
        dir.path(),
        &[("file".into(), pointer)],
        &mut |_| {},
    )?;
    Ok(std::fs::read_to_string(dir.path().join("file")).unwrap())
}

/// Runs the other half with a new certificate that it trusts; answers the server's address.
fn check_trusting(server: &str, is_authority: bool) -> String {
    let dir = TempDir::new().unwrap();
    make_certificate(dir.path(), is_authority);
    let address = format!("https://localhost:{}", encrypt(dir.path(), server));
    let trusting = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "encrypted::what_the_trusting_process_does"])
        .env("SSL_CERT_FILE", dir.path().join("cert.pem"))
        .env(ADDRESS, &address)
        .env(AUTHORITY, is_authority.to_string())
        .output()
        .unwrap();
    assert!(
        trusting.status.success(),
        "{}",
        String::from_utf8_lossy(&trusting.stdout)
    );
    address
}

/// The half that trusts the certificate; does nothing unless it is told where to fetch from.
#[test]
fn what_the_trusting_process_does() {
    let Ok(server) = std::env::var(ADDRESS) else { return };
    if std::env::var(AUTHORITY).unwrap() == "true" {
        let error = fetch(&format!("{server}/git/web.git")).unwrap_err();
        assert!(error.to_string().contains("CA:FALSE"), "{error}");
        return;
    }
    for path in ["git", "moved"] {
        assert_eq!(fetch(&format!("{server}/{path}/web.git")).unwrap().message, "one");
    }
    assert_eq!(fetch_large(&server).unwrap(), "large");
    let error = fetch(&format!("{server}/elsewhere/web.git")).unwrap_err();
    assert!(
        matches!(error, Error::Refused(_)) && error.to_string().contains("http://example.com/"),
        "{error}"
    );
    let other_name = server.replace("localhost", "127.0.0.1");
    for error in [
        fetch(&format!("{other_name}/git/web.git")).unwrap_err(),
        fetch_large(&other_name).unwrap_err(),
    ] {
        assert!(error.to_string().contains("certificate is for another name"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_spoken_with_servers_whose_certificate_is_good() {
    let server = GitServer::start().await;
    server.host("web");
    server.lfs.put(b"large");
    server.lfs.use_https();
    let tree = WorkTree::new();
    tree.commit_version("one");
    let (is_ok, said) = tree.try_git(&["push", &server.push_address("web"), "main"]).await;
    assert!(is_ok, "{said}");
    let authority = server.authority.clone();
    let fetches = tokio::task::spawn_blocking(move || {
        check_trusting(&authority, true);
        let address = check_trusting(&authority, false);
        let error = fetch(&format!("{address}/git/web.git")).unwrap_err();
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
        assert!(error.to_string().contains("does not trust the issuer"), "{error}");
    });
    fetches.await.unwrap();
}
