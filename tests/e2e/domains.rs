//! Domains: typed in every way, had by one app, guarded, served with certificates of one's own.

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::tls;
use crate::harness::wait::{eventually, seconds};

/// The apps `web` and `other`, each in a project of its own name, both live.
async fn two_apps() -> (Dhow, Api, GitServer) {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    for name in ["web", "other"] {
        let repository = git.repository(name);
        repository.commit_app(name);
        api.live_app(name, name, &repository).await;
    }
    (dhow, api, git)
}

/// The rules of an app's routers as Traefik reads them.
fn rules(dhow: &Dhow, app: &str) -> Vec<String> {
    let text = std::fs::read_to_string(dhow.data_file(&format!("traefik/dynamic/app-{app}.yml"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let routers = file["http"]["routers"].as_object().unwrap();
    routers
        .values()
        .map(|router| router["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn route_domain_typed_as_url_and_route_duplicate_domain_a_host_is_had_once_however_it_is_typed() {
    let (dhow, api, _git) = two_apps().await;
    let add = |app: &str, domain: Value| {
        let path = format!("/apps/{app}/domains");
        let api = api.clone();
        async move { api.post(&path, domain).await }
    };
    for (typed, host, path, rule) in [
        (
            "https://App.Example.com/p/",
            "app.example.com",
            "/p",
            "Host(`app.example.com`) && (Path(`/p`) || PathPrefix(`/p/`))",
        ),
        ("app.example.com/", "app.example.com", "/", "Host(`app.example.com`)"),
        (" b.example.com ", "b.example.com", "/", "Host(`b.example.com`)"),
    ] {
        let domain = add("web", json!({ "host": typed, "tls": "off" }))
            .await
            .expect(201)
            .json();
        assert_eq!(
            (&domain["host"], &domain["path_prefix"]),
            (&json!(host), &json!(path)),
            "{typed}"
        );
        assert!(
            rules(&dhow, "web").contains(&rule.to_owned()),
            "{typed}: {:?}",
            rules(&dhow, "web")
        );
    }
    for typed in [
        "https://App.Example.com:8443/p?x=1",
        "http://u:p@app.example.com",
        "a.example.com,b.example.com",
        "x`) || Host(`evil.example.com",
    ] {
        add("web", json!({ "host": typed })).await.refuses("host");
    }
    assert_eq!(rules(&dhow, "web").len(), 3);

    add("web", json!({ "host": "shop.example.com", "tls": "off" }))
        .await
        .expect(201);
    for domain in [
        json!({ "host": "SHOP.example.com" }),
        json!({ "host": "shop.example.com." }),
        json!({ "host": "https://shop.example.com/", "path_prefix": "/" }),
    ] {
        let refusal = add("other", domain).await.expect(409);
        assert!(refusal.text().contains("web"), "the holder is named: {refusal}");
    }
    for round in 0..5 {
        let domain = json!({ "host": format!("race{round}.example.com"), "tls": "off" });
        let (one, two) = tokio::join!(add("web", domain.clone()), add("other", domain));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{one} {two}");
    }
    add(
        "other",
        json!({ "host": "shop.example.com/blog", "strip_prefix": true, "tls": "off" }),
    )
    .await
    .expect(201);
    assert_eq!(dhow.visit("shop.example.com", "/").await.expect(200).text(), "web");
    for path in ["/blog", "/blog/", "/blog/?x"] {
        assert_eq!(
            dhow.visit("shop.example.com", path).await.expect(200).text(),
            "other",
            "{path}"
        );
    }
    dhow.visit("shop.example.com", "/blogger").await.expect(404);

    // A redirect that another app sends back is refused, whoever closes the ring.
    add(
        "web",
        json!({ "host": "old.example.com", "redirect_to": "new.example.com" }),
    )
    .await
    .expect(201);
    add(
        "other",
        json!({ "host": "new.example.com", "redirect_to": "old.example.com" }),
    )
    .await
    .refuses("redirect_to");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_guarded_changed_and_put_in_order() {
    let (dhow, api, _git) = two_apps().await;
    let patch = |path: &str, change: Value| {
        let (api, path) = (api.clone(), format!("/apps/web/domains/{path}"));
        async move { api.patch(&path, change).await }
    };
    let guarded = json!({
        "host": "a.example.com", "tls": "off", "basic_auth": [{ "user": "ann", "password": "open sesame" }],
    });
    let domain = api.post("/apps/web/domains", guarded).await.expect(201).json();
    assert_eq!(domain["basic_auth"], json!([{ "user": "ann", "password": null }]));
    let with = |password: &str| {
        let token = base64::engine::general_purpose::STANDARD.encode(format!("ann:{password}"));
        let (http, url) = (dhow.http.clone(), dhow.app_url("/"));
        async move {
            let authorization = format!("Basic {token}");
            let headers = [("host", "a.example.com"), ("authorization", authorization.as_str())];
            http.send("GET", &url, &headers, "").await.status
        }
    };
    dhow.visit("a.example.com", "/").await.expect(401);
    assert_eq!((with("open sesame").await, with("open sesam").await), (200, 401));
    // Kept by null, gone when the list is; a new one needs a password.
    let kept = json!({ "basic_auth": [{ "user": "ann" }], "allow_ips": ["203.0.113.0/24"] });
    let changed = patch("a.example.com", kept).await.expect(200).json();
    assert_eq!(with("open sesame").await, 403, "from another network");
    patch("a.example.com", json!({ "allow_ips": null })).await.expect(200);
    assert_eq!(with("open sesame").await, 200);
    let unknown = json!({ "basic_auth": [{ "user": "bob" }] });
    patch("a.example.com", unknown).await.refuses("password");
    patch("a.example.com", json!({ "allow_ips": ["10.0.0.0/33"] }))
        .await
        .refuses("allow_ips");
    for position in [i64::MIN, 0, 99] {
        patch("a.example.com", json!({ "position": position }))
            .await
            .refuses("position");
    }
    patch("a.example.com", json!({ "version": changed["version"] }))
        .await
        .problem(409);
    patch("b.example.com", json!({})).await.problem(404);
    for file in dhow.files() {
        let bytes = std::fs::read(&file).unwrap();
        let is_open = bytes.windows(11).any(|window| window == b"open sesame");
        assert!(!is_open, "the password lies open in {}", file.display());
    }

    let wild = json!({ "host": "*.example.com", "tls": "off", "position": 1 });
    assert_eq!(
        api.post("/apps/other/domains", wild).await.expect(201).json()["position"],
        1
    );
    assert_eq!(dhow.visit("x.example.com", "/").await.expect(200).text(), "other");
    dhow.visit("a.example.com", "/").await.expect(401);
    dhow.visit("x.y.example.com", "/").await.expect(404);

    let panel = dhow.panel().await;
    let edit = "/apps/web/domains/edit?host=a.example.com&path_prefix=%2F";
    let stale = panel.page(edit).await.form(&["host", "version"]);
    patch("a.example.com", json!({ "basic_auth": [] })).await.expect(200);
    assert_eq!(dhow.visit("a.example.com", "/").await.expect(200).text(), "web");
    let stale = stale.set("host", "c.example.com");
    let conflict = panel.submit(edit, &stale).await.expect(409).text();
    assert!(
        conflict.contains("Somebody else") && conflict.contains("c.example.com"),
        "{conflict}"
    );
    let form = panel
        .page(edit)
        .await
        .form(&["host", "version"])
        .set("host", "c.example.com");
    let refused = panel
        .submit(edit, &form.clone().set("allow_ips", "x"))
        .await
        .expect(422)
        .text();
    assert!(
        refused.contains("no address or network") && refused.contains("c.example.com"),
        "{refused}"
    );
    panel.submit_and_follow(edit, &form).await.expect_words("c.example.com");
    assert_eq!(dhow.visit("c.example.com", "/").await.expect(200).text(), "web");

    api.post("/apps/web/domains", json!({ "host": "d.example.com", "tls": "off" }))
        .await
        .expect(201);
    let urls = api.read("/apps/web").await["urls"].clone();
    assert!(urls[0].as_str().unwrap().contains("c.example.com"), "{urls}");
    let page = panel.page("/apps/web/domains").await;
    panel
        .submit_and_follow("/apps/web/domains", &page.form_of_button("Move up"))
        .await;
    let urls = api.read("/apps/web").await["urls"].clone();
    assert!(urls[0].as_str().unwrap().contains("d.example.com"), "{urls}");
}

/// A certificate authority, and a certificate by it with its key, as PEM.
fn certificate(name: &str) -> (String, String, String) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    (authority.pem(), leaf.pem(), key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_certificate_is_checked_sealed_served_and_goes_with_its_domain() {
    let (dhow, api, _git) = two_apps().await;
    let (authority, chain, key) = certificate("secure.example.com");
    let (_, _, foreign_key) = certificate("secure.example.com");
    let domain = |host: &str, key: &str| json!({ "host": host, "tls": "custom", "hsts": true, "certificate": chain, "private_key": key });
    for (domain, field) in [
        (domain("secure.example.com", &foreign_key), "private_key"),
        (domain("secure.example.com", ""), "private_key"),
        (domain("other.example.com", &key), "certificate"),
        (json!({ "host": "secure.example.com", "tls": "custom" }), "certificate"),
    ] {
        api.post("/apps/web/domains", domain).await.refuses(field);
    }
    let added = api
        .post("/apps/web/domains", domain("secure.example.com", &key))
        .await
        .expect(201)
        .json();
    assert_eq!(added["state"]["https"], "custom");
    assert!(
        added["state"]["expires_at"].is_string() && added.get("private_key").is_none(),
        "{added:#}"
    );

    let answer = tls::ask(dhow.https_port, "secure.example.com", "/", &authority)
        .await
        .unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (200, "web"));
    assert_eq!(answer.hsts.as_deref(), Some("max-age=31536000"));
    let plain = dhow.visit("secure.example.com", "/a?b=c").await.expect(301);
    let target = format!("https://secure.example.com:{}/a?b=c", dhow.https_port);
    assert_eq!(plain.header("location"), target);

    let secret = key.lines().nth(1).unwrap();
    for file in dhow.files() {
        let is_open = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains(secret);
        assert_eq!(
            is_open,
            file.ends_with("traefik/dynamic/app-web.yml"),
            "{}",
            file.display()
        );
        if is_open {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
    }
    let page = dhow.panel().await.page("/apps/web/domains").await;
    let page = page.expect_words("own certificate").expect_words("secure.example.com");
    assert!(
        !page.html().contains(secret) && !dhow.lines().text().contains(secret) && !dhow.proxy_log().contains(secret)
    );

    // A renewed one goes with the stored key only if that is its own.
    let (_, renewed, _) = certificate("secure.example.com");
    let change = json!({ "certificate": renewed });
    api.patch("/apps/web/domains/secure.example.com", change)
        .await
        .refuses("private_key");
    api.delete("/apps/web/domains/secure.example.com").await.expect(204);
    for file in dhow.files() {
        let is_open = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains(secret);
        assert!(!is_open, "gone with its domain, but for {}", file.display());
    }
    let untrusted = tls::ask(dhow.https_port, "secure.example.com", "/", &authority).await;
    assert!(untrusted.is_err(), "{untrusted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_whose_route_cannot_be_written_is_stored_told_and_served_later() {
    let (dhow, api, _git) = two_apps().await;
    // As a full disk would, this keeps the app's file from being written.
    let obstacle = dhow.data_file("traefik/unfinished/app-web.yml");
    std::fs::create_dir(&obstacle).unwrap();
    let domain = json!({ "host": "late.example.com", "tls": "off" });
    let added = api.post("/apps/web/domains", domain).await.expect(201).json();
    let words = added["state"]["words"].as_str().unwrap();
    assert!(words.contains("not served so yet"), "{words}");
    let page = dhow.panel().await.page("/apps/web/domains").await;
    page.expect_words("not served so yet");
    dhow.visit("late.example.com", "/").await.expect(404);
    std::fs::remove_dir(&obstacle).unwrap();
    eventually("late.example.com is served", seconds(20), || async {
        let answer = dhow.visit("late.example.com", "/").await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.status.to_string())
        }
    })
    .await;
    let domains = api.read("/apps/web/domains").await;
    assert_eq!(domains["items"][0]["state"]["words"], "As chosen.");
}
