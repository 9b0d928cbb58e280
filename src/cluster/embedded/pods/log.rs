//! `/log`: what a container has printed, and what it prints from now on.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use jiff::Timestamp;
use serde_json::Value;

use super::Pods;
use crate::cluster::api::connect::PodCall;
use crate::cluster::api::query::Query;
use crate::cluster::api::status::{FieldError, Refusal};
use crate::cluster::object::{GroupKind, Key};
use crate::cluster::sim::kubelet::{LogOptions, LogText, logs};

/// How often it is looked whether a followed container has ended or printed something that was not foreseen.
const LOOK: Duration = Duration::from_millis(250);

fn options(query: &Query) -> Result<LogOptions, Refusal> {
    let since_time = match query.get("sinceTime") {
        "" => None,
        text => Some(text.parse::<Timestamp>().map_err(|_| {
            let error = FieldError::invalid("sinceTime", text, "has to be a time as RFC 3339 writes it");
            Refusal::invalid(&GroupKind::new("", "PodLogOptions"), "", &[error])
        })?),
    };
    Ok(LogOptions {
        container: query.get("container").to_owned(),
        previous: query.flag("previous"),
        since_seconds: query.int("sinceSeconds")?,
        since_time,
        timestamps: query.flag("timestamps"),
        tail_lines: query.int("tailLines")?,
        limit_bytes: query.int("limitBytes")?,
        after: None,
    })
}

impl Pods {
    /// The log up to now.
    pub(super) fn read_log(&self, pod: &Value, options: &LogOptions) -> Result<LogText, Refusal> {
        self.within(|around| logs(pod, options, around))
    }

    pub(super) fn log(&self, call: &PodCall) -> Result<Response<Body>, Refusal> {
        let options = options(&call.query)?;
        let pod = self.pod(&call.key)?;
        let first = self.read_log(&pod, &options)?;
        let follow = call.query.flag("follow") && !first.ended;
        let body = if follow { self.followed(call.key.clone(), options, first) } else { Body::from(first.text) };
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        Ok(response)
    }

    /// A stream that goes on until the container ends, the pod is gone, or the server stops.
    fn followed(&self, key: Key, options: LogOptions, first: LogText) -> Body {
        let state = (self.clone(), key, options, Some(first));
        let stream = futures::stream::unfold(state, |(pods, key, mut options, told)| async move {
            let mut told = told?;
            loop {
                let (text, ended) = (std::mem::take(&mut told.text), told.ended);
                if !text.is_empty() {
                    let next = if ended { None } else { Some(told) };
                    return Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), (pods, key, options, next)));
                }
                if ended {
                    return None;
                }
                told = pods.more(&key, &mut options, &told).await?;
            }
        });
        Body::from_stream(stream)
    }

    /// What comes after a piece of a log; `None` when nothing can come any more.
    pub(super) async fn more(&self, key: &Key, options: &mut LogOptions, told: &LogText) -> Option<LogText> {
        let now = self.api.now();
        let foreseen = told.next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        tokio::select! {
            () = self.stop.cancelled() => return None,
            () = tokio::time::sleep(foreseen.map_or(LOOK, |wait| wait.min(LOOK)).max(Duration::from_millis(5))) => {}
        }
        options.after = Some(told.until);
        options.tail_lines = None;
        let pod = self.pod(key).ok()?;
        self.read_log(&pod, options).ok()
    }
}
