//! The controllers of deliveries beside the reconciler: canaries, Helm releases and Cluster API, on the embedded cluster alone.
//!
//! They make their definitions when the sandbox runs, not when it starts, and then wait on watches: without such objects
//! nothing is done. The many kinds of Cluster API come after the first sync, so that it has the machine to itself.
//! Whatever goes wrong in one of them is logged and tried again; nobody else is held up.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::charts;
use super::error::chain;
use super::repository::Repository;
use crate::cluster::embedded::Embedded;
use crate::gitops::canary::{self, Canaries};
use crate::gitops::capi::{self, ClusterApi, Timings};
use crate::gitops::helm::{self, Releases, Sources};
use crate::gitops::reconciler::Handle as Reconciler;

/// The shortest and the longest wait before a controller that broke off works again.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Flagger itself takes no less than ten seconds between two checks; a learner should not have to wait so long.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// How long the first sync is waited for.
const FIRST_SYNC: Duration = Duration::from_secs(2);

/// The controllers, which have to be run.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    controllers: Vec<Controller>,
}

/// How others talk to them; none where they are not at work.
#[derive(Debug, Default)]
pub(super) struct Handles {
    pub(super) canaries: Option<canary::Handle>,
    pub(super) clusters: Option<capi::Handle>,
    pub(super) releases: Option<helm::Handle>,
}

#[derive(Debug)]
enum Controller {
    Canaries(Canaries),
    Clusters(Box<ClusterApi>),
    Releases(Box<Releases>),
}

impl Delivery {
    /// Controllers for a cluster; none for one that is elsewhere, which has its own.
    pub(super) fn new(
        embedded: Option<&Embedded>,
        repository: Option<&Repository>,
        helm: Option<helm::Program>,
    ) -> (Self, Handles) {
        let (mut all, mut handles) = (Self::default(), Handles::default());
        let Some(embedded) = embedded else { return (all, handles) };
        let clock = &embedded.api().clock;
        let options = canary::Options { shortest_interval: SHORTEST_INTERVAL, ..canary::Options::default() };
        match Canaries::new(embedded.client(), clock.clone(), options, embedded.images().clone()) {
            Ok((canaries, handle)) => {
                all.controllers.push(Controller::Canaries(canaries));
                handles.canaries = Some(handle);
            }
            Err(error) => tracing::error!(%error, "there are no canaries"),
        }
        let repository = repository.map(|own| (own.demo.dir().to_owned(), own.demo.branch().to_owned()));
        let sources = Sources { shelf: charts::shelf(), repository, helm, ..Sources::default() };
        let releases = Releases::new(embedded.client(), clock.clone(), sources);
        handles.releases = Some(releases.handle());
        all.controllers.push(Controller::Releases(Box::new(releases)));
        // As quick as one can watch: somebody waits for it in front of an audience.
        let options = capi::Options { timings: Timings::STAGE, ..capi::Options::default() };
        let clusters = ClusterApi::new(embedded.client(), clock.clone(), options);
        handles.clusters = Some(clusters.handle());
        all.controllers.push(Controller::Clusters(Box::new(clusters)));
        (all, handles)
    }

    /// Works until stopped.
    pub(super) async fn run(self, reconciler: &Reconciler, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        for controller in self.controllers {
            let (mut status, stop) = (reconciler.status(), stop.clone());
            tasks.spawn(async move {
                if matches!(controller, Controller::Clusters(_)) {
                    let synced = status.wait_for(|status| status.synced.is_some());
                    // Without one it is as good a time as any.
                    let _ = stop.run_until_cancelled(tokio::time::timeout(FIRST_SYNC, synced)).await;
                }
                controller.keep(stop).await;
            });
        }
        while tasks.join_next().await.is_some() {}
    }
}

impl Controller {
    fn name(&self) -> &'static str {
        match self {
            Self::Canaries(_) => "canaries",
            Self::Clusters(_) => "cluster api",
            Self::Releases(_) => "helm releases",
        }
    }

    /// Works until stopped or broken; gives why.
    async fn run(&mut self, stop: CancellationToken) -> String {
        match self {
            Self::Canaries(canaries) => canaries.run(stop).await,
            Self::Clusters(clusters) => {
                if let Err(error) = clusters.run(stop).await {
                    return chain(&error);
                }
            }
            Self::Releases(releases) => {
                if let Err(why) = releases.run(stop).await {
                    return why;
                }
            }
        }
        "it ended".to_owned()
    }

    /// Works until stopped, again and again when it breaks off.
    async fn keep(mut self, stop: CancellationToken) {
        let mut wait = WAITS.0;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let ended = AssertUnwindSafe(self.run(stop.clone())).catch_unwind().await;
            if stop.is_cancelled() {
                return;
            }
            let why = ended.unwrap_or_else(|_| "a bug in it".to_owned());
            tracing::error!(controller = self.name(), %why, "a controller broke off and is run again");
            if began.elapsed() > WAITS.1 {
                wait = WAITS.0;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(WAITS.1);
        }
    }
}
