//! `fluxctl list-workloads`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rollout::Rollout;
use super::{align, json};
use crate::gitops::containers::Container;
use crate::gitops::id::ResourceId;
use crate::gitops::policy::{AUTOMATED, IGNORE, LOCKED, Policies};

/// Why a workload cannot be changed through Git.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadOnly {
    /// It can.
    #[default]
    No,
    /// It is not in Git.
    NotInRepo,
    /// It belongs to the cluster itself.
    System,
    /// There is no Git repository.
    NoRepo,
    /// The Git repository cannot be read yet.
    NotReady,
    /// Nothing is written to Git.
    ReadOnlyMode,
}

impl ReadOnly {
    const ALL: [Self; 6] = [Self::No, Self::NotInRepo, Self::System, Self::NoRepo, Self::NotReady, Self::ReadOnlyMode];

    /// Of the word in JSON; a reason that is not known is none.
    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word).unwrap_or_default()
    }

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "",
            Self::NotInRepo => "NotInRepo",
            Self::System => "System",
            Self::NoRepo => "NoRepo",
            Self::NotReady => "NotReady",
            Self::ReadOnlyMode => "ReadOnlyMode",
        }
    }
}

/// A workload as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadStatus {
    /// Its id.
    pub id: ResourceId,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Why it cannot be changed.
    pub read_only: ReadOnly,
    /// How far its newest version is.
    pub status: String,
    /// Its replicas.
    pub rollout: Rollout,
    /// Why the last sync could not apply it.
    pub sync_error: String,
    /// The `HelmRelease` that made it.
    pub antecedent: Option<ResourceId>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What Git says about it.
    pub policies: Policies,
}

impl WorkloadStatus {
    /// A workload of which no more is known.
    pub fn new(id: ResourceId, containers: Vec<Container>, status: &str) -> Self {
        Self {
            id,
            containers,
            read_only: ReadOnly::No,
            status: status.to_owned(),
            rollout: Rollout::default(),
            sync_error: String::new(),
            antecedent: None,
            labels: BTreeMap::new(),
            policies: Policies::default(),
        }
    }

    fn policies(&self) -> String {
        let on = [AUTOMATED, IGNORE, LOCKED].into_iter().filter(|policy| self.policies.is_on(policy));
        on.collect::<Vec<_>>().join(",")
    }
}

/// Sorts workloads as they are listed; with a name only those with a container of that name.
pub fn listed(mut workloads: Vec<WorkloadStatus>, container: Option<&str>) -> Vec<WorkloadStatus> {
    if let Some(name) = container {
        workloads.retain(|workload| workload.containers.iter().any(|container| container.name == name));
    }
    workloads.sort_by_cached_key(|workload| workload.id.to_string());
    workloads
}

/// The table of workloads.
pub fn table(workloads: &[WorkloadStatus], headers: bool) -> String {
    let mut text = if headers { "WORKLOAD\tCONTAINER\tIMAGE\tRELEASE\tPOLICY\n".to_owned() } else { String::new() };
    for workload in workloads {
        let last = format!("{}\t{}", workload.status, workload.policies());
        text.push_str(&rows(workload, &last));
    }
    align(&text)
}

/// A line for each container, the first with the id and what is to be told of the whole.
pub(super) fn rows(workload: &WorkloadStatus, last: &str) -> String {
    let Some((first, more)) = workload.containers.split_first() else {
        return format!("{}\t\t\t{last}\n", workload.id);
    };
    let mut text = format!("{}\t{}\t{}\t{last}\n", workload.id, first.name, first.image);
    for container in more {
        text.push_str(&format!("\t{}\t{}\t\t\n", container.name, container.image));
    }
    text
}

/// The same as JSON.
pub fn to_json(workloads: &[WorkloadStatus]) -> String {
    json::line(&workloads.iter().map(one).collect())
}

