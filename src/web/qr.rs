//! A QR code as inline SVG: one path, drawn on the server, in the colours of the stylesheet.

use std::fmt::Write as _;

use askama::Template;
use askama::filters::HtmlSafe;
use qrcodegen::{QrCode, QrCodeEcc};

/// Modules of white around the code (ISO/IEC 18004 §6.3.8).
const QUIET: i32 = 4;

/// A text as a QR code; prints its whole `<svg>` element.
#[derive(Debug, Clone, Template)]
#[template(path = "_qr.html")]
pub struct Qr {
    /// Width and height with the quiet zone, in modules.
    size: i32,
    /// The dark modules, each run of a row as a rectangle.
    path: String,
    label: String,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Qr {}

impl Qr {
    /// Draws a text; `None` when it is longer than the largest code holds (2,331 bytes).
    pub fn of(text: &str, label: impl Into<String>) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let run = (x..code.size()).take_while(|&x| code.get_module(x, y)).count();
                let run = i32::try_from(run).unwrap_or(i32::MAX);
                if run > 0 {
                    // Writing to a String cannot fail.
                    let _ok = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
                }
                x += run.max(1);
            }
        }
        Some(Self {
            size: code.size() + 2 * QUIET,
            path,
            label: label.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once() {
        let text = "otpauth://totp/Dhow:ann?secret=ABC";
        let qr = Qr::of(text, "A <code>").unwrap();
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let dark = (0..code.size() * code.size())
            .filter(|at| code.get_module(at % code.size(), at / code.size()))
            .count();
        let drawn = qr
            .path
            .split('h')
            .skip(1)
            .filter_map(|run| run.split('v').next()?.parse::<usize>().ok());
        assert_eq!(drawn.sum::<usize>(), dark);
        assert!(qr.to_string().contains(r#"aria-label="A &#60;code&#62;""#), "{qr}");
        assert!(Qr::of(&"x".repeat(3_000), "").is_none());
    }
}
