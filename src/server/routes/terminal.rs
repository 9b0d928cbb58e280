//! `/ws/term/NAME`: a terminal in the browser. The speaker types, everybody else watches.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::panel::secrets::secrets_of;
use crate::panel::terminal::{Size, Terminal};
use crate::server::error::Problem;
use crate::server::listen::Peer;
use crate::server::role::Role;
use crate::server::state::{App, Place, Streams};

/// The longest message that is taken.
const LONGEST: usize = 64 * 1024;
/// Output sent at a time: to the speaker, and to everybody else.
const PIECES: (usize, usize) = (64 * 1024, 16 * 1024);
/// Between two pieces: a screen shows no more.
const PACE: Duration = Duration::from_millis(16);
/// Connections stay open while nothing is written.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// What a window says about itself.
#[derive(Debug, Deserialize)]
pub struct SocketQuery {
    /// `viewer` asks for what the audience gets on the speaker's machine.
    r#as: Option<String>,
}

/// What a window asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Asked {
    /// Another size.
    Size {
        /// Letters in a line.
        columns: u16,
        /// Lines.
        rows: u16,
    },
}

/// Opens the socket of a terminal.
pub async fn socket(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(query): Query<SocketQuery>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    if app.desk.safe && !app.replay.is_there() {
        return Err(Problem::forbidden("There are no terminals: foredeck was started with `--safe`."));
    }
    let types = app.tokens.role(&headers) == Role::Presenter && query.r#as.as_deref() != Some("viewer");
    let address = peer.map_or(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), |Extension(Peer(address))| address);
    let place = Streams::enter(&app, address, app.limits.streams_per_address).ok_or_else(|| {
        Problem::unavailable("There are too many windows at this address.").hint("Close some of them.")
    })?;
    let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST);
    Ok(upgrade.on_upgrade(move |socket| serve(socket, app, name, types, place)))
}

/// Why a window's turn with a terminal ended.
enum Turn {
    /// The terminal is shown from a recorded run from now on, or live again.
    Changed,
    /// The window is gone, or the server stops.
    Left,
    /// The terminal's shell has ended.
    Over,
}

/// Serves one window until it leaves.
async fn serve(mut socket: WebSocket, app: Arc<App>, name: String, types: bool, place: Place) {
    let stop = app.desk.terminals.stopping();
    let all = async {
        loop {
            if app.replay.shown().borrow().terminals.contains(&name) {
                match recorded(&app, &name, &mut socket).await {
                    Some(()) => continue,
                    None => return,
                }
            }
            let opened = async {
                if app.desk.safe {
                    left(&mut socket).await;
                    return None;
                }
                if types { open(&app, &name, &mut socket).await } else { wait_for(&app, &name, &mut socket).await }
            };
            let terminal = tokio::select! {
                terminal = opened => terminal,
                () = chosen(&app, &name, true) => continue,
            };
            let Some(terminal) = terminal else { return };
            let window = Window { socket: &mut socket, terminal: &terminal, types, place: 0 };
            let turn = tokio::select! {
                turn = window.run() => turn,
                () = chosen(&app, &name, true) => Turn::Changed,
            };
            match turn {
                Turn::Left => return,
                Turn::Changed => {}
                Turn::Over if types && !wants_another(&mut socket).await => return,
                Turn::Over => {}
            }
        }
    };
    tokio::select! {
        () = all => {}
        () = stop.cancelled() => {}
    }
    drop(place);
}

