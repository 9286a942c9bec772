//! The text of a dynamic file: JSON, which is YAML too, made safe for the two readers in front of Traefik's own.
//!
//! The file provider first runs Go templates over the text, then a YAML 1.1 parser. So `{{` never appears, and
//! characters that JSON allows and that parser refuses are escaped.

use serde::Serialize;

/// The value as the text of a dynamic file.
pub(super) fn dynamic_text(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).expect("maps with text keys and plain values always serialise");
    let mut text = String::with_capacity(json.len() + 1);
    for character in json.replace("{{", "{\\u007b").chars() {
        if is_refused_by_yaml(character) {
            text.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    text
}

/// Characters that stand as they are in JSON but are no `c-printable` (YAML 1.2.2, 5.1) or break a line (YAML 1.1).
fn is_refused_by_yaml(character: char) -> bool {
    matches!(
        character,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::dynamic_text;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn route_one_bad_file_kills_all_hostile_text_is_never_a_template() {
        for hostile in [
            "a: {{ env \"HOME\" }} #",
            "{{",
            "{{{",
            "{{{{{",
            "\\{{",
            "\"{{\"",
            "{\u{7f}{",
            "{%",
            "\r\n---\n{{",
        ] {
            let text = dynamic_text(&BTreeMap::from([(hostile, hostile)]));
            assert!(!text.contains("{{"), "{text}");
            let read: BTreeMap<String, String> = serde_json::from_str(&text).expect("still JSON");
            assert_eq!(read, BTreeMap::from([(hostile.to_owned(), hostile.to_owned())]));
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_never_opens_a_template(key in "\\PC*|[{}\\\\\"\u{7f}-\u{9f}]*", value in any::<String>()) {
            let text = dynamic_text(&BTreeMap::from([(&key, &value)]));
            prop_assert!(!text.contains("{{"));
            prop_assert!(!text.chars().any(super::is_refused_by_yaml));
            let read: BTreeMap<String, String> = serde_json::from_str(&text).expect("still JSON");
            prop_assert_eq!(read, BTreeMap::from([(key, value)]));
        }
    }
}
