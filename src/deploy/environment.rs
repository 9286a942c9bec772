//! The environment of instances: what Dhow itself tells them, and the proof that all of it arrived as it was set.
//!
//! Dhow's own variables are computed at each start and never frozen into a release: an address changes without one.

use super::{Context, DeployError, routes};
use crate::docker::Engine;
use crate::model::app::App;
use crate::model::container::ContainerSpec;
use crate::model::release::Release;

/// The variables that Dhow sets: `PORT`, and `DHOW_APP`, `DHOW_PROJECT`, `DHOW_COMMIT` and `DHOW_URL` where they have a
/// value. Builds do not get them, since they would never be taken from the cache.
pub async fn reserved(context: &Context, app: &App, release: &Release) -> Result<Vec<(String, String)>, DeployError> {
    let commit = release.commit.as_ref().map(|commit| commit.sha.clone());
    let own = [
        ("PORT", Some(release.run.port.get().to_string())),
        ("DHOW_APP", Some(app.slug.to_string())),
        ("DHOW_PROJECT", Some(app.project_slug.to_string())),
        ("DHOW_COMMIT", commit),
        ("DHOW_URL", routes::first_address(context, app).await?),
    ];
    let given = own.into_iter();
    Ok(given
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect())
}

/// Reads a container's variables back through the engine. The error names the first that differs.
pub async fn confirm(engine: &Engine, spec: &ContainerSpec) -> Result<(), DeployError> {
    let found = engine.container_environment(&spec.name).await?;
    match first_difference(&spec.env, &found) {
        Some(key) => Err(DeployError::VariableDiffers { key: key.to_owned() }),
        None => Ok(()),
    }
}

/// The first of the given variables that is not there exactly once, byte for byte. Others, as an image brings, are fine.
fn first_difference<'a>(given: &'a [(String, String)], found: &[String]) -> Option<&'a str> {
    let differs = |(key, value): &&(String, String)| {
        let mut with_key = found
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .filter(|(found, _)| found == key);
        with_key.next().map(|(_, found)| found) != Some(value) || with_key.next().is_some()
    };
    given.iter().find(differs).map(|(key, _)| key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_differs_in_any_way_is_named() {
        let given = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let set = given(&[("A", "a=b\n\"c\" "), ("EMPTY", "")]);
        let cases: [(&[&str], Option<&str>); 8] = [
            (&["PATH=/bin", "A=a=b\n\"c\" ", "EMPTY="], None),
            (&["EMPTY=", "A=a=b\n\"c\" "], None),
            (&["A=a=b\n\"c\"", "EMPTY="], Some("A")),
            (&["A=a=b\r\n\"c\" ", "EMPTY="], Some("A")),
            (&["EMPTY="], Some("A")),
            (&["A=a=b\n\"c\" "], Some("EMPTY")),
            (&["A=a=b\n\"c\" ", "EMPTY"], Some("EMPTY")),
            (&["A=a=b\n\"c\" ", "EMPTY=", "A=other"], Some("A")),
        ];
        for (found, expected) in cases {
            let found: Vec<String> = found.iter().map(|pair| (*pair).to_owned()).collect();
            assert_eq!(first_difference(&set, &found), expected, "{found:?}");
        }
        assert_eq!(first_difference(&[], &["PATH=/bin".to_owned()]), None);
    }
}
