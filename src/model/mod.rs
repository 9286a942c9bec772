//! The words of Dhow as types: what a project, an app or a deployment is, and which values are allowed.
//!
//! Pure: no I/O, no SQL, no HTTP. A value that breaks a rule cannot be built; every constructor that takes a
//! user's text is called `parse` and answers [`Invalid`] with a sentence that can be shown beside the field.

pub mod container;
pub mod dockerfile;
pub mod ids;
pub mod subnet;
pub mod text;

pub use text::Invalid;
