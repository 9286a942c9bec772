//! What forges tell of pushes: which of it deploys, which does not and why, and that nobody else can.

mod flood;
mod forge;
mod kept;
mod order;
mod pages;
mod proofs;
mod rules;
