//! Files of one volume that would lie over each other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::read::Read;

/// Warns of paths in one volume that are the same, or one the start of another.
pub(super) fn warnings(volumes: &[Value], warnings: &mut Vec<String>) {
    for volume in volumes {
        let name = volume.text("name");
        for (member, kind, map) in [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")] {
            if let Some(source) = volume.part(member) {
                let what = format!("volume \"{name}\" ({kind} \"{}\")", source.text(map));
                check(paths(source), &what, warnings);
            }
        }
        if let Some(source) = volume.part("downwardAPI") {
            check(paths(source), &format!("volume \"{name}\" (DownwardAPI)"), warnings);
        }
        if let Some(source) = volume.part("projected") {
            projected(name, source, warnings);
        }
    }
}

fn paths(source: &Value) -> impl Iterator<Item = &str> {
    source.items("items").iter().map(|item| item.text("path"))
}

fn projected(name: &str, volume: &Value, warnings: &mut Vec<String>) {
    let mut all = BTreeSet::new();
    for source in volume.items("sources") {
        let part = |kind: &str| source.part(kind).filter(|source| !source.items("items").is_empty());
        let quoted = |kind: &str, source: &Value| format!("{kind} \"{}\"", source.text("name"));
        let (what, own): (String, Vec<&str>) = if let Some(map) = part("configMap") {
            (quoted("ConfigMap", map), paths(map).collect())
        } else if let Some(secret) = part("secret") {
            (quoted("Secret", secret), paths(secret).collect())
        } else if let Some(fields) = part("downwardAPI") {
            ("DownwardAPI".to_owned(), paths(fields).collect())
        } else if let Some(token) = source.part("serviceAccountToken") {
            ("ServiceAccountToken".to_owned(), vec![token.text("path")])
        } else if source.as_object().is_none_or(|source| source.values().all(Value::is_null)) {
            warnings.push(format!("volume \"{name}\" (Projected) has no sources provided"));
            continue;
        } else {
            continue;
        };
        let what = format!("volume \"{name}\" (Projected {what})");
        check(own.iter().copied(), &what, warnings);
        let own: BTreeSet<_> = own.into_iter().collect();
        let mut together: Vec<_> = own.iter().chain(&all).copied().collect();
        together.sort_unstable();
        check(together.into_iter(), &what, warnings);
        all.extend(own);
    }
}

fn check<'a>(paths: impl Iterator<Item = &'a str>, what: &str, warnings: &mut Vec<String>) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for path in paths.map(|path| path.trim_end_matches('/')) {
        let starts = |a: &str, b: &str| format!("{a}/").starts_with(b);
        let clash = seen.iter().find(|other| starts(other, path) || starts(path, other));
        if let Some(other) = clash.filter(|_| !path.is_empty() && !seen.contains("")) {
            warnings.push(format!("{what}: overlapping paths: \"{path}\" with \"{other}\""));
        }
        seen.insert(path);
    }
}
