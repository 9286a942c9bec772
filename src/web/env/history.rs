//! Who changed which variables, newest first; names only.

use crate::db::env_changes::EnvChangeRow;
use crate::db::{self, Db, Page};
use crate::model::env_var::{EnvChanges, EnvOwner};
use crate::web::audit;
use crate::web::error::Result;
use crate::web::moment::Moment;

/// Changes on one page.
const LISTED: u32 = 8;

/// Names that one change lists; the rest is counted.
const NAMED: usize = 8;

/// A page of changes.
#[derive(Debug)]
pub struct History {
    /// The changes.
    pub rows: Vec<HistoryRow>,
    /// The cursor of the changes before these.
    pub older: Option<i64>,
    /// Whether somebody paged here.
    pub is_open: bool,
}

/// One change.
#[derive(Debug)]
pub struct HistoryRow {
    /// When.
    pub when: Moment,
    /// Who.
    pub who: String,
    /// What, a part for each kind: its word, some names, and how many more.
    pub parts: Vec<Part>,
}

/// The names that were added, changed or removed.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// `added`, `changed` or `removed`.
    pub word: &'static str,
    /// The first names.
    pub keys: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

impl History {
    /// The changes before a cursor.
    pub async fn load(db: &Db, owner: EnvOwner, before: Option<i64>) -> Result<Self> {
        let page = Page {
            limit: LISTED + 1,
            before,
        };
        let mut found = db.read(move |c| db::env_changes::list(c, owner, page)).await?;
        let has_more = found.len() > LISTED as usize;
        found.truncate(LISTED as usize);
        Ok(Self {
            older: found.last().filter(|_| has_more).map(|last| last.id),
            rows: found.into_iter().map(HistoryRow::from).collect(),
            is_open: before.is_some(),
        })
    }
}

impl From<EnvChangeRow> for HistoryRow {
    fn from(row: EnvChangeRow) -> Self {
        Self {
            when: Moment::of(row.at),
            who: audit::who(row.email, row.actor),
            parts: parts(row.changes),
        }
    }
}

fn parts(changes: EnvChanges) -> Vec<Part> {
    let kinds = [
        ("added", changes.added),
        ("changed", changes.changed),
        ("removed", changes.removed),
    ];
    let kinds = kinds.into_iter().filter(|(_, keys)| !keys.is_empty());
    kinds
        .map(|(word, mut keys)| {
            let more = keys.len().saturating_sub(NAMED);
            keys.truncate(NAMED);
            Part { word, keys, more }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_counted() {
        let changes = EnvChanges {
            added: (0..NAMED + 3).map(|number| format!("K{number}")).collect(),
            removed: vec!["OLD".into()],
            ..EnvChanges::default()
        };
        let parts = parts(changes);
        assert_eq!((parts.len(), parts[0].keys.len(), parts[0].more), (2, NAMED, 3));
        assert_eq!((parts[1].word, parts[1].more), ("removed", 0));
    }
}
