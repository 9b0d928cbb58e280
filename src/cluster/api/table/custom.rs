//! Columns and cells of custom resources, as their definitions ask for them.

use jiff::Timestamp;
use serde_json::Value;

use super::{Cell, Column, name, printed};
use crate::cluster::api::jsonpath::JsonPath;
use crate::cluster::object::{int, text};

/// The columns of a version of a custom resource: the name, and what `additionalPrinterColumns` adds.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomColumns {
    columns: Vec<Column>,
    paths: Vec<JsonPath>,
}

impl CustomColumns {
    /// The columns of a definition's `additionalPrinterColumns`; the age when there are none.
    ///
    /// A path that cannot be read ends them, as it does in Kubernetes.
    pub fn of(additional: &[Value]) -> Self {
        let age = [serde_json::json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp",
            "description": "The time since the object was made."})];
        let additional = if additional.is_empty() { &age } else { additional };
        let mut made = Self { columns: vec![Column::name()], paths: Vec::new() };
        for column in additional {
            let Ok(path) = JsonPath::parse(text(column, &["jsonPath"])) else { break };
            made.paths.push(path);
            made.columns.push(column_of(column));
        }
        made
    }

    /// The columns, for [`super::definitions`].
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The cells of an object.
    pub fn cells(&self, object: &Value) -> Box<[Cell]> {
        let additional = self.columns.iter().skip(1).zip(&self.paths);
        let additional = additional.map(|(column, path)| match path.first(object) {
            Some(value) => cell(&column.kind, value),
            None => Cell::Ready(Value::Null),
        });
        std::iter::once(name(object)).chain(additional).collect()
    }
}

fn column_of(column: &Value) -> Column {
    let description = match text(column, &["description"]) {
        "" => {
            format!("Custom resource definition column (in JSONPath format): {}", text(column, &["jsonPath"]))
        }
        description => description.to_owned(),
    };
    Column {
        name: text(column, &["name"]).into(),
        kind: text(column, &["type"]).into(),
        format: text(column, &["format"]).into(),
        description: description.into(),
        priority: int(column, &["priority"]).unwrap_or(0),
    }
}

/// A value in a column of a type; nothing when it does not fit.
fn cell(kind: &str, value: &Value) -> Cell {
    let fitting = match (kind, value) {
        ("string", _) => return printed(value).into(),
        ("date", Value::String(time)) => {
            return time.parse::<Timestamp>().map_or("<invalid>".into(), |time| Cell::Age(Some(time)));
        }
        ("integer", Value::Number(number)) => {
            // a fraction is cut off, as in Kubernetes
            let whole = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64));
            whole.map(Value::from)
        }
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => Some(value.clone()),
        _ => None,
    };
    Cell::Ready(fitting.unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::api::table::{definitions, show};
    use serde_json::json;

    #[test]
    fn every_type_of_column() {
        let columns = CustomColumns::of(&[
            json!({"name": "S", "type": "string", "jsonPath": ".spec.s", "priority": 1}),
            json!({"name": "N", "type": "string", "jsonPath": ".spec.n"}),
            json!({"name": "L", "type": "string", "jsonPath": ".spec.l"}),
            json!({"name": "I", "type": "integer", "jsonPath": ".spec.n", "format": "int32"}),
            json!({"name": "IS", "type": "integer", "jsonPath": ".spec.s"}),
            json!({"name": "F", "type": "number", "jsonPath": ".spec.n"}),
            json!({"name": "B", "type": "boolean", "jsonPath": ".spec.b"}),
            json!({"name": "D", "type": "date", "jsonPath": ".metadata.creationTimestamp"}),
            json!({"name": "X", "type": "date", "jsonPath": ".spec.s"}),
            json!({"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}),
            json!({"name": "Gone", "type": "string", "jsonPath": ".status.nothing"}),
            json!({"name": "Null", "type": "string", "jsonPath": ".spec.null"}),
        ]);
        let object = json!({
            "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"s": "text", "n": 2.5, "b": true, "l": ["a", 1], "null": null},
            "status": {"conditions": [{"type": "Other", "status": "x"}, {"type": "Ready", "status": "True"}]}
        });
        let now = "2026-01-01T00:03:07Z".parse().unwrap();
        let row: Vec<_> = columns.cells(&object).iter().map(|cell| show(cell, now)).collect();
        assert_eq!(
            json!(row),
            json!([
                "a",
                "text",
                "2.5",
                "[\"a\",1]",
                2,
                null,
                2.5,
                true,
                "3m7s",
                "<invalid>",
                "True",
                null,
                "<no value>"
            ])
        );
        let first = &definitions(columns.columns())[1];
        assert_eq!(
            first,
            &json!({"name": "S", "type": "string", "format": "", "priority": 1,
                "description": "Custom resource definition column (in JSONPath format): .spec.s"})
        );
    }

    #[test]
    fn without_columns_there_is_the_age() {
        let columns = CustomColumns::of(&[]);
        let names: Vec<_> = columns.columns().iter().map(|column| &*column.name).collect();
        assert_eq!(names, ["Name", "Age"]);
        let cells = columns.cells(&json!({"metadata": {"name": "a"}}));
        assert_eq!(*cells, [Cell::from("a"), Cell::Ready(Value::Null)]);
    }

    #[test]
    fn a_broken_path_ends_the_columns() {
        let columns = CustomColumns::of(&[
            json!({"name": "A", "type": "string", "jsonPath": ".a"}),
            json!({"name": "B", "type": "string", "jsonPath": ".b["}),
            json!({"name": "C", "type": "string", "jsonPath": ".c"}),
        ]);
        assert_eq!(columns.cells(&json!({"a": "1", "c": "3"})).len(), 2);
    }
}
