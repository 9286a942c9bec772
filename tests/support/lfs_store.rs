//! A small Git LFS server by its batch API, for the Git servers of tests, which ask it first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What follows a repository's address.
pub const BATCH: &str = "info/lfs/objects/batch";
const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// Contents, what is said of them, and who asked.
#[derive(Clone, Default)]
pub struct LfsStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    contents: HashMap<String, Vec<u8>>,
    said: HashMap<String, Value>,
    asked: Vec<String>,
    is_encrypted: bool,
}

/// The pointer that a repository holds for contents.
pub fn pointer(contents: &[u8]) -> String {
    let (oid, size) = (oid(contents), contents.len());
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
}

/// What contents are known by.
pub fn oid(contents: &[u8]) -> String {
    Sha256::digest(contents)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl LfsStore {
    /// Keeps contents; answers the pointer to them.
    pub fn put(&self, contents: &[u8]) -> String {
        self.serve(contents, contents);
        pointer(contents)
    }

    /// Serves something in the place of contents.
    pub fn serve(&self, contents: &[u8], others: &[u8]) {
        self.0.lock().unwrap().contents.insert(oid(contents), others.to_vec());
    }

    /// Says this of an object, and not where it is.
    pub fn say(&self, contents: &[u8], said: Value) {
        self.0.lock().unwrap().said.insert(oid(contents), said);
    }

    /// Gives out addresses with https.
    pub fn use_https(&self) {
        self.0.lock().unwrap().is_encrypted = true;
    }

    /// Path, `Authorization` and `X-Given` of every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    /// The answer, if the request is for Git LFS.
    pub async fn answer(&self, request: Request) -> Result<Response<Body>, Request> {
        let path = request.uri().path().to_owned();
        let oid = path.strip_prefix("/lfs/").map(str::to_owned);
        if oid.is_none() && !path.ends_with(&format!("/{BATCH}")) {
            return Err(request);
        }
        let (parts, body) = request.into_parts();
        self.note(&path, &parts.headers);
        let Some(oid) = oid else {
            let is_question = parts
                .headers
                .get(header::CONTENT_TYPE)
                .is_some_and(|kind| kind == MEDIA_TYPE);
            let is_answer = parts.headers.get(header::ACCEPT).is_some_and(|kind| kind == MEDIA_TYPE);
            if parts.method != "POST" || !is_question || !is_answer {
                return Ok(empty(StatusCode::UNPROCESSABLE_ENTITY));
            }
            let question = serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap()).unwrap();
            return Ok(self.answer_batch(&question, parts.headers[header::HOST].to_str().unwrap()));
        };
        Ok(match self.0.lock().unwrap().contents.get(&oid) {
            Some(contents) => Response::new(contents.clone().into()),
            None => empty(StatusCode::NOT_FOUND),
        })
    }

    fn note(&self, path: &str, headers: &HeaderMap) {
        let given = |name: &str| {
            headers
                .get(name)
                .map_or("-", |value| value.to_str().unwrap())
                .to_owned()
        };
        let line = format!("{path} {} {}", given("authorization"), given("x-given"));
        self.0.lock().unwrap().asked.push(line);
    }

    fn answer_batch(&self, question: &Value, host: &str) -> Response<Body> {
        let state = self.0.lock().unwrap();
        let scheme = if state.is_encrypted { "https" } else { "http" };
        assert_eq!(question["operation"], "download", "{question}");
        let objects = question["objects"].as_array().unwrap().iter().map(|object| {
            let oid = object["oid"].as_str().unwrap();
            let said = match (state.said.get(oid), state.contents.contains_key(oid)) {
                (Some(said), _) => said.clone(),
                (None, true) => {
                    json!({ "actions": { "download": { "href": format!("{scheme}://{host}/lfs/{oid}") } } })
                }
                (None, false) => json!({ "error": { "code": 404, "message": "Object does not exist" } }),
            };
            let mut answer = object.clone();
            answer
                .as_object_mut()
                .unwrap()
                .extend(said.as_object().unwrap().clone());
            answer
        });
        let answer = json!({ "transfer": "basic", "objects": objects.collect::<Vec<_>>() });
        let response = Response::builder().header(header::CONTENT_TYPE, MEDIA_TYPE);
        response.body(answer.to_string().into()).unwrap()
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    Response::builder().status(status).body(Body::empty()).unwrap()
}
