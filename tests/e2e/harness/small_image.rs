//! What an image that a good engineer made holds, and what it does not.

use super::dhow::Dhow;
use super::docker::{docker, inspect, try_docker};

/// What belongs in no image, by its name: history, secrets, what package managers keep, what a build was told with.
const LEFT_OUT: [&str; 6] = [".git", ".env", ".npm", ".cache", ".dhow", ".dhow.Dockerfile"];

/// An app's instance runs as somebody without rights, and its image holds neither these programs nor what builds leave.
/// Answers the size of the image in bytes.
#[track_caller]
pub fn is_small_and_safe(dhow: &Dhow, app: &str, absent: &[&str]) -> u64 {
    let container = dhow.containers_of(app).remove(0);
    let config = inspect("container", &container);
    let user = config["Config"]["User"].as_str().unwrap();
    assert!(!["", "root", "0"].contains(&user), "{app} runs as '{user}'");
    assert_ne!(docker(&["exec", &container, "id", "-u"]), "0", "{app} runs as root");
    let found = docker(&["exec", "--user=0", &container, "find", "/", "-xdev"]);
    let left: Vec<&str> = found
        .lines()
        .filter(|path| LEFT_OUT.contains(&path.rsplit('/').next().unwrap_or_default()))
        .collect();
    assert!(found.lines().count() > 100, "the files were looked at: {found}");
    assert!(left.is_empty(), "{app} holds {left:?}");
    for program in absent {
        let command = format!("command -v {program}");
        let found = try_docker(&["exec", &container, "sh", "-c", &command]);
        assert!(found.is_err(), "{app} holds {found:?}");
    }
    let image = inspect("image", config["Image"].as_str().unwrap());
    image["Size"].as_u64().unwrap()
}
