//! The two paths of a rule: read, checked, and written so that the server reads them as nothing else.

use std::fmt::Write as _;

use super::percent::{code, decoded, no_code};

/// The server has `$1` to `$9`.
const MAX_NAMES: usize = 9;
/// What `:splat` stands for in a second path.
const SPLAT: &str = "splat";
/// Besides letters and digits, what may stand in an address as it is (RFC 3986) and means nothing within quotes.
const ADDRESS_LETTERS: &str = "/-._~!*'(),;:@&=+";
/// The same for the path of a file; no file of a site has a `?`, and `$` would be the server's.
const FILE_LETTERS: &str = "/-._~!*'(),;:@&=+ ";

/// The path that a rule is for.
#[derive(Debug)]
pub(super) struct FromPath {
    segments: Vec<Segment>,
    has_splat: bool,
}

#[derive(Debug)]
enum Segment {
    /// To the letter, its percent codes resolved.
    Literal(Vec<u8>),
    /// `:name`: any text without a slash.
    Name(String),
}

/// Which form of a request's path a pattern is for.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// As the client wrote it, query included.
    Raw,
    /// Without codes, double slashes and dots.
    Decoded,
}

impl FromPath {
    pub(super) fn parse(text: &str) -> Result<FromPath, String> {
        if text.contains("://") {
            return Err(format!(
                "`{text}` begins with a host, but rules are for paths only: the app's domains decide about hosts"
            ));
        }
        if !text.starts_with('/') {
            return Err(format!("`{text}` must begin with `/`"));
        }
        if text.contains(['?', '#']) {
            return Err(format!(
                "`{text}` asks for a query or a fragment, but rules are for paths only"
            ));
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let has_splat = parts.last() == Some(&"*");
        let parts = &parts[..parts.len() - usize::from(has_splat)];
        let segments = parts
            .iter()
            .map(|part| Segment::parse(part))
            .collect::<Result<Vec<_>, _>>()?;
        let from = FromPath { segments, has_splat };
        let names = from.names();
        if names.len() > MAX_NAMES {
            return Err(format!("a path can have at most {MAX_NAMES} placeholders"));
        }
        if (1..names.len()).any(|index| names[..index].contains(&names[index])) {
            return Err(format!("`{text}` has two placeholders of the same name"));
        }
        Ok(from)
    }

    /// Whether this is `/*`.
    pub(super) fn is_all(&self) -> bool {
        self.segments.is_empty() && self.has_splat
    }

    /// Placeholders in the order of the server's `$1`, `$2`.
    fn names(&self) -> Vec<&str> {
        let names = self.segments.iter().filter_map(|segment| match segment {
            Segment::Name(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        });
        names.chain(self.has_splat.then_some(SPLAT)).collect()
    }

    /// The server's variable for a placeholder.
    fn variable(&self, name: &str) -> Option<String> {
        let index = self.names().iter().position(|known| *known == name)?;
        Some(format!("${}", index + 1))
    }

    /// For `$request_uri`, so that what is redirected keeps the codes that the client wrote, and no line can be
    /// begun and no host be named by a decoded character.
    pub(super) fn raw_pattern(&self) -> String {
        let end = if !self.has_splat {
            "/*(?:[?]|$)"
        } else if self.segments.is_empty() {
            r"/+([^?\x00-\x20\x5c\x7f]*)(?:[?]|$)"
        } else {
            r"(?:/+([^?\x00-\x20\x5c\x7f]*))?(?:[?]|$)"
        };
        self.pattern(Form::Raw, r"[^/?\x00-\x20\x5c\x7f]+", end)
    }

    /// For `$uri`: what names a file.
    pub(super) fn decoded_pattern(&self) -> String {
        let end = if !self.has_splat {
            "/?$"
        } else if self.segments.is_empty() {
            r"/([^\x00-\x1f\x7f]*)$"
        } else {
            r"(?:/([^\x00-\x1f\x7f]*))?$"
        };
        self.pattern(Form::Decoded, r"[^/\x00-\x1f\x7f]+", end)
    }

    fn pattern(&self, form: Form, any: &str, end: &str) -> String {
        let mut pattern = String::from("^");
        for segment in &self.segments {
            pattern.push('/');
            match segment {
                Segment::Literal(bytes) => bytes.iter().for_each(|byte| push_byte(&mut pattern, *byte, form)),
                Segment::Name(_) => {
                    let _infallible = write!(pattern, "({any})");
                }
            }
        }
        pattern.push_str(end);
        pattern
    }
}

impl Segment {
    fn parse(part: &str) -> Result<Segment, String> {
        if let Some(name) = part.strip_prefix(':') {
            let is_name = name_length(name) == name.len() && !name.is_empty();
            return match is_name {
                true if name == SPLAT => Err("`:splat` belongs into the second path: the first one has `*`".to_owned()),
                true => Ok(Segment::Name(name.to_owned())),
                false => Err(format!(
                    "`{part}` is no placeholder: it takes a whole part of the path and is named by letters, digits and _"
                )),
            };
        }
        if part.contains('*') {
            return Err(format!(
                "in `{part}` the star stands for nothing: it can only be the whole last part of a path, as in `/blog/*`"
            ));
        }
        let bytes = decoded(part)?;
        if bytes.iter().any(u8::is_ascii_control) {
            return Err(format!("`{}` holds a control character", part.escape_debug()));
        }
        Ok(Segment::Literal(bytes))
    }
}

/// A byte of a pattern, in characters that are neither the expression's nor the configuration's.
fn push_byte(pattern: &mut String, byte: u8, form: Form) {
    let _infallible = match (byte, form) {
        (b'.', _) => write!(pattern, "[.]"),
        (b'-' | b'_' | b'~', _) => write!(pattern, "{}", char::from(byte)),
        (byte, _) if byte.is_ascii_alphanumeric() => write!(pattern, "{}", char::from(byte)),
        (byte, Form::Decoded) => write!(pattern, r"\x{byte:02x}"),
        (byte, Form::Raw) => {
            let code = format!("{byte:02X}")
                .chars()
                .fold(String::new(), |code, digit| match digit {
                    'A'..='F' => format!("{code}[{digit}{}]", digit.to_ascii_lowercase()),
                    digit => format!("{code}{digit}"),
                });
            write!(pattern, r"(?:\x{byte:02x}|%{code})")
        }
    };
}

/// Where a redirect leads: a path of the site or an address elsewhere, as a text of the configuration.
pub(super) fn address(text: &str, from: &FromPath) -> Result<String, String> {
    let (host, rest) = split_host(text)?;
    let (rest, fragment) = match rest.split_once('#') {
        Some((rest, fragment)) => (rest, format!("#{}", filled(fragment, from, &address_letter)?)),
        None => (rest, String::new()),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, format!("?{}", filled(query, from, &address_letter)?)),
        // Visitors keep theirs.
        None => (rest, "$is_args$args".to_owned()),
    };
    if host.is_empty()
        && let Some(after) = path.strip_prefix("/:splat")
        && from.has_splat
        && !after.is_empty()
    {
        return Err(format!(
            "in `{text}` something follows `/:splat`, which may be empty: then the rest would be read as a host"
        ));
    }
    let path = filled(path, from, &address_letter)?;
    Ok(format!("{host}{path}{query}{fragment}"))
}

/// The file that status 200 or 404 shows, as a text of the configuration.
pub(super) fn file(text: &str, from: &FromPath) -> Result<String, String> {
    if text.contains("://") || text.starts_with("//") {
        return Err(format!(
            "`{text}` is another host, but this server passes nothing on to others: use status 301 or 302 to \
             redirect there"
        ));
    }
    if !text.starts_with('/') {
        return Err(format!("`{text}` must begin with `/`"));
    }
    let is_hidden = |part: &str| part.starts_with('.') && part != ".well-known";
    let plain = String::from_utf8(decoded(text)?).map_err(|_| format!("`{text}` is not UTF-8"))?;
    if plain.split('/').any(is_hidden) {
        return Err(format!(
            "`{text}` is hidden: files whose name begins with a dot are not served"
        ));
    }
    filled(&plain, from, &file_letter)
}

/// `https://host` and the rest, which begins with a slash, `?` or `#`; no host for a path of the site.
fn split_host(text: &str) -> Result<(&str, &str), String> {
    let Some(scheme) = ["https://", "http://"]
        .into_iter()
        .find(|scheme| text.starts_with(scheme))
    else {
        if !text.starts_with('/') || text.starts_with("//") {
            return Err(format!(
                "`{text}` must begin with a single `/`, or with `https://` and a host"
            ));
        }
        return Ok(("", text));
    };
    let after = &text[scheme.len()..];
    let length = after.find(['/', '?', '#']).unwrap_or(after.len());
    let host = &after[..length];
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_name = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    if name.is_empty() || !name.chars().all(is_name) || port.parse::<u16>().is_err() {
        return Err(format!(
            "`{text}` names no host that is fixed: write it out, in ASCII letters"
        ));
    }
    Ok(text.split_at(scheme.len() + length))
}

/// A text with the server's variables for its placeholders, all else letter by letter.
fn filled(
    text: &str,
    from: &FromPath,
    letter: &dyn Fn(&mut String, &str, char) -> Result<(), String>,
) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    let mut is_start = true;
    while let Some(character) = rest.chars().next() {
        if character == ':' {
            let length = name_length(&rest[1..]);
            let name = &rest[1..=length];
            if let Some(variable) = from.variable(name) {
                filled.push_str(&variable);
                rest = &rest[1 + length..];
                is_start = false;
                continue;
            }
            if is_start && length > 0 {
                return Err(format!("nothing in the first path says what `:{name}` stands for"));
            }
        }
        letter(&mut filled, rest, character)?;
        is_start = character == '/';
        rest = &rest[character.len_utf8()..];
    }
    Ok(filled)
}

/// Writes a character of an address: in percent codes unless it is harmless.
fn address_letter(written: &mut String, rest: &str, character: char) -> Result<(), String> {
    if character == '%' {
        code(rest.as_bytes()).ok_or_else(|| no_code(rest))?;
    }
    if character.is_ascii_alphanumeric() || character == '%' || ADDRESS_LETTERS.contains(character) {
        written.push(character);
        return Ok(());
    }
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        let _infallible = write!(written, "%{byte:02X}");
    }
    Ok(())
}

/// Writes a character of a file's path, or refuses it.
fn file_letter(written: &mut String, _: &str, character: char) -> Result<(), String> {
    let is_other = !character.is_ascii() && !character.is_control();
    if !character.is_ascii_alphanumeric() && !FILE_LETTERS.contains(character) && !is_other {
        return Err(format!(
            "the path of status 200 or 404 holds `{}`, which no page's name may have",
            character.escape_debug()
        ));
    }
    written.push(character);
    Ok(())
}

/// How many bytes of the text are a placeholder's name.
fn name_length(text: &str) -> usize {
    if !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return 0;
    }
    let end = text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    end.unwrap_or(text.len())
}
