//! A conversation with an API server, and with whoever called.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use http_body_util::{BodyExt as _, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{HeaderMap, Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use super::problem::Problem;
use super::resources::{Resource, Resources};
use crate::cluster::object;

/// No answer is longer, and no line of a stream.
const MOST_BYTES: usize = 512 << 20;
const LONGEST_LINE: u64 = 16 << 20;

/// Where input comes from and output goes to.
pub struct Streams<'a> {
    /// Data.
    pub out: &'a mut (dyn Write + Send),
    /// Messages.
    pub err: &'a mut (dyn Write + Send),
    /// What `-f -` reads.
    pub input: &'a mut (dyn Read + Send),
}

/// What an answer is wanted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Json,
    /// A table as the server prints it.
    Table,
    /// A table with whole objects beside the rows.
    WholeTable,
    Text,
}

impl As {
    fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Table | Self::WholeTable => {
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,\
                 application/json"
            }
            Self::Text => "application/json, */*",
        }
    }
}

/// A body and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    pub(super) media_type: &'static str,
    pub(super) body: &'a Value,
}

/// The kinds of patches.
pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
pub(super) const APPLY: &str = "application/apply-patch+yaml";
pub(super) const JSON: &str = "application/json";

/// The conversation.
pub(super) struct Session<'a> {
    client: Client,
    /// The server's address, for messages; may be empty.
    server: String,
    /// The namespace that counts.
    pub(super) namespace: String,
    /// Whether the namespace was given on the command line.
    pub(super) namespace_given: bool,
    /// How long a request may take.
    pub(super) timeout: Option<Duration>,
    pub(super) streams: Streams<'a>,
    resources: Option<Resources>,
    /// Warnings are told once.
    warned: BTreeSet<String>,
}

impl<'a> Session<'a> {
    pub(super) fn new(client: Client, server: &str, namespace: &str, streams: Streams<'a>) -> Self {
        Self {
            client,
            server: server.to_owned(),
            namespace: namespace.to_owned(),
            namespace_given: false,
            timeout: None,
            streams,
            resources: None,
            warned: BTreeSet::new(),
        }
    }

