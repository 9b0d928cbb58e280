//! Rows of all other kinds.

use serde_json::{Value, json};

use super::{NOW, check, row};

#[test]
fn nodes() {
    let info = json!({"kubeletVersion": "v1.36.2", "osImage": "Debian", "kernelVersion": "6.1", "architecture": "amd64",
        "containerRuntimeVersion": "containerd://2"});
    check(
        "",
        &[
            (
                "Node",
                json!({"metadata": {"labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "a",
                        "node-role.kubernetes.io/": ""}},
                    "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": info,
                        "addresses": [{"type": "Hostname", "address": "h"}, {"type": "InternalIP", "address": "10.0.0.2"}]}}),
                json!([
                    "a",
                    "Ready",
                    "a,control-plane",
                    "5m",
                    "v1.36.2",
                    "10.0.0.2",
                    "<none>",
                    "Debian",
                    "6.1 (amd64)",
                    "containerd://2"
                ]),
            ),
            (
                "Node",
                json!({"spec": {"unschedulable": true}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}),
                json!([
                    "a",
                    "NotReady,SchedulingDisabled",
                    "<none>",
                    "5m",
                    "",
                    "<none>",
                    "<none>",
                    "<unknown>",
                    "<unknown>",
                    "<unknown>"
                ]),
            ),
        ],
    );
    assert_eq!(row("", "Node", json!({}))[1], "Unknown");
}

#[test]
fn services() {
    let of = |spec: Value, status: Value| row("", "Service", json!({"spec": spec, "status": status}));
    let port = json!([{"port": 80, "protocol": "TCP"}, {"port": 81, "nodePort": 30081, "protocol": "UDP"}]);
    assert_eq!(
        of(json!({"type": "ClusterIP", "clusterIPs": ["10.1.1.1"], "ports": port, "selector": {"a": "b"}}), json!({})),
        json!(["a", "ClusterIP", "10.1.1.1", "<none>", "80/TCP,81:30081/UDP", "5m", "a=b"])
    );
    assert_eq!(
        of(json!({"type": "ExternalName", "externalName": "example.com"}), json!({})),
        json!(["a", "ExternalName", "<none>", "example.com", "<none>", "5m", "<none>"])
    );
    assert_eq!(of(json!({"type": "NodePort", "externalIPs": ["1.1.1.1", "2.2.2.2"]}), json!({}))[3], "1.1.1.1,2.2.2.2");
    let balancer = |ingress: Value| json!({"loadBalancer": {"ingress": ingress}});
    let lb = json!({"type": "LoadBalancer", "externalIPs": ["9.9.9.9"]});
    assert_eq!(of(json!({"type": "LoadBalancer"}), json!({}))[3], "<pending>");
    assert_eq!(
        of(lb, balancer(json!([{"hostname": "b"}, {"ip": "1.2.3.4"}, {"hostname": "b"}])))[3],
        "1.2.3.4,b,9.9.9.9"
    );
    assert_eq!(of(json!({}), json!({}))[3], "<unknown>");
}

#[test]
fn endpoints() {
    let addresses = json!([{"ip": "1.1.1.1"}, {"ip": "fe80::1"}]);
    check(
        "",
        &[
            ("Endpoints", json!({}), json!(["a", "<none>", "5m"])),
            (
                "Endpoints",
                json!({"subsets": [{"addresses": addresses, "ports": [{"port": 80}, {"port": 81}]}]}),
                json!(["a", "1.1.1.1:80,[fe80::1]:80,1.1.1.1:81 + 1 more...", "5m"]),
            ),
            ("Endpoints", json!({"subsets": [{"addresses": addresses}]}), json!(["a", "1.1.1.1,fe80::1", "5m"])),
        ],
    );
    check(
        "discovery.k8s.io",
        &[
            (
                "EndpointSlice",
                json!({"addressType": "IPv4", "ports": [{"name": "", "port": 80}, {"name": "x"}, {}],
                    "endpoints": [{"addresses": ["1.1.1.1", "1.1.1.2"]}, {"addresses": ["1.1.1.3", "1.1.1.4"]}]}),
                json!(["a", "IPv4", "80,x,*", "1.1.1.1,1.1.1.2,1.1.1.3 + 1 more...", "5m"]),
            ),
            ("EndpointSlice", json!({"endpoints": null}), json!(["a", "", "<unset>", "<unset>", "5m"])),
        ],
    );
}

