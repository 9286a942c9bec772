use super::{USUAL, domain, server, shop};
use crate::model::domain::{StoredCertificate, Tls};
use crate::model::ip_range::IpRange;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::{AppRoutes, CertificatePair, HtpasswdLine};
use crate::traefik::render::{PublicPorts, render};

#[test]
fn a_wildcard_is_one_label_and_exact_hosts_win() {
    let priority_and_rule = |name: &str, path: &str| {
        let text = shop(&[domain(name, path, Tls::Off, None)], USUAL);
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let router = read["http"]["routers"]["app-shop_0"].clone();
        (
            router["priority"].as_u64().expect("a number"),
            router["rule"].as_str().expect("a text").to_owned(),
        )
    };
    let (wild, rule) = priority_and_rule("*.a-b.example", "/");
    assert_eq!(rule, "HostRegexp(`^[^.]+[.]a-b[.]example$`)");
    let (exact, _) = priority_and_rule("x.a-b.example", "/");
    let (longest, rule) = priority_and_rule("*.a-b.example", &format!("/{}", "a".repeat(199)));
    assert!(rule.contains("$`) && (Path(`/aaa"), "{rule}");
    assert!(wild < longest && longest < exact, "{wild} {longest} {exact}");
}

#[test]
fn what_guards_a_domain_stands_in_front_of_it_and_changes_its_name_with_its_content() {
    let mut domains = [domain("a.example", "/shop", Tls::Auto, None)];
    domains[0].strips_prefix = true;
    domains[0].has_hsts = true;
    domains[0].allow_ips = IpRange::parse_list("10.0.0.0/8 ::1").expect("a list");
    let mut routes = AppRoutes::derive("shop", &domains, server(), true);
    routes.routes[0].users = vec![HtpasswdLine("ann:$2y$06$x".to_owned())];
    routes.routes[0].plain_path = Some(PathPrefix::parse("/shop/healthz").expect("a path"));
    let read = |routes: &AppRoutes| -> serde_json::Value {
        serde_json::from_str(&render(routes, USUAL).expect("a file")).expect("JSON")
    };
    let http = read(&routes)["http"].clone();
    let names = http["routers"]["app-shop_0"]["middlewares"].as_array().expect("a list");
    let found: Vec<String> = names
        .iter()
        .map(|name| http["middlewares"][name.as_str().expect("a name")].to_string())
        .collect();
    assert_eq!(
        found,
        [
            r#"{"headers":{"stsSeconds":31536000}}"#,
            r#"{"ipAllowList":{"sourceRange":["10.0.0.0/8","::1/128"]}}"#,
            r#"{"basicAuth":{"removeHeader":true,"users":["ann:$2y$06$x"]}}"#,
            r#"{"stripPrefix":{"prefixes":["/shop"]}}"#,
        ]
    );
    let plain = &http["routers"]["app-shop_0_plain"];
    assert_eq!(plain["rule"], "Host(`a.example`) && Path(`/shop/healthz`)");
    assert_eq!(
        plain["middlewares"].as_array().expect("a list"),
        &names[1..],
        "guarded as well, without hsts"
    );
    assert!(plain["priority"].as_u64() > http["routers"]["app-shop_0_http"]["priority"].as_u64());
    assert!(!format!("{routes:?}").contains("$2y$"), "hashes are not printed");
    routes.routes[0].users.push(HtpasswdLine("bob:$2y$06$y".to_owned()));
    let changed = read(&routes)["http"]["routers"]["app-shop_0"]["middlewares"].clone();
    assert!(changed[0] == names[0] && changed[2] != names[2], "{changed}");
}

#[test]
fn route_acme_not_hammered_a_domain_that_waits_is_served_both_ways_and_asks_for_nothing() {
    let mut domains = [domain("a.example", "/", Tls::Auto, None)];
    domains[0].points_here = false;
    let text = shop(&domains, USUAL);
    assert!(
        !text.contains("certResolver") && !text.contains("noop@internal"),
        "{text}"
    );
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let routers = &read["http"]["routers"];
    assert_eq!(routers["app-shop_0"]["tls"]["options"], "default");
    assert_eq!(
        (
            &routers["app-shop_0_http"]["entryPoints"][0],
            &routers["app-shop_0_http"]["service"]
        ),
        (&"web".into(), &"app-shop".into())
    );
}

