//! The key that seals what is stored: another one, or none, is noticed before anything is lost.

use std::fs;

use crate::harness::dhow::Dhow;

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_key_nothing_is_started_and_nothing_overwritten() {
    let mut dhow = Dhow::start().await;
    dhow.terminate().await;
    let key = dhow.data_file("secret.key");
    let right = fs::read(&key).unwrap();

    fs::write(&key, [7; 32]).unwrap();
    let line = dhow.refuse_again().await.one_line().to_owned();
    assert!(line.contains("secret.key") && line.contains("right one"), "{line}");
    assert_eq!(fs::read(&key).unwrap(), [7; 32], "it is left as it is");

    fs::remove_file(&key).unwrap();
    let line = dhow.refuse_again().await.one_line().to_owned();
    assert!(line.contains("secret.key") && line.contains("missing"), "{line}");
    assert!(!key.exists(), "no other key is made");

    fs::write(&key, right).unwrap();
    dhow.start_again().await;
}
