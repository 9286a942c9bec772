//! Which Elixir and which Erlang/OTP a source asks for, and the Debian release that their image is built on.

use super::super::draft::Draft;
use super::super::{Tree, manifest, versions};

/// The two versions, as an image's tag has them.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    /// Elixir's.
    pub elixir: String,
    /// Erlang/OTP's major one.
    pub otp: u32,
}

impl Version {
    /// The official image with both.
    pub fn image(&self) -> String {
        format!("elixir:{}-otp-{}", self.elixir, self.otp)
    }

    /// Debian's release below that image: a release runs with the libraries that it was built with. By the Dockerfiles
    /// of the official `erlang` image, one a major version. None is a release whose archive is near its end: the image
    /// itself has the libraries, and a newer Debian lacks the OpenSSL that they load.
    pub fn debian(&self) -> Option<&'static str> {
        match self.otp {
            ..=25 => None,
            26..=28 => Some("bookworm"),
            _ => Some("trixie"),
        }
    }
}

/// Reads `.tool-versions`, else what `mix.exs` asks for.
pub fn choose(draft: &mut Draft, tree: &Tree, asked: Option<&str>) -> Version {
    let otp = manifest::tool_version(tree, &["erlang"]).and_then(|version| first_number(&version));
    if let Some(text) = manifest::tool_version(tree, &["elixir"])
        && let Some((elixir, with)) = named(&text)
    {
        let otp = with.or(otp).unwrap_or_else(|| otp_for(minor_of(&elixir)));
        draft.because(
            ".tool-versions",
            format!("asks for Elixir {elixir} with Erlang/OTP {otp}"),
        );
        return Version { elixir, otp };
    }
    let minor = asked.map_or(versions::ELIXIR_MINOR, minor_for);
    let otp = otp.unwrap_or_else(|| otp_for(minor));
    let means = match asked {
        Some(asked) => format!(
            "Elixir `{}` allows 1.{minor}, with Erlang/OTP {otp}",
            manifest::shown(asked)
        ),
        None => format!("asks for no version of Elixir, so it is 1.{minor} with Erlang/OTP {otp}"),
    };
    draft.because("mix.exs", means);
    Version {
        elixir: format!("1.{minor}"),
        otp,
    }
}

/// `1.18.4-otp-27` → `1.18.4` and 27.
fn named(text: &str) -> Option<(String, Option<u32>)> {
    let (elixir, otp) = text
        .split_once("-otp-")
        .map_or((text, None), |(elixir, otp)| (elixir, otp.parse().ok()));
    let numbers = manifest::numbers(elixir)?;
    (numbers.len() > 1 && numbers[0] == 1).then(|| (elixir.to_owned(), otp))
}

fn first_number(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

fn minor_of(version: &str) -> u32 {
    manifest::numbers(version)
        .and_then(|numbers| numbers.get(1).copied())
        .unwrap_or(versions::ELIXIR_MINOR)
}

/// The default where the requirement allows it: `~> 1.15` does, `~> 1.15.0` means 1.15 alone.
fn minor_for(requirement: &str) -> u32 {
    let digits = requirement
        .find(|letter: char| letter.is_ascii_digit())
        .unwrap_or(requirement.len());
    let (operator, rest) = requirement.split_at(digits);
    let number = rest.split([' ', '-']).next().unwrap_or_default();
    let Some(numbers) = manifest::numbers(number).filter(|numbers| numbers.len() > 1) else {
        return versions::ELIXIR_MINOR;
    };
    let is_alone = match operator.trim() {
        "~>" => numbers.len() == 3,
        "" | "==" => true,
        _ => false,
    };
    if is_alone {
        numbers[1]
    } else {
        numbers[1].max(versions::ELIXIR_MINOR)
    }
}

fn otp_for(minor: u32) -> u32 {
    let newest = versions::OTP[versions::OTP.len() - 1].1;
    versions::OTP
        .iter()
        .find(|(elixir, _)| *elixir == minor)
        .map_or(newest, |(_, otp)| *otp)
}

#[cfg(test)]
mod tests {
    use super::{Version, minor_for, named};

    #[test]
    fn requirements_allow_the_default_or_name_their_own() {
        for (requirement, expected) in [
            ("~> 1.15", 19),
            ("~> 1.15.0", 15),
            (">= 1.14.0", 19),
            ("1.17.2", 17),
            ("== 1.16.3", 16),
            ("~> 1.20", 20),
            ("~> 1.18.0-rc.0", 18),
            ("$(id)", 19),
            ("", 19),
        ] {
            assert_eq!(minor_for(requirement), expected, "{requirement}");
        }
    }

    #[test]
    fn tool_versions_are_read_with_their_erlang() {
        assert_eq!(named("1.18.4-otp-27"), Some(("1.18.4".to_owned(), Some(27))));
        assert_eq!(named("1.18"), Some(("1.18".to_owned(), None)));
        assert_eq!(named("main-otp-27"), None);
        assert_eq!(named("1.18 AS x"), None);
    }

    #[test]
    fn the_image_and_debian_follow_the_versions() {
        let version = |otp| Version {
            elixir: "1.18".to_owned(),
            otp,
        };
        assert_eq!(version(27).image(), "elixir:1.18-otp-27");
        assert_eq!(
            [25, 26, 28, 29].map(|otp| version(otp).debian()),
            [None, Some("bookworm"), Some("bookworm"), Some("trixie")]
        );
    }
}
