//! Static sites, built and asked for real: what the configuration promises is what visitors get.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dhow::build::detect::{Tree, Wishes, detect};
use dhow::build::plan_generated;

use crate::harness::{Place, outsider};
use crate::workshop::{Checkout, build_plan, run};

const PORT: u16 = 3000;
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A site that is served.
struct Site {
    place: Place,
    image: String,
    address: String,
}

struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Site {
    async fn of(files: &[(&str, &str)]) -> Site {
        let place = Place::open().await;
        let checkout = Checkout::new(files);
        let tree = Tree::open(checkout.path()).unwrap();
        let detected = detect(&tree, &Wishes::default()).unwrap();
        let plan = plan_generated(checkout.path(), "", &detected).unwrap();
        let built = build_plan(&place, plan).await;
        let image = built.image().to_owned();
        let mut spec = place.sleeper("site");
        (spec.image, spec.command) = (image.clone(), None);
        place.engine.create_container(&spec).await.unwrap();
        place.engine.start_container(&spec.name).await.unwrap();
        let found = outsider().inspect_container(&spec.name, None).await.unwrap();
        let networks = found.network_settings.unwrap().networks.unwrap();
        let address = format!("{}:{PORT}", networks["bridge"].ip_address.as_deref().unwrap());
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            let output = place.engine.last_output(&spec.name, 20).await.unwrap();
            assert!(begun.elapsed() < Duration::from_secs(10), "{output:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Site { place, image, address }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let headers = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: answer[end + 4..].to_vec(),
        }
    }
}

#[tokio::test]
async fn a_site_keeps_what_its_configuration_promises() {
    let long = "x".repeat(4000);
    let files = [
        ("index.html", "the first page"),
        ("about.html", "about"),
        ("manual/index.html", "manual"),
        ("404.html", "nothing here"),
        ("empty/.keep", ""),
        ("assets/index-BkZf3d_x.js", long.as_str()),
        ("assets/Inter-SemiBold.woff2", long.as_str()),
        ("app.mjs", long.as_str()),
        ("app.wasm", "wasm"),
        ("app.webmanifest", "{}"),
        ("a.avif", "avif"),
        ("ready.txt", long.as_str()),
        ("ready.txt.gz", "compressed before"),
        (".env", "SECRET=1"),
        ("deep/.git/config", "secret"),
        (".well-known/security.txt", "Contact: us"),
        ("Dockerfile", "FROM scratch"),
    ];
    let site = Site::of(&files).await;
    // Addresses and their pages
    for (path, status, body) in [
        ("/", 200, "the first page"),
        ("/index.html", 200, "the first page"),
        ("/about", 200, "about"),
        ("/about.html", 200, "about"),
        ("/about/", 404, "nothing here"),
        ("/manual/", 200, "manual"),
        ("/nope", 404, "nothing here"),
        ("/nope.js", 404, "nothing here"),
        ("/empty", 404, "nothing here"),
        ("/empty/", 404, "nothing here"),
        ("/.env", 404, "nothing here"),
        ("/%2eenv", 404, "nothing here"),
        ("/x/..%2f.env", 404, "nothing here"),
        ("/deep/.git/config", 404, "nothing here"),
        ("/.dhow/nginx.conf", 404, "nothing here"),
        ("/Dockerfile", 404, "nothing here"),
        ("/404.html", 404, "nothing here"),
        ("/.well-known/security.txt", 200, "Contact: us"),
    ] {
        let answer = site.get(path);
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (status, body.as_bytes()),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("server"), "nginx", "{path}");
    }
    let moved = site.get("/manual?a=b");
    assert_eq!((moved.status, moved.header("location")), (301, "/manual/?a=b"));
    // Types, caching and compression
    for (path, kind, kept, is_compressed) in [
        (
            "/assets/index-BkZf3d_x.js",
            "text/javascript; charset=utf-8",
            FOR_EVER,
            true,
        ),
        ("/assets/Inter-SemiBold.woff2", "font/woff2", "no-cache", false),
        ("/app.mjs", "text/javascript; charset=utf-8", "no-cache", true),
        ("/app.wasm", "application/wasm", "no-cache", false),
        ("/app.webmanifest", "application/manifest+json", "no-cache", false),
        ("/a.avif", "image/avif", "no-cache", false),
    ] {
        let answer = site.ask("GET", path, "Accept-Encoding: gzip\r\n");
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{path}");
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        assert_eq!(answer.header("content-encoding") == "gzip", is_compressed, "{path}");
        assert!(!is_compressed || answer.body.len() < 1000, "{path}");
        assert!(!is_compressed || answer.header("vary") == "Accept-Encoding", "{path}");
        let unchanged = format!("If-None-Match: {}\r\n", answer.header("etag"));
        assert_eq!(site.ask("GET", path, &unchanged).status, 304, "{path}");
    }
    let ready = site.ask("GET", "/ready.txt", "Accept-Encoding: gzip\r\n");
    assert_eq!(ready.body, b"compressed before");
    assert_eq!(site.get("/ready.txt").body.len(), 4000);
    assert_eq!(site.get("/assets/gone-BkZf3d_x.js").header("cache-control"), "no-cache");
    // Methods
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = site.ask(method, "/", "Content-Length: 0\r\n");
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method}");
    }
    let head = site.ask("HEAD", "/about", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    // What is in the image, and who runs it
    let inside = run(
        &site.place,
        &site.image,
        "id -un; find /srv/site -name '*dhow*' -o -name Dockerfile",
    )
    .await;
    assert_eq!(inside, "nginx");
}

#[tokio::test]
async fn a_sites_own_redirects_are_followed() {
    let rules = "/sale / 307!\n/about /moved 301!\n/blog/:year/:slug /articles/:slug-:year\n\
                 /news/* https://news.example/:splat 302\n/go/* /:splat 308\n/login /account/sign-in 200\n\
                 /de/* /de/404.html 404\n/caf%C3%A9 /caf\u{e9}/?a=1#top\n/never /index.html 301\n/* /index.html 200\n";
    let files = [
        ("public/index.html", "app"),
        ("public/about.html", "about"),
        ("public/account/sign-in.html", "sign in"),
        ("public/de/404.html", "nichts"),
        ("public/never.html", "a file that is there"),
        ("public/_redirects", rules),
    ];
    let site = Site::of(&files).await;
    for (path, status, location) in [
        ("/sale?a=b", 307, "/?a=b"),
        ("/about", 301, "/moved"),
        ("/blog/2024/hello%20you?q=1", 301, "/articles/hello%20you-2024?q=1"),
        ("/news/a/b", 302, "https://news.example/a/b"),
        ("/caf%c3%a9/", 301, "/caf%C3%A9/?a=1#top"),
        // Nobody is led to a host that an address names.
        ("/go//evil.example/x", 308, "/evil.example/x"),
        ("/go/a%0d%0aX-Y:z", 308, "/a%0d%0aX-Y:z"),
    ] {
        let answer = site.get(path);
        assert_eq!((answer.status, answer.header("location")), (status, location), "{path}");
    }
    for (path, status, body) in [
        ("/login", 200, "sign in"),
        ("/de/nope", 404, "nichts"),
        ("/never", 200, "a file that is there"),
        ("/any/where", 200, "app"),
        ("/users/john.doe", 200, "app"),
        ("/go/\\evil.example", 200, "app"),
        ("/about.html", 200, "about"),
    ] {
        let answer = site.get(path);
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (status, body.as_bytes()),
            "{path}"
        );
    }
    for path in ["/assets/stale-BkZf3d_x.js", "/_redirects", "/.env"] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
}
