//! The page of variables, of an app or of a project: the same form, and what stands around it.

use askama::Template;
use askama_web::WebTemplate;
use axum::http::HeaderMap;
use serde::Serialize;

use super::form::EnvForm;
use super::history::History;
use super::text::TextForm;
use crate::actions::env_vars::{EnvInput, EnvVarInput, Owner};
use crate::model::access::Right;
use crate::model::env_var::{EnvScope, RESERVED};
use crate::web::Web;
use crate::web::apps::cost::Costs;
use crate::web::apps::head::{AppHead, Tab};
use crate::web::apps::pending::Pending;
use crate::web::error::Result;
use crate::web::forms::FormErrors;
use crate::web::layout::{Frame, Layout};

/// The form in one of its two shapes.
pub enum Form {
    /// A row for each variable.
    Table(EnvForm),
    /// One text.
    Text(TextForm),
}

impl Form {
    /// Whether it is a table with rows of the version that is stored.
    fn is_table_of(&self, stored: &EnvInput) -> bool {
        matches!(self, Self::Table(table) if table.version == stored.version)
    }
}

/// Where the page is.
#[derive(Debug)]
pub struct Place {
    /// Its address.
    pub href: String,
    /// Slug of the project.
    pub project: String,
    /// Name of what owns the variables.
    pub name: String,
}

/// A variable that an app has from its project.
#[derive(Debug, PartialEq, Eq)]
pub struct SharedRow {
    /// Its name.
    pub key: String,
    /// Its value; `None` for a secret.
    pub value: Option<String>,
    /// `run`, `build` or `both`.
    pub scope: String,
    /// Whether the app's own variable of this name counts instead.
    pub is_overridden: bool,
}

#[derive(Template, WebTemplate)]
#[template(path = "env/show.html")]
pub struct EnvPage {
    pub layout: Layout,
    place: Place,
    /// The top of an app's page; a project has its own.
    head: Option<AppHead>,
    may_change: bool,
    is_live: bool,
    pending: Option<Pending>,
    /// What having a change applied costs, for an app.
    cost: Option<Costs>,
    form: Form,
    version: i64,
    shared: Vec<SharedRow>,
    /// Names of plain variables that this server's key does not open.
    unreadable: Vec<String>,
    history: History,
    pub errors: FormErrors,
    /// Somebody else saved while this was typed.
    pub is_stale: bool,
    /// What the island begins with, as JSON; without it the plain form stays.
    props: Option<String>,
    is_primary: bool,
    hides_deploy: bool,
}

/// What the island begins with: the stored state, also while the form holds something else.
#[derive(Serialize)]
struct Props<'a> {
    app: &'a str,
    /// Whether something is live that changes can be applied to.
    live: bool,
    /// What having them applied costs.
    cost: Option<&'a Costs>,
    version: Option<i64>,
    vars: &'a [EnvVarInput],
    /// What the project shares with the app; an own variable of the same name counts instead.
    shared: &'a [EnvVarInput],
}

