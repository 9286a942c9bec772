//! Certificates by ACME: asked for once a name leads here, kept when the proxy is made anew, never asked for in vain.

use std::os::unix::fs::PermissionsExt as _;

use hyper::Request;
use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::docker::{docker, inspect};
use crate::harness::git_server::GitServer;
use crate::harness::pebble::Pebble;
use crate::harness::setup::Setup;
use crate::harness::tls;
use crate::harness::wait::{eventually, seconds};

/// Waits until a domain's https is as expected; answers its state.
async fn state(api: &Api, host: &str, https: &str) -> Value {
    eventually(&format!("{host} is {https}"), seconds(40), || async {
        let domains = api.read("/apps/web/domains").await;
        let items = domains["items"].as_array().unwrap();
        let domain = items.iter().find(|domain| domain["host"] == host).unwrap();
        let state = domain["state"].clone();
        if state["https"] == https {
            Ok(state)
        } else {
            Err(state.to_string())
        }
    })
    .await
}

const PANEL: &str = "dhow.example.com";

/// What the proxy answers once it uses the certificate that it stored a moment ago.
async fn served(port: u16, host: &str, path: &str, authority: &str) -> tls::Secure {
    eventually(&format!("{host} is served by https"), seconds(40), || {
        tls::ask(port, host, path, authority)
    })
    .await
}