fn one(workload: &WorkloadStatus) -> Value {
    let containers = workload.containers.iter().map(|container| {
        json!({
            "Name": container.name,
            "Current": json::image(&container.image.to_string(), None),
            "LatestFiltered": json::image("", None),
        })
    });
    let labels = if workload.labels.is_empty() { Value::Null } else { json!(workload.labels) };
    json!({
        "ID": workload.id.to_string(),
        "Containers": containers.collect::<Vec<_>>(),
        "ReadOnly": workload.read_only.as_str(),
        "Status": workload.status,
        "Rollout": workload.rollout.to_json(),
        "SyncError": workload.sync_error,
        "Antecedent": workload.antecedent.as_ref().map(ToString::to_string).unwrap_or_default(),
        "Labels": labels,
        "Automated": workload.policies.is_on(AUTOMATED),
        "Locked": workload.policies.is_on(LOCKED),
        "Ignore": workload.policies.is_on(IGNORE),
        "Policies": workload.policies.iter().collect::<BTreeMap<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::image::reference::ImageRef;

    fn workload(id: &str, containers: &[(&str, &str)], status: &str, on: &[&str]) -> WorkloadStatus {
        let container = |(name, image): &(&str, &str)| Container {
            name: (*name).to_owned(),
            image: ImageRef::parse(image).unwrap(),
        };
        let mut found =
            WorkloadStatus::new(ResourceId::parse(id).unwrap(), containers.iter().map(container).collect(), status);
        let keys: Vec<_> = on.iter().map(|policy| format!("fluxcd.io/{policy}")).collect();
        found.policies = Policies::from_annotations(keys.iter().map(|key| (key.as_str(), "true")));
        found
    }

    #[test]
    fn workloads_are_listed_with_their_containers() {
        let all = vec![
            workload("demo:helmrelease/shop", &[("chart-image", "example/shop:2.0")], "deployed", &[]),
            workload(
                "demo:deployment/web",
                &[("app", "r.example.com/team/web:1.2.0"), ("side", "example/side:0.1")],
                "updating",
                &["locked", "automated", "ignore"],
            ),
            workload("demo:deployment/none", &[], "started", &[]),
        ];
        let shown = table(&listed(all.clone(), None), true);
        let wanted = [
            "WORKLOAD               CONTAINER    IMAGE                         RELEASE   POLICY\n",
            "demo:deployment/none                                              started   \n",
            "demo:deployment/web    app          r.example.com/team/web:1.2.0  updating  automated,ignore,locked\n",
            "                       side         example/side:0.1                        \n",
            "demo:helmrelease/shop  chart-image  example/shop:2.0              deployed  \n",
        ];
        assert_eq!(shown, wanted.concat());
        let some = table(&listed(all, Some("chart-image")), false);
        assert_eq!(some, "demo:helmrelease/shop  chart-image  example/shop:2.0  deployed  \n");
        assert_eq!(table(&[], true), "WORKLOAD  CONTAINER  IMAGE  RELEASE  POLICY\n");
    }

    #[test]
    fn json_is_gos() {
        let mut web = workload("demo:deployment/web", &[("app", "web:1")], "ready", &["automated"]);
        web.sync_error = "a < b".to_owned();
        web.rollout = Rollout { desired: 1, updated: 1, ready: 1, available: 1, ..Rollout::default() };
        let wanted = concat!(
            r#"[{"ID":"demo:deployment/web","Containers":[{"Name":"app","Current":{"ID":"web:1","Labels":{}},"#,
            r#""LatestFiltered":{"ID":"","Labels":{}}}],"ReadOnly":"","Status":"ready","Rollout":{"Desired":1,"Updated":1,"#,
            r#""Ready":1,"Available":1,"Outdated":0,"Messages":null},"SyncError":"a \u003c b","Antecedent":"","Labels":null,"#,
            r#""Automated":true,"Locked":false,"Ignore":false,"Policies":{"automated":"true"}}]"#,
            "\n",
        );
        assert_eq!(to_json(&[web]), wanted);
    }
}
