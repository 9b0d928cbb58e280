//! A server of made-up decks in a temporary folder, on a real port, with requests and event streams.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use foredeck::deck::own::Own;
use foredeck::diagnostic::{Code, Diagnostic, SourceFile, Span};
use foredeck::project::Compiled;
use foredeck::render::{Meta, Rendered, RenderedSlide};
use foredeck::server::role::Role;
use foredeck::server::router::router;
use foredeck::server::state::App;
use foredeck::server::{Config, DeckFeed, Server};
use foredeck::theme::Size;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// No step of a test takes longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A deck of slides given as (HTML, fragments); every slide has a note.
pub(crate) fn compiled(title: &str, slides: &[(&str, u16)]) -> Compiled {
    let slide = |(html, fragments): &(&str, u16)| RenderedSlide {
        html: format!("<svg data-marpit-svg=\"\">{html}</svg>"),
        notes: vec![format!("note on {html}")],
        fragments: *fragments,
        title: Some((*html).to_owned()),
        class: None,
        text: (*html).to_owned(),
        span: Span::default(),
        panels: Vec::new(),
        steps: Vec::new(),
    };
    let text: Vec<&str> = slides.iter().map(|(html, _)| *html).collect();
    Compiled {
        source: SourceFile::new("deck.md", text.join("\n---\n")),
        rendered: Rendered {
            slides: slides.iter().map(slide).collect(),
            css: "section{}".to_owned(),
            size: Size { width: 1280.0, height: 720.0 },
            meta: Meta { title: Some(title.to_owned()), theme: "default".to_owned(), ..Meta::default() },
            auto_scaling: false,
        },
        own: Own::default(),
        diagnostics: Vec::new(),
        dependencies: BTreeSet::new(),
        folder: std::path::PathBuf::from("/"),
        stale: false,
    }
}

/// The same deck after an edit that cannot be shown.
pub(crate) fn broken(good: &Compiled, message: &str) -> Compiled {
    let mut compiled = good.clone();
    compiled.source = SourceFile::new("deck.md", "broken");
    compiled.diagnostics.push(Diagnostic::error(Code("deck/empty"), message));
    compiled
}

/// A server to be made.
pub(crate) struct ServerTest {
    folder: tempfile::TempDir,
    decks: Vec<(String, Option<Compiled>)>,
    config: Config,
}

impl ServerTest {
    /// A server without decks whose pages write what they are given.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config::new(folder.path(), Vec::new());
        config.overlay = |compiled| compiled.diagnostics.first().map(|d| format!("<p>{}</p>", d.message));
        config.notes_html = |note| format!("<p>{note}</p>");
        let test = Self { config, folder, decks: Vec::new() };
        test.file(
            "themes/pages/present.html",
            "<title>{{ title }}</title><base href=\"{{ base }}\">{{ overlay|safe if overlay }}\
             <script type=\"application/json\">{{ boot|tojson }}</script>{{ slides|join|safe }}",
        )
        .file("themes/pages/index.html", "{% for d in decks %}<a href=\"{{ d.href }}\">{{ d.title }}</a>{% endfor %}")
        .file("themes/pages/remote.html", "remote of {{ boot.deck }}")
        .file("themes/pages/error.html", "{{ status }} {{ message }} {{ hint }} {{ decks|map(attribute='slug')|join }}")
    }

    /// Two decks: `gitops` of three slides, the second with two fragments, and `day-1/intro` of one.
    pub(crate) fn talk() -> Self {
        let gitops = compiled("GitOps", &[("one", 0), ("two", 2), ("three", 0)]);
        Self::new().deck("gitops", Some(gitops)).deck("day-1/intro", Some(compiled("Intro", &[("hello", 0)])))
    }

    /// Adds a deck; one without a rendering is still being compiled.
    pub(crate) fn deck(mut self, slug: &str, compiled: Option<Compiled>) -> Self {
        self.decks.push((slug.to_owned(), compiled));
        self
    }

    /// Writes a file below the project's folder.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        std::fs::write(path, content).expect("a file is written");
        self
    }

    /// Changes the configuration.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server on a free port.
    pub(crate) async fn start(self) -> Running {
        let mut cells = BTreeMap::new();
        let mut config = self.config;
        for (slug, compiled) in self.decks {
            let (cell, receiver) = watch::channel(compiled.map(Arc::new));
            cells.insert(slug.clone(), cell);
            config.decks.push(DeckFeed { slug, folder: "decks".to_owned(), compiled: receiver });
        }
        config.port = 0;
        let server = Server::bind(config).await.expect("a free port");
        let (app, address, stop) = (server.app(), server.address(), CancellationToken::new());
        let task = tokio::spawn(server.serve(stop.clone()));
        let ready: Vec<bool> = cells.values().map(|cell| cell.borrow().is_some()).collect();
        let mut board = app.hub.audience_board();
        let shown = board.wait_for(|board| {
            let shown = board.decks.iter().filter(|deck| deck.reload.number > 0).count();
            shown == ready.iter().filter(|ready| **ready).count()
        });
        tokio::time::timeout(DEADLINE, shown).await.expect("decks are shown in time").expect("the server runs");
        Running { app, address, stop, task, cells, folder: self.folder }
    }
}

