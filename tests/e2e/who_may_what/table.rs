//! Every route of Dhow, with what it needs and a request that changes nothing worth keeping.

use super::cast::Right;

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nobody has to be known.
    Nothing,
    /// Only who is not signed in has a use for it; others are led on.
    SignedOut,
    /// Anybody who is signed in.
    User,
    /// Anybody who is known and whose token may change things.
    UserChange,
    /// A right in the project of the path.
    In(Right),
    /// An owner or an admin of the instance.
    Instance,
    /// One of them, with whatever token.
    InstanceView,
}

/// Where a route is asked, and by what somebody is known there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By the cookie of a session.
    Page,
    /// By a token.
    Call,
    /// By a token as git sends it.
    Push,
}

/// A route. In its path and body `{app}` and the like stand for what the cast has.
#[derive(Debug)]
pub struct Row {
    pub kind: Kind,
    pub method: &'static str,
    pub path: &'static str,
    pub needs: Needs,
    pub body: &'static str,
    /// The answer to whoever may.
    pub answer: u16,
    /// Whether it takes away what it names, so that each one who may gets one of their own.
    pub uses_up: bool,
}

const fn row(
    kind: Kind,
    method: &'static str,
    path: &'static str,
    needs: Needs,
    body: &'static str,
    answer: u16,
) -> Row {
    Row {
        kind,
        method,
        path,
        needs,
        body,
        answer,
        uses_up: false,
    }
}

const fn page(method: &'static str, path: &'static str, needs: Needs, body: &'static str, answer: u16) -> Row {
    row(Kind::Page, method, path, needs, body, answer)
}

const fn call(method: &'static str, path: &'static str, needs: Needs, body: &'static str, answer: u16) -> Row {
    row(Kind::Call, method, path, needs, body, answer)
}

const fn using_up(row: Row) -> Row {
    Row { uses_up: true, ..row }
}

use Needs::{In, Instance, InstanceView, Nothing, SignedOut, User, UserChange};
use Right::{Administer, Change, Deploy, View};

