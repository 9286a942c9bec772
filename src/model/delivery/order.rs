//! Which pushes are newer than others, when they come in another order than they were made in.

use std::collections::BTreeSet;

use crate::model::ids::DeploymentId;
use crate::model::source::CommitSha;

/// A commit of a branch that somebody asked to have deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its deployment; a later request has a higher id.
    pub deployment: DeploymentId,
    /// That deployment's number in its app.
    pub number: i64,
    /// The commit.
    pub commit: CommitSha,
    /// Where the branch stood before, as the forge says.
    pub before: Option<CommitSha>,
    /// Whether the forge says that history was rewritten.
    pub is_forced: bool,
}

/// A push among the others of its branch.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The push itself.
    pub own: Asked,
    /// The others, in any order.
    pub others: Vec<Asked>,
}

impl Turn {
    /// Those of the others whose history has to be looked at: a push whose commit is an ancestor of one of theirs is
    /// older. A forced one goes through, whatever it is an ancestor of; before the last forced one nothing counts, and
    /// neither does what the forge itself says that the branch went on from.
    pub fn rivals(&self) -> Vec<&Asked> {
        if self.own.is_forced {
            return Vec::new();
        }
        let behind = self.behind();
        let mut others: Vec<&Asked> = self.others.iter().collect();
        others.sort_by_key(|other| std::cmp::Reverse(other.deployment.0));
        let mut rivals = Vec::new();
        for other in others {
            if other.commit != self.own.commit && !behind.contains(&other.commit) {
                rivals.push(other);
            }
            if other.is_forced && other.deployment.0 < self.own.deployment.0 {
                break;
            }
        }
        rivals
    }

    /// Where the branch stood before the push, one push after the other, as far as the forge told of them.
    fn behind(&self) -> BTreeSet<&CommitSha> {
        let mut behind = BTreeSet::new();
        let mut left: Vec<&CommitSha> = self.own.before.iter().collect();
        while let Some(commit) = left.pop() {
            if behind.insert(commit) {
                let told = self.others.iter().filter(|other| other.commit == *commit);
                left.extend(told.filter_map(|other| other.before.as_ref()));
            }
        }
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha(digit: char) -> CommitSha {
        CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn asked(id: i64, commit: char, before: char, is_forced: bool) -> Asked {
        Asked {
            deployment: DeploymentId(id),
            number: id,
            commit: sha(commit),
            before: Some(sha(before)),
            is_forced,
        }
    }

    fn rivals(own: Asked, others: &[Asked]) -> Vec<i64> {
        let others = others.to_vec();
        let turn = Turn { own, others };
        turn.rivals().iter().map(|rival| rival.number).collect()
    }

    #[test]
    fn a_push_that_follows_the_one_before_needs_no_look_into_history() {
        let before = [asked(1, 'a', '0', false), asked(2, 'b', 'a', false)];
        assert_eq!(rivals(asked(3, 'c', 'b', false), &before), Vec::<i64>::new());
        assert_eq!(rivals(asked(3, 'c', 'a', false), &before), [2]);
        assert_eq!(rivals(asked(3, 'c', '9', false), &before), [2, 1]);
    }

    #[test]
    fn a_push_that_follows_an_old_one_is_not_newer_than_all() {
        let others = [asked(1, 'e', 'd', false), asked(2, 'b', 'a', false)];
        assert_eq!(rivals(asked(3, 'c', 'b', false), &others), [1]);
    }

    #[test]
    fn later_ones_count_and_what_is_before_a_forced_one_does_not() {
        let later = [asked(1, 'a', '0', false), asked(9, 'e', 'd', false)];
        assert_eq!(rivals(asked(3, 'c', 'a', false), &later), [9]);
        let forced = [asked(1, 'e', '0', false), asked(2, 'b', 'e', true)];
        assert_eq!(rivals(asked(3, 'c', '9', false), &forced), [2]);
        assert_eq!(rivals(asked(3, 'c', '9', true), &forced), Vec::<i64>::new());
    }

    #[test]
    fn the_same_commit_is_no_older_one() {
        let others = [asked(1, 'c', '0', false)];
        assert_eq!(rivals(asked(3, 'c', '9', false), &others), Vec::<i64>::new());
    }
}
