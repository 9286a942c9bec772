//! A network as companies have them: a registry of npm packages whose certificate only the company's own authority
//! stands for, and an HTTP proxy that asks for a password. Builds reach both on the engine's own bridge.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::docker::{bridge_address, try_docker};
use super::process::run_id;

/// The registry's name, which only the proxy can resolve.
pub const REGISTRY: &str = "packages.company.invalid";
/// The only version of the one package that the registry has.
const VERSION: &str = "1.2.3";
/// Who may use the proxy.
const USER: &str = "builder";
pub const PASSWORD: &str = "proxy-pass-4711";
/// The longest head of a request to the proxy, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// The registry and the proxy; they end with the test.
pub struct CompanyNetwork {
    /// The registry's one package, which no other test's builds have in their cache.
    package: String,
    authority: NamedTempFile,
    /// Address of the registry for those who do not need the proxy.
    pub registry: String,
    proxy: String,
    asked: Arc<Mutex<Vec<String>>>,
    connects: Arc<Mutex<Vec<String>>>,
}

/// The registry behind an encrypted connection.
#[derive(Clone)]
struct Registry {
    acceptor: TlsAcceptor,
    router: Router,
}

impl CompanyNetwork {
    pub async fn start() -> Self {
        let bridge = bridge_address();
        let key = KeyPair::generate().unwrap();
        let names = vec![REGISTRY.to_owned(), bridge.clone()];
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let authority = NamedTempFile::with_prefix("dhow-e2e-authority-").unwrap();
        std::fs::write(authority.path(), certificate.pem()).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let package = format!("company-greeting-{}", run_id());
        let (asked, connects) = (
            Arc::<Mutex<Vec<String>>>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let registry = Registry {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            router: Router::new()
                .fallback(answer)
                .with_state((package.clone(), Arc::clone(&asked))),
        };
        let direct = TcpListener::bind((bridge.as_str(), 0)).await.unwrap();
        let through = TcpListener::bind((bridge.as_str(), 0)).await.unwrap();
        let this = Self {
            package,
            authority,
            registry: format!("https://{}/", direct.local_addr().unwrap()),
            proxy: through.local_addr().unwrap().to_string(),
            asked,
            connects: Arc::clone(&connects),
        };
        let served = registry.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = direct.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = through.accept().await {
                tokio::spawn(pass(stream, registry.clone(), Arc::clone(&connects)));
            }
        });
        this
    }

    /// The value of `--build-ca-file`.
    pub fn authority(&self) -> &str {
        self.authority.path().to_str().unwrap()
    }

    /// The value of `--build-http-proxy`, with its password.
    pub fn proxy(&self) -> String {
        format!("http://{USER}:{PASSWORD}@{}", self.proxy)
    }

    /// The files of an app that needs the package, from a registry at an address.
    pub fn app(&self, registry: &str) -> [(&'static str, String); 4] {
        let package = &self.package;
        let manifest = json!({
            "name": "greeter",
            "version": "1.0.0",
            "private": true,
            "engines": { "node": "24" },
            "scripts": { "start": "node server.js" },
            "dependencies": { package: VERSION },
        });
        let mut root = manifest.clone();
        root.as_object_mut().unwrap().remove("scripts");
        let lock = json!({
            "name": "greeter",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "requires": true,
            "packages": { "": root, format!("node_modules/{package}"): { "version": VERSION } },
        });
        let server = format!(
            "const greeting = require('{package}');\n\
             require('http').createServer((_, response) => response.end(greeting)).listen(process.env.PORT);\n"
        );
        // Without it npm tries a certificate that it does not trust for more than a minute.
        let settings = format!("registry={registry}\nfetch-retries=0\n");
        [
            ("package.json", format!("{manifest:#}\n")),
            ("package-lock.json", format!("{lock:#}\n")),
            ("server.js", server),
            (".npmrc", settings),
        ]
    }

    /// Paths that the registry was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What the proxy was asked for, refused or not: method, target, and the status of its answer.
    pub fn connects(&self) -> Vec<String> {
        self.connects.lock().unwrap().clone()
    }
}

