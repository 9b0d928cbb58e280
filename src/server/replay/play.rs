//! Keeps the cells and screens of a run at the moment its head is at.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::recording::play::Player;
use crate::server::state::App;

/// Further than this, it is quicker to look the moment up than to go there.
const FAR: u32 = 60_000;

/// Plays until stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let replay = &app.replay;
    let mut heads = replay.head.subscribe();
    let mut playing: Option<(String, u64, Player)> = None;
    loop {
        let head = heads.borrow_and_update().clone();
        let mut wake = None;
        if let Some(head) = head
            && let Some(run) = replay.plan.runs.get(&head.deck)
        {
            let at = head.at(Instant::now());
            let there = playing.take().filter(|(deck, jump, player)| {
                *deck == head.deck && *jump == head.jump && at.saturating_sub(player.at()) < FAR
            });
            let mut player = match there {
                Some((_, _, mut player)) => {
                    player.advance(at).into_iter().for_each(|change| replay.shown.publish(&player, change));
                    player
                }
                None => {
                    let mut player = Player::new(run.clone());
                    player.seek(at);
                    replay.shown.publish_all(&player);
                    player
                }
            };
            wake = player.next_at().and_then(|next| head.when(next));
            playing = Some((head.deck, head.jump, player));
        }
        let next = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            changed = heads.changed() => if changed.is_err() { return },
            () = next => {}
        }
    }
}
