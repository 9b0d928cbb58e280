//! `sync` and `identity`, and waiting for jobs and commits.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::client::{Client, Error};
use super::{Pauses, Report, Stop, said, tell};
use crate::gitops::fluxctl::output::{self, RepoStatus};
use crate::gitops::fluxctl::wire::{Done, GitConfig, Job, Update};

/// Asks for a change and waits until it is made.
pub(super) async fn job(client: &Client, update: &Update) -> Result<(String, Result<Done, String>), Stop> {
    let id = client.post("v9/update-manifests", &update.to_json()).await?;
    let id = id.as_str().ok_or_else(|| Stop::failed("the daemon's answer is no job"))?.to_owned();
    let deadline = Instant::now() + client.limit();
    let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(5));
    loop {
        match Job::of(&client.get("v6/jobs", &[("id", &id)]).await?) {
            Some(Job::Succeeded(done)) => return Ok((id, Ok(done))),
            Some(Job::Failed(error)) => return Ok((id, Err(error))),
            Some(Job::Queued | Job::Running) => {}
            None => return Err(Stop::failed("the daemon's answer is no job")),
        }
        if Instant::now() >= deadline {
            return Err(Stop(output::job_timed_out()));
        }
        pauses.wait().await;
    }
}

/// Waits until a commit is applied; false when that takes too long.
pub(super) async fn applied(client: &Client, revision: &str) -> Result<bool, Stop> {
    let deadline = Instant::now() + client.limit();
    let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(10));
    loop {
        let left = client.get("v6/sync", &[("ref", revision)]).await?;
        if left.as_array().is_some_and(Vec::is_empty) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        pauses.wait().await;
    }
}

async fn config(client: &Client, regenerate: bool) -> Result<GitConfig, Stop> {
    let answer = client.post("v9/git-repo-config", &json!(regenerate)).await?;
    GitConfig::of(&answer).ok_or_else(|| Error::Other("the daemon says nothing of its repository".to_owned()).into())
}

pub(super) async fn sync(client: &Client) -> Result<Report, Stop> {
    let config = config(client, false).await?;
    let status = match config.status.as_str() {
        "ready" => RepoStatus::Ready,
        "unconfigured" => RepoStatus::Unconfigured,
        "unreachable" => RepoStatus::Unreachable,
        "cloned" => RepoStatus::Cloned,
        _ => RepoStatus::New,
    };
    if let Some(why) = status.refusal(&config.url, &config.error) {
        return Err(Stop::failed(why));
    }
    tell(&output::sync_begins(&config.url));
    let (id, done) = job(client, &Update::Sync).await?;
    let done = done.map_err(|error| {
        tell(&format!("Failed to complete sync job (ID {id:?})"));
        Stop::failed(error)
    })?;
    for line in output::sync_waits(&config.branch, &done.revision) {
        tell(&line);
    }
    if !applied(client, &done.revision).await? {
        return Err(Stop::failed("timeout"));
    }
    // Not in Flux: what its users never saw.
    for note in &done.notes {
        tell(&format!("Warning: {note}"));
    }
    Ok(Report { stderr: format!("{}\n", output::SYNC_DONE), ..said("") })
}

pub(super) async fn identity(
    client: &Client,
    regenerate: bool,
    fingerprint: bool,
    visual: bool,
) -> Result<Report, Stop> {
    let config = config(client, regenerate).await?;
    if config.key.is_empty() {
        // It says why there is none.
        client.get("v6/identity.pub", &[]).await?;
        return Err(Stop::failed("there is no key"));
    }
    Ok(said(match (fingerprint, visual) {
        (_, true) => format!("{}\n{}\n", config.fingerprint, config.picture),
        (true, false) => format!("{}\n", config.fingerprint),
        (false, false) => format!("{}\n", config.key),
    }))
}
