//! What a push did to a repository, found by comparing its branches before and after.

use std::collections::BTreeMap;

use crate::git::{BranchHead, Commit, Error, HostedRepository, Want};
use crate::model::source::{Branch, CommitPrefix, CommitSha};

/// How one branch was changed by a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchChange {
    /// Name without `refs/heads/`.
    pub branch: String,
    /// Where it stood; `None` when it is new.
    pub before: Option<CommitSha>,
    /// Where it stands; `None` when it was deleted.
    pub after: Option<CommitSha>,
}

/// What a push did to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushOutcome {
    /// Every branch that was changed, at least one.
    pub changes: Vec<BranchChange>,
    /// The branch that is deployed.
    pub deploy_branch: String,
    /// The new head of the branch that is deployed; `None` when the push did not touch it.
    pub commit: Option<Commit>,
}

/// What changed since `before`; `None` if nothing did. A first push of a single branch makes that branch the one that
/// is deployed, whatever its name, unless the settings say another.
pub(super) fn compare(repository: &HostedRepository, before: &[BranchHead]) -> Result<Option<PushOutcome>, Error> {
    let after = repository.branches()?;
    let changes = find_changes(before, &after);
    if changes.is_empty() {
        return Ok(None);
    }
    let mut deploy_branch = repository.deploy_branch()?;
    if let ([only], false) = (
        changes.as_slice(),
        after.iter().any(|head| head.branch == deploy_branch),
    ) && !repository.is_branch_chosen()
        && only.after.is_some()
        && let Ok(branch) = Branch::parse(&only.branch)
    {
        repository.set_deploy_branch(&branch)?;
        deploy_branch = only.branch.clone();
    }
    let pushed = changes
        .iter()
        .find(|change| change.branch == deploy_branch)
        .and_then(|change| change.after.as_ref());
    let mut commit = pushed
        .map(|sha| repository.resolve(&Want::Commit(CommitPrefix::from(sha))))
        .transpose()?;
    if let Some(commit) = &mut commit {
        commit.branch = Some(deploy_branch.clone());
    }
    Ok(Some(PushOutcome {
        changes,
        deploy_branch,
        commit,
    }))
}

fn find_changes(before: &[BranchHead], after: &[BranchHead]) -> Vec<BranchChange> {
    let mut branches: BTreeMap<&str, (Option<&CommitSha>, Option<&CommitSha>)> = BTreeMap::new();
    for head in before {
        branches.entry(&head.branch).or_default().0 = Some(&head.commit);
    }
    for head in after {
        branches.entry(&head.branch).or_default().1 = Some(&head.commit);
    }
    branches
        .into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(|(branch, (before, after))| BranchChange {
            branch: branch.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(list: &[(&str, char)]) -> Vec<BranchHead> {
        let commit = |digit: char| CommitSha::parse(&digit.to_string().repeat(40)).unwrap();
        list.iter()
            .map(|(branch, digit)| BranchHead {
                branch: (*branch).to_owned(),
                commit: commit(*digit),
            })
            .collect()
    }

    #[test]
    fn tells_new_moved_and_deleted_branches() {
        let before = heads(&[("gone", '1'), ("main", '1'), ("same", '1')]);
        let after = heads(&[("main", '2'), ("new", '1'), ("same", '1')]);
        let changes = find_changes(&before, &after);
        let told: Vec<_> = changes
            .iter()
            .map(|it| (it.branch.as_str(), it.before.is_some(), it.after.is_some()))
            .collect();
        assert_eq!(
            told,
            [("gone", true, false), ("main", true, true), ("new", false, true)]
        );
        assert!(find_changes(&before, &before).is_empty());
    }
}
