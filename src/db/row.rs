//! Reading columns into types whose rules were checked when the row was written.

use rusqlite::types::{FromSql, Type};
use rusqlite::{Row, RowIndex};

use crate::model::Invalid;

/// A column as a type with a `parse`; a value that breaks the rule means that the file was changed from outside.
pub fn parsed<V: FromSql, T>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(V) -> Result<T, Invalid>,
) -> rusqlite::Result<T> {
    let value: V = row.get(column)?;
    parse(value).map_err(|error| unreadable(row, column, error))
}

/// A text column as a type with a `parse`.
pub fn text<T>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> rusqlite::Result<T> {
    parsed(row, column, |value: String| parse(&value))
}

/// A text column that may be null.
pub fn optional_text<T>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> rusqlite::Result<Option<T>> {
    parsed(row, column, |value: Option<String>| {
        value.map(|text| parse(&text)).transpose()
    })
}

fn unreadable(row: &Row<'_>, column: &str, error: Invalid) -> rusqlite::Error {
    let index = column.idx(row.as_ref()).unwrap_or_default();
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, format!("column {column}: {error}").into())
}
