//! Machines made from templates, each with its bootstrap configuration and its virtual machine.

use serde_json::{Value, json};

use super::action::{Action, Pass, finalize, id_of, owner_reference};
use super::kind::Kind;
use super::phase::Rules;
use super::reference;
use super::words;
use super::world::{Id, name, namespace};
use crate::cluster::object::{at, entry, set, text};

/// What machines are made from.
#[derive(Debug, Clone)]
pub(super) struct Plan<'a> {
    /// Who owns them.
    pub(super) owner: &'a Value,
    /// Their cluster's name.
    pub(super) cluster: &'a str,
    /// Their labels besides the cluster's.
    pub(super) labels: Value,
    /// Their annotations.
    pub(super) annotations: Value,
    /// Their spec; references in it name templates.
    pub(super) spec: Value,
    /// A bootstrap configuration as it is, when it comes from no template.
    pub(super) config: Option<Value>,
    /// Which release's ways of naming count.
    pub(super) rules: Rules,
}

/// Makes a machine; gives its name, or the kinds of templates that are missing.
pub(super) fn machine(pass: &mut Pass<'_>, plan: &Plan<'_>) -> Result<String, Vec<String>> {
    let references: Vec<&Value> = [&["bootstrap", "configRef"][..], &["infrastructureRef"]]
        .iter()
        .filter_map(|place| at(&plan.spec, place))
        .collect();
    let missing = reference::missing_templates(&pass.world, plan.owner, &references);
    if !missing.is_empty() {
        return Err(missing);
    }
    let space = namespace(plan.owner).to_owned();
    let own = pass.free_name(Kind::Machine, &space, name(plan.owner));
    let mut spec = plan.spec.clone();
    set(&mut spec, &["clusterName"], plan.cluster);
    let version = reference::version(text(&spec, &["version"]));
    if !version.is_empty() {
        set(&mut spec, &["version"], version);
    }
    if let Some(config) = &plan.config {
        let metadata = metadata(plan, &own, None);
        let object = json!({
            "apiVersion": Kind::KubeadmConfig.api_version(), "kind": "KubeadmConfig", "metadata": metadata, "spec": config,
        });
        create(pass, Kind::KubeadmConfig, object);
        let like = at(&plan.spec, &["infrastructureRef"]).cloned().unwrap_or_default();
        // the version of a provider's group is not that of another's
        let like = if text(&like, &["apiVersion"]).is_empty() {
            like
        } else {
            json!({"apiVersion": Kind::KubeadmConfig.api_version()})
        };
        set(&mut spec, &["bootstrap", "configRef"], reference::to(Kind::KubeadmConfig, &own, &like));
    }
    for place in [&["bootstrap", "configRef"][..], &["infrastructureRef"]] {
        let Some(template) = at(&plan.spec, place) else { continue };
        if let Some(reference) = from_template(pass, plan, template, &own) {
            set(&mut spec, place, reference);
        }
    }
    let mut metadata = metadata(plan, &own, None);
    metadata["annotations"] = plan.annotations.clone();
    let mut object =
        json!({"apiVersion": Kind::Machine.api_version(), "kind": "Machine", "metadata": metadata, "spec": spec});
    finalize(&mut object, Kind::Machine, true);
    create(pass, Kind::Machine, object);
    Ok(own)
}

/// Makes an object from a template; gives the reference to it. None when what is named is no template.
fn from_template(pass: &mut Pass<'_>, plan: &Plan<'_>, template: &Value, machine: &str) -> Option<Value> {
    let kind = Kind::of(text(template, &["kind"]).strip_suffix("Template")?)?;
    let found = pass.world.referred(namespace(plan.owner), template)?;
    let spec = at(found, &["spec", "template", "spec"]).cloned().unwrap_or(json!({}));
    let own = match plan.rules {
        Rules::V1Alpha3 => pass.free_name(kind, namespace(plan.owner), name(found)),
        Rules::V1Beta2 => machine.to_owned(),
    };
    let mut metadata = metadata(plan, &own, Some(found));
    if let Some(more) = at(found, &["spec", "template", "metadata", "labels"]).and_then(Value::as_object) {
        for (label, value) in more {
            set(&mut metadata, &["labels", label], value.clone());
        }
    }
    let object = json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata, "spec": spec});
    create(pass, kind, object);
    Some(reference::to(kind, &own, template))
}

fn metadata(plan: &Plan<'_>, own: &str, template: Option<&Value>) -> Value {
    let mut labels = plan.labels.clone();
    set(&mut labels, &[words::CLUSTER], plan.cluster);
    let mut metadata = json!({
        "name": own, "namespace": namespace(plan.owner), "labels": labels,
        "ownerReferences": [owner_reference(plan.owner, true)],
    });
    if let Some(template) = template {
        let kind = text(template, &["kind"]);
        let group = crate::cluster::object::group_of(text(template, &["apiVersion"]));
        let annotations = entry(&mut metadata, &["annotations"]);
        set(annotations, &[words::CLONED_NAME], name(template));
        set(annotations, &[words::CLONED_KIND], format!("{kind}.{group}"));
    }
    metadata
}

fn create(pass: &mut Pass<'_>, kind: Kind, object: Value) {
    let id: Id = id_of(kind, &object);
    pass.actions.push(Action::Create { id, object });
}
