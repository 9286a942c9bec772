//! Who asks: people of every role, and tokens of every scope.

use std::collections::BTreeMap;

use serde_json::json;

use super::table::{Kind, Needs};
use crate::harness::api::Api;
use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::panel::Panel;

/// What somebody may do in a project, as Dhow orders it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    View,
    Deploy,
    Change,
    Administer,
}

/// Somebody who asks.
pub struct Asker {
    pub name: &'static str,
    /// The right in the project that is asked about.
    right: Option<Right>,
    is_administrator: bool,
    /// The highest right that the token gives; a person has all.
    scope: Right,
    session: Option<Panel>,
    token: Option<String>,
}

/// A member of the instance: the name, the right in `shop`, and a project with their role in it.
type Member = (&'static str, Option<Right>, Option<(&'static str, &'static str)>);

const MEMBERS: [Member; 5] = [
    ("stranger", None, None),
    ("viewer", Some(Right::View), Some(("shop", "viewer"))),
    ("developer", Some(Right::Change), Some(("shop", "developer"))),
    ("project-admin", Some(Right::Administer), Some(("shop", "admin"))),
    ("admin-elsewhere", None, Some(("elsewhere", "admin"))),
];

/// Everybody who asks.
pub struct Cast {
    pub askers: Vec<Asker>,
}

impl Cast {
    /// Makes them all; the projects `shop` and `elsewhere` exist.
    pub async fn of(dhow: &Dhow) -> Self {
        let nobody = |name, token| Asker {
            name,
            right: None,
            is_administrator: false,
            scope: Right::Administer,
            session: None,
            token,
        };
        let mut askers = vec![nobody("nobody", None)];
        for (name, right, membership) in MEMBERS {
            let email = format!("{name}@example.com");
            add_user(dhow, &email, "member").await;
            if let Some((project, role)) = membership {
                join(dhow, project, &email, role);
            }
            askers.push(Asker {
                name,
                right,
                is_administrator: false,
                scope: Right::Administer,
                session: Some(Panel::sign_in(&dhow.url(), &email, PASSWORD).await),
                token: Some(dhow.token_of(&email, "admin").await),
            });
        }
        add_user(dhow, "instance-admin@example.com", "admin").await;
        for (name, email, scope, right) in [
            (
                "instance-admin",
                "instance-admin@example.com",
                "admin",
                Right::Administer,
            ),
            ("read-token", OWNER, "read", Right::View),
            ("deploy-token", OWNER, "deploy", Right::Deploy),
            ("admin-token", OWNER, "admin", Right::Administer),
        ] {
            let is_person = name == "instance-admin";
            askers.push(Asker {
                name,
                right: Some(Right::Administer),
                is_administrator: true,
                scope: right,
                session: match is_person {
                    true => Some(Panel::sign_in(&dhow.url(), email, PASSWORD).await),
                    false => None,
                },
                token: Some(dhow.token_of(email, scope).await),
            });
        }
        let expired = dhow.token_of(OWNER, "admin").await;
        database(dhow)
            .execute(
                "UPDATE tokens SET expires_at = 1 WHERE id = (SELECT max(id) FROM tokens)",
                [],
            )
            .unwrap();
        askers.push(nobody("expired-token", Some(expired)));
        Self { askers }
    }

    /// Makes the members of `shop` members of another project too.
    pub fn join_all(&self, dhow: &Dhow, project: &str) {
        for (name, _, membership) in MEMBERS {
            if let Some(("shop", role)) = membership {
                join(dhow, project, &format!("{name}@example.com"), role);
            }
        }
    }
}

impl Asker {
    /// Whether it can ask here as itself: pages know sessions, calls and pushes know tokens. What needs nothing is
    /// asked by nobody, since tries to sign in are counted.
    pub fn asks(&self, kind: Kind, needs: Needs) -> bool {
        match kind {
            Kind::Page if needs == Needs::Nothing => self.name == "nobody",
            Kind::Page => self.session.is_some() || self.name == "nobody",
            Kind::Call | Kind::Push => true,
        }
    }

    /// The status that it must get, by the table alone.
    pub fn expected(&self, kind: Kind, needs: Needs, answer: u16) -> u16 {
        let is_known = match kind {
            Kind::Page => self.session.is_some(),
            Kind::Call | Kind::Push => self.token.is_some() && self.name != "expired-token",
        };
        let scope = match kind {
            Kind::Page => Right::Administer,
            Kind::Call | Kind::Push => self.scope,
        };
        match needs {
            Needs::Nothing => answer,
            Needs::SignedOut if is_known => 303,
            Needs::SignedOut => answer,
            _ if !is_known && kind == Kind::Page => 303,
            _ if !is_known => 401,
            Needs::User => answer,
            Needs::UserChange if scope < Right::Change => 403,
            Needs::UserChange => answer,
            Needs::InstanceView if self.is_administrator => answer,
            Needs::Instance if self.is_administrator && scope == Right::Administer => answer,
            Needs::Instance | Needs::InstanceView => 403,
            Needs::In(_) if self.right.is_none() => 404,
            Needs::In(right) if self.right.min(Some(scope)) < Some(right) => 403,
            Needs::In(_) => answer,
        }
    }

    /// Asks; only the status counts. A page of a stream is left at once.
    pub async fn ask(&self, dhow: &Dhow, kind: Kind, method: &str, path: &str, body: &str) -> u16 {
        let authorization = self.token.as_deref().map(|token| match kind {
            Kind::Push => format!("Basic {}", base64(&format!("any:{token}"))),
            _ => format!("Bearer {token}"),
        });
        let form = "application/x-www-form-urlencoded";
        let mut headers = vec![(
            "content-type",
            if kind == Kind::Page { form } else { "application/json" },
        )];
        let cookie = self.session.as_ref().map(Panel::cookie_header);
        match kind {
            Kind::Page => headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie))),
            Kind::Call | Kind::Push => headers.extend(authorization.as_deref().map(|text| ("authorization", text))),
        }
        let prefix = if kind == Kind::Call { "/api/v1" } else { "" };
        let url = format!("{}{prefix}{path}", dhow.url());
        dhow.http.status(method, &url, &headers, body).await
    }
}

/// Things that a request which uses them up may have.
pub async fn make_victim(api: &Api, project: &str, app: &str) {
    let source = json!({ "kind": "git", "url": "http://127.0.0.1:9/nothing.git" });
    let app = json!({ "name": app, "slug": app, "source": source });
    api.post("/projects", json!({ "name": project })).await.expect(201);
    api.post(&format!("/projects/{project}/apps"), app).await.expect(201);
}

/// What the path's names stand for.
pub fn filled(template: &str, names: &BTreeMap<&str, String>) -> String {
    names.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

async fn add_user(dhow: &Dhow, email: &str, role: &str) {
    let arguments = ["user", "add", email, "--role", role, "--password-stdin"];
    let outcome = dhow.verb(&arguments, PASSWORD).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

fn join(dhow: &Dhow, project: &str, email: &str, role: &str) {
    let sql = "INSERT INTO memberships (project_id, user_id, role, created_at) \
         SELECT projects.id, users.id, ?3, 0 FROM projects, users WHERE slug = ?1 AND email = ?2";
    let joined = database(dhow).execute(sql, [project, email, role]).unwrap();
    assert_eq!(joined, 1, "{email} joins {project}");
}

fn database(dhow: &Dhow) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(dhow.data_file("dhow.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    database
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
