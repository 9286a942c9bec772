//! Headers that anybody can write change nothing: `Host` is in no link, and no forwarded header moves an address, a
//! limit, a cookie or a link; the panel's links are relative or made of `--listen`. A name that a stranger could point
//! at the panel is not answered to, but for programs that show a token.

use serde_json::json;

use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::http::Answer;
use crate::harness::panel::Panel;

const EVIL: &str = "evil.example";
const FORWARDED: [(&str, &str); 8] = [
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", EVIL),
    ("x-forwarded-port", "443"),
    ("x-forwarded-ssl", "on"),
    ("forwarded", "for=203.0.113.7;proto=https;host=evil.example"),
    ("x-real-ip", "203.0.113.7"),
    ("x-original-url", "/admin/users"),
];

#[track_caller]
fn is_not_moved(answer: &Answer) {
    let text = format!("{:?}\n{}", answer.headers, answer.text());
    assert!(!text.contains(EVIL) && !text.contains("203.0.113.7"), "{answer}");
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap().to_ascii_lowercase();
        assert!(!cookie.contains("domain=") && !cookie.contains("secure"), "{cookie}");
    }
    let location = answer.header("location");
    assert!(
        location.is_empty() || (location.starts_with('/') && !location.starts_with("//")),
        "{answer}"
    );
}

/// Every way in which the panel tells an address, asked with these headers.
async fn ask_for_links(dhow: &Dhow, headers: &[(&str, &str)]) -> Vec<Answer> {
    let own = dhow.url();
    let same = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let headers = &[&same, headers].concat()[..];
    let panel = Panel::stranger(&own);
    let mut answers = vec![panel.send("GET", "/account", headers, "").await.expect(303)];
    let form = panel.page("/login").await.form(&["email", "password"]);
    let form = form.set("email", OWNER).set("password", PASSWORD);
    answers.push(panel.submit_with("/login", &form, headers).await.expect(303));
    let form = panel.page("/admin/users").await.form(&["email", "project"]);
    let invited = form.set("email", &format!("ann{}@example.com", headers.len()));
    answers.push(panel.submit_with("/admin/users", &invited, headers).await.expect(303));
    for path in [
        "/",
        "/login",
        "/admin/users",
        "/apps/web",
        "/apps/web/domains",
        "/nowhere",
        "/favicon.ico",
    ] {
        answers.push(panel.send("GET", path, headers, "").await);
    }
    let body = json!({ "email": format!("bob{}@example.com", headers.len()) }).to_string();
    let call = [headers, &[("content-type", "application/json")]].concat();
    answers.push(
        panel
            .send("POST", "/api/v1/invitations", &call, &body)
            .await
            .expect(201),
    );
    answers.push(panel.send("GET", "/api/v1/apps/web", headers, "").await.expect(200));
    answers.push(panel.send("GET", "/api/v1/openapi.json", headers, "").await.expect(200));
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_anybody_can_write_change_no_link_no_cookie_and_no_address() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Shop").await;
    let app = json!({ "name": "Web", "source": { "kind": "push" } });
    api.post(&format!("/projects/{project}/apps"), app).await.expect(201);
    for headers in [&[("host", "vps1:7070")][..], &FORWARDED] {
        let answers = ask_for_links(&dhow, headers).await;
        answers.iter().for_each(is_not_moved);
        let all: String = answers.iter().map(Answer::text).collect();
        let address = dhow.url().replace("http://", "");
        for link in [
            format!("http://{address}/invitations/"),
            format!("git push http://any:TOKEN@{address}/git/web.git"),
        ] {
            assert!(
                all.contains(&link),
                "the listening address makes the link {link}: {headers:?}"
            );
        }
    }
    let panel = dhow.panel().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("POST", "/projects"),
        ("GET", "/api/v1/apps/web"),
        ("POST", "/api/v1/projects"),
    ] {
        let headers = [
            ("host", EVIL),
            ("origin", "http://evil.example"),
            ("accept", "text/html"),
        ];
        is_not_moved(&panel.send(method, path, &headers, "").await.expect(421));
    }
    let project = json!({ "name": "By name" }).to_string();
    let bearer = format!("Bearer {}", api.token);
    let call = [
        ("host", EVIL),
        ("authorization", &bearer),
        ("content-type", "application/json"),
    ];
    let answer = dhow.http.send("POST", &api.url("/projects"), &call, project).await;
    is_not_moved(&answer.expect(201));
    let audit = api.read("/audit?limit=200").await;
    for row in audit["items"].as_array().unwrap() {
        assert!(row["address"] == "127.0.0.1" || row["actor"] == "dhow", "{row}");
    }
    let account = dhow.panel().await.page("/account").await;
    assert!(
        !account.html().contains("203.0.113.7"),
        "a session tells its connection's address"
    );
}
