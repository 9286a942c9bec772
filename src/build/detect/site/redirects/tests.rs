use proptest::prelude::{ProptestConfig, prop, proptest};
use regex::bytes::Regex;

use super::*;

fn written(text: &str) -> String {
    let redirects = Redirects::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let all = [Place::Server, Place::Location].map(|place| redirects.directives(place));
    let lines: Vec<&str> = all
        .iter()
        .flat_map(|text| text.lines())
        .map(str::trim)
        .filter(|line| !line.starts_with('#') && *line != "}")
        .collect();
    lines.join(" ")
}

#[test]
fn rules_become_the_servers_directives() {
    for (rule, expected) in [
        (
            "/old /new",
            r#"if ($request_uri ~ "^/old/*(?:[?]|$)") { return 301 "/new$is_args$args";"#,
        ),
        (
            "\t/old/  /new.html\t302 # moved",
            r#"if ($request_uri ~ "^/old/*(?:[?]|$)") { return 302 "/new.html$is_args$args";"#,
        ),
        (
            "/ /en/?from=root#top 307",
            r#"if ($request_uri ~ "^/*(?:[?]|$)") { return 307 "/en/?from=root#top";"#,
        ),
        (
            "/blog/* https://blog.example:8443/:splat#a 308",
            r#"if ($request_uri ~ "^/blog(?:/+([^?\x00-\x20\x5c\x7f]*))?(?:[?]|$)") { return 308 "https://blog.example:8443/$1$is_args$args#a";"#,
        ),
        (
            "/news/:year/:slug/* /:slug-:year/:splat 301!",
            r#"if ($request_uri ~ "^/news/([^/?\x00-\x20\x5c\x7f]+)/([^/?\x00-\x20\x5c\x7f]+)(?:/+([^?\x00-\x20\x5c\x7f]*))?(?:[?]|$)") { return 301 "/$2-$1/$3$is_args$args";"#,
        ),
        (
            "/* /app.html 200",
            r#"rewrite "^/([^\x00-\x1f\x7f]*)$" "/app.html" break;"#,
        ),
        (
            "/user/:id/ /user%20page.html 200!",
            r#"rewrite "^/user/([^/\x00-\x1f\x7f]+)/?$" "/user page.html" break;"#,
        ),
        (
            "/en/* /en/404.html 404",
            r#"if ($uri ~ "^/en(?:/([^\x00-\x1f\x7f]*))?$") { error_page 404 "/en/404.html"; return 404;"#,
        ),
        ("/draft /404.html 404!", r#"if ($uri ~ "^/draft/?$") { return 404;"#),
        (
            "/caf%C3%A9/a.b /caf\u{e9}/$x;{y}\"\\",
            r#"if ($request_uri ~ "^/caf(?:\xc3|%[Cc]3)(?:\xa9|%[Aa]9)/a[.]b/*(?:[?]|$)") { return 301 "/caf%C3%A9/%24x;%7By%7D%22%5C$is_args$args";"#,
        ),
        (
            "/wiki https://w.example/Help:Contents?t=12:30",
            r#"if ($request_uri ~ "^/wiki/*(?:[?]|$)") { return 301 "https://w.example/Help:Contents?t=12:30";"#,
        ),
        (
            "/* /index.html 200",
            &format!("rewrite \"{}\" \"/index.html\" break;", types::no_file_pattern()),
        ),
        ("", ""),
        ("# all\n\n   # of it\n", ""),
    ] {
        assert_eq!(written(rule), expected, "{rule}");
    }
}

#[test]
fn rules_keep_their_order_and_their_place() {
    let redirects = Redirects::parse("/a /b\n\n/c /d 302!\n/e /f 200").unwrap();
    assert_eq!(redirects.len(), 3);
    let lines = |place| {
        let text = redirects.directives(place);
        let numbers = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("# _redirects line "));
        numbers.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(Place::Server), ["3"]);
    assert_eq!(lines(Place::Location), ["1", "4"]);
}

