//! The revisions of a workload: replica sets of a deployment, controller revisions of the others.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::super::problem::Problem;
use super::super::select::{self, Narrow, Target};
use super::super::session::Session;
use super::super::table::{Tabs, elastic, printable};
use crate::cluster::object;

const REVISION: &str = "deployment.kubernetes.io/revision";
const CAUSE: &str = "kubernetes.io/change-cause";
const HASH: &str = "pod-template-hash";
/// Annotations that belong to the deployment itself, not to one of its templates.
const OWN: [&str; 6] = [
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
];

/// A template that was rolled out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision {
    pub(super) number: i64,
    pub(super) cause: String,
    pub(super) template: Value,
    /// With labels that only replica sets have; for people.
    shown: Value,
    pub(super) annotations: Value,
}

/// The revisions of a workload, oldest first.
pub(super) async fn of(session: &mut Session<'_>, target: &Target, workload: &Value) -> Result<Vec<Revision>, Problem> {
    let is_deployment = target.resource.kind == "Deployment";
    let resource =
        session.resource(if is_deployment { "replicasets.apps" } else { "controllerrevisions.apps" }).await?;
    let labels = object::map(workload, &["spec", "selector", "matchLabels"]).into_iter().flatten();
    let labels: Vec<_> = labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or(""))).collect();
    let narrow = Narrow { labels: labels.join(","), fields: String::new() };
    let owned = select::objects(session, &resource, &target.namespace, &narrow).await?;
    let uid = object::text(workload, &["metadata", "uid"]);
    let is_ours = |object: &&Value| {
        object::list(object, &["metadata", "ownerReferences"]).iter().any(|owner| object::text(owner, &["uid"]) == uid)
    };
    let read = if is_deployment { of_replica_set } else { of_controller_revision };
    let mut revisions: Vec<Revision> = owned.iter().filter(is_ours).filter_map(read).collect();
    revisions.sort_by_key(|revision| revision.number);
    Ok(revisions)
}

fn of_replica_set(set: &Value) -> Option<Revision> {
    let number = object::text(set, &["metadata", "annotations", REVISION]).parse().ok()?;
    let shown = object::at(set, &["spec", "template"])?.clone();
    let mut template = shown.clone();
    object::remove(&mut template, &["metadata", "labels", HASH]);
    let cause = object::text(set, &["metadata", "annotations", CAUSE]).to_owned();
    let annotations = object::at(set, &["metadata", "annotations"]).cloned().unwrap_or(json!({}));
    Some(Revision { number, cause, template, shown, annotations })
}

fn of_controller_revision(revision: &Value) -> Option<Revision> {
    let number = object::int(revision, &["revision"])?;
    let mut template = object::at(revision, &["data", "spec", "template"])?.clone();
    // The data is a patch: it says that the whole template is replaced.
    object::remove(&mut template, &["$patch"]);
    let cause = object::text(revision, &["metadata", "annotations", CAUSE]).to_owned();
    Some(Revision { number, cause, shown: template.clone(), template, annotations: json!({}) })
}

/// The revision to go back to: that of a number, or for 0 the one before the last.
pub(super) fn chosen<'a>(revisions: &'a [Revision], wanted: i64, target: &Target) -> Result<&'a Revision, Problem> {
    let none = || {
        let (kind, name) = (target.resource.kind.to_lowercase(), &target.name);
        Problem::said(format!("no rollout history found for {kind} {name:?}"))
    };
    if wanted > 0 {
        let found = revisions.iter().find(|revision| revision.number == wanted);
        return found.ok_or_else(|| Problem::said(format!("unable to find specified revision {wanted} in history")));
    }
    revisions.iter().rev().nth(1).ok_or_else(none)
}

/// A deployment's annotations with those of an older template.
pub(super) fn annotations(deployment: &Value, older: &Value) -> Value {
    let of = |value: &Value, own: bool| {
        let members = value.as_object().cloned().unwrap_or_default();
        members.into_iter().filter(move |(name, _)| OWN.contains(&name.as_str()) == own)
    };
    let present = object::at(deployment, &["metadata", "annotations"]).cloned().unwrap_or(json!({}));
    let merged: Map<String, Value> = of(&present, true).chain(of(older, false)).collect();
    Value::Object(merged)
}

/// The table of revisions.
pub(super) fn table(revisions: &[Revision]) -> String {
    if revisions.is_empty() {
        return "No rollout history found.\n".to_owned();
    }
    let mut rows = vec![vec!["REVISION".to_owned(), "CHANGE-CAUSE".to_owned()]];
    for revision in revisions {
        let cause = if revision.cause.is_empty() { "<none>".to_owned() } else { printable(&revision.cause) };
        rows.push(vec![revision.number.to_string(), cause]);
    }
    Tabs::narrow().lay(&rows) + "\n"
}

/// What a revision rolls out.
pub(super) fn detail(revisions: &[Revision], wanted: i64) -> Result<String, Problem> {
    if revisions.is_empty() {
        return Ok("No rollout history found.\n".to_owned());
    }
    let Some(revision) = revisions.iter().find(|revision| revision.number == wanted) else {
        return Err(Problem::said(format!("unable to find the specified revision {wanted}")));
    };
    let mut template = revision.shown.clone();
    if !revision.cause.is_empty() {
        object::set(&mut template, &["metadata", "annotations", CAUSE], revision.cause.as_str());
    }
    Ok(elastic(&pod_template(&template)) + "\n")
}

