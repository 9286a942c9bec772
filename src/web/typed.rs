//! What was typed into a form, so that it can be shown again as it was.
//!
//! A form is read as pairs and never refused as a whole: whatever is missing or malformed becomes the refusal of one
//! field.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};

/// Names and values in the order of the page. Of a field that may be there once, the last one counts: a check box
/// stands behind a hidden field that says "no".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed(Vec<(String, String)>);

impl Typed {
    /// The value of a field, if the form had it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rfind(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a field, to be shown.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Whether a field has this value: for radio buttons, check boxes and options.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// The value of a field without white space at its ends; `None` also when nothing is left.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// All values of a field that a form repeats.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// Adds a value, which is the one that counts from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

impl<S: Send + Sync> FromRequest<S> for Typed {
    type Rejection = FormRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, FormRejection> {
        let Form(pairs) = Form::from_request(request, state).await?;
        Ok(Self(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_box_behind_its_hidden_no_counts() {
        let mut typed = Typed::default();
        for (name, value) in [("submodules", "false"), ("submodules", "true"), ("url", "  ")] {
            typed.set(name, value);
        }
        assert!(typed.is("submodules", "true") && !typed.is("branch", "main"));
        assert_eq!(typed.all("submodules").collect::<Vec<_>>(), ["false", "true"]);
        assert_eq!((typed.text("url"), typed.text("branch")), (None, None));
    }
}
