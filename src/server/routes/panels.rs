//! `/api/v1/workshop/{step}/panels`: the panels of a step, as server-sent events while somebody looks.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::future::select_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::workshop::{may_work, seat};
use crate::deck::{PanelKind, PanelSpec};
use crate::diagnostic::Span;
use crate::panel::state::PanelState;
use crate::server::error::Problem;
use crate::server::listen::Peer;
use crate::server::panels::frame_for_owner;
use crate::server::state::{App, Place, Streams};
use crate::workshop::Step;

/// A window hears no more often than this.
const PACE: Duration = Duration::from_millis(80);
/// Connections stay open while nothing changes.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// The panel of a kind, as a step shows it.
pub(super) fn spec(kind: PanelKind) -> PanelSpec {
    PanelSpec {
        kind,
        options: Vec::new(),
        words: Vec::new(),
        snapshot: String::new(),
        picture: None,
        span: Span::default(),
    }
}

/// The panels of a step that are live, the terminal aside.
pub(super) fn live(step: &Step) -> Vec<PanelSpec> {
    let kinds = step.panels.iter().copied();
    let own = |kind: &PanelKind| {
        !matches!(kind, PanelKind::Terminal | PanelKind::Steps | PanelKind::Exec | PanelKind::Poll | PanelKind::Qr)
    };
    kinds.filter(own).map(spec).collect()
}

/// An endless answer: what each panel shows, and every change.
pub async fn of_step(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seat = seat(&app)?;
    if !may_work(&app, seat, &headers) {
        return Err(Problem::forbidden("Only the learner whose sandbox this is can see its panels."));
    }
    let step = seat.workshop().step(&name).ok_or_else(|| Problem::not_found("There is no such step."))?;
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Extension(Peer(address))| address);
    let place = Streams::enter(&app, address, app.limits.streams_per_address)
        .ok_or_else(|| Problem::unavailable("There are too many windows.").hint("Close some of them."))?;
    let cells = live(step).iter().map(|spec| (spec.key(), app.panels.sources.open(spec))).collect();
    let window = Window { stop: app.panels.stopping(), app, cells, told: Vec::new(), begun: false, _place: place };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(futures::stream::unfold(window, Window::next))).into_response())
}

/// A window that looks.
struct Window {
    app: Arc<App>,
    cells: Vec<(String, watch::Receiver<Arc<PanelState>>)>,
    told: Vec<Bytes>,
    begun: bool,
    stop: CancellationToken,
    _place: Place,
}

impl Window {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let news = self.news();
            let first = !std::mem::replace(&mut self.begun, true);
            if first || !news.is_empty() {
                let greeting = if first { b"retry: 2000\n\n".to_vec() } else { Vec::new() };
                return Some((Ok([greeting, news].concat().into()), self));
            }
            // A source that is over has nothing more to say.
            let changes = self.cells.iter_mut().map(|(_, cell)| {
                Box::pin(async {
                    if cell.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                })
            });
            let changes: Vec<_> = changes.collect();
            let changed = async {
                if changes.is_empty() {
                    std::future::pending::<()>().await;
                } else {
                    select_all(changes).await;
                }
            };
            let stop = self.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return None,
                () = changed => {}
                () = tokio::time::sleep(HEARTBEAT) => return Some((Ok(Bytes::from_static(b":\n\n")), self)),
            }
            // What changes again at once is told once.
            tokio::time::sleep(PACE).await;
        }
    }

    fn news(&mut self) -> Vec<u8> {
        let mut news = Vec::new();
        self.told.resize(self.cells.len(), Bytes::new());
        for ((key, cell), told) in self.cells.iter_mut().zip(&mut self.told) {
            let state = cell.borrow_and_update().clone();
            let Some(frame) = frame_for_owner(&self.app.templates, key, &state) else { continue };
            if *told != frame {
                news.extend_from_slice(&frame);
                *told = frame;
            }
        }
        news
    }
}