/// A running server.
pub(crate) struct Running {
    /// What its handlers share.
    pub(crate) app: Arc<App>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Stops it.
    pub(crate) stop: CancellationToken,
    /// Ends when it has stopped.
    pub(crate) task: JoinHandle<()>,
    /// Where new renderings of its decks go.
    pub(crate) cells: BTreeMap<String, watch::Sender<Option<Arc<Compiled>>>>,
    /// The project.
    pub(crate) folder: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("this is JSON: {}", self.text))
    }
}

impl Running {
    /// The cookie of a role.
    pub(crate) fn cookie(&self, role: Role) -> String {
        let cookie = self.app.tokens.cookie(role);
        let text = cookie.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        text.split(';').next().unwrap_or_default().to_owned()
    }

    /// A request with the headers a browser sends.
    pub(crate) fn request(&self, method: &str, path: &str, role: Role) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, self.address.to_string());
        match self.cookie(role) {
            cookie if cookie.is_empty() => request,
            cookie => request.header(header::COOKIE, cookie),
        }
    }

    /// Answers a request without a socket.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = router(self.app.clone()).oneshot(request);
        let response = tokio::time::timeout(DEADLINE, answer).await.expect("an answer in time").expect("never fails");
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a whole body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: head.status, headers: head.headers, text }
    }

    pub(crate) async fn get(&self, path: &str, role: Role) -> Answer {
        self.send(self.request("GET", path, role).body(Body::empty()).expect("a request")).await
    }

    /// A command of the speaker.
    pub(crate) async fn command(&self, json: &str) -> Answer {
        let request = self.request("POST", "/api/v1/control", Role::Presenter);
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(json.to_owned()));
        self.send(request.expect("a request")).await
    }

    /// Puts a new rendering into a deck's cell.
    pub(crate) fn edit(&self, slug: &str, compiled: Compiled) {
        self.cells[slug].send_replace(Some(Arc::new(compiled)));
    }

    /// Sends bytes over a socket, and gives the socket.
    pub(crate) async fn raw(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("the server accepts");
        stream.write_all(bytes.as_bytes()).await.expect("the server reads");
        stream
    }

    /// Opens an event stream over a socket.
    pub(crate) async fn listen(&self, query: &str, role: Role, last_id: Option<&str>) -> Events {
        let mut head = format!("GET /events?{query} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if role != Role::Viewer {
            head += &format!("Cookie: {}\r\n", self.cookie(role));
        }
        if let Some(id) = last_id {
            head += &format!("Last-Event-ID: {id}\r\n");
        }
        let mut events = Events { stream: self.raw(&(head + "\r\n")).await, bytes: Vec::new(), ready: VecDeque::new() };
        let head = events.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        events
    }

    /// Stops the server and waits until nothing of it is left.
    pub(crate) async fn finish(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops in time").expect("it does not panic");
    }
}

/// Reads until the other side closes.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the connection is closed in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for something without an event of its own.
pub(crate) async fn eventually(what: &str, test: impl Fn() -> bool) {
    let waiting = async {
        while !test() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("in time: {what}"));
}

/// An event: its name and data.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

/// An event stream.
pub(crate) struct Events {
    stream: TcpStream,
    bytes: Vec<u8>,
    ready: VecDeque<Event>,
}

impl Events {
    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let size = usize::from_str_radix(self.until("\r\n").await.trim(), 16).expect("a chunk's size");
            if size == 0 {
                return None;
            }
            while self.bytes.len() < size + 2 {
                self.more().await;
            }
            let chunk: Vec<u8> = self.bytes.drain(..size + 2).collect();
            let text = String::from_utf8(chunk).expect("UTF-8");
            self.ready.extend(text.trim_end_matches("\r\n").split("\n\n").filter_map(event));
        }
    }

    /// The next event, which has this name.
    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        let event = self.next().await.unwrap_or_else(|| panic!("a `{name}` before the end"));
        assert_eq!(event.name, name, "{}", event.data);
        event.data
    }

    async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.bytes.windows(end.len()).position(|part| part == end.as_bytes()) {
                let taken: Vec<u8> = self.bytes.drain(..at + end.len()).collect();
                return String::from_utf8_lossy(&taken).into_owned();
            }
            self.more().await;
        }
    }

    async fn more(&mut self) {
        let read = tokio::time::timeout(DEADLINE, self.stream.read_buf(&mut self.bytes)).await;
        let count = read.expect("something in time").expect("a readable stream");
        assert!(count > 0, "the stream broke off");
    }
}

fn event(text: &str) -> Option<Event> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    let name = field("event: ");
    let data = serde_json::from_str(&field("data: ")).unwrap_or(Value::Null);
    (!name.is_empty()).then(|| Event { name, id: field("id: "), data })
}
