//! Sequences that are kept, those that are dropped, and what nobody should send.

use super::*;

/// The spans as `text` or `class{text}`.
fn shown(line: &str) -> String {
    let show = |Span { class, text }| {
        if class.is_empty() {
            text
        } else {
            format!("{class}{{{text}}}")
        }
    };
    spans(line).into_iter().map(show).collect()
}

#[test]
fn colours_are_kept_and_all_other_sequences_are_dropped() {
    let cases = [
        ("plain\ttext", "plain\ttext"),
        ("", ""),
        ("\u{1b}[31mred\u{1b}[0m x", "ansi-red{red} x"),
        (
            "\u{1b}[1;92mok\u{1b}[22m still\u{1b}[m",
            "ansi-bold ansi-green{ok}ansi-green{ still}",
        ),
        (
            "\u{1b}[2;3;4;44mx",
            "ansi-dim ansi-italic ansi-underline ansi-bg-blue{x}",
        ),
        ("\u{1b}[7;31mx\u{1b}[27my", "ansi-bg-red{x}ansi-red{y}"),
        (
            "\u{1b}[38;5;196mx\u{1b}[38;2;20;200;30my\u{1b}[38;5;240mz",
            "ansi-red{x}ansi-green{y}z",
        ),
        ("\u{1b}[38:2:20:40:200mx\u{1b}[39my", "ansi-blue{x}y"),
        ("\u{9b}31mx", "ansi-red{x}"),
        ("a\u{1b}[2Jb\u{1b}[10;5Hc\u{1b}[?25ld\u{1b}[>0me", "abcde"),
        ("\u{1b}]8;;javascript:alert(1)\u{7}x\u{1b}]8;;\u{7}", "x"),
        ("\u{1b}]0;title\u{1b}\\x\u{1b}Pq;data\u{9c}y\u{1b}(Bz", "xyz"),
        ("a\u{1b}]8;;never ended", "a"),
        ("a\u{0}b\u{7}c\u{7f}d\u{85}e\u{b}f", "abcdef"),
        ("|\u{8}/\u{8}-", "-"),
        ("end\u{1b}", "end"),
        ("end\u{1b}[", "end"),
        ("\u{1b}[99999999999mx\u{1b}[38;5mx\u{1b}[38;2;1mx", "xxx"),
        ("<script>alert(1)</script>&amp;", "<script>alert(1)</script>&amp;"),
        ("\u{1b}[31<b>m", ">m"),
    ];
    for (line, expected) in cases {
        assert_eq!(shown(line), expected, "{line:?}");
    }
}

#[test]
fn a_line_that_redraws_itself_shows_its_last_state() {
    assert_eq!(shown("p 10%\rp 50%\rp 100%"), "p 100%");
    assert_eq!(shown("p 50%\r"), "p 50%");
    assert_eq!(shown("windows\r"), "windows");
    assert_eq!(shown("\r\rdata: forged\r\r"), "data: forged");
}

#[test]
fn a_huge_line_is_cut_in_its_middle() {
    let line = format!("{}END", "é".repeat(1_000_000));
    let shown = shown(&line);
    assert!(shown.len() < 2 * LONGEST_LINE, "{}", shown.len());
    assert!(shown.starts_with("ééé") && shown.ends_with("éEND") && shown.contains("bytes of this line are not shown"));
}

#[test]
fn no_control_character_survives_whatever_comes() {
    proptest::proptest!(|(line in "(\\PC|[\u{0}-\u{20}\u{7f}-\u{9f}\\[\\];m0-9]|\u{1b})*")| {
        for span in spans(&line) {
            proptest::prop_assert!(!span.text.is_empty());
            proptest::prop_assert!(span.text.chars().all(|c| c == '\t' || !c.is_control()));
            proptest::prop_assert!(span.class.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == ' '));
        }
    });
}
