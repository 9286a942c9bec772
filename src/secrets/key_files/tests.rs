use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn the_key_file_is_private_and_stays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.key");
    let first = SecretKey::open(&path, None).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = SecretKey::open(&path, Some(&first.fingerprint())).unwrap();
    assert_eq!(first.derive_password("proxy"), again.derive_password("proxy"));
    assert_ne!(first.derive_password("proxy"), first.derive_password("other"));
    fs::write(&path, b"short").unwrap();
    assert!(SecretKey::open(&path, None).is_err());
}

#[test]
fn a_first_start_that_was_broken_off_in_the_middle_of_the_key_is_made_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.key");
    fs::write(dir.path().join("secret.key.new"), b"").unwrap();
    let key = SecretKey::open(&path, None).unwrap();
    assert_eq!(fs::read(&path).unwrap().len(), 32);
    assert!(!dir.path().join("secret.key.new").exists(), "it became the key");
    assert_eq!(SecretKey::open(&path, None).unwrap().fingerprint(), key.fingerprint());
}

#[test]
fn a_kill_at_any_moment_of_a_rotation_is_made_good_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.key");
    let new_path = dir.path().join("secret.key.new");
    let old = SecretKey::open(&path, None).unwrap().fingerprint();

    // While the new key was being written, and before the transaction was committed.
    fs::write(&new_path, b"half").unwrap();
    assert_eq!(SecretKey::open(&path, Some(&old)).unwrap().fingerprint(), old);
    assert!(!new_path.exists());
    drop(Rotation::begin(KeyLock::wait(&path).unwrap(), &old).unwrap());
    assert!(new_path.exists());
    assert_eq!(SecretKey::open(&path, Some(&old)).unwrap().fingerprint(), old);
    assert!(!new_path.exists());

    // After the commit, before the rename; then after everything.
    let rotation = Rotation::begin(KeyLock::wait(&path).unwrap(), &old).unwrap();
    let new = rotation.new_key().fingerprint();
    drop(rotation);
    assert_eq!(SecretKey::open(&path, Some(&new)).unwrap().fingerprint(), new);
    assert!(!new_path.exists());
    assert_eq!(SecretKey::open(&path, Some(&new)).unwrap().fingerprint(), new);
    assert!(SecretKey::open(&path, Some(&old)).is_err(), "the old key is gone");
}

#[test]
fn what_root_makes_belongs_to_the_directory_s_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.key");
    // Somebody else's where the tests run as root, one's own where they do not.
    let _only_root_may = std::os::unix::fs::chown(dir.path(), Some(4321), Some(4321));
    let owner = fs::metadata(dir.path()).unwrap().uid();
    let fingerprint = SecretKey::open(&path, None).unwrap().fingerprint();
    let _new = Rotation::begin(KeyLock::wait(&path).unwrap(), &fingerprint).unwrap();
    for name in ["secret.key", "secret.key.new", "secret.key.lock"] {
        assert_eq!(fs::metadata(dir.path().join(name)).unwrap().uid(), owner, "{name}");
    }
}

#[test]
fn with_the_wrong_key_or_none_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.key");
    let right = SecretKey::open(&path, None).unwrap().fingerprint();
    fs::write(&path, [7; 32]).unwrap();
    fs::write(dir.path().join("secret.key.new"), [8; 32]).unwrap();
    assert!(matches!(
        SecretKey::open(&path, Some(&right)),
        Err(Error::WrongKey { .. })
    ));
    assert_eq!(fs::read(&path).unwrap(), [7; 32]);
    assert_eq!(fs::read(dir.path().join("secret.key.new")).unwrap(), [8; 32]);
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        SecretKey::open(&path, Some(&right)),
        Err(Error::KeyMissing { .. })
    ));
    assert!(!path.exists());
}
