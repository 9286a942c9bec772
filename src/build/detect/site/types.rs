//! Media types by extension, after IANA's registry and the WHATWG's words on scripts. The server's own list differs
//! from version to version, and lacks some that modules and fonts need.

/// Type, its extensions, and whether compression makes it smaller.
pub(super) const TYPES: [(&str, &[&str], bool); 49] = [
    ("application/atom+xml", &["atom"], true),
    ("application/gzip", &["gz"], false),
    ("application/json", &["json", "map"], true),
    ("application/ld+json", &["jsonld"], true),
    ("application/geo+json", &["geojson"], true),
    ("application/manifest+json", &["webmanifest"], true),
    ("application/pdf", &["pdf"], false),
    ("application/rss+xml", &["rss"], true),
    ("application/vnd.ms-fontobject", &["eot"], true),
    ("application/wasm", &["wasm"], true),
    ("application/xhtml+xml", &["xhtml"], true),
    ("application/zip", &["zip"], false),
    ("application/epub+zip", &["epub"], false),
    ("application/x-bzip2", &["bz2"], false),
    ("application/x-tar", &["tar"], false),
    ("audio/aac", &["aac"], false),
    ("audio/flac", &["flac"], false),
    ("audio/midi", &["mid", "midi"], false),
    ("audio/mp4", &["m4a"], false),
    ("audio/mpeg", &["mp3"], false),
    ("audio/ogg", &["ogg", "oga", "opus"], false),
    ("audio/wav", &["wav"], false),
    ("font/otf", &["otf"], true),
    ("font/ttf", &["ttf"], true),
    ("font/woff", &["woff"], false),
    ("font/woff2", &["woff2"], false),
    ("image/apng", &["apng"], false),
    ("image/avif", &["avif"], false),
    ("image/bmp", &["bmp"], true),
    ("image/gif", &["gif"], false),
    ("image/jpeg", &["jpg", "jpeg"], false),
    ("image/jxl", &["jxl"], false),
    ("image/png", &["png"], false),
    ("image/svg+xml", &["svg"], true),
    ("image/tiff", &["tif", "tiff"], false),
    ("image/webp", &["webp"], false),
    ("image/x-icon", &["ico"], true),
    ("model/gltf-binary", &["glb"], false),
    ("text/calendar", &["ics"], true),
    ("text/css", &["css"], true),
    ("text/csv", &["csv"], true),
    ("text/html", &["html", "htm"], true),
    ("text/javascript", &["js", "mjs", "cjs"], true),
    ("text/markdown", &["md"], true),
    ("text/plain", &["txt", "log"], true),
    ("text/vtt", &["vtt"], true),
    ("text/xml", &["xml", "xsl"], true),
    ("video/mp4", &["mp4", "m4v"], false),
    ("video/webm", &["webm"], false),
];

/// An expression for paths that name no file. A missing script must not be answered with a page: a browser that still
/// has the last version's page would take the one for the other.
pub(super) fn no_file_pattern() -> String {
    let extensions: Vec<&str> = TYPES
        .iter()
        .flat_map(|(_, extensions, _)| *extensions)
        .copied()
        .collect();
    format!("^(?!.*[.](?:{})$)", extensions.join("|"))
}
