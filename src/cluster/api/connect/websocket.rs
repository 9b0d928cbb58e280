//! The WebSocket under exec and port-forward: the handshake, and messages as bytes.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

use crate::cluster::api::status::Refusal;

/// The largest message that is taken.
const LARGEST: usize = 1 << 20;

/// Answers a handshake: the first protocol that the client offers and we speak.
///
/// # Errors
/// 400 when it is no WebSocket handshake, 403 when no protocol is common.
pub fn shake_hands<'a>(headers: &HeaderMap, spoken: &[&'a str]) -> Result<(Response<Body>, &'a str), Refusal> {
    let text = |name: &header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let upgrade = text(&header::UPGRADE).eq_ignore_ascii_case("websocket");
    let key = text(&header::SEC_WEBSOCKET_KEY);
    if !upgrade || key.is_empty() {
        return Err(Refusal::bad_request("Upgrade request required"));
    }
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut offered = offered.flat_map(|value| value.split(',')).map(str::trim);
    let chosen = offered.find_map(|offer| spoken.iter().find(|known| **known == offer)).copied();
    let Some(chosen) = chosen else {
        return Err(Refusal::new(
            403,
            "Forbidden",
            format!("none of the protocols is spoken here: {}", spoken.join(", ")),
        ));
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answers = [
        (header::UPGRADE, "websocket".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes())),
        (header::SEC_WEBSOCKET_PROTOCOL, chosen.to_owned()),
    ];
    for (name, value) in answers {
        let value = HeaderValue::from_str(&value).map_err(Refusal::internal)?;
        response.headers_mut().insert(name, value);
    }
    Ok((response, chosen))
}

/// An open WebSocket of binary messages.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
}

impl Socket {
    /// Takes over a connection whose handshake has been answered.
    pub async fn new(upgraded: Upgraded) -> Self {
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        Self { stream }
    }

    /// The next message; `None` at the end, however it came.
    pub async fn receive(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes.to_vec()),
                Ok(Message::Text(text)) => return Some(text.as_bytes().to_vec()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends bytes on a channel, in messages that are not too large. `false` when nobody is there any more.
    pub async fn send(&mut self, channel: u8, bytes: &[u8]) -> bool {
        for part in bytes.chunks(32 * 1024) {
            let message = [&[channel], part].concat();
            if !self.send_raw(message).await {
                return false;
            }
        }
        true
    }

    /// Sends a message as it is.
    pub async fn send_raw(&mut self, message: Vec<u8>) -> bool {
        self.stream.send(Message::Binary(message.into())).await.is_ok()
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let _ = self.stream.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await;
    }
}
