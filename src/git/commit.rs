//! Commits and branches as libgit2 has them, turned into Dhow's words.

use git2::{Oid, Repository};

use super::error::single_line;
use super::{Commit, Error};
use crate::model::source::{CommitPrefix, CommitSha};

/// How many branches an error names.
const NAMED_BRANCHES: usize = 20;
const MESSAGE_CHARS: usize = 200;
const AUTHOR_CHARS: usize = 100;

/// Describes a commit that is in the repository.
pub(super) fn describe(repository: &Repository, id: Oid, branch: Option<&str>) -> Result<Commit, Error> {
    let commit = repository.find_commit(id)?;
    let message = commit.message_bytes();
    let first_line = message
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty());
    Ok(Commit {
        sha: sha_of(id)?,
        message: single_line(first_line.unwrap_or_default(), MESSAGE_CHARS),
        author: single_line(commit.author().name_bytes(), AUTHOR_CHARS),
        branch: branch.map(str::to_owned),
    })
}

/// The commit that begins like that, if the repository has it.
pub(super) fn find(repository: &Repository, wanted: &CommitPrefix) -> Result<Option<Oid>, Error> {
    match repository.find_commit_by_prefix(wanted.as_str()) {
        Ok(commit) => Ok(Some(commit.id())),
        Err(error) => match error.code() {
            git2::ErrorCode::NotFound => Ok(None),
            git2::ErrorCode::Ambiguous => Err(Error::CommitNotFound(format!(
                "More than one commit begins with {wanted}. Give more of its digits."
            ))),
            _ => Err(error.into()),
        },
    }
}

/// An object's name in Dhow's type.
pub(super) fn sha_of(id: Oid) -> Result<CommitSha, Error> {
    CommitSha::parse(&id.to_string()).map_err(|error| Error::Other(error.0))
}

/// An object's name in libgit2's type.
pub(super) fn id_of(commit: &CommitSha) -> Result<Oid, Error> {
    Ok(Oid::from_str(commit.as_str())?)
}

/// The error for a branch that is not there.
pub(super) fn branch_not_found(wanted: &str, existing: &[&str]) -> Error {
    Error::RefNotFound(format!(
        "The repository has no branch {wanted}. {}",
        list_branches(existing)
    ))
}

/// The error for a repository that has branches, but not the one that it calls its default.
pub(super) fn default_not_found(existing: &[&str]) -> Error {
    Error::RefNotFound(format!(
        "The repository's own default branch does not exist. Name a branch in the app's settings. {}",
        list_branches(existing)
    ))
}

/// The error for a commit that is not there.
pub(super) fn commit_not_found(wanted: &CommitPrefix) -> Error {
    Error::CommitNotFound(format!(
        "Commit {wanted} was not found in any branch or tag of the repository. Check its digits, and that it was pushed."
    ))
}

fn list_branches(existing: &[&str]) -> String {
    let mut names = existing.to_vec();
    names.sort_unstable();
    let more = names.len().saturating_sub(NAMED_BRANCHES);
    names.truncate(NAMED_BRANCHES);
    let listed = names.join(", ");
    match (names.len(), more) {
        (0, _) => "It has no branches.".to_owned(),
        (1, _) => format!("It has only {listed}."),
        (_, 0) => format!("It has {listed}."),
        _ => format!("It has {listed} and {more} more."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_branches_that_there_are() {
        for (existing, sentence) in [
            (vec![], "The repository has no branch main. It has no branches."),
            (vec!["master"], "The repository has no branch main. It has only master."),
            (vec!["b", "a"], "The repository has no branch main. It has a, b."),
        ] {
            assert_eq!(branch_not_found("main", &existing).to_string(), sentence);
        }
        let many: Vec<String> = (10..35).map(|number| format!("b{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(default_not_found(&many).to_string().ends_with("b28, b29 and 5 more."));
    }
}
