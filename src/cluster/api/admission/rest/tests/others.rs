//! Networking, policy, RBAC and the small kinds.

use super::super::{allows_create_on_update, deprecation, generation_changes, has_generation, needs_resource_version};
use super::super::{find, validate_metadata, version_missing};
use super::*;

const INGRESS: &str = "Ingress.networking.k8s.io";
const POLICY: &str = "NetworkPolicy.networking.k8s.io";
const BUDGET: &str = "PodDisruptionBudget.policy";

#[test]
fn ingresses_are_checked() {
    let backend = json!({"service": {"name": "s", "port": {"number": 80}}});
    let path = |path: Value| json!({"rules": [{"host": "foo.com", "http": {"paths": [path]}}]});
    let cases = [
        (json!({}), vec!["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
        (json!({"defaultBackend": backend}), vec![]),
        (path(json!({"path": "/", "pathType": "Prefix", "backend": backend})), vec![]),
        (
            path(json!({"path": "/", "backend": backend})),
            vec!["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"],
        ),
        (
            path(json!({"path": "bar", "pathType": "Exact", "backend": backend})),
            vec!["spec.rules[0].http.paths[0].path: Invalid value: \"bar\": must be an absolute path"],
        ),
        (
            path(json!({"path": "/a//b/..", "pathType": "Prefix", "backend": {}})),
            vec![
                "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b/..\": must not contain '//'",
                "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b/..\": cannot end with '/..'",
                "spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is required",
            ],
        ),
        (
            path(json!({"pathType": "Odd", "backend": {"service": {"name": "s"}}})),
            vec![
                "spec.rules[0].http.paths[0].pathType: Unsupported value: \"Odd\": supported values: \"Exact\", \
             \"ImplementationSpecific\", \"Prefix\"",
                "spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
            ],
        ),
        (
            json!({"rules": [{"host": "1.2.3.4", "http": {"paths": []}}]}),
            vec![
                "spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address",
                "spec.rules[0].http.paths: Required value",
            ],
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(refused(INGRESS, json!({"spec": spec})), expected);
    }
    let class = |controller: &str| json!({"spec": {"controller": controller}});
    const CLASS: &str = "IngressClass.networking.k8s.io";
    assert_eq!(
        refused(CLASS, class("nope")),
        ["spec.controller: Invalid value: \"nope\": must be a domain-prefixed path (such as \"acme.io/foo\")"]
    );
    assert_eq!(
        refused_change(CLASS, class("a.io/x"), class("a.io/y")),
        ["spec.controller: Invalid value: \"a.io/y\": field is immutable"]
    );
}

#[test]
fn network_policies_are_completed_and_checked() {
    let policy = stored(POLICY, json!({"spec": {"egress": [{"ports": [{"port": 53}]}]}}));
    let expected = json!({"spec": {
        "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}], "policyTypes": ["Ingress", "Egress"], "podSelector": {},
    }});
    assert_eq!(policy, expected);
    let from = |peer: Value| json!({"podSelector": {}, "ingress": [{"from": [peer]}]});
    let cases = [
        (from(json!({})), vec!["spec.ingress[0].from[0]: Required value: must specify a peer"]),
        (
            from(json!({"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}})),
            vec!["spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"],
        ),
        (
            from(json!({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}})),
            vec![
                "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`",
            ],
        ),
        (
            json!({"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
            vec![
                "spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or \
             'NotIn'",
            ],
        ),
        (
            json!({"ingress": [{"ports": [{"port": 80, "endPort": 70}, {"port": "http", "endPort": 1}]}]}),
            vec![
                "spec.ingress[0].ports[0].endPort: Invalid value: 70: must be greater than or equal to `port`",
                "spec.ingress[0].ports[1].endPort: Invalid value: 1: may not be specified when `port` is non-numeric",
            ],
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(refused(POLICY, json!({"spec": spec})), expected);
    }
    assert_eq!(
        refused("IPAddress.networking.k8s.io", json!({"metadata": {"name": "2001:DB8::1"}})),
        [
            "metadata.name: Invalid value: \"2001:DB8::1\": must be a canonical form IP address",
            "spec.parentRef: Required value",
        ]
    );
    assert_eq!(
        refused("ServiceCIDR.networking.k8s.io", json!({"spec": {"cidrs": ["10.0.0.0/8", "10.1.0.0/16"]}})),
        ["spec.cidrs: Invalid value: [\"10.0.0.0/8\",\"10.1.0.0/16\"]: may specify no more than one IP for each IP \
          family, i.e 192.168.0.0/24 and 2001:db8::/96"]
    );
}

#[test]
fn budgets_are_checked() {
    assert_eq!(
        stored(BUDGET, json!({"spec": {"minAvailable": 1}}))["status"],
        json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0})
    );
    let cases = [
        (
            json!({"minAvailable": 1, "maxUnavailable": "50%"}),
            vec![
                "spec: Invalid value: {\"MinAvailable\":1,\"Selector\":null,\"MaxUnavailable\":\"50%\",\
             \"UnhealthyPodEvictionPolicy\":null}: minAvailable and maxUnavailable are mutually exclusive",
            ],
        ),
        (json!({"minAvailable": -1}), vec!["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"]),
        (
            json!({"maxUnavailable": "101%"}),
            vec!["spec.maxUnavailable: Invalid value: \"101%\": must not be greater than 100%"],
        ),
        (
            json!({"maxUnavailable": "x"}),
            vec![
                "spec.maxUnavailable: Invalid value: \"x\": a valid percent string must be a numeric string followed by an \
             ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
            ],
        ),
        (
            json!({"unhealthyPodEvictionPolicy": "Odd"}),
            vec![
                "spec.unhealthyPodEvictionPolicy: Unsupported value: \"Odd\": supported values: \"AlwaysAllow\", \
             \"IfHealthyBudget\"",
            ],
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(refused(BUDGET, json!({"spec": spec})), expected);
    }
}

#[test]
fn roles_and_bindings_are_checked() {
    const ROLE: &str = "Role.rbac.authorization.k8s.io";
    const BINDING: &str = "RoleBinding.rbac.authorization.k8s.io";
    assert_eq!(stored(ROLE, json!({})), json!({"rules": null}));
    let rule = |rule: Value| json!({"metadata": {"name": "system:x"}, "rules": [rule]});
    assert_eq!(
        refused(ROLE, rule(json!({}))),
        [
            "rules[0].verbs: Required value: verbs must contain at least one value",
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
            "rules[0].resources: Required value: resource rules must supply at least one resource",
        ]
    );
    let paths = rule(json!({"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}));
    assert_eq!(
        refused(ROLE, paths.clone()),
        [
            "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs",
            "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: rules cannot apply to both regular resources and \
             non-resource URLs",
        ]
    );
    assert_eq!(refused("ClusterRole.rbac.authorization.k8s.io", paths).len(), 1);
    let binding = |kind: &str, subject: Value| json!({"roleRef": {"kind": kind, "name": "r"}, "subjects": [subject]});
    assert_eq!(
        stored(BINDING, binding("Role", json!({"kind": "User", "name": "bob"}))),
        json!({
            "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
            "subjects": [{"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"}],
        })
    );
    let bad = binding("Odd", json!({"kind": "Odd"}));
    assert_eq!(
        refused(BINDING, bad),
        [
            "roleRef.kind: Unsupported value: \"Odd\": supported values: \"Role\", \"ClusterRole\"",
            "subjects[0].name: Required value",
            "subjects[0].kind: Unsupported value: \"Odd\": supported values: \"ServiceAccount\", \"User\", \"Group\"",
        ]
    );
    let account = json!({"kind": "ServiceAccount", "name": "sa"});
    assert_eq!(
        refused("ClusterRoleBinding.rbac.authorization.k8s.io", binding("ClusterRole", account)),
        ["subjects[0].namespace: Required value"]
    );
    let user = json!({"kind": "User", "name": "bob"});
    assert_eq!(
        refused_change(BINDING, binding("Role", user.clone()), binding("ClusterRole", user)),
        [
            "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"ClusterRole\",\"Name\":\"r\"}: \
          cannot change roleRef"
        ]
    );
}

#[test]
fn small_kinds_are_checked() {
    let cases = [
        (
            "PriorityClass.scheduling.k8s.io",
            json!({"value": 1_000_000_001}),
            vec!["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
        ),
        (
            "PriorityClass.scheduling.k8s.io",
            json!({"value": 1, "preemptionPolicy": "Odd"}),
            vec!["preemptionPolicy: Unsupported value: \"Odd\": supported values: \"Never\", \"PreemptLowerPriority\""],
        ),
        (
            "Lease.coordination.k8s.io",
            json!({"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}}),
            vec![
                "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
                "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
            ],
        ),
        (
            "EndpointSlice.discovery.k8s.io",
            json!({"addressType": "IPv4", "endpoints": [{"addresses": ["::1", "10.0.0.1"]}]}),
            vec!["endpoints[0].addresses[0]: Invalid value: \"::1\": must be a valid IPv4 address"],
        ),
        (
            "EndpointSlice.discovery.k8s.io",
            json!({"endpoints": [{}]}),
            vec![
                "addressType: Required value",
                "endpoints[0].addresses: Required value: must contain at least 1 address",
            ],
        ),
        (
            "Endpoints",
            json!({"subsets": [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": 0}]}]}),
            vec![
                "subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, \
             ::1/128)",
                "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            ],
        ),
        (
            "Binding",
            json!({"target": {"kind": "Pod"}}),
            vec![
                "target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\"",
                "target.name: Required value",
            ],
        ),
        (
            "RuntimeClass.node.k8s.io",
            json!({"handler": "a.b"}),
            vec!["handler: Invalid value: \"a.b\": must not contain dots"],
        ),
        (
            "CertificateSigningRequest.certificates.k8s.io",
            json!({"spec": {"request": "", "signerName": "x", "usages": ["odd"]}}),
            vec![
                "spec.request: Invalid value: \"\": PEM block type must be CERTIFICATE REQUEST",
                "spec.usages[0]: Unsupported value: \"odd\": supported values: \"any\", \"cert sign\", \"client auth\", \
             \"code signing\", \"content commitment\", \"crl sign\", \"data encipherment\", \"decipher only\", \"digital \
             signature\", \"email protection\", \"encipher only\", \"ipsec end system\", \"ipsec tunnel\", \"ipsec user\", \
             \"key agreement\", \"key encipherment\", \"microsoft sgc\", \"netscape sgc\", \"ocsp signing\", \"s/mime\", \
             \"server auth\", \"signing\", \"timestamping\"",
                "spec.signerName: Invalid value: \"x\": must be a fully qualified domain and path of the form \
             'example.com/signer-name'",
            ],
        ),
    ];
    for (name, object, expected) in cases {
        assert_eq!(refused(name, object), expected, "{name}");
    }
    let service = json!({"metadata": {"name": "v1."}, "spec": {
        "version": "v1", "groupPriorityMinimum": 18000, "versionPriority": 1,
    }});
    assert_eq!(refused("APIService.apiregistration.k8s.io", service), [] as [&str; 0]);
    let class = |value: i64| json!({"value": value});
    assert_eq!(
        refused_change("PriorityClass.scheduling.k8s.io", class(1), class(2)),
        ["value: Forbidden: may not be changed in an update."]
    );
}

#[test]
fn kinds_have_their_ways() {
    let (with, without): (Vec<&str>, Vec<&str>) = [
        INGRESS,
        POLICY,
        BUDGET,
        "EndpointSlice.discovery.k8s.io",
        "ConfigMap",
        "Secret",
        "Service",
        "Namespace",
        "Node",
        "ServiceAccount",
        "HorizontalPodAutoscaler.autoscaling",
    ]
    .into_iter()
    .partition(|name| has_generation(&kind(name)));
    assert_eq!((with.len(), without.len()), (4, 7));
    let changes = |name: &str, old: Value, new: Value| generation_changes(&kind(name), &new, &old);
    let spec = |value: i64| json!({"spec": {"minAvailable": value}, "metadata": {"labels": {"a": value.to_string()}}});
    assert_eq!(changes(BUDGET, spec(1), spec(2)), Some(true));
    let labelled = |value: &str| json!({"metadata": {"labels": {"a": value}}, "spec": {}});
    assert_eq!(changes(BUDGET, labelled("b"), labelled("c")), Some(false));
    assert_eq!(changes("EndpointSlice.discovery.k8s.io", labelled("b"), labelled("c")), Some(true));
    assert_eq!(changes("EndpointSlice.discovery.k8s.io", labelled("b"), labelled("b")), Some(false));
    assert_eq!(changes("ConfigMap", json!({"data": {"a": "b"}}), json!({})), Some(false));
    assert_eq!(changes("Deployment.apps", json!({}), json!({})), None);
    assert!(needs_resource_version(&kind("Lease.coordination.k8s.io")) && needs_resource_version(&kind(BUDGET)));
    assert!(!needs_resource_version(&kind("ConfigMap")));
    let creates =
        ["Lease.coordination.k8s.io", "Event", "Endpoints", "LimitRange", "Service", "Role.rbac.authorization.k8s.io"];
    assert!(creates.iter().all(|name| allows_create_on_update(&kind(name))));
    assert!(!allows_create_on_update(&kind("ConfigMap")) && find(&kind("Pod")).is_none());
    assert_eq!(
        version_missing(&kind("Lease.coordination.k8s.io"), "leases", "x").message,
        "leases.coordination.k8s.io \"x\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an \
         update"
    );
    assert!(deprecation(&kind("Endpoints")).is_some() && deprecation(&kind("Service")).is_none());
}

#[test]
fn metadata_of_any_kind_is_checked() {
    let told_of = |namespaced, metadata: Value| {
        let mut errors = Vec::new();
        validate_metadata(namespaced, &json!({"metadata": metadata}), None, &mut errors);
        told(&errors)
    };
    assert_eq!(told_of(false, json!({"name": "a"})), [] as [&str; 0]);
    assert_eq!(told_of(true, json!({"name": "a"})), ["metadata.namespace: Required value"]);
}
