//! Builds: results, failures in plain words, live lines, and a stop that really stops.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use dhow::docker::{BuildError, ImageBuild};
use dhow::model::container::{APP_LABEL, Ownership};
use tokio::sync::mpsc;

use crate::harness::Place;
use crate::workshop::{Checkout, build, build_with, run};

#[tokio::test]
async fn an_image_is_built_labelled_listed_and_removed() {
    let place = Place::open().await;
    let dockerfile = "FROM busybox:1 AS base\nARG GREETING\nENV PORT=3000\nEXPOSE 3000 80\nHEALTHCHECK CMD true\n\
         RUN --mount=type=cache,target=/cache echo $GREETING > /made && date +%N > /stamp\n\
         FROM base AS last\nENTRYPOINT [\"/bin/echo\", \"entry\"]\nCMD [\"point\"]\n";
    let checkout = Checkout::new(&[("Dockerfile", dockerfile)]);
    let args = vec![("GREETING".to_owned(), "hi-7f3a".to_owned())];
    let built = build_with(&place, &checkout, ".", "Dockerfile", args.clone(), None).await;
    let image = place.engine.find_image(built.image()).await.unwrap().unwrap();
    assert_eq!(image.id, built.image());
    assert_eq!(image.exposed_ports, [80, 3000]);
    assert_eq!(image.port_variable.as_deref(), Some("3000"));
    assert!(image.has_health_check);
    assert_eq!(image.labels.get(APP_LABEL).map(String::as_str), Some("shop"));
    assert_eq!(
        image.labels.get(Ownership::OWNER_LABEL),
        Some(&place.engine.ownership().owner)
    );
    assert_eq!(run(&place, built.image(), "cat /made").await, "hi-7f3a");
    let listed = place.engine.list_images(Some("shop")).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0].id, &listed[0].tags, &listed[0].labels),
        (&image.id, &image.tags, &image.labels)
    );
    assert!(place.engine.list_images(Some("other")).await.unwrap().is_empty());

    let again = build_with(&place, &checkout, ".", "Dockerfile", args.clone(), None).await;
    assert!(
        again
            .log()
            .lines()
            .any(|line| line.contains("RUN --mount") && line.ends_with("(cached)")),
        "{}",
        again.log()
    );
    let base = build_with(&place, &checkout, ".", "Dockerfile", args, Some("base")).await;
    assert_ne!(base.image(), built.image(), "a target is another image");
    let listed = place.engine.list_images(Some("shop")).await.unwrap();
    assert!(listed.len() == 2 && listed.iter().any(|image| image.id == base.image()));
    assert_eq!(run_entrypoint(&place, built.image(), None).await, "entry point");
    assert_eq!(run_entrypoint(&place, built.image(), Some(Vec::new())).await, "cleared");

    for image in listed {
        place.engine.remove_image(&image.id).await.unwrap();
    }
    assert!(place.engine.list_images(Some("shop")).await.unwrap().is_empty());
}

async fn run_entrypoint(place: &Place, image: &str, entrypoint: Option<Vec<String>>) -> String {
    let mut spec = place.sleeper("entry");
    spec.image = image.to_owned();
    spec.command = entrypoint
        .is_some()
        .then(|| vec!["/bin/echo".to_owned(), "cleared".to_owned()]);
    spec.entrypoint = entrypoint;
    place.engine.create_container(&spec).await.unwrap();
    place.engine.start_container(&spec.name).await.unwrap();
    place.engine.wait_container(&spec.name).await.unwrap();
    let output = place.engine.last_output(&spec.name, 10).await.unwrap().join("\n");
    place.engine.remove_container(&spec.name).await.unwrap();
    output
}

