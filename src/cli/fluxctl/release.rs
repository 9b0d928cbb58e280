//! `release`, `policy` and its shorthands.

use std::time::Duration;

use tokio::time::Instant;

use super::client::Client;
use super::sync::{applied, job};
use super::{Report, Stop, said, tell};
use crate::gitops::fluxctl::wire::{self, Done, Images, Update};
use crate::gitops::fluxctl::{Release, output};
use crate::gitops::release::policies::PolicyChanges;
use crate::gitops::release::{Cause, Status};
use crate::gitops::table::{results, rollout};

/// Between two looks at a roll-out.
const LOOK: Duration = Duration::from_secs(2);

pub(super) async fn policy(
    client: &Client,
    changes: PolicyChanges,
    cause: Cause,
    verbosity: u8,
) -> Result<Report, Stop> {
    let (_, done) = job(client, &Update::Policies(changes, cause)).await?;
    let done = done.map_err(Stop::failed)?;
    for note in &done.notes {
        tell(&format!("Warning: {note}"));
    }
    let table = results::table(&done.results, verbosity);
    let stderr = if done.revision.is_empty() {
        format!("{}\n", output::NOTHING)
    } else {
        format!("{}\n", output::pushed(&done.revision))
    };
    Ok(Report { stderr, ..said(table) })
}

pub(super) async fn release(client: &Client, asked: Release) -> Result<Report, Stop> {
    let Release { release, dry_run, interactive, watch, cause, verbosity } = asked;
    if interactive {
        return Err(Stop::failed(
            "--interactive is not there yet; see what would change with --dry-run, and name images with --update-image",
        ));
    }
    tell(output::submitting(dry_run));
    let update = Update::Images(Box::new(Images { release, dry_run, cause }));
    let (_, done) = job(client, &update).await?;
    let done = done.map_err(Stop::failed)?;
    let table = results::table(&done.results, verbosity);
    if dry_run || done.revision.is_empty() {
        return Ok(said(table));
    }
    // The table comes before the waiting.
    super::print(&said(table));
    tell(&output::pushed(&done.revision));
    if !applied(client, &done.revision).await? {
        return Ok(output::apply_timed_out());
    }
    tell(&output::applied(&done.revision));
    if watch { follow(client, &done, verbosity > 0).await } else { Ok(said("")) }
}

/// Shows a roll-out until all workloads are ready, or one never will be.
async fn follow(client: &Client, done: &Done, verbose: bool) -> Result<Report, Stop> {
    let changed = done.results.0.iter().filter(|(_, outcome)| outcome.status == Status::Success);
    let ids: Vec<String> = changed.map(|(id, _)| id.to_string()).collect();
    tell(output::MONITORING);
    let deadline = Instant::now() + client.limit();
    loop {
        let answer = client.get("v11/services", &[("services", &ids.join(","))]).await?;
        let found = wire::workloads(&answer).ok_or_else(|| Stop::failed("the daemon's answer is no list"))?;
        for workload in &found {
            super::print(&said(rollout::table(workload, verbose)));
        }
        if let Some(stuck) = found.iter().find(|workload| workload.status == "error") {
            let problem = output::release_problem(&stuck.id.to_string(), &stuck.rollout.messages);
            return Err(Stop(Report { stdout: String::new(), stderr: problem, exit: 1 }));
        }
        let ready = |status: &str| matches!(status, "ready" | "deployed");
        if found.len() == ids.len() && found.iter().all(|workload| ready(&workload.status)) {
            return Ok(Report { stderr: format!("{}\n", output::ALL_READY), ..said("") });
        }
        if Instant::now() >= deadline {
            return Err(Stop::failed("timeout"));
        }
        tokio::time::sleep(LOOK).await;
    }
}
