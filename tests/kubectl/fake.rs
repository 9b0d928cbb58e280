//! A small API server that gives prepared answers and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use foredeck::cli::kubectl::{Streams, run_with};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the server says it has.
const DISCOVERY: &str = include_str!("../../src/cluster/api/data/discovery.json");

/// An answer.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    body: String,
    warning: Option<&'static str>,
}

#[derive(Default)]
struct State {
    answers: HashMap<String, VecDeque<Answer>>,
    asked: Vec<String>,
}

/// The server.
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    server: String,
}

/// What a command line gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A command that went well and said nothing on standard error.
pub(crate) fn fine(out: &str) -> Said {
    Said { code: 0, out: out.to_owned(), err: String::new() }
}

/// A command that failed.
pub(crate) fn failed(err: &str) -> Said {
    Said { code: 1, out: String::new(), err: format!("{err}\n") }
}

impl Fake {
    /// A server that only knows what kinds of objects there are.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(answer(&shared, request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let documents: Value = serde_json::from_str(DISCOVERY).expect("discovery is JSON");
        let fake = Self { state, server };
        fake.text("GET /api", 200, &documents["/api"].to_string()).text(
            "GET /apis",
            200,
            &documents["/apis"].to_string(),
        )
    }

    /// The groups that it has.
    pub(crate) fn discovery(&self) -> Value {
        let documents: Value = serde_json::from_str(DISCOVERY).expect("discovery is JSON");
        documents["/apis"].clone()
    }

    fn text(self, request: &str, status: u16, body: &str) -> Self {
        let answer = Answer { status, body: body.to_owned(), warning: None };
        self.state.lock().expect("a lock").answers.entry(request.to_owned()).or_default().push_back(answer);
        self
    }

    /// With an answer to a request; of several the last is given again and again.
    pub(crate) fn answer(self, request: &str, body: &Value) -> Self {
        self.text(request, 200, &body.to_string())
    }

    /// With an answer that says that something was made.
    pub(crate) fn created(self, request: &str, body: &Value) -> Self {
        self.text(request, 201, &body.to_string())
    }

    /// With a stream of lines.
    pub(crate) fn lines(self, request: &str, lines: &[Value]) -> Self {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.text(request, 200, &text)
    }

    /// With text.
    pub(crate) fn plain(self, request: &str, body: &str) -> Self {
        self.text(request, 200, body)
    }

    /// With a refusal.
    pub(crate) fn refusal(self, request: &str, code: u16, reason: &str, message: &str, details: &Value) -> Self {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message,
            "details": details, "code": code,
        });
        self.text(request, code, &status.to_string())
    }

    /// With a word of warning in the last answer to a request.
    pub(crate) fn warning(self, request: &str, text: &'static str) -> Self {
        if let Some(answer) = self.state.lock().expect("a lock").answers.get_mut(request).and_then(VecDeque::back_mut) {
            answer.warning = Some(text);
        }
        self
    }

    /// A client of it.
    pub(crate) fn client(&self) -> kube::Client {
        kube::Client::try_from(kube::Config::new(self.server.parse().expect("an address"))).expect("a client")
    }

    /// The requests so far, without those for kinds of objects.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.state.lock().expect("a lock").asked.clone();
        asked.into_iter().filter(|request| !matches!(request.as_str(), "GET /api" | "GET /apis")).collect()
    }

    /// Runs a command line, whose words single quotes hold together, in the namespace `demo`.
    pub(crate) async fn kubectl(&self, line: &str) -> Said {
        self.kubectl_with(line, "").await
    }

    /// The same with a text on standard input.
    pub(crate) async fn kubectl_with(&self, line: &str, input: &str) -> Said {
        let (mut out, mut err, mut input) = (Vec::new(), Vec::new(), input.as_bytes());
        let streams = Streams { out: &mut out, err: &mut err, input: &mut input };
        let code = run_with(self.client(), &self.server, "demo", &words(line), streams).await;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Said { code, out: text(out), err: text(err) }
    }
}

/// The words of a line; single quotes hold words together.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            match words.last_mut() {
                // `-o jsonpath='{.a}'`
                Some(word) if !line.contains(&format!(" '{part}'")) => *word = format!("{word}{part}"),
                _ => words.push(part.to_owned()),
            }
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

async fn answer(state: &Mutex<State>, request: Request<Incoming>) -> Response<String> {
    let (parts, body) = request.into_parts();
    let address = parts.uri.path_and_query().map_or("", |address| address.as_str());
    let address = format!("{} {address}", parts.method);
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut state = state.lock().expect("a lock");
    let mut told = address.clone();
    if !body.is_empty() {
        let media_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        told = format!("{told} {media_type} {}", String::from_utf8_lossy(&body));
    }
    state.asked.push(told);
    let answers = state.answers.get_mut(&address);
    let prepared =
        answers.and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
    let missing = || {
        let status = json!({
            "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
            "message": format!("nothing is prepared for {address}"),
        });
        Answer { status: 404, body: status.to_string(), warning: None }
    };
    let Answer { status, body, warning } = prepared.unwrap_or_else(missing);
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if let Some(warning) = warning {
        response = response.header("warning", warning);
    }
    response.body(body).expect("a response")
}
