//! Signatures of webhooks: over the raw body, compared in constant time as bytes, so that the case of hexadecimal
//! digits does not matter and nothing is learnt from how long it takes.
//!
//! No time limit is put on `webhook-timestamp`: the other forges sign none, and a delivery that is sent again is known
//! by its id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::{is_same, random_bytes};
use crate::model::delivery::{Proof, Signature};

/// What the secrets of Standard Webhooks begin with; the rest is the key in Base64.
const PREFIX: &str = "whsec_";
/// Bytes of a key: a multiple of three, so that its Base64 needs no padding.
const KEY_BYTES: usize = 24;

/// A new secret. Every forge takes it as it is, and GitLab's signed webhooks know its form.
pub fn random_webhook_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(random_bytes::<KEY_BYTES>()))
}

/// Whether a request with this body was signed with the secret.
pub fn check_signature(secret: &str, proof: &Proof, body: &[u8]) -> Signature {
    let is_right = match proof {
        Proof::None => return Signature::Missing,
        Proof::Hmac(digits) => HEXLOWER_PERMISSIVE
            .decode(digits.as_bytes())
            .is_ok_and(|tag| is_signed(secret.as_bytes(), &[body], &tag)),
        Proof::Token(token) => is_same(secret, token),
        Proof::Standard {
            id,
            timestamp,
            signatures,
        } => is_standard(
            secret,
            &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body],
            signatures,
        ),
    };
    if is_right { Signature::Valid } else { Signature::Wrong }
}

/// Standard Webhooks 1.0, "Signature scheme".
fn is_standard(secret: &str, parts: &[&[u8]], signatures: &str) -> bool {
    let key = secret.strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|signature| STANDARD.decode(signature).ok())
        .any(|tag| is_signed(&key, parts, &tag))
}

fn is_signed(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    // The whole tag: a shortened one is as wrong as any other.
    mac.verify_slice(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation, "Validating webhook deliveries".
    const GITHUB: (&str, &[u8], &str) = (
        "It's a Secret to Everybody",
        b"Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    );
    /// The example of case wh-github-ping.
    const PING: (&str, &[u8], &str) = (
        "dhow-test-secret",
        br#"{"zen":"ok","hook_id":1,"repository":{"full_name":"acme/web"}}"#,
        "21cfddc88b40f752d5d54a0d4534e37f7cdab8a3378a1dc7cf71976e66e819ef",
    );

    #[test]
    fn known_signatures_fit_in_either_case_and_nothing_else_does() {
        for (secret, body, digits) in [GITHUB, PING] {
            let check = |digits: &str, body: &[u8]| check_signature(secret, &Proof::Hmac(digits.to_owned()), body);
            assert_eq!(check(digits, body), Signature::Valid);
            assert_eq!(check(&digits.to_uppercase(), body), Signature::Valid);
            assert_eq!(check(digits, &[body, b" "].concat()), Signature::Wrong);
            for wrong in [
                "",
                &digits[..62],
                &format!("{digits}00"),
                &digits.replace('7', "8"),
                "xyz",
            ] {
                assert_eq!(check(wrong, body), Signature::Wrong, "{wrong}");
            }
        }
    }

    #[test]
    fn a_token_must_be_the_secret_itself() {
        let check = |token: &str| check_signature("secret", &Proof::Token(token.to_owned()), b"");
        assert_eq!(check("secret"), Signature::Valid);
        assert_eq!(check("Secret"), Signature::Wrong);
        assert_eq!(check(""), Signature::Wrong);
        assert_eq!(check_signature("secret", &Proof::None, b""), Signature::Missing);
    }

    /// The example of the Standard Webhooks specification.
    #[test]
    fn a_standard_signature_covers_id_time_and_body() {
        let proof = |id: &str, signatures: &str| Proof::Standard {
            id: id.to_owned(),
            timestamp: "1614265330".to_owned(),
            signatures: signatures.to_owned(),
        };
        let (secret, id) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek");
        let (body, right) = (
            br#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        );
        assert_eq!(check_signature(secret, &proof(id, right), body), Signature::Valid);
        let several = format!("v1,AAAA v2,x {right}");
        assert_eq!(check_signature(secret, &proof(id, &several), body), Signature::Valid);
        assert_eq!(
            check_signature(secret, &proof("msg_other", right), body),
            Signature::Wrong
        );
        assert_eq!(check_signature(secret, &proof(id, &right[3..]), body), Signature::Wrong);
        assert_eq!(check_signature(secret, &proof(id, ""), body), Signature::Wrong);
    }

    #[test]
    fn a_new_secret_is_a_key_of_standard_webhooks() {
        let secret = random_webhook_secret();
        let key = STANDARD.decode(secret.strip_prefix(PREFIX).unwrap()).unwrap();
        assert_eq!(key.len(), KEY_BYTES);
        assert_ne!(secret, random_webhook_secret());
    }
}
