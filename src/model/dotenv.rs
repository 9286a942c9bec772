//! Text in the manner of .env files: the one parser and the one serialiser.
//!
//! Nothing is expanded and no shell is asked: what stands in the text is what the container gets. Lines end with LF,
//! CRLF or CR; white space is space and tab; a mark of byte order at the beginning is skipped; `export ` before a
//! name is skipped too. A text with a mistake in it is refused as a whole, each mistake with its line.
//! [`serialise`] and [`parse`] are inverse: whatever a value may hold comes back byte for byte.

use std::collections::HashMap;

use super::Invalid;
use super::env_var::{EnvKey, EnvValue};

/// White space of the format. Other space characters belong to the value that they stand in.
const WHITE: [char; 2] = [' ', '\t'];

/// So many mistakes are told; reading ends with the last of them.
const MOST_ERRORS: usize = 20;
/// The first so many warnings are kept.
const MOST_WARNINGS: usize = 20;

/// How keys and certificates begin and end (RFC 7468); nobody writes them in one line without meaning the next ones.
const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

/// What a text says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dotenv {
    /// Variables in the order in which their names first appear, each name once.
    pub vars: Vec<(EnvKey, EnvValue)>,
    /// What was understood but is probably not meant, by line; the first 20.
    pub warnings: Vec<LineNote>,
}

/// A sentence about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineNote {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there and what to do.
    pub message: String,
}

/// Reads a text. A name that is there twice has its last value and a warning.
///
/// # Errors
/// All mistakes (20 at most) in the order of their lines, when there is one.
pub fn parse(text: &str) -> Result<Dotenv, Vec<LineNote>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader {
        rest: &text,
        line: 1,
        read: Dotenv::default(),
        set_at: HashMap::new(),
        errors: Vec::new(),
    };
    while !reader.rest.is_empty() && reader.errors.len() < MOST_ERRORS {
        reader.read_entry();
    }
    if reader.errors.is_empty() {
        Ok(reader.read)
    } else {
        Err(reader.errors)
    }
}

/// Writes variables as a text, one after the other: plain where that is read back the same, else in quotes.
pub fn serialise<'a>(vars: impl IntoIterator<Item = (&'a EnvKey, &'a EnvValue)>) -> String {
    vars.into_iter()
        .map(|(key, value)| format!("{key}={}\n", serialise_value(value)))
        .collect()
}

/// What stands after `=` for a value.
pub fn serialise_value(value: &EnvValue) -> String {
    let text = value.as_str();
    if is_plain(text) {
        text.to_owned()
    } else if text.contains(['\'', '\n', '\r']) {
        let escaped = text
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\r', "\\r")
            .replace('\t', "\\t");
        format!("\"{escaped}\"")
    } else {
        format!("'{text}'")
    }
}

fn is_plain(text: &str) -> bool {
    !text.contains(['\n', '\r'])
        && !text.starts_with(['"', '\'', '#'])
        && text.trim_matches(WHITE) == text
        && comment_start(text).is_none()
        && !is_opened_pem(text)
}

/// Where a comment begins in a line without quotes: at a `#` after white space.
fn comment_start(text: &str) -> Option<usize> {
    text.match_indices('#')
        .map(|(index, _)| index)
        .find(|index| text[..*index].ends_with(WHITE))
}

fn is_opened_pem(text: &str) -> bool {
    text.starts_with(PEM_BEGIN) && !text.contains(PEM_END)
}

fn first_line(text: &str) -> &str {
    text.split_once('\n').map_or(text, |(line, _)| line)
}

fn without_export(line: &str) -> &str {
    let named = line.strip_prefix("export").filter(|rest| rest.starts_with(WHITE));
    let named = named.map(|rest| rest.trim_start_matches(WHITE));
    named.filter(|rest| !rest.starts_with('=')).unwrap_or(line)
}

struct Reader<'a> {
    /// What is not read yet; begins with a line.
    rest: &'a str,
    /// The number of that line.
    line: usize,
    read: Dotenv,
    /// For each variable its place and the line that it was last set in.
    set_at: HashMap<EnvKey, (usize, usize)>,
    errors: Vec<LineNote>,
}

