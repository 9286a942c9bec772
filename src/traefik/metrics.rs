//! Traefik's request counters, read from its Prometheus text.
//!
//! Traefik counts answers by code and does not say who made them: a 502, 503 or 504 of the app itself counts as
//! failed too (Traefik docs, "Metrics", `traefik_service_requests_total`).

const METRIC: &str = "traefik_service_requests_total{";

/// How many requests Traefik answered for an app since it started; take the difference of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// All of them.
    pub requests: u64,
    /// Those answered 502, 503 or 504.
    pub failed: u64,
}

impl Counters {
    /// What came since `earlier`. After a restart of Traefik it counts from zero, and so does this.
    pub fn since(self, earlier: Self) -> Self {
        if self.requests < earlier.requests {
            return self;
        }
        Self {
            requests: self.requests - earlier.requests,
            failed: self.failed.saturating_sub(earlier.failed),
        }
    }

    /// Sums the lines of one service, as named with its provider.
    pub(super) fn of_service(text: &str, service: &str) -> Self {
        let mut counters = Self::default();
        for line in text.lines() {
            let Some((labels, value)) = line.strip_prefix(METRIC).and_then(|rest| rest.split_once("} ")) else {
                continue;
            };
            if label(labels, "service") != Some(service) {
                continue;
            }
            let count = value
                .split(' ')
                .next()
                .and_then(|number| number.parse::<f64>().ok())
                .unwrap_or(0.0) as u64;
            counters.requests += count;
            if matches!(label(labels, "code"), Some("502" | "503" | "504")) {
                counters.failed += count;
            }
        }
        counters
    }
}

/// A label's value. Codes, methods and our own service names hold nothing that the text format escapes.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        if key == name {
            value.strip_prefix('"')?.strip_suffix('"')
        } else {
            None
        }
    })
}
