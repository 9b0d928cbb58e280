//! Custom resources: their definitions, what they make, and what holds their objects to it.
//!
//! A definition is checked and filled in by [`validate`] and [`defaults`]; [`CustomKind`] is what a good one makes.

mod cel;
mod definition;
mod graph;
mod names;
mod object;
mod paths;
mod rules;
mod scale;
mod schema;
mod status;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::api::jsonpath::JsonPath;
use crate::cluster::api::schema::Struct;
use crate::cluster::api::table::{CustomColumns, printed};
use crate::cluster::object::{at, flag, list, set, text};

pub use definition::{defaults, definition_warnings, object_warnings, validate};
pub use object::validate_object;
pub use rules::Rules;
pub use scale::{Scale, ScalePaths};
pub use status::{Taken, established_status};

/// A kind that a definition makes.
#[derive(Debug, Clone)]
pub struct CustomKind {
    /// The group.
    pub group: Box<str>,
    /// The name in paths.
    pub plural: Box<str>,
    /// The name for one.
    pub singular: Box<str>,
    /// The kind.
    pub kind: Box<str>,
    /// The kind of lists of it.
    pub list_kind: Box<str>,
    /// Short names for command lines.
    pub short_names: Vec<Box<str>>,
    /// Groups of resources that it belongs to, as `all`.
    pub categories: Vec<Box<str>>,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Its versions, the preferred one first, as discovery lists them.
    pub versions: Vec<CustomVersion>,
}

/// A version of a custom kind.
#[derive(Debug, Clone)]
pub struct CustomVersion {
    /// Its name, as `v1`.
    pub name: Box<str>,
    /// Whether clients can use it.
    pub served: bool,
    /// Whether objects are stored in it.
    pub storage: bool,
    /// What clients are told when they use it though it is deprecated.
    pub warning: Option<Box<str>>,
    /// The shape of its objects, metadata included, for decoding, defaults and server-side apply.
    pub schema: Arc<Struct>,
    /// The `openAPIV3Schema` as it was written.
    pub json_schema: Value,
    /// What tables show.
    pub columns: CustomColumns,
    /// Whether there is a status subresource.
    pub status: bool,
    /// Where the scale subresource finds its numbers, if there is one.
    pub scale: Option<ScalePaths>,
    /// What field selectors can ask for besides name and namespace.
    pub selectable_fields: Vec<SelectableField>,
    /// The rules of its schema.
    pub rules: Rules,
    /// The schema to check objects with.
    checks: Arc<schema::Schema>,
}

/// A field that field selectors can ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectableField {
    /// Its name in selectors, as `spec.colour`.
    pub name: Box<str>,
    path: JsonPath,
}

impl SelectableField {
    /// The value in an object; empty when there is none.
    pub fn value(&self, object: &Value) -> String {
        self.path.first(object).filter(|value| !value.is_null()).map(printed).unwrap_or_default()
    }
}

impl CustomKind {
    /// What a definition makes. `metadata` is the shape of every object's metadata.
    ///
    /// A definition that [`validate`] finds nothing wrong with always makes a kind.
    pub fn of(definition: &Value, metadata: &Arc<Struct>) -> Result<Self, String> {
        let named = |member| text(definition, &["spec", "names", member]);
        let several = |member| {
            let names = list(definition, &["spec", "names", member]).iter().filter_map(Value::as_str);
            names.map(Into::into).collect()
        };
        let kind = named("kind");
        let group = text(definition, &["spec", "group"]);
        for (what, name) in [("group", group), ("plural", named("plural")), ("kind", kind)] {
            if name.is_empty() {
                return Err(format!("the definition has no {what}"));
            }
        }
        let mut versions: Vec<_> = list(definition, &["spec", "versions"])
            .iter()
            .map(|version| CustomVersion::of(definition, version, kind, metadata))
            .collect();
        versions.sort_by(|left, right| compare_versions(&left.name, &right.name).reverse());
        if versions.is_empty() {
            return Err("the definition has no versions".to_owned());
        }
        let or = |name: &str, otherwise: String| if name.is_empty() { otherwise.into() } else { name.into() };
        Ok(Self {
            group: group.into(),
            plural: named("plural").into(),
            singular: or(named("singular"), kind.to_lowercase()),
            kind: kind.into(),
            list_kind: or(named("listKind"), format!("{kind}List")),
            short_names: several("shortNames"),
            categories: several("categories"),
            namespaced: text(definition, &["spec", "scope"]) != "Cluster",
            versions,
        })
    }

