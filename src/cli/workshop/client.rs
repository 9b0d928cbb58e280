//! Talks to the workshop that runs for this project; runs it in this process for one command when none does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::args::WhichWorkshop;
use super::host::{Host, Hosting};
use super::{folder, sound};
use crate::cli::cluster::Place;
use crate::cli::console::{Code, Console, Failure};
use crate::cluster::folder::Folder;
use crate::net::ask::{Ask, ask};
use crate::workshop::Workshop;

/// No command of a step takes longer.
const LIMIT: Duration = Duration::from_secs(3600);
/// How long a server may take to say that it is there.
const HELLO: Duration = Duration::from_secs(3);

/// How a workshop that runs is reached; for its owner alone.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Address {
    pub(super) url: String,
    pub(super) token: String,
}

/// A workshop to talk to.
pub(super) struct Client {
    address: Address,
    pub(super) workshop: Arc<Workshop>,
    host: Option<Host>,
}

/// Where the workshop of this project keeps everything.
pub(super) fn home(console: Console) -> Result<Folder, Failure> {
    Ok(Place::here(console)?.around.folder.below("workshop"))
}

fn file(home: &Folder) -> PathBuf {
    home.path().join("server.json")
}

/// Writes down how the workshop is reached, until it ends.
pub(super) fn announce(home: &Folder, address: &Address) -> std::io::Result<Announced> {
    let file = file(home);
    let text = serde_json::to_string(address).map_err(std::io::Error::other)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(&file)?, text.as_bytes())?;
    Ok(Announced(file))
}

/// Takes the file away again.
pub(super) struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The workshop that runs for this project, if one does.
pub(super) async fn running(home: &Folder) -> Option<Address> {
    let address = read(&file(home))?;
    let url = format!("{}/api/v1/workshop", address.url);
    let answer = ask(Ask::get(&url, HELLO)).await.ok()?;
    (answer.status == 200).then_some(address)
}

/// The workshop that this terminal belongs to: a learner's shell in a room is told by its environment.
pub(super) fn given() -> Option<Address> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Address { url: variable("FOREDECK_WORKSHOP_URL")?, token: variable("FOREDECK_WORKSHOP_TOKEN")? })
}

fn read(file: &Path) -> Option<Address> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

impl Client {
    /// Finds the workshop, or runs it.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(super) async fn find(which: &WhichWorkshop, console: Console) -> Result<Self, Failure> {
        let loaded = sound(which, console)?;
        let workshop = Arc::new(loaded.workshop);
        if let Some(address) = given() {
            return Ok(Self { address, workshop, host: None });
        }
        let home = home(console)?;
        if let Some(address) = running(&home).await {
            return Ok(Self { address, workshop, host: None });
        }
        let hosting = Hosting::quietly(workshop.clone(), folder(which), home);
        let host = Host::start(hosting, CancellationToken::new()).await?;
        if let Err(failure) = host.session().await {
            host.end().await;
            return Err(failure);
        }
        let address = Address { url: host.address.clone(), token: host.token.clone() };
        Ok(Self { address, workshop, host: Some(host) })
    }

    /// How far the participant is.
    ///
    /// # Errors
    /// When the workshop does not answer.
    pub(super) async fn status(&self) -> Result<Value, Failure> {
        self.ask("GET", "", None).await
    }

    /// The step that is meant: the named one, else the one to go on with.
    ///
    /// # Errors
    /// When there is no such step.
    pub(super) async fn step(&self, named: Option<&str>) -> Result<String, Failure> {
        let Some(name) = named else {
            let status = self.status().await?;
            let current = status.get("next").or(status.get("current")).and_then(Value::as_str);
            let last = self.workshop.steps.last().map(|step| step.id.as_str());
            return Ok(current.or(last).unwrap_or_default().to_owned());
        };
        self.workshop.step(name).map(|step| step.id.clone()).ok_or_else(|| unknown(&self.workshop, name))
    }

    /// Does something with a step.
    ///
    /// # Errors
    /// When it cannot be done.
    pub(super) async fn act(&self, step: &str, verb: &str, wish: Value) -> Result<Value, Failure> {
        self.ask("POST", &format!("/{step}/{verb}"), Some(wish.to_string())).await
    }

    /// How the checks of a step stand.
    ///
    /// # Errors
    /// When it cannot be told.
    pub(super) async fn check(&self, step: &str) -> Result<Value, Failure> {
        self.ask("GET", &format!("/{step}"), None).await
    }

    async fn ask(&self, method: &str, path: &str, body: Option<String>) -> Result<Value, Failure> {
        let url = format!("{}/api/v1/workshop{path}", self.address.url);
        let asked = ask(Ask { method, url: &url, token: Some(&self.address.token), body, limit: LIMIT }).await;
        let answer = asked.map_err(|why| {
            let error = anyhow::Error::msg(why).context("the workshop does not answer");
            Failure::new(Code::Cluster, error).hint("`foredeck workshop start` serves it")
        })?;
        let value: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if answer.status == 200 {
            return Ok(value);
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = match answer.status {
            404 => Code::Input,
            403 => Code::Refused,
            503 => Code::Environment,
            _ => Code::Findings,
        };
        let failure = Failure::new(code, anyhow::Error::msg(text("error")));
        Err(match text("hint") {
            hint if hint.is_empty() => failure,
            hint => failure.hint(hint),
        })
    }

    /// Ends what was started for this command.
    pub(super) async fn end(self) {
        if let Some(host) = self.host {
            host.end().await;
        }
    }
}

/// The failure for a step that is not there.
pub(super) fn unknown(workshop: &Workshop, name: &str) -> Failure {
    let failure = Failure::input(format!("there is no step `{name}`"));
    let known = workshop.steps.iter().flat_map(|step| [step.id.as_str(), step.slug.as_str()]);
    match crate::diagnostic::closest(name, known) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`foredeck workshop list` shows the steps"),
    }
}
