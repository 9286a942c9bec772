//! The images that a Dockerfile begins with or copies from, as far as its text alone tells them.

use std::collections::BTreeMap;

use super::declared::{logical_lines, words};

/// The names of images in `FROM` and `COPY --from` that are no stages of the file itself (Dockerfile reference, "FROM" and
/// "COPY --from"). Variables have their defaults from before the first `FROM`; names with others are left out.
pub fn bases(dockerfile: &str) -> Vec<String> {
    let mut defaults = BTreeMap::new();
    let mut stages: Vec<String> = Vec::new();
    let mut found: Vec<String> = Vec::new();
    for line in logical_lines(dockerfile) {
        let line = words(&line);
        let Some((instruction, rest)) = line.split_first() else {
            continue;
        };
        let named = match instruction.to_ascii_uppercase().as_str() {
            "ARG" if stages.is_empty() => {
                defaults.extend(rest.iter().filter_map(|word| {
                    let (name, value) = word.split_once('=')?;
                    Some((name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
                }));
                None
            }
            "FROM" => {
                let mut names = rest.iter().filter(|word| !word.starts_with("--"));
                let image = names.next();
                stages.push(names.nth(1).map(|name| name.to_lowercase()).unwrap_or_default());
                // The stage that begins here cannot be its own base.
                image.filter(|image| !stages[..stages.len() - 1].contains(&image.to_lowercase()))
            }
            "COPY" => {
                let from = rest.iter().find_map(|word| word.strip_prefix("--from="));
                let is_image = |from: &&str| !stages.contains(&from.to_lowercase()) && from.parse::<usize>().is_err();
                found.extend(from.filter(is_image).and_then(|from| with_defaults(from, &defaults)));
                None
            }
            _ => None,
        };
        found.extend(named.and_then(|image| with_defaults(image, &defaults)));
    }
    found.retain(|image| image != "scratch");
    found.sort_unstable();
    found.dedup();
    found
}

/// A name with its variables replaced; `None` where one has no default or a rule of its own (`${X:-y}`).
fn with_defaults(text: &str, defaults: &BTreeMap<String, String>) -> Option<String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let (name, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()))
            }
        };
        result.push_str(defaults.get(name)?);
        rest = after;
    }
    result.push_str(rest);
    Some(result).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::bases;

    #[test]
    fn images_are_told_from_stages_numbers_and_what_is_not_known() {
        let cases: [(&str, &[&str]); 8] = [
            ("FROM busybox:1", &["busybox:1"]),
            (
                "from node:24 as build\nFROM --platform=linux/amd64 nginx:1\nCOPY --from=build /a /a",
                &["nginx:1", "node:24"],
            ),
            (
                "FROM a AS x\nFROM X AS y\nCOPY --from=0 / /\nCOPY --chown=1 --from=b:2 / /",
                &["a", "b:2"],
            ),
            ("ARG V=24\nARG OS=\"slim\"\nFROM node:${V}-$OS", &["node:24-slim"]),
            ("ARG V\nFROM node:$V", &[]),
            ("FROM node:${V:-24}", &[]),
            ("FROM scratch\nCOPY a /", &[]),
            ("FROM a \\\n  AS b\n# FROM c\nRUN echo FROM d", &["a"]),
        ];
        for (text, expected) in cases {
            assert_eq!(bases(text), expected, "{text:?}");
        }
    }
}
