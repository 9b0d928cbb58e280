//! An installed Chromium, Chrome or Edge, driven without a window.
//!
//! Guarantees: everything has a time limit; when a [`Browser`] is dropped its processes are killed and its profile is
//! gone; a page gets the files that the deck names and nothing else.

pub mod error;
pub mod find;
mod process;
pub mod request;
pub mod sandbox;
pub mod tab;
mod wire;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

pub use error::Error;
use find::{Found, Machine, Search, System, Wanted};
use process::Process;
use wire::{Caller, Wire};

/// How to start a browser.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which one.
    pub wanted: Wanted,
    /// How long it may take for anything; `None` for as long as it wants.
    pub limit: Option<Duration>,
    /// Whether pages may fetch from the network.
    pub allow_remote: bool,
}

/// How long a browser may take for anything, unless something else is asked for.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Looks for a browser on this machine.
pub fn look(wanted: &Wanted) -> Search {
    let machine = Machine { system: System::here(), variable: &|name| std::env::var_os(name), is_program: &is_program };
    find::search(wanted, &machine)
}

/// Whether a file is there that may be run.
pub fn is_program(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    metadata.is_file() && may_run
}

/// A running browser.
pub struct Browser {
    process: Process,
    wire: Wire,
    caller: Caller,
    allow_remote: bool,
    /// The program.
    pub path: PathBuf,
}

/// What work beside a browser asks it with.
#[derive(Debug, Clone)]
pub struct Handle {
    caller: Caller,
    allow_remote: bool,
}

impl Browser {
    /// Finds and starts a browser.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        let search = look(&options.wanted);
        let Some(Found { path, .. }) = search.found else {
            let mut looked = search.dead;
            looked.extend(search.looked);
            return Err(Error::Missing { looked });
        };
        tracing::debug!(browser = %path.display(), "starting");
        let (process, address) = Process::start(&path, options.allow_remote, options.limit).await?;
        let opened = async {
            match options.limit {
                Some(limit) => tokio::time::timeout(limit, Wire::open(&address, options.limit))
                    .await
                    .unwrap_or_else(|_| Err("it does not answer".to_owned())),
                None => Wire::open(&address, options.limit).await,
            }
        };
        let (wire, caller) = opened.await.map_err(|message| Error::Answer { doing: "a connection", message })?;
        let mut browser = Self { process, wire, caller, allow_remote: options.allow_remote, path };
        if options.allow_remote {
            browser.open_up().await?;
        }
        Ok(browser)
    }

    /// To ask it for things, beside it.
    pub fn handle(&self) -> Handle {
        Handle { caller: self.caller.clone(), allow_remote: self.allow_remote }
    }

    /// Lets pages fetch from machines nearby, when they may use the network: browsers ask a person first.
    async fn open_up(&mut self) -> Result<(), Error> {
        const DOING: &str = "opening the network";
        let caller = self.caller.clone();
        self.beside(async {
            // Newer and older browsers have other words for it, and refuse those they do not know. Each grant ends the
            // one before.
            for words in [json!(["localNetwork", "loopbackNetwork"]), json!(["localNetworkAccess"])] {
                match caller.call(DOING, "Browser.grantPermissions", json!({ "permissions": words })).await {
                    Ok(_) => break,
                    Err(Error::Answer { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
        .await
    }

    /// Does some work that uses the browser.
    ///
    /// # Errors
    /// When the work fails, or the browser ends in the middle of it.
    pub async fn beside<T, E: From<Error>>(&mut self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let Self { wire, process, .. } = self;
        let done = tokio::select! {
            biased;
            () = wire.run() => None,
            () = process.listen() => None,
            done = work => Some(done),
        };
        match done {
            Some(done) => done,
            None => {
                wire.drop_all();
                process.rest().await;
                Err(Error::Gone { doing: "at work", words: process.last_words() }.into())
            }
        }
    }

    /// Ends it.
    pub async fn end(self) {
        self.process.end().await;
    }
}

impl Handle {
    /// The browser's name and version.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn version(&self) -> Result<String, Error> {
        let answer = self.caller.call("asked for its version", "Browser.getVersion", json!({})).await?;
        Ok(answer["product"].as_str().unwrap_or("unknown").to_owned())
    }
}
