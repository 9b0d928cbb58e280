//! What `-o` asks for.

use serde_json::{Value, json};

use super::problem::Problem;
use super::resources::Resource;
use super::table::{Tabs, printable};
use crate::cluster::jsonpath::{self, Template};
use crate::cluster::{gojson, object, yaml};

/// How objects are printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Format {
    /// For people; also wide.
    Human {
        wide: bool,
    },
    Name,
    Json,
    Yaml,
    /// A template, and what was asked for.
    JsonPath(Template, String),
    /// Columns with a header each.
    Columns(Vec<(String, Template)>),
}

impl Format {
    /// Reads `-o`.
    pub(super) fn parse(asked: Option<&str>) -> Result<Self, Problem> {
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { return Ok(Self::Human { wide: false }) };
        let (name, argument) = match asked.split_once('=') {
            Some((name, argument)) => (name, Some(argument)),
            None => (asked, None),
        };
        match (name, argument) {
            ("wide", None) => Ok(Self::Human { wide: true }),
            ("name", None) => Ok(Self::Name),
            ("json", None) => Ok(Self::Json),
            ("yaml", None) => Ok(Self::Yaml),
            ("jsonpath", Some(template)) if !template.is_empty() => {
                let parsed = Template::parse(template);
                let parsed =
                    parsed.map_err(|why| Problem::said(format!("error parsing jsonpath {template}, {why}")))?;
                Ok(Self::JsonPath(parsed, template.to_owned()))
            }
            ("jsonpath", _) => Err(Problem::said("template format specified but no template given")),
            ("custom-columns", Some(columns)) if !columns.is_empty() => Ok(Self::Columns(self::columns(columns)?)),
            ("custom-columns", _) => Err(Problem::said("custom-columns format specified but no custom columns given")),
            _ => Err(Problem::said(format!(
                "unable to match a printer suitable for the output format {name:?}, allowed formats are: \
                 custom-columns,json,jsonpath,name,wide,yaml"
            ))),
        }
    }

    pub(super) fn is_human(&self) -> bool {
        matches!(self, Self::Human { .. })
    }

    /// The text of one object or of a list of several.
    pub(super) fn text(&self, value: &Value, resource: &Resource, managed_fields: bool) -> Result<String, Problem> {
        match self {
            Self::Json | Self::Yaml => {
                let mut value = value.clone();
                if !managed_fields {
                    hide_managed_fields(&mut value);
                }
                Ok(if *self == Self::Json { gojson::pretty(&value) } else { yaml::text(&value) })
            }
            Self::JsonPath(template, asked) => template.fill(value).map_err(|why| {
                Problem::said(format!(
                    "error executing jsonpath {asked:?}: Error executing template: {why}. Printing more information for \
                     debugging the template:\n\ttemplate was:\n\t\t{asked}\n\tobject given to jsonpath engine was:\n\t\t{}\n",
                    gojson::compact(value)
                ))
            }),
            Self::Columns(columns) => {
                let mut tabs = Tabs::default();
                table(columns, items(value).as_slice(), true, &mut tabs)
            }
            Self::Name | Self::Human { .. } => Ok(name(value, resource) + "\n"),
        }
    }
}

/// `deployment.apps/web`, by what the object itself says.
pub(super) fn name(value: &Value, resource: &Resource) -> String {
    let name = object::text(value, &["metadata", "name"]);
    let kind = object::text(value, &["kind"]).to_lowercase();
    if kind.is_empty() {
        return resource.named(name);
    }
    let group = object::group_of(object::text(value, &["apiVersion"]));
    if group.is_empty() { format!("{kind}/{name}") } else { format!("{kind}.{group}/{name}") }
}

fn items(value: &Value) -> Vec<&Value> {
    match value.get("items").and_then(Value::as_array) {
        Some(items) if object::text(value, &["kind"]).ends_with("List") => items.iter().collect(),
        _ => vec![value],
    }
}

