//! Which contexts of a kubeconfig may be touched: none that might be production, and none by accident.
//!
//! Names alone prove nothing, anybody can rename a context. So a context counts as local only when its own name, its
//! cluster's name and the address of the server agree on that; and even then the user has to have named it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::Code;

/// The code of a context that is refused.
pub const FOREIGN_CONTEXT: Code = Code("cluster/foreign-context");
/// A learning cluster is small; one with more nodes needs a second look.
const MOST_NODES: usize = 10;

/// What a kubeconfig says about a context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The context's name; empty when there is none.
    pub context: &'a str,
    /// The name of its cluster entry.
    pub cluster: &'a str,
    /// The address of the server.
    pub server: &'a str,
    /// Whether something stands between: a proxy, or a certificate made out to another host, as with a tunnel.
    pub detour: bool,
}

/// What the facts alone amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A cluster on this machine, made for trying things.
    Allow,
    /// It may be anything.
    Confirm,
    /// It is, or is called, production, or a cloud runs it.
    Deny,
    /// There is no context: only the embedded cluster is left.
    EmbeddedOnly,
}

impl Verdict {
    /// The word of it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Confirm => "confirm",
            Self::Deny => "deny",
            Self::EmbeddedOnly => "embedded-only",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A verdict and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, as the rest of "it …".
    pub because: &'static str,
}

/// How the cluster entries of local products are called.
enum Name {
    Is(&'static str),
    StartsWith(&'static str),
}

/// Cluster entries that local products make.
const LOCAL: [Name; 9] = [
    Name::StartsWith("kind-"),
    Name::StartsWith("k3d-"),
    Name::StartsWith("microk8s"),
    Name::Is("minikube"),
    Name::Is("docker-desktop"),
    Name::Is("docker-for-desktop-cluster"),
    Name::Is("rancher-desktop"),
    Name::Is("colima"),
    Name::Is("orbstack"),
];
/// Products whose context and cluster entry have different names.
const PAIRS: [(&str, &str); 2] =
    [("docker-for-desktop", "docker-for-desktop-cluster"), ("microk8s", "microk8s-cluster")];
/// Where the servers of managed clusters live.
const MANAGED: [&str; 16] = [
    "eks.amazonaws.com",
    "eks.amazonaws.com.cn",
    "azmk8s.io",
    "azmk8s.us",
    "azmk8s.cn",
    "gke.goog",
    "googleapis.com",
    "googleusercontent.com",
    "k8s.ondigitalocean.com",
    "linodelke.net",
    "vultr-k8s.com",
    "scw.cloud",
    "k8s.ovh.net",
    "openshiftapps.com",
    "oraclecloud.com",
    "containers.cloud.ibm.com",
];
/// Words in a name that mean: people depend on it.
const PRODUCTION: [&str; 3] = ["prod", "production", "live"];
/// Node provider ids of clouds.
const CLOUDS: [&str; 8] =
    ["aws://", "gce://", "azure://", "digitalocean://", "linode://", "openstack://", "oci://", "ibm://"];

/// Judges a context by what its kubeconfig says.
pub fn judge(facts: &Facts<'_>) -> Judgement {
    let Facts { context, cluster, server, detour } = *facts;
    if context.is_empty() {
        return Judgement { verdict: Verdict::EmbeddedOnly, because: "is no context" };
    }
    let deny = |because| Judgement { verdict: Verdict::Deny, because };
    let confirm = |because| Judgement { verdict: Verdict::Confirm, because };
    let host = Host::of(server);
    if is_managed_name(context) || is_managed_name(cluster) || host.is_managed() {
        return deny("belongs to a cloud provider");
    }
    let product = LOCAL.iter().any(|name| match name {
        Name::Is(name) => cluster == *name,
        Name::StartsWith(start) => cluster.starts_with(start),
    });
    let near = !detour && host.is_local_for(cluster);
    if !(product && near) && (says_production(context) || says_production(cluster)) {
        return deny("is called production");
    }
    match (product, near) {
        (false, _) => confirm("may be any cluster: its name is that of no local product"),
        (true, false) => confirm("is called like a local cluster, but its server is elsewhere"),
        (true, true) if !agree(context, cluster) => confirm("is a context that was renamed"),
        (true, true) => Judgement { verdict: Verdict::Allow, because: "is a local cluster" },
    }
}

/// Whether a context and its cluster entry are called as their product calls them.
fn agree(context: &str, cluster: &str) -> bool {
    context == cluster || PAIRS.contains(&(context, cluster))
}

fn is_managed_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("gke_") || (name.starts_with("arn:aws") && name.contains(":eks:")) || name.ends_with(".eksctl.io")
}

fn says_production(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.split(['-', '_', '.', ':', '/', '@']).any(|word| PRODUCTION.contains(&word))
}

/// The host of a server's address.
#[derive(Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    /// The host of an address such as `https://[::1]:6443/path`. What cannot be read is a name that matches nothing.
    fn of(server: &str) -> Self {
        let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
        let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host_and_port.strip_prefix('[') {
            Some(inner) => inner.split(']').next().unwrap_or(""),
            None => host_and_port.split(':').next().unwrap_or(""),
        };
        match host.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()),
        }
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }

    /// Whether a local product of that cluster name listens there.
    fn is_local_for(&self, cluster: &str) -> bool {
        match self {
            Self::Name(name) if name == "kubernetes.docker.internal" => true,
            Self::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => cluster.starts_with("k3d-"),
            Self::Address(IpAddr::V4(address)) if address.octets().starts_with(&[192, 168, 49]) => {
                cluster == "minikube"
            }
            _ => self.is_loopback(),
        }
    }

    fn is_managed(&self) -> bool {
        let Self::Name(name) = self else { return false };
        MANAGED
            .iter()
            .any(|domain| name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }
}

