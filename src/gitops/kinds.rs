//! The kinds that a cluster serves, read from its discovery documents.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::cluster::object::{GroupKind, at, flag, group_of, list, text};

/// One kind in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The group; empty for the core.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// Its name in addresses.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// What may be done with it.
    pub verbs: Vec<String>,
}

impl Served {
    /// The API version as objects write it.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The address of its objects in a namespace, or of all.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "/api/".to_owned() } else { format!("/apis/{}/", self.group) };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}{}/namespaces/{namespace}/{}", self.version, self.plural),
            None => format!("{root}{}/{}", self.version, self.plural),
        }
    }

    /// Group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }

    fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

/// What is known of a kind that a manifest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// It is served in this version.
    Served(&'a Served),
    /// The kind is served, but not in this version; one that is.
    OtherVersion(&'a Served),
    /// It is not served.
    Unknown,
}

/// All kinds of a cluster, each with its versions, the preferred one first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    by_kind: BTreeMap<GroupKind, Vec<Served>>,
}

impl Kinds {
    /// From the answers of `/api` and `/apis` in the aggregated form.
    pub fn read_aggregated(answers: &[Value]) -> Self {
        let mut kinds = Self::default();
        for group in answers.iter().flat_map(|answer| list(answer, &["items"])) {
            let name = text(group, &["metadata", "name"]);
            for version in list(group, &["versions"]) {
                for resource in list(version, &["resources"]) {
                    kinds.add(Served {
                        group: name.to_owned(),
                        version: text(version, &["version"]).to_owned(),
                        kind: text(resource, &["responseKind", "kind"]).to_owned(),
                        plural: text(resource, &["resource"]).to_owned(),
                        namespaced: text(resource, &["scope"]) == "Namespaced",
                        verbs: words(resource, "verbs"),
                    });
                }
            }
        }
        kinds
    }

    /// Adds what an `APIResourceList` names; the preferred version of a group has to come first.
    pub fn add_list(&mut self, answer: &Value) {
        let version = text(answer, &["groupVersion"]);
        let (group, short) = version.split_once('/').unwrap_or(("", version));
        for resource in list(answer, &["resources"]) {
            let plural = text(resource, &["name"]);
            if plural.contains('/') {
                continue;
            }
            self.add(Served {
                group: group.to_owned(),
                version: short.to_owned(),
                kind: text(resource, &["kind"]).to_owned(),
                plural: plural.to_owned(),
                namespaced: flag(resource, &["namespaced"]),
                verbs: words(resource, "verbs"),
            });
        }
    }

    /// Adds one kind.
    pub fn add(&mut self, served: Served) {
        if served.kind.is_empty() || served.plural.is_empty() {
            return;
        }
        self.by_kind.entry(served.group_kind()).or_default().push(served);
    }

    /// What is known of a kind.
    pub fn look_up(&self, api_version: &str, kind: &str) -> Lookup<'_> {
        let Some(versions) = self.by_kind.get(&GroupKind::new(group_of(api_version), kind)) else {
            return Lookup::Unknown;
        };
        let version = api_version.rsplit('/').next().unwrap_or(api_version);
        match versions.iter().find(|served| served.version == version) {
            Some(served) => Lookup::Served(served),
            None => versions.first().map_or(Lookup::Unknown, Lookup::OtherVersion),
        }
    }

    /// The preferred version of a kind.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&Served> {
        self.by_kind.get(kind)?.first()
    }

    /// Every kind in every version.
    pub fn all(&self) -> impl Iterator<Item = &Served> {
        self.by_kind.values().flatten()
    }

    /// The kinds whose objects are looked through for those that were made by a sync.
    pub fn owned(&self) -> impl Iterator<Item = &Served> {
        let kinds = self.by_kind.values().filter_map(|versions| versions.first());
        kinds.filter(|served| served.can("list") && served.can("delete") && !is_excluded(served))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }
}

