//! Looks at the cluster until what a step waits for holds.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::journal::{Ended, State};
use super::wait::Wait;
use crate::cluster::condition::Standing;
use crate::cluster::object::Key;
use crate::gitops::api::Objects;
use crate::gitops::kinds::Served;

/// How long one question may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How often the object is looked at, at first and after a while.
const PACES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(500));
/// When the slower pace begins.
const PATIENT: Duration = Duration::from_secs(10);

/// Waits until it holds. A cluster that does not answer for a while is asked again until the deadline.
///
/// # Errors
/// How the step ends when it does not hold in time, never will, or is stopped.
pub async fn until_it_holds(
    client: kube::Client,
    wait: &Wait,
    deadline: Instant,
    stop: &CancellationToken,
    tell: &mut (dyn FnMut(&str) + Send),
) -> Result<(), Ended> {
    let objects = Objects::new(client, LIMIT);
    let began = Instant::now();
    let mut why = format!("{} is not known yet", wait.kind);
    let mut served = None;
    loop {
        let seen = tokio::select! {
            seen = look(&objects, wait, &mut served) => seen,
            () = stop.cancelled() => return Err(ended(State::Stopped, "stopped".to_owned())),
            () = tokio::time::sleep_until(deadline) => return Err(late(wait, &why)),
        };
        match seen {
            Standing::Holds => return Ok(()),
            Standing::Never(why) => return Err(ended(State::Failed, format!("{}: {why}", wait.shown()))),
            Standing::NotYet(now) => {
                if now != why {
                    tell(&now);
                    why = now;
                }
            }
        }
        let pace = if began.elapsed() < PATIENT { PACES.0 } else { PACES.1 };
        tokio::select! {
            () = tokio::time::sleep(pace) => {}
            () = stop.cancelled() => return Err(ended(State::Stopped, "stopped".to_owned())),
            () = tokio::time::sleep_until(deadline) => return Err(late(wait, &why)),
        }
    }
}

async fn look(objects: &Objects, wait: &Wait, served: &mut Option<Served>) -> Standing {
    if served.is_none() {
        match objects.kinds().await {
            Ok(kinds) => *served = wait.resolve(&kinds).cloned(),
            Err(error) => return Standing::NotYet(format!("the cluster does not answer: {error}")),
        }
    }
    // A kind may be defined by what is being applied.
    let Some(kind) = served else { return Standing::NotYet(format!("the cluster has no kind `{}`", wait.kind)) };
    let namespace = if kind.namespaced { wait.namespace.as_deref().unwrap_or("default") } else { "" };
    match objects.get(kind, &Key::new(namespace, &wait.name)).await {
        Ok(object) => wait.judge(object.as_ref()),
        Err(error) => Standing::NotYet(format!("the cluster does not answer: {error}")),
    }
}

fn late(wait: &Wait, why: &str) -> Ended {
    ended(State::TimedOut, format!("waited too long for {}: {why}", wait.shown()))
}

fn ended(state: State, reason: String) -> Ended {
    Ended { state, exit: None, reason }
}
