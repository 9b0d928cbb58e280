//! Request paths: `/apis/{group}/{version}/namespaces/{namespace}/{resource}/{name}/{subresource}` → what is meant.

use std::borrow::Cow;

/// What a path below `/api` or `/apis` names, before anything is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePath {
    /// The API group; empty for the core.
    pub group: String,
    /// Its version.
    pub version: String,
    /// The namespace; empty when the path names none.
    pub namespace: String,
    /// The plural of the resource.
    pub plural: String,
    /// The object; empty for a collection.
    pub name: String,
    /// As `status` or `log`; empty for the object itself.
    pub subresource: String,
    /// What follows the subresource, as a proxied path; with its leading slash.
    pub rest: String,
    /// The old spelling `/watch/` was used.
    pub watch: bool,
}

/// A path, sorted by who answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiPath {
    /// `/api`: the versions of the core group.
    Core,
    /// `/apis`: the groups.
    Groups,
    /// `/apis/{group}`
    Group(String),
    /// `/api/v1` or `/apis/{group}/{version}`: the resources.
    Version(String, String),
    /// A collection, an object or a subresource.
    Resource(ResourcePath),
    /// Anything else: `/version`, `/healthz`, `/openapi/…`.
    Other,
}

impl ApiPath {
    /// Reads a path as it stands in a request (percent-encoded).
    pub fn parse(path: &str) -> Self {
        // An encoded slash is a slash: the real server decodes paths before it takes them apart.
        let path = path.replace("%2F", "/").replace("%2f", "/");
        let mut parts = path.split('/').skip(1);
        let (group, rest) = match parts.next() {
            Some("api") => (String::new(), parts),
            Some("apis") => match parts.next() {
                None | Some("") => return Self::Groups,
                Some(group) => (decoded(group), parts),
            },
            _ => return Self::Other,
        };
        let rest: Vec<&str> = rest.collect();
        let rest = match rest.as_slice() {
            [front @ .., ""] => front, // a trailing slash changes nothing
            all => all,
        };
        match rest.split_first() {
            None if group.is_empty() => Self::Core,
            None => Self::Group(group),
            Some((version, [])) => Self::Version(group, decoded(version)),
            Some((version, rest)) => Self::Resource(resource(group, decoded(version), rest)),
        }
    }
}

fn resource(group: String, version: String, parts: &[&str]) -> ResourcePath {
    let (watch, parts) = match parts {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        _ => (false, parts),
    };
    let (namespace, parts) = match parts {
        // `namespaces/x/status` and `namespaces/x/finalize` are about the namespace itself.
        ["namespaces", _, "status" | "finalize"] => ("", parts),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        _ => ("", parts),
    };
    let part = |index: usize| parts.get(index).map(|part| decoded(part)).unwrap_or_default();
    let rest =
        parts.get(3..).filter(|rest| !rest.is_empty()).map_or_else(String::new, |rest| format!("/{}", rest.join("/")));
    ResourcePath {
        group,
        version,
        namespace: decoded(namespace),
        plural: part(0),
        name: part(1),
        subresource: part(2),
        rest,
        watch,
    }
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8().map_or_else(|_| part.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(path: &str) -> (String, String, String, String, String) {
        match ApiPath::parse(path) {
            ApiPath::Resource(found) => (found.group, found.namespace, found.plural, found.name, found.subresource),
            other => panic!("{path} is {other:?}"),
        }
    }

    #[test]
    fn paths_name_resources() {
        let cases = [
            ("/api/v1/pods", ("", "", "pods", "", "")),
            ("/api/v1/namespaces/n/pods/p/log", ("", "n", "pods", "p", "log")),
            ("/api/v1/namespaces/n", ("", "", "namespaces", "n", "")),
            ("/api/v1/namespaces/n/status", ("", "", "namespaces", "n", "status")),
            ("/apis/apps/v1/namespaces/n/deployments/", ("apps", "n", "deployments", "", "")),
            ("/api/v1/namespaces/n/pods/p%2Flog", ("", "n", "pods", "p", "log")),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aadmin",
                ("rbac.authorization.k8s.io", "", "clusterroles", "system:admin", ""),
            ),
        ];
        for (path, (group, namespace, plural, name, subresource)) in cases {
            let wanted =
                (group.to_owned(), namespace.to_owned(), plural.to_owned(), name.to_owned(), subresource.to_owned());
            assert_eq!(parsed(path), wanted, "{path}");
        }
    }

    #[test]
    fn proxied_paths_keep_what_follows() {
        let ApiPath::Resource(found) = ApiPath::parse("/api/v1/namespaces/n/services/s:80/proxy/a/b") else { panic!() };
        assert_eq!((found.name.as_str(), found.rest.as_str()), ("s:80", "/a/b"));
    }

    #[test]
    fn discovery_paths() {
        assert_eq!(ApiPath::parse("/api"), ApiPath::Core);
        assert_eq!(ApiPath::parse("/apis/"), ApiPath::Groups);
        assert_eq!(ApiPath::parse("/apis/apps"), ApiPath::Group("apps".to_owned()));
        assert_eq!(ApiPath::parse("/apis/apps/v1"), ApiPath::Version("apps".to_owned(), "v1".to_owned()));
        assert_eq!(ApiPath::parse("/version"), ApiPath::Other);
    }

    proptest! {
        #[test]
        fn any_path_is_read(path in "/?(api|apis|[a-z%/]){0,4}.{0,40}") {
            ApiPath::parse(&path);
        }
    }
}
