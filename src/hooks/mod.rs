//! What other programs call: webhooks of forges, and `git push` over HTTP.

pub mod push;
