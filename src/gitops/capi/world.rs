//! What the controllers see: all objects of all clusters, and who belongs to whom.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::kind::Kind;
use super::words;
use crate::cluster::object::{flag, list, map, text};

/// What identifies an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
}

impl Id {
    /// The object of a kind and a name.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// The object as it is written.
    pub fn of(kind: Kind, object: &Value) -> Self {
        Self::new(kind, namespace(object), name(object))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// The objects that are known.
pub type Objects = BTreeMap<Id, Arc<Value>>;

/// An object, and what identifies it.
type Named<'a> = (&'a Id, &'a Value);

/// All objects, with who belongs to whom.
#[derive(Debug)]
pub struct World<'a> {
    objects: &'a Objects,
    /// The objects that an object owns, by its uid.
    owned: HashMap<&'a str, Vec<Named<'a>>>,
    /// The objects that name a cluster, by its name and their kind.
    members: HashMap<(&'a str, &'a str, Kind), Vec<Named<'a>>>,
}

impl<'a> World<'a> {
    /// Looks at objects.
    pub fn new(objects: &'a Objects) -> Self {
        let mut world = Self { objects, owned: HashMap::new(), members: HashMap::new() };
        for (id, object) in objects.iter().filter(|(_, object)| !is_gone(object)) {
            let object: &'a Value = object;
            for owner in list(object, &["metadata", "ownerReferences"]) {
                world.owned.entry(text(owner, &["uid"])).or_default().push((id, object));
            }
            let cluster = cluster_name(id.kind, object);
            if !cluster.is_empty() {
                world.members.entry((&id.namespace, cluster, id.kind)).or_default().push((id, object));
            }
        }
        world
    }

    /// All objects of a kind.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = (&'a Id, &'a Value)> + use<'a> {
        let objects = self.objects.range(Id::new(kind, "", "")..).take_while(move |(id, _)| id.kind == kind);
        objects.map(|(id, object)| (id, &**object)).filter(|(_, object)| !is_gone(object))
    }

    /// One object.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&'a Value> {
        let found = self.objects.get(&Id::new(kind, namespace, name))?;
        Some(&**found).filter(|object| !is_gone(object))
    }

    /// The object that a reference in another one of a namespace means.
    pub fn referred(&self, namespace: &str, reference: &Value) -> Option<&'a Value> {
        self.get(Kind::of(text(reference, &["kind"]))?, namespace, text(reference, &["name"]))
    }

    /// What an object owns, of one kind.
    pub fn owned_by(&self, owner: &Value, kind: Kind) -> Vec<(&'a Id, &'a Value)> {
        let owned = self.owned.get(text(owner, &["metadata", "uid"])).map_or(&[][..], Vec::as_slice);
        owned.iter().copied().filter(|(id, _)| id.kind == kind).collect()
    }

    /// What an object controls, of one kind.
    pub fn controlled_by(&self, owner: &Value, kind: Kind) -> Vec<(&'a Id, &'a Value)> {
        let uid = text(owner, &["metadata", "uid"]);
        let mut owned = self.owned_by(owner, kind);
        owned.retain(|(_, object)| controller(object).is_some_and(|found| text(found, &["uid"]) == uid));
        owned
    }

    /// What belongs to a cluster, of one kind.
    pub fn members(&self, namespace: &str, cluster: &str, kind: Kind) -> Vec<(&'a Id, &'a Value)> {
        self.members.get(&(namespace, cluster, kind)).cloned().unwrap_or_default()
    }

    /// The cluster that an object names.
    pub fn cluster_of(&self, kind: Kind, object: &Value) -> Option<&'a Value> {
        self.get(Kind::Cluster, namespace(object), cluster_name(kind, object))
    }
}

/// An object that goes and that nothing holds any more: the API server takes it away at once.
fn is_gone(object: &Value) -> bool {
    is_going(object) && list(object, &["metadata", "finalizers"]).is_empty()
}

/// An object's name.
pub(super) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// An object's namespace.
pub(super) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

/// A label of an object.
pub(super) fn label<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    map(object, &["metadata", "labels"])?.get(name)?.as_str()
}

/// An annotation of an object.
pub(super) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    map(object, &["metadata", "annotations"])?.get(name)?.as_str()
}

/// The name of the cluster that an object belongs to.
pub(super) fn cluster_name(kind: Kind, object: &Value) -> &str {
    match kind {
        Kind::Cluster => "",
        Kind::Machine | Kind::MachineSet | Kind::MachineDeployment | Kind::MachineHealthCheck => {
            text(object, &["spec", "clusterName"])
        }
        _ => label(object, words::CLUSTER).unwrap_or_default(),
    }
}

/// The owner that controls an object.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    list(object, &["metadata", "ownerReferences"]).iter().find(|owner| flag(owner, &["controller"]))
}

/// Whether an object is just being deleted.
pub(super) fn is_going(object: &Value) -> bool {
    !text(object, &["metadata", "deletionTimestamp"]).is_empty()
}

/// Whether a machine belongs to the control plane.
pub(super) fn is_control_plane(machine: &Value) -> bool {
    label(machine, words::CONTROL_PLANE).is_some()
}

/// Whether work on an object, or on its whole cluster, is stopped.
pub(super) fn is_paused(object: &Value, cluster: Option<&Value>) -> bool {
    annotation(object, words::PAUSED).is_some() || cluster.is_some_and(|cluster| flag(cluster, &["spec", "paused"]))
}
