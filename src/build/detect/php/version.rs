//! Which PHP an app asks for.

use super::super::plain::major_minor;
use super::super::range::{self, Range};
use super::super::versions::{PHP, PHP_KNOWN};
use super::super::{Reason, Undetected};
use super::composer::Composer;

/// The version that the app and all its packages admit; what led to it goes to the reasons.
pub fn version(composer: Option<&Composer>, reasons: &mut Vec<Reason>) -> Result<(u32, u32), Undetected> {
    let Some(composer) = composer else {
        return Ok(PHP);
    };
    if let Some(platform) = &composer.platform {
        let version = major_minor(platform).filter(|version| *version >= PHP_KNOWN[0]);
        let version = version.ok_or_else(|| unsupported("composer.json", "config.platform.php", platform))?;
        reasons.push(Reason::new(
            "composer.json",
            format!(
                "config.platform.php {platform:?} asks for PHP {}.{}",
                version.0, version.1
            ),
        ));
        return Ok(version);
    }
    let mut ranges = Vec::new();
    for requirement in &composer.php {
        let name = requirement.package.as_deref().unwrap_or("require.php");
        let range = Range::composer(&requirement.constraint);
        match range {
            Some(range) if range::pick(std::slice::from_ref(&range), PHP, PHP_KNOWN).is_some() => ranges.push(range),
            None if requirement.package.is_some() => {}
            _ => return Err(unsupported(requirement.file, name, &requirement.constraint)),
        }
    }
    let Some(version) = range::pick(&ranges, PHP, PHP_KNOWN) else {
        return Err(Undetected::Incomplete(
            "composer.json and the packages in composer.lock ask for PHP versions that exclude each other. Run `composer \
             update` with the PHP that is meant"
                .to_owned(),
        ));
    };
    reasons.extend(why(composer, version));
    Ok(version)
}

fn why(composer: &Composer, (major, minor): (u32, u32)) -> Option<Reason> {
    let first = composer.php.first()?;
    let name = first.package.as_deref().unwrap_or("require.php");
    let means = match composer.php.len() {
        1 => format!("{name} {:?} admits PHP {major}.{minor}", first.constraint),
        _ => format!(
            "{name} {:?} and other packages admit PHP {major}.{minor}",
            first.constraint
        ),
    };
    Some(Reason::new(first.file, means))
}

fn unsupported(file: &str, what: &str, constraint: &str) -> Undetected {
    let (oldest, newest) = (PHP_KNOWN[0], PHP_KNOWN[PHP_KNOWN.len() - 1]);
    Undetected::Incomplete(format!(
        "{file} asks for a PHP that is not among {}.{} to {}.{} ({what:?}: {constraint:?}). Raise the requirement, or write \
         a Dockerfile",
        oldest.0, oldest.1, newest.0, newest.1
    ))
}
