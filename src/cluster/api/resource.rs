//! The resources that an API server knows: built-in ones and those that custom resource definitions add.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use super::crd::{CustomKind, CustomVersion};
use super::schema::Struct;
use super::schema::builtin::builtin;
use super::status::qualified;
use super::store::ResourceName;
use crate::cluster::object::GroupKind;

/// A resource in one API version.
#[derive(Debug)]
pub struct Resource {
    /// The API group; empty for the core.
    pub group: String,
    /// The version.
    pub version: String,
    /// `apps/v1`, or `v1` in the core group.
    pub api_version: String,
    /// `pods`
    pub plural: String,
    /// `pod`
    pub singular: String,
    /// Group and kind.
    pub kind: GroupKind,
    /// The kind of lists of it.
    pub list_kind: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What it answers to.
    pub verbs: Vec<String>,
    /// `po`
    pub short_names: Vec<String>,
    /// `all`
    pub categories: Vec<String>,
    /// `status`, `scale`, `log` …
    pub subresources: Vec<Subresource>,
    /// What its objects are stored as: several versions, and both spellings of events, share one name.
    pub stored: ResourceName,
    /// The version that objects are stored in.
    pub storage_api_version: String,
    /// The shape of its objects; none when anything is taken.
    pub shape: Option<Arc<Struct>>,
    /// The shape of its objects in the stored version.
    pub stored_shape: Option<Arc<Struct>>,
    /// What a custom resource definition says of it.
    pub custom: Option<Arc<CustomVersion>>,
}

/// A part of an object with an address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subresource {
    /// `status`
    pub subresource: String,
    /// What is answered.
    pub response_kind: ResponseKind,
    /// What may be done.
    pub verbs: Vec<String>,
}

/// A kind as discovery names it; empty members mean the resource's own group and version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub struct ResponseKind {
    /// The group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
}

impl Resource {
    /// Whether it has a subresource.
    pub fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|sub| sub.subresource == subresource)
    }

    /// Whether a verb is answered, on the resource or one of its subresources.
    pub fn answers(&self, verb: &str, subresource: &str) -> bool {
        let verbs = if subresource.is_empty() {
            Some(&self.verbs)
        } else {
            self.subresources.iter().find(|sub| sub.subresource == subresource).map(|sub| &sub.verbs)
        };
        verbs.is_some_and(|verbs| verbs.iter().any(|known| known == verb))
    }

    /// Whether objects in this version are other JSON than what is stored.
    pub fn converts(&self) -> bool {
        self.api_version != self.storage_api_version
    }

    /// `apps/v1/deployments`, `core/v1/pods`: what its columns are filed under.
    pub fn column_key(&self) -> String {
        let group = if self.group.is_empty() { "core" } else { &self.group };
        format!("{group}/{}/{}", self.version, self.plural)
    }

    /// `deployments.apps`, as messages name it.
    pub fn qualified(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// Whether a write of the object itself leaves its status alone.
    pub fn has_status(&self) -> bool {
        self.has("status")
    }
}

/// `group/version`, or the version alone in the core group.
pub fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// An API group and its versions, the preferred one first.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The name; empty for the core.
    pub name: String,
    /// The versions with their resources, in discovery's order.
    pub versions: Vec<(String, Vec<Arc<Resource>>)>,
}

/// All resources of a cluster. A new one is made when a definition comes or goes; nobody changes one.
#[derive(Debug, Clone)]
pub struct Registry {
    groups: Vec<Group>,
    by_path: HashMap<(String, String, String), Arc<Resource>>,
    /// Grows with every new registry: for cached documents.
    pub generation: u64,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "/api")]
    core: Items,
    #[serde(rename = "/apis")]
    groups: Items,
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    metadata: ItemName,
    versions: Vec<ItemVersion>,
}

