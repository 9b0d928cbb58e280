//! The talk's state in a file, for a server that starts again in the middle of a talk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::live::Live;
use super::role::{Token, Tokens};

/// Changes closer together than this are written once.
const DEBOUNCE: Duration = Duration::from_millis(200);
const SCHEMA: &str = "foredeck/state/1";

/// What survives a restart. The tokens are in it so that the speaker's windows stay the speaker's;
/// the file is readable for its owner alone.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    schema: String,
    live: Live,
    presenter: String,
    remote: String,
}

/// What an earlier server left.
#[derive(Debug)]
pub struct Earlier {
    /// Where the talk was.
    pub live: Live,
    /// The speaker's token.
    pub presenter: Token,
    /// The phone's token.
    pub remote: Token,
}

/// Reads the file; `None` when there is none or it is not ours.
pub async fn read(path: &Path) -> Option<Earlier> {
    let text = tokio::fs::read_to_string(path).await.ok()?;
    let saved = serde_json::from_str::<Saved>(&text);
    let earlier = saved.ok().filter(|saved| saved.schema == SCHEMA).and_then(|saved| {
        let (presenter, remote) = (Token::known(&saved.presenter)?, Token::known(&saved.remote)?);
        Some(Earlier { live: saved.live, presenter, remote })
    });
    if earlier.is_none() {
        tracing::warn!(state.path = %path.display(), "the saved state cannot be read; starting at the beginning");
    }
    earlier
}

/// Writes the state whenever it changed, until stopped; then once more.
pub async fn keep(path: PathBuf, mut live: watch::Receiver<Live>, tokens: Tokens, stop: CancellationToken) {
    let mut complained = false;
    loop {
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            changed = live.changed() => changed.is_err(),
        };
        if !stopped {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(DEBOUNCE) => {}
            }
        }
        let now = live.borrow_and_update().clone();
        if let Err(error) = write(&path, now, &tokens).await
            && !complained
        {
            complained = true;
            tracing::warn!(state.path = %path.display(), %error, "the state cannot be saved; `--resume` will not work");
        }
        if stopped {
            return;
        }
    }
}

/// Beside the file, then renamed: never half a file.
async fn write(path: &Path, live: Live, tokens: &Tokens) -> io::Result<()> {
    let saved = Saved {
        schema: SCHEMA.to_owned(),
        live,
        presenter: tokens.presenter.reveal().to_owned(),
        remote: tokens.remote.reveal().to_owned(),
    };
    let text = serde_json::to_string_pretty(&saved).map_err(io::Error::other)?;
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", tokens.port));
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options.open(&draft).await?;
    file.write_all(text.as_bytes()).await?;
    file.sync_all().await?;
    tokio::fs::rename(&draft, path).await
}
