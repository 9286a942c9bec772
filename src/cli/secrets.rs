//! `dhow secrets rotate`.

use super::{open_existing_database, print_line};
use crate::actions::key_rotation;
use crate::config::SecretsVerb;

/// Carries out a verb about the key.
pub async fn run(verb: SecretsVerb) -> anyhow::Result<()> {
    let SecretsVerb::Rotate { data } = verb;
    let db = open_existing_database(&data)?;
    let is_served = crate::is_served(&data.path);
    let rotated = key_rotation::rotate(&db, &data.path.join(crate::KEY_FILE), is_served).await?;
    print_line(&format!(
        "The key was changed; {} stored values are sealed with the new one.",
        rotated.values
    ))?;
    if rotated.unreadable > 0 {
        print_line(&format!(
            "{} values could not be opened with the old key either; they are left as they were.",
            rotated.unreadable
        ))?;
    }
    Ok(())
}
