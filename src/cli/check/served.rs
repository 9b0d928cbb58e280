//! Which API versions there are: those of the embedded cluster, and those that are gone with what came instead.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::api::resource::Registry;
use crate::diagnostic::closest;

/// What was served once; see its first lines.
const ARCHIVED: &str = include_str!("archived.txt");

/// What the name of a release begins with when every cluster is concerned.
const KUBERNETES: &str = "Kubernetes ";

/// What the embedded cluster serves.
pub(super) struct Served {
    /// `apiVersion` and kind.
    kinds: BTreeSet<(String, String)>,
}

/// A version that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Archived {
    /// What came instead.
    pub(super) instead: Option<&'static str>,
    /// Since when: `Kubernetes 1.16`.
    pub(super) since: &'static str,
}

/// What is to be said about the `apiVersion` of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing.
    Fine,
    /// It was given up by those who made it; clusters may serve it all the same.
    GivenUp(Archived),
    /// No cluster of today serves it.
    Gone(Archived),
    /// There is such a kind, in other versions.
    Elsewhere(Vec<String>),
    /// The group and version are there, the kind is not.
    NoKind(Option<String>),
    /// The version was never there.
    NoVersion(Vec<String>),
}

impl Served {
    /// The built-in kinds, and those of definitions that come with the embedded cluster.
    pub(super) fn new(definitions: &[Value]) -> Self {
        let built_in = Registry::built_in().all();
        let built_in = built_in.map(|resource| (resource.api_version.clone(), resource.kind.kind.to_string()));
        let custom = definitions.iter().flat_map(|definition| {
            let spec = &definition["spec"];
            let (group, kind) = (spec["group"].as_str(), spec["names"]["kind"].as_str());
            let versions = spec["versions"].as_array().into_iter().flatten();
            versions.filter(|version| version["served"] == true).filter_map(move |version| {
                Some((format!("{}/{}", group?, version["name"].as_str()?), kind?.to_owned()))
            })
        });
        let mut kinds: BTreeSet<(String, String)> = built_in.chain(custom).collect();
        // What a file may hold besides objects of a cluster.
        kinds.insert(("v1".to_owned(), "List".to_owned()));
        kinds.insert(("v1".to_owned(), "Config".to_owned()));
        Self { kinds }
    }

    /// What is to be said about an object of this version and kind.
    pub(super) fn standing(&self, api_version: &str, kind: &str) -> Standing {
        let served = self.kinds.contains(&(api_version.to_owned(), kind.to_owned()));
        let archived = archived(api_version, kind);
        match (served, archived) {
            (true, None) => return Standing::Fine,
            (false, Some(archived)) if archived.since.starts_with(KUBERNETES) => return Standing::Gone(archived),
            (_, Some(archived)) => return Standing::GivenUp(archived),
            (false, None) => {}
        }
        let group = group(api_version);
        let ours = |(version, _): &&(String, String)| self::group(version) == group;
        if !self.kinds.iter().any(|kind| ours(&kind)) {
            // Somebody else's definition: nothing is known of it.
            return Standing::Fine;
        }
        let same_kind = |anywhere: bool| -> Vec<String> {
            let kinds = self.kinds.iter().filter(|(_, known)| known == kind);
            kinds.filter(|known| anywhere || ours(known)).map(|(version, _)| version.clone()).collect()
        };
        let mut elsewhere = same_kind(false);
        if elsewhere.is_empty() {
            elsewhere = same_kind(true);
        }
        if !elsewhere.is_empty() {
            return Standing::Elsewhere(elsewhere);
        }
        let there: Vec<&str> =
            self.kinds.iter().filter(|(known, _)| known == api_version).map(|(_, kind)| kind.as_str()).collect();
        if there.is_empty() {
            let versions: BTreeSet<String> =
                self.kinds.iter().filter(ours).map(|(version, _)| version.clone()).collect();
            return Standing::NoVersion(versions.into_iter().collect());
        }
        Standing::NoKind(closest(kind, there).map(str::to_owned))
    }
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether a version of a kind was given up.
fn archived(api_version: &str, kind: &str) -> Option<Archived> {
    let lines = ARCHIVED.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(entry)
        .find(|(version, kinds, _)| {
            *version == api_version && (*kinds == "*" || kinds.split(',').any(|known| known == kind))
        })
        .map(|(_, _, archived)| archived)
}

fn entry(line: &'static str) -> Option<(&'static str, &'static str, Archived)> {
    let mut words = line.splitn(4, ' ');
    let (version, kinds, instead, since) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some((version, kinds, Archived { instead: (instead != "-").then_some(instead), since }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn served() -> Served {
        let version = |name, served| json!({"name": name, "served": served});
        let spec = json!({"group": "flagger.app", "names": {"kind": "Canary"},
                          "versions": [version("v1alpha3", true), version("v1beta1", true), version("v9", false)]});
        Served::new(&[json!({ "spec": spec })])
    }

    #[test]
    fn what_is_gone_names_what_came_instead() {
        let served = served();
        for (version, kind, instead, since) in [
            ("extensions/v1beta1", "Deployment", Some("apps/v1"), "Kubernetes 1.16"),
            ("extensions/v1beta1", "Ingress", Some("networking.k8s.io/v1"), "Kubernetes 1.22"),
            ("policy/v1beta1", "PodSecurityPolicy", None, "Kubernetes 1.25"),
        ] {
            assert_eq!(served.standing(version, kind), Standing::Gone(Archived { instead, since }), "{version} {kind}");
        }
        let given_up = Archived { instead: Some("cert-manager.io/v1"), since: "cert-manager 1.6" };
        assert_eq!(served.standing("cert-manager.io/v1alpha2", "Issuer"), Standing::GivenUp(given_up));
        let given_up = Archived { instead: Some("flagger.app/v1beta1"), since: "Flagger 1.0" };
        assert_eq!(served.standing("flagger.app/v1alpha3", "Canary"), Standing::GivenUp(given_up));
    }

    #[test]
    fn what_never_was_names_what_is() {
        let served = served();
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (version, kind, expected) in [
            ("apps/v1", "Deployment", Standing::Fine),
            ("example.org/v1", "Deployment", Standing::Fine),
            ("v1", "Deployment", Standing::Elsewhere(texts(&["apps/v1"]))),
            ("apps/v2", "Deployment", Standing::Elsewhere(texts(&["apps/v1"]))),
            ("apps/v1", "Deploymnet", Standing::NoKind(Some("Deployment".to_owned()))),
            ("v1", "Nothing", Standing::NoKind(None)),
            ("apps/v7", "Nothing", Standing::NoVersion(texts(&["apps/v1"]))),
            ("flagger.app/v9", "Canary", Standing::Elsewhere(texts(&["flagger.app/v1alpha3", "flagger.app/v1beta1"]))),
        ] {
            assert_eq!(served.standing(version, kind), expected, "{version} {kind}");
        }
    }

    #[test]
    fn the_table_can_be_read_and_leads_to_what_is_served() {
        let served = served();
        for line in ARCHIVED.lines().filter(|line| !line.starts_with('#')) {
            let (version, kinds, archived) = entry(line).expect(line);
            assert!(version.contains('/'), "{line}");
            let Some(instead) = archived.instead.filter(|_| archived.since.starts_with(KUBERNETES)) else { continue };
            for kind in kinds.split(',') {
                assert_eq!(served.standing(instead, kind), Standing::Fine, "{line}: {kind}");
            }
        }
    }
}
