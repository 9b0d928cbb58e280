//! `kubectl port-forward` to simulated pods: connections through SPDY in a WebSocket, or through its channels.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::spdy::{Frame, Reader, Writer};
use super::websocket::Socket;

/// SPDY in a WebSocket, as `kubectl` speaks it.
pub const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
/// Channels of a WebSocket, as `kube` speaks them.
pub const CHANNELS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// Connections at once through one forward.
const MOST: usize = 64;
/// Bytes under way in one direction of a connection.
const PIPE: usize = 64 * 1024;

/// Answers a request that came to a port of the pod.
pub type Answer = Arc<dyn Fn(u16, &Request<Body>) -> Response<Body> + Send + Sync>;

/// What a connection to the pod says back.
enum Back {
    Bytes(u32, Vec<u8>),
    End(u32),
}

/// The pod's end of the connections.
struct Pod {
    answer: Answer,
    back: mpsc::Sender<Back>,
    tasks: JoinSet<()>,
    to_pod: HashMap<u32, tokio::io::WriteHalf<DuplexStream>>,
}

impl Pod {
    fn new(answer: Answer) -> (Self, mpsc::Receiver<Back>) {
        let (back, receiver) = mpsc::channel(16);
        (Self { answer, back, tasks: JoinSet::new(), to_pod: HashMap::new() }, receiver)
    }

    /// Opens a connection to a port. `false` when there are too many.
    fn open(&mut self, id: u32, port: u16) -> bool {
        if self.to_pod.len() >= MOST {
            return false;
        }
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let (mut reader, writer) = tokio::io::split(ours);
        self.to_pod.insert(id, writer);
        let answer = self.answer.clone();
        self.tasks.spawn(async move {
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let answered = answer(port, &request.map(Body::new));
                async move { Ok::<_, Infallible>(answered) }
            });
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), service);
            // What is no HTTP ends the connection, as a server in a pod would.
            let _ = connection.await;
        });
        let back = self.back.clone();
        self.tasks.spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(length @ 1..) = reader.read(&mut buffer).await {
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                if back.send(Back::Bytes(id, bytes)).await.is_err() {
                    return;
                }
            }
            let _ = back.send(Back::End(id)).await;
        });
        true
    }

    async fn send(&mut self, id: u32, bytes: &[u8], ended: bool) {
        let Some(writer) = self.to_pod.get_mut(&id) else { return };
        if writer.write_all(bytes).await.is_err() || ended && writer.shutdown().await.is_err() {
            self.to_pod.remove(&id);
        }
    }
}

/// Forwards connections that come as SPDY streams: each is a pair of an error and a data stream.
pub async fn tunnel(mut socket: Socket, answer: Answer, stop: CancellationToken) {
    let (mut pod, mut back) = Pod::new(answer);
    let (mut reader, mut writer) = (Reader::default(), Writer::default());
    'connection: loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(said) = back.recv() => {
                let frame = match said {
                    Back::Bytes(stream, bytes) => Writer::data(stream, &bytes, false),
                    Back::End(stream) => {
                        pod.to_pod.remove(&stream);
                        Writer::data(stream, &[], true)
                    }
                };
                if !socket.send_raw(frame).await {
                    break;
                }
            }
            message = socket.receive() => {
                let Some(message) = message else { break };
                reader.push(&message);
                loop {
                    let frame = match reader.frame() {
                        Ok(Some(frame)) => frame,
                        Ok(None) => break,
                        Err(error) => {
                            tracing::debug!(%error, "a port-forward ended");
                            break 'connection;
                        }
                    };
                    let answers = spdy_frame(&mut pod, &mut writer, frame).await;
                    let Some(answers) = answers else { break 'connection };
                    for answer in answers {
                        if !socket.send_raw(answer).await {
                            break 'connection;
                        }
                    }
                }
            }
        }
    }
    pod.tasks.shutdown().await;
    socket.close().await;
}

/// What is answered to a frame; `None` ends the connection.
async fn spdy_frame(pod: &mut Pod, writer: &mut Writer, frame: Frame) -> Option<Vec<Vec<u8>>> {
    let mut answers = Vec::new();
    match frame {
        Frame::Open { stream, headers, .. } => {
            let header = |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
            answers.push(writer.accept(stream));
            if header("streamtype") == Some("data") {
                let port = header("port").and_then(|port| port.parse().ok()).unwrap_or(0);
                if !pod.open(stream, port) {
                    answers.push(Writer::data(stream, &[], true));
                }
            }
        }
        Frame::Data { stream, bytes, ended } => {
            pod.send(stream, &bytes, ended).await;
            if !bytes.is_empty() {
                answers.push(Writer::window(stream, bytes.len()));
            }
        }
        Frame::Reset { stream } => drop(pod.to_pod.remove(&stream)),
        Frame::Ping { id } => answers.push(Writer::pong(id)),
        Frame::Goodbye => return None,
        Frame::Other => {}
    }
    Some(answers)
}

/// Forwards one connection to each port, two channels a port: data and error, each beginning with the port.
pub async fn channels(mut socket: Socket, ports: Vec<u16>, answer: Answer, stop: CancellationToken) {
    let (mut pod, mut back) = Pod::new(answer);
    for (index, port) in ports.iter().enumerate().take(MOST) {
        let channel = u8::try_from(index * 2).unwrap_or(u8::MAX);
        for channel in [channel, channel.saturating_add(1)] {
            socket.send(channel, &port.to_le_bytes()).await;
        }
        pod.open(u32::from(channel), *port);
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(said) = back.recv() => {
                let sent = match said {
                    Back::Bytes(channel, bytes) => socket.send(u8::try_from(channel).unwrap_or(u8::MAX), &bytes).await,
                    Back::End(channel) => {
                        pod.to_pod.remove(&channel);
                        !pod.to_pod.is_empty()
                    }
                };
                if !sent {
                    break;
                }
            }
            message = socket.receive() => {
                let Some(message) = message else { break };
                match message.split_first() {
                    Some((&255, [channel, ..])) => pod.send(u32::from(*channel), &[], true).await,
                    Some((channel, bytes)) => pod.send(u32::from(*channel), bytes, false).await,
                    None => {}
                }
            }
        }
    }
    pod.tasks.shutdown().await;
    socket.close().await;
}
