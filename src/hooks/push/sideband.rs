//! Lines for the pusher, put into git's own answer (gitprotocol-pack(5), "side-band-64k").
//!
//! The answer to a push is a row of pkt-lines whose first byte is the band: 1 the report, 2 text that git shows after
//! `remote:`, 3 a fatal error. It ends with a flush packet.

const FLUSH: &[u8] = b"0000";
/// A packet of the older side-band holds 999 bytes; both kinds take this.
const MAX_LINE_BYTES: usize = 900;

/// Adds lines for the pusher before the end of the answer. An answer without bands is left as it is.
pub(super) fn add_lines(mut answer: Vec<u8>, lines: &[String]) -> Vec<u8> {
    if lines.is_empty() || !has_bands(&answer) {
        return answer;
    }
    answer.truncate(answer.len() - FLUSH.len());
    for line in lines {
        let text = clean(line);
        // Four digits of length count themselves, the band and the newline too.
        answer.extend_from_slice(format!("{:04x}\u{2}{text}\n", text.len() + 6).as_bytes());
    }
    answer.extend_from_slice(FLUSH);
    answer
}

fn has_bands(answer: &[u8]) -> bool {
    let mut rest = answer;
    loop {
        let Some((length, after)) = rest.split_at_checked(4) else {
            return false;
        };
        if length == FLUSH {
            return after.is_empty() && rest.len() < answer.len();
        }
        let length = std::str::from_utf8(length)
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let Some((packet, after)) = length.and_then(|length| after.split_at_checked(length.checked_sub(4)?)) else {
            return false;
        };
        if !matches!(packet.first(), Some(1..=3)) {
            return false;
        }
        rest = after;
    }
}

fn clean(line: &str) -> String {
    let mut text = String::new();
    for character in line.chars().filter(|character| !character.is_control()) {
        if text.len() + character.len_utf8() > MAX_LINE_BYTES {
            break;
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(answer: &[u8], lines: &[&str]) -> String {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        String::from_utf8(add_lines(answer.to_vec(), &lines)).unwrap()
    }

    #[test]
    fn lines_come_before_the_end() {
        let answer = b"0013\x01000eunpack ok\n000b\x02hello\n0000";
        let told = add(answer, &["Deployment 3 queued.", "é\u{1b}\nx"]);
        assert_eq!(
            told,
            "0013\x01000eunpack ok\n000b\x02hello\n001a\x02Deployment 3 queued.\n0009\x02éx\n0000"
        );
        let long = add(answer, &["é".repeat(1000).as_str()]);
        assert!(long.contains(&format!("{:04x}\u{2}{}\n", 906, "é".repeat(450))));
    }

    #[test]
    fn an_answer_without_bands_is_left_alone() {
        for answer in [
            &b""[..],
            b"0000",
            b"000eunpack ok\n0000",
            b"0013\x01000eunpack ok\n",
            b"0013\x01000eunpack ok\n0000more",
            b"0003",
            b"zzzz",
            b"00ff\x01short0000",
        ] {
            assert_eq!(add(answer, &["x"]).as_bytes(), answer);
        }
    }
}
