//! What a pusher is told of the deployment that their push set off, while it runs.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::sideband::{self, Held};

/// How often a silent connection shows that it lives; proxies cut silent ones after a minute or so.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What to tell after a push.
pub struct Reply {
    /// Told at once.
    pub lines: Vec<String>,
    /// The branch that is deployed, and what there is to tell of its deployment. The push is good when the news end.
    pub news: Option<(String, BoxStream<'static, News>)>,
}

/// Something about a deployment.
pub enum News {
    /// A line of its log.
    Line(String),
    /// It has ended badly: the branch was not taken.
    Refused(String),
    /// How it ends cannot be told.
    Lost(String),
}

/// The answer to a push: git's own, its report held back until the news have ended. A client that takes no text beside
/// the report gets that at once.
pub(super) fn body(answer: Vec<u8>, reply: Option<Reply>) -> Body {
    let Some(reply) = reply else {
        return Body::from(answer);
    };
    let mut held = match Held::parse(answer) {
        Ok(held) => held,
        Err(answer) => return Body::from(answer),
    };
    let mut beginning = std::mem::take(&mut held.remarks);
    beginning.extend(reply.lines.iter().flat_map(|line| sideband::remark(line)));
    let Some((branch, news)) = reply.news else {
        beginning.extend(held.release());
        return Body::from(beginning);
    };
    let rest = stream::unfold(Some((news, held, branch)), next);
    let packets = stream::iter([beginning]).chain(rest);
    Body::from_stream(packets.map(|packet| Ok::<_, std::convert::Infallible>(Bytes::from(packet))))
}

type Telling = (BoxStream<'static, News>, Held, String);

async fn next(telling: Option<Telling>) -> Option<(Vec<u8>, Option<Telling>)> {
    let (mut news, held, branch) = telling?;
    match tokio::time::timeout(KEEP_ALIVE, news.next()).await {
        Err(_silence) => Some((sideband::ALIVE.to_vec(), Some((news, held, branch)))),
        Ok(Some(News::Line(line))) => Some((sideband::remark(&line), Some((news, held, branch)))),
        Ok(Some(News::Refused(reason))) => Some((held.refuse(&branch, &reason), None)),
        Ok(Some(News::Lost(why))) => Some((sideband::fatal(&why), None)),
        Ok(None) => Some((held.release(), None)),
    }
}