/// Case build-modern-dockerfile, the second app.
#[tokio::test]
async fn a_failing_command_is_told_with_its_exit_code() {
    let place = Place::open().await;
    let checkout = Checkout::new(&[(
        "Dockerfile",
        "FROM busybox:1\nRUN echo before; exit 3\nRUN echo never\n",
    )]);
    let built = build(&place, &checkout, ".", "Dockerfile").await;
    match &built.outcome {
        Err(BuildError::Failed {
            exit_code: Some(3),
            message,
        }) => assert!(message.contains("exit code: 3"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert!(
        built.log().contains("before\n") && !built.log().contains("never\n["),
        "{}",
        built.log()
    );
    assert!(place.engine.list_images(Some("shop")).await.unwrap().is_empty());
}

/// Case build-modern-dockerfile, the first app.
#[tokio::test]
async fn syntax_that_is_too_new_is_told_in_a_sentence() {
    let place = Place::open().await;
    let version = place.engine.version().await.unwrap();
    let is_old = version.split('.').next().unwrap().parse::<u32>().unwrap() < 23;
    let cases = [
        ("FROM busybox:1\nRUN <<EOF\necho hi > /made\nEOF\n", "a heredoc"),
        ("FROM busybox:1\nCOPY --link Dockerfile /\n", "the flag `--link`"),
    ];
    for (dockerfile, feature) in cases {
        let built = build(&place, &Checkout::new(&[("Dockerfile", dockerfile)]), ".", "Dockerfile").await;
        match &built.outcome {
            Err(BuildError::FrontendTooOld(text)) if is_old => {
                for part in [
                    feature,
                    &version,
                    "upgrade Docker to 23.0",
                    "# syntax=docker/dockerfile:1",
                ] {
                    assert!(text.contains(part), "{part} in: {text}");
                }
            }
            Ok(_) if !is_old => {}
            other => panic!("{other:?}"),
        }
    }
    let typo = "FROM busybox:1\n# RUN <<EOF\nRUM echo hi\n";
    let built = build(&place, &Checkout::new(&[("Dockerfile", typo)]), ".", "Dockerfile").await;
    match &built.outcome {
        Err(BuildError::Failed {
            exit_code: None,
            message,
        }) => assert!(message.contains("RUM"), "{message}"),
        other => panic!("a mistake is a mistake: {other:?}"),
    }
}

#[tokio::test]
async fn a_syntax_line_without_its_registry_is_told_in_a_sentence() {
    let place = Place::open().await;
    // Nothing listens on port 1, wherever this runs.
    let dockerfile = "# syntax=localhost:1/docker/dockerfile:1\nFROM busybox:1\nRUN echo hi\n";
    let built = build(&place, &Checkout::new(&[("Dockerfile", dockerfile)]), ".", "Dockerfile").await;
    match &built.outcome {
        Err(BuildError::FrontendTooOld(text)) => {
            for part in [
                "`# syntax=localhost:1/docker/dockerfile:1`",
                "registry",
                "remove the line",
            ] {
                assert!(text.contains(part), "{part} in: {text}");
            }
        }
        other => panic!("{other:?}"),
    }
}

/// Cases build-context-is-not-dockerfile-dir and build-dockerignore-honoured.
#[tokio::test]
async fn build_context_is_not_dockerfile_dir_the_context_is_what_the_settings_and_the_ignore_file_say() {
    let place = Place::open().await;
    let files = [
        ("shared/v.txt", "v"),
        ("apps/api/a.txt", "a"),
        (
            "apps/api/Dockerfile",
            "FROM busybox:1\nCOPY shared/v.txt /v\nCOPY apps/api/a.txt /a\n",
        ),
        ("svc/a.txt", "a of svc"),
        ("svc/Dockerfile", "FROM busybox:1\nCOPY a.txt /a\n"),
    ];
    let checkout = Checkout::new(&files);
    let whole = build(&place, &checkout, ".", "apps/api/Dockerfile").await;
    assert_eq!(run(&place, whole.image(), "cat /v /a").await, "va");
    let part = build(&place, &checkout, "svc", "svc/Dockerfile").await;
    assert_eq!(run(&place, part.image(), "cat /a").await, "a of svc");

    let files = [
        (".dockerignore", ".env\nDockerfile\nnode_modules\n!node_modules/keep\n"),
        (".env", "SECRET=1"),
        ("Dockerfile", "FROM busybox:1\nCOPY . /x\n"),
        ("node_modules/keep", ""),
        ("node_modules/drop", ""),
    ];
    let checkout = Checkout::new(&files);
    let built = build(&place, &checkout, ".", "Dockerfile").await;
    let again = build(&place, &Checkout::new(&files), ".", "Dockerfile").await;
    assert!(
        again.log().contains("COPY . /x (cached)"),
        "a fresh checkout is the same to the cache:\n{}",
        again.log()
    );
    let list = "cd /x && find . -type f | sort";
    let found = run(&place, built.image(), list).await;
    assert_eq!(found, "./.dhow.Dockerfile\n./.dockerignore\n./node_modules/keep");

    let beside = ("Dockerfile.dockerignore", "*\n!.env\n");
    let checkout = Checkout::new(&[&files[..], &[beside]].concat());
    let built = build(&place, &checkout, ".", "Dockerfile").await;
    let found = run(&place, built.image(), list).await;
    assert_eq!(
        found, "./.dhow.Dockerfile\n./.env",
        "the file beside the Dockerfile wins"
    );
}

/// Case log-progress-without-newline.
#[tokio::test]
async fn log_progress_without_newline_lines_come_while_the_build_runs() {
    let place = Place::open().await;
    let command = "echo first; sleep 2; printf 'p 10%%\\rp 50%%\\rp 100%%'; sleep 3; echo; echo last";
    let stamp = Instant::now().elapsed().as_nanos();
    let dockerfile = format!("FROM busybox:1\nRUN : {} {stamp}; {command}\n", place.name);
    let built = build(
        &place,
        &Checkout::new(&[("Dockerfile", &dockerfile)]),
        ".",
        "Dockerfile",
    )
    .await;
    built.image();
    let (first, progress, last) = (built.time_of("first"), built.time_of("p 100%"), built.time_of("last"));
    assert!(progress - first > Duration::from_secs(2), "{first:?} {progress:?}");
    assert!(
        last - progress > Duration::from_secs(1),
        "shown before its line ends: {progress:?} {last:?}"
    );
}

#[tokio::test]
async fn output_that_buildkit_clips_is_noted_and_the_build_goes_on() {
    let place = Place::open().await;
    let dockerfile = format!(
        "FROM busybox:1\nRUN : {}; seq 1 300000; sleep 1; echo END\n",
        place.name
    );
    let built = build(
        &place,
        &Checkout::new(&[("Dockerfile", &dockerfile)]),
        ".",
        "Dockerfile",
    )
    .await;
    built.image();
    let is_whole = built.lines.iter().any(|(_, line)| line == "300000");
    let notes = built
        .lines
        .iter()
        .filter(|(_, line)| line.starts_with("Note: "))
        .count();
    assert!(is_whole || notes > 0, "{} lines", built.lines.len());
}

/// Case build-cancel-really-stops.
#[tokio::test]
async fn build_cancel_really_stops_dropping_a_build_stops_its_processes() {
    let place = Place::open().await;
    let seconds = 300 + u64::from(std::process::id()) * 7;
    let command = format!("sleep {seconds}");
    let checkout = Checkout::new(&[("Dockerfile", &format!("FROM busybox:1\nRUN {command}\n"))]);
    let building = build(&place, &checkout, ".", "Dockerfile");
    assert!(
        tokio::time::timeout(Duration::from_secs(4), building).await.is_err(),
        "it was still building"
    );
    let begun = Instant::now();
    while is_running(&command) {
        assert!(begun.elapsed() < Duration::from_secs(1), "`{command}` still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_context_that_cannot_be_read_fails_the_build_with_the_reason() {
    let place = Place::open().await;
    let pieces = [
        Ok(bytes::Bytes::from_static(&[0; 512])),
        Err(std::io::Error::other("a.txt: permission denied")),
    ];
    let build = ImageBuild {
        tag: format!("{}/app:1", place.name),
        dockerfile: "Dockerfile".to_owned(),
        needs: Default::default(),
        target: None,
        args: Vec::new(),
        secrets: Vec::new(),
        labels: BTreeMap::new(),
        is_fresh: false,
    };
    let (sender, _receiver) = mpsc::channel(16);
    match place
        .engine
        .build_image(&build, futures_util::stream::iter(pieces), sender)
        .await
    {
        Err(BuildError::Failed { message, .. }) => assert!(message.contains("a.txt: permission denied"), "{message}"),
        other => panic!("{other:?}"),
    }
}

fn is_running(command: &str) -> bool {
    let output = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .any(|line| line.ends_with(command) && !line.contains("ps -eo"))
}
