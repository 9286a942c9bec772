//! What was done, for those who answer for the instance.

use serde::Deserialize;

use super::{Actions, Error, Fields, Result};
use crate::db::{self, Page};
use crate::model::audit::{AuditFilter, AuditRow};
use crate::model::user::Actor;

/// A filter as typed; what is empty is not asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// An e-mail address.
    pub user: String,
    /// An action, or the first part of one.
    pub action: String,
    /// The first day or moment.
    pub since: String,
    /// The day or moment after the last.
    pub until: String,
}

impl AuditQuery {
    /// The filter that it stands for.
    pub fn check(&self) -> Result<AuditFilter> {
        let mut fields = Fields::default();
        let typed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let filter = AuditFilter {
            user: typed(&self.user).map(|user| user.to_lowercase()),
            action: fields.check_optional("action", typed(&self.action).as_deref(), AuditFilter::parse_action),
            since: fields.check_optional("since", typed(&self.since).as_deref(), AuditFilter::parse_moment),
            until: fields.check_optional("until", typed(&self.until).as_deref(), AuditFilter::parse_moment),
        };
        fields.finish()?;
        Ok(filter)
    }
}

impl Actions {
    /// A page of what was done, newest first; for owners and admins of the instance.
    pub async fn list_audit(&self, actor: &Actor, filter: AuditFilter, page: Page) -> Result<Vec<AuditRow>> {
        if !actor.sees_all() {
            return Err(Error::Forbidden);
        }
        Ok(self.db.read(move |c| db::audit::list(c, &filter, page)).await?)
    }
}
