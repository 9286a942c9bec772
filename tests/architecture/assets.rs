//! Templates and style sheets read as text: what the content security policy and other users' data forbid.

/// Every fault of one template or style sheet: text printed as HTML, or anything fetched from another host.
pub fn asset_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if squeezed.contains("|safe") {
        faults.push(format!("{path}: |safe prints what users wrote as HTML"));
    }
    for start in [
        "src=\"",
        "src='",
        "srcset=\"",
        "action=\"",
        "url(",
        "url(\"",
        "url('",
        "@import\"",
        "<linkhref=\"",
    ] {
        for scheme in ["http://", "https://", "//"] {
            if squeezed.contains(&format!("{start}{scheme}")) {
                faults.push(format!("{path}: '{start}{scheme}…' asks another host"));
            }
        }
    }
    for inline in [
        "<script>",
        "<style",
        "onclick=",
        "onsubmit=",
        "onchange=",
        "javascript:",
    ] {
        if text.contains(inline) {
            faults.push(format!("{path}: '{inline}' is refused by the content security policy"));
        }
    }
    faults
}
