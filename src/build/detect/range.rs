//! Which minor versions of a language a requirement admits, as Composer and RubyGems write them.

/// A version's three numbers.
type Version = [u32; 3];
/// From the first one up to, without, the second one.
type Span = (Version, Version);

const ANY: Span = ([0; 3], [u32::MAX; 3]);
/// Stands for the newest patch of a minor version, which is what an image has.
const NEWEST_PATCH: u32 = 999;

/// A requirement as alternatives, each of them a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range(Vec<Span>);

impl Range {
    /// A Composer constraint: `^8.2 || ~8.1.3`, `>=8.1 <8.4`, `8.2.*`, `8.1 - 8.3`.
    pub fn composer(text: &str) -> Option<Self> {
        let text = text.replace("||", "|");
        let spans: Option<Vec<Span>> = text.split('|').map(composer_span).collect();
        spans.map(Self)
    }

    /// Requirements of RubyGems that hold together: `~> 3.3`, `>= 3.2`.
    pub fn rubygems(texts: &[&str]) -> Option<Self> {
        let mut span = ANY;
        for text in texts.iter().flat_map(|text| text.split(',')) {
            span = both(span, atom(text, true)?);
        }
        Some(Self(vec![span]))
    }

    /// Whether an image of this minor version satisfies it.
    pub fn admits(&self, (major, minor): (u32, u32)) -> bool {
        let version = [major, minor, NEWEST_PATCH];
        self.0.iter().any(|(from, to)| *from <= version && version < *to)
    }
}

/// The version to take: the default where every requirement admits it, else the newest that they admit.
pub fn pick(ranges: &[Range], default: (u32, u32), known: &[(u32, u32)]) -> Option<(u32, u32)> {
    let newest_first = known.iter().rev().copied();
    std::iter::once(default)
        .chain(newest_first)
        .find(|version| ranges.iter().all(|range| range.admits(*version)))
}

fn both(left: Span, right: Span) -> Span {
    (left.0.max(right.0), left.1.min(right.1))
}

fn composer_span(text: &str) -> Option<Span> {
    if let Some((from, to)) = text.split_once(" - ") {
        return Some(both(atom(&format!(">={from}"), false)?, (ANY.0, version(to)?.end())));
    }
    let (mut span, mut is_empty) = (ANY, true);
    let mut part = String::new();
    for word in text.split([',', ' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
        part.push_str(word);
        // An operator may stand apart from its version.
        if word.ends_with(['=', '>', '<', '^', '~']) {
            continue;
        }
        span = both(span, atom(&std::mem::take(&mut part), false)?);
        is_empty = false;
    }
    (!is_empty && part.is_empty()).then_some(span)
}

/// One operator and its version. `~> 3.3` of RubyGems is `~3.3` of Composer.
fn atom(text: &str, is_ruby: bool) -> Option<Span> {
    let text = text.trim();
    let end = text
        .find(|character: char| !"=<>!^~".contains(character))
        .unwrap_or(text.len());
    let given = version(&text[end..])?;
    let start = given.numbers;
    Some(match &text[..end] {
        "" | "=" | "==" => (given.minor_start(), given.end()),
        ">=" => (start, ANY.1),
        ">" => ([start[0], start[1], start[2].saturating_add(1)], ANY.1),
        "<" => (ANY.0, start),
        "<=" => (ANY.0, [start[0], start[1], start[2].saturating_add(1)]),
        "!=" | "<>" => ANY,
        "^" if !is_ruby => (start, [start[0].saturating_add(1), 0, 0]),
        "~>" if is_ruby => (start, given.tilde_end()),
        "~" if !is_ruby => (start, given.tilde_end()),
        _ => return None,
    })
}

/// A version as it is written: how many of its numbers were given decides what it includes.
struct Given {
    numbers: Version,
    count: usize,
}

impl Given {
    /// A patch version means its minor version: an image has the newest patch.
    fn minor_start(&self) -> Version {
        [self.numbers[0], self.numbers[1], 0]
    }

    /// What follows everything that the version includes.
    fn end(&self) -> Version {
        match self.count {
            0 => ANY.1,
            1 => [self.numbers[0].saturating_add(1), 0, 0],
            _ => [self.numbers[0], self.numbers[1].saturating_add(1), 0],
        }
    }

    fn tilde_end(&self) -> Version {
        if self.count > 2 {
            return self.end();
        }
        [self.numbers[0].saturating_add(1), 0, 0]
    }
}

fn version(text: &str) -> Option<Given> {
    let text = text.trim().trim_start_matches('v');
    let text = text.split(['-', '@', '+']).next().unwrap_or_default();
    let mut given = Given {
        numbers: [0; 3],
        count: 0,
    };
    if text.is_empty() {
        return None;
    }
    for part in text.split('.').take(3) {
        if matches!(part, "*" | "x") {
            break;
        }
        given.numbers[given.count] = part.parse().ok()?;
        given.count += 1;
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use super::{Range, pick};

    const KNOWN: &[(u32, u32)] = &[(8, 1), (8, 2), (8, 3), (8, 4), (8, 5)];

    #[test]
    fn composer_constraints_choose_a_version() {
        for (constraint, expected) in [
            ("^8.2", Some((8, 4))),
            ("*", Some((8, 4))),
            (">=8.1", Some((8, 4))),
            (">= 8.1, < 8.3", Some((8, 2))),
            ("~8.1.0 || ~8.2.0 | ~8.3.0", Some((8, 3))),
            ("~8.1", Some((8, 4))),
            ("8.2.*", Some((8, 2))),
            ("8.2.10", Some((8, 2))),
            ("8.1 - 8.3", Some((8, 3))),
            ("<=8.3", Some((8, 2))),
            (">8.4", Some((8, 4))),
            ("^7.4", None),
            ("^7.4 || ^8.0", Some((8, 4))),
            ("^8.5", Some((8, 5))),
            ("8.3.*@dev", Some((8, 3))),
        ] {
            let range = Range::composer(constraint).expect(constraint);
            assert_eq!(pick(&[range], (8, 4), KNOWN), expected, "{constraint}");
        }
        for broken in ["", "eight", "^", "$(id)", "^8.2 ||", "99999999999", "8.2; rm"] {
            assert_eq!(Range::composer(broken), None, "{broken}");
        }
    }

    #[test]
    fn all_requirements_hold_together() {
        let ranges = ["^8.1", "<8.3", ">=8.2.5"].map(|text| Range::composer(text).unwrap());
        assert_eq!(pick(&ranges, (8, 4), KNOWN), Some((8, 2)));
    }

    #[test]
    fn requirements_of_rubygems_choose_a_version() {
        let known = &[(3, 1), (3, 2), (3, 3), (3, 4)];
        for (texts, expected) in [
            (&["~> 3.3"][..], Some((3, 4))),
            (&["~> 3.3.0"], Some((3, 3))),
            (&[">= 3.1", "< 3.3"], Some((3, 2))),
            (&["3.2.2"], Some((3, 2))),
            (&["~> 2.7"], None),
        ] {
            let range = Range::rubygems(texts).unwrap();
            assert_eq!(pick(&[range], (3, 4), known), expected, "{texts:?}");
        }
        assert_eq!(Range::rubygems(&["^3.3"]), None);
    }
}
