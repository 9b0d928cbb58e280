//! The spec of a definition: group, scope, versions, names, conversion.
//!
//! Kubernetes holds what all versions have in common once, at the top; errors name those places.

use serde_json::Value;

use super::super::names::{label_fault, subdomain_fault};
use super::super::schema::Schema;
use super::{columns, name_errors, root, shown};
use crate::cluster::api::status::FieldError;
use crate::cluster::object::{at, list, text};

/// What the versions have in common, so that Kubernetes holds it once.
struct Common {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Common {
    fn of(versions: &[Value]) -> Self {
        let same = |member: &str| {
            let first = versions.first().and_then(|version| given(version, member));
            !versions.is_empty() && versions.iter().all(|version| given(version, member) == first)
        };
        Self {
            schema: same("schema"),
            subresources: same("subresources"),
            columns: same("additionalPrinterColumns"),
            selectable: same("selectableFields"),
        }
    }
}

/// A member that says something.
fn given<'a>(version: &'a Value, member: &str) -> Option<&'a Value> {
    version.get(member).filter(|value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()))
}

/// What is wrong with the spec.
pub(super) fn errors(definition: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let versions = list(definition, &["spec", "versions"]);
    let common = Common::of(versions);
    errors.extend(group_error(text(definition, &["spec", "group"])));
    errors.extend(scope_error(text(definition, &["spec", "scope"])));
    for (index, version) in versions.iter().enumerate() {
        if root_schema(version).is_none() {
            errors.push(FieldError::required(format!("spec.versions[{index}].schema.openAPIV3Schema"), ""));
        }
    }
    for (index, version) in versions.iter().enumerate() {
        errors.extend(version_errors(version, &format!("spec.versions[{index}]"), &common));
    }
    errors.extend(storage_errors(versions, &common));
    let named = |member| text(definition, &["spec", "names", member]);
    for member in ["plural", "singular", "kind", "listKind"] {
        if named(member).is_empty() {
            errors.push(FieldError::required(format!("spec.names.{member}"), ""));
        }
    }
    errors.extend(name_errors(at(definition, &["spec", "names"]).unwrap_or(&Value::Null), "spec.names"));
    if let Some(first) = versions.first() {
        let any_status = versions.iter().any(has_status);
        if common.schema {
            errors.extend(root::errors(first.get("schema"), any_status, "spec.validation"));
        }
        if common.subresources {
            errors.extend(columns::subresource_errors(first, "spec.subresources"));
        }
        if common.columns {
            errors.extend(columns::column_errors(first, "spec.additionalPrinterColumns"));
        }
        if common.selectable {
            errors.extend(selectable_errors(first, "spec.selectableFields"));
        }
    }
    errors.extend(conversion_errors(at(definition, &["spec", "conversion"]).unwrap_or(&Value::Null)));
    errors
}

fn root_schema(version: &Value) -> Option<&Value> {
    at(version, &["schema", "openAPIV3Schema"]).filter(|schema| !schema.is_null())
}

fn has_status(version: &Value) -> bool {
    at(version, &["subresources", "status"]).is_some_and(|status| !status.is_null())
}

fn group_error(group: &str) -> Option<FieldError> {
    if group.is_empty() {
        return Some(FieldError::required("spec.group", ""));
    }
    let fault = subdomain_fault(group);
    let fault = fault.or_else(|| (!group.contains('.')).then(|| "should be a domain with at least one dot".to_owned()));
    fault.map(|fault| FieldError::invalid("spec.group", group, fault))
}

fn scope_error(scope: &str) -> Option<FieldError> {
    match scope {
        "" => Some(FieldError::required("spec.scope", "")),
        "Cluster" | "Namespaced" => None,
        _ => Some(FieldError::not_supported("spec.scope", scope, &["Cluster", "Namespaced"])),
    }
}

/// What is wrong with one version, but for what is held at the top.
fn version_errors(version: &Value, path: &str, common: &Common) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = text(version, &["name"]);
    if let Some(fault) = label_fault(name) {
        errors.push(FieldError::invalid(format!("{path}.name"), name, fault));
    }
    errors.extend(warning_errors(version, &format!("{path}.deprecationWarning")));
    if !common.schema {
        errors.extend(root::errors(version.get("schema"), has_status(version), &format!("{path}.schema")));
    }
    if !common.subresources {
        errors.extend(columns::subresource_errors(version, &format!("{path}.subresources")));
    }
    if !common.columns {
        errors.extend(columns::column_errors(version, &format!("{path}.additionalPrinterColumns")));
    }
    if !common.selectable {
        errors.extend(selectable_errors(version, &format!("{path}.selectableFields")));
    }
    errors
}