#[test]
fn an_uploaded_certificate_stands_in_the_file_and_is_not_printed() {
    let mut domains = [domain("*.a.example", "/", Tls::Custom, None)];
    domains[0].certificate = Some(StoredCertificate {
        chain: "CHAIN".to_owned(),
        sealed_key: Vec::new(),
    });
    let mut routes = AppRoutes::derive("shop", &domains, server(), false);
    routes.routes[0].certificate = Some(CertificatePair {
        chain: "CHAIN".to_owned(),
        key: "KEY".to_owned(),
    });
    let text = render(&routes, PublicPorts { http: 80, https: 8443 }).expect("a file");
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        read["tls"],
        serde_json::json!({ "certificates": [{ "certFile": "CHAIN", "keyFile": "KEY" }] })
    );
    let redirect = &read["http"]["middlewares"]["app-shop_to_https_any.a.example"]["redirectRegex"];
    assert_eq!(redirect["replacement"], "https://${1}:8443${2}");
    assert!(!format!("{routes:?}").contains("KEY"), "keys are not printed");
}

#[test]
fn grpc_is_a_service_of_its_own_in_http_2() {
    let mut domains = [
        domain("a.example", "/", Tls::Off, None),
        domain("b.example", "/", Tls::Off, None),
    ];
    domains[1].is_grpc = true;
    let read: serde_json::Value = serde_json::from_str(&shop(&domains, USUAL)).expect("JSON");
    let http = &read["http"];
    for (router, service, url) in [
        ("app-shop_0", "app-shop", "http://dhow-shop-12:3000"),
        ("app-shop_1", "app-shop_grpc", "h2c://dhow-shop-12:3000"),
    ] {
        assert_eq!(http["routers"][router]["service"], service);
        assert_eq!(http["services"][service]["loadBalancer"]["servers"][0]["url"], url);
    }
}

#[test]
fn a_guarded_plain_route_is_guarded_by_https_too_where_a_broader_route_of_the_app_has_it() {
    let secure = |name: &str, path: &str| {
        let mut domain = domain(name, path, Tls::Custom, None);
        domain.certificate = Some(StoredCertificate {
            chain: "CHAIN".to_owned(),
            sealed_key: Vec::new(),
        });
        domain
    };
    for (broader, (name, path), is_guarded) in [
        (secure("a.example", "/"), ("a.example", "/admin"), true),
        (secure("a.example", "/ad"), ("a.example", "/admin"), false),
        (secure("a.example", "/admin/x"), ("a.example", "/admin"), false),
        (secure("b.example", "/"), ("a.example", "/admin"), false),
        (secure("*.example.com", "/"), ("secret.example.com", "/"), true),
        (secure("*.example.com", "/docs"), ("secret.example.com", "/"), true),
        (
            secure("*.example.com", "/docs"),
            ("secret.example.com", "/admin"),
            false,
        ),
        (secure("*.example.com", "/"), ("*.example.com", "/admin"), true),
        (secure("*.example.com", "/"), ("a.secret.example.com", "/"), false),
    ] {
        let case = format!("{} before {name}{path}", broader.written());
        let domains = [broader, domain(name, path, Tls::Auto, None)];
        let mut routes = AppRoutes::derive("shop", &domains, server(), false);
        routes.routes[1].users = vec![HtpasswdLine("ann:$2y$06$x".to_owned())];
        let read: serde_json::Value = serde_json::from_str(&render(&routes, USUAL).expect("a file")).expect("JSON");
        let routers = &read["http"]["routers"];
        let (https, plain) = if is_guarded {
            (&routers["app-shop_1"], &routers["app-shop_1_http"])
        } else {
            (&routers["app-shop_1_https"], &routers["app-shop_1"])
        };
        assert_eq!(
            (https["entryPoints"][0] == "websecure", &plain["entryPoints"][0]),
            (is_guarded, &"web".into()),
            "{case}"
        );
        if is_guarded {
            assert!(
                https["middlewares"].is_array() && https["middlewares"] == plain["middlewares"],
                "{case}"
            );
            assert_eq!(https["tls"], serde_json::json!({ "options": "default" }), "{case}");
            assert!(
                https["priority"].as_u64() > routers["app-shop_0"]["priority"].as_u64(),
                "{case}"
            );
        }
    }
}
