//! The controllers by name: which one looks at what, and as whom it writes.

use super::image::Images;
use super::service::LoadBalancers;
use super::{Decision, World};
use super::{
    aggregation, autoscaler, budget, cronjob, daemonset, definition, deployment, expiry, garbage, job, kubelet,
    namespace, node, quota_usage, replicaset, replicationcontroller, scheduler, service, service_account, statefulset,
    volume,
};
use std::time::Duration;

use crate::cluster::api::store::{Change, Store};
use crate::cluster::object::Key;

/// What controllers remember between two looks; all of it can be lost.
#[derive(Debug, Default)]
pub struct Memory {
    kubelet: kubelet::Memory,
    scheduler: scheduler::Memory,
    volume: volume::Memory,
}

/// What decisions hang on besides the objects.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// What images do.
    pub images: &'a Images,
    /// How long things take.
    pub timings: &'a kubelet::Timings,
    /// Whether services of type LoadBalancer get an address.
    pub balancers: LoadBalancers,
    /// The cluster's root certificate.
    pub root_certificate: &'a str,
}

/// A controller, the scheduler or the kubelets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Controller {
    /// Custom resource definitions.
    Definition,
    /// Namespaces: their contents when they go.
    Namespace,
    /// What every namespace has: a service account and the root certificate.
    ServiceAccount,
    /// Deployments.
    Deployment,
    /// Replica sets.
    ReplicaSet,
    /// Replication controllers.
    ReplicationController,
    /// Stateful sets.
    StatefulSet,
    /// Daemon sets.
    DaemonSet,
    /// Jobs.
    Job,
    /// Cron jobs.
    CronJob,
    /// The scheduler.
    Scheduler,
    /// The kubelets of all nodes.
    Kubelet,
    /// Endpoints of services.
    Service,
    /// Nodes: leases, conditions.
    Node,
    /// Volumes and claims.
    Volume,
    /// Disruption budgets.
    Budget,
    /// Horizontal autoscalers.
    Autoscaler,
    /// Usage of resource quotas.
    Quota,
    /// Garbage.
    Garbage,
    /// Cluster roles that gather the rules of others.
    Aggregation,
    /// Events and finished things whose time is over.
    Expiry,
}

impl Controller {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 21] = [
        Self::Definition,
        Self::Namespace,
        Self::ServiceAccount,
        Self::Deployment,
        Self::ReplicaSet,
        Self::ReplicationController,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::CronJob,
        Self::Scheduler,
        Self::Kubelet,
        Self::Service,
        Self::Node,
        Self::Volume,
        Self::Budget,
        Self::Autoscaler,
        Self::Quota,
        Self::Garbage,
        Self::Aggregation,
        Self::Expiry,
    ];

    /// The manager that its writes are noted under.
    pub fn manager(self) -> &'static str {
        match self {
            Self::Scheduler => "kube-scheduler",
            Self::Kubelet => "kubelet",
            Self::Definition => "kube-apiserver",
            _ => "kube-controller-manager",
        }
    }

    /// How long it waits after a change for others of its kind. Namespaces go a moment after they are empty, so that
    /// whoever waits for that sees it happen.
    pub fn patience(self) -> Option<Duration> {
        (self == Self::Namespace).then_some(Duration::from_millis(400))
    }

    /// Which of its objects it has to look at after a change.
    pub fn wake(self, change: &Change, store: &Store) -> Vec<Key> {
        match self {
            Self::Definition => definition::wake(change, store),
            Self::Namespace => namespace::wake(change, store),
            Self::ServiceAccount => service_account::wake(change, store),
            Self::Deployment => deployment::wake(change, store),
            Self::ReplicaSet => replicaset::wake(change, store),
            Self::ReplicationController => replicationcontroller::wake(change, store),
            Self::StatefulSet => statefulset::wake(change, store),
            Self::DaemonSet => daemonset::wake(change, store),
            Self::Job => job::wake(change, store),
            Self::CronJob => cronjob::wake(change, store),
            Self::Scheduler => scheduler::wake(change, store),
            Self::Kubelet => kubelet::wake(change, store),
            Self::Service => service::wake(change, store),
            Self::Node => node::wake(change, store),
            Self::Volume => volume::wake(change, store),
            Self::Budget => budget::wake(change, store),
            Self::Autoscaler => autoscaler::wake(change, store),
            Self::Quota => quota_usage::wake(change, store),
            Self::Garbage => garbage::wake(change, store),
            Self::Aggregation => aggregation::wake(change, store),
            Self::Expiry => expiry::wake(change, store),
        }
    }

    /// What it decides about one of its objects.
    pub fn reconcile(self, world: &World<'_>, memory: &mut Memory, settings: &Settings<'_>, key: &Key) -> Decision {
        match self {
            Self::Definition => definition::reconcile(world, key),
            Self::Namespace => namespace::reconcile(world, key),
            Self::ServiceAccount => service_account::reconcile(world, key, settings.root_certificate),
            Self::Deployment => deployment::reconcile(world, key),
            Self::ReplicaSet => replicaset::reconcile(world, key),
            Self::ReplicationController => replicationcontroller::reconcile(world, key),
            Self::StatefulSet => statefulset::reconcile(world, key),
            Self::DaemonSet => daemonset::reconcile(world, key),
            Self::Job => job::reconcile(world, key),
            Self::CronJob => cronjob::reconcile(world, key),
            Self::Scheduler => scheduler::reconcile(world, key, &mut memory.scheduler),
            Self::Kubelet => kubelet::reconcile(world, key, &mut memory.kubelet, settings.images, settings.timings),
            Self::Service => service::reconcile(world, key, settings.balancers),
            Self::Node => node::reconcile(world, key),
            Self::Volume => volume::reconcile(world, key, &mut memory.volume),
            Self::Budget => budget::reconcile(world, key),
            Self::Autoscaler => autoscaler::reconcile(world, key, &|_| None),
            Self::Quota => quota_usage::reconcile(world, key),
            Self::Garbage => garbage::reconcile(world, key),
            Self::Aggregation => aggregation::reconcile(world, key),
            Self::Expiry => expiry::reconcile(world, key),
        }
    }
}