/// Whether a server's address leads to this machine.
pub fn is_loopback(server: &str) -> bool {
    Host::of(server).is_loopback()
}

/// What a look into the cluster showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// `spec.providerID` of each node that was listed; empty where a node has none.
    pub provider_ids: Vec<String>,
    /// How many nodes there are at least.
    pub nodes: usize,
}

/// The judgement after a look into the cluster: it can only get stricter.
pub fn after_look(before: Judgement, facts: &Facts<'_>, seen: &Seen) -> Judgement {
    let any = |starts: &[&str]| seen.provider_ids.iter().any(|id| starts.iter().any(|start| id.starts_with(start)));
    if any(&CLOUDS) {
        return Judgement { verdict: Verdict::Deny, because: "has nodes that a cloud provider runs" };
    }
    if before.verdict != Verdict::Allow {
        return before;
    }
    let confirm = |because| Judgement { verdict: Verdict::Confirm, because };
    if facts.cluster.starts_with("kind-") && !any(&["kind://"]) {
        return confirm("is called like a kind cluster, but its nodes are none of kind's");
    }
    if seen.nodes > MOST_NODES {
        return confirm("has more nodes than a local cluster");
    }
    before
}

/// A context that the user's own configuration allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The context's name, whole: there are no patterns.
    pub name: String,
    /// The server that it must lead to.
    pub server: Option<String>,
}

/// Why a context may not be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// The user's configuration does not name it.
    NotListed,
    /// It is allowed for another server.
    OtherServer(&'a str),
    /// Its name alone does not do: the configuration has to name its server too.
    NeedsServer,
    /// There is no context.
    NoContext,
}

/// Whether a context may be touched: the user's configuration has to name it, and for one that might be production
/// also its server.
///
/// # Errors
/// Why not.
pub fn permit<'a>(facts: &Facts<'_>, verdict: Verdict, allowed: &'a [Allowed]) -> Result<(), Refusal<'a>> {
    if verdict == Verdict::EmbeddedOnly {
        return Err(Refusal::NoContext);
    }
    let mut refusal = Refusal::NotListed;
    for entry in allowed.iter().filter(|entry| entry.name == facts.context) {
        match &entry.server {
            Some(server) if same_server(server, facts.server) => return Ok(()),
            Some(server) => refusal = Refusal::OtherServer(server),
            None if verdict == Verdict::Deny => refusal = Refusal::NeedsServer,
            None => return Ok(()),
        }
    }
    Err(refusal)
}

