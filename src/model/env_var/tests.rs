use super::*;

#[test]
fn a_key_is_a_posix_name_that_dhow_does_not_use() {
    for good in ["A", "_x", "DATABASE_URL", "a1"] {
        assert!(EnvKey::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "1A",
        "A-B",
        "A B",
        "A=B",
        "É",
        "PORT",
        "DHOW_APP",
        "A\n",
        "\u{feff}A",
        "$(id)",
    ] {
        assert!(EnvKey::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_value_keeps_every_byte_and_is_not_printed() {
    let value = EnvValue::parse("pa$$ \"x\" \n # y").unwrap();
    assert_eq!(value.as_str(), "pa$$ \"x\" \n # y");
    assert!(!format!("{value:?}").contains("pa"));
    assert!(EnvValue::parse("a\0b").is_err());
}

#[test]
fn a_value_that_is_too_long_is_refused_with_the_numbers() {
    assert!(EnvValue::parse("x".repeat(130_815)).is_ok());
    let refused = EnvValue::parse("x".repeat(130_816)).unwrap_err();
    assert!(
        refused.0.contains("130816") && refused.0.contains("130815"),
        "{refused:?}"
    );
}

#[test]
fn a_value_sealed_for_one_owner_is_for_no_other() {
    let key = EnvKey::parse("A").unwrap();
    let owners = [
        EnvOwner::App(AppId(1)),
        EnvOwner::App(AppId(2)),
        EnvOwner::Project(ProjectId(1)),
        EnvOwner::Project(ProjectId(2)),
    ];
    let identities: std::collections::BTreeSet<_> = owners.iter().map(|owner| owner.seal_identity(&key)).collect();
    assert_eq!(identities.len(), 4);
}

#[test]
fn changes_are_told_by_name() {
    let var = |key: &str, sealed: u8, is_secret| SealedEnvVar {
        key: EnvKey::parse(key).unwrap(),
        sealed: vec![sealed],
        is_secret,
        scope: EnvScope::Run,
    };
    let before = [
        var("A", 1, false),
        var("B", 1, false),
        var("C", 1, false),
        var("D", 1, true),
    ];
    let after = [
        var("B", 1, false),
        var("C", 2, false),
        var("D", 1, false),
        var("E", 1, false),
    ];
    let changes = EnvChanges::between(&before, &after);
    assert_eq!(changes.to_string(), "added E, changed C D, removed A");
    assert!(EnvChanges::between(&before, &before).is_empty());
}