#[derive(Deserialize, Default)]
struct ItemName {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct ItemVersion {
    version: String,
    resources: Vec<ItemResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemResource {
    resource: String,
    response_kind: ResponseKind,
    scope: String,
    singular_resource: String,
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    subresources: Vec<Subresource>,
}

static BUILT_IN: LazyLock<Arc<Registry>> = LazyLock::new(|| {
    // The document is part of the program: a test reads it.
    let document: Result<Document, _> = serde_json::from_str(include_str!("data/discovery.json"));
    let groups = match document {
        Ok(document) => document.core.items.into_iter().chain(document.groups.items).map(group_of).collect(),
        Err(_) => Vec::new(),
    };
    Arc::new(Registry::of(groups, 0))
});

fn group_of(item: Item) -> Group {
    let name = item.metadata.name;
    let versions = item.versions.into_iter().map(|version| {
        let resources = version.resources.into_iter();
        let resources = resources.map(|resource| Arc::new(built_in(&name, &version.version, resource))).collect();
        (version.version, resources)
    });
    Group { versions: versions.collect(), name: name.clone() }
}

fn built_in(group: &str, version: &str, item: ItemResource) -> Resource {
    let version_name = api_version(group, version);
    let (stored, storage_api_version) = match (group, item.resource.as_str()) {
        ("events.k8s.io", "events") => ("events".to_owned(), "v1".to_owned()),
        ("autoscaling", "horizontalpodautoscalers") => (qualified(&item.resource, group), "autoscaling/v2".to_owned()),
        _ => (qualified(&item.resource, group), version_name.clone()),
    };
    Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: version_name.clone(),
        singular: item.singular_resource,
        kind: GroupKind::new(group, &item.response_kind.kind),
        list_kind: format!("{}List", item.response_kind.kind),
        namespaced: item.scope == "Namespaced",
        verbs: item.verbs,
        short_names: item.short_names,
        categories: item.categories,
        subresources: item.subresources,
        stored: stored.into(),
        stored_shape: builtin().kind(&storage_api_version, &item.response_kind.kind),
        storage_api_version,
        shape: builtin().kind(&version_name, &item.response_kind.kind),
        custom: None,
        plural: item.resource,
    }
}

const CUSTOM_VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

fn custom(kind: &CustomKind, version: &CustomVersion) -> Resource {
    let storage = kind.storage().unwrap_or(version);
    let texts = |texts: &[Box<str>]| texts.iter().map(|text| text.to_string()).collect();
    let mut subresources = Vec::new();
    let mut add = |name: &str, group: &str, version: &str, kind: &str| {
        let response_kind =
            ResponseKind { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() };
        let verbs = ["get", "patch", "update"].map(str::to_owned).to_vec();
        subresources.push(Subresource { subresource: name.to_owned(), response_kind, verbs });
    };
    if version.status {
        add("status", &kind.group, &version.name, &kind.kind);
    }
    if version.scale.is_some() {
        add("scale", "autoscaling", "v1", "Scale");
    }
    Resource {
        group: kind.group.to_string(),
        version: version.name.to_string(),
        api_version: api_version(&kind.group, &version.name),
        plural: kind.plural.to_string(),
        singular: kind.singular.to_string(),
        kind: GroupKind::new(&kind.group, &kind.kind),
        list_kind: kind.list_kind.to_string(),
        namespaced: kind.namespaced,
        verbs: CUSTOM_VERBS.map(str::to_owned).to_vec(),
        short_names: texts(&kind.short_names),
        categories: texts(&kind.categories),
        subresources,
        stored: qualified(&kind.plural, &kind.group).into(),
        storage_api_version: api_version(&kind.group, &storage.name),
        shape: Some(version.schema.clone()),
        stored_shape: Some(version.schema.clone()),
        custom: Some(Arc::new(version.clone())),
    }
}

impl Registry {
    /// What every cluster knows; its generation is 0.
    pub fn built_in() -> &'static Arc<Self> {
        &BUILT_IN
    }

