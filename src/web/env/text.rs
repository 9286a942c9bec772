//! The variables as one .env text: what a browser without scripts can paste, edit and copy as a whole.

use std::collections::BTreeSet;

use crate::actions::FieldError;
use crate::actions::env_vars::EnvInput;
use crate::model::dotenv;
use crate::model::env_var::{EnvKey, EnvValue};
use crate::web::forms::FormErrors;
use crate::web::typed::Typed;

/// Fewest and most lines that the field shows at once.
const LINES: (usize, usize) = (8, 24);

/// The text and what it cannot tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextForm {
    /// The version that the form showed.
    pub version: Option<i64>,
    /// As stored or as typed.
    pub text: String,
    /// Names of stored secrets and of what cannot be read, which are not in the text.
    pub secrets: Vec<String>,
}

impl TextForm {
    /// The form for what is stored.
    pub fn of(stored: &EnvInput) -> Self {
        let shown = stored.vars.iter().filter_map(|var| {
            let value = var.value.as_deref()?;
            // What is stored was checked when it was written.
            EnvKey::parse(&var.key).ok().zip(EnvValue::parse(value).ok())
        });
        let shown: Vec<(EnvKey, EnvValue)> = shown.collect();
        let secrets: BTreeSet<&str> = stored
            .vars
            .iter()
            .filter(|var| var.value.is_none())
            .map(|var| var.key.as_str())
            .collect();
        Self {
            version: stored.version,
            text: dotenv::serialise(shown.iter().map(|(key, value)| (key, value))),
            secrets: secrets.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The form as it was sent; `None` when it is the other one.
    pub fn parse(typed: &Typed, stored: &EnvInput, version: Option<i64>) -> Option<Self> {
        Some(Self {
            version,
            text: typed.get("text")?.to_owned(),
            ..Self::of(stored)
        })
    }

    /// How many lines the field shows.
    pub fn lines(&self) -> usize {
        (self.text.matches('\n').count() + 2).clamp(LINES.0, LINES.1)
    }

    /// Refusals by the one field of the form.
    pub fn errors(errors: Vec<FieldError>) -> FormErrors {
        let errors = errors.into_iter().map(|error| FieldError {
            field: "text".to_owned(),
            ..error
        });
        FormErrors::new(errors.collect(), &[("text", "Text")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::env_vars::EnvVarInput;

    #[test]
    fn the_text_has_what_can_be_shown_and_names_what_cannot() {
        let var = |key: &str, value: Option<&str>| EnvVarInput {
            key: key.to_owned(),
            value: value.map(str::to_owned),
            secret: value.is_none(),
            scope: "both".to_owned(),
        };
        let stored = EnvInput {
            version: Some(2),
            vars: vec![var("A", Some("a # b")), var("S", None), var("Z", Some("1\r2"))],
            ..EnvInput::default()
        };
        let form = TextForm::of(&stored);
        assert_eq!(form.text, "A='a # b'\nZ=\"1\\r2\"\n");
        assert_eq!(form.secrets, ["S"]);
        assert_eq!(form.lines(), 8);
        let mut typed = Typed::default();
        assert_eq!(TextForm::parse(&typed, &stored, Some(2)), None);
        typed.set("text", "B=1\r\n");
        let sent = TextForm::parse(&typed, &stored, Some(1)).unwrap();
        assert_eq!((sent.text.as_str(), sent.version), ("B=1\r\n", Some(1)));
    }
}