    /// Writes data.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Problem> {
        self.streams.out.write_all(text.as_bytes())?;
        Ok(self.streams.out.flush()?)
    }

    /// Writes a line of data.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Problem> {
        self.print(&format!("{text}\n"))
    }

    /// Writes a line to whoever reads messages; that nobody does is no problem.
    pub(super) fn tell(&mut self, text: &str) {
        let _ = writeln!(self.streams.err, "{text}");
    }

    /// What kinds of objects the server has; asked once.
    pub(super) async fn resources(&mut self) -> Result<&Resources, Problem> {
        if self.resources.is_none() {
            self.resources = Some(Resources::ask(self).await?);
        }
        self.resources.as_ref().ok_or_else(|| Problem::said("the server has no resources"))
    }

    /// Forgets what kinds there are, since there may be new ones.
    pub(super) fn forget_resources(&mut self) {
        self.resources = None;
    }

    /// The resource of a word of the command line.
    pub(super) async fn resource(&mut self, word: &str) -> Result<Resource, Problem> {
        self.resources().await?.named(word).cloned()
    }

    /// Sends a request; the answer is a success.
    async fn send(&mut self, request: Request<Vec<u8>>) -> Result<Response<Body>, Problem> {
        let answer = self.client.send(request.map(Body::from));
        let answer = match self.timeout {
            None => answer.await,
            Some(limit) => tokio::time::timeout(limit, answer)
                .await
                .map_err(|_| Problem::Unreachable(unreachable_words("the request was given up after the time-out")))?,
        };
        let response = answer.map_err(|error| self.unreachable(&error))?;
        self.warnings(response.headers());
        if response.status().is_success() {
            return Ok(response);
        }
        let code = response.status().as_u16();
        let body = self.collect(response).await?;
        Err(Problem::of_answer(code, &body))
    }

    async fn collect(&self, response: Response<Body>) -> Result<Vec<u8>, Problem> {
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        Ok(body.map_err(|error| self.unreachable(error.as_ref()))?.to_bytes().to_vec())
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Problem {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut last = error.to_string();
        while let Some(error) = cause {
            last = error.to_string();
            if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused)
            {
                let address = self.server.split_once("://").map_or(self.server.as_str(), |(_, rest)| rest);
                let address = if address.is_empty() { "cluster" } else { address.trim_end_matches('/') };
                return Problem::Unreachable(format!(
                    "The connection to the server {address} was refused - did you specify the right host or port?"
                ));
            }
            cause = error.source();
        }
        Problem::Unreachable(unreachable_words(&last))
    }

    /// Tells what the server warns of.
    fn warnings(&mut self, headers: &HeaderMap) {
        for value in headers.get_all("warning") {
            let Some(text) = value.to_str().ok().and_then(warning_text) else { continue };
            if self.warned.insert(text.clone()) {
                self.tell(&format!("Warning: {text}"));
            }
        }
    }

    /// Gets text.
    pub(super) async fn text(&mut self, path: &str) -> Result<String, Problem> {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let response = self.send(Self::request(Method::GET, &path, As::Text, None)?).await?;
        let body = self.collect(response).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    fn request(
        method: Method,
        path: &str,
        wanted: As,
        payload: Option<Payload<'_>>,
    ) -> Result<Request<Vec<u8>>, Problem> {
        let whole = super::resources::query(path, &[("includeObject", "Object")]);
        let path = if wanted == As::WholeTable { whole.as_str() } else { path };
        let mut request = Request::builder().method(method).uri(path).header(ACCEPT, wanted.accept());
        let body = match payload {
            Some(payload) => {
                request = request.header(CONTENT_TYPE, payload.media_type);
                payload.body.to_string().into_bytes()
            }
            None => Vec::new(),
        };
        request.body(body).map_err(|error| Problem::said(error.to_string()))
    }

    /// Asks for JSON.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        wanted: As,
        payload: Option<Payload<'_>>,
    ) -> Result<(u16, Value), Problem> {
        let response = self.send(Self::request(method, path, wanted, payload)?).await?;
        let code = response.status().as_u16();
        let body = self.collect(response).await?;
        let value = serde_json::from_slice(&body)
            .map_err(|error| Problem::said(format!("the server's answer cannot be read: {error}")))?;
        Ok((code, value))
    }

    /// Gets JSON.
    pub(super) async fn get(&mut self, path: &str) -> Result<Value, Problem> {
        Ok(self.call(Method::GET, path, As::Json, None).await?.1)
    }

    /// Gets JSON in a form of its own.
    pub(super) async fn get_accepting(&mut self, path: &str, accept: &'static str) -> Result<Value, Problem> {
        let mut request = Self::request(Method::GET, path, As::Json, None)?;
        request.headers_mut().insert(ACCEPT, hyper::header::HeaderValue::from_static(accept));
        let response = self.send(request).await?;
        let body = self.collect(response).await?;
        serde_json::from_slice(&body)
            .map_err(|error| Problem::said(format!("the server's answer cannot be read: {error}")))
    }

    /// Gets one object; a missing namespace is told rather than the object that cannot be in it.
    pub(super) async fn object(
        &mut self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        wanted: As,
    ) -> Result<Value, Problem> {
        let path = resource.path(namespace, name);
        let answer = self.call(Method::GET, &path, wanted, None).await;
        match answer {
            Err(problem) if problem.is_not_found() && resource.namespaced => {
                match self.get(&format!("/api/v1/namespaces/{}", super::resources::segment(namespace))).await {
                    Err(missing) if missing.is_not_found() => Err(missing),
                    _ => Err(problem),
                }
            }
            answer => Ok(answer?.1),
        }
    }

    /// Changes an object.
    pub(super) async fn patch(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: &Value,
    ) -> Result<(u16, Value), Problem> {
        self.call(Method::PATCH, path, As::Json, Some(Payload { media_type, body })).await
    }

    /// Follows an answer line by line.
    pub(super) async fn follow(
        &mut self,
        path: &str,
        wanted: As,
    ) -> Result<impl futures::Stream<Item = Result<Vec<u8>, Problem>> + use<>, Problem> {
        let limit = self.timeout;
        let response = self.send(Self::request(Method::GET, path, wanted, None)?).await?;
        let body = response.into_body().into_data_stream().map_err(std::io::Error::other);
        let reader = body.into_async_read();
        let deadline = limit.map(|limit| tokio::time::Instant::now() + limit);
        Ok(Box::pin(futures::stream::try_unfold(reader, move |mut reader| async move {
            let mut line = Vec::new();
            let mut part = futures::AsyncReadExt::take(&mut reader, LONGEST_LINE);
            let read = part.read_until(b'\n', &mut line);
            let read = match deadline {
                None => read.await,
                // A request that was given a limit just ends.
                Some(deadline) => tokio::time::timeout_at(deadline, read).await.unwrap_or(Ok(0)),
            };
            match read {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some((line, reader))),
                // The server went away: what was read is all there is.
                Err(_) => Ok(None),
            }
        })))
    }

    /// The events of a watch.
    pub(super) async fn watch(
        &mut self,
        path: &str,
        wanted: As,
    ) -> Result<impl futures::Stream<Item = Result<Event, Problem>> + use<>, Problem> {
        let lines = self.follow(path, wanted).await?;
        Ok(Box::pin(lines.try_filter_map(|line| async move {
            let Ok(event) = serde_json::from_slice::<Value>(&line) else { return Ok(None) };
            let kind = object::text(&event, &["type"]).to_owned();
            let object = event.get("object").cloned().unwrap_or(Value::Null);
            if kind == "ERROR" {
                return Err(Problem::Refused(Box::new(super::problem::Status::of(&object, 0))));
            }
            Ok(Some(Event { kind, object }))
        })))
    }
}

/// What a watch tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    /// `ADDED`, `MODIFIED`, `DELETED` or `BOOKMARK`.
    pub(super) kind: String,
    /// The object, or a table of one row.
    pub(super) object: Value,
}

fn unreachable_words(why: &str) -> String {
    format!("Unable to connect to the server: {why}")
}

/// The text of a `Warning` header: `299 - "text"`.
fn warning_text(header: &str) -> Option<String> {
    let quoted = header.strip_prefix("299 ")?.split_once(' ')?.1.trim();
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.extend(characters.next()),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_unquoted() {
        assert_eq!(warning_text("299 - \"unknown field \\\"a\\\"\"").as_deref(), Some("unknown field \"a\""));
        assert_eq!(warning_text("299 agent \"x\""), Some("x".to_owned()));
        assert_eq!(warning_text("199 - \"x\""), None);
        assert_eq!(warning_text("299 - x"), None);
    }
}
