//! The roles and bindings that every cluster begins with, and roles that gather the rules of others.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::cluster::object::{at, list, map, text};

/// Roles by name, with rules as `verbs | groups | resources` or `verbs | paths`; bindings with their groups.
const DATA: &str = include_str!("../data/rbac.json");
const GROUP: &str = "rbac.authorization.k8s.io";

static OBJECTS: LazyLock<Vec<(&'static str, Value)>> = LazyLock::new(|| {
    let data: Value = serde_json::from_str(DATA).unwrap_or_default();
    let members = |name| map(&data, &[name]).into_iter().flatten();
    let roles: Vec<Value> = members("roles").map(|(name, role)| cluster_role(name, role)).collect();
    let filled = roles.iter().map(|role| aggregated(role, &roles).unwrap_or_else(|| role.clone()));
    let roles = filled.map(|role| ("clusterroles", role));
    roles.chain(members("bindings").map(|(name, groups)| ("clusterrolebindings", binding(name, groups)))).collect()
});

/// The ClusterRoles and ClusterRoleBindings of a new cluster, each with its plural name.
pub fn bootstrap_objects() -> &'static [(&'static str, Value)] {
    &OBJECTS
}

fn metadata(name: &str, joins: &str) -> Value {
    let mut labels = Map::new();
    labels.insert("kubernetes.io/bootstrapping".to_owned(), "rbac-defaults".into());
    if !joins.is_empty() {
        labels.insert(format!("{GROUP}/aggregate-to-{joins}"), "true".into());
    }
    json!({"name": name, "labels": labels, "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}})
}

fn cluster_role(name: &str, role: &Value) -> Value {
    let rules: Vec<Value> = list(role, &["rules"]).iter().filter_map(Value::as_str).filter_map(rule).collect();
    let mut object = json!({
        "kind": "ClusterRole", "apiVersion": format!("{GROUP}/v1"), "metadata": metadata(name, text(role, &["joins"])),
        "rules": rules,
    });
    let gathers = text(role, &["gathers"]);
    if let (false, Value::Object(object)) = (gathers.is_empty(), &mut object) {
        let labels = Map::from_iter([(format!("{GROUP}/aggregate-to-{gathers}"), "true".into())]);
        object.insert("aggregationRule".to_owned(), json!({"clusterRoleSelectors": [{"matchLabels": labels}]}));
    }
    object
}

fn rule(text: &str) -> Option<Value> {
    let mut parts = text.split(" | ").map(|part| part.split(' '));
    let mut verbs: Vec<&str> = Vec::new();
    for verb in parts.next()? {
        match verb {
            "read" => verbs.extend(["get", "list", "watch"]),
            "write" => verbs.extend(["create", "delete", "deletecollection", "patch", "update"]),
            "all" => verbs.extend(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]),
            verb => verbs.push(verb),
        }
    }
    let second: Vec<&str> = parts.next()?.map(|word| if word == "core" { "" } else { word }).collect();
    Some(match parts.next() {
        Some(resources) => json!({"verbs": verbs, "apiGroups": second, "resources": resources.collect::<Vec<_>>()}),
        None => json!({"verbs": verbs, "nonResourceURLs": second}),
    })
}

fn binding(name: &str, groups: &Value) -> Value {
    let subjects = groups.as_array().into_iter().flatten();
    let subjects: Vec<Value> =
        subjects.map(|group| json!({"kind": "Group", "apiGroup": GROUP, "name": group})).collect();
    json!({
        "kind": "ClusterRoleBinding", "apiVersion": format!("{GROUP}/v1"), "metadata": metadata(name, ""),
        "subjects": subjects, "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
    })
}

/// A ClusterRole with the rules of those that it gathers, as a controller writes it; `None` for a role that gathers
/// none or already has the rules.
pub fn aggregated(role: &Value, roles: &[Value]) -> Option<Value> {
    at(role, &["aggregationRule"]).filter(|rule| !rule.is_null())?;
    let rules = Value::from(gathered(role, roles));
    if role.get("rules") == Some(&rules) {
        return None;
    }
    let mut role = role.clone();
    role.as_object_mut()?.insert("rules".to_owned(), rules);
    Some(role)
}

/// The rules of all roles that a role gathers, by name and without repetitions.
pub(super) fn gathered(role: &Value, roles: &[Value]) -> Vec<Value> {
    let mut rules = Vec::new();
    let mut seen = vec![text(role, &["metadata", "name"])];
    gather(role, roles, &mut seen, &mut rules);
    rules
}

/// A role that gathers may gather roles that gather; each is visited once.
fn gather<'r>(role: &'r Value, roles: &'r [Value], seen: &mut Vec<&'r str>, rules: &mut Vec<Value>) {
    let mut chosen: Vec<&Value> = roles.iter().filter(|other| is_chosen(role, other)).collect();
    chosen.sort_by_key(|role| text(role, &["metadata", "name"]));
    for other in chosen {
        let name = text(other, &["metadata", "name"]);
        if seen.contains(&name) || seen.len() > 100 {
            continue;
        }
        seen.push(name);
        if at(other, &["aggregationRule"]).is_some_and(|rule| !rule.is_null()) {
            gather(other, roles, seen, rules);
        } else {
            for rule in list(other, &["rules"]) {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
}

fn is_chosen(role: &Value, other: &Value) -> bool {
    let labels = map(other, &["metadata", "labels"]);
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    list(role, &["aggregationRule", "clusterRoleSelectors"]).iter().any(|selector| {
        let matches =
            map(selector, &["matchLabels"]).into_iter().flatten().all(|(key, value)| label(key) == value.as_str());
        matches && list(selector, &["matchExpressions"]).iter().all(|requirement| meets(requirement, &label))
    })
}

fn meets<'l>(requirement: &Value, label: &dyn Fn(&str) -> Option<&'l str>) -> bool {
    let value = label(text(requirement, &["key"]));
    let listed = || list(requirement, &["values"]).iter().any(|wanted| wanted.as_str() == value);
    match text(requirement, &["operator"]) {
        "In" => value.is_some() && listed(),
        "NotIn" => value.is_none() || !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}
