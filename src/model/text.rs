//! The error of every `parse`, and rules that several kinds of text share.

/// Why a value was refused: a sentence that names what is allowed, shown beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    /// A refusal with its sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}