    /// The built-in resources and those of definitions.
    pub fn with_custom(kinds: &[CustomKind], generation: u64) -> Self {
        let mut groups = BUILT_IN.groups.clone();
        let mut added: BTreeMap<&str, BTreeMap<VersionRank, Vec<Arc<Resource>>>> = BTreeMap::new();
        for kind in kinds {
            for version in kind.versions.iter().filter(|version| version.served) {
                let versions = added.entry(&kind.group).or_default();
                let resource = Arc::new(custom(kind, version));
                versions.entry(VersionRank::of(&version.name)).or_default().push(resource);
            }
        }
        for (name, versions) in added {
            let versions = versions.into_iter().map(|(rank, resources)| (rank.name, resources));
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.versions.extend(versions),
                None => groups.push(Group { name: name.to_owned(), versions: versions.collect() }),
            }
        }
        Self::of(groups, generation)
    }

    fn of(groups: Vec<Group>, generation: u64) -> Self {
        let all = groups.iter().flat_map(|group| group.versions.iter().flat_map(|(_, resources)| resources));
        let by_path = all
            .map(|resource| {
                ((resource.group.clone(), resource.version.clone(), resource.plural.clone()), resource.clone())
            })
            .collect();
        Self { groups, by_path, generation }
    }

    /// The groups, the core first.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A group.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The resources of a group's version.
    pub fn version(&self, group: &str, version: &str) -> Option<&[Arc<Resource>]> {
        let versions = &self.group(group)?.versions;
        versions.iter().find(|(name, _)| name == version).map(|(_, resources)| resources.as_slice())
    }

    /// The resource of a path.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.by_path.get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
    }

    /// All resources in all versions.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.groups.iter().flat_map(|group| group.versions.iter().flat_map(|(_, resources)| resources))
    }

    /// The resource that objects stored under a name belong to, in the storage version.
    pub fn stored(&self, name: &str) -> Option<&Arc<Resource>> {
        self.all().find(|resource| &*resource.stored == name && !resource.converts())
    }

    /// The resource of an object's `apiVersion` and `kind`.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.all().find(|resource| &*resource.kind.kind == kind && resource.api_version == api_version)
    }
}

/// Kubernetes' order of versions: `v2` before `v1` before `v1beta1` before `v1alpha1`, then others by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct VersionRank {
    unusual: bool,
    stage: Reverse<u8>,
    major: Reverse<u32>,
    minor: Reverse<u32>,
    name: String,
}

impl VersionRank {
    fn of(name: &str) -> Self {
        let parsed = Self::parts(name);
        let (stage, major, minor) = parsed.unwrap_or_default();
        Self {
            unusual: parsed.is_none(),
            stage: Reverse(stage),
            major: Reverse(major),
            minor: Reverse(minor),
            name: name.to_owned(),
        }
    }

    fn parts(name: &str) -> Option<(u8, u32, u32)> {
        let rest = name.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (major, rest) = rest.split_at(digits);
        let major = major.parse().ok()?;
        if rest.is_empty() {
            return Some((3, major, 0));
        }
        let (stage, minor) = match (rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            (Some(minor), _) => (2, minor),
            (_, Some(minor)) => (1, minor),
            _ => return None,
        };
        Some((stage, major, minor.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_document_is_read() {
        let registry = Registry::built_in();
        let pods = registry.find("", "v1", "pods").unwrap();
        assert_eq!((pods.kind.to_string(), pods.namespaced, pods.has_status()), ("Pod".to_owned(), true, true));
        let deployments = registry.find("apps", "v1", "deployments").unwrap();
        assert_eq!(&*deployments.stored, "deployments.apps");
        assert!(deployments.has("scale"));
        let events = registry.find("events.k8s.io", "v1", "events").unwrap();
        assert_eq!((&*events.stored, events.converts()), ("events", true));
        assert!(registry.all().count() > 50);
    }

    #[test]
    fn versions_are_ranked_as_kubernetes_does() {
        let mut names = ["v1beta1", "foo", "v10", "v1alpha2", "v2", "v1", "v1beta2"].map(VersionRank::of);
        names.sort();
        let names = names.map(|rank| rank.name);
        assert_eq!(names, ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha2", "foo"]);
    }
}
