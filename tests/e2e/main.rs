//! Stories of Dhow's users, told to the built binary, a real engine, a real Traefik, real git and a real browser.
//!
//! One file a story. `harness` is what they are told with. Every test makes its own instance with its own name, ports,
//! subnets and data, and removes what it made, also when it fails. Without a Docker engine they fail.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod harness;
mod journey;

mod account;
mod api_description;
mod app_pages;
mod audit;
mod bad_input;
mod bad_route_file;
mod body_limits;
mod broken_versions;
mod budget;
mod build_inputs;
mod build_page;
mod build_variables;
mod certificates;
mod checks_from_outside;
mod crash;
mod cross_site;
mod dangerous_sources;
mod deploy_queue;
mod deployment_page;
mod domains;
mod domains_island;
mod engine_killed;
mod engine_trouble;
mod env_and_domains;
mod env_text;
mod env_values;
mod failed_deployments;
mod first_deployment;
mod forged_headers;
mod full_disk;
mod git_push;
mod halfway;
mod hostile_input;
mod instance_limits;
mod island;
mod key_rotation;
mod live_dashboard;
mod log_is_text;
mod log_reading;
mod modern_dockerfile;
mod name_conflicts;
mod newest_commit;
mod ownership;
mod people;
mod port_guessing;
mod private_proxy;
mod private_sources;
mod projects_under_load;
mod redeploys;
mod release_pages;
mod releases;
mod runtime;
mod secret_key;
mod sessions;
mod seven_tabs;
mod shutdown;
mod sign_in_limits;
mod source_access;
mod stopping;
mod strange_requests;
mod strict_policy;
mod subnets;
mod two_factor;
mod two_networks;
mod upgrades;
mod webhooks;
mod who_may_what;
mod without_javascript;
