use std::collections::BTreeSet;
use std::fs;

use super::*;

fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let tree = Tree::open(root.path()).unwrap();
    (root, tree)
}

fn wishes(publish_dir: Option<&str>) -> Wishes {
    Wishes {
        publish_dir: publish_dir.map(str::to_owned),
        ..Wishes::default()
    }
}

/// The last stage for a site that a stage `build` left in a directory.
fn built(path: &str, files: &[(&str, &str)], is_single_page: bool) -> Result<(String, Served), Undetected> {
    let (_root, tree) = tree(files);
    let mut dockerfile = Dockerfile::new(&Wishes::default());
    dockerfile.from("node:24-slim", Some("build"));
    let content = Content::Stage {
        stage: "build",
        path: path.to_owned(),
    };
    let served = serve(&mut dockerfile, &content, is_single_page, &tree)?;
    Ok((dockerfile.finish(), served))
}

#[test]
fn a_built_site_is_copied_from_its_stage() {
    let (dockerfile, served) = built("/app/dist", &[], true).unwrap();
    let (stages, command) = dockerfile.split_once("CMD ").unwrap();
    assert_eq!(
        stages,
        "FROM node:24-slim AS build\n\n\
         FROM nginx:1.28-alpine\n\
         COPY .dhow/nginx.conf /etc/nginx/nginx.conf\n\
         COPY --from=build /app/dist/ /srv/site/\n\
         ENV PORT=3000\n\
         # nginx\n\
         USER 101\n"
    );
    let command: Vec<String> = serde_json::from_str(command).unwrap();
    assert_eq!(command, ["/bin/sh", "-c", START]);
    assert_eq!(served.file.path, ".dhow/nginx.conf");
    assert!(served.file.text.contains("listen ${PORT} default_server;"));
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("single-page", served.file.text));
    assert!(served.reasons.is_empty());
    let (dockerfile, served) = built("/app/my site", &[], false).unwrap();
    assert!(dockerfile.contains("COPY --from=build [\"/app/my site/\", \"/srv/site/\"]\n"));
    assert!(!served.file.text.contains("/index.html break;"));
}

#[test]
fn a_built_site_takes_the_redirects_that_its_build_copies() {
    for (files, expected) in [
        (
            &[("public/_redirects", "/a /b"), ("_redirects", "/c /d")][..],
            "public/_redirects",
        ),
        (&[("static/_redirects", "/a /b")][..], "static/_redirects"),
        (&[("_redirects", "/a /b")][..], "_redirects"),
    ] {
        let (_, served) = built("/app/dist", files, false).unwrap();
        assert_eq!(
            served.reasons,
            [Reason::new(expected, "holds a rule that the server follows")]
        );
        assert!(
            served.file.text.contains("# _redirects line 1\n"),
            "{}",
            served.file.text
        );
    }
    let error = built("/app/dist", &[("static/_redirects", "/a")], false).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`static/_redirects` line 1: `/a` leads nowhere"),
        "{error}"
    );
}

#[test]
fn the_directory_to_publish_must_be_one_that_a_dockerfile_takes_to_the_letter() {
    let (_root, tree) = tree(&[("my site/index.html", ""), ("b/x", "")]);
    for directory in ["my site", "/my site/", "./my site"] {
        let detected = publish(&tree, &wishes(Some(directory))).unwrap();
        assert!(
            detected.dockerfile.contains("COPY [\"my site/\", \"/srv/site/\"]\n"),
            "{directory}"
        );
    }
    for directory in [
        "../x",
        "a/../../x",
        "$HOME",
        "a*",
        "a\nRUN x",
        "a\"b",
        "--from=x",
        "a\\b",
        "[a]",
    ] {
        for error in [
            publish(&tree, &wishes(Some(directory))).unwrap_err(),
            plain(&tree, &wishes(Some(directory))).unwrap_err(),
            built(directory, &[], false).unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(
                error.starts_with("the folder to publish cannot be"),
                "{directory:?}: {error}"
            );
        }
    }
}

#[test]
fn what_cannot_be_published_is_told_with_what_there_is() {
    let many: Vec<String> = (0..12).map(|number| format!("d{number:02}/x")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), "")).collect();
    for (files, publish_dir, expected) in [
        (
            &[("docs/a.md", ""), ("src/b", ""), (".git/c", "")][..],
            Some("dist"),
            "there is no directory `dist` to publish. Set the publish folder to one of those that the source has: \
             `docs`, `src`",
        ),
        (
            &[("a.txt", "")][..],
            Some("dist"),
            "The source has no directories at all",
        ),
        (
            &[("docs/a.md", "")][..],
            None,
            "no index.html was found, neither at the root nor in public, site",
        ),
        (&many[..], None, "`d06`, `d07` and 4 more"),
    ] {
        let (_root, tree) = tree(files);
        let error = publish(&tree, &wishes(publish_dir)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let (_root, tree) = tree(&[("index.html", "")]);
    let mut wishes = wishes(None);
    wishes.build_command = Some("make".to_owned());
    let error = publish(&tree, &wishes).unwrap_err().to_string();
    assert!(error.contains("the build command has nothing to run it"), "{error}");
}

#[test]
fn without_a_page_it_is_no_plain_site() {
    let (_root, tree) = tree(&[("README.md", ""), ("assets/index.html", "")]);
    assert_eq!(plain(&tree, &wishes(None)), Ok(None));
}

#[test]
fn no_extension_has_two_types() {
    let all: Vec<&str> = types::TYPES
        .iter()
        .flat_map(|(_, extensions, _)| *extensions)
        .copied()
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}