fn words(resource: &Value, name: &str) -> Vec<String> {
    list(resource, &[name]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Kinds that no sync makes, or that are dear to list.
fn is_excluded(served: &Served) -> bool {
    served.group.ends_with("metrics.k8s.io")
        || served.group == "webhook.certmanager.k8s.io"
        || served.group == "events.k8s.io"
        || (served.group.is_empty() && matches!(&*served.kind, "Event" | "ComponentStatus" | "Endpoints"))
}

/// The scopes that definitions in the repository give to kinds: namespaced or not.
pub type Defined = HashMap<GroupKind, Vec<Served>>;

/// What a CustomResourceDefinition defines.
pub fn defined_by(object: &Value) -> Option<(GroupKind, Vec<Served>)> {
    if text(object, &["kind"]) != "CustomResourceDefinition"
        || group_of(text(object, &["apiVersion"])) != "apiextensions.k8s.io"
    {
        return None;
    }
    let spec = at(object, &["spec"])?;
    let (group, kind) = (text(spec, &["group"]), text(spec, &["names", "kind"]));
    if group.is_empty() || kind.is_empty() {
        return None;
    }
    let served = |version: &str| Served {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: text(spec, &["names", "plural"]).to_owned(),
        namespaced: text(spec, &["scope"]) != "Cluster",
        verbs: Vec::new(),
    };
    // The old form of a definition had one version beside the list.
    let old = text(spec, &["version"]);
    let versions = list(spec, &["versions"]).iter().map(|version| text(version, &["name"]));
    let versions: Vec<Served> = versions.chain(Some(old)).filter(|name| !name.is_empty()).map(served).collect();
    Some((GroupKind::new(group, kind), versions))
}

/// The kinds that the tests of decisions know.
#[cfg(test)]
pub(crate) fn usual() -> Kinds {
    let mut kinds = Kinds::default();
    for (api_version, kind, plural, namespaced) in [
        ("v1", "Namespace", "namespaces", false),
        ("v1", "ConfigMap", "configmaps", true),
        ("v1", "Secret", "secrets", true),
        ("v1", "Service", "services", true),
        ("apps/v1", "Deployment", "deployments", true),
        ("apps/v1", "ReplicaSet", "replicasets", true),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
    ] {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        kinds.add(Served {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced,
            verbs: ["list", "delete", "patch"].map(str::to_owned).to_vec(),
        });
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn discovery_is_read() {
        let verbs = json!(["delete", "list", "patch"]);
        let aggregated = json!({"items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
            {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced", "verbs": verbs}
        ]}]}]});
        let kinds = Kinds::read_aggregated(&[aggregated]);
        let mut listed = Kinds::default();
        listed.add_list(&json!({"groupVersion": "apps/v1", "resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": verbs},
            {"name": "deployments/scale", "kind": "Scale", "namespaced": true, "verbs": ["get"]},
        ]}));
        assert_eq!(kinds, listed);
        let Lookup::Served(served) = kinds.look_up("apps/v1", "Deployment") else { panic!("it is served") };
        assert_eq!(served.path(Some("demo")), "/apis/apps/v1/namespaces/demo/deployments");
        assert_eq!(served.path(None), "/apis/apps/v1/deployments");
        assert!(matches!(kinds.look_up("apps/v1beta1", "Deployment"), Lookup::OtherVersion(_)));
        assert_eq!(kinds.look_up("extensions/v1beta1", "Deployment"), Lookup::Unknown);
        assert_eq!(kinds.owned().count(), 1);
    }

    #[test]
    fn definitions_give_scopes() {
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}, "scope": "Cluster",
                     "versions": [{"name": "v1"}]},
        });
        let (kind, versions) = defined_by(&crd).unwrap();
        assert_eq!(kind.to_string(), "Widget.example.com");
        assert_eq!((versions[0].namespaced, versions[0].api_version().as_str()), (false, "example.com/v1"));
        assert_eq!(defined_by(&json!({"kind": "Deployment"})), None);
    }
}
