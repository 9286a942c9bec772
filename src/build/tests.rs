use std::os::unix::fs::symlink;

use super::*;

fn checkout() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, content) in [
        ("repo/Dockerfile", "# syntax=docker/dockerfile:1\nFROM x\n"),
        ("repo/apps/api/Dockerfile", "FROM x\nRUN <<EOF\nEOF\n"),
        ("repo/apps/api/Dockerfile.dockerignore", "a"),
        ("repo/.dockerignore", "b"),
        ("repo/shared/v.txt", ""),
        ("outside/Dockerfile", ""),
    ] {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    symlink("../../outside", directory.path().join("repo/apps/out")).unwrap();
    symlink("api", directory.path().join("repo/apps/link")).unwrap();
    symlink(
        directory.path().join("outside/Dockerfile"),
        directory.path().join("repo/Linked"),
    )
    .unwrap();
    directory
}

#[test]
fn paths_are_relative_to_the_root_directory_and_confined_to_the_checkout() {
    let directory = checkout();
    let repo = directory.path().join("repo");
    let cases = [
        ("", ".", "Dockerfile", "", "Dockerfile"),
        ("", ".", "apps/api/Dockerfile", "", "apps/api/Dockerfile"),
        ("apps/api", ".", "Dockerfile", "apps/api", "apps/api/Dockerfile"),
        ("apps/api", "../..", "Dockerfile", "", "apps/api/Dockerfile"),
        ("/apps/", "/api", "./api/Dockerfile", "apps/api", "apps/api/Dockerfile"),
        ("apps", "link", "link/Dockerfile", "apps/api", "apps/api/Dockerfile"),
    ];
    let real = repo.canonicalize().unwrap();
    for (root_dir, context, dockerfile, context_dir, dockerfile_path) in cases {
        let plan = plan(&repo, root_dir, context, dockerfile, Some("last")).unwrap();
        let case = (root_dir, context, dockerfile);
        assert_eq!(
            plan.context_dir,
            real.join(context_dir).components().collect::<PathBuf>(),
            "{case:?}"
        );
        let expected = DockerfileSource::Checkout(real.join(dockerfile_path));
        assert_eq!(plan.dockerfile, expected, "{case:?}");
        assert_eq!(plan.target.as_deref(), Some("last"));
    }
}

#[test]
fn what_is_missing_or_outside_is_told_by_its_path_in_the_repository() {
    let directory = checkout();
    let repo = directory.path().join("repo");
    let cases = [
        (
            "",
            ".",
            "nope/Dockerfile",
            "There is no Dockerfile at `nope/Dockerfile`",
        ),
        (
            "apps/api",
            ".",
            "Dockerfile.prod",
            "There is no Dockerfile at `apps/api/Dockerfile.prod`",
        ),
        ("", ".", "apps", "There is no Dockerfile at `apps`"),
        ("", ".", "Dockerfile/x", "There is no Dockerfile at `Dockerfile/x`"),
        ("", "nope", "Dockerfile", "There is no directory `nope`"),
        ("nope", ".", "Dockerfile", "There is no directory `nope`"),
        ("", "Dockerfile", "Dockerfile", "There is no directory `Dockerfile`"),
        ("", "..", "Dockerfile", "The path `..` leads out of the repository"),
        (
            "apps",
            "../..",
            "Dockerfile",
            "The path `../..` leads out of the repository",
        ),
        ("..", ".", "repo/Dockerfile", "leads out of the repository"),
        (
            "",
            ".",
            "../outside/Dockerfile",
            "`../outside/Dockerfile` leads out of the repository",
        ),
        ("", "apps/out", "Dockerfile", "`apps/out` leads out of the repository"),
        (
            "",
            ".",
            "apps/out/Dockerfile",
            "`apps/out/Dockerfile` leads out of the repository",
        ),
        ("", ".", "Linked", "`Linked` leads out of the repository"),
    ];
    for (root_dir, context, dockerfile, expected) in cases {
        let error = plan(&repo, root_dir, context, dockerfile, None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(expected),
            "{:?}: {error}",
            (root_dir, context, dockerfile)
        );
    }
}

#[test]
fn the_plan_tells_the_ignore_file_and_the_needs() {
    let directory = checkout();
    let repo = directory.path().join("repo");
    let whole = plan(&repo, "", ".", "Dockerfile", None).unwrap();
    assert!(whole.ignore_path.unwrap().ends_with("repo/.dockerignore"));
    assert_eq!(whole.needs.syntax.as_deref(), Some("docker/dockerfile:1"));
    let part = plan(&repo, "", ".", "apps/api/Dockerfile", None).unwrap();
    assert!(part.ignore_path.unwrap().ends_with("apps/api/Dockerfile.dockerignore"));
    assert!(part.needs.has_heredoc);
    assert_eq!(plan(&repo, "", "shared", "Dockerfile", None).unwrap().ignore_path, None);
}

#[test]
fn a_generated_build_has_the_root_directory_for_its_context() {
    let directory = checkout();
    let repo = directory.path().join("repo");
    let detected = Detected {
        summary: "Static site".to_owned(),
        reasons: Vec::new(),
        dockerfile: "FROM x\nARG TOKEN\n".to_owned(),
        files: vec![GeneratedFile {
            path: ".dhow/nginx.conf".to_owned(),
            text: "events {}".to_owned(),
        }],
    };
    let whole = plan_generated(&repo, "", &detected).unwrap();
    assert_eq!(
        whole.dockerfile,
        DockerfileSource::Generated(detected.dockerfile.clone())
    );
    assert_eq!((&whole.files, whole.declared.len()), (&detected.files, 1));
    assert!(whole.ignore_path.unwrap().ends_with("repo/.dockerignore"));
    let part = plan_generated(&repo, "/apps/link/", &detected).unwrap();
    assert_eq!(part.context_dir, source_dir(&repo, "apps/api").unwrap());
    assert_eq!(part.ignore_path, None, "the one of another Dockerfile is not its own");
    for (root_dir, expected) in [
        ("nope", "There is no directory `nope`"),
        ("apps/out", "`apps/out` leads out of the repository"),
        ("..", "leads out of the repository"),
    ] {
        for error in [
            plan_generated(&repo, root_dir, &detected).unwrap_err(),
            source_dir(&repo, root_dir).unwrap_err(),
        ] {
            assert!(error.to_string().contains(expected), "{root_dir}: {error}");
        }
    }
}
