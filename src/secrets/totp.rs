//! Codes of authenticator apps (TOTP, RFC 6238: HMAC-SHA-1, six digits, steps of 30 s) and recovery codes.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

use super::{Error, hash_token, is_same, random_bytes};
use crate::model::time::Timestamp;

/// Length of a step in milliseconds.
const STEP_MS: i64 = 30_000;
/// Bytes of a secret; RFC 4226 §4 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// What a user's authenticator app shares with Dhow; never printed.
#[derive(Clone)]
pub struct TotpSecret([u8; SECRET_BYTES]);

impl TotpSecret {
    /// A new one.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// From its text; `Error::Unreadable` for anything that [`TotpSecret::to_text`] did not make.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| Error::Unreadable)?;
        bytes.try_into().map(Self).map_err(|_| Error::Unreadable)
    }

    /// The text that apps take (Base32, RFC 4648 §6).
    pub fn to_text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// The step, in 30 s since 1970, whose code this is: the present one, or its neighbour for a clock that is a little
    /// off. `None` for any other code.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let present = now.as_millis().div_euclid(STEP_MS);
        let mut found = None;
        // All three are compared, whichever fits: the time tells nothing.
        for step in [present - 1, present, present + 1] {
            if is_same(&self.code(step), code) {
                found = Some(step);
            }
        }
        found
    }

    /// RFC 4226 §5.3.
    fn code(&self, step: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest[19] & 0xf);
        let four = [digest[at] & 0x7f, digest[at + 1], digest[at + 2], digest[at + 3]];
        format!("{:06}", u32::from_be_bytes(four) % 1_000_000)
    }
}

/// A code that replaces the app once, for paper: 80 random bits as four groups of four.
pub fn recovery_code() -> String {
    let text = BASE32_NOPAD.encode(&random_bytes::<10>()).to_lowercase();
    let (a, b, c, d) = (&text[..4], &text[4..8], &text[8..12], &text[12..]);
    format!("{a}-{b}-{c}-{d}")
}

/// The hash under which a recovery code is stored, however its groups and letters are typed.
pub fn hash_recovery_code(code: &str) -> Vec<u8> {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    hash_token(&letters.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret(*b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(seconds / 30), code);
            let now = Timestamp::from_millis(seconds * 1_000);
            assert_eq!(secret.step_of(code, now), Some(seconds / 30));
            assert_eq!(secret.step_of(code, now.plus_seconds(30)), Some(seconds / 30));
            assert_eq!(secret.step_of(code, now.plus_seconds(-30)), Some(seconds / 30));
            assert_eq!(secret.step_of(code, now.plus_seconds(60)), None);
            assert_eq!(secret.step_of(code, now.plus_seconds(-60)), None);
        }
        assert_eq!(secret.step_of("28708", Timestamp::from_millis(59_000)), None);
    }

    #[test]
    fn a_secret_is_read_from_its_text_alone() {
        let secret = TotpSecret::random();
        assert_eq!(TotpSecret::parse(&secret.to_text()).unwrap().0, secret.0);
        for bad in ["", "MFRGG", "not base32!", &secret.to_text().to_lowercase()] {
            assert!(TotpSecret::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_recovery_code_may_be_typed_carelessly() {
        let code = recovery_code();
        assert_eq!(code.len(), 19);
        let careless = format!(" {} ", code.to_uppercase().replace('-', " "));
        assert_eq!(hash_recovery_code(&careless), hash_recovery_code(&code));
        assert_ne!(recovery_code(), code);
    }
}
