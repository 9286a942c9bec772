//! Queries, read so that every refusal is a problem that names what was refused.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;
use crate::actions::Error;
use crate::model::Invalid;

/// What stands behind the question mark.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let asked = Query::try_from_uri(&parts.uri);
        let Query(asked) = asked.map_err(|rejection| {
            // “Failed to deserialize query string: limit: invalid digit”, where serde knows which one it was.
            let text = rejection.body_text();
            let text = text
                .split_once("query string: ")
                .map_or(text.as_str(), |(_, reason)| reason);
            let (field, reason) = text.split_once(": ").unwrap_or(("query", text));
            Error::field(field, Invalid::new(format!("This cannot be read: {reason}.")))
        })?;
        Ok(Self(asked))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use axum::http::Request;
    use axum::response::IntoResponse as _;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Wish {
        #[serde(default)]
        follow: bool,
    }

    #[tokio::test]
    async fn a_refusal_names_the_field() {
        let asked = async |uri: &str| {
            let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
            Asked::<Wish>::from_request_parts(&mut parts, &()).await
        };
        assert!(asked("/log?follow=true&other=1").await.unwrap().0.follow);
        for (uri, field) in [("/log?follow=x", "follow"), ("/log?follow=true&follow=true", "query")] {
            let Err(problem) = asked(uri).await else {
                panic!("{uri} is refused")
            };
            let response = problem.into_response();
            assert_eq!(response.status(), 422);
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["errors"][0]["field"], field, "{body}");
        }
        let (mut parts, ()) = Request::get("/x?a=1").body(()).unwrap().into_parts();
        let all = Asked::<HashMap<String, String>>::from_request_parts(&mut parts, &()).await;
        assert_eq!(all.map_err(|_| "refused").unwrap().0["a"], "1");
    }
}
