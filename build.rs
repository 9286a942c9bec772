//! Embeds `static/`: every file under a name that holds its hash, with brotli and gzip variants made here, so that
//! serving one costs no work and a browser may keep it for ever.
#![allow(clippy::print_stdout)] // How a build script speaks to Cargo.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Files that are served as one: fewer requests, and the second cannot come before the first has it in its hands.
const BUNDLES: [(&str, &[&str]); 1] = [(
    "live.js",
    &["vendor/htmx-4.0.1.min.js", "vendor/hx-sse-4.0.1.min.js", "hidden.js"],
)];

/// Hexadecimal digits of the content's hash in a file's name.
const HASH_DIGITS: usize = 8;

/// Files whose names hold a hash already, given by Vite: other scripts import them by these names.
const NAMED_BY_CONTENT: &str = "islands/chunks/";

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=static");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("static");
    let out_dir = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut files = BTreeMap::new();
    collect(&root, &root, &mut files)?;
    for (name, parts) in BUNDLES {
        let bundle = bundle(parts, &mut files)?;
        files.insert(name.to_owned(), bundle);
    }
    let mut code = String::from("/// Every file that is served, by name.\npub static ASSETS: &[Asset] = &[\n");
    for (index, (name, content)) in files.iter().enumerate() {
        embed(&mut code, index, name, content, &out_dir)?;
    }
    code.push_str("];\n");
    fs::write(out_dir.join("assets.rs"), code)?;
    Ok(())
}

/// All files below a directory but texts about them, by their path below `root`.
fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_none_or(|extension| extension != "md") {
            let name = path
                .strip_prefix(root)?
                .to_str()
                .ok_or("a file name in static/ is not UTF-8")?;
            files.insert(name.to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}

/// Takes scripts out of `files` and puts them together.
fn bundle(parts: &[&str], files: &mut BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let mut bundle = Vec::new();
    for part in parts {
        bundle.extend(
            files
                .remove(*part)
                .ok_or_else(|| format!("static/{part} is missing; see BUNDLES in build.rs"))?,
        );
        bundle.extend(b";\n");
    }
    Ok(bundle)
}

fn embed(code: &mut String, index: usize, name: &str, content: &[u8], out_dir: &Path) -> Result<()> {
    let write = |suffix: &str, bytes: &[u8]| -> Result<String> {
        let file = out_dir.join(format!("{index}.{suffix}"));
        fs::write(&file, bytes)?;
        Ok(format!("include_bytes!({file:?})"))
    };
    let variant = |suffix: &str, bytes: &[u8]| -> Result<String> {
        if bytes.len() < content.len() {
            Ok(format!("Some({})", write(suffix, bytes)?))
        } else {
            Ok("None".to_owned())
        }
    };
    let (identity, brotli) = (write("raw", content)?, variant("br", &brotli(content)?)?);
    let gzip = variant("gz", &gzip(content)?)?;
    let hashed = hashed_name(name, content)?;
    let mime = mime(name)?;
    writeln!(
        code,
        "    Asset {{ name: {name:?}, url: \"/static/{hashed}\", mime: {mime:?}, identity: {identity}, \
         brotli: {brotli}, gzip: {gzip} }},"
    )?;
    Ok(())
}

/// `app.css` → `app.0a1b2c3d.css`; what is named by its content keeps its name.
fn hashed_name(name: &str, content: &[u8]) -> Result<String> {
    let hash: String = Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (stem, extension) = name
        .rsplit_once('.')
        .ok_or_else(|| format!("static/{name} has no extension"))?;
    if name.starts_with(NAMED_BY_CONTENT) {
        let has_hash = stem.rsplit_once('.').is_some_and(|(_, digits)| {
            digits.len() == HASH_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        return if has_hash {
            Ok(name.to_owned())
        } else {
            Err(format!("static/{name} has no hash in its name; see vite-islands/vite.config.ts").into())
        };
    }
    Ok(format!("{stem}.{}.{extension}", &hash[..HASH_DIGITS]))
}

fn mime(name: &str) -> Result<&'static str> {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        _ => Err(format!("static/{name}: say in build.rs which type it has").into()),
    }
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}
