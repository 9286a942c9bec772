//! What became of the certificates that the proxy asks for: read from its own storage and its own words.

use super::Context;
use crate::model::host::Host;
use crate::traefik::{self, AcmeOutcome, Storage};

/// Last lines of the proxy's output in which a refusal is looked for; it prints warnings and errors only.
const LINES: usize = 300;

/// The outcome for each host.
pub(super) async fn outcomes(context: &Context, hosts: &[Host]) -> Vec<AcmeOutcome> {
    let storage = Storage::read(&context.paths.traefik()).await;
    let mut outcomes: Vec<AcmeOutcome> = hosts.iter().map(|host| storage.outcome(host)).collect();
    let is_open = outcomes.iter().any(|outcome| matches!(outcome, AcmeOutcome::Pending));
    if !is_open {
        return outcomes;
    }
    let name = traefik::proxy::name(&context.config.instance);
    let output = context.engine.last_output(&name, LINES).await.unwrap_or_default();
    for (outcome, host) in outcomes.iter_mut().zip(hosts) {
        if matches!(outcome, AcmeOutcome::Pending)
            && let Some(refusal) = traefik::acme_refusal(&output, host)
        {
            *outcome = AcmeOutcome::Failed(refusal);
        }
    }
    outcomes
}
