//! The words on the controls that stories press: the one place to follow when a page is reworded.

pub const CLAIM: &str = "Become the owner";
pub const SIGN_IN: &str = "Sign in";
pub const NEW_PROJECT: &str = "New project";
pub const CREATE_PROJECT: &str = "Create project";
pub const NEW_APP: &str = "New app";
pub const CREATE_APP: &str = "Create app";
pub const DEPLOY: &str = "Deploy";
pub const SAVE: &str = "Save";
pub const ADD_DOMAIN: &str = "Add domain";
