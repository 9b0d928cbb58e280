//! `tree`: owners and what they own.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::select_all;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind, PartialObjectMeta};
use kube::runtime::watcher;
use serde_json::Value;

use super::table::said;
use super::{max, namespace};
use crate::cluster::object::{at, text};
use crate::deck::PanelSpec;
use crate::gitops::health::{Health, health};
use crate::panel::output::Output;
use crate::panel::state::{Body, Mark, Node};
use crate::sandbox::Sandbox;

const SETTLE: Duration = Duration::from_millis(80);
/// The kinds that own one another in a namespace.
const KINDS: [(&str, &str, &str, &str); 7] = [
    ("apps", "v1", "Deployment", "deployments"),
    ("apps", "v1", "StatefulSet", "statefulsets"),
    ("apps", "v1", "DaemonSet", "daemonsets"),
    ("batch", "v1", "CronJob", "cronjobs"),
    ("batch", "v1", "Job", "jobs"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("", "v1", "Pod", "pods"),
];

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let resources = KINDS.map(|(group, version, kind, plural)| {
        (kind, ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural))
    });
    let (client, space) = (&sandbox.client, namespace(spec));
    let apis: Vec<(&str, Api<DynamicObject>)> = resources
        .iter()
        .map(|(kind, resource)| (*kind, Api::namespaced_with(client.clone(), space, resource)))
        .collect();
    let mut news = select_all(resources.iter().map(|(_, resource)| {
        let api: Api<PartialObjectMeta<DynamicObject>> = Api::namespaced_with(client.clone(), space, resource);
        watcher::watcher(api, watcher::Config::default()).boxed()
    }));
    loop {
        let mut objects = Vec::new();
        for (kind, api) in &apis {
            match api.list(&ListParams::default().limit(500)).await {
                Ok(list) => objects.extend(list.into_iter().filter_map(|object| {
                    let mut value = serde_json::to_value(object).ok()?;
                    // Items of lists do not say what they are.
                    value["kind"] = (*kind).into();
                    Some(value)
                })),
                Err(error) => return said(&error),
            }
        }
        output.show(body(&objects, spec, max(spec)));
        match news.next().await {
            Some(Ok(_)) => {
                let deadline = tokio::time::Instant::now() + SETTLE;
                while let Ok(Some(event)) = tokio::time::timeout_at(deadline, news.next()).await {
                    if let Err(error) = event {
                        return error.to_string();
                    }
                }
            }
            Some(Err(error)) => return error.to_string(),
            None => return "watching ended".to_owned(),
        }
    }
}

fn body(objects: &[Value], spec: &PanelSpec, most: usize) -> Body {
    let uid = |object: &Value| text(object, &["metadata", "uid"]).to_owned();
    let mut owned: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    let known: Vec<String> = objects.iter().map(uid).collect();
    for object in objects.iter().filter(|object| !is_over(object)) {
        let owner = at(object, &["metadata", "ownerReferences"]).and_then(|owners| owners.get(0));
        let owner = owner.map(|owner| text(owner, &["uid"]).to_owned()).filter(|owner| known.contains(owner));
        owned.entry(owner.unwrap_or_default()).or_default().push(object);
    }
    let mut nodes = Vec::new();
    let roots = owned.get("").cloned().unwrap_or_default();
    let fits = |object: &&Value| {
        spec.get("name").is_none_or(|name| text(object, &["metadata", "name"]) == name)
            && spec.get("kind").is_none_or(|kind| text(object, &["kind"]).eq_ignore_ascii_case(kind))
    };
    for root in roots.into_iter().filter(fits) {
        grow(root, &[], &owned, &mut nodes);
    }
    let more = nodes.len().saturating_sub(most);
    nodes.truncate(most);
    Body::Tree { nodes, more }
}

/// Replica sets of earlier versions are kept with no pods; they tell nothing.
fn is_over(object: &Value) -> bool {
    text(object, &["kind"]) == "ReplicaSet" && at(object, &["spec", "replicas"]).and_then(Value::as_i64) == Some(0)
}

/// Owners are few levels deep; more is a circle.
const DEEPEST: usize = 6;

fn grow(object: &Value, last: &[bool], owned: &BTreeMap<String, Vec<&Value>>, nodes: &mut Vec<Node>) {
    let kind = text(object, &["kind"]).to_ascii_lowercase();
    let (detail, mark) = detail(object);
    nodes.push(Node {
        key: text(object, &["metadata", "uid"]).to_owned(),
        last: last.to_vec(),
        name: format!("{kind}/{}", text(object, &["metadata", "name"])),
        detail,
        mark,
    });
    if last.len() >= DEEPEST {
        return;
    }
    let children = owned.get(text(object, &["metadata", "uid"])).map(Vec::as_slice).unwrap_or_default();
    for (index, child) in children.iter().enumerate() {
        let mut path = last.to_vec();
        path.push(index + 1 == children.len());
        grow(child, &path, owned, nodes);
    }
}

fn detail(object: &Value) -> (String, Mark) {
    let health = health(object);
    let mark = match &health {
        Health::Current => Mark::Good,
        Health::InProgress(_) | Health::Terminating => Mark::Busy,
        Health::Failed(_) => Mark::Bad,
        Health::NotFound => Mark::Off,
    };
    let number = |path: &[&str]| at(object, path).and_then(Value::as_i64);
    let text = match (number(&["status", "readyReplicas"]), number(&["spec", "replicas"])) {
        (ready, Some(all)) => format!("{}/{all} ready", ready.unwrap_or(0)),
        _ => match health {
            Health::Current => text(object, &["status", "phase"]).to_owned(),
            Health::InProgress(why) | Health::Failed(why) => why,
            Health::Terminating => "Terminating".to_owned(),
            Health::NotFound => String::new(),
        },
    };
    (text, mark)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::deck::PanelKind;
    use crate::diagnostic::Span;
    use crate::panel::state::PanelState;

    #[test]
    fn owners_stand_above_what_they_own() {
        let object = |kind: &str, name: &str, owner: &str, replicas: i64| {
            json!({
                "kind": kind,
                "metadata": {"name": name, "uid": name, "ownerReferences": [{"uid": owner}]},
                "spec": {"replicas": replicas},
                "status": {"readyReplicas": replicas},
            })
        };
        let objects = [
            object("Deployment", "web", "", 2),
            object("ReplicaSet", "web-1", "web", 0),
            object("ReplicaSet", "web-2", "web", 2),
            json!({"kind": "Pod", "metadata": {"name": "p1", "uid": "p1", "ownerReferences": [{"uid": "web-2"}]},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
            json!({"kind": "Pod", "metadata": {"name": "lone", "uid": "lone"}, "status": {"phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}]}}),
        ];
        let spec = PanelSpec {
            kind: PanelKind::Tree,
            options: Vec::new(),
            words: Vec::new(),
            snapshot: String::new(),
            picture: None,
            span: Span::default(),
        };
        let state = PanelState::good("tree", body(&objects, &spec, 12), jiff::Timestamp::UNIX_EPOCH);
        let text = "deployment/web       2/2 ready\n└─replicaset/web-2   2/2 ready\n  └─pod/p1           Running\n\
                    pod/lone             Running\n";
        assert_eq!(state.text(), text);
    }
}
