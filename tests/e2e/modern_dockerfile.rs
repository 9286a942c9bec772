//! Case build-modern-dockerfile: BuildKit's features work, what the engine is too old for is said, failures are failures.

use crate::harness::dhow::Dhow;
use crate::harness::docker::docker;
use crate::harness::git_server::GitServer;

const SERVE: &str = "WORKDIR /www\nCMD [\"sh\", \"-c\", \"exec httpd -f -p $PORT -h /www\"]\n";
const HEREDOC: &str = "RUN <<END\nmkdir -p /www\necho hi > /www/index.html\nEND\n";

#[tokio::test(flavor = "multi_thread")]
async fn build_modern_dockerfile_mounts_and_stages_work_and_a_failed_step_is_a_failed_deployment() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("modern");
    repository.write(
        "Dockerfile",
        &format!(
            "FROM busybox:1 AS made\nRUN --mount=type=cache,target=/c mkdir -p /www && echo made > /www/index.html\n\
             FROM busybox:1\nCOPY --from=made /www /www\n{SERVE}"
        ),
    );
    repository.commit("Use a mount and two stages");
    let app = api.live_app("Modern", "modern", &repository).await;
    assert_eq!(
        dhow.visit("modern.localhost", "/").await.expect(200).text().trim(),
        "made"
    );
    let serving = dhow.containers_of(&app);

    repository.write("Dockerfile", "FROM busybox:1\nRUN exit 3\n");
    repository.commit("Fail");
    let id = api.deploy(&app).await;
    let deployment = api.failed(id, "build_failed").await;

    let message = deployment["error"]["message"].as_str().unwrap();
    assert!(message.contains('3'), "the sentence tells the exit code: {message}");
    let log = api.log(id).await;
    assert!(log.contains("exit code: 3"), "{log}");
    let last = log.trim_end().lines().last().unwrap();
    assert!(last.contains(message), "the log's last line is the sentence: {last}");
    assert_eq!(
        dhow.containers_of(&app),
        serving,
        "the old container still serves, and no other is left"
    );
    assert_eq!(
        dhow.visit("modern.localhost", "/").await.expect(200).text().trim(),
        "made"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn build_modern_dockerfile_what_the_engines_builder_does_not_know_is_said_in_one_sentence() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let project = api.create_project("Modern").await;
    let major: u32 = docker(&["version", "-f", "{{.Server.Version}}"])
        .split('.')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    for (name, first) in [("heredoc", ""), ("syntax", "# syntax=docker/dockerfile:1\n")] {
        let repository = git.repository(name);
        repository.write("Dockerfile", &format!("{first}FROM busybox:1\n{HEREDOC}{SERVE}"));
        repository.commit("Use a heredoc");
        let app = api.create_app(&project, name, &repository).await;
        let id = api.deploy(&app).await;
        let deployment = api.ended(id).await;
        if deployment["status"] == "succeeded" {
            let page = dhow.visit(&format!("{name}.localhost"), "/").await.expect(200);
            assert_eq!(page.text().trim(), "hi", "not an empty file");
            continue;
        }
        // An engine before 23 knows no heredocs; the syntax line needs a registry.
        assert!(
            major < 23 || !first.is_empty(),
            "engine {major} builds heredocs itself: {deployment:#}"
        );
        assert_eq!(deployment["error"]["kind"], "build_failed");
        let message = deployment["error"]["message"].as_str().unwrap();
        let (missing, remedy) = if first.is_empty() {
            ("heredoc", "23")
        } else {
            ("# syntax", "registry")
        };
        assert!(
            message.contains(missing) && message.contains(remedy),
            "what is missing and what to do: {message}"
        );
        assert!(!message.contains('\n'), "one sentence: {message}");
    }
}
