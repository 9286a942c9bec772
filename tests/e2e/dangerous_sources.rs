//! Case git-dangerous-sources: addresses and branches that run commands or read local files are refused everywhere.

use serde_json::json;

use crate::harness::dhow::Dhow;
use crate::harness::git_server::GitServer;
use crate::harness::panel::Panel;
use crate::harness::setup::Setup;

const URLS: [&str; 12] = [
    "ext::sh -c 'touch pwned'",
    "file:///etc",
    "/var/lib/other-app",
    "../other-app",
    "--upload-pack=touch pwned",
    "-oProxyCommand=touch pwned",
    "ssh://-oProxyCommand=touch/x.git",
    "https://example.com/x.git\n[core]",
    "https://",
    "fd::17",
    "ftp://example.com/x.git",
    "",
];
const BRANCHES: [&str; 9] = [
    "--orphan",
    "-f",
    "a..b",
    "x y",
    "a\nb",
    "a~1",
    "refs/heads/.hidden",
    "main.lock",
    "@{upstream}",
];

/// No file that a command would have made, wherever it ran.
#[track_caller]
fn assert_nothing_ran(dhow: &Dhow) {
    let beside = std::env::current_dir().unwrap().join("pwned");
    assert!(!beside.exists(), "{} was made", beside.display());
    let made: Vec<_> = dhow
        .files()
        .into_iter()
        .filter(|file| file.ends_with("pwned"))
        .collect();
    assert!(made.is_empty(), "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn git_dangerous_sources_the_api_refuses_dangerous_sources_and_stores_nothing() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("good");
    let project = api.create_project("Safe").await;
    let app = api.create_app(&project, "good", &repository).await;
    let before = api.read("/apps/good").await;

    let bad = URLS.map(|url| ("url", url, "main")).into_iter();
    for (field, url, branch) in bad.chain(BRANCHES.map(|branch| ("branch", repository.url.as_str(), branch))) {
        let source = json!({ "kind": "git", "url": url, "branch": branch });
        let body = json!({ "name": "bad", "source": source, "port": 3000 });
        api.post(&format!("/projects/{project}/apps"), body)
            .await
            .refuses(field);
        api.patch(&format!("/apps/{app}"), json!({ "source": source }))
            .await
            .refuses(field);
    }

    let apps = api.read(&format!("/projects/{project}/apps")).await;
    assert_eq!(apps["items"].as_array().unwrap().len(), 1, "{apps:#}");
    assert_eq!(api.read("/apps/good").await, before, "the good app is as it was");
    assert_nothing_ran(&dhow);
}

#[tokio::test(flavor = "multi_thread")]
async fn git_dangerous_sources_the_pages_refuse_dangerous_sources_and_keep_what_was_typed() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("good");
    let project = api.create_project("Safe").await;
    api.create_app(&project, "good", &repository).await;
    let before = api.read("/apps/good").await;
    let panel = dhow.panel().await;
    let new = panel
        .page(&format!("/projects/{project}"))
        .await
        .link(crate::harness::words::NEW_APP);
    let pages = [new, "/apps/good/settings".to_owned()];

    for page in &pages {
        // A text field cannot hold a line break, so those inputs are for the API alone.
        for url in URLS.iter().filter(|url| !url.contains('\n')) {
            assert_page_refuses(&panel, page, "url", url, ("branch", "main")).await;
        }
        for branch in BRANCHES.iter().filter(|branch| !branch.contains('\n')) {
            assert_page_refuses(&panel, page, "branch", branch, ("url", &repository.url)).await;
        }
    }

    let apps = api.read(&format!("/projects/{project}/apps")).await;
    assert_eq!(apps["items"].as_array().unwrap().len(), 1, "{apps:#}");
    assert_eq!(api.read("/apps/good").await, before, "the good app is as it was");
    assert_nothing_ran(&dhow);
}

async fn assert_page_refuses(panel: &Panel, page: &str, field: &str, value: &str, other: (&str, &str)) {
    let mut form = panel.page(page).await.form(&["url", "branch", "port"]);
    if form.value("name") == Some("") {
        form = form.set("name", "bad");
    }
    let form = form.set(field, value).set(other.0, other.1).set("port", "3000");
    let answer = panel.submit(page, &form).await.expect(422);
    assert!(answer.header("content-type").starts_with("text/html"), "{answer}");
    let refused = crate::harness::panel::Page {
        path: page.to_owned(),
        answer,
    };
    let again = refused.form(&["url", "branch", "port"]);
    assert_eq!(again.value(field), Some(value), "what was typed is kept, on {page}");
    assert!(
        refused.html().contains("aria-invalid=\"true\""),
        "the field is marked for '{value}' on {page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn git_dangerous_sources_private_hosts_and_plain_http_need_the_operators_word() {
    let dhow = Setup::new().without_private_sources().start().await;
    let api = dhow.owner().await;
    let project = api.create_project("Strict").await;
    let app =
        |name: &str, url: &str| json!({ "name": name, "source": { "kind": "git", "url": url, "branch": "main" } });
    let path = format!("/projects/{project}/apps");
    api.post(&path, app("plain", "http://example.com/x.git"))
        .await
        .refuses("url");

    // Refused at once, or when the name has been looked up: nothing on this machine is ever asked.
    let private = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    private.set_nonblocking(true).unwrap();
    let port = private.local_addr().unwrap().port();
    for (name, host) in [
        ("loopback", "127.0.0.1"),
        ("named", "localhost"),
        ("mapped", "[::ffff:127.0.0.1]"),
        ("hex", "0x7f000001"),
    ] {
        let answer = api
            .post(&path, app(name, &format!("https://{host}:{port}/x.git")))
            .await;
        if answer.status == 201 {
            let deployment = api.failed(api.deploy(name).await, "git_unreachable").await;
            let message = deployment["error"]["message"].as_str().unwrap();
            assert!(
                message.contains("private") || message.contains("loopback"),
                "it says why: {message}"
            );
        } else {
            answer.refuses("url");
        }
    }
    let asked = private.accept();
    assert!(
        asked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        "something on this machine was asked"
    );
}