impl EnvPage {
    /// The page with a form; `before` is the cursor of its history.
    pub async fn load(
        web: &Web,
        frame: Frame,
        (owner, right): (Owner<'_>, Right),
        (mut form, stored): (Form, &EnvInput),
        before: Option<i64>,
    ) -> Result<Self> {
        let may_change = right >= Right::Change;
        if let Form::Table(table) = &mut form
            && !may_change
        {
            table.rows.retain(|row| !row.is_blank());
        }
        let version = match &form {
            Form::Table(table) => table.version,
            Form::Text(text) => text.version,
        };
        let (head, pending, cost) = match owner {
            Owner::App(app) => {
                let head = AppHead::load(&web.actions, app, right, Tab::Variables).await?;
                let pending = Pending::load(&web.actions, app, right, head.watch).await?;
                let needs_build = pending.as_ref().is_some_and(|pending| pending.needs_build);
                let cost = Costs::load(&web.actions, app, needs_build).await?;
                (Some(head), pending, Some(cost))
            }
            Owner::Project(_) => (None, None, None),
        };
        let place = Place::of(owner);
        Ok(Self {
            layout: frame.titled(format!("Variables of {}", place.name)),
            place,
            may_change,
            is_live: head.as_ref().is_some_and(|head| head.live.is_some()),
            head,
            pending,
            cost,
            form,
            version: version.unwrap_or_default(),
            shared: shared(stored),
            unreadable: unreadable(stored),
            history: History::load(&web.actions.db, owner.id(), before).await?,
            errors: FormErrors::none(),
            is_stale: false,
            props: None,
            is_primary: false,
            hides_deploy: false,
        })
    }

    /// The page with the island, where there is one for it, unless the visitor wants to save data. Rows of another version
    /// stay in the plain form, which saves them as what they are.
    pub fn with_island(mut self, headers: &HeaderMap, owner: Owner<'_>, stored: &EnvInput) -> Result<Self> {
        let saves_data = headers.get("save-data").is_some_and(|value| value == "on");
        let is_wanted = self.may_change && !saves_data && self.unreadable.is_empty() && self.form.is_table_of(stored);
        if let (Owner::App(app), true) = (owner, is_wanted) {
            let props = Props {
                app: app.slug.as_str(),
                live: self.is_live,
                cost: self.cost.as_ref(),
                version: stored.version,
                vars: &stored.vars,
                shared: stored.shared.as_deref().unwrap_or_default(),
            };
            self.props = Some(serde_json::to_string(&props).map_err(anyhow::Error::from)?);
        }
        Ok(self)
    }

    /// Whether the form is one text.
    fn is_text(&self) -> bool {
        matches!(self.form, Form::Text(_))
    }

    /// Whether there is nothing to show to somebody who may only look.
    fn is_empty(&self) -> bool {
        matches!(&self.form, Form::Table(table) if table.rows.is_empty())
    }
}

impl Place {
    fn of(owner: Owner<'_>) -> Self {
        match owner {
            Owner::App(app) => Self {
                href: format!("/apps/{}/env", app.slug),
                project: app.project_slug.to_string(),
                name: app.settings.name.to_string(),
            },
            Owner::Project(project) => Self {
                href: format!("/projects/{}/env", project.slug),
                project: project.slug.to_string(),
                name: project.name.to_string(),
            },
        }
    }
}

fn shared(stored: &EnvInput) -> Vec<SharedRow> {
    let row = |var: &EnvVarInput| SharedRow {
        key: var.key.clone(),
        value: var.value.clone(),
        scope: var.scope.clone(),
        is_overridden: stored.vars.iter().any(|own| own.key == var.key),
    };
    stored.shared.iter().flatten().map(row).collect()
}

fn unreadable(stored: &EnvInput) -> Vec<String> {
    let all = stored.vars.iter().chain(stored.shared.iter().flatten());
    all.filter(|var| var.is_unreadable())
        .map(|var| var.key.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_variable_hides_the_project_s() {
        let var = |key: &str, value: Option<&str>| EnvVarInput {
            key: key.to_owned(),
            value: value.map(str::to_owned),
            secret: value.is_none(),
            scope: "run".to_owned(),
        };
        let stored = EnvInput {
            vars: vec![var("B", Some("own"))],
            shared: Some(vec![var("A", None), var("B", Some("shared"))]),
            ..EnvInput::default()
        };
        let rows = shared(&stored);
        assert_eq!(
            rows.iter().map(|row| row.is_overridden).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(rows[0].value, None);
    }

    #[test]
    fn rows_of_an_old_version_are_no_island_s() {
        let stored = |version| EnvInput {
            version: Some(version),
            ..EnvInput::default()
        };
        let table = Form::Table(EnvForm::of(&stored(3)));
        assert!(table.is_table_of(&stored(3)) && !table.is_table_of(&stored(4)));
        assert!(!Form::Text(TextForm::of(&stored(3))).is_table_of(&stored(3)));
    }

    #[test]
    fn what_cannot_be_read_is_named_and_secrets_are_not() {
        let var = |key: &str, secret| EnvVarInput {
            key: key.to_owned(),
            value: None,
            secret,
            scope: "run".to_owned(),
        };
        let stored = EnvInput {
            vars: vec![var("A", false), var("S", true)],
            shared: Some(vec![var("B", false)]),
            ..EnvInput::default()
        };
        assert_eq!(unreadable(&stored), ["A", "B"]);
    }
}