/// Waits until a terminal is shown from a recorded run, or is not any more.
async fn chosen(app: &App, name: &str, wanted: bool) {
    let mut shown = app.replay.shown();
    if shown.wait_for(|show| show.terminals.contains(name) == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Shows what the terminal showed in a recorded run, until it is shown live again; `None` when the window is gone.
async fn recorded(app: &App, name: &str, socket: &mut WebSocket) -> Option<()> {
    let mut news = app.replay.moment().terminal(name);
    let live = chosen(app, name, false);
    tokio::pin!(live);
    let (mut epoch, mut place, mut size) = (0, 0, (0, 0));
    loop {
        news.mark_unchanged();
        let (now, reading, fits) = app.replay.moment().read(name, epoch, place, PIECES.1);
        if fits != size {
            size = fits;
            tell(socket, &json!({ "type": "size", "columns": size.0, "rows": size.1 })).await?;
        }
        if reading.anew {
            tell(socket, &json!({ "type": "anew" })).await?;
        }
        (epoch, place) = (now, reading.end);
        let more = !reading.bytes.is_empty();
        if more {
            socket.send(Message::Binary(reading.bytes.into())).await.ok()?;
        }
        tokio::select! {
            () = &mut live => return Some(()),
            // Nobody types into the past.
            message = socket.recv() => if matches!(message?.ok()?, Message::Close(_)) { return None },
            () = tokio::time::sleep(PACE), if more => {}
            changed = news.changed(), if !more => changed.ok()?,
            () = tokio::time::sleep(HEARTBEAT) => socket.send(Message::Ping(Bytes::new())).await.ok()?,
        }
    }
}

/// Opens the terminal; the speaker is told when that is not possible, and may try again by pressing a key.
async fn open(app: &Arc<App>, name: &str, socket: &mut WebSocket) -> Option<Arc<Terminal>> {
    let mut demo = app.demo.clone();
    loop {
        let sandbox = demo.borrow_and_update().ready().cloned();
        let why = match sandbox {
            Some(sandbox) => {
                let (app, name) = (app.clone(), name.to_owned());
                let secrets = secrets_of(&sandbox, &app.desk.secrets);
                let opened = tokio::task::spawn_blocking(move || app.desk.terminals.open(&name, &sandbox, &secrets));
                match opened.await {
                    Ok(Ok(terminal)) => return Some(terminal),
                    Ok(Err(refusal)) => refusal.to_string(),
                    Err(error) => {
                        tracing::error!(%error, "opening a terminal panicked");
                        "a bug in foredeck; its own terminal says more".to_owned()
                    }
                }
            }
            None => "the demo is not ready".to_owned(),
        };
        tell(socket, &json!({ "type": "waiting", "why": why })).await?;
        tokio::select! {
            changed = demo.changed() => if changed.is_err() { left(socket).await; return None },
            again = key(socket) => if !again { return None },
        }
    }
}

/// Waits until somebody has opened the terminal.
async fn wait_for(app: &App, name: &str, socket: &mut WebSocket) -> Option<Arc<Terminal>> {
    let mut changes = app.desk.terminals.changes();
    loop {
        changes.borrow_and_update();
        if let Some(terminal) = app.desk.terminals.get(name) {
            return Some(terminal);
        }
        tokio::select! {
            changed = changes.changed() => changed.ok()?,
            () = left(socket) => return None,
            () = tokio::time::sleep(HEARTBEAT) => socket.send(Message::Ping(Bytes::new())).await.ok()?,
        }
    }
}

/// Waits until the window is gone; what it sends until then is ignored.
async fn left(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}

/// Waits for a key; says whether the window is still there.
async fn key(socket: &mut WebSocket) -> bool {
    while let Some(Ok(message)) = socket.recv().await {
        match message {
            Message::Binary(_) => return true,
            Message::Close(_) => return false,
            _ => {}
        }
    }
    false
}

/// A shell that has ended is started again when the speaker presses a key.
async fn wants_another(socket: &mut WebSocket) -> bool {
    key(socket).await
}

async fn tell(socket: &mut WebSocket, news: &serde_json::Value) -> Option<()> {
    socket.send(Message::Text(news.to_string().into())).await.ok()
}

/// A window that shows a terminal.
struct Window<'a> {
    socket: &'a mut WebSocket,
    terminal: &'a Terminal,
    types: bool,
    /// The place behind what it has been sent.
    place: u64,
}

impl Window<'_> {
    async fn run(mut self) -> Turn {
        self.attend().await.unwrap_or(Turn::Left)
    }

    /// `None` when the window is gone.
    async fn attend(&mut self) -> Option<Turn> {
        let mut end = self.terminal.end_of_output();
        let mut size = self.terminal.size();
        let mut over = self.terminal.over();
        let _watching = self.terminal.watch();
        let now = *size.borrow_and_update();
        self.say_size(now).await?;
        let mut next = Instant::now();
        loop {
            let behind = *end.borrow_and_update() != self.place;
            tokio::select! {
                message = self.socket.recv() => self.take(message?.ok()?)?,
                () = tokio::time::sleep_until(next), if behind => {
                    self.send_output().await?;
                    next = Instant::now() + PACE;
                }
                changed = end.changed(), if !behind => changed.ok()?,
                changed = size.changed() => {
                    changed.ok()?;
                    let now = *size.borrow_and_update();
                    self.say_size(now).await?;
                }
                why = ended(&mut over), if !behind => {
                    let why = if self.types { why } else { String::new() };
                    tell(self.socket, &json!({ "type": "over", "why": why })).await?;
                    return Some(Turn::Over);
                }
                () = tokio::time::sleep(HEARTBEAT) => self.socket.send(Message::Ping(Bytes::new())).await.ok()?,
            }
        }
    }

    async fn say_size(&mut self, size: Size) -> Option<()> {
        tell(self.socket, &json!({ "type": "size", "columns": size.columns, "rows": size.rows })).await
    }

    async fn send_output(&mut self) -> Option<()> {
        let reading = self.terminal.read(self.place, if self.types { PIECES.0 } else { PIECES.1 });
        if reading.anew || self.place == 0 {
            tell(self.socket, &json!({ "type": "anew" })).await?;
        }
        self.place = reading.end;
        self.socket.send(Message::Binary(reading.bytes.into())).await.ok()
    }

    /// Takes in what the window sends; only the speaker's counts.
    fn take(&self, message: Message) -> Option<()> {
        match message {
            Message::Close(_) => return None,
            Message::Binary(bytes) if self.types => {
                self.terminal.input(bytes.to_vec());
            }
            Message::Text(text) if self.types => {
                if let Ok(Asked::Size { columns, rows }) = serde_json::from_str(&text) {
                    self.terminal.resize(Size { columns, rows });
                }
            }
            _ => {}
        }
        Some(())
    }
}

async fn ended(over: &mut tokio::sync::watch::Receiver<Option<String>>) -> String {
    match over.wait_for(Option::is_some).await {
        Ok(why) => why.clone().unwrap_or_default(),
        Err(_) => "the terminal has ended".to_owned(),
    }
}
