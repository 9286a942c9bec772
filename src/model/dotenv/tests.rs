use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// One example of tests/fixtures/dotenv.json, which the island's parser is tested with too.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Example {
    Text {
        text: String,
        vars: Vec<(String, String)>,
        warnings: Vec<usize>,
        errors: Vec<usize>,
    },
    Value {
        value: String,
        serialised: String,
    },
}

fn value(text: &str) -> EnvValue {
    EnvValue::parse(text).unwrap()
}

fn lines(notes: &[LineNote]) -> Vec<usize> {
    notes.iter().map(|note| note.line).collect()
}

fn told(text: &str) -> (Vec<(String, String)>, Vec<usize>, Vec<usize>) {
    match parse(text) {
        Ok(read) => {
            let vars = read.vars.iter();
            let vars = vars.map(|(key, value)| (key.to_string(), value.as_str().to_owned()));
            (vars.collect(), lines(&read.warnings), Vec::new())
        }
        Err(errors) => (Vec::new(), Vec::new(), lines(&errors)),
    }
}

#[test]
fn every_example_is_read_and_written_as_it_says() {
    let examples: Vec<Example> = serde_json::from_str(include_str!("../../../tests/fixtures/dotenv.json")).unwrap();
    assert!(examples.len() >= 60, "{}", examples.len());
    let mut wrong = Vec::new();
    for example in examples {
        match example {
            Example::Text {
                text,
                vars,
                warnings,
                errors,
            } => {
                let found = told(&text);
                if found != (vars, warnings, errors) {
                    wrong.push(format!("{text:?}: {found:?}"));
                }
            }
            Example::Value {
                value: wanted,
                serialised,
            } => {
                let found = serialise_value(&value(&wanted));
                if found != serialised {
                    wrong.push(format!("{wanted:?}: {found:?}"));
                }
                let (vars, ..) = told(&format!("A={found}\nB=1\n"));
                if vars.first().is_none_or(|(_, read)| *read != wanted) || vars.len() != 2 {
                    wrong.push(format!("{wanted:?} came back as {vars:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn mistakes_are_told_in_words_that_help_and_repeat_nothing_of_the_text() {
    let message = |text: &str| parse(text).unwrap_err().remove(0).message;
    let unquoted = message("KEY=-----BEGIN TEST KEY-----\nAAAA+/==\n-----END TEST KEY-----\n");
    assert_eq!(
        unquoted,
        "The value of KEY goes on in the next lines. Put it in double quotes."
    );
    let next = message("CFG={\n  \"password\": 1\n}\n");
    assert!(
        next.contains("the value of CFG") && next.contains("double quotes"),
        "{next}"
    );
    assert!(!next.contains("password"), "{next}");
    let reserved = message("A=1\nPORT=1");
    assert_eq!(
        reserved,
        "PORT and names beginning with DHOW_ are set by Dhow itself. Leave this line out."
    );
}

#[test]
fn what_is_not_used_is_named_with_its_line() {
    let read = parse("A=1\nB=2\nA=3\n").unwrap();
    assert_eq!(
        read.warnings,
        [LineNote {
            line: 3,
            message: "A is set again here; its value in line 1 is not used.".to_owned()
        }]
    );
}

#[test]
fn a_long_text_is_read_in_time_that_grows_with_it() {
    let text: String = (0..50_000).map(|index| format!("K{index}=v\n")).collect();
    let begin = std::time::Instant::now();
    assert_eq!(parse(&text).unwrap().vars.len(), 50_000);
    assert!(begin.elapsed().as_secs() < 10);
}

/// Values of the characters that could be read as something else.
fn hostile_value() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[ \t\n\r\"'#\\\\=$`{}a-]{1,4}",
        "[\u{1}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}\u{feff}\u{a0}]",
        Just("-----BEGIN X-----".to_owned()),
        Just("-----END X-----".to_owned()),
        Just("export ".to_owned()),
        "[^\u{0}]{0,8}",
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_is_read_back_whatever_the_value_holds(values in prop::collection::vec(hostile_value(), 1..5)) {
        let vars: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(index, text)| (EnvKey::parse(&format!("K{index}")).unwrap(), value(text)))
            .collect();
        let text = serialise(vars.iter().map(|(key, value)| (key, value)));
        for sent in [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
            let read = parse(&sent).unwrap();
            prop_assert_eq!(read.warnings, []);
            prop_assert!(read.vars == vars, "{:?}", sent);
        }
    }

    #[test]
    fn no_text_makes_the_reader_stumble(text in "([ \t\n\r\"'#\\\\=A-C-]|export |\\PC){0,60}") {
        if let Ok(read) = parse(&text) {
            let again = serialise(read.vars.iter().map(|(key, value)| (key, value)));
            prop_assert!(parse(&again).unwrap().vars == read.vars);
        }
    }
}
