//! What became of the certificates that the proxy asks for: read from its own storage and its own words.

use super::Context;
use crate::model::host::Host;
use crate::traefik::{self, AcmeOutcome, Storage};

/// Last lines of the proxy's output in which a refusal is looked for; it prints warnings and errors only.
const LINES: usize = 300;

/// The outcome for each host.
pub(super) async fn outcomes(context: &Context, hosts: &[Host]) -> Vec<AcmeOutcome> {
    let storage = Storage::read(&context.paths.traefik()).await;
    let outcome = |host| match &storage {
        Ok(storage) => storage.outcome(host),
        Err(reason) => AcmeOutcome::Untold(reason.clone()),
    };
    let mut outcomes: Vec<AcmeOutcome> = hosts.iter().map(outcome).collect();
    if !outcomes.iter().any(is_open) {
        return outcomes;
    }
    let name = traefik::proxy::name(&context.config.instance);
    let output = context.engine.last_output(&name, LINES).await.unwrap_or_default();
    for (outcome, host) in outcomes.iter_mut().zip(hosts) {
        if is_open(outcome)
            && let Some(refusal) = traefik::acme_refusal(&output, host)
        {
            *outcome = AcmeOutcome::Failed(refusal);
        }
    }
    outcomes
}

fn is_open(outcome: &AcmeOutcome) -> bool {
    matches!(outcome, AcmeOutcome::Pending | AcmeOutcome::Untold(_))
}
