//! Fields that a field selector may name, per kind.

use serde_json::Value;

use super::crd::SelectableField;
use super::resource::Resource;
use super::selector::FieldSelector;
use super::status::Refusal;
use super::store::Stored;
use crate::cluster::object::at;

/// A selectable field: the name in selectors and the path in the stored object.
type Selectable = (&'static str, &'static str);

const POD: &[Selectable] = &[
    ("spec.nodeName", "spec.nodeName"),
    ("spec.restartPolicy", "spec.restartPolicy"),
    ("spec.schedulerName", "spec.schedulerName"),
    ("spec.serviceAccountName", "spec.serviceAccountName"),
    ("spec.hostNetwork", "spec.hostNetwork"),
    ("status.phase", "status.phase"),
    ("status.podIP", "status.podIP"),
    ("status.podIPs", "status.podIP"),
    ("status.nominatedNodeName", "status.nominatedNodeName"),
];
const CORE_EVENT: &[Selectable] = &[
    ("involvedObject.kind", "involvedObject.kind"),
    ("involvedObject.namespace", "involvedObject.namespace"),
    ("involvedObject.name", "involvedObject.name"),
    ("involvedObject.uid", "involvedObject.uid"),
    ("involvedObject.apiVersion", "involvedObject.apiVersion"),
    ("involvedObject.resourceVersion", "involvedObject.resourceVersion"),
    ("involvedObject.fieldPath", "involvedObject.fieldPath"),
    ("reason", "reason"),
    ("reportingComponent", "reportingComponent"),
    ("source", "source.component"),
    ("type", "type"),
];
const NEW_EVENT: &[Selectable] = &[
    ("regarding.kind", "involvedObject.kind"),
    ("regarding.namespace", "involvedObject.namespace"),
    ("regarding.name", "involvedObject.name"),
    ("regarding.uid", "involvedObject.uid"),
    ("regarding.apiVersion", "involvedObject.apiVersion"),
    ("regarding.resourceVersion", "involvedObject.resourceVersion"),
    ("regarding.fieldPath", "involvedObject.fieldPath"),
    ("reason", "reason"),
    ("reportingController", "reportingComponent"),
    ("type", "type"),
];

fn selectable(resource: &Resource) -> &'static [Selectable] {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => POD,
        ("", "events") => CORE_EVENT,
        ("events.k8s.io", "events") => NEW_EVENT,
        ("", "secrets") => &[("type", "type")],
        ("", "namespaces") => &[("status.phase", "status.phase")],
        ("", "nodes") => &[("spec.unschedulable", "spec.unschedulable")],
        ("", "services") => &[("spec.clusterIP", "spec.clusterIP"), ("spec.type", "spec.type")],
        ("batch", "jobs") => &[("status.successful", "status.succeeded")],
        ("apps", "replicasets") | ("", "replicationcontrollers") => &[("status.replicas", "status.replicas")],
        ("certificates.k8s.io", "certificatesigningrequests") => &[("spec.signerName", "spec.signerName")],
        _ => &[],
    }
}

/// A field selector that is known to fit its resource.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    name: Vec<(String, bool)>,
    namespace: Vec<(String, bool)>,
    deep: Vec<(Field, String, bool)>,
}

/// Where a field's value is.
#[derive(Debug, Clone)]
enum Field {
    BuiltIn(&'static str),
    Custom(SelectableField),
}

impl Field {
    fn value(&self, object: &Value) -> String {
        match self {
            Self::BuiltIn(path) => {
                let path: Vec<&str> = path.split('.').collect();
                shown(at(object, &path), &path)
            }
            Self::Custom(field) => field.value(object),
        }
    }
}

impl Selection {
    /// Checks a selector against what its resource offers.
    ///
    /// # Errors
    /// 400 for a field that cannot be selected by.
    pub fn of(resource: &Resource, selector: &FieldSelector) -> Result<Self, Refusal> {
        let mut selection = Self::default();
        let known = selectable(resource);
        let custom: &[SelectableField] = resource.custom.as_ref().map_or(&[], |custom| &custom.selectable_fields);
        for (field, value, equal) in &selector.terms {
            match field.as_str() {
                "metadata.name" => selection.name.push((value.clone(), *equal)),
                "metadata.namespace" => selection.namespace.push((value.clone(), *equal)),
                _ => {
                    let built_in = known.iter().find(|(name, _)| name == field).map(|(_, path)| Field::BuiltIn(path));
                    let own = || custom.iter().find(|own| *own.name == *field.as_str()).cloned().map(Field::Custom);
                    let Some(found) = built_in.or_else(own) else {
                        return Err(unknown(field, known.is_empty() && resource.custom.is_none()));
                    };
                    selection.deep.push((found, value.clone(), *equal));
                }
            }
        }
        Ok(selection)
    }

    /// The one name that is selected.
    pub fn only_name(&self) -> Option<&str> {
        self.name.iter().find(|(_, equal)| *equal).map(|(name, _)| name.as_str())
    }

    /// Whether an object is selected.
    pub fn matches(&self, object: &Stored) -> bool {
        let same =
            |wanted: &[(String, bool)], value: &str| wanted.iter().all(|(text, equal)| (text == value) == *equal);
        if !same(&self.name, &object.key.name) || !same(&self.namespace, &object.key.namespace) {
            return false;
        }
        if self.deep.is_empty() {
            return true;
        }
        let value = object.value();
        self.deep.iter().all(|(field, wanted, equal)| (field.value(&value) == *wanted) == *equal)
    }
}

/// A value as selectors compare it; absent flags and counters are their zero value, as in Go.
fn shown(value: Option<&Value>, path: &[&str]) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
        _ => match path.last() {
            Some(&("unschedulable" | "hostNetwork")) => "false".to_owned(),
            Some(&("replicas" | "succeeded")) => "0".to_owned(),
            _ => String::new(),
        },
    }
}

fn unknown(field: &str, plain: bool) -> Refusal {
    Refusal::bad_request(if plain {
        format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    } else {
        format!("field label not supported: {field}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::api::resource::Registry;
    use serde_json::json;

    fn selects(plural: &str, selector: &str, object: Value) -> Result<bool, String> {
        let resource = Registry::built_in().find("", "v1", plural).unwrap();
        let selector = FieldSelector::parse(selector).unwrap();
        let selection = Selection::of(resource, &selector).map_err(|refusal| refusal.message)?;
        Ok(selection.matches(&Stored::new(resource.stored.clone(), object, 1)))
    }

    #[test]
    fn fields_are_selected() {
        let pod = || json!({"metadata": {"name": "a", "namespace": "n"}, "status": {"phase": "Running"}});
        assert_eq!(selects("pods", "status.phase=Running,metadata.name=a", pod()), Ok(true));
        assert_eq!(selects("pods", "status.phase!=Running", pod()), Ok(false));
        assert_eq!(selects("pods", "spec.hostNetwork=false", pod()), Ok(true));
        assert_eq!(selects("pods", "spec.nope=1", pod()), Err("field label not supported: spec.nope".to_owned()));
        assert_eq!(
            selects("configmaps", "data.x=1", pod()),
            Err("\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"".to_owned())
        );
    }
}
