//! What has been typed and is not live yet, with what applying it costs. Shown wherever it was typed.

use askama::Template;
use askama::filters::HtmlSafe;

use super::cost::{self, Times};
use super::form;
use crate::actions::{Actions, Error};
use crate::model::access::Right;
use crate::model::app::App;
use crate::model::difference::{Change, ChangedSetting, Difference};

/// Names of variables that are listed; the rest is counted.
const LISTED: usize = 12;

/// The notice.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "apps/_pending.html")]
pub struct Pending {
    slug: String,
    settings: Vec<SettingView>,
    variables: Vec<VariableView>,
    /// Variables that are not listed.
    more: usize,
    cost: String,
    /// Whether applying it takes a build.
    pub needs_build: bool,
    /// Whether the visitor may have it applied.
    may_apply: bool,
    /// The deployment that is under way and may bring it.
    under_way: Option<i64>,
    /// Why it cannot be told what is not live.
    trouble: Option<String>,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Pending {}

/// A setting with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingView {
    /// The words that label its field.
    pub label: String,
    /// Its value before.
    pub from: String,
    /// Its value afterwards.
    pub to: String,
}

impl From<&ChangedSetting> for SettingView {
    fn from(changed: &ChangedSetting) -> Self {
        Self {
            label: form::label(&changed.name).to_owned(),
            from: in_words(&changed.name, &changed.from),
            to: in_words(&changed.name, &changed.to),
        }
    }
}

/// A setting's value with its unit, or what an empty one means.
fn in_words(name: &str, value: &str) -> String {
    match (name, value) {
        ("health.path", "") => "open port".to_owned(),
        ("resources.memory_mb" | "resources.cpus", "") => "no limit".to_owned(),
        ("build.start_command", "") => "the image's own".to_owned(),
        ("build.target", "") => "the last one".to_owned(),
        ("build.context" | "source.root_dir", "") => "whole repository".to_owned(),
        ("source.submodules", value) => if value == "true" { "fetched" } else { "not fetched" }.to_owned(),
        (_, "") => "none".to_owned(),
        ("health.timeout_s" | "stop_timeout_s", seconds) => format!("{seconds} s"),
        ("resources.memory_mb", mb) => format!("{mb} MiB"),
        (_, value) => value.to_owned(),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct VariableView {
    key: String,
    /// What happens to it, unless its value changes.
    note: &'static str,
}

impl Pending {
    /// What is not live of an app; `None` when all of it is, or nothing serves. `under_way` is the deployment that has
    /// not ended.
    pub async fn load(
        actions: &Actions,
        app: &App,
        right: Right,
        under_way: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        let difference = match actions.pending(app).await {
            Ok(Some(difference)) if !difference.is_empty() => Ok(difference),
            Ok(_) => return Ok(None),
            Err(Error::Conflict(sentence)) => Err(sentence),
            Err(error) => return Err(error),
        };
        let id = app.id;
        let times = actions.db.read(move |c| Times::of(c, id)).await?;
        let mut pending = match difference {
            Ok(difference) => Self::of(&difference, app.stopped_at.is_some(), times),
            Err(sentence) => Self::unknown(sentence),
        };
        pending.slug = app.slug.to_string();
        pending.under_way = under_way;
        pending.may_apply = right >= Right::Deploy;
        Ok(Some(pending))
    }

    fn of(difference: &Difference, is_stopped: bool, times: Times) -> Self {
        let variables = difference.variables.iter().take(LISTED).map(|changed| VariableView {
            key: changed.key.clone(),
            note: match changed.change {
                Change::Added => " (new)",
                Change::Changed => "",
                Change::Removed => " (removed)",
            },
        });
        Self {
            slug: String::new(),
            settings: difference.settings.iter().map(SettingView::from).collect(),
            variables: variables.collect(),
            more: difference.variables.len().saturating_sub(LISTED),
            cost: if difference
                .settings
                .iter()
                .any(|setting| setting.name == "source.image" && !setting.to.is_empty())
            {
                cost::of_another_image(is_stopped).to_owned()
            } else {
                cost::in_words(difference.needs_build, is_stopped, times)
            },
            needs_build: difference.needs_build,
            may_apply: true,
            under_way: None,
            trouble: None,
        }
    }

    fn unknown(sentence: String) -> Self {
        Self {
            trouble: Some(sentence),
            ..Self::of(&Difference::default(), false, Times::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::difference::ChangedVariable;

    const TIMES: Times = Times {
        seconds_to_live: 2,
        last_build: None,
    };

    fn setting(name: &str, from: &str, to: &str) -> ChangedSetting {
        let [name, from, to] = [name, from, to].map(str::to_owned);
        ChangedSetting { name, from, to }
    }

    fn difference(variables: usize) -> Difference {
        let changes = [Change::Changed, Change::Added, Change::Removed];
        let variable = |number: usize| ChangedVariable {
            key: format!("KEY_{number}"),
            change: changes[number % 3],
        };
        Difference {
            settings: vec![
                setting("port", "3000", "8080"),
                setting("build.start_command", "", "<script>alert(1)</script>"),
                setting("resources.memory_mb", "64", ""),
            ],
            variables: (0..variables).map(variable).collect(),
            needs_build: false,
        }
    }

    #[test]
    fn what_is_not_live_is_named_with_its_cost_and_as_text() {
        let markup = Pending::of(&difference(3), false, TIMES).to_string();
        for expected in [
            "Port <code>3000</code> → <code>8080</code>",
            "Start command <code>the image&#39;s own</code> → <code>&#60;script&#62;alert(1)&#60;/script&#62;</code>",
            "Memory limit <code>64 MiB</code> → <code>no limit</code>",
            "variables <code>KEY_0</code>, <code>KEY_1</code> (new), <code>KEY_2</code> (removed)",
            "Restarts the app without a gap, about 2 s.",
            "Apply now",
        ] {
            assert!(markup.contains(expected), "{expected} in {markup}");
        }
        assert!(!markup.contains("<script"));
    }

    #[test]
    fn many_variables_are_counted_and_the_cost_fits_the_case() {
        let markup = Pending::of(&difference(LISTED + 5), false, TIMES).to_string();
        assert!(markup.contains("and 5 more") && !markup.contains("KEY_12"), "{markup}");
        let built = Difference {
            needs_build: true,
            ..difference(1)
        };
        assert!(Pending::of(&built, false, TIMES).to_string().contains("Needs a build"));
        assert!(
            Pending::of(&difference(1), true, TIMES)
                .to_string()
                .contains("Starts the app, about 2 s.")
        );
    }

    #[test]
    fn what_cannot_be_told_or_is_under_way_has_no_button() {
        let trouble = Pending::unknown("The variable A cannot be opened.".to_owned()).to_string();
        assert!(
            trouble.contains("cannot be opened") && !trouble.contains("<button"),
            "{trouble}"
        );
        let mut pending = Pending::of(&difference(1), false, TIMES);
        pending.under_way = Some(7);
        let markup = pending.to_string();
        assert!(
            markup.contains("deployment 7") && !markup.contains("<button"),
            "{markup}"
        );
    }
}
