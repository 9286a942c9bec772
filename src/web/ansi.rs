//! One line of terminal output as pieces of text with a look.
//!
//! Colours and weights are kept (SGR), everything else that a terminal would obey is dropped: cursor movement,
//! titles, links (OSC 8), bells. What comes out is plain text, escaped where it is printed. A look ends with its
//! line, so that any part of a log can be shown without what stands before it.

use std::iter::Peekable;
use std::str::Chars;

use askama::Template;
use askama::filters::HtmlSafe;

/// Longer lines are cut in the middle, in bytes.
const LONGEST_LINE: usize = 4_096;
/// What is kept of the end of a cut line, in bytes.
const KEPT_END: usize = 512;

/// Text of one look; prints itself as markup.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"{% if class.is_empty() %}{{ text }}{% else %}<span class="{{ class }}">{{ text }}</span>{% endif %}"#,
    ext = "html"
)]
pub struct Span {
    /// Names of CSS classes with a space between them, or nothing.
    pub class: String,
    /// The text, free of control characters but for tabs.
    pub text: String,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Span {}

/// The line as a terminal would show it once it is complete.
pub fn spans(line: &str) -> Vec<Span> {
    let line = last_state(line);
    if line.len() <= LONGEST_LINE {
        return spans_of(line);
    }
    let (head, tail) = ends(line, LONGEST_LINE - KEPT_END, KEPT_END);
    let mut spans = spans_of(&line[..head]);
    let class = "ansi-dim".to_owned();
    spans.push(Span {
        class,
        text: format!(" … {} bytes of this line are not shown … ", tail - head),
    });
    spans.extend(spans_of(&line[tail..]));
    spans
}

/// Where the first `head` bytes of a text end and the last `tail` bytes begin, moved to whole characters.
pub fn ends(text: &str, head: usize, tail: usize) -> (usize, usize) {
    (
        text.floor_char_boundary(head),
        text.ceil_char_boundary(text.len().saturating_sub(tail)),
    )
}

/// A line that redraws itself by carriage returns shows what it drew last.
fn last_state(line: &str) -> &str {
    let line = line.trim_end_matches('\r');
    line.rsplit('\r').next().unwrap_or(line)
}

fn spans_of(text: &str) -> Vec<Span> {
    let mut painter = Painter::default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => painter.escape(&mut chars),
            '\u{9b}' => painter.control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            '\u{8}' => painter.backspace(),
            '\t' => painter.text.push(c),
            c if c.is_control() => {}
            c => painter.text.push(c),
        }
    }
    painter.finish()
}

/// Writes text in the present look.
#[derive(Debug, Default)]
struct Painter {
    look: Look,
    text: String,
    spans: Vec<Span>,
}

impl Painter {
    fn end_span(&mut self) {
        if !self.text.is_empty() {
            self.spans.push(Span {
                class: self.look.class(),
                text: std::mem::take(&mut self.text),
            });
        }
    }

    /// Spinners step back over what they drew.
    fn backspace(&mut self) {
        self.text.pop();
    }

    /// What follows an ESC (ECMA-48 §5.3).
    fn escape(&mut self, chars: &mut Peekable<Chars<'_>>) {
        match chars.next() {
            Some('[') => self.control_sequence(chars),
            Some(']' | 'P' | 'X' | '^' | '_') => skip_string(chars),
            Some('\u{20}'..='\u{2f}') => {
                while chars.next_if(|c| matches!(c, '\u{20}'..='\u{2f}')).is_some() {}
                chars.next();
            }
            _ => {}
        }
    }

    /// What follows a control sequence introducer: parameters, intermediates, and the final character that says
    /// what it is; only `m` (SGR) is obeyed.
    fn control_sequence(&mut self, chars: &mut Peekable<Chars<'_>>) {
        let mut parameters = String::new();
        while let Some(c) = chars.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')) {
            parameters.push(c);
        }
        let is_graphic = parameters.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':');
        if chars.next_if(|c| matches!(c, '\u{40}'..='\u{7e}')) == Some('m') && is_graphic {
            self.end_span();
            self.look.apply(&parameters);
        }
    }

    fn finish(mut self) -> Vec<Span> {
        self.end_span();
        self.spans
    }
}

/// Skips a command string (title, link, …) up to its terminator, BEL or ST; one without it takes the rest of the line.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    while let Some(c) = chars.next() {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if chars.next_if_eq(&'\\').is_some() => return,
            _ => {}
        }
    }
}

/// The names of the eight colours in the order of their codes.
const COLOURS: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// How text looks (ECMA-48 §8.3.117). Bright colours look as the others do: the page's own palette is made to be read.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    is_bold: bool,
    is_dim: bool,
    is_italic: bool,
    is_underlined: bool,
    is_reversed: bool,
    colour: Option<&'static str>,
    background: Option<&'static str>,
}

impl Look {
    fn apply(&mut self, parameters: &str) {
        let mut codes = parameters
            .split([';', ':'])
            .map(|code| code.parse::<u16>().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.is_bold = true,
                2 => self.is_dim = true,
                3 => self.is_italic = true,
                4 => self.is_underlined = true,
                7 => self.is_reversed = true,
                22 => (self.is_bold, self.is_dim) = (false, false),
                23 => self.is_italic = false,
                24 => self.is_underlined = false,
                27 => self.is_reversed = false,
                30..=37 => self.colour = Some(COLOURS[usize::from(code - 30)]),
                38 => self.colour = extended(&mut codes),
                39 => self.colour = None,
                40..=47 => self.background = Some(COLOURS[usize::from(code - 40)]),
                48 => self.background = extended(&mut codes),
                49 => self.background = None,
                90..=97 => self.colour = Some(COLOURS[usize::from(code - 90)]),
                100..=107 => self.background = Some(COLOURS[usize::from(code - 100)]),
                _ => {}
            }
        }
    }

    fn class(self) -> String {
        let (colour, background) = if self.is_reversed {
            (None, self.colour.or(Some("white")))
        } else {
            (self.colour, self.background)
        };
        let weights = [
            (self.is_bold, "ansi-bold"),
            (self.is_dim, "ansi-dim"),
            (self.is_italic, "ansi-italic"),
            (self.is_underlined, "ansi-underline"),
        ];
        let weights = weights
            .into_iter()
            .filter(|(is_on, _)| *is_on)
            .map(|(_, class)| class.to_owned());
        let colour = colour.map(|colour| format!("ansi-{colour}"));
        let background = background.map(|colour| format!("ansi-bg-{colour}"));
        weights.chain(colour).chain(background).collect::<Vec<_>>().join(" ")
    }
}

/// A colour of the 256 (`5;n`) or of all (`2;r;g;b`) as the nearest of the eight.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<&'static str> {
    match codes.next()? {
        5 => match codes.next()? {
            code @ 0..=15 => Some(COLOURS[usize::from(code % 8)]),
            // A cube of 6 × 6 × 6, then greys.
            code @ 16..=231 => {
                let code = code - 16;
                nearest(code / 36 * 51, code / 6 % 6 * 51, code % 6 * 51)
            }
            _ => None,
        },
        2 => nearest(codes.next()?, codes.next()?, codes.next()?),
        _ => None,
    }
}

/// The hue decides; greys are no colour.
fn nearest(red: u16, green: u16, blue: u16) -> Option<&'static str> {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most - least < 48 {
        return None;
    }
    let middle = least + (most - least) / 2;
    let bit = |value: u16| usize::from(value > middle);
    Some(COLOURS[bit(red) + 2 * bit(green) + 4 * bit(blue)])
}

#[cfg(test)]
mod tests;
