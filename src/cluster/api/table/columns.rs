//! The columns of the built-in kinds, as data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub name: Box<str>,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: Box<str>,
    /// `name` for the one that names the object, or empty.
    pub format: Box<str>,
    /// What it shows.
    pub description: Box<str>,
    /// 0 is always shown, more only with `-o wide`.
    pub priority: i64,
}

impl Column {
    /// The column every table begins with.
    pub(super) fn name() -> Self {
        Self::described("Name", "string", "name", 0)
    }

    fn described(name: &str, kind: &str, format: &str, priority: i64) -> Self {
        let description = DESCRIPTIONS.get(name).copied().unwrap_or_default();
        let [name, kind, format, description] = [name, kind, format, description].map(Into::into);
        Self { name, kind, format, description, priority }
    }
}

/// Name, type, format and priority, as in the file.
#[derive(Deserialize)]
struct Raw<'a>(&'a str, &'a str, &'a str, i64);

static DESCRIPTIONS: LazyLock<BTreeMap<&str, &str>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/column-descriptions.json")).unwrap_or_default());

static COLUMNS: LazyLock<BTreeMap<&str, Vec<Column>>> = LazyLock::new(|| {
    let raw: BTreeMap<&str, Vec<Raw<'_>>> =
        serde_json::from_str(include_str!("../data/columns.json")).unwrap_or_default();
    let column = |Raw(name, kind, format, priority): &Raw<'_>| Column::described(name, kind, format, *priority);
    raw.into_iter().map(|(resource, columns)| (resource, columns.iter().map(column).collect())).collect()
});

/// The columns of a built-in resource: `apps/v1/deployments`, `core/v1/pods`, or `autoscaling/v1/scale` for the
/// subresource.
pub fn columns(resource_key: &str) -> Option<&'static [Column]> {
    COLUMNS.get(resource_key).map(Vec::as_slice)
}

/// The `columnDefinitions` of a Table.
pub fn definitions(columns: &[Column]) -> Value {
    let definition = |column: &Column| {
        json!({
            "name": &*column.name,
            "type": &*column.kind,
            "format": &*column.format,
            "description": &*column.description,
            "priority": column.priority,
        })
    };
    columns.iter().map(definition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_whole() {
        assert_eq!(COLUMNS.len(), 62);
        for (resource, columns) in COLUMNS.iter() {
            for column in columns {
                assert!(DESCRIPTIONS.contains_key(&*column.name), "{resource}: {} has no description", column.name);
                let kinds = ["string", "integer", "boolean", "date"];
                assert!(kinds.contains(&&*column.kind), "{resource}: {column:?}");
            }
        }
    }

    #[test]
    fn definitions_of_leases() {
        let columns = columns("coordination.k8s.io/v1/leases").unwrap();
        assert_eq!(
            definitions(columns),
            json!([
                {"name": "Name", "type": "string", "format": "name", "priority": 0,
                 "description": "The object's name, unique among its kind in its namespace."},
                {"name": "Holder", "type": "string", "format": "", "priority": 0,
                 "description": "Who holds the lease."},
                {"name": "Age", "type": "string", "format": "", "priority": 0,
                 "description": "The time since the object was made."},
            ])
        );
    }
}
