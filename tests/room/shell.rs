//! A learner's terminal: whose it is, what it reaches, and `foredeck workshop` in it.

use foredeck::panel::terminal::confine;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::{Open, PATIENCE, rules, workshop};

struct Screen {
    socket: WebSocketStream<TcpStream>,
    text: String,
}

impl Screen {
    async fn of(open: &Open, cookie: &str) -> Self {
        let mut request = format!("ws://{}/ws/term/main", open.address).into_client_request().expect("a request");
        request.headers_mut().insert("cookie", cookie.parse().expect("a value"));
        let stream = TcpStream::connect(open.address).await.expect("a connection");
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("a terminal");
        let mut screen = Self { socket, text: String::new() };
        screen.shows("$ ").await;
        screen
    }

    async fn shows(&mut self, what: &str) {
        let reading = async {
            while !self.text.contains(what) {
                match self.socket.next().await.expect("the socket is open").expect("it can be read") {
                    Message::Binary(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                    Message::Text(text) if text.as_str().contains("\"anew\"") => self.text.clear(),
                    _ => {}
                }
            }
        };
        let shown = tokio::time::timeout(PATIENCE, reading).await;
        assert!(shown.is_ok(), "{what:?} is not in {:?}", self.text);
    }

    /// Types a line; gives what it wrote.
    async fn says(&mut self, line: &str) -> String {
        self.text.clear();
        let text = format!("{line}; echo en''d-$?\r");
        self.socket.send(Message::Binary(text.into_bytes().into())).await.expect("it is sent");
        self.shows("end-").await;
        self.text.replace('\r', "")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learners_terminal_is_theirs_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = Open::at(folder.path(), rules(5), workshop()).await;
    let (ada, bob) = (open.join("Ada").await, open.join("Bob").await);
    for cookie in [&ada, &bob] {
        assert_eq!(open.ready("/api/v1/workshop/one", cookie).await.status, 200);
    }
    let mut screen = Screen::of(&open, &ada).await;
    let said = screen.says("pwd; echo $HOME; git config user.name; git var GIT_AUTHOR_IDENT").await;
    assert!(said.contains("learners/ada/demo") && said.contains("learners/ada/home"), "{said}");
    assert!(said.contains("Ada <ada@learner.example>"), "{said}");
    // The workshop's own commands find this sandbox, and the room's steps.
    let said = screen.says("foredeck workshop status").await;
    assert!(said.contains("01-one") && said.contains("end-0"), "{said}");
    let said = screen.says("foredeck workshop check one").await;
    assert!(said.contains("not yet") && said.contains("01-one is not done yet") && said.contains("end-1"), "{said}");
    let said = screen.says("foredeck workshop start one").await;
    assert!(said.contains("end-0"), "{said}");
    let state = open.board().await["learners"][0]["cells"][0]["state"].clone();
    assert_eq!(state, json!("in-progress"));
    assert_eq!(open.board().await["learners"][1]["cells"][0]["state"], json!("not-started"), "not Bob's");
    // The token in it opens their steps, and nothing else.
    screen.says("printf %s $FOREDECK_WORKSHOP_TOKEN > token").await;
    let file = folder.path().join(".foredeck/learners/ada/demo/token");
    let token = std::fs::read_to_string(&file).expect("a token");
    std::fs::remove_file(file).expect("taken away");
    for path in ["/l/bob/api/v1/workshop/one", "/api/v1/workshop/one", "/l/ada/flux/v11/ping", "/api/v1/trainer"] {
        let status = open.ask_with(format!("Bearer {token}")).get(path).await;
        assert!(status == 401 || status == 403, "{path}: {status}");
    }
    let status = open.ask_with(format!("Bearer {token}")).get("/l/ada/api/v1/workshop/one").await;
    assert_eq!(status, 200);
    assert_eq!(open.ask_with("Bearer wrong".to_owned()).get("/l/ada/api/v1/workshop").await, 403);

    if !confine::is_possible() {
        eprintln!("skipped: this system cannot confine a shell");
        return open.end().await;
    }
    let secret = folder.path().join(".foredeck/learners/bob/secret");
    std::fs::write(&secret, "his own").expect("written");
    for line in [
        "cat ../../bob/secret",
        "ls ../..",
        "cat ../../../room.json",
        "cp ../../bob/demo/.git/config .",
        "echo mine > ../../bob/secret",
    ] {
        let said = screen.says(line).await;
        assert!(said.contains("ermission denied") && !said.contains("his own") && !said.contains("end-0"), "{said}");
    }
    assert_eq!(std::fs::read_to_string(secret).expect("read"), "his own");
    // What the steps need works.
    let line = "echo x > file && mkdir -p sub && mv file sub/ && git add . && git commit -qm A && git push -q && git log -1 --format=%an";
    let said = screen.says(line).await;
    assert!(said.contains("Ada") && said.contains("end-0"), "{said}");
    open.end().await;
}
