//! Discovery: which groups, versions and resources there are, in the aggregated and in the legacy form.

use serde_json::{Value, json};

use super::resource::{Registry, Resource, api_version};

/// The media type of aggregated discovery.
pub const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// `/api` or `/apis` in the aggregated form.
pub fn aggregated(registry: &Registry, core: bool) -> Value {
    let groups = registry.groups().iter().filter(|group| group.name.is_empty() == core);
    let items: Vec<Value> = groups
        .map(|group| {
            let versions: Vec<Value> = group
                .versions
                .iter()
                .map(|(version, resources)| {
                    let resources: Vec<Value> =
                        resources.iter().map(|resource| aggregated_resource(resource)).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if core { json!({}) } else { json!({"name": group.name}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_resource(resource: &Resource) -> Value {
    // Built-in resources leave group and version empty, as the real server does; custom ones name them.
    let (group, version) =
        if resource.custom.is_some() { (resource.group.as_str(), resource.version.as_str()) } else { ("", "") };
    let mut described = json!({
        "resource": resource.plural,
        "responseKind": {"group": group, "version": version, "kind": resource.kind.kind},
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    });
    let lists = [("shortNames", &resource.short_names), ("categories", &resource.categories)];
    for (member, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
        described[member] = json!(values);
    }
    if !resource.subresources.is_empty() {
        described["subresources"] = json!(resource.subresources);
    }
    described
}

/// `/api` in the legacy form. `address` is what clients reach the server by.
pub fn core_versions(address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    })
}

/// `/apis` in the legacy form.
pub fn group_list(registry: &Registry) -> Value {
    let groups: Vec<Value> = registry.groups().iter().filter(|group| !group.name.is_empty()).map(group_entry).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`
pub fn group(registry: &Registry, name: &str) -> Option<Value> {
    let mut entry = group_entry(registry.group(name)?);
    let members = entry.as_object_mut()?;
    members.shift_insert(0, "kind".to_owned(), "APIGroup".into());
    members.shift_insert(1, "apiVersion".to_owned(), "v1".into());
    Some(entry)
}

fn group_entry(group: &super::resource::Group) -> Value {
    let version = |name: &str| json!({"groupVersion": api_version(&group.name, name), "version": name});
    let versions: Vec<Value> = group.versions.iter().map(|(name, _)| version(name)).collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    json!({"name": group.name, "versions": versions, "preferredVersion": preferred})
}

/// `/api/v1` or `/apis/{group}/{version}`: the resources.
pub fn resource_list(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let mut entries = Vec::new();
    for resource in registry.version(group, version)? {
        let mut entry = json!({
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind.kind,
            "verbs": resource.verbs,
        });
        let lists = [("shortNames", &resource.short_names), ("categories", &resource.categories)];
        for (member, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            entry[member] = json!(values);
        }
        entries.push(entry);
        for sub in &resource.subresources {
            let mut entry = json!({
                "name": format!("{}/{}", resource.plural, sub.subresource),
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": sub.response_kind.kind,
                "verbs": sub.verbs,
            });
            let elsewhere = (!sub.response_kind.version.is_empty())
                && (sub.response_kind.group != group || sub.response_kind.version != version);
            if elsewhere {
                entry["group"] = json!(sub.response_kind.group);
                entry["version"] = json!(sub.response_kind.version);
            }
            entries.push(entry);
        }
    }
    entries.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    Some(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version(group, version),
        "resources": entries,
    }))
}

/// `/version`
pub fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": "v1.36.2",
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2026-06-01T00:00:00Z",
        "goVersion": "go1.25.0",
        "compiler": "gc",
        "platform": concat!("linux", "/", "amd64"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aggregated_form_is_the_recorded_one() {
        let recorded: Value = serde_json::from_str(include_str!("data/discovery.json")).unwrap();
        let mut ours = aggregated(Registry::built_in(), true);
        for version in ours["items"][0]["versions"].as_array_mut().unwrap() {
            version.as_object_mut().unwrap().shift_remove("freshness");
        }
        assert_eq!(ours, recorded["/api"]);
    }

    #[test]
    fn legacy_lists_name_subresources() {
        let list = resource_list(Registry::built_in(), "apps", "v1").unwrap();
        let scale = list["resources"].as_array().unwrap().iter().find(|entry| entry["name"] == "deployments/scale");
        assert_eq!(scale.map(|entry| entry["group"].clone()), Some(json!("autoscaling")));
        assert!(resource_list(Registry::built_in(), "nope", "v1").is_none());
    }
}
