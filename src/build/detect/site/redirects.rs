//! The site's own `_redirects`, in the form that Netlify and Cloudflare read: `/from /to 301`, one rule a line.
//!
//! Its text ends up in the server's configuration, so nothing of it is taken over as it stands: paths are read into
//! bytes and names, and written anew in letters that mean nothing to the server. A rule that would not do what it says
//! elsewhere is refused rather than left out.

mod path;
mod percent;

use std::fmt::Write as _;

use super::types;
use path::FromPath;

/// The file's name, in the directory of the finished site.
pub(super) const NAME: &str = "_redirects";
/// The server goes through the rules one by one.
const MAX_RULES: usize = 1000;
/// The server reads no longer word than 4 KiB.
const MAX_WRITTEN: usize = 3000;

/// All rules, in their order.
#[derive(Debug, Default)]
pub(super) struct Redirects {
    rules: Vec<Rule>,
}

/// Where in the configuration a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before any file is looked for: rules whose status ends in `!`.
    Server,
    /// After no file was found.
    Location,
}

#[derive(Debug)]
struct Rule {
    line: usize,
    place: Place,
    directive: Directive,
}

/// What is written, its words already safe.
#[derive(Debug)]
enum Directive {
    Redirect { pattern: String, status: u16, to: String },
    Rewrite { pattern: String, to: String },
    NotFound { pattern: String, page: String },
}

impl Redirects {
    /// Reads the file. The error goes on after its name: "line 3: …".
    pub(super) fn parse(text: &str) -> Result<Redirects, String> {
        let mut rules = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let words: Vec<&str> = line
                .split_whitespace()
                .take_while(|word| !word.starts_with('#'))
                .collect();
            if words.is_empty() {
                continue;
            }
            if rules.len() == MAX_RULES {
                return Err(format!(
                    "holds more than {MAX_RULES} rules, which slows every answer down"
                ));
            }
            let rule = Rule::parse(&words, number).map_err(|why| format!("line {number}: {why}"))?;
            rules.push(rule);
        }
        Ok(Redirects { rules })
    }

    /// How many rules there are.
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// The rules of one place as lines of the configuration.
    pub(super) fn directives(&self, place: Place) -> String {
        let indent = match place {
            Place::Server => "        ",
            Place::Location => "            ",
        };
        let mut text = String::new();
        for rule in self.rules.iter().filter(|rule| rule.place == place) {
            let _infallible = writeln!(text, "{indent}# {NAME} line {}", rule.line);
            for line in rule.directive.written(place).lines() {
                let _infallible = writeln!(text, "{indent}{line}");
            }
        }
        text
    }
}

impl Rule {
    fn parse(words: &[&str], line: usize) -> Result<Rule, String> {
        let [from, to, rest @ ..] = words else {
            return Err(format!("`{}` leads nowhere: write `/from /to 301`", words[0]));
        };
        if !to.starts_with('/') && to.contains('=') && !to.contains("://") {
            return Err(format!("rules that ask for a query (`{to}`) are not supported"));
        }
        let (status, place) = match rest.first() {
            None => (301, Place::Location),
            Some(status) => parse_status(status)?,
        };
        if let Some(condition) = rest.get(1) {
            return Err(format!(
                "rules with a condition (`{condition}`) are not supported: this server knows paths only"
            ));
        }
        let from = FromPath::parse(from)?;
        let directive = match status {
            200 => Directive::Rewrite {
                // Asks for a single page, which has its own rule for files that are not there.
                pattern: if (from.is_all(), place, *to) == (true, Place::Location, "/index.html") {
                    types::no_file_pattern()
                } else {
                    from.decoded_pattern()
                },
                to: path::file(to, &from)?,
            },
            404 => Directive::NotFound {
                pattern: from.decoded_pattern(),
                page: not_found_page(to, &from, place)?,
            },
            _ => Directive::Redirect {
                pattern: from.raw_pattern(),
                status,
                to: path::address(to, &from)?,
            },
        };
        if directive.written(place).lines().any(|line| line.len() > MAX_WRITTEN) {
            return Err("the rule is too long for the server".to_owned());
        }
        Ok(Rule { line, place, directive })
    }
}

impl Directive {
    fn written(&self, place: Place) -> String {
        match self {
            Directive::Redirect { pattern, status, to } => {
                format!("if ($request_uri ~ \"{pattern}\") {{\n    return {status} \"{to}\";\n}}")
            }
            Directive::Rewrite { pattern, to } => format!("rewrite \"{pattern}\" \"{to}\" break;"),
            Directive::NotFound { pattern, .. } if place == Place::Server => {
                format!("if ($uri ~ \"{pattern}\") {{\n    return 404;\n}}")
            }
            Directive::NotFound { pattern, page } => {
                format!("if ($uri ~ \"{pattern}\") {{\n    error_page 404 \"{page}\";\n    return 404;\n}}")
            }
        }
    }
}

/// `302`, or `302!` where the rule holds for files that are there, too.
fn parse_status(word: &str) -> Result<(u16, Place), String> {
    let (digits, place) = match word.strip_suffix('!') {
        Some(digits) => (digits, Place::Server),
        None => (word, Place::Location),
    };
    match digits {
        "200" => Ok((200, place)),
        "301" => Ok((301, place)),
        "302" => Ok((302, place)),
        "307" => Ok((307, place)),
        "308" => Ok((308, place)),
        "404" => Ok((404, place)),
        _ => Err(format!(
            "`{word}` is no status that is supported: use 301, 302, 307 or 308 to redirect, 200 to show another page \
             of the site, or 404"
        )),
    }
}

fn not_found_page(to: &str, from: &FromPath, place: Place) -> Result<String, String> {
    let page = path::file(to, from)?;
    if page.contains('$') {
        return Err("the page of status 404 cannot depend on the address".to_owned());
    }
    if place == Place::Server && page != "/404.html" {
        return Err("status `404!` is supported with `/404.html` only".to_owned());
    }
    Ok(page)
}

#[cfg(test)]
mod tests;
