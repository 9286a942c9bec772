//! What a browser sends for a form, and what is stored of it.

use super::*;

fn var(key: &str, value: Option<&str>, secret: bool) -> EnvVarInput {
    EnvVarInput {
        key: key.into(),
        value: value.map(str::to_owned),
        secret,
        scope: "run".into(),
    }
}

fn stored() -> EnvInput {
    let vars = vec![var("LINES", Some("a\r\nb\r\n"), false), var("TOKEN", None, true)];
    EnvInput {
        version: Some(3),
        vars,
        ..EnvInput::default()
    }
}

/// What a browser sends for a form as it is shown, changed by `edit`.
fn sent(edit: impl FnOnce(&mut Vec<EnvRow>)) -> Typed {
    let mut form = EnvForm::of(&stored());
    edit(&mut form.rows);
    let mut typed = Typed::default();
    typed.set("version", "3");
    for (index, row) in form.rows.iter().enumerate() {
        typed.set("key", row.key.clone());
        typed.set("value", row.value.replace('\n', "\r\n"));
        typed.set("scope", row.scope.clone());
        for (name, is_on) in [("secret", row.is_secret), ("remove", row.is_removed)] {
            if is_on {
                typed.set(name, index.to_string());
            }
        }
    }
    typed
}

fn input(edit: impl FnOnce(&mut Vec<EnvRow>)) -> EnvInput {
    EnvForm::parse(&sent(edit), &stored()).to_input(&stored()).0
}

#[test]
fn saving_without_an_edit_changes_nothing() {
    assert_eq!(input(|_| ()), stored());
}

#[test]
fn a_renamed_row_keeps_a_value_that_nobody_touched() {
    let edited = input(|rows| rows[0].key = "OTHER".to_owned());
    assert_eq!(edited.vars[0], var("OTHER", Some("a\r\nb\r\n"), false));
    let typed = input(|rows| (rows[0].key, rows[0].value) = ("OTHER".to_owned(), "a\nb".to_owned()));
    assert_eq!(typed.vars[0], var("OTHER", Some("a\nb"), false));
    // In a form of another version something else may stand in that place.
    let mut newer = stored();
    newer.version = Some(4);
    let old = EnvForm::parse(&sent(|rows| rows[0].key = "OTHER".to_owned()), &newer);
    assert_eq!(old.to_input(&newer).0.vars[0], var("OTHER", Some("a\nb\n"), false));
}

#[test]
fn values_keep_every_character_and_have_lf() {
    let value = "\n  pa$$ \"x\" # y\n\n";
    let edited = input(|rows| {
        rows[0].value = value.to_owned();
        rows[1].value = "new".to_owned();
        rows[2] = EnvRow {
            key: "EMPTY".into(),
            value: String::new(),
            scope: "both".into(),
            ..EnvRow::default()
        };
    });
    assert_eq!(edited.vars[0].value.as_deref(), Some(value));
    assert_eq!(edited.vars[1], var("TOKEN", Some("new"), true));
    assert_eq!(
        (edited.vars[2].value.as_deref(), edited.vars[2].scope.as_str()),
        (Some(""), "both")
    );
}

#[test]
fn removed_and_blank_rows_are_left_out() {
    let edited = input(|rows| rows[0].is_removed = true);
    assert_eq!(edited.vars, [var("TOKEN", None, true)]);
}

#[test]
fn an_empty_secret_is_the_stored_one_or_is_refused_by_the_action() {
    let edited = input(|rows| {
        rows[1].is_secret = false;
        rows[2] = EnvRow {
            key: "OTHER".into(),
            is_secret: true,
            scope: "run".into(),
            ..EnvRow::default()
        };
    });
    assert_eq!(edited.vars[1], var("TOKEN", None, false));
    assert_eq!(edited.vars[2], var("OTHER", None, true));
}

#[test]
fn a_value_that_cannot_be_read_stays_where_nothing_is_typed() {
    let mut broken = stored();
    broken.vars[0].value = None;
    let unedited = EnvForm::parse(&sent(|rows| rows[0].value = String::new()), &broken);
    assert_eq!(unedited.to_input(&broken).0.vars[0], var("LINES", None, false));
}

#[test]
fn a_row_is_added_on_request_and_when_the_last_one_is_used() {
    let mut typed = sent(|rows| rows[2].key = "NEW".to_owned());
    assert_eq!(EnvForm::parse(&typed, &stored()).version, Some(3));
    let mut garbled = typed.clone();
    garbled.set("version", "3x");
    assert_eq!(EnvForm::parse(&garbled, &stored()).version, Some(NO_VERSION));
    assert_eq!(EnvForm::parse(&typed, &stored()).rows.len(), 4);
    typed.set("action", "add");
    let form = EnvForm::parse(&typed, &stored());
    assert!(form.wants_row && form.rows.len() == 4 && form.rows[3] == EnvRow::blank());
    assert_eq!(EnvForm::parse(&Typed::default(), &stored()).rows, [EnvRow::blank()]);
}

#[test]
fn refusals_stand_at_their_rows_although_others_are_left_out() {
    let typed = sent(|rows| {
        rows[0].is_removed = true;
        rows[2] = EnvRow {
            key: "2x".into(),
            value: "kept".into(),
            scope: "run".into(),
            ..EnvRow::default()
        };
    });
    let (_, indexes) = EnvForm::parse(&typed, &stored()).to_input(&stored());
    let error = |field: &str| FieldError {
        field: field.into(),
        message: "No.".into(),
    };
    let errors = EnvForm::errors(
        vec![error("vars[1].key"), error("vars[0].value"), error("vars")],
        &indexes,
    );
    assert!(errors.of("key-2").is_some() && errors.of("value-1").is_some() && errors.of("key-0").is_none());
    let texts: Vec<_> = errors.lines().into_iter().map(|line| line.text).collect();
    assert_eq!(texts, ["Row 3, key: No.", "Row 2, value: No.", "vars: No."]);
}
