//! What a run was made with: all that may be different on another day. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::FACTS;
use super::play::Player;
use super::read::Recording;

/// What a run was made with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The version of foredeck.
    pub foredeck: String,
    /// What tells one build of it from another.
    pub program: String,
    /// The port that was asked for; none when any would do.
    pub port: Option<u16>,
    /// The clock's distance from UTC, in seconds.
    pub offset_s: i32,
    /// The cluster, as on the command line: `embedded`, `kind:demo`.
    pub cluster: String,
    /// The version of its API server; empty when none has answered.
    pub version: String,
    /// The images that ran there, and the digest of each.
    pub images: BTreeMap<String, String>,
}

impl Facts {
    /// What a run was made with, as it says itself at its end; nothing when it does not.
    pub fn of(run: &Arc<Recording>) -> Option<Self> {
        let mut player = Player::new(run.clone());
        player.seek(run.length);
        serde_json::from_value(player.scene().cells.get(FACTS)?.clone()).ok()
    }
}