#[test]
fn networking() {
    let rules = |hosts: &[&str]| hosts.iter().map(|host| json!({"host": host})).collect::<Vec<_>>();
    check(
        "networking.k8s.io",
        &[
            ("Ingress", json!({"spec": {"rules": [{}]}}), json!(["a", "<none>", "*", "", "80", "5m"])),
            (
                "Ingress",
                json!({"spec": {"ingressClassName": "nginx", "tls": [{}], "rules": rules(&["a.io", "b.io", "c.io", "d.io"])},
                    "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}),
                json!(["a", "nginx", "a.io,b.io,c.io + 1 more...", "1.2.3.4", "80, 443", "5m"]),
            ),
            (
                "Ingress",
                json!({"spec": {"rules": rules(&["", "", "a.io", ""])}}),
                json!(["a", "<none>", "a.io", "", "80", "5m"]),
            ),
            (
                "IngressClass",
                json!({"spec": {"controller": "k8s.io/x", "parameters": {"apiGroup": "k8s.io", "kind": "P", "name": "p"}}}),
                json!(["a", "k8s.io/x", "P.k8s.io/p", "5m"]),
            ),
            ("IngressClass", json!({"spec": {"controller": "c"}}), json!(["a", "c", "<none>", "5m"])),
            ("NetworkPolicy", json!({"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}), json!(["a", "a=b", "5m"])),
            (
                "IPAddress",
                json!({"spec": {"parentRef": {"group": "", "resource": "services", "namespace": "n", "name": "s"}}}),
                json!(["a", "services/n/s"]),
            ),
            (
                "ServiceCIDR",
                json!({"spec": {"cidrs": ["10.0.0.0/8", "fd00::/8"]}}),
                json!(["a", "10.0.0.0/8,fd00::/8", "5m"]),
            ),
        ],
    );
}

#[test]
fn configuration() {
    check(
        "",
        &[
            ("ConfigMap", json!({"data": {"a": "", "b": ""}, "binaryData": {"c": ""}}), json!(["a", 3, "5m"])),
            ("Secret", json!({"type": "Opaque", "data": {"a": ""}}), json!(["a", "Opaque", 1, "5m"])),
            ("ServiceAccount", json!({"secrets": [{}]}), json!(["a", "5m"])),
            ("Namespace", json!({"status": {"phase": "Active"}}), json!(["a", "Active", "5m"])),
            ("LimitRange", json!({}), json!(["a", "2026-01-01T00:55:00Z"])),
            (
                "ResourceQuota",
                json!({"status": {"hard": {"requests.cpu": "1", "limits.cpu": "2", "configmaps": "50"},
                    "used": {"configmaps": "3", "limits.cpu": "500m"}}}),
                json!(["a", "configmaps: 3/50, requests.cpu: 0/1", "limits.cpu: 500m/2", "5m"]),
            ),
            (
                "ComponentStatus",
                json!({"conditions": [{"type": "Healthy", "status": "False", "message": "m", "error": "e"}]}),
                json!(["a", "Unhealthy", "m", "e"]),
            ),
            ("ComponentStatus", json!({}), json!(["a", "Unknown", "", ""])),
        ],
    );
    check("coordination.k8s.io", &[("Lease", json!({"spec": {"holderIdentity": "n1"}}), json!(["a", "n1", "5m"]))]);
}

#[test]
fn events() {
    let about = json!({"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"});
    check(
        "",
        &[
            (
                "Event",
                json!({"type": "Normal", "reason": "Started", "message": " Container started\n", "involvedObject": about,
                    "source": {"component": "kubelet", "host": "n1"}, "reportingComponent": "kubelet", "count": 3,
                    "firstTimestamp": "2026-01-01T00:50:00Z", "lastTimestamp": "2026-01-01T00:59:00Z"}),
                json!([
                    "60s",
                    "Normal",
                    "Started",
                    "pod/p",
                    "spec.containers{c}",
                    "kubelet, n1",
                    "Container started",
                    "10m",
                    3,
                    "a"
                ]),
            ),
            (
                "Event",
                json!({"type": "Normal", "reason": "Scheduled", "involvedObject": {"kind": "Pod"}, "firstTimestamp": null,
                    "eventTime": "2026-01-01T00:59:00.000000Z", "reportingComponent": "default-scheduler",
                    "reportingInstance": "s-1", "source": {}, "message": "m"}),
                json!(["60s", "Normal", "Scheduled", "pod", "", "default-scheduler, s-1", "m", "60s", 1, "a"]),
            ),
            (
                "Event",
                json!({"involvedObject": {}, "series": {"count": 9, "lastObservedTime": "2026-01-01T00:59:58.5Z"}}),
                json!(["1s", "", "", "", "", "", "", "<unknown>", 9, "a"]),
            ),
        ],
    );
    check(
        "events.k8s.io",
        &[(
            "Event",
            json!({"type": "Warning", "reason": "R", "note": "n", "regarding": about, "deprecatedCount": 2,
                "reportingController": "c", "deprecatedFirstTimestamp": "2026-01-01T00:59:00Z",
                "deprecatedLastTimestamp": "2026-01-01T00:59:30Z", "deprecatedSource": {"component": "d"}}),
            json!(["30s", "Warning", "R", "pod/p", "spec.containers{c}", "d", "n", "60s", 2, "a"]),
        )],
    );
}

#[test]
fn storage() {
    let modes = json!(["ReadWriteMany", "ReadWriteOnce", "ReadWriteOnce"]);
    check(
        "",
        &[
            (
                "PersistentVolumeClaim",
                json!({"spec": {"accessModes": modes, "storageClassName": "standard", "volumeMode": "Filesystem"},
                    "status": {"phase": "Pending"}}),
                json!(["a", "Pending", "", "", "", "standard", "<unset>", "5m", "Filesystem"]),
            ),
            (
                "PersistentVolumeClaim",
                json!({"metadata": {"deletionTimestamp": NOW}, "spec": {"volumeName": "pv", "volumeAttributesClassName": "gold"},
                    "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": modes}}),
                json!(["a", "Terminating", "pv", "1Gi", "RWO,RWX", "", "gold", "5m", "<unset>"]),
            ),
            (
                "PersistentVolume",
                json!({"spec": {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOncePod", "ReadOnlyMany"],
                    "persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": "n", "name": "c"},
                    "storageClassName": "s"}, "status": {"phase": "Bound"}}),
                json!(["a", "5Gi", "ROX,RWOP", "Retain", "Bound", "n/c", "s", "<unset>", "", "5m", "<unset>"]),
            ),
        ],
    );
    check(
        "storage.k8s.io",
        &[
            (
                "StorageClass",
                json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                    "provisioner": "p", "allowVolumeExpansion": true, "volumeBindingMode": "WaitForFirstConsumer"}),
                json!(["a (default)", "p", "Delete", "WaitForFirstConsumer", true, "5m"]),
            ),
            ("StorageClass", json!({"provisioner": "p"}), json!(["a", "p", "Delete", "Immediate", false, "5m"])),
            ("VolumeAttributesClass", json!({"driverName": "d"}), json!(["a", "d", "5m"])),
            (
                "VolumeAttachment",
                json!({"spec": {"attacher": "x", "nodeName": "n", "source": {"persistentVolumeName": "pv"}},
                    "status": {"attached": true}}),
                json!(["a", "x", "pv", "n", true, "5m"]),
            ),
            ("CSIDriver", json!({"spec": {}}), json!(["a", true, false, false, "<unset>", false, "<none>", "5m"])),
            (
                "CSIDriver",
                json!({"spec": {"attachRequired": false, "tokenRequests": [{"audience": "x"}, {"audience": "y"}],
                    "volumeLifecycleModes": ["Persistent", "Ephemeral"]}}),
                json!(["a", false, false, false, "x,y", false, "Persistent,Ephemeral", "5m"]),
            ),
            ("CSINode", json!({"spec": {"drivers": [{}, {}]}}), json!(["a", 2, "5m"])),
            ("CSIStorageCapacity", json!({}), json!(["a", "2026-01-01T00:55:00Z"])),
        ],
    );
    check(
        "resource.k8s.io",
        &[
            ("ResourceClaim", json!({}), json!(["a", "pending", "5m"])),
            (
                "ResourceClaim",
                json!({"metadata": {"deletionTimestamp": NOW}, "status": {"allocation": {}, "reservedFor": [{}]}}),
                json!(["a", "deleted,allocated,reserved", "5m"]),
            ),
            (
                "ResourceSlice",
                json!({"spec": {"nodeName": "n", "driver": "d", "pool": {"name": "p"}}}),
                json!(["a", "n", "d", "p", "5m"]),
            ),
            ("DeviceClass", json!({}), json!(["a", "5m"])),
        ],
    );
}

#[test]
fn access() {
    let subjects = json!([{"kind": "User", "name": "u"}, {"kind": "Group", "name": "g"}, {"kind": "User", "name": "v"},
        {"kind": "ServiceAccount", "namespace": "n", "name": "s"}]);
    check(
        "rbac.authorization.k8s.io",
        &[
            ("Role", json!({}), json!(["a", "2026-01-01T00:55:00Z"])),
            (
                "RoleBinding",
                json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": subjects}),
                json!(["a", "Role/r", "5m", "u, v", "g", "n/s"]),
            ),
        ],
    );
    check(
        "certificates.k8s.io",
        &[
            (
                "CertificateSigningRequest",
                json!({"spec": {"signerName": "s", "username": "u", "expirationSeconds": 3600},
                    "status": {"conditions": [{"type": "Approved"}], "certificate": "x"}}),
                json!(["a", "5m", "s", "u", "60m", "Approved,Issued"]),
            ),
            ("CertificateSigningRequest", json!({}), json!(["a", "5m", "<none>", "", "<none>", "Pending"])),
        ],
    );
    check(
        "admissionregistration.k8s.io",
        &[
            ("ValidatingWebhookConfiguration", json!({"webhooks": [{}]}), json!(["a", 1, "5m"])),
            (
                "ValidatingAdmissionPolicy",
                json!({"spec": {"validations": [{}, {}], "paramKind": {"apiVersion": "g/v1", "kind": "K"}}}),
                json!(["a", 2, "g/v1/K", "5m"]),
            ),
            ("MutatingAdmissionPolicy", json!({"spec": {"mutations": [{}]}}), json!(["a", 1, "<unset>", "5m"])),
            (
                "ValidatingAdmissionPolicyBinding",
                json!({"spec": {"policyName": "p", "paramRef": {"name": "x"}}}),
                json!(["a", "p", "*/x", "5m"]),
            ),
        ],
    );
    check(
        "apiregistration.k8s.io",
        &[
            (
                "APIService",
                json!({"status": {"conditions": [{"type": "Available", "status": "True", "reason": "Local"}]}}),
                json!(["a", "Local", "True", "5m"]),
            ),
            (
                "APIService",
                json!({"spec": {"service": {"namespace": "n", "name": "s"}},
                    "status": {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]}}),
                json!(["a", "n/s", "False (MissingEndpoints)", "5m"]),
            ),
        ],
    );
    check(
        "flowcontrol.apiserver.k8s.io",
        &[
            (
                "FlowSchema",
                json!({"spec": {"priorityLevelConfiguration": {"name": "p"}, "matchingPrecedence": 9,
                    "distinguisherMethod": {"type": "ByUser"}}, "status": {"conditions": [{"type": "Dangling", "status": "False"}]}}),
                json!(["a", "p", 9, "ByUser", "5m", "False"]),
            ),
            (
                "PriorityLevelConfiguration",
                json!({"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 5,
                    "limitResponse": {"queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50}}}}}),
                json!(["a", "Limited", 5, 64, 6, 50, "5m"]),
            ),
            (
                "PriorityLevelConfiguration",
                json!({"spec": {"type": "Exempt"}}),
                json!(["a", "Exempt", "<none>", "<none>", "<none>", "<none>", "5m"]),
            ),
        ],
    );
    check("apiextensions.k8s.io", &[("CustomResourceDefinition", json!({}), json!(["a", "2026-01-01T00:55:00Z"]))]);
}
