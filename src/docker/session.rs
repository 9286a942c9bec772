//! The session beside a build, over which BuildKit asks for the secrets that the Dockerfile mounts.
//!
//! bollard's own session serves none, so this one stands in for it: an upgraded connection to the engine, on which
//! Dhow answers as a gRPC server. Values are in memory only; the connection ends with the [`Session`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::health::health_check_response::ServingStatus;
use bollard_buildkit_proto::health::health_server::{Health, HealthServer};
use bollard_buildkit_proto::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use http_body_util::Empty;
use hyper::Request;
use hyper::server::conn::http2;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioExecutor;
use hyper_util::service::TowerToHyperService;
use tokio_util::task::AbortOnDropHandle;
use tonic::service::Routes;
use tonic::{Response, Status};

use super::Error;
use super::connection::Connection;
use crate::model::env_var::EnvKey;

/// What BuildKit may call, told when the session begins (moby, `POST /session`).
const SECRET_METHOD: &str = "/moby.buildkit.secrets.v1.Secrets/GetSecret";

/// An open session; dropping it ends it.
pub(super) struct Session {
    id: String,
    missing: Missing,
    _serving: AbortOnDropHandle<()>,
}

/// Secrets that were asked for in vain.
type Missing = Arc<Mutex<BTreeSet<String>>>;

impl Session {
    /// Opens a session that serves these secrets, by their ids.
    pub(super) async fn open(connection: &Connection, secrets: &[(String, String)]) -> Result<Session, Error> {
        let id = session_id()?;
        let request = Request::post("/session")
            .header("X-Docker-Expose-Session-Uuid", &id)
            .header("X-Docker-Expose-Session-Grpc-Method", SECRET_METHOD)
            .body(Empty::new())
            .map_err(|error| Error::Refused(format!("a build session cannot be asked for: {error}")))?;
        let upgraded = connection.upgrade(request, "h2c").await?;
        let missing = Missing::default();
        let store = Store {
            secrets: secrets.iter().cloned().collect(),
            missing: Arc::clone(&missing),
        };
        Ok(Session {
            id,
            missing,
            _serving: AbortOnDropHandle::new(tokio::spawn(serve(upgraded, store))),
        })
    }

    /// By what a build names it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// A secret that the build asked for and that is not there.
    pub(super) fn missing(&self) -> Option<String> {
        self.missing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .first()
            .cloned()
    }
}

async fn serve(connection: Upgraded, store: Store) {
    let services = Routes::new(HealthServer::new(Alive)).add_service(SecretsServer::new(store));
    let server = http2::Builder::new(TokioExecutor::new());
    // How it ends tells nothing: the build itself says whether it was done.
    let _ended = server
        .serve_connection(connection, TowerToHyperService::new(services.prepare()))
        .await;
}

struct Store {
    secrets: BTreeMap<String, String>,
    missing: Missing,
}

#[tonic::async_trait]
impl Secrets for Store {
    async fn get_secret(
        &self,
        request: tonic::Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        if let Some(value) = self.secrets.get(&id) {
            let data = value.clone().into_bytes();
            return Ok(Response::new(GetSecretResponse { data }));
        }
        // No variable can have such a name, as the default id of a mount by target: what BuildKit does with those that
        // are not there is all that can be meant.
        if EnvKey::parse(&id).is_err() {
            return Err(Status::not_found(format!("there is no build secret `{id}`")));
        }
        // "Not found" would have BuildKit leave the mount out in silence, unless the Dockerfile says `required`.
        let refusal = Status::failed_precondition(format!("there is no build secret `{id}`"));
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Err(refusal)
    }
}

/// The engine asks every few seconds whether the session is alive.
struct Alive;

#[tonic::async_trait]
impl Health for Alive {
    type WatchStream = futures_util::stream::Pending<Result<HealthCheckResponse, Status>>;

    async fn check(&self, _: tonic::Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let status = ServingStatus::Serving.into();
        Ok(Response::new(HealthCheckResponse { status }))
    }

    async fn list(&self, _: tonic::Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("not served"))
    }

    async fn watch(&self, _: tonic::Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("not served"))
    }
}

/// Any id that no other session of the engine has.
fn session_id() -> Result<String, Error> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Refused(format!("no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn only_a_secret_that_could_be_there_and_is_not_fails_each_mount() {
        let store = Store {
            secrets: BTreeMap::from([("TOKEN".to_owned(), "hush".to_owned())]),
            missing: Missing::default(),
        };
        let ask = |id: &str| {
            let id = id.to_owned();
            store.get_secret(tonic::Request::new(GetSecretRequest {
                id,
                ..Default::default()
            }))
        };
        assert_eq!(ask("TOKEN").await.unwrap().into_inner().data, b"hush");
        for id in ["npm-token", ".npmrc", "PORT"] {
            assert_eq!(ask(id).await.unwrap_err().code(), Code::NotFound, "{id}");
        }
        assert!(store.missing.lock().unwrap().is_empty());
        assert_eq!(ask("OTHER").await.unwrap_err().code(), Code::FailedPrecondition);
        assert_eq!(store.missing.lock().unwrap().first().unwrap(), "OTHER");
    }
}
