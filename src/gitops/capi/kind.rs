//! The kinds that belong to a cluster, and their definitions.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

/// A kind that the controllers look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A cluster.
    Cluster,
    /// The cluster's network and load balancer.
    AzureCluster,
    /// A managed control plane.
    KubeadmControlPlane,
    /// Workers that are rolled out.
    MachineDeployment,
    /// Workers of one template.
    MachineSet,
    /// Which machines are replaced when they are not well.
    MachineHealthCheck,
    /// A machine that becomes a node.
    Machine,
    /// How a machine becomes a node.
    KubeadmConfig,
    /// What such configurations are made from.
    KubeadmConfigTemplate,
    /// A virtual machine.
    AzureMachine,
    /// What such machines are made from.
    AzureMachineTemplate,
    /// Bootstrap data, certificates, kubeconfigs.
    Secret,
}

impl Kind {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 12] = [
        Self::Cluster,
        Self::AzureCluster,
        Self::KubeadmControlPlane,
        Self::MachineDeployment,
        Self::MachineSet,
        Self::MachineHealthCheck,
        Self::Machine,
        Self::KubeadmConfig,
        Self::KubeadmConfigTemplate,
        Self::AzureMachine,
        Self::AzureMachineTemplate,
        Self::Secret,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        self.parts().0
    }

    /// Its name in paths.
    pub fn plural(self) -> &'static str {
        self.parts().1
    }

    /// Its group; empty for the core.
    pub fn group(self) -> &'static str {
        self.parts().2
    }

    /// The version in which its objects are stored, read and written here.
    pub fn version(self) -> &'static str {
        self.parts().3
    }

    /// Group and version as objects write them.
    pub fn api_version(self) -> String {
        match self.group() {
            "" => self.version().to_owned(),
            group => format!("{group}/{}", self.version()),
        }
    }

    /// The kind of a name, if it is one of these.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        const CORE: &str = "cluster.x-k8s.io";
        const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io";
        const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io";
        const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io";
        match self {
            Self::Cluster => ("Cluster", "clusters", CORE, "v1beta2"),
            Self::AzureCluster => ("AzureCluster", "azureclusters", INFRASTRUCTURE, "v1beta1"),
            Self::KubeadmControlPlane => ("KubeadmControlPlane", "kubeadmcontrolplanes", CONTROL_PLANE, "v1beta2"),
            Self::MachineDeployment => ("MachineDeployment", "machinedeployments", CORE, "v1beta2"),
            Self::MachineSet => ("MachineSet", "machinesets", CORE, "v1beta2"),
            Self::MachineHealthCheck => ("MachineHealthCheck", "machinehealthchecks", CORE, "v1beta2"),
            Self::Machine => ("Machine", "machines", CORE, "v1beta2"),
            Self::KubeadmConfig => ("KubeadmConfig", "kubeadmconfigs", BOOTSTRAP, "v1beta2"),
            Self::KubeadmConfigTemplate => ("KubeadmConfigTemplate", "kubeadmconfigtemplates", BOOTSTRAP, "v1beta2"),
            Self::AzureMachine => ("AzureMachine", "azuremachines", INFRASTRUCTURE, "v1beta1"),
            Self::AzureMachineTemplate => ("AzureMachineTemplate", "azuremachinetemplates", INFRASTRUCTURE, "v1beta1"),
            Self::Secret => ("Secret", "secrets", "", "v1"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[derive(Deserialize)]
struct Table {
    columns: BTreeMap<String, Column>,
    kinds: Vec<Described>,
}

#[derive(Deserialize)]
struct Described {
    kind: String,
    group: String,
    plural: String,
    short: Option<String>,
    #[serde(default)]
    scale: bool,
    versions: BTreeMap<String, Vec<Cell>>,
}

/// A column, or the name of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    Named(String),
    Own(Column),
}

/// Name, type, place, priority.
type Column = Vec<Value>;

/// The definitions of all custom kinds. All versions of a kind show the same object: its members are those of every
/// version, so that `status.ready` and `status.initialization` are both there to read.
///
/// # Errors
/// When the built-in table is wrong.
pub fn definitions() -> Result<Vec<Value>, String> {
    let table: Table =
        serde_saphyr::from_str(include_str!("definitions.yaml")).map_err(|error| format!("definitions: {error}"))?;
    Ok(table.kinds.iter().map(|kind| definition(kind, &table.columns)).collect())
}

fn definition(kind: &Described, shared: &BTreeMap<String, Column>) -> Value {
    let stored = Kind::of(&kind.kind).map_or("", Kind::version);
    let mut names = json!({
        "kind": kind.kind, "listKind": format!("{}List", kind.kind), "plural": kind.plural,
        "singular": kind.kind.to_lowercase(), "categories": ["cluster-api"],
    });
    if let Some(short) = &kind.short {
        names["shortNames"] = json!([short]);
    }
    let versions: Vec<Value> =
        kind.versions.iter().map(|(name, cells)| version(kind, name, cells, shared, stored)).collect();
    // which versions keep which contract: core finds the version to read a provider's object in by these
    let mut labels = json!({"cluster.x-k8s.io/provider": provider(&kind.group)});
    for name in kind.versions.keys() {
        let contract = if name == "v1beta1" && stored == "v1beta1" { "v1beta2" } else { name };
        labels[format!("cluster.x-k8s.io/{contract}")] = json!(name);
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{}", kind.plural, kind.group), "labels": labels},
        "spec": {"group": kind.group, "names": names, "scope": "Namespaced", "versions": versions},
    })
}

