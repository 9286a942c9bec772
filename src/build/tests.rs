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
        let path = DockerfileSource::File(real.join(dockerfile_path));
        assert_eq!(plan.dockerfile, path, "{case:?}");
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
