//! What an image that a good engineer made holds, and what it does not.

use super::dhow::Dhow;
use super::docker::{docker, inspect, try_docker};

/// What belongs in no image, by its name: history, secrets, what package managers keep, what Dhow wrote for the build.
const LEFT_OUT: [&str; 5] = [".git", ".env.local", ".npm", ".cache", ".dhow"];
/// The engine takes a Dockerfile in the context alone, where `COPY .` sees it; nobody in the image may read it.
const DOCKERFILE: &str = ".dhow.Dockerfile";

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
    assert!(found.lines().count() > 100, "the files were looked at: {found}");
    for path in found.lines() {
        let name = path.rsplit('/').next().unwrap_or_default();
        assert!(!LEFT_OUT.contains(&name), "{app} holds {path}");
        let is_readable = || try_docker(&["exec", &container, "test", "-r", path]).is_ok();
        assert!(name != DOCKERFILE || !is_readable(), "{app} can read {path}");
    }
    for program in absent {
        let command = format!("command -v {program}");
        let found = try_docker(&["exec", &container, "sh", "-c", &command]);
        assert!(found.is_err(), "{app} holds {found:?}");
    }
    let image = inspect("image", config["Image"].as_str().unwrap());
    image["Size"].as_u64().unwrap()
}
