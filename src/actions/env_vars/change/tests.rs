use serde_json::json;

use super::*;
use crate::actions::Error;
use crate::model::dotenv;
use crate::model::ids::AppId;

const OWNER: EnvOwner = EnvOwner::App(AppId(7));

fn key() -> SecretKey {
    let directory = tempfile::tempdir().unwrap();
    SecretKey::open(&directory.path().join("secret.key"), None).unwrap()
}

fn var(key: &str, value: Option<&str>, secret: bool, scope: &str) -> EnvVarInput {
    EnvVarInput {
        key: key.to_owned(),
        value: value.map(str::to_owned),
        secret,
        scope: scope.to_owned(),
    }
}

fn after(secrets: &SecretKey, stored: &[SealedEnvVar], change: Change) -> Vec<SealedEnvVar> {
    Stored::open(secrets, OWNER, stored).after(change).unwrap()
}

/// Name, value, secrecy and scope of each.
fn told(secrets: &SecretKey, vars: &[SealedEnvVar]) -> Vec<(String, String, bool, EnvScope)> {
    vars.iter()
        .map(|var| {
            let value = secrets.unseal(&OWNER.seal_identity(&var.key), &var.sealed).unwrap();
            (var.key.to_string(), value, var.is_secret, var.scope)
        })
        .collect()
}

fn text(text: &str) -> Vec<(EnvKey, EnvValue)> {
    dotenv::parse(text).unwrap().vars
}

fn stored(secrets: &SecretKey) -> Vec<SealedEnvVar> {
    let vars = vec![
        var("A", Some("1"), false, "both"),
        var("B", Some("2"), false, "run"),
        var("S", Some("hush"), true, "build"),
        var("T", Some("still"), true, "run"),
    ];
    after(secrets, &[], Change::Replace(vars))
}

#[test]
fn a_text_keeps_use_and_secrecy_and_leaves_unnamed_secrets() {
    let secrets = key();
    let stored = stored(&secrets);
    let replaced = after(&secrets, &stored, Change::ReplaceText(text("A=9\nS=new\na=x\n")));
    let row = |key: &str, value: &str, secret, scope| (key.to_owned(), value.to_owned(), secret, scope);
    assert_eq!(
        told(&secrets, &replaced),
        [
            row("A", "9", false, EnvScope::Both),
            row("S", "new", true, EnvScope::Build),
            row("T", "still", true, EnvScope::Run),
            row("a", "x", false, EnvScope::Run),
        ]
    );
    let merged = after(&secrets, &stored, Change::MergeText(text("A=9\n")));
    let keys: Vec<&str> = merged.iter().map(|var| var.key.as_str()).collect();
    assert_eq!(keys, ["A", "B", "S", "T"]);
}

#[test]
fn what_is_saved_without_an_edit_keeps_its_bytes() {
    let secrets = key();
    let stored = stored(&secrets);
    assert!(after(&secrets, &stored, Change::ReplaceText(text("A=1\nB=2\n"))) == stored);
    let same = vec![
        var("A", Some("1"), false, "both"),
        var("B", Some("2"), false, "run"),
        var("S", None, true, "build"),
        var("T", Some("still"), true, "run"),
    ];
    assert!(after(&secrets, &stored, Change::Replace(same)) == stored);
    assert!(after(&secrets, &stored, Change::Merge(Vec::new(), vec!["NONE".into()])) == stored);
    let changed = after(&secrets, &stored, Change::MergeText(text("A=2\n")));
    assert!(changed[0] != stored[0] && changed[1..] == stored[1..]);
}

