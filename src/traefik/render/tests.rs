use super::{PublicPorts, render, render_api};
use crate::model::domain::{Domain, StoredCertificate, Tls};
use crate::model::host::Host;
use crate::model::ip_range::IpRange;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::{AppRoutes, CertificatePair, HtpasswdLine, Route, Server};
use insta::assert_snapshot;

const USUAL: PublicPorts = PublicPorts { http: 80, https: 443 };

fn host(text: &str) -> Host {
    Host::parse(text).expect("a host")
}

fn domain(name: &str, path: &str, tls: Tls, redirect_to: Option<&str>) -> Domain {
    let path_prefix = PathPrefix::parse(path).expect("a path");
    Domain {
        tls,
        points_here: true,
        redirect_to: redirect_to.map(host),
        ..Domain::new(Host::parse_pattern(name).expect("a host"), path_prefix)
    }
}

fn server() -> Option<Server> {
    Some(Server {
        container: "dhow-shop-12".to_owned(),
        port: 3000,
    })
}

fn shop(domains: &[Domain], ports: PublicPorts) -> String {
    render(&AppRoutes::derive("shop", domains, server(), true), ports).expect("a file")
}

#[test]
fn an_app_at_a_local_host_is_plain_http() {
    assert_snapshot!(shop(&[domain("shop.localhost", "/", Tls::Auto, None)], USUAL), @r#"
    {
      "http": {
        "routers": {
          "app-shop_0": {
            "entryPoints": [
              "web"
            ],
            "rule": "Host(`shop.localhost`)",
            "priority": 2002,
            "service": "app-shop"
          }
        },
        "services": {
          "app-shop": {
            "loadBalancer": {
              "servers": [
                {
                  "url": "http://dhow-shop-12:3000"
                }
              ],
              "passHostHeader": true
            }
          }
        }
      }
    }
    "#);
}

#[test]
fn tls_adds_a_router_that_redirects_plain_http() {
    assert_snapshot!(shop(&[domain("shop.example.com", "/", Tls::Auto, None)], USUAL), @r#"
    {
      "http": {
        "routers": {
          "app-shop_0": {
            "entryPoints": [
              "websecure"
            ],
            "rule": "Host(`shop.example.com`)",
            "priority": 2002,
            "service": "app-shop",
            "tls": {
              "certResolver": "acme"
            }
          },
          "app-shop_0_http": {
            "entryPoints": [
              "web"
            ],
            "rule": "Host(`shop.example.com`)",
            "priority": 2002,
            "service": "noop@internal",
            "middlewares": [
              "app-shop_to_https_shop.example.com"
            ]
          }
        },
        "middlewares": {
          "app-shop_to_https_shop.example.com": {
            "redirectRegex": {
              "regex": "^https?://[^/]+(.*)$",
              "replacement": "https://shop.example.com${1}",
              "permanent": true
            }
          }
        },
        "services": {
          "app-shop": {
            "loadBalancer": {
              "servers": [
                {
                  "url": "http://dhow-shop-12:3000"
                }
              ],
              "passHostHeader": true
            }
          }
        }
      }
    }
    "#);
}

#[test]
fn route_www_and_apex_one_redirect_from_either_scheme_to_an_unusual_port() {
    let domains = [
        domain("example.com", "/", Tls::Auto, None),
        domain("www.example.com", "/", Tls::Auto, Some("example.com")),
    ];
    assert_snapshot!(shop(&domains, PublicPorts { http: 8080, https: 8443 }), @r#"
    {
      "http": {
        "routers": {
          "app-shop_0": {
            "entryPoints": [
              "websecure"
            ],
            "rule": "Host(`example.com`)",
            "priority": 2002,
            "service": "app-shop",
            "tls": {
              "certResolver": "acme"
            }
          },
          "app-shop_0_http": {
            "entryPoints": [
              "web"
            ],
            "rule": "Host(`example.com`)",
            "priority": 2002,
            "service": "noop@internal",
            "middlewares": [
              "app-shop_to_https_example.com"
            ]
          },
          "app-shop_1": {
            "entryPoints": [
              "websecure"
            ],
            "rule": "Host(`www.example.com`)",
            "priority": 2002,
            "service": "noop@internal",
            "middlewares": [
              "app-shop_to_https_example.com"
            ],
            "tls": {
              "certResolver": "acme"
            }
          },
          "app-shop_1_http": {
            "entryPoints": [
              "web"
            ],
            "rule": "Host(`www.example.com`)",
            "priority": 2002,
            "service": "noop@internal",
            "middlewares": [
              "app-shop_to_https_example.com"
            ]
          }
        },
        "middlewares": {
          "app-shop_to_https_example.com": {
            "redirectRegex": {
              "regex": "^https?://[^/]+(.*)$",
              "replacement": "https://example.com:8443${1}",
              "permanent": true
            }
          }
        },
        "services": {
          "app-shop": {
            "loadBalancer": {
              "servers": [
                {
                  "url": "http://dhow-shop-12:3000"
                }
              ],
              "passHostHeader": true
            }
          }
        }
      }
    }
    "#);
}

#[test]
fn a_redirect_to_a_plain_host_of_the_app_stays_plain() {
    let domains = [
        domain("a.localhost", "/", Tls::Auto, None),
        domain("a.example.com", "/", Tls::Auto, Some("a.localhost")),
    ];
    let text = shop(
        &domains,
        PublicPorts {
            http: 8080,
            https: 8443,
        },
    );
    assert!(
        text.contains(r#""replacement": "http://a.localhost:8080${1}""#),
        "{text}"
    );
}

#[test]
fn route_one_bad_file_kills_all_nothing_to_know_is_no_file() {
    assert_eq!(render(&AppRoutes::none("shop"), USUAL), None);
}

#[test]
fn route_one_bad_file_kills_all_no_empty_map_or_list_is_written() {
    let stopped = AppRoutes {
        server: None,
        ..AppRoutes::derive("shop", &[domain("a.b", "/", Tls::Off, None)], None, true)
    };
    let without_domains = AppRoutes::derive("shop", &[], server(), true);
    for routes in [stopped, without_domains] {
        let text = render(&routes, USUAL).expect("a file");
        assert!(!text.contains("{}") && !text.contains("[]"), "{text}");
    }
}

#[test]
fn route_one_bad_file_kills_all_hostile_names_stay_text() {
    let hostile = "a: {{ env \"HOME\" }} #\n---\nb: {";
    let server = Some(Server {
        container: hostile.to_owned(),
        port: 1,
    });
    let routes = AppRoutes {
        app: hostile.to_owned(),
        routes: vec![Route::plain(host("a.b"))],
        server,
    };
    let text = render(&routes, USUAL).expect("a file");
    assert!(!text.contains("{{"), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).expect("still JSON");
    assert_eq!(
        read["http"]["routers"][format!("app-{hostile}_0")]["rule"],
        "Host(`a.b`)"
    );
}

#[test]
fn route_path_prefix_order_rules_match_whole_segments_and_longer_prefixes_win() {
    let table = [
        ("/", "Host(`a.b`)", 2002),
        ("/blog", "Host(`a.b`) && (Path(`/blog`) || PathPrefix(`/blog/`))", 2010),
        ("/blog/", "Host(`a.b`) && (Path(`/blog`) || PathPrefix(`/blog/`))", 2010),
        (
            "/blog/en",
            "Host(`a.b`) && (Path(`/blog/en`) || PathPrefix(`/blog/en/`))",
            2016,
        ),
        (
            "/caf%c3%a9",
            "Host(`a.b`) && (Path(`/café`) || PathPrefix(`/café/`))",
            2020,
        ),
        ("/a%20b", "Host(`a.b`) && (Path(`/a b`) || PathPrefix(`/a b/`))", 2012),
        (
            "/a%2fb",
            "Host(`a.b`) && (Path(`/a%2Fb`) || PathPrefix(`/a%2Fb/`))",
            2012,
        ),
        (
            "/50%25",
            "Host(`a.b`) && (Path(`/50%25`) || PathPrefix(`/50%25/`))",
            2012,
        ),
    ];
    for (path, rule, priority) in table {
        let text = shop(&[domain("a.b", path, Tls::Off, None)], USUAL);
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let router = &read["http"]["routers"]["app-shop_0"];
        assert_eq!(
            (&router["rule"], &router["priority"]),
            (&rule.into(), &priority.into()),
            "{path}"
        );
    }
}

#[test]
fn the_api_needs_the_password_and_the_file_holds_only_its_hash() {
    assert_snapshot!(render_api("0123456789abcdef"), @r#"
    {
      "http": {
        "routers": {
          "dhow-api": {
            "entryPoints": [
              "dhow"
            ],
            "rule": "PathPrefix(`/api/`)",
            "priority": 1,
            "service": "api@internal",
            "middlewares": [
              "dhow-password"
            ]
          },
          "dhow-metrics": {
            "entryPoints": [
              "dhow"
            ],
            "rule": "Path(`/metrics`)",
            "priority": 1,
            "service": "prometheus@internal",
            "middlewares": [
              "dhow-password"
            ]
          }
        },
        "middlewares": {
          "dhow-password": {
            "basicAuth": {
              "users": [
                "dhow:{SHA}/lVn6NdpVQhSGCzfaddLsW3/jik="
              ],
              "removeHeader": true
            }
          }
        }
      },
      "tls": {
        "stores": {
          "default": {
            "defaultCertificate": {
              "certFile": "/dhow/certificates/fallback.pem",
              "keyFile": "/dhow/certificates/fallback.pem"
            }
          }
        }
      }
    }
    "#);
}

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