#[test]
fn what_would_not_work_is_refused_in_words_with_its_line() {
    for (rule, expected) in [
        ("/old", "`/old` leads nowhere"),
        ("old /new", "`old` must begin with `/`"),
        ("https://a.example/* /x", "begins with a host"),
        ("/a?b=1 /x", "asks for a query"),
        ("/a id=:id /x/:id 301", "ask for a query (`id=:id`)"),
        ("/ /de 302 Country=de", "a condition (`Country=de`)"),
        ("/a /b 303", "`303` is no status"),
        ("/a /b 200x", "`200x` is no status"),
        ("/a /b 301!!", "`301!!` is no status"),
        ("/api/* https://api.example/:splat 200", "passes nothing on"),
        ("/api/* //api.example/:splat 200", "passes nothing on"),
        ("/a //evil.example", "a single `/`"),
        ("/a mailto:x", "a single `/`"),
        ("/a https://", "names no host that is fixed"),
        ("/a https://:8080/", "names no host that is fixed"),
        ("/a https://a.example:99999/", "names no host that is fixed"),
        ("/:host https://:host/", "names no host that is fixed"),
        ("/* https://a.example:splat", "names no host that is fixed"),
        ("/a https://user@evil.example/", "names no host that is fixed"),
        ("/a https://h\u{f6}st.example/", "names no host that is fixed"),
        ("/go/:b/* /:splat/:b", "would be read as a host"),
        ("/a*/b /c", "the star"),
        ("/*/b /c", "the star"),
        ("/a* /c", "the star"),
        ("/:a-b /c", "`:a-b` is no placeholder"),
        ("/: /c", "`:` is no placeholder"),
        ("/:splat /c", "the first one has `*`"),
        ("/:a/:a /c", "two placeholders of the same name"),
        ("/:a/:b/:c/:d/:e/:f/:g/:h/:i/* /c", "at most 9 placeholders"),
        ("/a /:b", "what `:b` stands for"),
        ("/a /:splat", "what `:splat` stands for"),
        ("/a%zz /b", "a percent sign"),
        ("/a /b%4", "a percent sign"),
        ("/a /b%4 200", "a percent sign"),
        ("/a%00 /b", "a control character"),
        ("/a%0Ab /b", "a control character"),
        ("/a /.env 200", "is hidden"),
        ("/a /b/%2E./c 200", "is hidden"),
        ("/a /%2egit/config 404", "is hidden"),
        ("/a /b%24c 200", "holds `$`"),
        ("/a /b?c 200", "holds `?`"),
        ("/a /b%22 200", "holds `\\\"`"),
        ("/a /b%0a 200", "holds `\\n`"),
        ("/a /b%ff 200", "is not UTF-8"),
        ("/:a /:a/404.html 404", "cannot depend on the address"),
        ("/a /gone.html 404!", "`404!`"),
    ] {
        let error = Redirects::parse(&format!("# first\n/fine /too\n{rule}")).unwrap_err();
        assert!(
            error.starts_with("line 3: ") && error.contains(expected),
            "{rule}: {error}"
        );
    }
    let long = format!("/{} /b", "\u{e9}".repeat(200));
    assert!(Redirects::parse(&long).unwrap_err().contains("too long"));
    let many = "/a /b\n".repeat(MAX_RULES + 1);
    assert!(Redirects::parse(&many).unwrap_err().contains("more than 1000 rules"));
}

/// The pattern of a rule and the text of its first placeholder, if it matches.
fn first_capture(rule: &str, asked: &[u8]) -> Option<Vec<u8>> {
    let line = written(rule);
    let pattern = line.split('"').nth(1).unwrap();
    let found = Regex::new(&format!("(?-u){pattern}")).unwrap();
    let found = found.captures(asked)?;
    Some(found.get(1).map(|text| text.as_bytes().to_vec()).unwrap_or_default())
}

