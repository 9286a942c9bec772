//! The description of the API (OpenAPI 3.1), made from the handlers' own attributes, at `/api/v1/openapi.json`.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::{Api, Problem};

/// What is true of every call.
#[derive(OpenApi)]
#[openapi(
    info(title = "Dhow", description = "Deploy apps from Git to one server.", license(name = "MIT", identifier = "MIT")),
    servers((url = "/api/v1")),
    components(schemas(Problem)),
    modifiers(&Token),
    security(("token" = []))
)]
pub struct Description;

/// How callers are known.
struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of the account page or of `dhow token create`."))
            .build();
        if let Some(components) = &mut openapi.components {
            components.add_security_scheme("token", SecurityScheme::Http(bearer));
        }
    }
}

/// The calls, and one more that describes them.
pub fn described(calls: OpenApiRouter<Api>) -> Router<Api> {
    let (router, mut openapi) = calls.split_for_parts();
    for item in openapi.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            operation
                .responses
                .responses
                .insert("default".to_owned(), refusal().into());
        }
    }
    let json = openapi
        .to_json()
        .expect("strings, numbers and lists of them are always JSON");
    let json = Bytes::from(json);
    router.route(
        "/openapi.json",
        get(move || async move { ([(CONTENT_TYPE, "application/json")], json) }),
    )
}

/// What every call answers when it does not do what is asked.
fn refusal() -> utoipa::openapi::Response {
    let problem = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description("A refusal (RFC 9457): 401, 403, 404, 409, 413, 415, 422, 429 or 503")
        .content("application/problem+json", problem)
        .build()
}
