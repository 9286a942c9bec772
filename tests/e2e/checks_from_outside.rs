//! Case run-health-without-curl: the check needs nothing in the image, and a slow start is no failure.

use std::process::Command;

use serde_json::json;

use crate::harness::dhow::Dhow;
use crate::harness::docker::docker;
use crate::harness::git_server::GitServer;

/// A server that answers `/healthz` alone, after as many seconds as its argument says, with nothing beside it.
const SERVER: &str = r#"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char **words) {
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(8080) };
    if (count > 1) sleep(atoi(words[1]));
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 64)) return 1;
    for (;;) {
        char asked[4096] = { 0 };
        int visitor = accept(listener, 0, 0);
        if (read(visitor, asked, sizeof asked - 1) > 0) {
            int is_known = !strncmp(asked, "GET /healthz ", 13);
            const char *answer = is_known ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwell"
                                          : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            write(visitor, answer, strlen(answer));
        }
        close(visitor);
    }
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn run_health_without_curl_an_image_of_one_program_is_checked_from_outside() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    let git = GitServer::start().await;
    let repository = git.repository("alone");
    repository.write("server.c", SERVER);
    let compiled = Command::new("cc")
        .args(["-static", "-Os", "-o", "server", "server.c"])
        .current_dir(repository.directory())
        .status();
    assert!(compiled.unwrap().success(), "a C compiler makes the server");
    let since = docker(&["info", "-f", "{{.SystemTime}}"]);
    let project = api.create_project("Alone").await;
    let settings = json!({ "port": 8080, "health": { "path": "/healthz", "timeout_s": 20 } });
    api.create_app_with(&project, "alone", &repository, settings).await;

    for (seconds, fewest_ms) in [("0", 0), ("4", 4_000)] {
        repository.write(
            "Dockerfile",
            &format!("FROM scratch\nCOPY server /server\nCMD [\"/server\", \"{seconds}\"]\n"),
        );
        repository.commit(&format!("Start after {seconds} s"));
        let id = api.deploy("alone").await;
        let deployment = api.succeeded(id).await;
        let steps = deployment["steps"].as_array().unwrap();
        let check = steps.iter().find(|step| step["step"] == "check").unwrap();
        assert!(check["ms"].as_i64().unwrap() >= fewest_ms, "{deployment:#}");
        assert_eq!(
            dhow.visit("alone.localhost", "/healthz").await.expect(200).text(),
            "well"
        );
    }

    let until = docker(&["info", "-f", "{{.SystemTime}}"]);
    let label = format!("label=dhow.instance={}", dhow.instance);
    let events = docker(&[
        "events",
        "--since",
        &since,
        "--until",
        &until,
        "--filter",
        &label,
        "--format",
        "{{.Action}}",
    ]);
    assert!(events.lines().any(|action| action == "start"), "{events}");
    assert!(!events.contains("exec"), "nothing is run inside: {events}");
}