/// Objects in a list of kubectl's own.
pub(super) fn list(objects: Vec<Value>) -> Value {
    json!({ "apiVersion": "v1", "items": objects, "kind": "List", "metadata": { "resourceVersion": "" } })
}

/// The items of a server's list, each with its kind.
pub(super) fn items_with_kind(list: &mut Value, resource: &Resource) -> Vec<Value> {
    let items = list.get_mut("items").map(Value::take);
    let Some(Value::Array(items)) = items else { return Vec::new() };
    let kinded = items.into_iter().map(|mut item| {
        object::set_default(&mut item, &["apiVersion"], resource.api_version());
        object::set_default(&mut item, &["kind"], resource.kind.clone());
        item
    });
    kinded.collect()
}

fn hide_managed_fields(value: &mut Value) {
    object::remove(value, &["metadata", "managedFields"]);
    if let Some(Value::Array(items)) = value.get_mut("items") {
        for item in items {
            object::remove(item, &["metadata", "managedFields"]);
        }
    }
}

fn columns(asked: &str) -> Result<Vec<(String, Template)>, Problem> {
    let parts = asked.split(',').map(|part| {
        let Some((header, path)) = part.split_once(':') else {
            let why = format!("unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>");
            return Err(Problem::said(why));
        };
        let template = Template::path(path).map_err(|why| Problem::said(why.to_string()))?;
        Ok((header.to_owned(), template))
    });
    parts.collect()
}

/// The lines of custom columns.
pub(super) fn table(
    columns: &[(String, Template)],
    objects: &[&Value],
    header: bool,
    tabs: &mut Tabs,
) -> Result<String, Problem> {
    let mut rows = Vec::new();
    if header {
        rows.push(columns.iter().map(|(header, _)| header.clone()).collect());
    }
    for object in objects {
        let cells = columns.iter().map(|(_, template)| {
            let found = template.find(object).map_err(|why| Problem::said(why.to_string()))?;
            let shown: Vec<_> = found.into_iter().map(column).collect();
            Ok(if shown.is_empty() { "<none>".to_owned() } else { shown.join(",") })
        });
        rows.push(cells.collect::<Result<Vec<String>, Problem>>()?);
    }
    Ok(tabs.lay(&rows))
}

/// A value in a custom column, as Go's `%v` shows it.
fn column(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Array(items) => {
            let shown: Vec<_> = items.iter().map(column).collect();
            format!("[{}]", shown.join(" "))
        }
        Value::Object(members) => {
            let mut shown: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{}", column(value))).collect();
            shown.sort();
            printable(&format!("map[{}]", shown.join(" ")))
        }
        other => printable(&jsonpath::shown(other)).replace('\n', "\\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_wrongly_is_refused() {
        for (asked, expected) in [
            (
                "nope",
                "unable to match a printer suitable for the output format \"nope\", allowed formats are: \
                 custom-columns,json,jsonpath,name,wide,yaml",
            ),
            ("jsonpath", "template format specified but no template given"),
            ("jsonpath={.a", "error parsing jsonpath {.a, unclosed action"),
            ("custom-columns=N", "unexpected custom-columns spec: N, expected <header>:<json-path-expr>"),
            ("custom-columns=", "custom-columns format specified but no custom columns given"),
        ] {
            assert_eq!(Format::parse(Some(asked)), Err(Problem::said(expected)), "{asked}");
        }
        assert_eq!(Format::parse(Some("")), Ok(Format::Human { wide: false }));
    }

    #[test]
    fn custom_columns() {
        let Ok(Format::Columns(columns)) =
            Format::parse(Some("custom-columns=N:.metadata.name,X:spec.c[*].n,Y:{.nope}"))
        else {
            panic!("columns")
        };
        let object =
            json!({ "metadata": { "name": "a" }, "spec": { "c": [{ "n": "one" }, { "n": { "b": 1, "a": [1] } }] } });
        let text = table(&columns, &[&object], true, &mut Tabs::default()).unwrap();
        assert_eq!(text, "N     X                    Y\na     one,map[a:[1] b:1]   <none>\n");
    }
}
