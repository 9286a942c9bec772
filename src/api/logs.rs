//! `/deployments/{id}/log`: as text, in parts, followed to its end, or as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower_http::services::ServeFile;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::query::Asked;
use super::{Api, Problem};
use crate::logs::Chunk;
use crate::model::ids::DeploymentId;

/// How often an idle stream shows that it lives; proxies cut silent ones after a minute or so.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The call.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show))
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    follow: bool,
}

#[utoipa::path(get, path = "/deployments/{id}/log", tag = "deployments", summary = "A deployment's log", operation_id = "logs_show", params(("id" = i64, Path, description = "Id of the deployment"), ("follow" = Option<bool>, Query, description = "Go on until the deployment has ended")), responses((status = 200, content((String = "text/plain"), (String = "text/event-stream")), description = "The log; as events when they are accepted, each with the offset after it as its id"), (status = 206, body = String, content_type = "text/plain", description = "A part of it"), (status = 416, description = "No such part")))]
async fn show(
    caller: Caller,
    State(stop): State<CancellationToken>,
    Path(id): Path<String>,
    Asked(wish): Asked<Wish>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (deployment, _) = caller.deployment(&id).await?;
    let id = deployment.id;
    if accepts_events(&headers) {
        let offset = last_event_id(&headers);
        let chunks = caller.actions().follow_log(id, offset);
        return Ok(events(chunks, ended(&caller, id, stop)).into_response());
    }
    if wish.follow {
        let chunks = caller
            .actions()
            .follow_log(id, 0)
            .map(|chunk| chunk.map(|chunk| chunk.text));
        let body = Body::from_stream(chunks.take_until(ended(&caller, id, stop)));
        return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response());
    }
    Ok(file(&caller, id, byte_range(&headers)).await)
}

/// When a stream must end although its thing goes on: Dhow stops, or the caller may no longer see it.
fn ended(caller: &Caller, id: DeploymentId, stop: CancellationToken) -> impl Future<Output = ()> + Send + use<> {
    let sight_lost = caller.actions().sight_lost(&caller.actor, id);
    async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = sight_lost => {}
        }
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept
        .split(',')
        .any(|kind| kind.trim().starts_with("text/event-stream"))
}

/// Where a reader goes on: the id of the last event that it got, which is the offset after it.
fn last_event_id(headers: &HeaderMap) -> u64 {
    headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// The range that is asked for. One in other units than bytes, one that is no range and several at once are ignored,
/// which the whole log answers (RFC 9110 §14.2).
fn byte_range(headers: &HeaderMap) -> Option<HeaderValue> {
    let (unit, range) = headers.get(header::RANGE)?.to_str().ok()?.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| match text {
        "" => Some(None),
        digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse::<u64>().ok().map(Some),
        _ => None,
    };
    let is_range = match (number(first)?, number(last)?) {
        (Some(first), Some(last)) => first <= last,
        (None, None) => false,
        _ => true,
    };
    if !unit.eq_ignore_ascii_case("bytes") || !is_range {
        return None;
    }
    HeaderValue::from_str(&format!("bytes={first}-{last}")).ok()
}

/// The log as events; the last one is `done`, so that a reader knows that nothing more comes.
fn events(
    chunks: impl Stream<Item = std::io::Result<Chunk>> + Send + 'static,
    ended: impl Future<Output = ()> + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let parts = chunks.filter_map(|chunk| async {
        let chunk = chunk.ok()?;
        Some(Ok(Event::default().id(chunk.end.to_string()).data(chunk.text)))
    });
    let done = futures_util::stream::once(async { Ok(Event::default().event("done").data("done")) });
    Sse::new(parts.chain(done).take_until(ended)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// The file as it is now, or the range of it that is asked for.
async fn file(caller: &Caller, id: DeploymentId, range: Option<HeaderValue>) -> Response {
    // Nothing of the request but the range counts: the file grows, so no answer stays true.
    let mut ask = Request::new(Body::empty());
    if let Some(range) = range {
        ask.headers_mut().insert(header::RANGE, range);
    }
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    let served = ServeFile::new(caller.actions().logs.path(id)).oneshot(ask).await;
    let mut response = served.unwrap_or_else(|never| match never {}).map(Body::new);
    if response.status() == axum::http::StatusCode::NOT_FOUND {
        // It waits: nothing was written yet.
        return ([(header::CONTENT_TYPE, text)], "").into_response();
    }
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response.headers_mut().remove(header::LAST_MODIFIED);
    response.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_good_range_of_bytes_counts() {
        let range = |text: &str| {
            let headers = HeaderMap::from_iter([(header::RANGE, text.parse().unwrap())]);
            byte_range(&headers).map(|range| range.to_str().unwrap().to_owned())
        };
        for (text, meant) in [
            ("bytes=0-4", "bytes=0-4"),
            ("Bytes= 5- ", "bytes=5-"),
            ("bytes=-5", "bytes=-5"),
            ("bytes=99999-", "bytes=99999-"),
        ] {
            assert_eq!(range(text).as_deref(), Some(meant), "{text}");
        }
        for text in [
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=+1-4",
            "bytes=0-1,3-4",
            "lines=0-4",
            "bytes=0-99999999999999999999",
            "bytes=1-2-3",
        ] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
