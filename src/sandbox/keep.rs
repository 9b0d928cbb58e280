//! Keeps a sandbox running: when it does not start, ends or breaks, it is started again, and the slides go on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Plan, Sandbox, start};

/// The shortest and the longest wait before it is tried again.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How a sandbox is doing.
#[derive(Debug, Clone, Default)]
pub enum Demo {
    /// There is none, and none is to come.
    #[default]
    Off,
    /// It is being started.
    Starting,
    /// It works.
    Ready(Arc<Sandbox>),
    /// It does not work; it is tried again.
    Failed(String),
}

impl Demo {
    /// The sandbox, when it works.
    pub fn ready(&self) -> Option<&Arc<Sandbox>> {
        match self {
            Self::Ready(sandbox) => Some(sandbox),
            _ => None,
        }
    }
}

/// Runs a sandbox until it is stopped. Only the first start may put an earlier run aside.
pub async fn keep(mut plan: Plan, demo: watch::Sender<Demo>, stop: CancellationToken) {
    let mut wait = WAITS.0;
    while !stop.is_cancelled() {
        demo.send_replace(Demo::Starting);
        let began = tokio::time::Instant::now();
        let why = once(&plan, &demo, &stop).await;
        if stop.is_cancelled() {
            break;
        }
        plan.fresh = false;
        tracing::error!(%why, "the demo side stopped and is started again");
        demo.send_replace(Demo::Failed(why));
        if began.elapsed() > WAITS.1 {
            wait = WAITS.0;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(WAITS.1);
    }
    demo.send_replace(Demo::Off);
}

/// Runs it once; gives the reason why it ended.
async fn once(plan: &Plan, demo: &watch::Sender<Demo>, stop: &CancellationToken) -> String {
    let (sandbox, running) = match start(plan).await {
        Ok(started) => started,
        Err(error) => return error.chain(),
    };
    let embedded = sandbox.embedded().cloned();
    demo.send_replace(Demo::Ready(sandbox));
    let why = survive(running.run(stop.clone())).await;
    if let Some(embedded) = embedded {
        // After a bug nobody has: its address and its tasks must be free for the next one.
        embedded.stop().await;
    }
    why.to_owned()
}

/// Does the work in a task of its own, so that a bug in it ends here; says what became of it.
async fn survive(work: impl Future<Output = ()> + Send + 'static) -> &'static str {
    let mut tasks = JoinSet::new();
    tasks.spawn(work);
    match tasks.join_next().await {
        Some(Err(error)) if error.is_panic() => "a bug in the demo side",
        _ => "the cluster or the reconciler ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bug_in_the_demo_side_ends_there() {
        assert_eq!(survive(async { panic!("a bug, as a test") }).await, "a bug in the demo side");
        assert_eq!(survive(async {}).await, "the cluster or the reconciler ended");
    }
}