/// The app is never live: what is asked of a live one is a conflict, and a deployment fails soon.
pub const ROUTES: &[Row] = &[
    page("GET", "/", User, "", 200),
    page("GET", "/account", User, "", 200),
    page("POST", "/account/password", User, "", 422),
    page("POST", "/account/sessions/end", User, "session=none", 404),
    page("POST", "/account/sessions/end-others", User, "", 303),
    page("POST", "/account/tokens", User, "name=", 422),
    page("POST", "/account/tokens/revoke", User, "token=0", 404),
    page("GET", "/account/two-factor", User, "", 200),
    page("POST", "/account/two-factor/begin", User, "", 422),
    page("POST", "/account/two-factor/confirm", User, "code=1", 409),
    page("POST", "/account/two-factor/off", User, "", 422),
    page("GET", "/admin/audit", InstanceView, "", 200),
    page("GET", "/admin/invitations", Nothing, "", 303),
    page("POST", "/admin/host-keys/remove", Instance, "host=none.example", 303),
    page("POST", "/admin/invitations", Instance, "email=", 422),
    page("GET", "/admin/users", Instance, "", 200),
    page("POST", "/admin/users", Instance, "email=", 404),
    page("POST", "/admin/users/reset", Instance, "email=", 404),
    page("GET", "/apps/{app}", In(View), "", 200),
    page("GET", "/apps/{app}/deployments", In(View), "", 200),
    page("POST", "/apps/{app}/deployments", In(Deploy), "", 303),
    page("GET", "/apps/{app}/deployments/{number}", In(View), "", 200),
    page("POST", "/apps/{app}/deployments/{number}/cancel", In(Deploy), "", 303),
    page("GET", "/apps/{app}/deployments/{number}/stream", In(View), "", 200),
    page("GET", "/apps/{app}/domains", In(View), "", 200),
    page("POST", "/apps/{app}/domains", In(Change), "host=", 422),
    page("GET", "/apps/{app}/domains/edit", In(View), "", 404),
    page("POST", "/apps/{app}/domains/edit", In(Change), "host=", 404),
    page("POST", "/apps/{app}/domains/move", In(Change), "host=none.example", 303),
    page(
        "POST",
        "/apps/{app}/domains/remove",
        In(Change),
        "host=none.example",
        303,
    ),
    page("GET", "/apps/{app}/deliveries", In(View), "", 200),
    page("GET", "/apps/{app}/deliveries/{id}", In(View), "", 404),
    page("POST", "/apps/{app}/deliveries/{id}/replay", In(Deploy), "", 404),
    page("GET", "/apps/{app}/webhook", In(View), "", 200),
    page("POST", "/apps/{app}/webhook/rotate", In(Administer), "", 303),
    page("GET", "/admin/deliveries", InstanceView, "", 200),
    page("POST", "/webhooks/{id}", Nothing, "", 401),
    page("GET", "/apps/{app}/env", In(View), "", 200),
    page("POST", "/apps/{app}/env", In(Change), "action=save", 303),
    page("GET", "/projects/{project}/env", In(View), "", 200),
    page("POST", "/projects/{project}/env", In(Change), "action=save", 303),
    page("GET", "/apps/{app}/releases", In(View), "", 200),
    page("GET", "/apps/{app}/rollback", In(View), "", 404),
    page("POST", "/apps/{app}/rollback", In(Deploy), "release=1", 422),
    page("GET", "/apps/{app}/settings", In(View), "", 200),
    page("POST", "/apps/{app}/settings", In(Change), "name=", 422),
    page("GET", "/apps/{app}/source", In(View), "", 200),
    page("POST", "/apps/{app}/source/credential", In(Change), "kind=none", 422),
    page("POST", "/apps/{app}/source/credential/remove", In(Change), "", 303),
    page("POST", "/apps/{app}/source/check", In(Change), "", 303),
    page("POST", "/apps/{app}/source/branch", In(Change), "branch=-f", 422),
    page("GET", "/apps/{app}/plan", In(View), "", 200),
    page("POST", "/apps/{app}/plan", In(Deploy), "", 303),
    page("POST", "/apps/{app}/apply", In(Deploy), "", 303),
    page("POST", "/apps/{app}/restart", In(Deploy), "", 303),
    page("POST", "/apps/{app}/start", In(Deploy), "", 303),
    page("POST", "/apps/{app}/stop", In(Deploy), "", 303),
    page("GET", "/apps/{app}/stream", In(View), "", 200),
    using_up(page("POST", "/apps/{app}/delete", In(Administer), "confirm={app}", 303)),
    page("GET", "/dashboard/events", User, "", 200),
    page("GET", "/favicon.ico", Nothing, "", 308),
    page("GET", "/healthz", Nothing, "", 200),
    page("GET", "/readyz", Nothing, "", 200),
    page("GET", "/static/{*path}", Nothing, "", 200),
    page("GET", "/invitations/{token}", Nothing, "", 404),
    page("POST", "/invitations/{token}", Nothing, "password=x", 404),
    page("POST", "/invitations/take-back", User, "id=0", 404),
    page("GET", "/login/code", Nothing, "", 303),
    page("POST", "/login/code", Nothing, "code=1", 303),
    page("GET", "/projects/{project}/members", In(View), "", 200),
    page("POST", "/projects/{project}/members", In(Administer), "email=", 422),
    page(
        "POST",
        "/projects/{project}/members/remove",
        In(Administer),
        "email=none@example.com",
        303,
    ),
    page("GET", "/login", SignedOut, "", 200),
    page("POST", "/login", Nothing, "email=x&password=x", 422),
    page("GET", "/projects", Nothing, "", 303),
    page("POST", "/projects", Instance, "name=", 422),
    page("GET", "/projects/new", Instance, "", 200),
    page("GET", "/projects/{project}", In(View), "", 200),
    page("POST", "/projects/{project}", In(Administer), "name=", 422),
    page("POST", "/projects/{project}/apps", In(Change), "name=", 422),
    page("GET", "/projects/{project}/apps/new", In(Change), "", 200),
    using_up(page(
        "POST",
        "/projects/{project}/delete",
        In(Administer),
        "confirm={project}",
        303,
    )),
    page("GET", "/setup", Nothing, "", 403),
    page("POST", "/setup", Nothing, "token=x&email=x&password=x", 403),
    page("POST", "/logout", Nothing, "", 303),
    call("GET", "/openapi.json", Nothing, "", 200),
    call("GET", "/projects", User, "", 200),
    call("POST", "/projects", Instance, "{}", 422),
    call("GET", "/projects/{project}", In(View), "", 200),
    call("PATCH", "/projects/{project}", In(Administer), "{}", 200),
    using_up(call("DELETE", "/projects/{project}", In(Administer), "", 204)),
    call("GET", "/projects/{project}/apps", In(View), "", 200),
    call("POST", "/projects/{project}/apps", In(Change), "{}", 422),
    call("GET", "/apps/{app}", In(View), "", 200),
    call("PATCH", "/apps/{app}", In(Change), "{}", 200),
    using_up(call("DELETE", "/apps/{app}", In(Administer), "", 202)),
    call("POST", "/apps/{app}/apply", In(Deploy), "", 409),
    call("POST", "/apps/{app}/restart", In(Deploy), "", 409),
    call("POST", "/apps/{app}/start", In(Deploy), "", 409),
    call("POST", "/apps/{app}/stop", In(Deploy), "", 409),
    call("GET", "/apps/{app}/deployments", In(View), "", 200),
    call("POST", "/apps/{app}/deployments", In(Deploy), "{}", 202),
    call("GET", "/apps/{app}/domains", In(View), "", 200),
    call("POST", "/apps/{app}/domains", In(Change), "{\"host\":\"\"}", 422),
    call("PATCH", "/apps/{app}/domains/{host}", In(Change), "{}", 404),
    call("DELETE", "/apps/{app}/domains/{host}", In(Change), "", 404),
    call("GET", "/apps/{app}/credential", In(View), "", 200),
    call("PUT", "/apps/{app}/credential", In(Change), "{}", 422),
    call("DELETE", "/apps/{app}/credential", In(Change), "", 204),
    call("POST", "/apps/{app}/access-check", In(Change), "", 422),
    call("GET", "/apps/{app}/plan", In(View), "", 200),
    call("POST", "/apps/{app}/plan", In(Deploy), "", 202),
    call("GET", "/apps/{app}/env", In(View), "", 200),
    call("PUT", "/apps/{app}/env", In(Change), "{}", 200),
    call("PATCH", "/apps/{app}/env", In(Change), "{}", 200),
    call("POST", "/apps/{app}/env/import", In(Change), "", 200),
    call("GET", "/projects/{project}/env", In(View), "", 200),
    call("PUT", "/projects/{project}/env", In(Change), "{}", 200),
    call("PATCH", "/projects/{project}/env", In(Change), "{}", 200),
    call("GET", "/apps/{app}/deliveries", In(View), "", 200),
    call("GET", "/apps/{app}/deliveries/{id}", In(View), "", 404),
    call("POST", "/apps/{app}/deliveries/{id}/replay", In(Deploy), "", 404),
    call("GET", "/apps/{app}/webhook", In(View), "", 200),
    call("POST", "/apps/{app}/webhook/rotate", In(Administer), "", 200),
    call("GET", "/apps/{app}/releases", In(View), "", 200),
    call("POST", "/apps/{app}/rollback", In(Deploy), "{\"release\":1}", 422),
    call("GET", "/deployments/{id}", In(View), "", 200),
    call("POST", "/deployments/{id}/cancel", In(Deploy), "", 409),
    call("GET", "/deployments/{id}/log", In(View), "", 200),
    call("GET", "/projects/{project}/members", In(View), "", 200),
    call("PUT", "/projects/{project}/members/{email}", In(Administer), "{}", 422),
    call("DELETE", "/projects/{project}/members/{email}", In(Administer), "", 404),
    call("GET", "/audit", InstanceView, "", 200),
    call("GET", "/users", InstanceView, "", 200),
    call("PATCH", "/users/{email}", Instance, "{}", 404),
    call("GET", "/invitations", User, "", 200),
    call("POST", "/invitations", UserChange, "{}", 422),
    call("DELETE", "/invitations/{id}", UserChange, "", 404),
    row(Kind::Push, "ANY", "/git/{repository}/{*operation}", In(Deploy), "", 200),
];
