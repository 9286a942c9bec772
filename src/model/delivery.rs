//! What a forge sent to an app's webhook, and what was decided about it.
//!
//! Forges differ in headers and payloads; from here on there is one [`Push`], and one place that decides.

use super::deployment::Status;
use super::ids::{AppId, DeliveryId, DeploymentId};
use super::source::CommitSha;
use super::time::Timestamp;
use super::words::words;

mod decide;
mod order;

pub use decide::{Outcome, concerning, decide, skip_marker};
pub use order::{Asked, Turn};

/// Largest body of a webhook, in bytes; GitHub itself caps payloads at 25 MB, pushes are far below.
pub const MAX_BODY_BYTES: usize = 5 << 20;
/// How much of a payload is kept, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 10;
/// Deliveries that are kept for an app.
pub const KEPT_PER_APP: u32 = 1_000;
/// Refused ones among them: whoever knows the address can send such, and must not push the others out.
pub const KEPT_REFUSED: u32 = 100;
/// How long deliveries are kept, in seconds.
pub const KEPT_S: i64 = 30 * 24 * 3600;

words! {
    /// Where a delivery comes from, by the headers that it sends.
    Forge {
        /// GitHub.
        Github = "github",
        /// GitLab.
        Gitlab = "gitlab",
        /// Gitea or Forgejo.
        Gitea = "gitea",
        /// Bitbucket.
        Bitbucket = "bitbucket",
    }
}

impl Forge {
    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "GitHub",
            Self::Gitlab => "GitLab",
            Self::Gitea => "Gitea or Forgejo",
            Self::Bitbucket => "Bitbucket",
        }
    }
}

words! {
    /// Whether a delivery was signed with the app's secret.
    Signature {
        /// It was.
        Valid = "valid",
        /// It was signed with something else, or changed on its way.
        Wrong = "wrong",
        /// It was not signed at all, or only in a way that is not safe.
        Missing = "missing",
    }
}

words! {
    /// What came of a delivery.
    Decision {
        /// A deployment was asked for.
        Deploy = "deploy",
        /// The forge only tried whether the webhook answers.
        Ping = "ping",
        /// It tells of something else than a push.
        OtherEvent = "other_event",
        /// A tag was pushed.
        Tag = "tag",
        /// Another branch was pushed.
        OtherBranch = "other_branch",
        /// The branch was deleted.
        BranchDeleted = "branch_deleted",
        /// Every commit of the push asks to be skipped.
        SkipMarker = "skip_marker",
        /// The app is not deployed by webhooks.
        AutoDeployOff = "auto_deploy_off",
        /// No watched path was changed.
        NothingWatched = "nothing_watched",
        /// The app's code does not come from a forge.
        NotGit = "not_git",
        /// The payload is none.
        Unreadable = "unreadable",
        /// The signature does not fit.
        Refused = "refused",
    }
}

/// How a request proves that it comes from the forge, as found in its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// HMAC-SHA-256 over the raw body, in hexadecimal digits.
    Hmac(String),
    /// The secret itself (GitLab).
    Token(String),
    /// HMAC-SHA-256 over id, time and body, in Base64; several while a secret is exchanged (Standard Webhooks).
    Standard {
        /// `webhook-id`.
        id: String,
        /// `webhook-timestamp`.
        timestamp: String,
        /// `webhook-signature`.
        signatures: String,
    },
    /// Nothing that could be checked.
    None,
}

/// A branch or tag that was pushed, in one form for all forges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Push {
    /// The whole name, such as `refs/heads/main`.
    pub git_ref: String,
    /// Where it stood before; `None` when it is new.
    pub before: Option<CommitSha>,
    /// Where it stands now; `None` when it was deleted.
    pub after: Option<CommitSha>,
    /// Whether the forge says that history was rewritten; GitLab and Gitea never do.
    pub is_forced: bool,
    /// First line of the newest commit's message.
    pub message: String,
    /// Its author's name.
    pub author: String,
    /// The marker by which every commit of the push asks to be skipped.
    pub skip_marker: Option<String>,
    /// The repository's default branch, where the forge names it.
    pub default_branch: Option<String>,
}

impl Push {
    /// The branch, if it is one.
    pub fn branch(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/heads/")
    }
}

/// What a delivery tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The forge tries whether the webhook answers.
    Ping,
    /// Something was pushed.
    Push(Push),
    /// Several branches and tags were pushed at once.
    Pushes(Vec<Push>),
    /// Anything else.
    Other,
    /// The payload is none; why, in a sentence.
    Unreadable(String),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// By whom, where the headers tell.
    pub forge: Option<Forge>,
    /// The event's name in the forge's own words.
    pub event_name: String,
    /// The forge's own id of the delivery.
    pub forge_id: Option<String>,
    /// What it tells.
    pub event: Event,
    /// The payload, masked and capped; empty for one that was refused.
    pub payload: String,
}

/// A decision, with what a person wants to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was decided.
    pub decision: Decision,
    /// The rule that did, such as `branch main` or `watch path docs/**`.
    pub rule: String,
    /// One sentence.
    pub reason: String,
}

/// A delivery as stored, without its payload.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Row id; later ones have higher ids.
    pub id: DeliveryId,
    /// Whose webhook it came to.
    pub app_id: AppId,
    /// That app's slug.
    pub app: String,
    /// When.
    pub received_at: Timestamp,
    /// From where.
    pub forge: Option<Forge>,
    /// The event's name in the forge's own words.
    pub event: String,
    /// What was pushed.
    pub push: Option<Push>,
    /// Whether it was signed.
    pub signature: Signature,
    /// Whether it had to wait for the repository to be looked at.
    pub is_deferred: bool,
    /// What was decided; `None` while it waits.
    pub verdict: Option<Verdict>,
    /// The deployment that it led to.
    pub deployment: Option<LedTo>,
    /// The earlier one that somebody had handled once more.
    pub replay_of: Option<DeliveryId>,
}

/// The deployment that a delivery led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedTo {
    /// Which.
    pub id: DeploymentId,
    /// Its number in the app.
    pub number: i64,
    /// How it stands now: a push that was decided to be deployed may have failed since.
    pub status: Status,
}

impl Delivery {
    /// What it tells, as far as it was understood.
    pub fn told(&self) -> Event {
        match (&self.push, self.verdict.as_ref()) {
            (Some(push), _) => Event::Push(push.clone()),
            (None, Some(verdict)) if verdict.decision == Decision::Ping => Event::Ping,
            (None, Some(verdict)) if verdict.decision == Decision::Unreadable => {
                Event::Unreadable(verdict.reason.clone())
            }
            (None, _) => Event::Other,
        }
    }
}

/// How an app's forge reaches it.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The app.
    pub app_id: AppId,
    /// The part of the address that cannot be guessed.
    pub public_id: String,
    /// The secret, sealed for [`Webhook::seal_identity`].
    pub sealed_secret: Vec<u8>,
    /// When the secret was last exchanged.
    pub rotated_at: Option<Timestamp>,
}

impl Webhook {
    /// What the secret of an app's webhook is sealed for.
    pub fn seal_identity(app: AppId) -> String {
        format!("webhook:{app}")
    }
}
