//! Status as a word with its own shape and colour, the same on every page.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::model::app::AppStatus;
use crate::model::delivery::{Decision, Delivery, Signature};
use crate::model::deployment::Status;

/// A status; prints its whole element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="status status-{{ class }}">{{ word }}</span>"#,
    ext = "html"
)]
pub struct StatusWord {
    /// `ok`, `warn`, `bad`, `busy`, `stopped` or `idle`, as in the stylesheet.
    class: &'static str,
    word: &'static str,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for StatusWord {}

impl StatusWord {
    /// Of the release that serves.
    pub const LIVE: Self = Self {
        class: "ok",
        word: "live",
    };
    /// Of a user who may sign in.
    pub const ACTIVE: Self = Self {
        class: "ok",
        word: "active",
    };
    /// Of a user who may not.
    pub const DEACTIVATED: Self = Self {
        class: "stopped",
        word: "deactivated",
    };
    /// Of a release that would serve if it were not stopped.
    pub const STOPPED: Self = Self {
        class: "stopped",
        word: "stopped",
    };
}

impl StatusWord {
    /// What came of a delivery: how its deployment stands, if it led to one.
    pub fn of_delivery(delivery: &Delivery) -> Self {
        if let Some(deployment) = delivery.deployment {
            return deployment.status.into();
        }
        let (class, word) = match delivery.verdict.as_ref().map(|verdict| verdict.decision) {
            None => ("busy", "waits"),
            Some(_) if delivery.signature != Signature::Valid => ("bad", "refused"),
            Some(Decision::Deploy) => ("ok", "deploys"),
            Some(Decision::Ping) => ("ok", "ping"),
            Some(Decision::Unreadable) => ("bad", "unreadable"),
            Some(_) => ("idle", "ignored"),
        };
        Self { class, word }
    }
}

impl From<Status> for StatusWord {
    fn from(status: Status) -> Self {
        let class = match status {
            Status::Queued => "warn",
            Status::Running => "busy",
            Status::Succeeded => "ok",
            Status::Failed => "bad",
            Status::Cancelled | Status::Superseded => "idle",
        };
        Self {
            class,
            word: status.as_str(),
        }
    }
}

impl From<AppStatus> for StatusWord {
    fn from(status: AppStatus) -> Self {
        let class = match status {
            AppStatus::Stopped => return Self::STOPPED,
            AppStatus::Running => "ok",
            AppStatus::Failed | AppStatus::Crashed => "bad",
            AppStatus::Deploying => "busy",
            AppStatus::New => "idle",
        };
        Self {
            class,
            word: status.as_str(),
        }
    }
}
