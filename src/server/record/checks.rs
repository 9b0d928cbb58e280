//! What is recorded of a workshop: how far each step is, how its checks stand, and what its commands came to.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Seen;
use crate::workshop::seat::Seat;
use crate::workshop::session::Session;

/// Letters of a command's output that are written down: its last ones.
const MOST_OUTPUT: usize = 4 * 1024;

/// Follows a participant until stopped.
pub(super) async fn follow(seat: Arc<Seat>, sender: mpsc::Sender<(Instant, Seen)>, stop: CancellationToken) {
    let mut sessions = seat.sessions();
    loop {
        let session = sessions.borrow_and_update().clone();
        let work = async {
            if let Some(session) = &session {
                tell(session, &sender).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            changed = sessions.changed() => if changed.is_err() { return },
            () = work => {}
        }
    }
}

/// Hands in what changes. Ends when nobody takes it any more, or the session is over.
async fn tell(session: &Session, sender: &mpsc::Sender<(Instant, Seen)>) {
    let (mut progress, mut results) = (session.progress(), session.results());
    let mut told: Vec<Value> = vec![Value::Null; session.workshop().steps.len()];
    loop {
        let (now, seen) = (progress.borrow_and_update().clone(), results.borrow_and_update().clone());
        for (step, told) in session.workshop().steps.iter().zip(&mut told) {
            let known = now.step(&step.id);
            let result = seen.get(&step.id).cloned().unwrap_or_default();
            let ran = result.ran.as_ref().map(|(name, ran)| {
                let from = ran.output.len().saturating_sub(MOST_OUTPUT);
                let from = (from..=ran.output.len()).find(|at| ran.output.is_char_boundary(*at)).unwrap_or(0);
                json!({ "command": name, "code": ran.code, "stopped": ran.stopped, "output": &ran.output[from..] })
            });
            let value = json!({
                "step": step.id, "state": known.state, "by": known.by, "hints": known.hints, "solved": known.solved,
                "resets": known.resets, "checks": result.checks, "ran": ran,
            });
            let untouched = known.started.is_none() && known.resets == 0 && result.is_empty();
            if !untouched && *told != value {
                told.clone_from(&value);
                if sender.send((Instant::now(), Seen::Check(step.id.clone(), value))).await.is_err() {
                    return;
                }
            }
        }
        let ended = tokio::select! {
            changed = progress.changed() => changed.is_err(),
            changed = results.changed() => changed.is_err(),
        };
        if ended {
            return;
        }
    }
}