impl Registry {
    /// One connection, encrypted; whoever does not trust the certificate hangs up.
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        if let Ok(stream) = self.acceptor.accept(stream).await {
            let service = TowerToHyperService::new(self.router);
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    }
}

/// One connection to the proxy (RFC 9110, section 9.3.6): the registry is all that is behind it.
async fn pass(mut stream: TcpStream, registry: Registry, connects: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let is_admitted = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == format!("Basic {pair}")
        })
    });
    let status = match () {
        () if !is_admitted => "407 Proxy Authentication Required",
        () if (method, target) == ("CONNECT", &format!("{REGISTRY}:443")) => "200 Connected",
        () => "502 Bad Gateway",
    };
    connects
        .lock()
        .unwrap()
        .push(format!("{method} {target} → {}", &status[..3]));
    let answer = match status {
        "200 Connected" => format!("HTTP/1.1 {status}\r\n\r\n"),
        _ => format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    };
    if stream.write_all(answer.as_bytes()).await.is_ok() && status == "200 Connected" {
        registry.serve(stream).await;
    }
}

/// What a registry of npm packages answers (npm docs, "Registry": package metadata, tarballs).
async fn answer(State((package, asked)): State<(String, Arc<Mutex<Vec<String>>>)>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    asked.lock().unwrap().push(path.clone());
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or(REGISTRY);
    let tarball = format!("/{package}/-/{package}-{VERSION}.tgz");
    if path == format!("/{package}") {
        let version = json!({
            "name": package,
            "version": VERSION,
            "dist": { "tarball": format!("https://{host}{tarball}") },
        });
        axum::Json(json!({
            "name": package,
            "dist-tags": { "latest": VERSION },
            "versions": { VERSION: version },
        }))
        .into_response()
    } else if path == tarball {
        tarball_of(&package).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// The package as a tar file, which npm takes uncompressed too.
fn tarball_of(package: &str) -> Vec<u8> {
    let manifest = json!({ "name": package, "version": VERSION, "main": "index.js" }).to_string();
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text) in [
        ("package/package.json", manifest.as_str()),
        ("package/index.js", "module.exports = 'the company greets';\n"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_company_network_gives_its_package_to_who_trusts_it_and_is_admitted_by_the_proxy() {
    let network = CompanyNetwork::start().await;
    let mount = format!("{}:/authority.pem:ro", network.authority());
    let trusting = ["-v", &mount, "-e", "NODE_EXTRA_CA_CERTS=/authority.pem"];
    let ask = async |options: Vec<String>, registry: &str| {
        let command = format!(
            "npm view {} version --fetch-retries=0 --registry={registry}",
            network.package
        );
        let run = ["run", "--rm", "--entrypoint=sh"].map(str::to_owned).to_vec();
        let all = [run, options, vec!["node:24-slim".to_owned(), "-c".to_owned(), command]].concat();
        let asking = move || try_docker(&all.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(asking).await.unwrap()
    };
    let trusting = trusting.map(str::to_owned).to_vec();
    let by_proxy = |proxy: String| [trusting.clone(), vec!["-e".to_owned(), format!("HTTPS_PROXY={proxy}")]].concat();
    let named = format!("https://{REGISTRY}/");

    let refused = ask(Vec::new(), &network.registry).await.unwrap_err();
    assert!(refused.contains("CERT"), "{refused}");
    assert_eq!(network.asked(), [""; 0]);
    assert_eq!(ask(trusting.clone(), &network.registry).await.as_deref(), Ok(VERSION));
    let unknown = ask(trusting.clone(), &named).await;
    assert!(unknown.is_err(), "{unknown:?}");
    let stranger = network.proxy().replace(PASSWORD, "guessed");
    let refused = ask(by_proxy(stranger), &named).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(ask(by_proxy(network.proxy()), &named).await.as_deref(), Ok(VERSION));
    // npm asks for its own newest version, too.
    let mut connects = network.connects();
    connects.dedup();
    assert_eq!(
        connects,
        ["407", "200"].map(|status| format!("CONNECT {REGISTRY}:443 → {status}"))
    );
}
