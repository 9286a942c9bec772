//! The answer to a push, taken apart and told bit by bit (gitprotocol-pack(5), "side-band-64k" and "report status").
//!
//! It is a row of pkt-lines whose first byte is the band: 1 the report, 2 text that git shows after `remote:`, 3 a
//! fatal error; it ends with a flush packet. The report is itself a row of pkt-lines: `unpack ok`, then `ok REF` or
//! `ng REF REASON` for each branch. Dhow holds it back until it is known whether the push is good.

const FLUSH: &[u8] = b"0000";
/// A packet of the older side-band holds 999 bytes; both kinds take this.
const MAX_TEXT_BYTES: usize = 900;

/// Nothing, on the report's band: shows that the connection lives, as git itself does (receive.keepAlive).
pub(super) const ALIVE: &[u8] = b"0005\x01";

/// An answer whose report is held back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// What git has to say besides, as packets.
    pub(super) remarks: Vec<u8>,
    report: Vec<u8>,
}

impl Held {
    /// Takes an answer apart; one without bands is given back.
    pub(super) fn parse(answer: Vec<u8>) -> Result<Self, Vec<u8>> {
        let mut held = Self {
            remarks: Vec::new(),
            report: Vec::new(),
        };
        let mut rest = answer.as_slice();
        loop {
            match split_packet(rest) {
                Some((None, b"")) if !held.report.is_empty() => return Ok(held),
                Some((Some([1, text @ ..]), after)) => {
                    held.report.extend_from_slice(text);
                    rest = after;
                }
                Some((Some([2 | 3, ..]), after)) => {
                    held.remarks.extend_from_slice(&rest[..rest.len() - after.len()]);
                    rest = after;
                }
                _ => return Err(answer),
            }
        }
    }

    /// The report as git made it, and the end of the answer.
    pub(super) fn release(&self) -> Vec<u8> {
        end(&self.report)
    }

    /// The report with a branch refused, and the end of the answer.
    pub(super) fn refuse(&self, branch: &str, reason: &str) -> Vec<u8> {
        let taken = format!("ok refs/heads/{branch}");
        let refused = clean(&format!("ng refs/heads/{branch} {reason}"));
        let (mut report, mut rest, mut is_refused) = (Vec::new(), self.report.as_slice(), false);
        while let Some((Some(line), after)) = split_packet(rest) {
            let text = line.trim_ascii_end();
            // What follows an `ok` as its options (report-status-v2) has no meaning after an `ng`.
            if text == taken.as_bytes() {
                is_refused = true;
                report.extend_from_slice(format!("{:04x}{refused}\n", refused.len() + 5).as_bytes());
            } else if !(is_refused && text.starts_with(b"option ")) {
                is_refused = false;
                report.extend_from_slice(&rest[..rest.len() - after.len()]);
            }
            rest = after;
        }
        report.extend_from_slice(FLUSH);
        end(&report)
    }
}

/// A line for the pusher.
pub(super) fn remark(line: &str) -> Vec<u8> {
    packet(2, format!("{}\n", clean(line)).as_bytes())
}

/// The end of an answer that cannot be given: git shows the text and fails.
pub(super) fn fatal(text: &str) -> Vec<u8> {
    [packet(3, format!("{}\n", clean(text)).as_bytes()), FLUSH.to_vec()].concat()
}

fn end(report: &[u8]) -> Vec<u8> {
    let mut packets: Vec<u8> = report.chunks(MAX_TEXT_BYTES).flat_map(|part| packet(1, part)).collect();
    packets.extend_from_slice(FLUSH);
    packets
}

/// The four digits of length count themselves and the band too.
fn packet(band: u8, text: &[u8]) -> Vec<u8> {
    let mut packet = format!("{:04x}", text.len() + 5).into_bytes();
    packet.push(band);
    packet.extend_from_slice(text);
    packet
}

/// The first packet's content, `None` for a flush, and what follows it.
fn split_packet(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, after) = bytes.split_at_checked(4)?;
    if length == FLUSH {
        return Some((None, after));
    }
    let length = usize::from_str_radix(std::str::from_utf8(length).ok()?, 16).ok()?;
    let (content, after) = after.split_at_checked(length.checked_sub(4)?)?;
    Some((Some(content), after))
}

/// Text without what a terminal would obey: colours (CSI sequences) and other control characters.
fn clean(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' && characters.next_if_eq(&'[').is_some() {
            while characters.next().is_some_and(|next| !matches!(next, '@'..='~')) {}
        } else if text.len() + character.len_utf8() > MAX_TEXT_BYTES {
            break;
        } else if !character.is_control() {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_report_is_held_back_and_released_as_it_was() {
        // The report ends with a flush of its own.
        let answer = b"002e\x01000eunpack ok\n0017ok refs/heads/main\n0000000b\x02hello\n0000";
        let held = Held::parse(answer.to_vec()).unwrap();
        assert_eq!(held.remarks, b"000b\x02hello\n");
        assert_eq!(
            text(held.release()),
            "002e\x01000eunpack ok\n0017ok refs/heads/main\n00000000"
        );
    }

    #[test]
    fn a_refused_branch_is_named_with_the_reason_and_others_stay() {
        let report =
            "000eunpack ok\n0017ok refs/heads/main\n0011option old-x\n0018ok refs/heads/other\n0011option old-y\n0000";
        let answer = text(packet(1, report.as_bytes())) + "0000";
        let refused = Held::parse(answer.into_bytes()).unwrap().refuse("main", "it\nfailed");
        assert_eq!(
            text(refused),
            text(packet(
                1,
                b"000eunpack ok\n0020ng refs/heads/main itfailed\n0018ok refs/heads/other\n0011option old-y\n0000"
            )) + "0000"
        );
    }

    #[test]
    fn lines_hold_nothing_that_a_terminal_obeys() {
        assert_eq!(
            text(remark("a\u{1b}[31;1mred\u{1b}[0m\u{1b}]0;title\u{7}\r\n")),
            "0012\x02ared]0;title\n"
        );
        assert_eq!(text(fatal("gone")), "000a\x03gone\n0000");
        let long = text(remark(&"é".repeat(1000)));
        assert!(long.contains(&format!("{:04x}\u{2}{}\n", 906, "é".repeat(450))));
    }

    #[test]
    fn an_answer_without_bands_is_given_back() {
        for answer in [
            &b""[..],
            b"0000",
            b"000eunpack ok\n0000",
            b"0013\x01000eunpack ok\n",
            b"0013\x01000eunpack ok\n0000more",
            b"0035\x01000eunpack ok\n0017ok refs/heads/main\n0000000b\x02hello\n0000",
            b"0003",
            b"zzzz",
            b"00ff\x01short0000",
        ] {
            assert_eq!(Held::parse(answer.to_vec()).unwrap_err(), answer);
        }
    }
}
