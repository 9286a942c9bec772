//! Percent codes (RFC 3986, section 2.1): `%20` is a space.

/// Percent codes resolved.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(code(rest).ok_or_else(|| no_code(text))?);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Ok(bytes)
}

/// The byte of the percent code that a text begins with.
pub(super) fn code(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// Why a text cannot be read.
pub(super) fn no_code(text: &str) -> String {
    format!("`{text}` has a percent sign with no two hexadecimal digits behind it: write %25 for the sign itself")
}
