//! Chromium as a person uses it: pages, words on buttons, fields by name. A console error or a dialog fails the test.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::dhow::{Dhow, OWNER, PASSWORD};
use super::free_port::free_port;
use super::http::Http;
use super::process::{Process, print_party};
use super::visitor::{FAULTS, Visitor, capabilities};
use super::wait::{eventually, seconds};

/// Time for anything on a page that does not wait for a deployment.
pub const SHOWN_WITHIN: Duration = seconds(15);

/// Chromium drops what is under way when a network of this machine comes or goes, as those of other stories' apps do.
const NETWORK_CHANGED: &str = "ERR_NETWORK_CHANGED";

/// One browser with a fresh profile.
pub struct Browser {
    pub client: Client,
    session: String,
    driver: Option<Process>,
    profile: TempDir,
    finished: bool,
}

impl Browser {
    pub async fn open() -> Self {
        Self::open_as(Visitor::default()).await
    }

    pub async fn open_as(visitor: Visitor) -> Self {
        let profile = tempfile::Builder::new().prefix("dhow-e2e-browser-").tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("chromedriver");
        // A process group of its own, so that the browser's own children end with it.
        command
            .arg(format!("--port={port}"))
            .env("HOME", profile.path())
            .process_group(0);
        let mut driver = Process::start("chromedriver", &mut command);
        driver
            .line("that it has started", seconds(20), |line| {
                line.contains("started successfully").then_some(())
            })
            .await;
        let url = format!("http://127.0.0.1:{port}");
        let capabilities = capabilities(visitor, profile.path());
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&url)
            .await;
        let client = client.unwrap_or_else(|error| panic!("Chromium does not start: {error}\n{}", driver.lines.text()));
        let session = client.session_id().await.unwrap().expect("a session");
        Self {
            client,
            session: format!("{url}/session/{session}"),
            driver: Some(driver),
            profile,
            finished: false,
        }
    }

    /// The directory that the browser keeps everything in.
    pub fn profile(&self) -> &str {
        self.profile.path().to_str().unwrap()
    }

    /// Opens an address. A page that reloads itself may do so in the same moment and win; then it is opened once more.
    pub async fn goto(&self, url: &str) {
        let left = self.url().await;
        self.visit(url).await;
        if left != url && self.url().await == left {
            self.visit(url).await;
        }
    }

    async fn visit(&self, url: &str) {
        let mut visit = self.client.goto(url).await;
        if matches!(&visit, Err(error) if error.to_string().contains(NETWORK_CHANGED)) {
            visit = self.client.goto(url).await;
        }
        visit.unwrap_or_else(|error| panic!("{url} does not open: {error}"));
    }

    pub async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// Waits until the address satisfies `fits`; answers it.
    pub async fn at(&self, expectation: &str, fits: impl Fn(&str) -> bool) -> String {
        eventually(&format!("the browser is at {expectation}"), SHOWN_WITHIN, || async {
            let url = self.url().await;
            if fits(&url) { Ok(url) } else { Err(self.page().await) }
        })
        .await
    }

    /// The visible words of the page.
    pub async fn words(&self) -> String {
        let text = match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await,
            Err(error) => Err(error),
        };
        text.unwrap_or_else(|error| format!("(no page: {error})"))
    }

    /// Whether the page shows these words now, in capital or small letters.
    pub async fn sees(&self, words: &str) -> bool {
        self.words().await.to_lowercase().contains(&words.to_lowercase())
    }

    /// Waits until the page shows these words.
    pub async fn see(&self, words: &str, within: Duration) {
        eventually(&format!("the page shows '{words}'"), within, || async {
            if self.sees(words).await {
                Ok(())
            } else {
                Err(self.page().await)
            }
        })
        .await;
    }

    /// Address and words, for messages. A visit that another story's network cut off is made once more.
    async fn page(&self) -> String {
        let (url, words) = (self.url().await, self.words().await);
        if words.contains(NETWORK_CHANGED) {
            let _again = self.client.refresh().await;
        }
        format!("{url}: {words}")
    }

    /// Reloads until the page shows these words: what a visitor without JavaScript does.
    pub async fn reload_until(&self, words: &str, within: Duration) {
        eventually(&format!("the page shows '{words}' after a reload"), within, || async {
            self.client.refresh().await.map_err(|error| error.to_string())?;
            if self.sees(words).await {
                Ok(())
            } else {
                Err(self.page().await)
            }
        })
        .await;
    }

    /// Clicks the link or button with these words.
    pub async fn click(&self, words: &str) {
        let control = format!(
            "//*[self::a or self::button or self::summary][normalize-space(.)='{words}' or @aria-label='{words}'] \
             | //input[@type='submit' and @value='{words}']"
        );
        self.with_shown(
            &format!("a control '{words}'"),
            Locator::XPath(&control),
            |element| async move { element.click().await },
        )
        .await;
    }

    /// Replaces what the field of this name holds.
    pub async fn fill(&self, name: &str, value: &str) {
        let field = format!("[name='{name}']:not([type='hidden'])");
        self.with_shown(
            &format!("a field '{name}'"),
            Locator::Css(&field),
            |element| async move {
                if element.tag_name().await? == "select" {
                    return element.select_by_value(value).await;
                }
                element.clear().await?;
                element.send_keys(value).await
            },
        )
        .await;
    }

    /// Picks one of several choices.
    pub async fn choose(&self, name: &str, value: &str) {
        let label = format!("label:has(> input[name='{name}'][value='{value}'])");
        self.with_shown(
            &format!("the choice {value} of '{name}'"),
            Locator::Css(&label),
            |element| async move { element.click().await },
        )
        .await;
    }

    /// Replaces what the field with this label holds.
    pub async fn fill_labelled(&self, label: &str, value: &str) {
        let field = format!(
            "//*[self::input or self::textarea][@aria-label='{label}' or @id=//label[normalize-space(.)='{label}']/@for]"
        );
        self.with_shown(
            &format!("a field labelled '{label}'"),
            Locator::XPath(&field),
            |element| async move {
                element.clear().await?;
                element.send_keys(value).await
            },
        )
        .await;
    }

    /// Acts on the first shown element; looks again while the page is being replaced.
    async fn with_shown<Acting>(&self, what: &str, locator: Locator<'_>, act: impl Fn(Element) -> Acting)
    where
        Acting: Future<Output = Result<(), CmdError>>,
    {
        eventually(&format!("{what} can be used"), SHOWN_WITHIN, || async {
            let elements = self.client.find_all(locator).await.map_err(|error| error.to_string())?;
            for element in elements {
                if element.is_displayed().await.map_err(|error| error.to_string())? {
                    return act(element).await.map_err(|error| error.to_string());
                }
            }
            Err(self.page().await)
        })
        .await;
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Signs in without loading a page, and so without filling the cache. A page of the panel's own must be open.
    pub async fn sign_in_unseen(&self) {
        let script = format!(
            "const done = arguments[0]; \
             fetch('/login', {{ method: 'POST', body: new URLSearchParams({{ email: '{OWNER}', password: '{PASSWORD}' }}) }}) \
                 .then(answer => done(answer.url), error => done(String(error)))"
        );
        let ended_at = self.client.execute_async(&script, Vec::new()).await.unwrap();
        assert!(ended_at.as_str().unwrap().ends_with('/'), "signed in: {ended_at}");
    }

    pub async fn sign_in(&self, dhow: &Dhow) {
        self.goto(&format!("{}/login", dhow.url())).await;
        self.fill("email", OWNER).await;
        self.fill("password", PASSWORD).await;
        self.click(super::words::SIGN_IN).await;
        self.at("the dashboard", |url| url == format!("{}/", dhow.url())).await;
    }

    /// Takes a picture, and checks what every page owes to a person who cannot see it.
    pub async fn look(&self, name: &str) {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(
            directory.join(format!("{name}.png")),
            self.client.screenshot().await.unwrap(),
        )
        .unwrap();
        let faults = self.script(FAULTS).await;
        assert_eq!(
            faults,
            json!([]),
            "the page {} is usable by everybody",
            self.url().await
        );
    }

    /// Gives the page another size than a window can have: Chromium's own is 500 pixels wide at least.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Shows pages as to a visitor who prefers this theme, `light` or `dark`.
    pub async fn prefer(&self, theme: &str) {
        let theme = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.cdp("Emulation.setEmulatedMedia", theme).await;
    }

    /// A command of the DevTools protocol.
    pub async fn cdp(&self, command: &str, params: Value) {
        let command = json!({ "cmd": command, "params": params }).to_string();
        let url = format!("{}/goog/cdp/execute", self.session);
        Http::new().send("POST", &url, &[], command).await.expect(200);
    }

    /// What the console has said since the last time. A browser ends all requests when the machine gets another network,
    /// which engines make beside the test; that, and that a stream failed by it, is no complaint.
    pub async fn console(&self) -> Vec<String> {
        let (url, kind) = (
            format!("{}/se/log", self.session),
            json!({ "type": "browser" }).to_string(),
        );
        let entries = Http::new().send("POST", &url, &[], kind).await.expect(200).json();
        let entries = entries["value"].as_array().expect("a list of entries").clone();
        let said = entries
            .iter()
            .map(|entry| format!("{} {}", entry["level"], entry["message"]));
        let (changes, mut said): (Vec<_>, Vec<_>) = said.partition(|line| line.contains(NETWORK_CHANGED));
        if !changes.is_empty() {
            said.retain(|line| !(line.contains("htmx:sse:error") && line.contains("Failed to fetch")));
        }
        said
    }

    /// Ends the visit: no script error, no refused style or script, no missing file.
    pub async fn finish(mut self) {
        let complaints = self.console().await;
        assert!(
            complaints.is_empty(),
            "the browser's console complains: {complaints:#?}"
        );
        self.finished = true;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let driver = self.driver.take().unwrap();
        // Chromium is in its driver's process group, which is ended as a whole.
        let group = format!("-{}", driver.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        drop(driver);
        if std::thread::panicking() {
            print_party(
                "browser",
                "the words it showed last are in the failed expectation above",
            );
        } else {
            assert!(
                self.finished,
                "a visit ends with finish(), which looks at the browser's console"
            );
        }
    }
}
