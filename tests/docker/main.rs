//! The engine's module against a real engine. No engine is a loud failure, never a skip.

mod builds;
mod containers;
mod harness;
mod negotiation;
mod networks;
mod relay;
