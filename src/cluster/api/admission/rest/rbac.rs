//! Role, ClusterRole and their bindings.

use serde_json::{Value, json};

use super::check::{Check, same};
use super::kind::{Blank, Kind};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, list, set_default, text};

/// The group of RBAC, of users and of groups.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

const ROLE: Kind = Kind {
    group: GROUP,
    kind: "Role",
    names: names::segment_names,
    create_on_update: true,
    always: &[(&["rules"], Blank::Null)],
    validate: role,
    ..Kind::NAMESPACED
};
const BINDING: Kind = Kind {
    group: GROUP,
    kind: "RoleBinding",
    names: names::segment_names,
    create_on_update: true,
    always: &[(&["roleRef", "kind"], Blank::Text), (&["roleRef", "name"], Blank::Text)],
    defaults: binding_defaults,
    validate: binding,
    ..Kind::NAMESPACED
};

pub(super) const KINDS: &[Kind] = &[
    ROLE,
    Kind { kind: "ClusterRole", namespaced: false, ..ROLE },
    BINDING,
    Kind { kind: "ClusterRoleBinding", namespaced: false, ..BINDING },
];

fn binding_defaults(binding: &mut Value) {
    let group = text(binding, &["roleRef", "apiGroup"]);
    if group.is_empty() {
        crate::cluster::object::set(binding, &["roleRef", "apiGroup"], GROUP);
    }
    for subject in binding.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
        if ["User", "Group"].contains(&text(subject, &["kind"])) {
            set_default(subject, &["apiGroup"], GROUP);
        }
    }
}

fn role(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.new_metadata(new);
    let namespaced = check.kind.namespaced;
    check.items(new, &["rules"], |check, field, rule| check.policy_rule(field, rule, namespaced));
    if !namespaced && let Some(aggregation) = at(new, &["aggregationRule"]).filter(|rule| !rule.is_null()) {
        let selectors = list(aggregation, &["clusterRoleSelectors"]);
        if selectors.is_empty() {
            let hint = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            check.required("aggregationRule.clusterRoleSelectors", hint);
        }
        for (index, selector) in selectors.iter().enumerate() {
            let field = format!("aggregationRule.clusterRoleSelectors[{index}]");
            check.selector(&field, Some(selector));
        }
    }
    if let Some(old) = old {
        check.changed_metadata(new, old);
    }
}

fn binding(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.new_metadata(new);
    let role = |member| text(new, &["roleRef", member]);
    check.one_of("roleRef.apiGroup", role("apiGroup"), &[GROUP]);
    let namespaced = check.kind.namespaced;
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    check.one_of("roleRef.kind", role("kind"), kinds);
    check.required_name("roleRef.name", role("name"), names::path_segment);
    check.items(new, &["subjects"], |check, field, subject| check.subject(field, subject, namespaced));
    if let Some(old) = old {
        check.changed_metadata(new, old);
        if !same(at(new, &["roleRef"]), at(old, &["roleRef"])) {
            // the server shows it under the names of its own types
            let shown = json!({"APIGroup": role("apiGroup"), "Kind": role("kind"), "Name": role("name")});
            check.invalid("roleRef", shown, "cannot change roleRef");
        }
    }
}

impl Check<'_> {
    fn policy_rule(&mut self, field: &str, rule: &Value, namespaced: bool) {
        let all = |member| list(rule, &[member]);
        if all("verbs").is_empty() {
            self.required(format!("{field}.verbs"), "verbs must contain at least one value");
        }
        let paths = all("nonResourceURLs");
        if !paths.is_empty() {
            let field = format!("{field}.nonResourceURLs");
            if namespaced {
                let hint = "namespaced rules cannot apply to non-resource URLs";
                self.invalid(field.as_str(), paths.to_vec(), hint);
            }
            if ["apiGroups", "resources", "resourceNames"].iter().any(|member| !all(member).is_empty()) {
                let hint = "rules cannot apply to both regular resources and non-resource URLs";
                self.invalid(field, paths.to_vec(), hint);
            }
            return;
        }
        if all("apiGroups").is_empty() {
            self.required(format!("{field}.apiGroups"), "resource rules must supply at least one api group");
        }
        if all("resources").is_empty() {
            self.required(format!("{field}.resources"), "resource rules must supply at least one resource");
        }
    }

    fn subject(&mut self, field: &str, subject: &Value, namespaced: bool) {
        let (kind, name, group) = (text(subject, &["kind"]), text(subject, &["name"]), text(subject, &["apiGroup"]));
        if name.is_empty() {
            self.required(format!("{field}.name"), "");
        }
        match kind {
            "ServiceAccount" => {
                if !name.is_empty() {
                    self.sentences(&format!("{field}.name"), name, names::dns_subdomain(name));
                }
                self.one_of(&format!("{field}.apiGroup"), group, &[""]);
                if !namespaced && text(subject, &["namespace"]).is_empty() {
                    self.required(format!("{field}.namespace"), "");
                }
            }
            "User" | "Group" => {
                if name.is_empty() {
                    let hint = format!("{} name cannot be empty", kind.to_lowercase());
                    self.invalid(format!("{field}.name"), name, hint);
                }
                self.one_of(&format!("{field}.apiGroup"), group, &[GROUP]);
            }
            other => self.unsupported(format!("{field}.kind"), other, &["ServiceAccount", "User", "Group"]),
        }
    }
}
