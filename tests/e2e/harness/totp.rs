//! An authenticator app: what a phone shows for a secret (RFC 6238 with its usual choices).

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use sha1::Sha1;

/// The secret as the page shows it, its groups with or without spaces.
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    pub fn new(secret: &str) -> Self {
        let letters: String = secret.chars().filter(|c| !c.is_whitespace()).collect();
        Self(data_encoding::BASE32_NOPAD.decode(letters.as_bytes()).unwrap())
    }

    /// The present step, in 30 s since 1970.
    pub fn step() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30
    }

    pub fn code(&self, step: u64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).unwrap();
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = (digest[digest.len() - 1] & 15) as usize;
        let number = digest[at..at + 4]
            .iter()
            .fold(0_u64, |all, &byte| all << 8 | u64::from(byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }
}
