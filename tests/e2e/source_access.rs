//! What a repository's server is asked before anything is deployed: pasted keys, servers with another key than before,
//! and the check of the access, which is answered whatever the server does.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::dhow::Dhow;
use crate::harness::free_port::free_port;
use crate::harness::git_server::GitServer;
use crate::harness::repository::Repository;
use crate::harness::ssh_server::SshServer;
use crate::harness::wait::seconds;

/// An app whose code is at that address.
async fn create_app(api: &Api, project: &str, name: &str, address: &str) -> String {
    let nowhere = Path::new("/");
    let repository = Repository::at(nowhere, nowhere, name, address.to_owned());
    api.create_app(project, name, &repository).await
}

/// A private key as users make theirs.
fn make_key(dir: &Path, name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("ssh-keygen");
    let made = command
        .args(["-q", "-f", name])
        .args(arguments)
        .current_dir(dir)
        .status();
    assert!(made.unwrap().success());
    std::fs::read_to_string(dir.join(name)).unwrap()
}

/// Case git-bad-credentials-fail-fast: a key with a passphrase is refused before it is tried.
#[tokio::test(flavor = "multi_thread")]
async fn git_bad_credentials_fail_fast_a_pasted_key_opens_the_repository_and_one_that_cannot_be_used_is_refused_in_words()
 {
    let dhow = Dhow::start().await;
    let (api, server) = (dhow.owner().await, SshServer::start(free_port()));
    let panel = dhow.panel().await;
    let path = server.repository("shop");
    let project = api.create_project("Keys").await;
    create_app(&api, &project, "shop", &server.address(&path)).await;

    let dir = tempfile::tempdir().unwrap();
    let good = make_key(dir.path(), "good", &["-t", "ed25519", "-N", ""]);
    let locked = make_key(dir.path(), "locked", &["-t", "ed25519", "-N", "secret"]);
    let rsa = make_key(dir.path(), "rsa", &["-t", "rsa", "-b", "2048", "-N", ""]);
    let form = panel.page("/apps/shop/source").await.form(&["private_key"]);
    for (text, words) in [
        (&*locked, "protected by a passphrase"),
        (&rsa, "RSA keys are not supported"),
        ("rubbish-rubbish", "This is no private key"),
        ("", "This is no private key"),
    ] {
        let input = json!({ "kind": "key", "private_key": text });
        let refused = api.put("/apps/shop/credential", input).await.expect(422).text();
        let typed = form.clone().set("private_key", text);
        let page = panel.submit("/apps/shop/source", &typed).await.expect(422).text();
        for answer in [refused, page] {
            assert!(answer.contains(words), "{words}: {answer}");
            let line = text.lines().nth(1).unwrap_or("rubbish-rubbish");
            assert!(!answer.contains(line), "it is shown again: {answer}");
        }
    }
    assert_eq!(api.read("/apps/shop/credential").await["kind"], json!(null));

    let typed = form.set("private_key", &good.replace('\n', "\r\n"));
    let page = panel.submit_and_follow("/apps/shop/source", &typed).await;
    assert!(!page.html().contains(good.lines().nth(1).unwrap()));
    page.expect_words("The key is stored");
    let credential = api.read("/apps/shop/credential").await;
    server.admit(credential["public_key"].as_str().unwrap());
    let branches = api.post("/apps/shop/access-check", json!({})).await.expect(200).json();
    assert_eq!(branches["branches"], json!([]));
    let form = panel.page("/apps/shop/source").await.form_of_button("Check access");
    let page = panel.submit_and_follow("/apps/shop/source", &form).await;
    page.expect_words("The repository can be reached, and is empty");
    let failed = api.deploy("shop").await;
    let failed = api.failed(failed, "git_empty").await;
    assert_eq!(
        failed["error"]["message"],
        "The repository is empty. Push a commit to it, then deploy again."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_host_key_is_refused_until_an_admin_forgets_the_old_one() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let panel = dhow.panel().await;
    let first = SshServer::start(free_port());
    let (port, before) = (first.port, first.fingerprint());
    let project = api.create_project("Keys").await;
    let app = create_app(&api, &project, "shop", &first.address(&first.repository("shop"))).await;
    let made = api.put("/apps/shop/credential", json!({ "kind": "key" })).await;
    let public_key = made.expect(200).json()["public_key"].as_str().unwrap().to_owned();
    first.admit(&public_key);
    api.post("/apps/shop/access-check", json!({})).await.expect(200);

    drop(first);
    let second = SshServer::start(port);
    second.admit(&public_key);
    let address = second.address(&second.repository("shop"));
    api.patch("/apps/shop", json!({ "source": { "url": address } }))
        .await
        .expect(200);
    let refused = api.post("/apps/shop/access-check", json!({})).await.expect(422).text();
    let failed = api.deploy(&app).await;
    let failed = api.failed(failed, "git_unreachable").await;
    for said in [refused, failed["error"]["message"].to_string()] {
        assert!(said.contains("shows another host key than before"), "{said}");
        assert!(said.contains(&before) && said.contains(&second.fingerprint()), "{said}");
    }
    let log = second.log();
    assert!(!log.iter().any(|line| line.contains("publickey")), "{log:#?}");

    let page = panel.page("/apps/shop/source").await.expect_words(&before);
    let form = page.form_of_button("Forget the key");
    let page = panel.submit_and_follow("/apps/shop/source", &form).await;
    page.expect_words("the one that it shows next is taken");
    api.post("/apps/shop/access-check", json!({})).await.expect(200);
    let shown = panel.page("/apps/shop/source").await;
    shown.expect_words(&second.fingerprint());
    let audit = api.read("/audit").await.to_string();
    assert!(audit.contains("host_key.remove") && audit.contains(&before), "{audit}");
}

/// Case git-bad-credentials-fail-fast: nothing is asked twice.
#[tokio::test(flavor = "multi_thread")]
async fn git_bad_credentials_fail_fast_the_access_is_checked_in_seconds_whatever_the_server_does() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let (open, locked) = (
        GitServer::start().await,
        GitServer::with_password("ada", "secret").await,
    );
    let repository = open.repository("open");
    repository.commit_app("open");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/web.git", silent.local_addr().unwrap());
    let project = api.create_project("Checks").await;
    for (app, address) in [
        ("silent", &silent),
        ("open", &repository.url),
        ("locked", &locked.repository("locked").url),
        ("missing", &repository.url.replace("open.git", "missing.git")),
    ] {
        create_app(&api, &project, app, address).await;
    }
    let check = async |app: &str| api.post(&format!("/apps/{app}/access-check"), json!({})).await;

    let began = Instant::now();
    let others = async {
        let token = json!({ "kind": "token", "token": "wrong" });
        let refused = check("locked").await.expect(422).text();
        assert!(refused.contains("asks for a password"), "{refused}");
        api.put("/apps/locked/credential", token.clone()).await.expect(200);
        let refused = check("locked").await.expect(422).text();
        assert!(refused.contains("does not accept the app's token"), "{refused}");
        assert_eq!(locked.asked().len(), 2, "{:?}", locked.asked());
        let branches = json!({ "default_branch": "main", "branches": ["main"] });
        assert_eq!(check("open").await.expect(200).json(), branches);
        // A token that nobody asks for does no harm.
        api.put("/apps/open/credential", token).await.expect(200);
        assert_eq!(check("open").await.expect(200).json(), branches);
        let refused = check("missing").await.expect(422).text();
        assert!(refused.contains("no repository at this address"), "{refused}");
        assert!(began.elapsed() < seconds(5), "{:?}", began.elapsed());
    };
    let (silent, ()) = tokio::join!(check("silent"), others);
    let refused = silent.expect(422).text();
    assert!(refused.contains("cannot be reached"), "{refused}");
    assert!(began.elapsed() < seconds(12), "{:?}", began.elapsed());
}
