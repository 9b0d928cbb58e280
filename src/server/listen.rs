//! Connections: accepted up to a limit, each in a task of its own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::state::App;
use crate::net::{self, Patience};

/// Bytes kept per connection: a head must fit, and a stalled stream cannot pile up more.
const BUFFER: usize = 16 * 1024;

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Accepts connections until stopped, each in a task of `tasks`.
pub async fn accept(listener: TcpListener, router: Router, app: Arc<App>, tasks: TaskTracker, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(net::make_room(app.limits.connections).min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of files, mostly: others must close first. A client's own fault costs nothing.
                if !net::is_of_client(&error) {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            app.metrics.turned_away();
            continue;
        };
        let (router, app, stop) = (router.clone(), app.clone(), stop.clone());
        tasks.spawn(async move {
            app.metrics.connected();
            // An event is one small write: it must not wait for the next.
            let _ = stream.set_nodelay(true);
            let patience = Patience { head: app.limits.head_timeout, stall: app.limits.stall_timeout, buffer: BUFFER };
            net::serve(stream, patience, stop, |mut request| {
                request.extensions_mut().insert(Peer(address.ip()));
                let router = router.clone();
                async move { router.oneshot(request).await.unwrap_or_else(|never| match never {}) }
            })
            .await;
            app.metrics.disconnected();
            drop(place);
        });
    }
}