fn selectable_errors(version: &Value, path: &str) -> Vec<FieldError> {
    let fields = list(version, &["selectableFields"]);
    match root_schema(version) {
        _ if fields.is_empty() => Vec::new(),
        None => vec![FieldError::invalid(path, "", "may only be set when validations.schema is included")],
        Some(schema) => columns::selectable_errors(fields, &Schema::of(schema), path),
    }
}

fn warning_errors(version: &Value, path: &str) -> Vec<FieldError> {
    let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) else { return Vec::new() };
    let mut hints = Vec::new();
    if version.get("deprecated") != Some(&true.into()) {
        hints.push("can only be set for deprecated versions".to_owned());
    } else {
        if warning.len() > 256 {
            hints.push("must be <= 256 characters long".to_owned());
        }
        if warning.is_empty() {
            hints.push("must not be an empty string".to_owned());
        }
        if let Some((index, _)) = warning.char_indices().find(|(_, c)| c.is_control()) {
            hints.push(format!(
                "must only contain printable UTF-8 characters; non-printable character found at index {index}"
            ));
        }
    }
    hints.into_iter().map(|hint| FieldError::invalid(path, warning, hint)).collect()
}

/// Names of versions have to differ, and exactly one version is stored.
fn storage_errors(versions: &[Value], common: &Common) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let names: Vec<_> = versions.iter().map(|version| text(version, &["name"])).collect();
    let mut seen = std::collections::BTreeSet::new();
    let shown = || shown::versions(versions, [common.schema, common.subresources, common.columns, common.selectable]);
    if !names.iter().all(|name| seen.insert(*name)) {
        errors.push(FieldError::invalid("spec.versions", shown(), "must contain unique version names"));
    }
    let stored = versions.iter().filter(|version| version.get("storage") == Some(&true.into())).count();
    if stored != 1 {
        let hint = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", shown(), hint));
    }
    if let Some(first) = names.first()
        && let Some(fault) = label_fault(first).filter(|_| !first.is_empty())
    {
        errors.push(FieldError::invalid("spec.version", *first, fault));
    }
    errors
}

fn conversion_errors(conversion: &Value) -> Vec<FieldError> {
    let path = "spec.conversion";
    if conversion.is_null() {
        return Vec::new();
    }
    let webhook = conversion.get("webhook").filter(|webhook| !webhook.is_null());
    let client = webhook.and_then(|webhook| webhook.get("clientConfig")).filter(|client| !client.is_null());
    let reviews = webhook.map_or(&[][..], |webhook| list(webhook, &["conversionReviewVersions"]));
    let (client_path, reviews_path) =
        (format!("{path}.webhookClientConfig"), format!("{path}.conversionReviewVersions"));
    let mut errors = Vec::new();
    match text(conversion, &["strategy"]) {
        "Webhook" => {
            let has = |member: &str| client.and_then(|client| client.get(member)).is_some_and(|value| !value.is_null());
            if client.is_none() {
                errors.push(FieldError::required(client_path, "required when strategy is set to Webhook"));
            } else if has("url") == has("service") {
                errors.push(FieldError::required(client_path, "exactly one of url or service is required"));
            }
            let known = reviews.iter().any(|review| matches!(review.as_str(), Some("v1" | "v1beta1")));
            if reviews.is_empty() {
                errors.push(FieldError::required(reviews_path, ""));
            } else if !known {
                errors.push(FieldError::invalid(
                    reviews_path,
                    reviews.to_vec(),
                    "must include at least one of v1, v1beta1",
                ));
            }
            return errors;
        }
        "None" => {}
        "" => errors.push(FieldError::required(format!("{path}.strategy"), "")),
        other => errors.push(FieldError::not_supported(format!("{path}.strategy"), other, &["None", "Webhook"])),
    }
    let hint = "should not be set when strategy is not set to Webhook";
    if client.is_some() {
        errors.push(FieldError::forbidden(client_path, hint));
    }
    if !reviews.is_empty() {
        errors.push(FieldError::forbidden(reviews_path, hint));
    }
    errors
}
