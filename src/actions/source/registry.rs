//! A user name and a password for the registry of an app's image.

use super::{CredentialInput, sealed_for};
use crate::actions::{Error, Fields, Result};
use crate::model::Invalid;
use crate::model::ids::AppId;
use crate::model::source::{ImageRef, SealedCredential, SourceToken};
use crate::secrets::SecretKey;

/// What was typed, sealed for its app and its registry.
pub(super) fn checked(
    secrets: &SecretKey,
    app: AppId,
    image: &ImageRef,
    input: &CredentialInput,
) -> Result<SealedCredential> {
    if input.kind != "token" {
        let message = "A registry takes a user name and a password, which is the kind token.";
        return Err(Error::field("kind", Invalid::new(message)));
    }
    let mut fields = Fields::default();
    if input.private_key.is_some() {
        fields.refuse("private_key", Invalid::new("A registry takes none; leave it out."));
    }
    let username = input.username.as_deref().unwrap_or_default().trim();
    if username.is_empty() {
        fields.refuse(
            "username",
            Invalid::new("Type the user name that goes with the password."),
        );
    }
    let token = fields.check(
        "token",
        SourceToken::parse(username, input.token.as_deref().unwrap_or_default()),
    );
    fields.finish()?;
    let token = token.expect("without refusals there is one");
    Ok(sealed_for(secrets, app, image.registry_name(), &token))
}
