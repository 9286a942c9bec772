//! `dhow token create`.

use anyhow::Context as _;

use super::{open_existing_database, print_line};
use crate::actions::tokens;
use crate::config::TokenVerb;
use crate::model::text::Name;
use crate::model::time::Timestamp;
use crate::model::user::Email;

/// Carries out a verb about tokens.
pub async fn run(verb: TokenVerb) -> anyhow::Result<()> {
    let TokenVerb::Create {
        user,
        name,
        scope,
        expires,
        data,
    } = verb;
    let email = Email::parse(&user).context(user)?;
    let name = Name::parse(&name).context("name")?;
    let expires_at = expires
        .map(|time| i64::try_from(time.as_secs()).map(|seconds| Timestamp::now().plus_seconds(seconds)))
        .transpose()
        .context("expires")?;
    print_line(&tokens::create(&open_existing_database(&data)?, &email, &name, scope, expires_at).await?)
}