impl<'a> Reader<'a> {
    fn read_entry(&mut self) {
        let line = first_line(self.rest);
        let text = without_export(line.trim_start_matches(WHITE));
        if text.is_empty() || text.starts_with('#') {
            return self.skip(line);
        }
        let Some((name, value)) = text.split_once('=') else {
            return self.refuse_line(line, "This is no NAME=value.");
        };
        let name = name.trim_end_matches(WHITE);
        match EnvKey::parse(name) {
            Err(Invalid(rule)) if EnvKey::is_reserved(name) => {
                self.error(format!("{rule} Leave this line out."));
                self.skip(line);
            }
            Err(Invalid(rule)) => self.refuse_line(line, &format!("The name before = is not allowed. {rule}")),
            Ok(key) if value.trim_start_matches(WHITE).starts_with(['"', '\'']) => {
                let begin = line.len() - value.trim_start_matches(WHITE).len();
                self.read_quoted(key, begin);
            }
            Ok(key) => self.read_unquoted(key, line, value),
        }
    }

    fn read_unquoted(&mut self, key: EnvKey, line: &str, text: &str) {
        let (text, comment) = text.split_at(comment_start(text).unwrap_or(text.len()));
        let value = text.trim_matches(WHITE);
        if is_opened_pem(value) {
            self.error(format!(
                "The value of {key} goes on in the next lines. Put it in double quotes."
            ));
            return self.skip_pem(line);
        }
        let is_cut = |quote| value.matches(quote).count() % 2 == 1 && comment.contains(quote);
        if is_cut('"') || is_cut('\'') {
            self.warn("The value ends before the # here. Put all of it in quotes if that belongs to it.");
        }
        self.take(key, value.to_owned());
        self.skip(line);
    }

    /// A value whose quote is at `begin`.
    fn read_quoted(&mut self, key: EnvKey, begin: usize) {
        let (quote, body) = self.rest[begin..].split_at(1);
        let read = if quote == "'" {
            body.find('\'').map(|end| (body[..end].to_owned(), end, false))
        } else {
            unescape(body)
        };
        let Some((value, end, has_unknown)) = read else {
            self.error(format!("The quote that opens the value of {key} is never closed."));
            self.rest = "";
            return;
        };
        if has_unknown {
            self.warn(r#"A backslash here stands for itself: only \n \r \t \\ and \" mean something else."#);
        }
        self.take(key, value);
        let tail = first_line(&body[end + 1..]);
        let comment = tail.trim_start_matches(WHITE);
        self.line += body[..end].matches('\n').count();
        if !comment.is_empty() && (!comment.starts_with('#') || tail.starts_with('#')) {
            let message = "After the closing quote only a comment may follow, with a space before its #. \
                Put all of the value in one pair of quotes.";
            self.error(message.to_owned());
        }
        self.rest = &body[end + 1..];
        self.skip(tail);
    }

    fn take(&mut self, key: EnvKey, value: String) {
        let value = match EnvValue::parse(value) {
            Ok(value) => value,
            Err(Invalid(rule)) => return self.error(format!("The value of {key} is not allowed. {rule}")),
        };
        let place = self.set_at.get(&key).map_or(self.read.vars.len(), |(place, _)| *place);
        if let Some((_, before)) = self.set_at.insert(key.clone(), (place, self.line)) {
            self.warn(&format!(
                "{key} is set again here; its value in line {before} is not used."
            ));
            self.read.vars[place].1 = value;
        } else {
            self.read.vars.push((key, value));
        }
    }

    fn refuse_line(&mut self, line: &str, message: &str) {
        let hint =
            self.read.vars.last().map(|(key, _)| {
                format!(" If this line belongs to the value of {key}, put that value in double quotes.")
            });
        self.error(format!("{message}{}", hint.unwrap_or_default()));
        self.skip(line);
    }

    fn error(&mut self, message: String) {
        self.errors.push(LineNote {
            line: self.line,
            message,
        });
    }

    fn warn(&mut self, message: &str) {
        if self.read.warnings.len() < MOST_WARNINGS {
            self.read.warnings.push(LineNote {
                line: self.line,
                message: message.to_owned(),
            });
        }
    }

    /// Goes on after a line; it is the first of the rest.
    fn skip(&mut self, line: &str) {
        self.rest = self.rest.get(line.len() + 1..).unwrap_or_default();
        self.line += 1;
    }

    /// Goes on after the lines of a key or certificate, if its end is there.
    fn skip_pem(&mut self, line: &str) {
        let end = self.rest.find(PEM_END).unwrap_or(line.len());
        let inner = self.rest[..end].matches('\n').count();
        for _ in 0..=inner {
            self.skip(first_line(self.rest));
        }
    }
}

/// Text up to the closing double quote, where that quote is, and whether a backslash stood for itself in it.
fn unescape(body: &str) -> Option<(String, usize, bool)> {
    let mut value = String::new();
    let mut has_unknown = false;
    let mut chars = body.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Some((value, index, has_unknown)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                known @ ('\\' | '"') => value.push(known),
                other => {
                    has_unknown = true;
                    value.extend(['\\', other]);
                }
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests;
