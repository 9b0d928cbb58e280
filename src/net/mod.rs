//! Connections: given time-outs, ended gracefully; and how many there can be.
//!
//! `axum::serve` is not used because it has no time-outs: a client that sends its request byte by
//! byte, or stops reading, would keep its connection for ever.

pub mod ask;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What open requests get when the server stops.
const GRACE: Duration = Duration::from_secs(3);

/// How long a client may take, and what is kept of what it sends.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request.
    pub head: Duration,
    /// For taking anything of what is sent to it.
    pub stall: Duration,
    /// Bytes kept per connection: a head must fit, and a stalled stream cannot pile up more.
    pub buffer: usize,
}

/// Files kept for everything that is not a connection.
const OTHER_FILES: usize = 128;

/// How many connections can be open at once: as many as wanted, if the system lets us.
///
/// A process may usually open 256 to 1024 files and ask for more; a room of followers needs more.
#[cfg(unix)]
pub fn make_room(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = (wanted + OTHER_FILES) as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(mut files) = current.filter(|files| *files < needed) else { return wanted };
    let more = maximum.map_or(needed, |most| most.min(needed));
    if setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum }).is_ok() {
        files = more;
    }
    wanted.min(usize::try_from(files).unwrap_or(wanted).saturating_sub(OTHER_FILES).max(1))
}

/// How many connections can be open at once.
#[cfg(not(unix))]
pub fn make_room(wanted: usize) -> usize {
    wanted
}

/// Whether a failed accept was the client's own doing, which costs nobody else anything.
pub fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Takes connections until stopped, no more than so many at once.
pub async fn accept<F, A>(
    listener: TcpListener,
    connections: usize,
    tasks: TaskTracker,
    stop: CancellationToken,
    serve: F,
) where
    F: Fn(TcpStream) -> A,
    A: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(make_room(connections)));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                if !is_of_client(&error) {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        // An answer is often one small write: it must not wait for the next.
        let _ = stream.set_nodelay(true);
        let served = serve(stream);
        tasks.spawn(async move {
            served.await;
            drop(place);
        });
    }
}

/// Answers the requests of one connection until it ends or is stopped.
pub async fn serve<S, F, A>(stream: S, patience: Patience, stop: CancellationToken, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Body>) -> A,
    A: Future<Output = Response<Body>>,
{
    let asked = Arc::new(AtomicBool::new(false));
    let asked_now = asked.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        asked_now.store(true, Ordering::Relaxed);
        let answered = answer(request.map(Body::new));
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(patience.buffer)
        .serve_connection(TokioIo::new(Attentive { stream, patience: patience.stall, stalled: None }), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Browsers open connections in advance: those are owed nothing.
        () = stop.cancelled() => if asked.load(Ordering::Relaxed) {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, connection).await.unwrap_or(Ok(()))
        } else {
            Ok(())
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// A connection that is given up when its client takes nothing for a while.
///
/// The clock runs only while the client is behind, so that thousands of idle streams need none.
struct Attentive<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Attentive<S> {
    fn watched<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Attentive<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Attentive<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
