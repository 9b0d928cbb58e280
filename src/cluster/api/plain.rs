//! Paths that are about the server: the list of all paths, health.

use super::query::Query;
use super::resource::{Registry, api_version};

/// What is looked at to say that the server is well.
const CHECKS: [&str; 3] = ["ping", "log", "etcd"];

/// Every path that can be asked for, sorted.
pub fn index(registry: &Registry) -> Vec<String> {
    let fixed = ["/api", "/apis", "/apis/", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version"];
    let mut paths: Vec<String> = fixed.map(str::to_owned).to_vec();
    for group in registry.groups() {
        let versions = group.versions.iter().map(|(version, _)| api_version(&group.name, version));
        if group.name.is_empty() {
            paths.extend(versions.map(|version| format!("/api/{version}")));
        } else {
            paths.push(format!("/apis/{}", group.name));
            paths.extend(versions.map(|version| format!("/apis/{version}")));
        }
    }
    for root in ["healthz", "livez", "readyz"] {
        paths.push(format!("/{root}"));
        paths.extend(CHECKS.iter().map(|check| format!("/{root}/{check}")));
    }
    paths.sort();
    paths
}

/// What `/healthz`, `/livez`, `/readyz` and the checks below them say; `None` for a path that is none of them.
pub fn health(path: &str, query: &Query) -> Option<String> {
    let rest = path.strip_prefix('/')?;
    let (root, check) = rest.split_once('/').map_or((rest, None), |(root, check)| (root, Some(check)));
    if !matches!(root, "healthz" | "livez" | "readyz") {
        return None;
    }
    if let Some(check) = check {
        return CHECKS.contains(&check).then(|| "ok".to_owned());
    }
    if !query.has("verbose") {
        return Some("ok".to_owned());
    }
    let excluded = query.all("exclude");
    let is_excluded = |check: &str| excluded.iter().any(|other| other == check);
    let mut text = String::new();
    for check in CHECKS {
        let word = if is_excluded(check) { "excluded: ok" } else { "ok" };
        text.push_str(&format!("[+]{check} {word}\n"));
    }
    let mut unknown: Vec<_> = excluded.iter().filter(|name| !CHECKS.contains(&name.as_str())).collect();
    unknown.sort();
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(|name| format!("{name:?}")).collect();
        text.push_str(&format!("warn: some health checks cannot be excluded: no matches for {}\n", names.join(",")));
    }
    text.push_str(&format!("{root} check passed\n"));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_in_one_word_and_in_many() {
        let health = |path: &str, query: &str| health(path, &Query::parse(query));
        assert_eq!(health("/livez", "").as_deref(), Some("ok"));
        assert_eq!(health("/readyz/etcd", "").as_deref(), Some("ok"));
        let verbose = "[+]ping ok\n[+]log excluded: ok\n[+]etcd ok\nwarn: some health checks cannot be excluded: no matches \
                       for \"x\"\nhealthz check passed\n";
        assert_eq!(health("/healthz", "verbose&exclude=log&exclude=x").as_deref(), Some(verbose));
        for path in ["/healthz/", "/livez/nope", "/healthy", "/"] {
            assert_eq!(health(path, ""), None, "{path}");
        }
    }

    #[test]
    fn the_index_names_groups_and_versions() {
        let paths = index(Registry::built_in());
        for path in ["/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/livez/ping"] {
            assert!(paths.iter().any(|there| there == path), "{path}");
        }
        assert!(paths.is_sorted());
    }
}
