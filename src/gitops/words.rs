//! What Flux 1, Flux 2 and Argo CD call the same things.

/// A program with its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Flux 1.
    Flux1,
    /// Flux 2.
    Flux2,
    /// Argo CD.
    ArgoCd,
}

/// One thing, and what each program calls it. A dash where it has nothing of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The thing.
    pub thing: &'static str,
    words: [&'static str; 3],
}

impl Words {
    const fn new(thing: &'static str, flux1: &'static str, flux2: &'static str, argo_cd: &'static str) -> Self {
        Self { thing, words: [flux1, flux2, argo_cd] }
    }

    /// The word in a dialect.
    pub fn in_dialect(&self, dialect: Dialect) -> &'static str {
        let [flux1, flux2, argo_cd] = self.words;
        match dialect {
            Dialect::Flux1 => flux1,
            Dialect::Flux2 => flux2,
            Dialect::ArgoCd => argo_cd,
        }
    }
}

/// What an author sets up.
pub const CONCEPTS: [Words; 22] = [
    Words::new("repository", "--git-url, --git-branch", "GitRepository", "Application spec.source"),
    Words::new("path", "--git-path", "Kustomization spec.path", "source.path"),
    Words::new("several repositories", "several daemons", "several GitRepository objects", "several Applications"),
    Words::new("interval", "--git-poll-interval, --sync-interval", "interval", "timeout.reconciliation"),
    Words::new("sync now", "fluxctl sync", "flux reconcile kustomization --with-source", "Refresh, Sync"),
    Words::new("what was applied last", "sync tag", "status.lastAppliedRevision", "status.sync.revision"),
    Words::new("ownership", "label fluxcd.io/sync-gc-mark", "status.inventory", "label app.kubernetes.io/instance"),
    Words::new("delete what left Git", "--sync-garbage-collection", "prune: true", "prune"),
    Words::new(
        "leave an object alone",
        "fluxcd.io/ignore: \"true\"",
        "kustomize.toolkit.fluxcd.io/reconcile: disabled",
        "ignoreDifferences",
    ),
    Words::new(
        "never delete an object",
        "fluxcd.io/ignore: sync_only",
        "kustomize.toolkit.fluxcd.io/prune: disabled",
        "Prune=false",
    ),
    Words::new("apply", "client-side apply", "server-side apply", "apply of the difference"),
    Words::new("repair drift", "next sync", "next interval", "selfHeal"),
    Words::new("order", "ranks of kinds", "dependsOn", "phases and waves"),
    Words::new("wait for health", "-", "wait, healthChecks", "health assessment"),
    Words::new("new images", "fluxcd.io/automated", "ImageUpdateAutomation", "Argo CD Image Updater"),
    Words::new("filter of tags", "fluxcd.io/tag.CONTAINER", "ImagePolicy", "update strategy"),
    Words::new("keep images as they are", "fluxcd.io/locked", "suspend of the automation", "-"),
    Words::new("generated manifests", ".flux.yaml", "kustomization.yaml", "Kustomize, Helm, Jsonnet or a plugin"),
    Words::new(
        "chart",
        "HelmRelease helm.fluxcd.io/v1",
        "HelmRelease helm.toolkit.fluxcd.io/v2",
        "Application with a chart",
    ),
    Words::new("signatures", "--git-verify-signatures-mode", "GitRepository spec.verify", "signatureKeys"),
    Words::new("notifications", "events to --connect", "Provider, Alert", "Notifications"),
    Words::new("pause", "scale the daemon to 0", "flux suspend", "no automated sync"),
];

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// The cluster is as Git says.
    InSync,
    /// It is not yet, or no longer.
    OutOfSync,
    /// The cluster refused an object.
    Rejected,
    /// The repository cannot be read.
    NoSource,
    /// A file cannot be read.
    BadFile,
    /// Something it depends on is not there yet.
    Waiting,
    /// What left Git could not be deleted.
    PruneFailed,
    /// An object that left Git was deleted.
    Pruned,
    /// An object that left Git was kept.
    PruneSkipped,
    /// An object is left alone.
    Ignored,
    /// Nothing is known.
    Unknown,
}

