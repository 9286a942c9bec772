//! Forms whose input was refused: each field's message beside it, all of them linked at the top, the input kept.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::actions::{Error, FieldError};

/// The refusals of a form, none at first. Ids of controls are their field's name.
#[derive(Debug, Clone, Default)]
pub struct FormErrors {
    errors: Vec<FieldError>,
    labels: Labels,
}

/// The words that label a form's fields.
#[derive(Debug, Clone, Copy)]
enum Labels {
    Table(&'static [(&'static str, &'static str)]),
    /// For fields that repeat, whose ids are numbered.
    Made(fn(&str) -> Option<String>),
}

impl Default for Labels {
    fn default() -> Self {
        Self::Table(&[])
    }
}

impl Labels {
    fn of(self, field: &str) -> Option<String> {
        match self {
            Self::Table(table) => table
                .iter()
                .find(|(name, _)| *name == field)
                .map(|(_, label)| (*label).to_owned()),
            Self::Made(label) => label(field),
        }
    }
}

/// One line of the summary.
#[derive(Debug, PartialEq, Eq)]
pub struct SummaryLine<'a> {
    /// The control's id; `None` for a field that the form does not have.
    pub id: Option<&'a str>,
    /// Label and message.
    pub text: String,
}

impl FormErrors {
    /// A form that was not sent yet.
    pub fn none() -> Self {
        Self::default()
    }

    /// The refusals, with the labels of the form's fields.
    pub fn new(errors: Vec<FieldError>, labels: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            errors,
            labels: Labels::Table(labels),
        }
    }

    /// The refusals of a form whose fields repeat: `label` knows the words for a control's id.
    pub fn with_labels(errors: Vec<FieldError>, label: fn(&str) -> Option<String>) -> Self {
        Self {
            errors,
            labels: Labels::Made(label),
        }
    }

    /// Takes refusals out of an action's error; any other error is handed back.
    pub fn from_error(error: Error, labels: &'static [(&'static str, &'static str)]) -> Result<Self, Error> {
        match error {
            Error::Invalid(errors) => Ok(Self::new(errors, labels)),
            other => Err(other),
        }
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The message for a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.errors
            .iter()
            .find(|error| error.field == field)
            .map(|error| error.message.as_str())
    }

    /// Whether one of these fields was refused, so that the `<details>` around them has to be open.
    pub fn has_any(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.of(field).is_some())
    }

    /// The summary's heading.
    pub fn heading(&self) -> String {
        match self.errors.len() {
            1 => "One thing to put right; nothing was saved".to_owned(),
            count => format!("{} things to put right; nothing was saved", in_words(count)),
        }
    }

    /// The summary's lines.
    pub fn lines(&self) -> Vec<SummaryLine<'_>> {
        self.errors
            .iter()
            .map(|error| {
                let label = self.labels.of(&error.field);
                let text = format!("{}: {}", label.as_deref().unwrap_or(&error.field), error.message);
                SummaryLine {
                    id: label.map(|_| error.field.as_str()),
                    text,
                }
            })
            .collect()
    }

    /// What a control says of its message: `aria-invalid` and what describes it; `has_help` names its help text when
    /// nothing was refused.
    pub fn aria<'a>(&self, field: &'a str, has_help: bool) -> Aria<'a> {
        Aria {
            field,
            is_refused: self.of(field).is_some(),
            has_help,
        }
    }
}

/// Attributes that tie a control to its message or help.
#[derive(Template)]
#[template(
    source = r#"{% if is_refused %} aria-invalid="true" aria-describedby="{{ field }}-error"{% elif has_help %} aria-describedby="{{ field }}-help"{% endif %}"#,
    ext = "html"
)]
pub struct Aria<'a> {
    field: &'a str,
    is_refused: bool,
    has_help: bool,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Aria<'_> {}

fn in_words(count: usize) -> String {
    match count {
        2 => "Two".to_owned(),
        3 => "Three".to_owned(),
        4 => "Four".to_owned(),
        5 => "Five".to_owned(),
        6 => "Six".to_owned(),
        count => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fields: &[&str]) -> FormErrors {
        let error = |field: &&str| FieldError {
            field: (*field).to_owned(),
            message: "Use <b>.".to_owned(),
        };
        FormErrors::new(
            fields.iter().map(error).collect(),
            &[("name", "Name"), ("source.url", "Repository URL")],
        )
    }

    #[test]
    fn every_refusal_is_linked_to_its_control() {
        let errors = refused(&["name", "source.url", "surprise"]);
        assert_eq!(errors.heading(), "Three things to put right; nothing was saved");
        let lines = errors.lines();
        assert_eq!(
            (lines[1].id, lines[1].text.as_str()),
            (Some("source.url"), "Repository URL: Use <b>.")
        );
        assert_eq!((lines[2].id, lines[2].text.as_str()), (None, "surprise: Use <b>."));
        assert!(errors.has_any(&["port", "name"]) && !errors.has_any(&["port"]));
    }

    #[test]
    fn a_control_names_what_describes_it() {
        let errors = refused(&["name"]);
        assert_eq!(
            errors.aria("name", true).to_string(),
            r#" aria-invalid="true" aria-describedby="name-error""#
        );
        assert_eq!(
            errors.aria("port", true).to_string(),
            r#" aria-describedby="port-help""#
        );
        assert_eq!(errors.aria("port", false).to_string(), "");
    }
}
