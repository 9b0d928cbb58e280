//! The paths of OpenAPI documents: what can be done with a resource, and with which parameters.

use serde_json::{Value, json};

use super::components::reference;
use super::{Dialect, Resource, components};
use crate::cluster::object::Map;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
/// Verb, method, action in `x-kubernetes-action`, and whether it is about one object.
const VERBS: [(&str, &str, &str, bool); 7] = [
    ("list", "get", "list", false),
    ("create", "post", "post", false),
    ("deletecollection", "delete", "deletecollection", false),
    ("get", "get", "get", true),
    ("update", "put", "put", true),
    ("patch", "patch", "patch", true),
    ("delete", "delete", "delete", true),
];

/// The paths of resources.
pub(super) fn paths(resources: &[Resource<'_>], dialect: Dialect) -> Map {
    let mut paths = Map::new();
    for resource in resources {
        let namespace = if resource.namespaced { "namespaces/{namespace}/" } else { "" };
        let collection = format!("/{}/{namespace}{}", resource.document(), resource.plural);
        for (one, path) in [(false, collection.clone()), (true, format!("{collection}/{{name}}"))] {
            let mut item = Map::new();
            for (verb, method, action, _) in VERBS.iter().filter(|(verb, _, _, of)| *of == one && resource.can(verb)) {
                item.insert((*method).to_owned(), operation(resource, verb, action, dialect));
            }
            if !item.is_empty() {
                let names = [("name", one), ("namespace", resource.namespaced)];
                let names = names.iter().filter(|(_, there)| *there).map(|(name, _)| parameter(name, "path", dialect));
                item.insert("parameters".to_owned(), names.collect());
                paths.insert(path, Value::Object(item));
            }
        }
    }
    paths
}

fn parameter(name: &str, place: &str, dialect: Dialect) -> Value {
    let kind = if name == "force" { "boolean" } else { "string" };
    let mut parameter = json!({"name": name, "in": place});
    match dialect {
        Dialect::V2 => parameter["type"] = kind.into(),
        Dialect::V3 => parameter["schema"] = json!({"type": kind}),
    }
    if place == "path" {
        parameter["required"] = true.into();
    }
    parameter
}

fn operation(resource: &Resource<'_>, verb: &str, action: &str, dialect: Dialect) -> Value {
    let queries: &[&str] = match verb {
        "create" | "update" => &["dryRun", "fieldManager", "fieldValidation"],
        "patch" => &["dryRun", "fieldManager", "fieldValidation", "force"],
        "delete" => &["dryRun", "gracePeriodSeconds", "propagationPolicy"],
        "deletecollection" => &["dryRun", "fieldSelector", "labelSelector", "propagationPolicy"],
        "list" => &["continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "watch"],
        _ => &[],
    };
    let mut parameters: Vec<_> = queries.iter().map(|name| parameter(name, "query", dialect)).collect();
    let own = components::kind_name(resource);
    let body = match verb {
        "create" | "update" => Some(own.clone()),
        "patch" => Some(format!("{META}.Patch")),
        _ => None,
    };
    let answer = match verb {
        "list" => components::list_name(resource),
        "delete" | "deletecollection" => Some(format!("{META}.Status")),
        _ => Some(own),
    };
    let answer = answer.map(|answer| reference(&answer, dialect));
    let mut operation = json!({
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": resource.group_version_kind(),
    });
    let mut ok = json!({"description": "OK"});
    let media = media_types(resource, verb);
    match dialect {
        Dialect::V2 => {
            operation["consumes"] = json!(media);
            if let Some(body) = body {
                let schema = reference(&body, dialect);
                parameters.push(json!({"name": "body", "in": "body", "required": true, "schema": schema}));
            }
            if let Some(answer) = answer {
                ok["schema"] = answer;
            }
        }
        Dialect::V3 => {
            if let Some(body) = body {
                let schema = json!({"schema": reference(&body, dialect)});
                let content: Map = media.iter().map(|media| ((*media).to_owned(), schema.clone())).collect();
                operation["requestBody"] = json!({"content": content, "required": true});
            }
            if let Some(answer) = answer {
                ok["content"] = json!({"application/json": {"schema": answer}});
            }
        }
    }
    operation["parameters"] = parameters.into();
    operation["responses"] = json!({"200": ok});
    operation
}

/// What a body can be. Strategic merge needs the schemas of built-in kinds.
fn media_types(resource: &Resource<'_>, verb: &str) -> &'static [&'static str] {
    match (verb, resource.schema) {
        ("patch", None) => &[
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
            "application/apply-patch+yaml",
        ],
        ("patch", Some(_)) => {
            &["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
        }
        _ => &["*/*"],
    }
}
