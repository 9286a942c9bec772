//! Islands as a person meets them: in the place of a form, with the keyboard and the clipboard.

use serde_json::json;

use super::browser::Browser;

/// Heights of the island and of the plain form that the page came with, in the same place.
const HEIGHTS: &str = r#"
const island = document.querySelector('[data-island]');
const request = new XMLHttpRequest();
request.open('GET', location.href, false);
request.send();
const page = new DOMParser().parseFromString(request.responseText, 'text/html');
const plain = document.importNode(page.querySelector('[data-island]'), true);
const heights = [island.offsetHeight];
island.after(plain);
island.hidden = true;
heights.push(plain.offsetHeight);
island.hidden = false;
plain.remove();
return heights;
"#;

/// Types into the field with this label at once, as a paste over all of it would.
pub async fn put(browser: &Browser, label: &str, text: &str) {
    let (label, text) = (json!(label), json!(text));
    let script = format!(
        "const field = document.querySelector(`[aria-label=${{JSON.stringify({label})}}]`); \
         const value = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value'); \
         value.set.call(field, {text}); field.dispatchEvent(new Event('input', {{ bubbles: true }}));"
    );
    browser.script(&script).await;
}

/// Pastes into the field with this label, as Chromium does by Ctrl+V.
pub async fn paste(browser: &Browser, label: &str, text: &str) {
    let (label, text) = (json!(label), json!(text));
    let script = format!(
        "const field = document.querySelector(`[aria-label=${{JSON.stringify({label})}}]`); field.focus(); \
         const clipboardData = new DataTransfer(); clipboardData.setData('text/plain', {text}); \
         field.dispatchEvent(new ClipboardEvent('paste', {{ clipboardData, bubbles: true, cancelable: true }}));"
    );
    browser.script(&script).await;
}

/// Checks that nothing on the page moves when the island takes over, on a phone and on a desk; takes pictures of both.
pub async fn takes_the_forms_room(browser: &Browser, name: &str) {
    for width in [360, 1280] {
        browser.resize(width, 900).await;
        let heights = browser.script(HEIGHTS).await;
        assert_eq!(heights[0], heights[1], "island and form at {width} pixels: {heights}");
        for theme in ["light", "dark"] {
            browser.prefer(theme).await;
            browser.look(&format!("{name}-{width}-{theme}")).await;
        }
    }
    browser.prefer("light").await;
}
