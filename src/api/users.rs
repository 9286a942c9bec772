//! `/users`: for owners and admins of the instance.

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Caller, Writer};
use super::list::{Items, Paging, PagingQuery, with_one_more};
use super::{Api, Problem};
use crate::actions::Error;
use crate::actions::json::parse_json;
use crate::actions::users::manage::UserChange;
use crate::db;
use crate::model::time::Timestamp;
use crate::model::user::{Role, User};

/// The calls.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(change))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct UserView {
    id: i64,
    email: String,
    #[schema(value_type = String)]
    role: Role,
    active: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.0,
            email: user.email,
            role: user.role,
            active: user.deactivated_at.is_none(),
            created_at: user.created_at,
        }
    }
}

/// A field left out is unchanged; neither has a default that `null` could mean.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeInput {
    #[serde(default, deserialize_with = "given")]
    role: Option<String>,
    #[serde(default, deserialize_with = "given")]
    active: Option<bool>,
}

fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[utoipa::path(get, path = "/users", tag = "people", summary = "The users of the instance", operation_id = "users_list", params(PagingQuery), responses((status = 200, body = Items<UserView>)))]
async fn list(caller: Caller, Paging(page): Paging) -> Result<Json<Items<UserView>>, Problem> {
    if !caller.actor.sees_all() {
        return Err(Error::Forbidden.into());
    }
    let rows = caller
        .actions()
        .db
        .read(move |c| db::users::list_with_projects(c, with_one_more(page)))
        .await?;
    Ok(Json(Items::page(
        rows,
        page,
        |(user, _)| user.id.0,
        |(user, _)| user.into(),
    )))
}

#[utoipa::path(patch, path = "/users/{email}", tag = "people", summary = "Give a user another role, deactivate one or let one in again", operation_id = "users_change", params(("email" = String, Path, description = "E-mail address of the user")), request_body = ChangeInput, responses((status = 200, body = UserView)))]
async fn change(
    Writer(caller): Writer,
    Path(email): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<UserView>, Problem> {
    if !caller.actor.may_administer() {
        return Err(Error::Forbidden.into());
    }
    let input: ChangeInput = parse_json(body)?;
    let role = input.role.as_deref().map(Role::parse).transpose();
    let change = UserChange {
        role: role.map_err(|error| Error::field("role", error))?,
        is_active: input.active,
    };
    let user = caller.actions().change_user(&caller.actor, &email, change).await?;
    Ok(Json(user.into()))
}
