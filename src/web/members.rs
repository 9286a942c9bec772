//! Members of a project: seen by all of them, changed by its admins.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use tower_sessions::Session;

use super::Web;
use super::error::Result;
use super::flash;
use super::forms::FormErrors;
use super::invitations::InvitationRow;
use super::layout::{Frame, Layout};
use super::load::LoadedProject;
use super::made_link::{self, MadeLink};
use super::moment::Moment;
use super::signed_in::SignedIn;
use super::typed::Typed;
use crate::actions::Error;
use crate::actions::members::Added;
use crate::db::invitations::Of;
use crate::db::memberships::Member;
use crate::db::{self, Page};
use crate::model::access::{ProjectRole, Right};
use crate::model::app::Project;
use crate::model::user::Role;

const LABELS: &[(&str, &str)] = &[("email", "Email"), ("role", "Role")];

/// The page and its forms.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/projects/{project}/members", get(show).post(add))
        .route("/projects/{project}/members/remove", post(remove))
}

struct MemberRow {
    email: String,
    role: ProjectRole,
    /// What they are besides: an owner or admin sees every project anyway.
    remark: &'static str,
    since: Moment,
}

impl From<Member> for MemberRow {
    fn from(member: Member) -> Self {
        Self {
            remark: match member.user.role {
                _ if member.user.deactivated_at.is_some() => "deactivated",
                Role::Owner => "owner of this Dhow",
                Role::Admin => "admin of this Dhow",
                Role::Member => "",
            },
            email: member.user.email,
            role: member.role,
            since: Moment::of(member.since),
        }
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "projects/members.html")]
struct MembersPage {
    layout: Layout,
    slug: String,
    name: String,
    /// The page's own address, to come back to.
    next: String,
    may_administer: bool,
    roles: &'static [ProjectRole],
    rows: Vec<MemberRow>,
    invitations: Vec<InvitationRow>,
    made: Option<MadeLink>,
    form: Typed,
    errors: FormErrors,
}

impl MembersPage {
    async fn load(web: &Web, frame: Frame, (project, right): (&Project, Right)) -> Result<Self> {
        let (id, may_administer) = (project.id, right >= Right::Administer);
        let whole = Page::first(u32::MAX);
        let (mut members, invitations) = web
            .actions
            .db
            .read(move |c| {
                let invitations = if may_administer {
                    db::invitations::list(c, Of::Project(id), whole)?
                } else {
                    Vec::new()
                };
                Ok((db::memberships::list_of_project(c, id, whole)?, invitations))
            })
            .await?;
        members.sort_by(|one, other| one.user.email.cmp(&other.user.email));
        Ok(Self {
            layout: frame.titled(format!("Members of {}", project.name)),
            slug: project.slug.to_string(),
            name: project.name.to_string(),
            next: path(project),
            may_administer,
            roles: ProjectRole::ALL,
            rows: members.into_iter().map(MemberRow::from).collect(),
            invitations: invitations.into_iter().map(InvitationRow::from).collect(),
            made: None,
            form: Typed::default(),
            errors: FormErrors::none(),
        })
    }
}

fn path(project: &Project) -> String {
    format!("/projects/{}/members", project.slug)
}

async fn show(
    State(web): State<Web>,
    frame: Frame,
    session: Session,
    LoadedProject(project, right): LoadedProject,
) -> Result<MembersPage> {
    Ok(MembersPage {
        made: made_link::take(&web, &session).await?,
        ..MembersPage::load(&web, frame, (&project, right)).await?
    })
}

async fn add(
    State(web): State<Web>,
    frame: Frame,
    SignedIn { actor, .. }: SignedIn,
    session: Session,
    LoadedProject(project, right): LoadedProject,
    typed: Typed,
) -> Result<Response> {
    if right < Right::Administer {
        return Err(Error::Forbidden.into());
    }
    let added = match ProjectRole::parse(typed.value("role")) {
        Ok(role) => {
            web.actions
                .add_member(&actor, &project, typed.value("email"), role)
                .await
        }
        Err(error) => Err(Error::field("role", error)),
    };
    match added {
        Ok(Added::Member(member)) => {
            let sentence = format!("{} is {} of {} now.", member.user.email, member.role, project.name);
            flash::done(&session, sentence).await?;
        }
        Ok(Added::Invited(made)) => made_link::leave(&web, &session, &made).await?,
        Err(error) => {
            let errors = FormErrors::from_error(error, LABELS)?;
            let mut page = MembersPage::load(&web, frame, (&project, right)).await?;
            page.layout = page.layout.refused();
            page.form = typed;
            page.errors = errors;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    }
    Ok(Redirect::to(&path(&project)).into_response())
}

async fn remove(
    State(web): State<Web>,
    SignedIn { actor, user }: SignedIn,
    session: Session,
    LoadedProject(project, _): LoadedProject,
    typed: Typed,
) -> Result<Redirect> {
    let email = typed.value("email");
    match web.actions.remove_member(&actor, &project, email).await {
        Ok(()) => flash::done(&session, format!("{email} was removed from {}.", project.name)).await?,
        // Removed already, for example in another tab: what was wanted is so.
        Err(Error::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    let has_left = email == user.email && !actor.sees_all();
    let next = if has_left { "/".to_owned() } else { path(&project) };
    Ok(Redirect::to(&next))
}
