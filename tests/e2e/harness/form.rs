//! Just enough of HTML to use a page as a browser without JavaScript does: its links and its forms with what they hold.

use std::iter::Peekable;
use std::str::Chars;

/// A tag with its attributes, and the text up to the next tag.
#[derive(Debug, Clone)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A form as the page holds it; `set` what a person would type, then submit it.
#[derive(Debug, Clone)]
pub struct Form {
    /// Empty where the form posts to the page's own address.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// Names and values in the order of the page.
    pub fields: Vec<(String, String)>,
    /// The words on its buttons.
    pub buttons: Vec<String>,
    /// Names of check boxes and radio buttons that are off, with the value they would send.
    off: Vec<(String, String)>,
}

impl Form {
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().chain(&self.off).any(|(field, _)| field == name)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// Types a value; fails when the form has no such field.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        assert!(self.has(name), "the form has no field '{name}': {self:?}");
        match self.fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Types a value into the last of several fields of the same name: the blank row of a table.
    pub fn set_last(mut self, name: &str, value: &str) -> Self {
        let last = self.fields.iter_mut().rfind(|(field, _)| field == name);
        value.clone_into(&mut last.unwrap_or_else(|| panic!("the form has no field '{name}'")).1);
        self
    }

    /// Sent elsewhere than the page says, as a forged one is.
    pub fn with_action(mut self, action: &str) -> Self {
        action.clone_into(&mut self.action);
        self
    }

    pub fn body(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish()
    }
}

/// All forms of a page.
pub fn forms(html: &str) -> Vec<Form> {
    let tags = tags(html);
    let mut forms = Vec::new();
    let mut open: Option<Form> = None;
    let mut select: Option<(String, Option<String>, bool)> = None;
    let mut in_button = false;
    for tag in &tags {
        if tag.name == "form" {
            open = Some(Form {
                action: tag.get("action").unwrap_or_default().to_owned(),
                method: tag.get("method").unwrap_or("get").to_lowercase(),
                fields: Vec::new(),
                buttons: Vec::new(),
                off: Vec::new(),
            });
        }
        let Some(form) = open.as_mut() else { continue };
        match tag.name.as_str() {
            "/form" => forms.extend(open.take()),
            "input" => input(form, tag),
            "textarea" => {
                // HTML drops one newline directly after the tag.
                let text = tag.text.strip_prefix('\n').unwrap_or(&tag.text);
                form.fields
                    .extend(tag.get("name").map(|name| (name.to_owned(), text.to_owned())));
            }
            "button" => {
                in_button = true;
                form.buttons.push(String::new());
            }
            "/button" => in_button = false,
            "select" => select = tag.get("name").map(|name| (name.to_owned(), None, false)),
            "option" => {
                if let Some((_, value, chosen)) = &mut select
                    && (value.is_none() || (tag.get("selected").is_some() && !*chosen))
                {
                    *value = Some(tag.get("value").map_or_else(|| squeezed(&tag.text), str::to_owned));
                    *chosen = tag.get("selected").is_some();
                }
            }
            "/select" => form
                .fields
                .extend(select.take().map(|(name, value, _)| (name, value.unwrap_or_default()))),
            _ => {}
        }
        if let (true, Some(words)) = (in_button, form_buttons(&mut open)) {
            *words = squeezed(&format!("{words} {}", tag.text));
        }
    }
    forms
}

/// The words of the form's latest button.
fn form_buttons(open: &mut Option<Form>) -> Option<&mut String> {
    open.as_mut().and_then(|form| form.buttons.last_mut())
}

fn input(form: &mut Form, tag: &Tag) {
    let kind = tag.get("type").unwrap_or("text");
    if matches!(kind, "submit" | "button") {
        form.buttons.push(tag.get("value").unwrap_or_default().to_owned());
        return;
    }
    let Some(name) = tag.get("name") else { return };
    let value = tag
        .get("value")
        .unwrap_or(if matches!(kind, "checkbox" | "radio") { "on" } else { "" });
    let field = (name.to_owned(), value.to_owned());
    if matches!(kind, "checkbox" | "radio") && tag.get("checked").is_none() {
        form.off.push(field);
    } else {
        form.fields.push(field);
    }
}

