//! The pages as a browser without JavaScript uses them: cookies, links, forms, redirects.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::form::{self, Form};
use super::http::{Answer, Http};

/// A visitor with cookies.
pub struct Panel {
    base: String,
    http: Http,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What a page holds.
pub struct Page {
    pub path: String,
    pub answer: Answer,
}

impl Page {
    pub fn html(&self) -> String {
        self.answer.text()
    }

    pub fn words(&self) -> String {
        form::words(&self.html())
    }

    /// The form that has all these fields.
    #[track_caller]
    pub fn form(&self, fields: &[&str]) -> Form {
        let forms = form::forms(&self.html());
        let fitting = forms.iter().find(|form| fields.iter().all(|field| form.has(field)));
        fitting
            .unwrap_or_else(|| panic!("no form with {fields:?} on {} among {forms:#?}", self.path))
            .clone()
    }

    /// The form with a button of these words.
    #[track_caller]
    pub fn form_of_button(&self, words: &str) -> Form {
        let forms = form::forms(&self.html());
        let fitting = forms
            .iter()
            .find(|form| form.buttons.iter().any(|button| button == words));
        fitting
            .unwrap_or_else(|| panic!("no button '{words}' on {} among {forms:#?}", self.path))
            .clone()
    }

    /// Where the link with these words leads.
    #[track_caller]
    pub fn link(&self, words: &str) -> String {
        let links = form::links(&self.html());
        let fitting = links.iter().find(|(_, text)| text == words);
        fitting
            .unwrap_or_else(|| panic!("no link '{words}' on {} among {links:?}", self.path))
            .0
            .clone()
    }

    /// This page, if it holds the words.
    #[track_caller]
    pub fn expect_words(self, expected: &str) -> Self {
        let words = self.words();
        assert!(
            words.contains(expected),
            "'{expected}' is not on {}: {words}",
            self.path
        );
        self
    }
}

impl Panel {
    /// A visitor who is not signed in.
    pub fn stranger(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            http: Http::new(),
            cookies: Mutex::default(),
        }
    }

    /// Signs in by the form.
    pub async fn sign_in(base: &str, email: &str, password: &str) -> Self {
        let panel = Self::stranger(base);
        let form = panel.page("/login").await.form(&["email", "password"]);
        let form = form.set("email", email).set("password", password);
        panel.submit("/login", &form).await.expect(303);
        assert!(!panel.cookies().is_empty(), "signing in sets a session cookie");
        panel
    }

    /// What the visitor's browser has been told to remember.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    /// The same as a browser sends it.
    pub fn cookie_header(&self) -> String {
        let cookies = self.cookies();
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        cookies.join("; ")
    }

    /// Puts cookies back that a page has taken away.
    pub fn remember(&self, cookies: BTreeMap<String, String>) {
        *self.cookies.lock().unwrap() = cookies;
    }

    /// A page that must be there.
    pub async fn page(&self, path: &str) -> Page {
        let answer = self.get(path).await.expect(200);
        Page {
            path: path.to_owned(),
            answer,
        }
    }

    /// A page with whatever status.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", "text/html")], "").await
    }

    /// Submits a form of the page at `path` as a browser does.
    pub async fn submit(&self, path: &str, form: &Form) -> Answer {
        let origin = self.base.clone();
        self.submit_with(path, form, &[("origin", &origin), ("sec-fetch-site", "same-origin")])
            .await
    }

    /// Submits a form with these headers in place of a browser's own.
    pub async fn submit_with(&self, path: &str, form: &Form, headers: &[(&str, &str)]) -> Answer {
        assert_eq!(form.method, "post", "a form that changes something posts: {form:?}");
        let target = if form.action.is_empty() { path } else { &form.action }.to_owned();
        let headers = [
            &[
                ("accept", "text/html"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            headers,
        ]
        .concat();
        self.send("POST", &target, &headers, &form.body()).await
    }

    /// Submits a form that must succeed and opens the page it leads to.
    pub async fn submit_and_follow(&self, path: &str, form: &Form) -> Page {
        let answer = self.submit(path, form).await.expect(303);
        let location = answer.header("location").to_owned();
        assert!(
            location.starts_with('/'),
            "a redirect within the panel, not '{location}'"
        );
        self.page(&location).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookies = self.cookie_header();
        let mut headers = headers.to_vec();
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        let answer = self
            .http
            .send(method, &format!("{}{path}", self.base), &headers, body.to_owned())
            .await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies
                .lock()
                .unwrap()
                .insert(name.trim().to_owned(), value.to_owned());
        }
        answer
    }
}
