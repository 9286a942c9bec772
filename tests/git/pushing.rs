//! `git push` to the repositories that Dhow hosts.

use std::os::unix::fs::PermissionsExt;

use dhow::model::source::{Branch, CommitSha};

use crate::git_server::{GitServer, WorkTree};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_stored_and_answered() {
    let server = GitServer::start().await;
    let hosted = server.host("hello");
    let tree = WorkTree::new();
    let first = tree.commit_version("one");
    let to = server.push_address("hello");

    let (is_ok, said) = tree.try_git(&["push", &to, "main"]).await;
    assert!(is_ok, "{said}");
    assert!(
        said.contains(&format!("remote: Deployment of {} queued.", &first[..7])),
        "{said}"
    );

    let second = tree.commit_version("two");
    let (is_ok, said) = tree.try_git(&["push", &to, "main"]).await;
    assert!(
        is_ok && said.contains(&format!("Deployment of {}", &second[..7])),
        "{said}"
    );

    tree.git(&["checkout", "-q", "-b", "feature/x"]);
    tree.commit_version("side");
    let (is_ok, said) = tree.try_git(&["push", &to, "feature/x"]).await;
    assert!(is_ok && said.contains("Stored. Only main is deployed."), "{said}");

    tree.git(&["checkout", "-q", "-B", "main", &first]);
    let forced = tree.commit_version("instead");
    let (is_ok, said) = tree.try_git(&["push", &to, "main"]).await;
    assert!(!is_ok && said.contains("rejected"), "{said}");
    let (is_ok, said) = tree.try_git(&["push", "--force", &to, "main"]).await;
    assert!(
        is_ok && said.contains(&format!("Deployment of {}", &forced[..7])),
        "{said}"
    );

    let (is_ok, said) = tree.try_git(&["push", &to, "main"]).await;
    assert!(is_ok && !said.contains("remote:"), "{said}");

    let pushes = server.pushes();
    let commits: Vec<_> = pushes
        .iter()
        .map(|it| it.commit.as_ref().map(|commit| commit.sha.to_string()))
        .collect();
    assert_eq!(commits, [Some(first), Some(second.clone()), None, Some(forced.clone())]);
    let last = &pushes[3];
    assert_eq!(last.changes[0].before.as_ref().unwrap().as_str(), second);
    assert_eq!(last.changes[0].after.as_ref().unwrap().as_str(), forced);
    let commit = last.commit.as_ref().unwrap();
    assert_eq!((commit.message.as_str(), commit.author.as_str()), ("instead", "Ada"));
    assert_eq!(commit.branch.as_deref(), Some("main"));
    assert_eq!(hosted.dir().metadata().unwrap().permissions().mode() & 0o777, 0o700);

    let clone = WorkTree::new();
    let (is_ok, said) = clone.try_git(&["clone", "-q", &server.address("hello"), "copy"]).await;
    assert!(is_ok, "{said}");
    assert_eq!(
        std::fs::read_to_string(clone.path().join("copy/VERSION")).unwrap(),
        "instead"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_branch_becomes_the_deployed_one() {
    let server = GitServer::start().await;
    let hosted = server.host("hello");
    assert_eq!(hosted.deploy_branch().unwrap(), "main");
    let tree = WorkTree::new();
    tree.commit_version("one");
    tree.git(&["branch", "-m", "master"]);
    let (is_ok, said) = tree.try_git(&["push", &server.push_address("hello"), "master"]).await;
    assert!(is_ok && said.contains("Deployment of"), "{said}");
    assert_eq!(hosted.deploy_branch().unwrap(), "master");

    // A later branch called main does not take over.
    tree.git(&["branch", "main"]);
    let (_, said) = tree.try_git(&["push", &server.push_address("hello"), "main"]).await;
    assert!(said.contains("Only master is deployed."), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_first_branches_only_main_counts() {
    let server = GitServer::start().await;
    let hosted = server.host("hello");
    let tree = WorkTree::new();
    tree.commit_version("one");
    tree.git(&["branch", "a"]);
    tree.git(&["branch", "b"]);
    let (is_ok, said) = tree.try_git(&["push", &server.push_address("hello"), "a", "b"]).await;
    assert!(is_ok && said.contains("Only main is deployed."), "{said}");
    assert_eq!(hosted.deploy_branch().unwrap(), "main");
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_can_be_deleted_the_deployed_one_too() {
    let server = GitServer::start().await;
    server.host("hello");
    let tree = WorkTree::new();
    tree.commit_version("one");
    tree.git(&["branch", "other"]);
    let to = server.push_address("hello");
    tree.try_git(&["push", &to, "main", "other"]).await;
    for (number, branch) in [(1, "other"), (2, "main")] {
        let (is_ok, said) = tree.try_git(&["push", &to, &format!(":{branch}")]).await;
        assert!(is_ok, "{said}");
        let pushed = &server.pushes()[number];
        assert_eq!((&*pushed.changes[0].branch, &pushed.changes[0].after), (branch, &None));
        assert_eq!((&*pushed.deploy_branch, &pushed.commit), ("main", &None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_repository_holds_is_run() {
    let server = GitServer::start().await;
    let hosted = server.host("hello");
    let tree = WorkTree::new();
    let evidence = tree.path().join("pwned");
    let script = format!("#!/bin/sh\ntouch {}\n", evidence.display());
    for hook in [
        "pre-receive",
        "update",
        "post-receive",
        "post-update",
        "reference-transaction",
    ] {
        tree.write(&format!("hooks/{hook}"), &script);
        let path = hosted.dir().join("hooks").join(hook);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    tree.commit("hooks");
    let (is_ok, said) = tree.try_git(&["push", &server.push_address("hello"), "main"]).await;
    assert!(is_ok, "{said}");
    assert!(!evidence.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_without_the_token_is_refused() {
    let server = GitServer::start().await;
    server.host("hello");
    let tree = WorkTree::new();
    tree.commit_version("one");
    for to in [
        server.address("hello"),
        server.push_address("hello").replace("TESTTOKEN", "WRONG"),
    ] {
        let (is_ok, said) = tree.try_git(&["push", &to, "main"]).await;
        assert!(!is_ok, "{said}");
        assert!(
            said.contains("Authentication failed") || said.contains("could not read Username"),
            "{said}"
        );
    }
    assert!(server.pushes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_repository_are_not_handed_out() {
    let server = GitServer::start().await;
    server.host("hello");
    let tree = WorkTree::new();
    tree.commit_version("one");
    tree.try_git(&["push", &server.push_address("hello"), "main"]).await;
    for path in [
        "HEAD",
        "config",
        "info/refs",
        "objects/info/packs",
        "../hello.git/HEAD",
        "info/refs?service=x",
    ] {
        let (is_ok, said) = tree
            .try_git(&["ls-remote", &format!("{}/{path}", server.address("hello"))])
            .await;
        assert!(!is_ok && said.contains("not found"), "{path}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_objects_are_refused() {
    let server = GitServer::start().await;
    server.host("hello");
    let tree = WorkTree::new();
    tree.commit_version("one");
    let tree_id = tree.git(&["rev-parse", "HEAD^{tree}"]);
    let broken = format!(
        "tree {}\nauthor no mail 0 +0000\ncommitter A <a@b> 0 +0000\n\nbroken\n",
        tree_id.trim()
    );
    tree.write(".git/broken", &broken);
    let id = tree.git(&["hash-object", "-t", "commit", "-w", "--literally", ".git/broken"]);
    let spec = format!("{}:refs/heads/main", id.trim());
    let (is_ok, said) = tree.try_git(&["push", &server.push_address("hello"), &spec]).await;
    assert!(!is_ok && said.contains("missingEmail"), "{said}");
    assert!(server.pushes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pushes_at_once_take_turns() {
    let server = GitServer::start().await;
    server.host("hello");
    let tree = WorkTree::new();
    tree.commit_version("one");
    let to = server.push_address("hello");
    let spec = |number: u32| format!("main:refs/heads/b{number}");
    let specs = [spec(1), spec(2), spec(3), spec(4)];
    let arguments = specs.each_ref().map(|spec| ["push", &to, spec]);
    let pushes = arguments.each_ref().map(|arguments| tree.try_git(arguments));
    for (is_ok, said) in futures_util::future::join_all(pushes).await {
        assert!(is_ok, "{said}");
    }
    // The server itself asserts that they did not overlap.
    assert_eq!(server.pushes().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_of_many_branches_sends_a_compressed_request() {
    let server = GitServer::start().await;
    server.host("hello");
    let tree = WorkTree::new();
    for number in 0..60 {
        tree.commit_version(&format!("version {number}"));
        tree.git(&["branch", &format!("b{number}")]);
    }
    let (is_ok, said) = tree.try_git(&["push", "--all", &server.push_address("hello")]).await;
    assert!(is_ok, "{said}");
    for version in ["0", "2"] {
        let clone = WorkTree::new();
        let setting = format!("protocol.version={version}");
        let (is_ok, said) = clone
            .try_git(&["-c", &setting, "clone", "-q", &server.address("hello"), "copy"])
            .await;
        assert!(is_ok, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pusher_sees_the_deployment_and_fails_with_it() {
    let server = GitServer::start().await;
    let hosted = server.host("site");
    let tree = WorkTree::new();
    let to = server.push_address("site");
    let stands_at = || hosted.branches().unwrap().first().map(|head| head.commit.to_string());
    let good = tree.commit_version("Works");
    let (is_ok, said) = tree.try_git(&["push", &to, "main"]).await;
    // Without the colours: they would be somebody else's orders to the pusher's terminal.
    assert!(is_ok && said.contains("remote: Building Works"), "{said}");

    for (message, reason) in [
        (
            "Fails",
            "! [remote rejected] main -> main (deployment 1 failed: it does)",
        ),
        ("Is lost", "Dhow is being stopped."),
    ] {
        let commit = tree.commit_version(message);
        let (is_ok, said) = tree.try_git(&["push", &to, "main"]).await;
        assert!(!is_ok && said.contains(reason), "{said}");
        assert_eq!(
            stands_at().as_ref(),
            Some(&commit),
            "taking it back is for whoever deploys"
        );
        // The second time it stands elsewhere and is left alone.
        for _ in 0..2 {
            hosted.step_back(None, &CommitSha::parse(&commit).unwrap()).unwrap();
            assert_eq!(stands_at().as_ref(), Some(&good));
        }
    }
    // Another branch is the deployed one by now.
    hosted.set_deploy_branch(&Branch::parse("other").unwrap()).unwrap();
    let good = CommitSha::parse(&good).unwrap();
    hosted.step_back(Some("main".to_owned()), &good).unwrap();
    assert_eq!(stands_at(), None, "before the first push there was no branch");
}
