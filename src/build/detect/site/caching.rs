//! Which files browsers may keep for ever: those whose name changes with what they hold.
//!
//! Most bundlers write eight characters before the extension, and many ordinary names end in eight characters, too
//! (`-homepage`, `-SemiBold`, `-20240131`): what may be such a name is asked for again, since a file that is wrongly
//! kept stays wrong for a year.

/// Stands for the end of a name in [`RULES`].
const ENDING: &str = "ENDING";
const ENDING_MEANS: &str = "(?:[.](?:chunk|min|module))?[.][a-z0-9]+(?:[.]map)?$";

/// The first expression that matches a path decides; none means no.
const RULES: [(&str, bool); 12] = [
    ("[.]html?$", false),
    // Nuxt's word on which build is the newest
    ("^/_nuxt/builds/", false),
    // Next.js, Astro, SvelteKit, Nuxt: all that they put there
    ("^/(?:_next/static|_astro|_app/immutable|_nuxt)/", true),
    // webpack, Hugo, Gatsby, Docusaurus: long hexadecimal numbers
    (
        "[-._/](?:[0-9a-f]{16}|[0-9a-f]{20}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})ENDING",
        true,
    ),
    // Dates
    ("[-.][0-9]{8}ENDING", false),
    // webpack, Parcel: short ones
    ("[-.][0-9a-f]{8}ENDING", true),
    // Words, also with a number behind them
    ("[-.][a-z]?[A-Z]?[a-z_-]{2,}(?:[A-Z][a-z]{2,})*[0-9]*ENDING", false),
    // Vite, in its own directory
    ("^/assets/(?:chunks/)?[^/]*[-.][A-Za-z0-9_-]{8}[.](?:js|mjs|css)$", true),
    // esbuild, Angular
    ("[-.][A-Z2-7]{8}[.](?:js|mjs|css)$", true),
    // Words in other letters, and what cameras write: -PORTRAIT, -DSC01234, -IMG_1234
    ("[-.][A-Za-z_-]+[0-9_-]*ENDING", false),
    ("[-.][a-z0-9_-]{8}ENDING", false),
    // Vite, Rollup, esbuild, Angular: capital letters and digits, mixed
    ("[-.][A-Za-z0-9_-]{8}ENDING", true),
];

/// The expressions, which hold for the server's regular expressions and for Rust's alike.
pub(super) fn rules() -> impl Iterator<Item = (String, bool)> {
    let whole = |(rule, is_kept): &(&str, bool)| (rule.replace(ENDING, ENDING_MEANS), *is_kept);
    RULES.iter().map(whole)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn is_kept(path: &str) -> bool {
        let mut rules = rules().map(|(rule, is_kept)| (Regex::new(&rule).unwrap(), is_kept));
        rules
            .find(|(rule, _)| rule.is_match(path))
            .is_some_and(|(_, kept)| kept)
    }

    #[test]
    fn names_that_change_with_their_content_are_kept() {
        for path in [
            "/assets/index-BkZf3d_x.js",
            "/assets/index-BkZfKdQx.css",
            "/assets/app.C7s0-Zq1.js",
            "/assets/chunks/theme.DX_8bQeZ.js",
            "/assets/logo-D3bTk9aZ.svg",
            "/assets/Inter-SemiBold-B3xKq9aT.woff2",
            "/static/js/main.8f2c1d0a.js",
            "/static/js/787.1a2b3c4d.chunk.js",
            "/static/js/main.8f2c1d0a.js.map",
            "/js/chunk-vendors.1f0e9d8c.js",
            "/main.0123456789abcdef.js",
            "/main-ABCD2345.js",
            "/chunk-QWERTYUI.js",
            "/styles-5INURTSO.css",
            "/css/style.min.1c5ee6f4a5f4e2c3d4b5a6978877665544332211ffeeddccbbaa998877665544.css",
            "/component---src-pages-index-tsx-0a1b2c3d4e5f60718293.js",
            "/assets/images/map-0a1b2c3d4e5f60718293a4b5c6d7e8f9.png",
            "/_next/static/chunks/main-app.js",
            "/_next/static/css/page.css",
            "/_astro/index.BXz8fAaB.css",
            "/_app/immutable/entry/start.js",
            "/_nuxt/DlAUqK2U.js",
            "/workbox-1a2b3c4d.js",
        ] {
            assert!(is_kept(path), "{path}");
        }
    }

    #[test]
    fn ordinary_names_are_asked_for_again() {
        for path in [
            "/",
            "/index.html",
            "/assets/index-BkZf3d_x.html",
            "/app.js",
            "/style.css",
            "/sw.js",
            "/robots.txt",
            "/manifest.webmanifest",
            "/assets/index.js",
            "/assets/my-homepage.css",
            "/assets/app-settings.js",
            "/img/hero-portrait.jpg",
            "/img/hero-PORTRAIT.jpg",
            "/img/logo-original.png",
            "/img/photo-20240131.jpg",
            "/img/photo-IMG_1234.jpg",
            "/img/photo-DSC01234.jpg",
            "/fonts/Inter-SemiBold.woff2",
            "/assets/fonts/Inter-SemiBold.woff2",
            "/js/lib-version1.js",
            "/js/lib-jQuery10.js",
            "/js/lib-jQueryUI.js",
            "/js/jquery-3.7.1.min.js",
            "/js/bootstrap.bundle.min.js",
            "/js/my-v2-1a2z.js",
            "/_nuxt/builds/latest.json",
            "/_next/data.json",
            "/report-2024.pdf",
            "/static/0a1b2c3d4e5f60718293a4b5c6d7e8f9/photo.jpg",
            "/BkZf3d_x.js",
            "/assets/BkZf3d_x",
        ] {
            assert!(!is_kept(path), "{path}");
        }
    }
}
