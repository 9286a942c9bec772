//! How an app's source would be built, as it was seen when somebody last looked.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// What was seen, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPlan {
    /// What was seen; `None` while it is looked for.
    pub outcome: Option<PlanOutcome>,
    /// When, or since when it is looked for.
    pub seen_at: Timestamp,
}

/// What a look at a source came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlanOutcome {
    /// The repository brings its Dockerfile.
    Own {
        /// The first digits of the commit's id.
        commit: String,
        /// Where the Dockerfile is, relative to the repository.
        path: String,
    },
    /// Dhow writes the Dockerfile.
    Written {
        /// The first digits of the commit's id.
        commit: String,
        /// The Dockerfile and what led to it.
        #[serde(flatten)]
        written: WrittenPlan,
    },
    /// It cannot be built, or not be had.
    Failed {
        /// Why, in a sentence for people.
        message: String,
    },
}

/// A Dockerfile that Dhow wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenPlan {
    /// What the source is, in a few words.
    pub summary: String,
    /// What led to it, most decisive first.
    pub reasons: Vec<PlanReason>,
    /// The Dockerfile; its context is the app's folder.
    pub dockerfile: String,
    /// Further files that it copies.
    pub files: Vec<PlanFile>,
}

/// Why something was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanReason {
    /// The file that says it.
    pub file: String,
    /// What follows from it.
    pub means: String,
}

/// A file that goes into the context beside those of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Its path in the context.
    pub path: String,
    /// What it holds.
    pub text: String,
}
