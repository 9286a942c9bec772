//! Users of the instance, for its owners and admins: who they are, what they may do, whom to invite.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use tower_sessions::Session;

use super::Web;
use super::deployments::Cursor;
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::invitations::InvitationRow;
use super::layout::{Frame, Layout};
use super::made_link::{self, MadeLink};
use super::moment::Moment;
use super::signed_in::SignedIn;
use super::status::StatusWord;
use super::typed::Typed;
use crate::actions::Error;
use crate::actions::invitations::InvitationInput;
use crate::actions::users::manage::UserChange;
use crate::db::{self, Page};
use crate::model::access::ProjectRole;
use crate::model::user::{Actor, Role, User};

const PATH: &str = "/admin/users";
/// Users on one page.
const LISTED: u32 = 50;

const LABELS: &[(&str, &str)] = &[
    ("email", "Email"),
    ("role", "Role"),
    ("project", "Project"),
    ("project_role", "Role in the project"),
];

/// The page and its forms.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/admin/users", get(show).post(change))
        .route("/admin/users/reset", post(reset))
        .route("/admin/invitations", get(|| async { Redirect::to(PATH) }).post(invite))
}

struct UserRow {
    email: String,
    role: Role,
    state: StatusWord,
    is_active: bool,
    projects: String,
    made: Moment,
    is_self: bool,
    may_change: bool,
}

impl UserRow {
    fn of((user, projects): (User, i64), signed_in: &SignedIn) -> Self {
        let is_active = user.deactivated_at.is_none();
        let is_self = user.id == signed_in.user.id;
        Self {
            role: user.role,
            state: if is_active {
                StatusWord::ACTIVE
            } else {
                StatusWord::DEACTIVATED
            },
            is_active,
            projects: if user.role == Role::Member {
                projects.to_string()
            } else {
                "all".to_owned()
            },
            made: Moment::of(user.created_at),
            is_self,
            may_change: !is_self && signed_in.actor.may_grant(user.role),
            email: user.email,
        }
    }
}

/// A project to invite into.
struct Choice {
    slug: String,
    name: String,
}

#[derive(Template, WebTemplate)]
#[template(path = "admin/users.html")]
struct UsersPage {
    layout: Layout,
    next: &'static str,
    rows: Vec<UserRow>,
    older: Option<i64>,
    is_first: bool,
    /// Roles that the visitor may give, the least first.
    roles: Vec<Role>,
    project_roles: &'static [ProjectRole],
    projects: Vec<Choice>,
    invitations: Vec<InvitationRow>,
    made: Option<MadeLink>,
    form: Typed,
    errors: FormErrors,
}

impl UsersPage {
    async fn load(web: &Web, frame: Frame, signed_in: &SignedIn, before: Option<i64>) -> Result<Self> {
        let page = Page {
            limit: LISTED + 1,
            before,
        };
        let read = web.actions.db.read(move |c| {
            let users = db::users::list_with_projects(c, page)?;
            Ok((users, db::projects::list_all(c)?))
        });
        let (mut users, projects) = read.await?;
        let has_more = users.len() > LISTED as usize;
        users.truncate(LISTED as usize);
        let older = users.last().filter(|_| has_more).map(|(user, _)| user.id.0);
        let invitations = web
            .actions
            .list_invitations(&signed_in.actor, Page::first(Page::MAX_LIMIT))
            .await?;
        let choice = |project: crate::model::app::Project| Choice {
            slug: project.slug.to_string(),
            name: project.name.to_string(),
        };
        Ok(Self {
            layout: frame.titled("Users"),
            next: PATH,
            rows: users.into_iter().map(|user| UserRow::of(user, signed_in)).collect(),
            older,
            is_first: before.is_none(),
            roles: grantable(&signed_in.actor),
            project_roles: ProjectRole::ALL,
            projects: projects.into_iter().map(choice).collect(),
            invitations: invitations.into_iter().map(InvitationRow::from).collect(),
            made: None,
            form: Typed::default(),
            errors: FormErrors::none(),
        })
    }
}

fn grantable(actor: &Actor) -> Vec<Role> {
    let roles = Role::ALL.iter().rev().copied();
    roles.filter(|role| actor.may_grant(*role)).collect()
}

/// Refuses whoever may not say who uses this Dhow.
fn require_admin(signed_in: &SignedIn) -> Result<()> {
    if signed_in.actor.may_administer() {
        Ok(())
    } else {
        Err(Error::Forbidden.into())
    }
}

async fn show(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    session: Session,
    Query(cursor): Query<Cursor>,
) -> Result<UsersPage> {
    require_admin(&signed_in)?;
    Ok(UsersPage {
        made: made_link::take(&web, &session).await?,
        ..UsersPage::load(&web, frame, &signed_in, cursor.before()).await?
    })
}

async fn change(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    let role = typed.text("role").map(Role::parse).transpose();
    let change = UserChange {
        role: role.map_err(|error| Error::field("role", error))?,
        is_active: typed.text("active").map(|active| active == "true"),
    };
    let user = web.actions.change_user(&actor, typed.value("email"), change).await?;
    let sentence = match change.is_active {
        Some(true) => format!("{} may sign in again.", user.email),
        Some(false) => format!(
            "{} was deactivated: signed out everywhere, and their tokens work no more.",
            user.email
        ),
        None => format!("{} is {} now.", user.email, user.role),
    };
    flash::done(&session, sentence).await?;
    Ok(Redirect::to(PATH))
}

async fn reset(
    State(web): State<Web>,
    SignedIn { actor, .. }: SignedIn,
    session: Session,
    typed: Typed,
) -> Result<Redirect> {
    let made = web.actions.reset_user(&actor, typed.value("email")).await?;
    made_link::leave(&web, &session, &made).await?;
    Ok(Redirect::to(PATH))
}

async fn invite(
    State(web): State<Web>,
    frame: Frame,
    signed_in: SignedIn,
    session: Session,
    typed: Typed,
) -> Result<Response> {
    require_admin(&signed_in)?;
    let project = typed.text("project").map(str::to_owned);
    let input = InvitationInput {
        email: typed.value("email").to_owned(),
        role: typed.text("role").map(str::to_owned),
        project_role: project
            .as_ref()
            .and_then(|_| typed.text("project_role"))
            .map(str::to_owned),
        project,
    };
    match web.actions.invite(&signed_in.actor, &input).await {
        Ok(made) => {
            made_link::leave(&web, &session, &made).await?;
            Ok(Redirect::to(PATH).into_response())
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, LABELS)?;
            let mut page = UsersPage::load(&web, frame, &signed_in, None).await?;
            page.layout = page.layout.refused();
            page.form = typed;
            page.errors = errors;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}
