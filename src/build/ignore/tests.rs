use super::*;

/// Whether the rules ignore a path, seen as the walk sees it: from the root down.
fn ignores(rules: &IgnoreRules, path: &str) -> bool {
    let ends = path.match_indices('/').map(|(index, _)| index).chain([path.len()]);
    ends.fold((false, rules.root()), |(_, matches), end| {
        rules.check(&path[..end], &matches)
    })
    .0
}

/// Expectations as of moby's own tests of its `patternmatcher`.
#[test]
fn single_patterns_match_as_in_docker() {
    let cases = [
        ("**", "dir/file", true),
        ("**/", "file", true),
        ("**/**", "dir/file", true),
        ("dir/**", "dir/dir2/file", true),
        ("abc/**", "abc", false),
        ("**/dir", "dir/file", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**file", "dir/myfile", true),
        ("**.pyc", "a/b.pyc", true),
        ("**/file", "dir/myfile", false),
        ("**/file*.txt*", "dir/dir/file.txt", true),
        ("**/**/*.txt2", "dir/dir/file.txt", false),
        ("**/*.txt", "file.txt", true),
        ("a**/*.txt", "a/dir/dir/file.txt", true),
        ("a/*.txt", "a/dir/file.txt", false),
        ("a/*.txt**", "a/file.txt", true),
        ("a*/b", "a/c/b", false),
        ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a[b-d]e", "ace", true),
        ("a[b-d]e", "aae", false),
        ("a[^b-d]e", "aze", true),
        ("[\\]a]", "]", true),
        ("[x\\-]", "-", true),
        ("[x\\-]", "z", false),
        ("a???b", "a☺b", false),
        ("a?b", "a☺b", true),
        ("a?b", "a/b", false),
        (".*", ".foo", true),
        (".*", "foo", false),
        ("abc.def", "abcZdef", false),
        ("a\\*b", "a*b", true),
        ("a\\*b", "ab", false),
        ("a{b,c}", "ab", false),
        ("a{b,c}", "a{b,c}", true),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        ("/rooted", "rooted", true),
        ("rooted", "sub/rooted", false),
        ("./a/../b/", "b/c", true),
        ("../outside", "outside", false),
        (".", "a", false),
        ("/", "a", false),
        ("./", "a/b", false),
        ("dir/", "dir", true),
        ("dir/", "dir/file", true),
        ("/dir/", "dir/file", true),
        ("/dir/", "sub/dir/file", false),
        ("dir//file", "dir/file", true),
        ("./dir", "dir", true),
        ("**/dir/", "a/b/dir/file", true),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "ab", false),
        ("a/**/b", "x/a/b", false),
        ("*/temp*", "a/temporary.txt", true),
        ("*/temp*", "temporary.txt", false),
        ("*/*/temp*", "a/b/temp", true),
        ("temp?", "tempa", true),
        ("temp?", "temp", false),
        ("*", ".hidden", true),
        ("*.md", "docs/a.md", false),
        ("[!a]", "!", true),
        ("[!a]", "b", false),
        ("dir", "directory", false),
        ("Dir", "dir", false),
    ];
    for (pattern, path, expected) in cases {
        let rules = IgnoreRules::parse(pattern).unwrap();
        assert_eq!(ignores(&rules, path), expected, "{pattern} on {path}");
    }
}

