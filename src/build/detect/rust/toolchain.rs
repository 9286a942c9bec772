//! Which Rust a source asks for: <https://rust-lang.github.io/rustup/overrides.html>.

use toml::Table;

use super::super::draft::Draft;
use super::super::{Tree, Undetected, manifest, versions};

/// The image, and the file that `rustup` reads in it, when there is one.
#[derive(Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The version as the image's tag has it.
    pub version: String,
    /// The file that names a toolchain.
    pub file: Option<&'static str>,
}

/// Reads the toolchain file, else `rust-version`, which is only the oldest that will do.
pub fn choose(draft: &mut Draft, tree: &Tree, package: Option<&Table>) -> Result<Toolchain, Undetected> {
    let Some(file) = tree.first(&["rust-toolchain.toml", "rust-toolchain"]) else {
        return Ok(without_file(draft, tree, package));
    };
    let text = tree.text(file).unwrap_or_default();
    let is_name = file == "rust-toolchain" && !text.contains('[');
    let channel = if is_name {
        Some(text.trim().to_owned())
    } else {
        channel(&manifest::toml(tree, file)?)
    };
    let Some(channel) = channel.filter(|channel| manifest::is_word(channel)) else {
        return Err(Undetected::Incomplete(format!(
            "{file} names no toolchain: write a channel such as \"stable\" or \"1.85.0\", or delete the file"
        )));
    };
    let version = image_version(&channel);
    draft.because(
        file,
        format!("asks for Rust {channel}, which rustup loads where the image has another"),
    );
    Ok(Toolchain {
        version,
        file: Some(file),
    })
}

fn without_file(draft: &mut Draft, tree: &Tree, package: Option<&Table>) -> Toolchain {
    let oldest = package.and_then(|package| package.get("rust-version")?.as_str());
    let named = manifest::tool_version(tree, &["rust"]).filter(|version| image_version(version) == *version);
    let version = if let Some(version) = named {
        draft.because(".tool-versions", format!("asks for Rust {version}"));
        version
    } else {
        let means = match oldest {
            Some(oldest) => format!("Rust {} or later will do, so it is the newest", manifest::shown(oldest)),
            None => "asks for no version of Rust, so it is the newest".to_owned(),
        };
        draft.because("Cargo.toml", means);
        versions::RUST.to_owned()
    };
    Toolchain { version, file: None }
}

fn channel(table: &Option<Table>) -> Option<String> {
    let channel = table.as_ref()?.get("toolchain")?.get("channel")?;
    channel.as_str().map(str::to_owned)
}

/// The tag for a channel: a full version has its own image on [`versions::DEBIAN`], unless it is older than that.
fn image_version(channel: &str) -> String {
    match manifest::numbers(channel).as_deref() {
        Some([1, minor, _]) if *minor >= versions::RUST_OLDEST_MINOR => channel.to_owned(),
        _ => versions::RUST.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::image_version;

    #[test]
    fn a_full_version_has_its_own_image_and_others_the_newest() {
        for (channel, expected) in [
            ("1.85.0", "1.85.0"),
            ("1.85", "1"),
            ("1.60.0", "1"),
            ("stable", "1"),
            ("nightly-2026-01-01", "1"),
            ("1.85.0 AS x", "1"),
        ] {
            assert_eq!(image_version(channel), expected, "{channel}");
        }
    }
}
