//! The connection to a browser: calls and answers, and events of pages (Chrome DevTools Protocol over WebSocket).
//!
//! Nothing runs by itself: [`Wire::carry`] moves messages while some work is done, and ends with it.

use std::collections::HashMap;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::error::Error;

/// A picture of a large slide, as text.
const LARGEST_MESSAGE: usize = 512 << 20;
/// Requests that may wait to be sent.
const CALLS: usize = 64;
/// Events of a page that may wait to be looked at; one that never looks is given up.
const EVENTS: usize = 8192;

type Answer = oneshot::Sender<Result<Value, String>>;

enum Order {
    Call { session: Option<String>, method: &'static str, params: Value, answer: Answer },
    Follow { session: String, events: mpsc::Sender<Event> },
}

/// Something that a page tells.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) method: String,
    pub(super) params: Value,
}

/// A browser or one of its pages, to ask for things.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    orders: mpsc::Sender<Order>,
    session: Option<String>,
    limit: Option<Duration>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Call { method, .. } => write!(f, "call {method}"),
            Self::Follow { session, .. } => write!(f, "follow {session}"),
        }
    }
}

impl Caller {
    /// The same with another time limit.
    pub(super) fn within(&self, limit: Option<Duration>) -> Self {
        Self { limit, ..self.clone() }
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// The same for a page, and the page's events.
    pub(super) async fn page(&self, session: String) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(EVENTS);
        // When the wire is gone the next call tells.
        let _ = self.orders.send(Order::Follow { session: session.clone(), events }).await;
        (Self { session: Some(session), ..self.clone() }, receiver)
    }

    /// Asks for something, and waits for the answer.
    pub(super) async fn call(&self, doing: &'static str, method: &'static str, params: Value) -> Result<Value, Error> {
        let gone = || Error::Gone { doing, words: String::new() };
        let asked = async {
            let (answer, answered) = oneshot::channel();
            let order = Order::Call { session: self.session.clone(), method, params, answer };
            self.orders.send(order).await.map_err(|_| gone())?;
            match answered.await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(message)) => Err(Error::Answer { doing, message }),
                Err(_) => Err(gone()),
            }
        };
        match self.limit {
            None => asked.await,
            Some(limit) => tokio::time::timeout(limit, asked).await.unwrap_or(Err(Error::Slow { doing, limit })),
        }
    }
}

/// The connection itself.
pub(super) struct Wire {
    socket: WebSocketStream<TcpStream>,
    orders: mpsc::Receiver<Order>,
    waiting: HashMap<u64, Answer>,
    followers: HashMap<String, mpsc::Sender<Event>>,
    last: u64,
}

impl Wire {
    /// Connects to `ws://127.0.0.1:PORT/…`.
    pub(super) async fn open(address: &str, limit: Option<Duration>) -> Result<(Self, Caller), String> {
        let host = address.strip_prefix("ws://").and_then(|rest| rest.split('/').next());
        let host = host.ok_or_else(|| format!("`{address}` is no address to connect to"))?;
        let stream = TcpStream::connect(host).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE))
            .max_write_buffer_size(usize::MAX);
        let handshake = tokio_tungstenite::client_async_with_config(address, stream, Some(config));
        let (socket, _) = handshake.await.map_err(|error| error.to_string())?;
        let (sender, orders) = mpsc::channel(CALLS);
        let wire = Self { socket, orders, waiting: HashMap::new(), followers: HashMap::new(), last: 0 };
        Ok((wire, Caller { orders: sender, session: None, limit }))
    }

    /// Moves messages until the connection ends.
    pub(super) async fn run(&mut self) {
        loop {
            tokio::select! {
                order = self.orders.recv() => {
                    let Some(order) = order else { return };
                    if !self.send(order).await {
                        return;
                    }
                }
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.take(&text),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    async fn send(&mut self, order: Order) -> bool {
        match order {
            Order::Follow { session, events } => {
                self.followers.insert(session, events);
                true
            }
            Order::Call { session, method, params, answer } => {
                self.last += 1;
                let mut message = json!({ "id": self.last, "method": method, "params": params });
                if let Some(session) = session {
                    message["sessionId"] = session.into();
                }
                self.waiting.insert(self.last, answer);
                // Those who gave up waiting are not waited for.
                self.waiting.retain(|_, answer| !answer.is_closed());
                self.socket.send(Message::text(message.to_string())).await.is_ok()
            }
        }
    }

    fn take(&mut self, text: &str) {
        let Ok(mut message) = serde_json::from_str::<Value>(text) else { return };
        if let Some(id) = message["id"].as_u64() {
            let Some(answer) = self.waiting.remove(&id) else { return };
            let result = match message["error"]["message"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(message["result"].take()),
            };
            // Whoever asked may have gone.
            let _ = answer.send(result);
            return;
        }
        let (Some(session), Some(method)) = (message["sessionId"].as_str(), message["method"].as_str()) else { return };
        let (session, method) = (session.to_owned(), method.to_owned());
        if let Some(follower) = self.followers.get(&session) {
            let event = Event { method, params: message["params"].take() };
            if follower.try_send(event).is_err() {
                self.followers.remove(&session);
            }
        }
    }

    /// Nobody is answered any more.
    pub(super) fn drop_all(&mut self) {
        self.waiting.clear();
        self.followers.clear();
        self.orders.close();
        while self.orders.try_recv().is_ok() {}
    }
}