/// A pod template with tabs.
fn pod_template(template: &Value) -> String {
    let mut out = "Pod Template:\n".to_owned();
    let mut pairs = |title: &str, member: &str, sign: &str| {
        let mut sorted: Vec<_> = object::map(template, &["metadata", member])
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{}{sign}{}", printable(name), printable(value.as_str().unwrap_or(""))))
            .collect();
        sorted.sort();
        for (index, line) in sorted.iter().enumerate() {
            let title = if index == 0 { format!("  {title}:") } else { String::new() };
            let _ = writeln!(out, "{title}\t{line}");
        }
    };
    pairs("Labels", "labels", "=");
    pairs("Annotations", "annotations", ": ");
    for (title, member) in [("Init Containers", "initContainers"), ("Containers", "containers")] {
        let containers = object::list(template, &["spec", member]);
        if !containers.is_empty() {
            let _ = writeln!(out, "  {title}:");
        }
        for container in containers {
            self::container(&mut out, container);
        }
    }
    let names: Vec<_> = object::list(template, &["spec", "volumes"])
        .iter()
        .map(|volume| printable(object::text(volume, &["name"])))
        .collect();
    if names.is_empty() {
        out.push_str("  Volumes:\t<none>\n");
    } else {
        out.push_str("  Volumes:\n");
        for name in names {
            let _ = writeln!(out, "   {name}");
        }
    }
    let selector: Vec<_> = object::map(template, &["spec", "nodeSelector"])
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{}={}", printable(name), printable(value.as_str().unwrap_or(""))))
        .collect();
    let selector = if selector.is_empty() { "<none>".to_owned() } else { selector.join(",") };
    let tolerations = object::list(template, &["spec", "tolerations"]).len();
    let tolerations = if tolerations == 0 { "<none>".to_owned() } else { format!("{tolerations}") };
    let _ = writeln!(out, "  Node-Selectors:\t{selector}\n  Tolerations:\t{tolerations}");
    out
}

fn container(out: &mut String, container: &Value) {
    let text = |path: &[&str]| printable(object::text(container, path));
    let _ = writeln!(out, "   {}:\n    Image:\t{}", text(&["name"]), text(&["image"]));
    let ports = |member: &str| {
        let list = object::list(container, &["ports"]).iter();
        let shown: Vec<_> = list
            .map(|port| {
                let number = object::int(port, &[member]).unwrap_or(0);
                let protocol = object::text(port, &["protocol"]);
                format!("{number}/{}", if protocol.is_empty() { "TCP" } else { protocol })
            })
            .collect();
        if shown.is_empty() { "<none>".to_owned() } else { shown.join(", ") }
    };
    let _ = writeln!(out, "    Port:\t{}\n    Host Port:\t{}", ports("containerPort"), ports("hostPort"));
    for (title, member) in [("Command", "command"), ("Args", "args")] {
        let words = object::list(container, &[member]);
        if !words.is_empty() {
            let _ = writeln!(out, "    {title}:");
        }
        for word in words {
            let _ = writeln!(out, "      {}", printable(word.as_str().unwrap_or("")));
        }
    }
    let lines = |title: &str, lines: Vec<String>, out: &mut String| {
        if lines.is_empty() {
            let _ = writeln!(out, "    {title}:\t<none>");
        } else {
            let _ = writeln!(out, "    {title}:");
            for line in lines {
                let _ = writeln!(out, "      {line}");
            }
        }
    };
    let env = object::list(container, &["env"]).iter().map(|variable| {
        let of = |path: &[&str]| printable(object::text(variable, path));
        let value = if variable.get("valueFrom").is_some() { "<from elsewhere>".to_owned() } else { of(&["value"]) };
        format!("{}:\t{value}", of(&["name"]))
    });
    lines("Environment", env.collect(), out);
    let mounts = object::list(container, &["volumeMounts"]).iter().map(|mount| {
        let of = |path: &[&str]| printable(object::text(mount, path));
        let mode = if object::flag(mount, &["readOnly"]) { "ro" } else { "rw" };
        format!("{} from {} ({mode})", of(&["mountPath"]), of(&["name"]))
    });
    lines("Mounts", mounts.collect(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(number: i64, cause: &str) -> Revision {
        let template = json!({
            "metadata": { "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "nginx", "image": "nginx:1.26" }] },
        });
        let mut shown = template.clone();
        object::set(&mut shown, &["metadata", "labels", HASH], "abc");
        Revision { number, cause: cause.to_owned(), template, shown, annotations: json!({}) }
    }

    #[test]
    fn revisions_are_listed_and_shown() {
        let revisions = [revision(1, ""), revision(2, "second")];
        assert_eq!(table(&revisions), "REVISION  CHANGE-CAUSE\n1         <none>\n2         second\n\n");
        assert_eq!(table(&[]), "No rollout history found.\n");
        let expected = "\
Pod Template:
  Labels:       app=web
                pod-template-hash=abc
  Annotations:  kubernetes.io/change-cause: second
  Containers:
   nginx:
    Image:         nginx:1.26
    Port:          <none>
    Host Port:     <none>
    Environment:   <none>
    Mounts:        <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>

";
        assert_eq!(detail(&revisions, 2).unwrap(), expected);
        assert_eq!(detail(&revisions, 9).unwrap_err().to_string(), "error: unable to find the specified revision 9");
    }

    #[test]
    fn an_older_cause_comes_back_with_its_template() {
        let deployment = json!({ "metadata": { "annotations": { REVISION: "3", CAUSE: "third", "mine": "x" } } });
        let older = json!({ REVISION: "1", CAUSE: "first", "deployment.kubernetes.io/max-replicas": "2" });
        assert_eq!(annotations(&deployment, &older), json!({ REVISION: "3", CAUSE: "first" }));
    }
}