#[test]
fn patterns_match_what_they_name_and_nothing_else() {
    for (rule, asked, expected) in [
        ("/old /x", "/old", Some("")),
        ("/old /x", "/old/", Some("")),
        ("/old /x", "/old?a=/b", Some("")),
        ("/old /x", "/older", None),
        ("/old /x", "/old/er", None),
        ("/old /x", "/very/old", None),
        ("/a.b /x", "/aXb", None),
        ("/a+b /x", "/a+b", Some("")),
        ("/a+b /x", "/a%2bb", Some("")),
        ("/a+b /x", "/aab", None),
        ("/a%20b /x", "/a%20b", Some("")),
        ("/caf\u{e9} /x", "/caf%C3%a9", Some("")),
        ("/caf\u{e9} /x", "/caf\u{e9}", Some("")),
        ("/go/* /x/:splat", "/go", Some("")),
        ("/go/* /x/:splat", "/go/", Some("")),
        ("/go/* /x/:splat", "/go/a/b?c", Some("a/b")),
        ("/go/* /x/:splat", "/gone", None),
        // No visitor chooses the host to be led to.
        ("/go/* /:splat", "/go//evil.example/x", Some("evil.example/x")),
        ("/go/* /:splat", "/go/\\evil.example", None),
        ("/go/* /:splat", "/go/%5cevil.example", Some("%5cevil.example")),
        ("/go/* /:splat", "/go/a\rb", None),
        ("/:a/x /:a", "/\\evil.example/x", None),
        ("/:a/x /:a", "//evil.example/x", None),
        ("/:a/x /:a", "/a%0d%0ab/x", Some("a%0d%0ab")),
        ("/app/* /:splat 200", "/app/a b", Some("a b")),
        ("/app/* /:splat 200", "/app/a\nb", None),
    ] {
        let found = first_capture(rule, asked.as_bytes());
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{rule} on {asked:?}");
    }
}

/// All that a directive may look like, whatever the file says.
fn is_harmless(line: &str) -> bool {
    let pattern = r#""\^(?:[-A-Za-z0-9_~/*+?!$^|()\[\].:%]|\\x[0-9a-f]{2})*""#;
    let address = r#""(?:https?://[-A-Za-z0-9.:]+)?(?:[-A-Za-z0-9_~!*'(),;:@&=+./?#%]|\$[1-9]|\$is_args\$args)*""#;
    let file = r#""/(?:[-A-Za-z0-9_~!*'(),;:@&=+./ ]|\$[1-9]|[^\x00-\x7f])*""#;
    let shapes = [
        "# _redirects line [0-9]+".to_owned(),
        format!(r"if \(\$request_uri ~ {pattern}\) \{{"),
        format!(r"if \(\$uri ~ {pattern}\) \{{"),
        format!(r"return 30[1278] {address};"),
        "return 404;".to_owned(),
        format!("error_page 404 {file};"),
        format!("rewrite {pattern} {file} break;"),
        r"\}".to_owned(),
    ];
    let shape = Regex::new(&format!("(?-u)^(?:{})$", shapes.join("|"))).unwrap();
    shape.is_match(line.trim_start_matches(' ').as_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_text_gets_a_directive_of_its_own_into_the_configuration(
        lines in prop::collection::vec(
            (
                "/?[a-c:*/%.é;{}$\"'\\\\#?&=\u{0}-\u{1f}20-9-]{0,12}",
                "(/|https?://)?[a-c:*/%.é;{}$\"'\\\\#?&=\u{0}-\u{1f}20-9-]{0,16}|/:a|/:splat",
                "(200|301|302|307|308|404)!?|",
            ),
            1..4,
        ),
    ) {
        for (from, to, status) in lines {
            let Ok(redirects) = Redirects::parse(&format!("{from} {to} {status}")) else {
                continue;
            };
            for place in [Place::Server, Place::Location] {
                for line in redirects.directives(place).split('\n').filter(|line| !line.is_empty()) {
                    assert!(is_harmless(line), "{line:?} from {from:?} {to:?}");
                }
            }
        }
    }

    #[test]
    fn a_path_of_any_letters_is_found_again(path in "[^\\s\\x00-\\x1f\\x7f/*:%?#]{1,20}") {
        let asked = format!("/{path}");
        let rule = format!("{asked} /x");
        assert!(first_capture(&rule, asked.as_bytes()).is_some(), "{rule}");
        assert!(first_capture(&format!("{rule} 200"), asked.as_bytes()).is_some(), "{rule}");
    }
}
