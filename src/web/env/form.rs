//! The plain form of an app's variables: rows as typed, what they ask for, and what was refused in them.
//!
//! Fields repeat for each row; check boxes name their row, since those that are off are not sent. A value arrives
//! with the line ends that HTML prescribes (CRLF) and is stored with LF, but one that nobody touched stays as it is.

use std::collections::BTreeSet;

use crate::actions::FieldError;
use crate::actions::env_vars::{EnvInput, EnvVarInput};
use crate::model::env_var::EnvScope;
use crate::web::forms::FormErrors;
use crate::web::typed::Typed;

/// Most lines that a value's field shows at once.
const MOST_LINES: usize = 6;

/// In place of a version that is no number: never the stored one, so that nothing is overwritten unseen.
const NO_VERSION: i64 = -1;

/// What a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvForm {
    /// The version that the form showed.
    pub version: Option<i64>,
    /// One more row is wanted, nothing is saved.
    pub wants_row: bool,
    /// The rows in order; the last one is blank.
    pub rows: Vec<EnvRow>,
}

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvRow {
    /// The variable's name.
    pub key: String,
    /// Its value, with LF as line ends.
    pub value: String,
    /// Whether it is never shown again.
    pub is_secret: bool,
    /// `run`, `build` or `both`.
    pub scope: String,
    /// Whether it shall go.
    pub is_removed: bool,
    /// Whether Dhow holds a value under this name that it does not show, which an empty value keeps.
    pub is_kept: bool,
}

impl EnvRow {
    fn of(var: &EnvVarInput) -> Self {
        Self {
            key: var.key.clone(),
            value: with_lf(var.value.as_deref().unwrap_or_default()),
            is_secret: var.secret,
            scope: var.scope.clone(),
            is_kept: var.value.is_none(),
            ..Self::default()
        }
    }

    fn blank() -> Self {
        Self {
            scope: EnvScope::Run.as_str().to_owned(),
            ..Self::default()
        }
    }

    pub fn is_blank(&self) -> bool {
        self.key.is_empty() && self.value.is_empty()
    }

    /// How many lines the value's field shows.
    pub fn lines(&self) -> usize {
        (self.value.matches('\n').count() + 1).min(MOST_LINES)
    }
}

/// Browsers send CRLF for every line end in a text area (HTML, "form data set").
fn with_lf(value: &str) -> String {
    value.replace("\r\n", "\n").replace('\r', "\n")
}

impl EnvForm {
    /// The form for what is stored.
    pub fn of(stored: &EnvInput) -> Self {
        let rows = stored.vars.iter().map(EnvRow::of).chain([EnvRow::blank()]).collect();
        Self {
            version: stored.version,
            wants_row: false,
            rows,
        }
    }

    /// The form as it was sent.
    pub fn parse(typed: &Typed, stored: &EnvInput) -> Self {
        let (secrets, removed) = (indexes(typed, "secret"), indexes(typed, "remove"));
        let mut values = typed.all("value");
        let mut scopes = typed.all("scope");
        let mut rows: Vec<EnvRow> = typed
            .all("key")
            .enumerate()
            .map(|(index, key)| EnvRow {
                key: key.to_owned(),
                value: with_lf(values.next().unwrap_or_default()),
                is_secret: secrets.contains(&index),
                scope: scopes.next().unwrap_or(EnvScope::Run.as_str()).to_owned(),
                is_removed: removed.contains(&index),
                is_kept: stored.vars.iter().any(|var| var.key == key && var.value.is_none()),
            })
            .collect();
        let wants_row = typed.get("action") == Some("add");
        if wants_row || rows.last().is_none_or(|row| !row.is_blank()) {
            rows.push(EnvRow::blank());
        }
        Self {
            version: typed
                .text("version")
                .map(|version| version.parse().unwrap_or(NO_VERSION)),
            wants_row,
            rows,
        }
    }

    /// What to store, and the row of each variable in it.
    pub fn to_input(&self, stored: &EnvInput) -> (EnvInput, Vec<usize>) {
        let is_wanted = |row: &EnvRow| !row.is_blank() && !row.is_removed;
        let wanted = self.rows.iter().enumerate().filter(|(_, row)| is_wanted(row));
        let (indexes, vars) = wanted
            .map(|(index, row)| (index, self.var_of(index, row, stored)))
            .unzip();
        (
            EnvInput {
                version: self.version,
                vars,
                ..EnvInput::default()
            },
            indexes,
        )
    }

    /// An empty secret is never meant: it keeps the stored one, or is refused where there is none.
    fn var_of(&self, index: usize, row: &EnvRow, stored: &EnvInput) -> EnvVarInput {
        let before = self.before(index, row, stored).and_then(|var| var.value.as_ref());
        let value = match before {
            Some(before) if with_lf(before) == row.value => Some(before.clone()),
            _ => Some(row.value.clone()).filter(|value| !(value.is_empty() && (row.is_secret || row.is_kept))),
        };
        EnvVarInput {
            key: row.key.clone(),
            value,
            secret: row.is_secret,
            scope: row.scope.clone(),
        }
    }

    /// The variable that a row showed: of its name, or where it was renamed the one in its place.
    fn before<'a>(&self, index: usize, row: &EnvRow, stored: &'a EnvInput) -> Option<&'a EnvVarInput> {
        let in_place = || stored.vars.get(index).filter(|_| self.version == stored.version);
        stored.vars.iter().find(|var| var.key == row.key).or_else(in_place)
    }

    /// Refusals by the fields of the form; `indexes` is as [`EnvForm::to_input`] gave it.
    pub fn errors(errors: Vec<FieldError>, indexes: &[usize]) -> FormErrors {
        let errors = errors.into_iter().map(|error| FieldError {
            field: place(&error.field, indexes),
            ..error
        });
        FormErrors::with_labels(errors.collect(), label)
    }
}

/// The id of the control that `vars[2].key` means: `key-3` where a row before it was left out.
fn place(field: &str, indexes: &[usize]) -> String {
    let place = field.strip_prefix("vars[").and_then(|rest| rest.split_once("]."));
    let place = place.and_then(|(index, part)| Some((*indexes.get(index.parse::<usize>().ok()?)?, part)));
    place.map_or_else(|| field.to_owned(), |(row, part)| format!("{part}-{row}"))
}

/// The words for `key-3`.
fn label(id: &str) -> Option<String> {
    let (part, row) = id.split_once('-')?;
    Some(format!("Row {}, {part}", row.parse::<usize>().ok()? + 1))
}

/// Rows whose check box is on.
fn indexes(typed: &Typed, name: &str) -> BTreeSet<usize> {
    typed.all(name).filter_map(|index| index.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
