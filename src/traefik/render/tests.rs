use super::{PublicPorts, render, render_api};
use crate::model::domain::{Domain, Tls};
use crate::model::host::Host;
use crate::model::path_prefix::PathPrefix;
use crate::model::route::{AppRoutes, Route, Server};
use insta::assert_snapshot;

mod serving;

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
          "dhow-mark": {
            "entryPoints": [
              "web"
            ],
            "rule": "Path(`/.well-known/b4fddacd42dafd1e04f94d225e336fb9`)",
            "priority": 5000,
            "service": "noop@internal",
            "middlewares": [
              "dhow-mark"
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
          "dhow-mark": {
            "redirectRegex": {
              "regex": "^.*$",
              "replacement": "http://dhow.invalid/c1aa3d40b868167a625572eb13bda07d",
              "permanent": false
            }
          },
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