#[test]
fn too_much_is_refused_with_the_numbers() {
    let secrets = key();
    let large = |count: usize| {
        let one = |index: usize| var(&format!("K{index}"), Some(&"x".repeat(100_000)), false, "run");
        Change::Replace((0..count).map(one).collect())
    };
    assert_eq!(after(&secrets, &[], large(10)).len(), 10);
    let Err(Error::Invalid(refused)) = Stored::open(&secrets, OWNER, &[]).after(large(11)) else {
        panic!("eleven are too much")
    };
    assert_eq!(refused[0].field, "vars");
    assert!(
        refused[0].message.contains("1100045 bytes") && refused[0].message.contains("1048576"),
        "{refused:?}"
    );
    // What is kept counts too.
    let ten = after(&secrets, &[], large(10));
    let more = Change::MergeText(text(&format!("MORE={}\n", "x".repeat(100_000))));
    assert!(Stored::open(&secrets, OWNER, &ten).after(more).is_err());
}

/// A merge of one variable as the API reads it.
fn patch(var: serde_json::Value) -> Change {
    Change::Merge(vec![serde_json::from_value(var).unwrap()], Vec::new())
}

#[test]
fn what_a_merge_leaves_out_stays_as_it_is_stored() {
    let secrets = key();
    let stored = stored(&secrets);
    let (secret, plain) = ((true, EnvScope::Build), (false, EnvScope::Both));
    let cases = [
        (json!({ "key": "S", "value": "new" }), "new", secret),
        (
            json!({ "key": "S", "value": "open", "secret": false }),
            "open",
            (false, EnvScope::Build),
        ),
        (json!({ "key": "S", "scope": "run" }), "hush", (true, EnvScope::Run)),
        (
            json!({ "key": "S", "value": null, "scope": null }),
            "hush",
            (true, EnvScope::Run),
        ),
        (json!({ "key": "A", "value": "9" }), "9", plain),
        (json!({ "key": "A", "scope": "build" }), "1", (false, EnvScope::Build)),
        (json!({ "key": "A", "secret": true }), "1", (true, EnvScope::Both)),
        (json!({ "key": "NEW", "value": "" }), "", (false, EnvScope::Run)),
    ];
    for (given, value, (is_secret, scope)) in cases {
        let name = given["key"].as_str().unwrap().to_owned();
        let merged = told(&secrets, &after(&secrets, &stored, patch(given.clone())));
        let expected = (name, value.to_owned(), is_secret, scope);
        assert!(merged.contains(&expected), "{given}: {merged:?}");
    }
    for given in [
        json!({ "key": "S", "secret": false }),
        json!({ "key": "S", "value": null, "secret": null }),
        json!({ "key": "NEW", "scope": "both" }),
    ] {
        let Err(Error::Invalid(refused)) = Stored::open(&secrets, OWNER, &stored).after(patch(given.clone())) else {
            panic!("{given} is taken")
        };
        assert_eq!(refused[0].field, "vars[0].value");
    }
}

#[test]
fn what_cannot_be_read_is_shown_without_its_value_and_stays_until_it_is_typed_anew() {
    let secrets = key();
    let mut stored = stored(&secrets);
    stored[0].sealed = b"broken".to_vec();
    let shown: Vec<EnvVarInput> = stored
        .iter()
        .map(|var| super::super::show(&secrets, OWNER, var))
        .collect();
    let unreadable: Vec<bool> = shown.iter().map(EnvVarInput::is_unreadable).collect();
    assert_eq!(unreadable, [true, false, false, false]);
    assert_eq!(shown[1], var("B", Some("2"), false, "run"));
    assert!(after(&secrets, &stored, Change::Replace(shown)) == stored);
    assert!(after(&secrets, &stored, Change::ReplaceText(text("B=2\n"))) == stored);
    let moved = after(&secrets, &stored, patch(json!({ "key": "A", "scope": "run" })));
    assert!(moved[0].sealed == stored[0].sealed && moved[0].scope == EnvScope::Run);
    let anew = after(&secrets, &stored, patch(json!({ "key": "A", "value": "new" })));
    assert_eq!(told(&secrets, &anew)[0].1, "new");
    let hidden = patch(json!({ "key": "A", "secret": true }));
    assert!(Stored::open(&secrets, OWNER, &stored).after(hidden).is_err());
}
