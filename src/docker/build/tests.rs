use super::*;

#[test]
fn exit_codes_are_read_from_the_words_of_all_engines() {
    let cases = [
        ("executor failed running [/bin/sh -c exit 3]: exit code: 3", Some(3)),
        (
            "failed to solve: process \"/bin/sh -c echo exit code: 9; exit 137\" did not complete successfully: exit code: 137: \
          out of memory",
            Some(137),
        ),
        ("failed to compute cache key: \"/nope\" not found: not found", None),
        ("exit code: ", None),
    ];
    for (message, expected) in cases {
        assert_eq!(exit_code(message), expected, "{message}");
    }
}

#[test]
fn the_path_of_a_frontend_image_is_what_failed_fetches_have_in_common() {
    let cases = [
        ("docker/dockerfile:1", "docker/dockerfile"),
        ("docker.io/docker/dockerfile:1.7-labs", "docker/dockerfile"),
        ("localhost:5000/my/frontend@sha256:ab", "my/frontend"),
        ("localhost/frontend", "frontend"),
        ("frontend", "frontend"),
    ];
    for (image, expected) in cases {
        assert_eq!(repository_path(image), expected, "{image}");
    }
}

/// What 20.10.24 and, from their sources, newer engines answer.
#[test]
fn only_too_new_syntax_is_called_so() {
    let heredoc = FrontendNeeds {
        syntax: None,
        has_heredoc: true,
    };
    let syntax = FrontendNeeds {
        syntax: Some("docker/dockerfile:1".to_owned()),
        has_heredoc: true,
    };
    let plain = FrontendNeeds::default();
    let unknown = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line \
                   3: unknown instruction: ECHO";
    let no_fetch = "failed to solve with frontend dockerfile.v0: failed to solve with frontend gateway.v0: failed to do \
                    request: Head \"https://registry-1.docker.io/v2/docker/dockerfile/manifests/1\": dial tcp: no such host";
    let flag = "dockerfile parse error line 2: Unknown flag: link";
    let failed = "failed to solve with frontend gateway.v0: executor failed running [docker/dockerfile]: exit code: 1";
    let cases = [
        (&heredoc, "20.10.24+dfsg1", unknown, Some("a heredoc")),
        (&heredoc, "24.0.7", unknown, None),
        (&plain, "20.10.24", unknown, None),
        (&syntax, "20.10.24", no_fetch, Some("`# syntax=docker/dockerfile:1`")),
        (&syntax, "29.0.0", no_fetch, Some("`# syntax=docker/dockerfile:1`")),
        (
            &syntax,
            "29.0.0",
            "docker/dockerfile:1 dockerfile parse error line 3: unknown instruction: RUM",
            None,
        ),
        (&syntax, "20.10.24", failed, None),
        (&plain, "20.10.24", flag, Some("the flag `--link`")),
        (
            &plain,
            "20.10.24",
            "dockerfile parse error line 2: Unknown flag: lnik",
            None,
        ),
    ];
    for (needs, version, message, expected) in cases {
        let sentence = frontend_too_old(needs, version, message);
        assert_eq!(
            sentence.is_some(),
            expected.is_some(),
            "{version}: {message}: {sentence:?}"
        );
        let (sentence, expected) = (sentence.unwrap_or_default(), expected.unwrap_or_default());
        assert!(sentence.contains(expected), "{sentence}");
    }
}

#[test]
fn arguments_are_bounded_as_they_are_sent() {
    let check = |value: String| check_arguments(&[("A".to_owned(), value)]);
    assert!(check("x".repeat(59_900)).is_ok());
    assert!(check("\n".repeat(14_000)).is_ok());
    for value in ["x".repeat(60_000), "é".repeat(10_000), "\n".repeat(15_000)] {
        let refused = check(value).unwrap_err();
        let BuildError::ArgumentsTooLong { bytes } = &refused else {
            panic!("{refused}")
        };
        assert!(*bytes > 60_000, "{bytes}");
        assert!(
            refused
                .to_string()
                .contains("60000 is the most: make the longest a secret"),
            "{refused}"
        );
    }
}

#[test]
fn a_required_secret_that_no_variable_can_be_is_told_by_its_id() {
    let begin = "failed to solve with frontend dockerfile.v0: ";
    for (message, expected) in [
        ("secret npm-token: not found", Some("npm-token")),
        ("secret npm-token not found: not found", Some("npm-token")),
        ("failed to build LLB: secret .npmrc: not found", Some(".npmrc")),
        ("secret TOKEN: not found", None),
        ("failed to compute cache key: \"/secret a\": not found", None),
        ("failed to compute cache key: \"/nope\" not found: not found", None),
    ] {
        assert_eq!(unnameable_secret(&format!("{begin}{message}")), expected, "{message}");
    }
}
