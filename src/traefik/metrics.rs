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

    /// Sums the lines of services, as named with their provider.
    pub(super) fn of_services(text: &str, services: &[String]) -> Self {
        let mut counters = Self::default();
        for line in text.lines() {
            let Some((labels, value)) = line.strip_prefix(METRIC).and_then(|rest| rest.split_once("} ")) else {
                continue;
            };
            if !label(labels, "service").is_some_and(|of| services.iter().any(|service| service == of)) {
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

#[cfg(test)]
mod tests {
    use super::Counters;

    const TEXT: &str = r#"# HELP traefik_service_requests_total How many HTTP requests processed on a service.
# TYPE traefik_service_requests_total counter
traefik_service_requests_total{code="200",method="GET",protocol="http",service="app-shop@file"} 1.2e+06
traefik_service_requests_total{code="502",method="GET",protocol="http",service="app-shop@file"} 2
traefik_service_requests_total{code="503",method="GET",protocol="http",service="app-shop@file"} 1
traefik_service_requests_total{code="500",method="POST",protocol="http",service="app-shop@file"} 4
traefik_service_requests_total{code="504",method="GET",protocol="http",service="app-shop-2@file"} 7
traefik_service_requests_total{code="503",method="POST",protocol="http",service="app-shop_grpc@file"} 10
traefik_service_requests_bytes_total{code="504",method="GET",protocol="http",service="app-shop@file"} 9
"#;

    #[test]
    fn the_lines_of_an_apps_services_are_summed() {
        let counters = |text: &str, services: &[&str]| {
            let services: Vec<String> = services.iter().map(|&name| name.to_owned()).collect();
            Counters::of_services(text, &services)
        };
        let counted = |requests, failed| Counters { requests, failed };
        assert_eq!(counters(TEXT, &["app-shop@file"]), counted(1_200_007, 3));
        let both = ["app-shop@file", "app-shop_grpc@file"];
        assert_eq!(counters(TEXT, &both), counted(1_200_017, 13));
        assert_eq!(counters(TEXT, &["app-none@file"]), Counters::default());
        assert_eq!(counters("", &both), Counters::default());
    }

    #[test]
    fn a_difference_survives_a_restart_of_the_proxy() {
        let (early, late) = (
            Counters {
                requests: 10,
                failed: 1,
            },
            Counters {
                requests: 15,
                failed: 3,
            },
        );
        assert_eq!(late.since(early), Counters { requests: 5, failed: 2 });
        assert_eq!(early.since(late), early);
    }
}
