//! ReplicationControllers: what replica sets were called before.

use crate::cluster::api::store::{Change, Store};
use crate::cluster::object::Key;
use crate::cluster::sim::actions::Kind;
use crate::cluster::sim::{Decision, World, replicaset};

const REPLICATION_CONTROLLER: Kind = Kind {
    resource: "replicationcontrollers",
    api_version: "v1",
    kind: "ReplicationController",
    source: "replication-controller",
};

/// What is to be done for a replication controller.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    replicaset::sync(world, key, &REPLICATION_CONTROLLER)
}

/// The replication controllers to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    replicaset::concerned(change, store, &REPLICATION_CONTROLLER)
}