#[test]
fn the_last_match_decides() {
    let cases = [
        ("docs\n!docs/README.md", "docs/README.md", false),
        ("!docs/README.md\ndocs", "docs/README.md", true),
        ("docs/*\n!docs/README.md", "docs/a.md", true),
        ("**\n!util/docker/web", "util/docker/web/foo", false),
        ("**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", true),
        ("*\n!src\nsrc/*.log", "src/a.log", true),
        ("*\n!src\nsrc/*.log", "src/a.rs", false),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
        ("*.md\n!README*.md\nREADME-secret.md", "README.md", false),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false),
        ("dir\n!dir/", "dir/file", false),
        ("dir\n!/dir/file", "dir/file", false),
        ("dir\n!./dir//file", "dir/file", false),
        ("**/*.log\n!**/keep.log", "a/b/keep.log", false),
        ("**/*.log\n!**/keep.log", "a/b/other.log", true),
        ("**\n!**/*.go", "cmd/main.go", false),
        ("**\n!**/*.go", "cmd/main.c", true),
        ("dir/**\n!dir/a/**\ndir/a/b", "dir/a/b/c", true),
        ("dir/**\n!dir/a/**\ndir/a/b", "dir/a/c", false),
        ("!dir\ndir", "dir", true),
        ("*\n!.", "a", true),
    ];
    for (text, path, expected) in cases {
        assert_eq!(
            ignores(&IgnoreRules::parse(text).unwrap(), path),
            expected,
            "{text:?} on {path}"
        );
    }
}

#[test]
fn lines_are_read_as_docker_reads_them() {
    let text = "\u{feff}first\r\n# comment\n\n  spaced name  \n   \n#not\n ! bang/back \n #kept\n";
    let rules = IgnoreRules::parse(text).unwrap();
    for (path, expected) in [
        ("first", true),
        ("spaced name", true),
        ("# comment", false),
        ("not", false),
        ("#kept", true),
    ] {
        assert_eq!(ignores(&rules, path), expected, "{path}");
    }
    assert!(rules.may_bring_back_below("bang"));
}

#[test]
fn malformed_patterns_are_told_with_their_line() {
    for pattern in [
        "[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[a-b-c]", "[z-a]", "\\", "!", "! ",
    ] {
        let error = IgnoreRules::parse(&format!("fine\n{pattern}")).unwrap_err();
        assert!(error.starts_with("line 2: "), "{pattern}: {error}");
    }
}

#[test]
fn a_directory_is_walked_only_if_something_may_come_back() {
    let cases = [
        ("!node_modules/keep", "node_modules", true),
        ("!node_modules/keep", "node_modules/keep", true),
        ("!node_modules/keep", "node_modules/drop", false),
        ("!node_modules/keep", "node", false),
        ("!**/keep", "node_modules/deep", true),
        ("!src/*.rs", "src", true),
        ("!src/*.rs", "source", false),
        ("!a/*/c", "a/b", true),
        ("keep", "node_modules", false),
    ];
    for (pattern, directory, expected) in cases {
        let rules = IgnoreRules::parse(&format!("*\n{pattern}")).unwrap();
        assert_eq!(
            rules.may_bring_back_below(directory),
            expected,
            "{pattern} below {directory}"
        );
    }
}

#[test]
fn generated_builds_leave_out_what_no_build_reads_from_a_repository() {
    let rules = IgnoreRules::of_generated_builds();
    for path in [
        ".git/config",
        "vendor/lib/.git",
        "node_modules/a/index.js",
        "apps/web/node_modules/a",
        "app/__pycache__/a.cpython-312.pyc",
        "a.pyc",
        ".venv/bin/python",
        ".env.local",
        "apps/web/.env.production.local",
        "target/release/app",
        "service/target/classes/A.class",
    ] {
        assert!(ignores(&rules, path), "{path}");
    }
    for path in [
        "src/main.rs",
        "dist/index.html",
        "build/index.html",
        ".env",
        ".env.production",
        ".env.example",
        ".gitignore",
        "target/index.html",
        "src/target/mod.rs",
        "bin/start",
        "vendor/autoload.php",
        ".well-known/security.txt",
        ".dhow/nginx.conf",
    ] {
        assert!(!ignores(&rules, path), "{path}");
    }
}

#[test]
fn more_rules_than_anybody_writes_are_refused() {
    let rules = |count| IgnoreRules::parse(&"**/*a*?b*c[a-z]*\n".repeat(count));
    assert!(rules(1_000).is_ok());
    assert_eq!(rules(1_001).unwrap_err(), "has more than 1000 rules");
}
