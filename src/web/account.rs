//! Who is signed in.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::routing::get;

use super::Web;
use super::layout::{Frame, Layout};
use super::moment::Moment;
use super::signed_in::SignedIn;
use crate::model::user::Role;

/// The page.
pub fn router() -> Router<Web> {
    Router::new().route("/account", get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "account.html")]
struct AccountPage {
    layout: Layout,
    email: String,
    role: &'static str,
    rights: &'static str,
    since: Moment,
}

async fn show(frame: Frame, signed_in: SignedIn) -> AccountPage {
    let user = signed_in.user;
    AccountPage {
        layout: frame.titled("Account"),
        role: user.role.as_str(),
        rights: rights(user.role),
        since: Moment::of(user.created_at),
        email: user.email,
    }
}

const fn rights(role: Role) -> &'static str {
    match role {
        Role::Owner => "everything",
        Role::Admin => "everything, except changing owners",
        Role::Member => "only the projects that they belong to",
    }
}