fn same_server(one: &str, other: &str) -> bool {
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(context: &str, cluster: &str, server: &str) -> Verdict {
        judge(&Facts { context, cluster, server, detour: false }).verdict
    }

    #[test]
    fn three_facts_make_a_verdict() {
        use Verdict::{Allow, Confirm, Deny, EmbeddedOnly};
        let eks = "https://ABC.gr7.us-east-1.eks.amazonaws.com";
        for (context, cluster, server, expected) in [
            ("kind-kind", "kind-kind", "https://127.0.0.1:40123", Allow),
            ("kind-prod", "kind-prod", "https://127.0.0.1:40123", Allow),
            ("kind-a", "kind-a", "https://[::1]:6443", Allow),
            ("kind-a", "kind-a", "https://LOCALHOST.:6443/", Allow),
            ("kind-a", "kind-a", "127.0.0.1:6443", Allow),
            ("k3d-dev", "k3d-dev", "https://0.0.0.0:45001", Allow),
            ("kind-a", "kind-a", "https://0.0.0.0:45001", Confirm),
            ("minikube", "minikube", "https://192.168.49.2:8443", Allow),
            ("kind-a", "kind-a", "https://192.168.49.2:8443", Confirm),
            ("minikube", "minikube", "https://192.168.39.7:8443", Confirm),
            ("docker-desktop", "docker-desktop", "https://kubernetes.docker.internal:6443", Allow),
            ("docker-for-desktop", "docker-for-desktop-cluster", "https://localhost:6443", Allow),
            ("rancher-desktop", "rancher-desktop", "https://127.0.0.1:6443", Allow),
            ("microk8s", "microk8s-cluster", "https://127.0.0.1:16443", Allow),
            ("microk8s", "microk8s-cluster", "https://10.0.0.4:16443", Confirm),
            ("colima", "colima", "https://127.0.0.1:6443", Allow),
            ("demo", "kind-demo", "https://127.0.0.1:33333", Confirm),
            ("kind-a", "kind-b", "https://127.0.0.1:33333", Confirm),
            ("kind-remote", "kind-remote", "https://203.0.113.7:6443", Confirm),
            ("kind-prod", "kind-prod", "https://203.0.113.7:6443", Deny),
            ("default", "default", "https://127.0.0.1:6443", Confirm),
            ("kind-fake", "gke_proj_zone_name", "https://34.1.2.3", Deny),
            ("gke_proj_zone_name", "x", "https://127.0.0.1", Deny),
            ("arn:aws:eks:us-east-1:1:cluster/p", "x", "https://10.0.0.1", Deny),
            ("me@p.us-east-1.eksctl.io", "p.us-east-1.eksctl.io", eks, Deny),
            ("kind-a", "kind-a", eks, Deny),
            ("staging", "staging", "https://name-dns-1.hcp.westeurope.azmk8s.io:443", Deny),
            ("staging", "staging", "https://notazmk8s.io:443", Confirm),
            ("production", "production", "https://10.1.2.3:6443", Deny),
            ("EU-Prod", "c", "https://10.1.2.3:6443", Deny),
            ("team/live@x", "c", "https://127.0.0.1:6443", Deny),
            ("reproduction", "delivery-lively", "https://10.1.2.3:6443", Confirm),
            ("", "", "", EmbeddedOnly),
        ] {
            assert_eq!(verdict(context, cluster, server), expected, "{context} {cluster} {server}");
        }
    }

    #[test]
    fn an_address_that_only_looks_local_is_not() {
        for server in [
            "https://127.0.0.1@evil.example:6443",
            "https://127.0.0.1.evil.example",
            "https://localhost.evil.example",
            "https://evil.example/127.0.0.1",
            "https://evil.example#@127.0.0.1",
            "https://[::ffff:1.2.3.4]:6443",
            "https://",
            "",
            "https://[",
        ] {
            assert!(!is_loopback(server), "{server}");
            assert_eq!(verdict("kind-a", "kind-a", server), Verdict::Confirm, "{server}");
        }
        let facts = Facts { context: "kind-a", cluster: "kind-a", server: "https://127.0.0.1:1", detour: true };
        assert_eq!(judge(&facts).verdict, Verdict::Confirm);
    }

    #[test]
    fn a_look_into_the_cluster_only_makes_it_stricter() {
        let facts = Facts { context: "kind-a", cluster: "kind-a", server: "https://127.0.0.1:1", detour: false };
        let seen = |ids: &[&str], nodes| Seen { provider_ids: ids.iter().map(|&id| id.to_owned()).collect(), nodes };
        let allow = judge(&facts);
        let confirm = Judgement { verdict: Verdict::Confirm, because: "may be anything" };
        for (before, seen, expected) in [
            (allow, seen(&["kind://docker/a/a-control-plane"], 1), Verdict::Allow),
            (allow, seen(&["kind://docker/a/a-control-plane"], 11), Verdict::Confirm),
            (allow, seen(&[""], 1), Verdict::Confirm),
            (allow, seen(&["kind://docker/a/b", "gce://project/zone/node"], 2), Verdict::Deny),
            (confirm, seen(&["kind://docker/a/b"], 1), Verdict::Confirm),
            (confirm, seen(&["aws:///us-east-1a/i-1"], 1), Verdict::Deny),
        ] {
            assert_eq!(after_look(before, &facts, &seen).verdict, expected, "{seen:?}");
        }
    }

    #[test]
    fn only_what_the_user_named_is_permitted() {
        let listed = |name: &str, server: Option<&str>| Allowed { name: name.into(), server: server.map(Into::into) };
        let allowed = [
            listed("dev", None),
            listed("eu-prod", None),
            listed("us-prod", Some("https://US.example:6443/")),
            listed("moved", Some("https://old.example")),
        ];
        let permitted = |context: &str, server: &str, verdict| {
            permit(&Facts { context, cluster: "c", server, detour: false }, verdict, &allowed)
        };
        assert_eq!(permitted("dev", "https://10.0.0.1", Verdict::Confirm), Ok(()));
        assert_eq!(permitted("dev", "https://10.0.0.1", Verdict::Deny), Err(Refusal::NeedsServer));
        assert_eq!(permitted("kind-a", "https://127.0.0.1", Verdict::Allow), Err(Refusal::NotListed));
        assert_eq!(permitted("de", "https://10.0.0.1", Verdict::Confirm), Err(Refusal::NotListed));
        assert_eq!(permitted("eu-prod", "https://eu.example", Verdict::Deny), Err(Refusal::NeedsServer));
        assert_eq!(permitted("us-prod", "https://us.example:6443", Verdict::Deny), Ok(()));
        assert_eq!(
            permitted("moved", "https://new.example", Verdict::Confirm),
            Err(Refusal::OtherServer("https://old.example"))
        );
        assert_eq!(permitted("", "", Verdict::EmbeddedOnly), Err(Refusal::NoContext));
    }
}
