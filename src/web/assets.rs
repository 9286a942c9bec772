//! The files of `static/`, embedded by `build.rs`: served under names that hold their hash, compressed beforehand.
//!
//! A name without the right hash is not found, so that no cache ever mixes two versions.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

/// One file of `static/`.
pub struct Asset {
    /// Its path in `static/`.
    name: &'static str,
    /// Where it is served.
    url: &'static str,
    /// Its type.
    mime: &'static str,
    /// Its content.
    identity: &'static [u8],
    /// Its content in brotli, where that is smaller.
    brotli: Option<&'static [u8]>,
    /// Its content in gzip, where that is smaller.
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// How long a browser may keep a file: a year, since another content has another name.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Where a file of `static/` is served, as `app.css` → `/static/app.0a1b2c3d.css`. A test finds names in templates
/// that do not exist.
pub fn asset_url(name: &str) -> &'static str {
    ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .map_or("/static/", |asset| asset.url)
}

/// Where the files are served that every island imports; a page that names them early saves a round trip.
pub fn island_chunks() -> impl Iterator<Item = &'static str> {
    let chunks = ASSETS.iter().filter(|asset| asset.name.starts_with("islands/chunks/"));
    chunks.map(|asset| asset.url)
}

/// Serves the files; needs neither session nor state.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/static/{*path}", get(serve)).route(
        "/favicon.ico",
        get(|| async { Redirect::permanent(asset_url("icons/favicon.svg")) }),
    )
}

async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS
        .iter()
        .find(|asset| asset.url.strip_prefix("/static/") == Some(&path))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (encoding, content) = asset.variant(accepted(&headers));
    let fixed = [
        (CONTENT_TYPE, asset.mime),
        (CACHE_CONTROL, IMMUTABLE),
        (VARY, "accept-encoding"),
    ];
    match encoding {
        Some(encoding) => (fixed, [(CONTENT_ENCODING, encoding)], content).into_response(),
        None => (fixed, content).into_response(),
    }
}

impl Asset {
    /// The smallest variant that the browser takes, with the name of its encoding.
    fn variant(&self, accepted: Accepted) -> (Option<&'static str>, &'static [u8]) {
        match (self.brotli, self.gzip) {
            (Some(brotli), _) if accepted.brotli => (Some("br"), brotli),
            (_, Some(gzip)) if accepted.gzip => (Some("gzip"), gzip),
            _ => (None, self.identity),
        }
    }
}

/// Encodings that a browser takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Accepted {
    brotli: bool,
    gzip: bool,
}

/// Reads `Accept-Encoding` (RFC 9110 §12.5.3); a weight of 0 means "not this one".
fn accepted(headers: &HeaderMap) -> Accepted {
    let mut accepted = Accepted::default();
    let values = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    for token in values.flat_map(|value| value.split(',')) {
        let (coding, parameters) = token.split_once(';').unwrap_or((token, ""));
        let weight = parameters
            .trim()
            .strip_prefix("q=")
            .map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0));
        let is_wanted = weight > 0.0;
        match coding.trim() {
            "br" => accepted.brotli = is_wanted,
            "gzip" => accepted.gzip = is_wanted,
            _ => {}
        }
    }
    accepted
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(path: &str, encodings: &str) -> Response {
        let request = Request::get(path)
            .header(ACCEPT_ENCODING, encodings)
            .body(Body::empty())
            .unwrap();
        router::<()>().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_served_compressed_and_for_ever_under_its_hashed_name_only() {
        for (encodings, encoding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip;q=1.0, br;q=0", Some("gzip")),
            ("identity", None),
            ("", None),
        ] {
            let response = get(asset_url("app.css"), encodings).await;
            assert_eq!(response.status(), StatusCode::OK);
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header(CONTENT_ENCODING), encoding, "{encodings}");
            assert_eq!(header(CONTENT_TYPE), Some("text/css; charset=utf-8"));
            assert_eq!(header(CACHE_CONTROL), Some(IMMUTABLE));
            assert_eq!(header(VARY), Some("accept-encoding"));
        }
        for path in [
            "/static/app.css",
            "/static/app.00000000.css",
            "/static/",
            "/static/../Cargo.toml",
        ] {
            assert_eq!(get(path, "br").await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn every_file_that_a_template_names_exists() {
        let mut dirs = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/templates"
        ))];
        let mut found = 0;
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                    continue;
                }
                let template = std::fs::read_to_string(&path).unwrap();
                for name in template
                    .split("asset_url(\"")
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next())
                {
                    assert_ne!(asset_url(name), "/static/", "{} names {name}", path.display());
                    found += 1;
                }
            }
        }
        assert!(found > 0);
    }

    /// Chunks are imported by name from scripts beside them, so that names in scripts and addresses must agree.
    #[tokio::test]
    async fn what_the_islands_share_is_served_for_ever_under_the_name_that_they_import() {
        let mut found = 0;
        for island in ASSETS.iter().filter(|asset| is_island(asset)) {
            let script = std::str::from_utf8(island.identity).unwrap();
            let imports = script.split("\"./chunks/").skip(1);
            for import in imports.filter_map(|rest| rest.split('"').next()) {
                let response = get(&format!("/static/islands/chunks/{import}"), "br").await;
                assert_eq!(response.status(), StatusCode::OK, "{} imports {import}", island.name);
                assert_eq!(response.headers()[CACHE_CONTROL], IMMUTABLE);
                found += 1;
            }
        }
        assert!(found > 0, "an island imports a chunk");
        assert!(island_chunks().count() > 0);
    }

    /// All islands and what they share; the dashboard and other pages load none of it.
    #[test]
    fn all_islands_together_are_75_kb_in_brotli_at_most() {
        let sizes: Vec<(&str, usize)> = ASSETS
            .iter()
            .filter(|asset| is_island(asset))
            .map(|asset| (asset.name, asset.brotli.map_or(asset.identity.len(), <[u8]>::len)))
            .collect();
        let sum: usize = sizes.iter().map(|(_, bytes)| bytes).sum();
        assert!(sum <= 75 * 1024, "{sum} bytes: {sizes:?}");
    }

    fn is_island(asset: &Asset) -> bool {
        asset.name.starts_with("islands/") && asset.mime.starts_with("text/javascript")
    }

    #[test]
    fn texts_about_the_files_are_not_served() {
        assert!(ASSETS.iter().all(|asset| !asset.name.ends_with(".md")));
    }
}