impl SyncState {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::InSync,
        Self::OutOfSync,
        Self::Rejected,
        Self::NoSource,
        Self::BadFile,
        Self::Waiting,
        Self::PruneFailed,
        Self::Pruned,
        Self::PruneSkipped,
        Self::Ignored,
        Self::Unknown,
    ];

    /// What each program calls it.
    pub fn words(self) -> Words {
        match self {
            Self::InSync => Words::new("in sync", "applied", "ReconciliationSucceeded", "Synced"),
            Self::OutOfSync => Words::new("out of sync", "not yet applied", "Progressing", "OutOfSync"),
            Self::Rejected => Words::new("rejected", "SyncError", "ReconciliationFailed", "SyncFailed"),
            Self::NoSource => Words::new("no source", "unreachable", "ArtifactFailed", "Unknown"),
            Self::BadFile => Words::new("broken file", "loading resources from repo", "BuildFailed", "Unknown"),
            Self::Waiting => Words::new("waiting", "-", "DependencyNotReady", "Running"),
            Self::PruneFailed => Words::new("not deleted", "SyncError", "PruneFailed", "SyncFailed"),
            Self::Pruned => Words::new("deleted", "deleted", "pruned", "Pruned"),
            Self::PruneSkipped => Words::new("kept", "skipping GC", "prune disabled", "PruneSkipped"),
            Self::Ignored => Words::new("left alone", "ignore", "reconcile disabled", "ignored"),
            Self::Unknown => Words::new("unknown", "unknown", "Unknown", "Unknown"),
        }
    }
}

/// How a workload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// As it should be.
    Healthy,
    /// On the way there.
    Progressing,
    /// Not seen by its controller yet.
    Started,
    /// It will not get there.
    Degraded,
    /// It is paused.
    Suspended,
    /// It is not there.
    Missing,
    /// It is going away.
    Terminating,
    /// Nothing is known.
    Unknown,
}

impl HealthState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Healthy,
        Self::Progressing,
        Self::Started,
        Self::Degraded,
        Self::Suspended,
        Self::Missing,
        Self::Terminating,
        Self::Unknown,
    ];

    /// What each program calls it.
    pub fn words(self) -> Words {
        match self {
            Self::Healthy => Words::new("healthy", "ready", "Current", "Healthy"),
            Self::Progressing => Words::new("progressing", "updating", "InProgress", "Progressing"),
            Self::Started => Words::new("started", "started", "InProgress", "Progressing"),
            Self::Degraded => Words::new("degraded", "error", "Failed", "Degraded"),
            Self::Suspended => Words::new("suspended", "updating", "InProgress", "Suspended"),
            Self::Missing => Words::new("missing", "-", "NotFound", "Missing"),
            Self::Terminating => Words::new("terminating", "-", "Terminating", "Progressing"),
            Self::Unknown => Words::new("unknown", "unknown", "Unknown", "Unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_thing_has_its_words_once() {
        let states = SyncState::ALL.map(SyncState::words).into_iter().chain(HealthState::ALL.map(HealthState::words));
        for all in [CONCEPTS.to_vec(), states.collect()] {
            for words in &all {
                for dialect in [Dialect::Flux1, Dialect::Flux2, Dialect::ArgoCd] {
                    assert!(!words.in_dialect(dialect).is_empty(), "{words:?}");
                }
            }
        }
        let things: HashSet<_> = CONCEPTS.iter().map(|words| words.thing).collect();
        assert_eq!(things.len(), CONCEPTS.len());
    }

    #[test]
    fn states_are_called_differently() {
        let said =
            |words: Words| [Dialect::Flux1, Dialect::Flux2, Dialect::ArgoCd].map(|dialect| words.in_dialect(dialect));
        assert_eq!(said(SyncState::InSync.words()), ["applied", "ReconciliationSucceeded", "Synced"]);
        assert_eq!(said(HealthState::Degraded.words()), ["error", "Failed", "Degraded"]);
    }
}
