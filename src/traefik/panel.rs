//! The route to the panel itself, at the name that the operator chose for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::dynamic::{DynamicFile, Http, LoadBalancer, Router, RouterTls, ServerUrl, Service};
use super::render::{PublicPorts, redirection};
use super::text::dynamic_text;
use super::{RESOLVER, WEB, WEB_SECURE, rules};
use crate::model::host::Host;
use crate::model::route::Redirect;

const NAME: &str = "dhow-panel";

/// Name of its dynamic file; no app's begins so.
pub fn panel_file() -> &'static str {
    NAME
}

/// The content of the file: https at the host leads to `door`, plain http to https. `has_certificate`: one can be had.
pub fn render_panel(host: &Host, door: SocketAddr, ports: PublicPorts, has_certificate: bool) -> String {
    // An app may have had the host, or a path of it, before it became the panel's.
    let priority = rules::PANEL_PRIORITY;
    let rule = rules::host(host);
    let tls = if has_certificate {
        RouterTls::by(RESOLVER)
    } else {
        RouterTls::with_what_is_there()
    };
    let secure = Router {
        tls: Some(tls),
        ..Router::new(WEB_SECURE, rule.clone(), priority, NAME)
    };
    let plain = Router {
        middlewares: vec![NAME.to_owned()],
        ..Router::new(WEB, rule, priority, "noop@internal")
    };
    let redirect = Redirect {
        host: host.clone(),
        has_tls: true,
    };
    let url = format!("http://{door}");
    let load_balancer = LoadBalancer {
        servers: vec![ServerUrl { url }],
        pass_host_header: true,
    };
    let http = Http {
        routers: BTreeMap::from([(NAME.to_owned(), secure), (format!("{NAME}_http"), plain)]),
        middlewares: BTreeMap::from([(NAME.to_owned(), redirection(&redirect, ports))]),
        services: BTreeMap::from([(NAME.to_owned(), Service { load_balancer })]),
    };
    dynamic_text(&DynamicFile { http, tls: None })
}

#[cfg(test)]
mod tests {
    use super::{PublicPorts, render_panel};
    use crate::model::host::Host;

    #[test]
    fn the_panel_is_served_by_https_and_plain_http_leads_there() {
        let host = Host::parse("dhow.example.com").expect("a host");
        let door = "10.210.0.1:7070".parse().expect("an address");
        let text = |has_certificate| render_panel(&host, door, PublicPorts { http: 80, https: 8443 }, has_certificate);
        let read: serde_json::Value = serde_json::from_str(&text(true)).expect("JSON");
        let routers = &read["http"]["routers"];
        assert_eq!(routers["dhow-panel"]["rule"], "Host(`dhow.example.com`)");
        for router in ["dhow-panel", "dhow-panel_http"] {
            assert_eq!(routers[router]["priority"], 10_000);
        }
        assert_eq!(routers["dhow-panel"]["tls"]["certResolver"], "acme");
        assert_eq!(routers["dhow-panel_http"]["service"], "noop@internal");
        let server = &read["http"]["services"]["dhow-panel"]["loadBalancer"]["servers"][0];
        assert_eq!(server["url"], "http://10.210.0.1:7070");
        let target = &read["http"]["middlewares"]["dhow-panel"]["redirectRegex"]["replacement"];
        assert_eq!(target, "https://dhow.example.com:8443${1}");
        assert!(!text(false).contains("certResolver"));
    }
}
