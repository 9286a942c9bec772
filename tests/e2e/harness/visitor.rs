//! Who looks at the pages: with or without JavaScript, in the dark, on a narrow screen; and what pages owe to everybody.

use std::path::Path;

use serde_json::{Value, json};

/// How a visitor's browser is set up.
#[derive(Clone, Copy)]
pub struct Visitor {
    pub javascript: bool,
    pub dark: bool,
    pub width: u32,
}

impl Default for Visitor {
    fn default() -> Self {
        Self {
            javascript: true,
            dark: false,
            width: 1200,
        }
    }
}

/// What chromedriver is told.
pub fn capabilities(visitor: Visitor, profile: &Path) -> serde_json::Map<String, Value> {
    let mut arguments: Vec<String> =
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
         --disable-component-update --disable-sync --disable-dev-shm-usage"
            .split_whitespace()
            .map(str::to_owned)
            .collect();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    arguments.push(format!("--window-size={},900", visitor.width));
    // A request to any other host cannot be answered, and its failure is a complaint in the console.
    arguments.push("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.localhost".to_owned());
    if visitor.dark {
        arguments.push("--force-dark-mode".to_owned());
    }
    let javascript = if visitor.javascript { 1 } else { 2 };
    let capabilities = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "args": arguments,
            "prefs": { "profile.managed_default_content_settings.javascript": javascript },
        },
    });
    capabilities.as_object().unwrap().clone()
}

/// Names every fault of a page that a machine can see.
pub const FAULTS: &str = r#"
const faults = [];
if (!document.title.trim()) faults.push('no title');
if (document.querySelectorAll('main').length !== 1) faults.push('not exactly one <main>');
if (document.querySelectorAll('h1').length !== 1) faults.push('not exactly one <h1>');
for (const field of document.querySelectorAll('input:not([type=hidden]):not([type=submit]), select, textarea'))
    if (!field.labels.length && !field.getAttribute('aria-label')) faults.push('no label: ' + field.name);
for (const control of document.querySelectorAll('button, a[href]'))
    if (!control.textContent.trim() && !control.getAttribute('aria-label')) faults.push('no words: ' + control.outerHTML);
if (document.documentElement.scrollWidth > innerWidth) faults.push('scrolls sideways');
return faults;
"#;
