//! Values of variables that are hard to carry, and what an instance got of them.

use std::collections::BTreeMap;

use base64::Engine as _;

use super::dhow::Dhow;
use super::docker::docker;

/// What anything that quotes, trims, expands or cuts would change.
const ALPHABET: &str = "ab \t\n\r\"'\\#=$`{}()&;%!~*?[]<>|/-_.,:@^+\u{a0}\u{feff}é€🚀\u{1b}";

/// A source of such values, the same in every run.
pub struct OddValues {
    alphabet: Vec<char>,
    state: u64,
}

impl OddValues {
    pub fn new() -> Self {
        Self {
            alphabet: ALPHABET.chars().collect(),
            state: 0x2545_f491_4f6c_dd1d,
        }
    }

    /// The next ones, named `V0` and so on; one in fifty is long.
    pub fn take(&mut self, count: usize) -> BTreeMap<String, String> {
        (0..count).map(|index| (format!("V{index}"), self.value())).collect()
    }

    fn value(&mut self) -> String {
        let longest = if self.next(50) == 0 { 2_000 } else { 24 };
        let length = self.next(longest);
        let letters = self.alphabet.len();
        let places: Vec<usize> = (0..length).map(|_| self.next(letters)).collect();
        places.iter().map(|place| self.alphabet[*place]).collect()
    }

    /// A number below another one (xorshift64).
    fn next(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % below as u64).unwrap()
    }
}

/// The longest way to write them in the manner of .env files: all in double quotes.
pub fn quoted(values: &BTreeMap<String, String>) -> String {
    let line = |(key, value): (&String, &String)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r");
        format!("{key}=\"{value}\"\n")
    };
    values.iter().map(line).collect()
}

/// The environment of an app's only instance as the kernel gave it to the first process.
pub fn environment(dhow: &Dhow, app: &str) -> BTreeMap<String, String> {
    let containers = dhow.containers_of(app);
    assert_eq!(containers.len(), 1, "{containers:?}");
    let told = docker(&["exec", &containers[0], "base64", "/proc/1/environ"]);
    let told: String = told.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(told).unwrap();
    String::from_utf8(bytes)
        .unwrap()
        .split_terminator('\0')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
