//! Running `git http-backend`: bytes in, bytes out, bounded in size and time.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, Stream, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::Instant;

use super::cgi::{Refusal, Request, Service, Target, head, may_push, route, variables};
use crate::gitops::git::Program;
use crate::gitops::process::Group;

/// Serves repositories.
#[derive(Debug, Clone)]
pub struct Backend {
    /// How git is run.
    pub program: Program,
    /// The repositories by name.
    pub repos: BTreeMap<String, PathBuf>,
    /// What has to be known to push; nobody may without one.
    pub token: Option<String>,
    /// Whether fetching takes the token too.
    pub fetch_with_token: bool,
    /// The most bytes of a request.
    pub most: u64,
    /// The longest time of a request.
    pub limit: Duration,
}

/// The bytes of an answer.
pub type Body = BoxStream<'static, io::Result<Bytes>>;

/// An answer.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Answer").field("status", &self.status).field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl Answer {
    fn text(status: u16, reason: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        let text = Bytes::from(format!("{reason}\n"));
        Self { status, headers, body: futures::stream::once(async { Ok(text) }).boxed() }
    }

    fn refusal(refusal: Refusal) -> Self {
        let mut answer = Self::text(refusal.status, refusal.reason);
        if refusal.status == 401 {
            answer.headers.push(("www-authenticate".to_owned(), "Basic realm=\"foredeck\"".to_owned()));
        }
        answer
    }
}

/// More of a head is none of git's.
const LONGEST_HEAD: usize = 64 << 10;

impl Backend {
    /// A server of repositories with the usual limits.
    pub fn new(program: Program, repos: BTreeMap<String, PathBuf>, token: Option<String>) -> Self {
        let (most, limit) = (64 << 20, Duration::from_secs(120));
        Self { program, repos, token, fetch_with_token: false, most, limit }
    }

    /// Answers a request. `pushed` is called when a push has come to its end, with the repository's name.
    pub async fn serve(
        &self,
        request: Request<'_>,
        body: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
        pushed: impl FnOnce(&str) + Send + 'static,
    ) -> Answer {
        let (target, dir) = match self.admit(&request) {
            Ok(admitted) => admitted,
            Err(refusal) => return Answer::refusal(refusal),
        };
        let pushed = (target.service == Service::Push && target.rest != "info/refs").then(|| {
            let repo = target.repo.clone();
            Box::new(move || pushed(&repo)) as Box<dyn FnOnce() + Send>
        });
        match self.start(&request, &target, dir, Box::pin(body), pushed) {
            Ok(running) => answer(running).await,
            Err(error) => {
                tracing::warn!(%error, "cannot start git http-backend");
                Answer::text(500, "git cannot be started")
            }
        }
    }

    fn admit(&self, request: &Request<'_>) -> Result<(Target, &PathBuf), Refusal> {
        let target = route(request)?;
        let dir = self.repos.get(&target.repo).ok_or(Refusal { status: 404, reason: "there is no such repository" })?;
        let known = self.token.as_deref().is_some_and(|token| may_push(request, token));
        if known || (target.service == Service::Fetch && !self.fetch_with_token) {
            return Ok((target, dir));
        }
        match self.token {
            Some(_) => Err(Refusal { status: 401, reason: "the token is the password" }),
            None => Err(Refusal { status: 403, reason: "nobody may push here" }),
        }
    }

    fn start(
        &self,
        request: &Request<'_>,
        target: &Target,
        dir: &std::path::Path,
        body: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
        pushed: Option<Box<dyn FnOnce() + Send>>,
    ) -> io::Result<Running> {
        let file = dir.join(target.rest);
        let settings = [
            ("http.receivepack", if target.service == Service::Push { "true" } else { "false" }),
            ("http.uploadpack", "true"),
            ("http.getanyfile", "false"),
            ("receive.maxInputSize", &self.most.to_string()),
            ("receive.fsckObjects", "true"),
            ("receive.autogc", "false"),
            ("uploadpack.allowFilter", "true"),
        ];
        let mut command = self.program.run(dir, "http-backend").secret_settings(&settings).into_command();
        for (name, value) in variables(request, target, &file.display().to_string()) {
            command.env(name, value);
        }
        // It takes the repository from the request alone.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let group = Group::of(&child);
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let stdin = child.stdin.take().ok_or_else(broken)?;
        let stdout = child.stdout.take().ok_or_else(broken)?;
        let deadline = Instant::now() + self.limit;
        let pump: Pump = Box::pin(feed(body, stdin, self.most));
        let buffer = BytesMut::new();
        Ok(Running { child, group: Some(group), stdout, pump: Some(pump), deadline, buffer, pushed, over: false })
    }
}

type Pump = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Gives a request's body to git.
async fn feed(
    mut body: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    mut stdin: ChildStdin,
    most: u64,
) -> io::Result<()> {
    let mut taken = 0_u64;
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        taken += chunk.len() as u64;
        if taken > most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the request is too large"));
        }
        // It may have heard enough.
        if stdin.write_all(&chunk).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Git at work on a request.
struct Running {
    child: Child,
    group: Option<Group>,
    stdout: ChildStdout,
    pump: Option<Pump>,
    deadline: Instant,
    buffer: BytesMut,
    pushed: Option<Box<dyn FnOnce() + Send>>,
    over: bool,
}

impl Running {
    /// Reads on; false at the end. The request is fed meanwhile.
    async fn read(&mut self) -> io::Result<bool> {
        loop {
            let pump = async {
                match &mut self.pump {
                    Some(pump) => pump.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                read = self.stdout.read_buf(&mut self.buffer) => {
                    if read? == 0 {
                        self.end().await;
                        return Ok(false);
                    }
                    return Ok(true);
                }
                fed = pump => {
                    self.pump = None;
                    fed?;
                }
                () = tokio::time::sleep_until(self.deadline) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    async fn end(&mut self) {
        let ended = tokio::time::timeout_at(self.deadline, self.child.wait()).await;
        if let (Ok(Ok(_)), Some(group)) = (ended, self.group.take()) {
            group.ended();
        }
        if let Some(pushed) = self.pushed.take() {
            pushed();
        }
    }

    /// The next bytes of the answer.
    async fn chunk(&mut self) -> Option<io::Result<Bytes>> {
        if self.over {
            return None;
        }
        if self.buffer.is_empty() {
            match self.read().await {
                Ok(true) => {}
                Ok(false) => {
                    self.over = true;
                    return None;
                }
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        Some(Ok(self.buffer.split().freeze()))
    }
}

async fn answer(mut running: Running) -> Answer {
    let head = loop {
        match head(&running.buffer) {
            Ok(Some(head)) => break head,
            Ok(None) if running.buffer.len() <= LONGEST_HEAD => {}
            _ => return Answer::text(502, "git gave an answer that is not understood"),
        }
        match running.read().await {
            Ok(true) => {}
            Ok(false) => return Answer::text(502, "git gave no answer"),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Answer::text(413, "the request is too large");
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Answer::text(504, "git takes too long"),
            Err(_) => return Answer::text(400, "the request broke off"),
        }
    };
    let _ = running.buffer.split_to(head.length);
    let body =
        futures::stream::unfold(
            running,
            |mut running| async move { running.chunk().await.map(|chunk| (chunk, running)) },
        );
    Answer { status: head.status, headers: head.headers, body: body.boxed() }
}
