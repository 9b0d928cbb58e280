//! The status of a definition: which names it got, and whether it is served.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cluster::object::{Map, at, list, text};

/// Names that other definitions of a group have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Taken {
    /// The accepted names of the definitions of a group, the one called `except` left out.
    pub fn in_group<'a>(group: &str, except: &str, definitions: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut taken = Self::default();
        for definition in definitions {
            if text(definition, &["spec", "group"]) != group || text(definition, &["metadata", "name"]) == except {
                continue;
            }
            let accepted = at(definition, &["status", "acceptedNames"]).unwrap_or(&Value::Null);
            taken.resources.extend(["plural", "singular"].map(|name| text(accepted, &[name]).to_owned()));
            let short = list(accepted, &["shortNames"]).iter().filter_map(Value::as_str);
            taken.resources.extend(short.map(str::to_owned));
            taken.kinds.extend(["kind", "listKind"].map(|name| text(accepted, &[name]).to_owned()));
        }
        taken
    }
}

/// The status that a definition gets at a time, given the names that are taken: accepted names, and the conditions
/// `NamesAccepted` and `Established`.
pub fn established_status(definition: &Value, now: &str, taken: &Taken) -> Value {
    let wanted = at(definition, &["spec", "names"]).unwrap_or(&Value::Null);
    let before = at(definition, &["status", "acceptedNames"]).unwrap_or(&Value::Null);
    let (accepted, conflict) = accept(wanted, before, taken);
    let mut conditions = list(definition, &["status", "conditions"]).to_vec();
    let was_established = conditions.iter().any(|one| text(one, &["type"]) == "Established" && is_true(one));
    let names_accepted = match &conflict {
        Some((reason, message)) => ("False", *reason, message.as_str()),
        None => ("True", "NoConflicts", "no conflicts found"),
    };
    set_condition(&mut conditions, "NamesAccepted", names_accepted, now);
    // once established it stays so
    if !was_established {
        let established = match conflict {
            Some(_) => ("False", "NotAccepted", "not all names are accepted"),
            None => ("True", "InitialNamesAccepted", "the initial names have been accepted"),
        };
        set_condition(&mut conditions, "Established", established, now);
    }
    let stored = at(definition, &["status", "storedVersions"]).cloned().unwrap_or(json!([]));
    json!({"conditions": conditions, "acceptedNames": accepted, "storedVersions": stored})
}

fn is_true(condition: &Value) -> bool {
    text(condition, &["status"]) == "True"
}

/// The names that a definition gets, and the last conflict: reason and message.
fn accept(wanted: &Value, before: &Value, taken: &Taken) -> (Map, Option<(&'static str, String)>) {
    let mut names = Map::new();
    let mut conflict = None;
    let singles = [
        ("plural", "PluralConflict", &taken.resources),
        ("singular", "SingularConflict", &taken.resources),
        ("shortNames", "ShortNamesConflict", &taken.resources),
        ("kind", "KindConflict", &taken.kinds),
        ("listKind", "ListKindConflict", &taken.kinds),
    ];
    for (member, reason, taken) in singles {
        let mut value = wanted.get(member);
        let asked: Vec<_> = match value {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            other => vec![other.and_then(Value::as_str).unwrap_or_default()],
        };
        let owned: Vec<_> = match before.get(member) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            other => vec![other.and_then(Value::as_str).unwrap_or_default()],
        };
        let in_use: Vec<_> = asked.into_iter().filter(|name| !owned.contains(name) && taken.contains(*name)).collect();
        if !in_use.is_empty() {
            let texts: Vec<_> = in_use.iter().map(|name| format!("\"{name}\" is already in use")).collect();
            let message = match texts.as_slice() {
                [one] => one.clone(),
                several => format!("[{}]", several.join(", ")),
            };
            conflict = Some((reason, message));
            value = before.get(member);
        }
        let needed = matches!(member, "plural" | "kind");
        match value {
            Some(value) => drop(names.insert(member.to_owned(), value.clone())),
            None if needed => drop(names.insert(member.to_owned(), "".into())),
            None => {}
        }
    }
    if let Some(categories) = wanted.get("categories") {
        names.insert("categories".to_owned(), categories.clone());
    }
    (names, conflict)
}

/// Sets a condition; its time changes only with its status.
fn set_condition(conditions: &mut Vec<Value>, kind: &str, (status, reason, message): (&str, &str, &str), now: &str) {
    let known = conditions.iter().position(|condition| text(condition, &["type"]) == kind);
    let known = known.and_then(|place| conditions.get_mut(place));
    let since = match &known {
        Some(known) if text(known, &["status"]) == status => text(known, &["lastTransitionTime"]).to_owned(),
        _ => now.to_owned(),
    };
    let condition = json!({
        "type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message
    });
    match known {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-01T00:00:00Z";

    fn widgets() -> Value {
        json!({
            "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget",
                "listKind": "WidgetList", "shortNames": ["wd"], "categories": ["all"]}},
            "status": {"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]}
        })
    }

    #[test]
    fn a_free_name_is_established() {
        let status = established_status(&widgets(), NOW, &Taken::default());
        assert_eq!(
            status,
            json!({
                "conditions": [
                    {"type": "NamesAccepted", "status": "True", "lastTransitionTime": NOW, "reason": "NoConflicts",
                     "message": "no conflicts found"},
                    {"type": "Established", "status": "True", "lastTransitionTime": NOW,
                     "reason": "InitialNamesAccepted", "message": "the initial names have been accepted"},
                ],
                "acceptedNames": {"plural": "widgets", "singular": "widget", "shortNames": ["wd"], "kind": "Widget",
                    "listKind": "WidgetList", "categories": ["all"]},
                "storedVersions": ["v1"]
            })
        );
        let mut settled = widgets();
        settled["status"] = status.clone();
        let others = [settled.clone()];
        let taken = Taken::in_group("example.com", "widgets.example.com", &others);
        assert_eq!(taken, Taken::default());
        assert_eq!(established_status(&settled, "2027-01-01T00:00:00Z", &taken), status, "nothing changes");
    }

    #[test]
    fn a_taken_name_is_not() {
        let mut first = widgets();
        first["status"] = established_status(&first, NOW, &Taken::default());
        let mut second = widgets();
        second["metadata"]["name"] = "widgets2.example.com".into();
        second["spec"]["names"]["plural"] = "widgets2".into();
        let taken = Taken::in_group("example.com", "widgets2.example.com", [&first, &second]);
        let status = established_status(&second, NOW, &taken);
        let conditions: Vec<_> = list(&status, &["conditions"])
            .iter()
            .map(|one| ["type", "status", "reason", "message"].map(|member| text(one, &[member])).join(" "))
            .collect();
        assert_eq!(
            conditions,
            [
                "NamesAccepted False ListKindConflict \"WidgetList\" is already in use",
                "Established False NotAccepted not all names are accepted"
            ]
        );
        assert_eq!(status["acceptedNames"], json!({"plural": "widgets2", "kind": "", "categories": ["all"]}));
        assert_eq!(Taken::in_group("other.com", "", [&first]), Taken::default());
    }
}