/// The panel is reached at its own name by https, and by nobody but the proxy at the address that it has for that.
async fn the_panel_has_its_own_name(dhow: &Dhow, api: &Api, root: &str) {
    let port = dhow.https_port;
    let look = || async {
        let answer = tls::ask(port, PANEL, "/login", root).await?;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    };
    eventually("the panel is served at its own name", seconds(40), look).await;
    let plain = dhow.visit(PANEL, "/login?x").await.expect(301);
    assert_eq!(plain.header("location"), format!("https://{PANEL}:{port}/login?x"));
    let body = format!(
        "email={}&password={}",
        OWNER.replace('@', "%40"),
        PASSWORD.replace(' ', "+")
    );
    let sign_in = |origin: &str| {
        let request = Request::post("/login")
            .header("origin", origin)
            .header("x-forwarded-for", "198.51.100.66");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = body.clone();
        async move { tls::send(port, PANEL, request, &body, root).await.unwrap() }
    };
    assert_eq!(sign_in("https://evil.example").await.status, 403);
    let signed_in = sign_in(&format!("https://{PANEL}:{port}")).await;
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    assert!(signed_in.cookies[0].ends_with("; Secure"), "{signed_in:?}");
    let audit = api.read("/audit").await.to_string();
    assert!(
        audit.contains("session.begin") && !audit.contains("198.51.100.66"),
        "{audit}"
    );

    let proxy = inspect("container", &dhow.containers("proxy")[0]);
    let network = &proxy["NetworkSettings"]["Networks"][format!("{}--proxy", dhow.instance)];
    let gateway = network["Gateway"].as_str().unwrap();
    let door = dhow.url().replace("127.0.0.1", gateway);
    let answer = dhow.http.try_send("GET", &format!("{door}/healthz"), &[], "").await;
    assert!(answer.is_err(), "nobody but the proxy comes in there");
    let host = json!({ "host": PANEL });
    assert!(
        api.post("/apps/web/domains", host)
            .await
            .expect(409)
            .text()
            .contains("panel")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn route_acme_not_hammered_and_route_www_and_apex_a_certificate_is_asked_for_once_and_kept() {
    let mut pebble = Pebble::prepare();
    let mut dhow = Dhow::prepare(pebble.setup(Setup::new()).flag("--panel-domain", PANEL));
    pebble.start(dhow.http_port).await;
    for host in ["elsewhere.example.com", PANEL] {
        pebble.point(host, "203.0.113.9").await;
    }
    pebble.allow("example.com", "authority.example").await;
    dhow.start_process().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("web");
    repository.commit_app("web");
    api.live_app("web", "web", &repository).await;

    let root = pebble.root().await;
    assert_eq!(pebble.orders(), 0, "the panel's name leads elsewhere");
    pebble.point(PANEL, "127.0.0.1").await;
    the_panel_has_its_own_name(&dhow, &api, &root).await;
    let ordered = pebble.orders();

    // A name that leads elsewhere is served as it can be, and nobody is asked for a certificate, whatever is changed.
    let added = api
        .post("/apps/web/domains", json!({ "host": "elsewhere.example.com" }))
        .await
        .expect(201)
        .json();
    let dns = &added["state"]["dns"];
    assert_eq!(
        (&added["state"]["https"], &dns["verdict"]),
        (&json!("waiting"), &json!("wrong")),
        "{added:#}"
    );
    assert_eq!(dns["found"], json!(["203.0.113.9"]));
    let caa = json!({ "name": "example.com", "allowed": ["authority.example"], "forbids": false });
    assert_eq!(
        (&added["state"]["caa"], &added["state"]["port_80"]),
        (&caa, &Value::Null),
        "{added:#}"
    );
    assert!(
        dns["records"][0]
            .as_str()
            .unwrap()
            .starts_with("elsewhere.example.com. A "),
        "{dns}"
    );
    for round in 0..10 {
        let change = json!({ "plain_health": round % 2 == 0 });
        api.patch("/apps/web/domains/elsewhere.example.com", change)
            .await
            .expect(200);
    }
    assert_eq!(dhow.visit("elsewhere.example.com", "/").await.expect(200).text(), "web");
    let page = dhow.panel().await.page("/apps/web/domains").await;
    page.expect_words("waits for DNS")
        .expect_words("203.0.113.9")
        .expect_words("The CAA records of example.com allow only authority.example.");
    assert_eq!(pebble.orders(), ordered);

    api.post("/apps/web/domains", json!({ "host": "example.com" }))
        .await
        .expect(201);
    let www = json!({ "host": "www.example.com", "redirect_to": "example.com" });
    api.post("/apps/web/domains", www).await.expect(201);
    let issued = state(&api, "example.com", "issued").await;
    assert!(issued["expires_at"].is_string(), "{issued}");
    state(&api, "www.example.com", "issued").await;
    assert_eq!(pebble.orders(), ordered + 2);

    let (port, path) = (dhow.https_port, "/p/a?q=1&r=%20");
    let target = format!("https://example.com:{port}{path}");
    let secure = served(port, "example.com", "/", &root).await;
    assert_eq!((secure.status, secure.text.as_str()), (200, "web"));
    let www = served(port, "www.example.com", path, &root).await;
    assert_eq!((www.status, www.location.as_deref()), (301, Some(target.as_str())));
    for host in ["example.com", "www.example.com"] {
        for (method, status) in [("GET", 301), ("POST", 308)] {
            let answer = dhow
                .http
                .send(method, &dhow.app_url(path), &[("host", host)], "")
                .await
                .expect(status);
            assert_eq!(answer.header("location"), target, "one hop, {method} {host}");
        }
    }

    // A proxy that is made anew finds them again.
    let storage = dhow.data_file("traefik/acme/acme.json");
    let before = std::fs::read(&storage).unwrap();
    assert_eq!(std::fs::metadata(&storage).unwrap().permissions().mode() & 0o777, 0o600);
    docker(&["rm", "-f", &dhow.containers("proxy")[0]]);
    let again = served(port, "example.com", "/", &root).await;
    assert_eq!((again.status, again.certificate == secure.certificate), (200, true));
    served(port, "www.example.com", "/", &root).await;
    assert_eq!(
        (pebble.orders(), std::fs::read(&storage).unwrap() == before),
        (ordered + 2, true)
    );

    // Once its DNS leads here, the other is asked for by itself.
    pebble.point("elsewhere.example.com", "127.0.0.1").await;
    let issued = state(&api, "elsewhere.example.com", "issued").await;
    assert_eq!(
        (&issued["dns"]["verdict"], pebble.orders()),
        (&json!("right"), ordered + 3)
    );
    served(port, "elsewhere.example.com", "/", &root).await;
    // The proxy has another port here, and what is at port 80 of this machine is not this proxy.
    eventually("port 80 was asked", seconds(40), || async {
        match state(&api, "elsewhere.example.com", "issued").await["port_80"].as_str() {
            Some("unreachable" | "other") => Ok(()),
            found => Err(format!("{found:?}")),
        }
    })
    .await;
}
