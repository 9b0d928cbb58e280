//! What kinds of objects a server has, and which one a word means.

use std::fmt::Write as _;

use serde_json::Value;

use super::problem::Problem;
use super::session::Session;
use crate::cluster::object;

/// The aggregated discovery documents, newest first.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/// A kind of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) version: String,
    /// `deployments`
    pub(super) plural: String,
    /// `deployment`
    pub(super) singular: String,
    /// `Deployment`
    pub(super) kind: String,
    pub(super) namespaced: bool,
    pub(super) verbs: Vec<String>,
    pub(super) short_names: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) subresources: Vec<String>,
}

impl Resource {
    /// `apps/v1`
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`
    pub(super) fn qualified(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// `deployment.apps`
    pub(super) fn qualified_kind(&self) -> String {
        qualified(&self.kind.to_lowercase(), &self.group)
    }

    /// `deployment.apps/web`
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}/{name}", self.qualified_kind())
    }

    /// `apps/v1, Resource=deployments`
    pub(super) fn shown(&self) -> String {
        format!("{}/{}, Resource={}", self.group, self.version, self.plural)
    }

    /// The address of all objects, of those of a namespace, or of one; empty texts leave a part out.
    pub(super) fn path(&self, namespace: &str, name: &str) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", segment(&self.version))
        } else {
            format!("/apis/{}/{}", segment(&self.group), segment(&self.version))
        };
        if self.namespaced && !namespace.is_empty() {
            let _ = write!(path, "/namespaces/{}", segment(namespace));
        }
        let _ = write!(path, "/{}", segment(&self.plural));
        if !name.is_empty() {
            let _ = write!(path, "/{}", segment(name));
        }
        path
    }

    pub(super) fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// Whether it is of a group and kind.
    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// A text as a part of a path: whatever could end it is escaped.
pub(super) fn segment(text: &str) -> String {
    escaped(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':' | b'@'))
}

/// A path with parameters; empty values are left out.
pub(super) fn query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(if out.contains('?') { '&' } else { '?' });
        let value = escaped(value, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'));
        let _ = write!(out, "{name}={value}");
    }
    out
}

fn escaped(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// All kinds of objects of a server, in its order of preference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Resources {
    pub(super) all: Vec<Resource>,
}

impl Resources {
    /// Asks the server.
    pub(super) async fn ask(session: &mut Session<'_>) -> Result<Self, Problem> {
        let mut all = Vec::new();
        for path in ["/api", "/apis"] {
            let document = session.get_accepting(path, AGGREGATED).await?;
            if object::text(&document, &["kind"]) != "APIGroupDiscoveryList" {
                return Err(Problem::said("the server is older than Kubernetes 1.27; use the real kubectl"));
            }
            all.extend(object::list(&document, &["items"]).iter().flat_map(of_group));
        }
        Ok(Self { all })
    }

    /// What a word of the command line means: `pods`, `pod`, `po`, `deployments.apps`, `deployments.v1.apps`.
    pub(super) fn named(&self, word: &str) -> Result<&Resource, Problem> {
        let lower = word.to_lowercase();
        let (name, rest) = lower.split_once('.').unwrap_or((&lower, ""));
        let missing = || {
            Problem::said(format!(
                "the server doesn't have a resource type {:?}",
                if rest.is_empty() { &lower } else { name }
            ))
        };
        self.candidates(name, rest).ok_or_else(missing)
    }

    fn candidates(&self, name: &str, rest: &str) -> Option<&Resource> {
        let group_matches = |resource: &Resource| {
            let versioned = rest.split_once('.').unwrap_or((rest, ""));
            rest.is_empty()
                || resource.group == rest
                || (resource.version == versioned.0 && resource.group == versioned.1)
        };
        let find = |matches: &dyn Fn(&Resource) -> bool| self.all.iter().find(|r| group_matches(r) && matches(r));
        find(&|resource| resource.plural == name || resource.singular == name)
            .or_else(|| find(&|resource| resource.short_names.iter().any(|short| short == name)))
            .or_else(|| find(&|resource| resource.kind.to_lowercase() == name))
    }

    /// The resource of an object's `apiVersion` and `kind`.
    pub(super) fn of_kind(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        self.all.iter().find(|resource| resource.kind == kind && resource.api_version() == api_version)
    }

    /// The resources of a category such as `all`.
    pub(super) fn category(&self, name: &str) -> Vec<&Resource> {
        let mut found: Vec<&Resource> = Vec::new();
        for resource in self.all.iter().filter(|resource| resource.categories.iter().any(|known| known == name)) {
            // One version of each is enough: the first is the preferred one.
            if !found.iter().any(|seen| seen.group == resource.group && seen.plural == resource.plural) {
                found.push(resource);
            }
        }
        found
    }
}

fn of_group(item: &Value) -> Vec<Resource> {
    let group = object::text(item, &["metadata", "name"]);
    let mut found = Vec::new();
    for version in object::list(item, &["versions"]) {
        let name = object::text(version, &["version"]);
        for resource in object::list(version, &["resources"]) {
            found.push(of_document(resource, group, name));
        }
    }
    found
}

fn of_document(resource: &Value, group: &str, version: &str) -> Resource {
    let text = |path: &[&str]| object::text(resource, path).to_owned();
    let texts = |list: &Value, member: &str| {
        let items = object::list(list, &[member]).iter();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let kind = text(&["responseKind", "kind"]);
    let singular = text(&["singularResource"]);
    let subresources = object::list(resource, &["subresources"]).iter();
    Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: text(&["resource"]),
        singular: if singular.is_empty() { kind.to_lowercase() } else { singular },
        kind,
        namespaced: object::text(resource, &["scope"]) == "Namespaced",
        verbs: texts(resource, "verbs"),
        short_names: texts(resource, "shortNames"),
        categories: texts(resource, "categories"),
        subresources: subresources.map(|sub| object::text(sub, &["subresource"]).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, version: &str, kind: &str, shorts: &[&str], categories: &[&str]) -> Resource {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            singular: kind.to_lowercase(),
            kind: kind.to_owned(),
            namespaced: kind != "Node",
            verbs: texts(&["get", "list"]),
            short_names: texts(shorts),
            categories: texts(categories),
            subresources: Vec::new(),
        }
    }

    fn all() -> Resources {
        let all = vec![
            resource("", "v1", "Event", &["ev"], &[]),
            resource("", "v1", "Pod", &["po"], &["all"]),
            resource("", "v1", "Node", &["no"], &[]),
            resource("apps", "v1", "Deployment", &["deploy"], &["all"]),
            resource("autoscaling", "v2", "Scaler", &[], &["all"]),
            resource("autoscaling", "v1", "Scaler", &[], &["all"]),
            resource("events.k8s.io", "v1", "Event", &["ev"], &[]),
        ];
        Resources { all }
    }

    #[test]
    fn words_mean_resources() {
        let all = all();
        for (word, expected) in [
            ("pods", "/v1, Resource=pods"),
            ("Pod", "/v1, Resource=pods"),
            ("po", "/v1, Resource=pods"),
            ("ev", "/v1, Resource=events"),
            ("events.events.k8s.io", "events.k8s.io/v1, Resource=events"),
            ("deploy.apps", "apps/v1, Resource=deployments"),
            ("deployments.v1.apps", "apps/v1, Resource=deployments"),
            ("scalers.v1.autoscaling", "autoscaling/v1, Resource=scalers"),
            ("scaler", "autoscaling/v2, Resource=scalers"),
        ] {
            assert_eq!(all.named(word).map(Resource::shown).as_deref(), Ok(expected), "{word}");
        }
        let missing = |word: &str| all.named(word).unwrap_err().to_string();
        assert_eq!(missing("nope"), "error: the server doesn't have a resource type \"nope\"");
        assert_eq!(missing("widgets.example.com"), "error: the server doesn't have a resource type \"widgets\"");
        let category: Vec<_> = all.category("all").into_iter().map(Resource::qualified).collect();
        assert_eq!(category, ["pods", "deployments.apps", "scalers.autoscaling"]);
    }

    #[test]
    fn hostile_names_stay_one_part_of_the_path() {
        let all = all();
        let path = |word: &str, namespace, name| all.named(word).unwrap().path(namespace, name);
        assert_eq!(path("po", "demo", "web-1"), "/api/v1/namespaces/demo/pods/web-1");
        assert_eq!(path("po", "", ""), "/api/v1/pods");
        assert_eq!(path("node", "demo", "n"), "/api/v1/nodes/n");
        assert_eq!(
            path("deploy", "../x", "a/b?c#d é\n"),
            "/apis/apps/v1/namespaces/..%2Fx/deployments/a%2Fb%3Fc%23d%20%C3%A9%0A"
        );
        assert_eq!(
            query("/p", &[("labelSelector", "a in (b,c)"), ("limit", ""), ("x", "1")]),
            "/p?labelSelector=a%20in%20%28b%2Cc%29&x=1"
        );
    }
}