fn provider(group: &str) -> &'static str {
    match group.split('.').next() {
        Some("bootstrap") => "bootstrap-kubeadm",
        Some("controlplane") => "control-plane-kubeadm",
        Some("infrastructure") => "infrastructure-azure",
        _ => "cluster-api",
    }
}

fn version(kind: &Described, name: &str, cells: &[Cell], shared: &BTreeMap<String, Column>, stored: &str) -> Value {
    let columns: Vec<Value> = cells
        .iter()
        .filter_map(|cell| match cell {
            Cell::Own(column) => Some(column),
            Cell::Named(name) => shared.get(name.trim_start_matches('=')),
        })
        .map(|column| {
            let at = |index: usize| column.get(index).cloned().unwrap_or_default();
            let mut shown = json!({"name": at(0), "type": at(1), "jsonPath": at(2)});
            if column.len() > 3 {
                shown["priority"] = at(3);
            }
            shown
        })
        .collect();
    let mut subresources = json!({"status": {}});
    if kind.scale {
        subresources["scale"] = json!({
            "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        });
    }
    let mut version = json!({
        "name": name, "served": true, "storage": name == stored, "schema": {"openAPIV3Schema": schema(&kind.kind)},
        "subresources": subresources,
    });
    if !columns.is_empty() {
        version["additionalPrinterColumns"] = json!(columns);
    }
    version
}

/// What is demanded of an object's spec; all else is kept as it is written.
fn schema(kind: &str) -> Value {
    let text = || json!({"type": "string", "minLength": 1});
    let replicas = json!({"type": "integer", "format": "int32", "minimum": 0});
    let open = |mut schema: Value| {
        schema["type"] = json!("object");
        schema["x-kubernetes-preserve-unknown-fields"] = json!(true);
        schema
    };
    let machine = || {
        let mut reference = open(json!({"properties": {"kind": text(), "name": text()}}));
        reference["required"] = json!(["kind", "name"]);
        open(json!({
            "properties": {"clusterName": text(), "bootstrap": open(json!({})), "infrastructureRef": reference},
            "required": ["clusterName", "bootstrap", "infrastructureRef"],
        }))
    };
    let spec = match kind {
        "Machine" => machine(),
        "MachineSet" | "MachineDeployment" => open(json!({
            "properties": {
                "clusterName": text(), "replicas": replicas, "selector": open(json!({})),
                "template": open(json!({"properties": {"spec": machine()}})),
            },
            "required": ["clusterName", "selector", "template"],
        })),
        "MachineHealthCheck" => open(json!({
            "properties": {"clusterName": text(), "selector": open(json!({}))},
            "required": ["clusterName", "selector"],
        })),
        "KubeadmControlPlane" => open(json!({
            "properties": {"replicas": replicas, "version": text(), "kubeadmConfigSpec": open(json!({}))},
            "required": ["version"],
        })),
        _ => open(json!({})),
    };
    json!({
        "type": "object",
        "properties": {"spec": spec, "status": open(json!({}))},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_defined_once_and_stored_in_its_version() {
        let definitions = definitions().unwrap();
        let found: Vec<(String, String)> = definitions
            .iter()
            .map(|definition| {
                let versions = definition["spec"]["versions"].as_array().unwrap();
                let stored: Vec<&str> =
                    versions.iter().filter(|v| v["storage"] == true).filter_map(|v| v["name"].as_str()).collect();
                (definition["spec"]["names"]["kind"].as_str().unwrap().to_owned(), stored.join(","))
            })
            .collect();
        let expected: Vec<(String, String)> = Kind::ALL
            .into_iter()
            .filter(|kind| *kind != Kind::Secret)
            .map(|kind| (kind.name().to_owned(), kind.version().to_owned()))
            .collect();
        let sorted = |mut list: Vec<(String, String)>| {
            list.sort();
            list
        };
        assert_eq!(sorted(found), sorted(expected));
    }

    #[test]
    fn columns_are_those_of_each_version() {
        let definitions = definitions().unwrap();
        let deployment = definitions.iter().find(|d| d["spec"]["names"]["kind"] == "MachineDeployment").unwrap();
        let versions = deployment["spec"]["versions"].as_array().unwrap();
        let old = versions.iter().find(|v| v["name"] == "v1alpha3").unwrap();
        let names: Vec<&str> =
            old["additionalPrinterColumns"].as_array().unwrap().iter().filter_map(|c| c["name"].as_str()).collect();
        assert_eq!(names, ["Phase", "Replicas", "Ready", "Updated", "Unavailable"]);
        assert_eq!(old["subresources"]["scale"]["specReplicasPath"], ".spec.replicas");
    }
}
