//! `describe`: an object with all it holds, and what happened to it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::events;
use super::flags::Arguments;
use super::problem::Problem;
use super::resources::Resource;
use super::select::{self, Found, Narrow, Target};
use super::session::Session;
use super::table::{elastic, printable};
use crate::cluster::{gojson, object};

/// Runs `describe`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    if arguments.words.is_empty() && arguments.text("filename").is_none() {
        return Err(Problem::said(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of \
             supported resources.\n",
        ));
    }
    let Found { targets, mut problems, listed } = select::targets(session, arguments, &arguments.words, true).await?;
    let events = arguments.not_off("show-events");
    let mut described = Vec::new();
    for target in targets {
        match select::fetched(session, &target).await {
            Ok(object) => described.push((target.resource, object)),
            Err(problem) if problem.is_not_found() && target.source.is_none() => {
                // A name may be the beginning of several, as of a deployment's pods.
                match beginning(session, &target).await {
                    Ok(found) if !found.is_empty() => {
                        described.extend(found.into_iter().map(|object| (target.resource.clone(), object)));
                    }
                    _ => problems.push(problem),
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if described.is_empty() && problems.is_empty() && listed {
        let namespaced = !arguments.on("all-namespaces");
        let place = if namespaced { format!(" in {} namespace.", session.namespace) } else { String::new() };
        session.tell(&format!("No resources found{place}"));
    }
    for (index, (resource, object)) in described.iter().enumerate() {
        let mut text = elastic(&describe(resource, object));
        if events {
            text += &happened(session, object).await;
        }
        let gap = if index > 0 { "\n\n" } else { "" };
        session.print(&format!("{gap}{text}"))?;
    }
    Problem::gathered(problems)
}

/// The objects whose names begin so.
async fn beginning(session: &mut Session<'_>, target: &Target) -> Result<Vec<Value>, Problem> {
    let all = select::objects(session, &target.resource, &target.namespace, &Narrow::default()).await?;
    let named = |object: &Value| object::text(object, &["metadata", "name"]).starts_with(&target.name);
    Ok(all.into_iter().filter(named).collect())
}

/// The events about an object.
async fn happened(session: &mut Session<'_>, about: &Value) -> String {
    match events::about(session, about).await {
        Ok(events) if !events.is_empty() => elastic(&events_text(&events, Timestamp::now())),
        Ok(_) => "Events:  <none>\n".to_owned(),
        Err(problem) => format!("Events:  cannot be read: {}\n", problem.message()),
    }
}

fn events_text(events: &[Value], now: Timestamp) -> String {
    let mut text = "Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n".to_owned();
    for event in events {
        let cell = |path: &[&str]| printable(object::text(event, path)).replace('\n', " ");
        let from = events::source(event);
        let age = events::age(event, now);
        let message = cell(&["message"]);
        let _ = writeln!(text, "  {}\t{}\t{age}\t{from}\t{}", cell(&["type"]), cell(&["reason"]), message.trim());
    }
    text
}

/// An object's text with tabs.
fn describe(resource: &Resource, value: &Value) -> String {
    let mut out = String::new();
    let text = |path: &[&str]| printable(object::text(value, path));
    let _ = writeln!(out, "Name:\t{}\nNamespace:\t{}", text(&["metadata", "name"]), text(&["metadata", "namespace"]));
    pairs(&mut out, "Labels", value, "labels", "=");
    pairs(&mut out, "Annotations", value, "annotations", ": ");
    if resource.is("", "Secret") {
        secret(&mut out, value);
        return out;
    }
    if resource.is("", "ConfigMap") {
        config_map(&mut out, value);
        return out;
    }
    if let Some(members) = value.as_object() {
        let mut rest = Value::Object(members.clone());
        for member in ["name", "namespace", "labels", "annotations", "managedFields"] {
            object::remove(&mut rest, &["metadata", member]);
        }
        content(&mut out, &rest, 0);
    }
    out
}

/// A secret's keys and sizes; what they hold is for no screen.
fn secret(out: &mut String, value: &Value) {
    let _ = writeln!(out, "\nType:\t{}\n\nData\n====", printable(object::text(value, &["type"])));
    let mut entries: Vec<_> = object::map(value, &["data"]).into_iter().flatten().collect();
    entries.sort_by_key(|(key, _)| *key);
    for (key, data) in entries {
        let bytes = data.as_str().and_then(|data| STANDARD.decode(data).ok()).map_or(0, |bytes| bytes.len());
        let _ = writeln!(out, "{}:\t{bytes} bytes", printable(key));
    }
}

/// A config map's entries, each under its key.
fn config_map(out: &mut String, value: &Value) {
    let entries = |member: &str| {
        let mut entries: Vec<_> = object::map(value, &[member]).into_iter().flatten().collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    };
    out.push_str("\nData\n====\n");
    for (key, data) in entries("data") {
        let _ = writeln!(out, "{}:\n----\n{}\n", printable(key), printable(data.as_str().unwrap_or("")));
    }
    out.push_str("\nBinaryData\n====\n");
    for (key, data) in entries("binaryData") {
        let bytes = data.as_str().and_then(|data| STANDARD.decode(data).ok()).map_or(0, |bytes| bytes.len());
        let _ = writeln!(out, "{}: {bytes} bytes", printable(key));
    }
    out.push('\n');
}

/// Labels or annotations, one on each line.
fn pairs(out: &mut String, title: &str, value: &Value, member: &str, sign: &str) {
    let mut sorted: Vec<_> = object::map(value, &["metadata", member]).into_iter().flatten().collect();
    sorted.sort_by_key(|(name, _)| *name);
    if sorted.is_empty() {
        let _ = writeln!(out, "{title}:\t<none>");
        return;
    }
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        let title = if index == 0 { format!("{title}:") } else { String::new() };
        let text = printable(value.as_str().unwrap_or(""));
        let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
        match lines.as_slice() {
            [line] => {
                let _ = writeln!(out, "{title}\t{}{sign}{line}", printable(name));
            }
            several => {
                let _ = writeln!(out, "{title}\t{}:", printable(name));
                for line in several {
                    let _ = writeln!(out, "\t  {line}");
                }
            }
        }
    }
}

/// All members, deeper ones further right.
fn content(out: &mut String, value: &Value, level: usize) {
    let indent = "  ".repeat(level);
    let mut members: Vec<_> = value.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| *name);
    for (name, value) in members {
        let label = printable(&label(name));
        match value {
            Value::Object(_) => {
                let _ = writeln!(out, "{indent}{label}:");
                content(out, value, level + 1);
            }
            Value::Array(items) => {
                let _ = writeln!(out, "{indent}{label}:");
                for item in items {
                    if item.is_object() {
                        content(out, item, level + 1);
                    } else {
                        let _ = writeln!(out, "{indent}  {}", plain(item));
                    }
                }
            }
            other => {
                let _ = writeln!(out, "{indent}{label}:\t{}", plain(other));
            }
        }
    }
}

/// A value as Go's `%v` shows it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => printable(text),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
        other => printable(&gojson::compact(other)),
    }
}

