//! Whole rows of every kind.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Cell, cells, columns, show};

mod others;
mod running;

const NOW: &str = "2026-01-01T01:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// The row of an object that was made five minutes ago.
fn row(group: &str, kind: &str, mut object: Value) -> Value {
    object["metadata"]["name"] = "a".into();
    object["metadata"]["creationTimestamp"] = "2026-01-01T00:55:00Z".into();
    let row: Vec<_> = cells(group, kind, &object).iter().map(|cell| show(cell, now())).collect();
    row.into()
}

fn check(group: &str, cases: &[(&str, Value, Value)]) {
    for (kind, object, expected) in cases {
        assert_eq!(row(group, kind, object.clone()), *expected, "{kind} {object}");
    }
}

#[test]
fn an_age_without_a_time_is_unknown() {
    assert_eq!(show(&Cell::Age(None), now()), "<unknown>");
    let row = cells("", "ServiceAccount", &json!({"metadata": {"name": "a", "creationTimestamp": null}}));
    assert_eq!(show(&row[1], now()), "<unknown>");
    let zero = cells("", "ServiceAccount", &json!({"metadata": {"creationTimestamp": "0001-01-01T00:00:00Z"}}));
    assert_eq!(zero[1], Cell::Age(None));
}

/// Resource and kind of everything in discovery, as `apps/v1/deployments` and `apps`, `Deployment`.
fn kinds() -> Vec<(String, String, String)> {
    let discovery: Value = serde_json::from_str(include_str!("../../data/discovery.json")).unwrap();
    let mut found = Vec::new();
    collect(&discovery, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<(String, String, String)>) {
    match value {
        Value::Object(members) => {
            if let (Some(versions), group) =
                (members.get("versions").and_then(Value::as_array), value.pointer("/metadata/name"))
            {
                let group = group.and_then(Value::as_str).unwrap_or("");
                for version in versions {
                    for resource in version["resources"].as_array().into_iter().flatten() {
                        let prefix = if group.is_empty() { "core" } else { group };
                        let key = format!(
                            "{prefix}/{}/{}",
                            version["version"].as_str().unwrap(),
                            resource["resource"].as_str().unwrap()
                        );
                        found.push((
                            key,
                            group.to_owned(),
                            resource["responseKind"]["kind"].as_str().unwrap().to_owned(),
                        ));
                    }
                }
            }
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[test]
fn every_kind_has_as_many_cells_as_columns() {
    let mut checked = 0;
    for (resource, group, kind) in kinds() {
        let Some(columns) = columns(&resource) else { continue };
        assert_eq!(cells(&group, &kind, &json!({})).len(), columns.len(), "{resource}");
        checked += 1;
    }
    assert!(checked > 55, "only {checked} kinds were found in discovery");
}

/// Any JSON, with names that the tables look for.
fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[A-Za-z0-9:.Z-]{0,12}".prop_map(Value::from),
        Just(Value::from(NOW)),
    ];
    let names = prop::sample::select(vec![
        "metadata",
        "spec",
        "status",
        "conditions",
        "type",
        "containerStatuses",
        "initContainerStatuses",
        "state",
        "lastState",
        "terminated",
        "finishedAt",
        "restartCount",
        "containers",
        "ports",
        "subsets",
        "addresses",
        "metrics",
        "rules",
        "hard",
        "template",
        "selector",
        "matchExpressions",
        "deletionTimestamp",
        "creationTimestamp",
        "completions",
        "startTime",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_object_makes_a_panic(object in any_object()) {
        for (_, group, kind) in kinds() {
            for cell in &cells(&group, &kind, &object) {
                show(cell, now());
            }
        }
    }
}