    /// The version of a name.
    pub fn version(&self, name: &str) -> Option<&CustomVersion> {
        self.versions.iter().find(|version| *version.name == *name)
    }

    /// The version that objects are stored in.
    pub fn storage(&self) -> Option<&CustomVersion> {
        self.versions.iter().find(|version| version.storage)
    }

    /// Makes an object one of another version: all versions have the same members (strategy `None`).
    pub fn convert(&self, object: &mut Value, version: &str) {
        set(object, &["apiVersion"], format!("{}/{version}", self.group));
    }
}

impl CustomVersion {
    fn of(definition: &Value, version: &Value, kind: &str, metadata: &Arc<Struct>) -> Self {
        let json_schema = at(version, &["schema", "openAPIV3Schema"]).cloned().unwrap_or_default();
        let checks = schema::Schema::of(&json_schema);
        let subresource = |name| at(version, &["subresources", name]).filter(|found| !found.is_null());
        Self {
            name: text(version, &["name"]).into(),
            served: flag(version, &["served"]),
            storage: flag(version, &["storage"]),
            warning: flag(version, &["deprecated"]).then(|| warning(definition, version).into()),
            schema: graph::of(&checks, kind, metadata),
            columns: CustomColumns::of(list(version, &["additionalPrinterColumns"])),
            status: subresource("status").is_some(),
            scale: subresource("scale").map(ScalePaths::of),
            selectable_fields: list(version, &["selectableFields"]).iter().filter_map(selectable).collect(),
            rules: Rules::of(&checks),
            checks: Arc::new(checks),
            json_schema,
        }
    }
}

fn selectable(field: &Value) -> Option<SelectableField> {
    let path = text(field, &["jsonPath"]);
    let name = path.strip_prefix('.').unwrap_or(path).into();
    Some(SelectableField { name, path: JsonPath::parse(path).ok()? })
}

/// What is said of a deprecated version: the newest served version that is no less stable is recommended.
fn warning(definition: &Value, version: &Value) -> String {
    if let Some(own) = version.get("deprecationWarning").and_then(Value::as_str) {
        return own.to_owned();
    }
    let name = text(version, &["name"]);
    let (group, kind) = (text(definition, &["spec", "group"]), text(definition, &["spec", "names", "kind"]));
    let better = list(definition, &["spec", "versions"])
        .iter()
        .filter(|other| flag(other, &["served"]) && !flag(other, &["deprecated"]))
        .map(|other| text(other, &["name"]))
        .filter(|other| compare_versions(other, name).is_gt())
        .max_by(|left, right| compare_versions(left, right));
    let better = better.map(|better| format!("; use {group}/{better} {kind}"));
    format!("{group}/{name} {kind} is deprecated{}", better.unwrap_or_default())
}

/// Which of two versions is newer: `v2` before `v1` before `v2beta1` before `v1alpha1` before all other names.
fn compare_versions(left: &str, right: &str) -> Ordering {
    match (version_parts(left), version_parts(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => right.cmp(left),
    }
}

/// Stability, major and minor number of a version such as `v1beta2`.
fn version_parts(name: &str) -> Option<(u8, u64, u64)> {
    let rest = name.strip_prefix('v')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, rest) = rest.split_at(end);
    let major = major.parse().ok()?;
    if rest.is_empty() {
        return Some((2, major, 0));
    }
    let (stability, minor) = match rest.strip_prefix("beta") {
        Some(minor) => (1, minor),
        None => (0, rest.strip_prefix("alpha")?),
    };
    Some((stability, major, minor.parse().ok()?))
}

#[cfg(test)]
mod tests;