/// Address and words of every link.
pub fn links(html: &str) -> Vec<(String, String)> {
    let tags = tags(html);
    let mut links: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for tag in &tags {
        if tag.name == "a" {
            inside = true;
            links.push((tag.get("href").unwrap_or_default().to_owned(), String::new()));
        } else if tag.name == "/a" {
            inside = false;
        }
        if let (true, Some((_, words))) = (inside, links.last_mut()) {
            words.push_str(&tag.text);
        }
    }
    links
        .into_iter()
        .map(|(href, words)| (href, squeezed(&words)))
        .collect()
}

/// The words of a page, without its tags, white space squeezed.
pub fn words(html: &str) -> String {
    let tags = tags(html);
    let shown = tags
        .iter()
        .filter(|tag| !matches!(tag.name.as_str(), "script" | "style" | "title"));
    squeezed(&shown.map(|tag| format!("{} ", tag.text)).collect::<String>())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tags(html: &str) -> Vec<Tag> {
    let mut chars = html.chars().peekable();
    let mut tags = vec![Tag {
        name: String::new(),
        attributes: Vec::new(),
        text: text(&mut chars),
    }];
    while chars.next().is_some() {
        let name = take_while(&mut chars, |c| !c.is_whitespace() && c != '>').to_lowercase();
        let attributes = attributes(&mut chars);
        tags.push(Tag {
            name,
            attributes,
            text: text(&mut chars),
        });
    }
    tags
}

fn attributes(chars: &mut Peekable<Chars>) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    loop {
        take_while(chars, |c| c.is_whitespace() || c == '/');
        if chars.next_if_eq(&'>').is_some() || chars.peek().is_none() {
            return attributes;
        }
        let key = take_while(chars, |c| !c.is_whitespace() && !matches!(c, '=' | '>' | '/')).to_lowercase();
        let mut value = String::new();
        if chars.next_if_eq(&'=').is_some() {
            value = match chars.next_if(|c| matches!(c, '"' | '\'')) {
                Some(quote) => {
                    let quoted = take_while(chars, |c| c != quote);
                    chars.next();
                    quoted
                }
                None => take_while(chars, |c| !c.is_whitespace() && c != '>'),
            };
        }
        attributes.push((key, unescaped(&value)));
    }
}

fn text(chars: &mut Peekable<Chars>) -> String {
    unescaped(&take_while(chars, |c| c != '<'))
}

fn take_while(chars: &mut Peekable<Chars>, belongs: impl Fn(char) -> bool) -> String {
    let mut taken = String::new();
    while let Some(next) = chars.next_if(|&c| belongs(c)) {
        taken.push(next);
    }
    taken
}

fn unescaped(text: &str) -> String {
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
    ];
    let mut text = named
        .iter()
        .fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    for (entity, plain) in [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&nbsp;", "\u{a0}"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, plain);
    }
    text
}

#[test]
fn a_form_is_read_as_a_browser_would_send_it() {
    let html = r#"<p>5 &lt; 6</p><form method="post" action='/x?a=1&amp;b=2'>
        <label>Name <input name=name value="a &quot;b&quot;" required></label>
        <input type="checkbox" name="on" checked><input type=checkbox name=off value=yes>
        <select name=kind><option value=git>Git<option value=push selected>Push</select>
        <textarea name=text>
one
two</textarea><button>Save <b>now</b></button></form><a href="/there">Go <em>there</em></a>"#;
    let [form] = &forms(html)[..] else { panic!("one form") };
    assert_eq!((form.action.as_str(), form.method.as_str()), ("/x?a=1&b=2", "post"));
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            ("name", "a \"b\""),
            ("on", "on"),
            ("kind", "push"),
            ("text", "one\ntwo")
        ]
    );
    assert!(form.has("off") && form.value("off").is_none());
    assert_eq!(form.buttons, ["Save now"]);
    assert_eq!(links(html), [("/there".to_owned(), "Go there".to_owned())]);
    assert!(words(html).starts_with("5 < 6 Name"));
}
