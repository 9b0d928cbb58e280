//! Terminals over WebSockets: the speaker types, everybody sees, nobody else is heard.

use foredeck::server::role::Role;
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::demo::Live;
use crate::harness::server::{DEADLINE, Running, ServerTest};

struct Screen {
    socket: WebSocketStream<TcpStream>,
    text: String,
}

async fn open(server: &Running, path: &str, role: Role, headers: &[(&'static str, &str)]) -> Result<Screen, u16> {
    let mut request = format!("ws://{}{path}", server.address).into_client_request().expect("a request");
    let cookie = server.cookie(role);
    let cookie = (!cookie.is_empty()).then_some(("cookie", cookie.as_str()));
    for (name, value) in headers.iter().copied().chain(cookie) {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let stream = TcpStream::connect(server.address).await.expect("the server accepts");
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(Screen { socket, text: String::new() }),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

impl Screen {
    async fn shows(&mut self, what: &str) {
        let reading = async {
            while !self.text.contains(what) {
                match self.socket.next().await.expect("the socket is open").expect("it can be read") {
                    Message::Binary(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                    Message::Text(text) if text.as_str().contains("\"anew\"") => self.text.clear(),
                    Message::Text(text) => self.text.push_str(&format!("<{text}>")),
                    _ => {}
                }
            }
        };
        let shown = tokio::time::timeout(DEADLINE, reading).await;
        assert!(shown.is_ok(), "{what:?} is not in {:?}", self.text);
    }

    async fn types(&mut self, text: &str) {
        self.socket.send(Message::Binary(text.as_bytes().to_vec().into())).await.expect("it is sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_speaker_types_and_everybody_sees() {
    let live = Live::of(ServerTest::talk()).await;
    live.sandbox().await;
    let server = &live.server;
    let mut early = open(server, "/ws/term/main", Role::Viewer, &[]).await.expect("a watcher");
    let mut speaker = open(server, "/ws/term/main", Role::Presenter, &[]).await.expect("the speaker");
    speaker.shows("$ ").await;
    speaker.types("echo in-$((6*7)); echo $KUBECONFIG; echo the-''token\r").await;
    for screen in [&mut speaker, &mut early] {
        screen.shows("in-42").await;
        screen.shows(".foredeck/kubeconfig").await;
        screen.shows("the-*****").await;
    }
    let mut late = open(server, "/ws/term/main", Role::Viewer, &[]).await.expect("a watcher");
    late.shows("in-42").await;
    // What watchers, remotes, and the speaker's own follower send is not heard.
    let mut remote = open(server, "/ws/term/main", Role::Remote, &[]).await.expect("a watcher");
    let mut follower = open(server, "/ws/term/main?as=viewer", Role::Presenter, &[]).await.expect("a watcher");
    for screen in [&mut late, &mut remote, &mut follower] {
        screen.types("echo hacked-$((1+1))\r").await;
        let size = Message::Text(r#"{"type":"size","columns":33,"rows":11}"#.into());
        screen.socket.send(size).await.expect("it is sent");
        screen.socket.send(Message::Ping(Vec::new().into())).await.expect("it is sent");
        while !matches!(screen.socket.next().await.expect("open").expect("read"), Message::Pong(_)) {}
    }
    speaker.types("echo mark-$((2+2)); stty size\r").await;
    speaker.shows("mark-4").await;
    speaker.shows("24 80").await;
    assert!(!speaker.text.contains("hacked"), "{}", speaker.text);
    // The shell ends; a key brings another one.
    speaker.types("exit\r").await;
    speaker.shows("\"over\"").await;
    speaker.text.clear();
    speaker.types("x").await;
    speaker.shows("$ ").await;
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_bad_names_and_bombs_are_refused() {
    let live = Live::of(ServerTest::talk()).await;
    live.sandbox().await;
    let server = &live.server;
    let refused = open(server, "/ws/term/main", Role::Presenter, &[("origin", "http://evil.example")]).await;
    assert_eq!(refused.err(), Some(403));
    let rebound = open(server, "/ws/term/main", Role::Presenter, &[("host", "evil.example")]).await;
    assert_eq!(rebound.err(), Some(421));
    let plain = server.get("/ws/term/main", Role::Presenter).await;
    assert!(plain.status.is_client_error(), "{}", plain.status);
    let mut bad = open(server, "/ws/term/..%2F..%2Fetc", Role::Presenter, &[]).await.expect("a socket");
    bad.shows("is no name for a terminal").await;
    let mut screens = Vec::new();
    for number in 0..8 {
        let mut screen = open(server, &format!("/ws/term/t{number}"), Role::Presenter, &[]).await.expect("a socket");
        screen.shows("$ ").await;
        screens.push(screen);
    }
    let mut ninth = open(server, "/ws/term/t8", Role::Presenter, &[]).await.expect("a socket");
    ninth.shows("there are 8 terminals already").await;
    live.end().await;
}

#[tokio::test]
async fn there_are_no_terminals_with_safe() {
    let server = ServerTest::talk().with(|config| config.safe = true).start().await;
    for role in [Role::Viewer, Role::Presenter, Role::Remote] {
        assert_eq!(open(&server, "/ws/term/main", role, &[]).await.err(), Some(403));
    }
    server.finish().await;
}