/// `creationTimestamp` as `Creation Timestamp`; names with other signs than letters stay.
fn label(name: &str) -> String {
    const ACRONYMS: [&str; 5] = ["API", "URL", "UID", "OSB", "GUID"];
    if !name.chars().all(|c| c.is_alphabetic() || c == '-') {
        return name.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    let characters: Vec<char> = name.chars().collect();
    for (index, c) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| characters.get(index));
        let after = characters.get(index + 1);
        let begins = match before {
            None => true,
            Some(before) => {
                (c.is_uppercase() && !before.is_uppercase())
                    || (c.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            }
        };
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(*c);
        }
    }
    let titled = words.iter().map(|word| {
        let upper = word.to_uppercase();
        if ACRONYMS.contains(&upper.as_str()) {
            return upper;
        }
        let mut rest = word.chars();
        rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
    });
    titled.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resource(kind: &str) -> Resource {
        Resource {
            group: String::new(),
            version: "v1".to_owned(),
            plural: String::new(),
            singular: String::new(),
            kind: kind.to_owned(),
            namespaced: true,
            verbs: Vec::new(),
            short_names: Vec::new(),
            categories: Vec::new(),
            subresources: Vec::new(),
        }
    }

    #[test]
    fn objects_are_described_as_kubectl_does() {
        let value = json!({
            "apiVersion": "x.io/v1", "kind": "Thing",
            "metadata": {
                "name": "w1", "labels": { "b": "2", "a": "1" }, "annotations": { "note": "multi\nline", "k": "v" },
                "creationTimestamp": "2026-11-25T14:53:16Z", "uid": "u", "managedFields": [{}],
            },
            "spec": {
                "url": "git", "intervalSeconds": 5, "items": ["a", "b"], "empty": {}, "b": true, "nul": null,
                "list": [{ "name": "one", "ports": [80] }, { "name": "two" }],
                "matchLabels": { "app.kubernetes.io/name": "x" }, "nested": [["a", "b"]],
            },
        });
        let expected = "\
Name:         w1
Namespace:    
Labels:       a=1
              b=2
Annotations:  k: v
              note:
                multi
                line
API Version:  x.io/v1
Kind:         Thing
Metadata:
  Creation Timestamp:  2026-11-25T14:53:16Z
  UID:                 u
Spec:
  B:  true
  Empty:
  Interval Seconds:  5
  Items:
    a
    b
  List:
    Name:  one
    Ports:
      80
    Name:  two
  Match Labels:
    app.kubernetes.io/name:  x
  Nested:
    [a b]
  Nul:  <nil>
  URL:  git
";
        assert_eq!(elastic(&describe(&resource("Thing"), &value)), expected);
    }

    #[test]
    fn what_a_secret_holds_is_not_shown() {
        let value = json!({
            "metadata": { "name": "s", "namespace": "demo" }, "type": "Opaque",
            "data": { "b": "aHVudGVyMg==", "a": "" },
        });
        let text = elastic(&describe(&resource("Secret"), &value));
        assert!(text.ends_with("\nType:  Opaque\n\nData\n====\na:  0 bytes\nb:  7 bytes\n"), "{text}");
    }

    #[test]
    fn names_become_titles() {
        for (name, expected) in [
            ("creationTimestamp", "Creation Timestamp"),
            ("apiVersion", "API Version"),
            ("uid", "UID"),
            ("podIPs", "Pod I Ps"),
            ("hostIP", "Host IP"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
            ("f5", "f5"),
            ("", ""),
        ] {
            assert_eq!(label(name), expected);
        }
    }
}
