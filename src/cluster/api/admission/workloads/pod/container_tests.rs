use serde_json::{Value, json};

use super::super::super::testing::{merged, pod, refused, with_container};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                         and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
                         validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

#[test]
fn variables_are_checked() {
    let env = |variables: Value| with_container(&json!({"env": variables}));
    refused(
        &pod(),
        &[
            (
                env(json!([{"name": ""}, {"name": "A=B"}])),
                &[
                    "spec.containers[0].env[0].name: Required value",
                    "spec.containers[0].env[1].name: Invalid value: \"A=B\": a valid environment variable name must consist \
                     only of printable ASCII characters other than '='",
                ],
            ),
            (
                env(json!([{"name": "A", "valueFrom": {}}])),
                &["spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, \
                   `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"],
            ),
            (
                env(json!([{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a b"}}}])),
                &[
                    "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Invalid value: \"a b\": a valid config key must \
                     consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', \
                     regex used for validation is '[-._a-zA-Z0-9]+')",
                    "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
                ],
            ),
            (
                env(json!([
                    {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}},
                    {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodes"}}},
                    {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "spec['a']"}}},
                ])),
                &[
                    "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"metadata.labels\": supported \
                     values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \
                     \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"",
                    "spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodes\": error converting \
                     fieldPath: field label not supported: spec.nodes",
                    "spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Invalid value: \"spec['a']\": error converting \
                     fieldPath: field label does not support subscript: spec['a']",
                ],
            ),
            (
                env(json!([{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.disk"}}},
                           {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1m"}}}])),
                &[
                    "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.disk\": supported \
                     values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \
                     \"requests.ephemeral-storage\", \"requests.memory\"",
                    "spec.containers[0].env[1].valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.memory\": only divisor's \
                     values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource",
                ],
            ),
            (
                with_container(&json!({"envFrom": [{}, {"configMapRef": {}, "secretRef": {"name": "_"}}]})),
                &[
                    "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`",
                    "spec.containers[0].envFrom[1].configMapRef.name: Required value",
                    &format!("spec.containers[0].envFrom[1].secretRef.name: Invalid value: \"_\": {SUBDOMAIN}"),
                    "spec.containers[0].envFrom: Invalid value: \"\": may not have more than one field specified at a time",
                ],
            ),
        ],
    );
}

#[test]
fn mounts_and_volumes_are_checked() {
    let volumes = |volumes: Value| json!({"spec": {"volumes": volumes}});
    refused(
        &pod(),
        &[
            (
                with_container(&json!({"volumeMounts": [{"name": "data", "mountPath": "/a"}, {"mountPath": "/a"}]})),
                &[
                    "spec.containers[0].volumeMounts[0].name: Not found: \"data\"",
                    "spec.containers[0].volumeMounts[1].name: Required value",
                    "spec.containers[0].volumeMounts[1].name: Not found: \"\"",
                    "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique",
                ],
            ),
            (
                merged(
                    &volumes(json!([{"name": "v", "emptyDir": {}}])),
                    &with_container(&json!({"volumeMounts": [
                        {"name": "v", "mountPath": "", "subPath": "/a/../b", "mountPropagation": "Bidirectional"},
                    ]})),
                ),
                &[
                    "spec.containers[0].volumeMounts[0].mountPath: Required value",
                    "spec.containers[0].volumeMounts.subPath: Invalid value: \"/a/../b\": must be a relative path",
                    "spec.containers[0].volumeMounts.subPath: Invalid value: \"/a/../b\": must not contain '..'",
                    "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is \
                     available only to privileged containers",
                ],
            ),
            (
                volumes(
                    json!([{"name": "a", "emptyDir": {}, "hostPath": {"path": "/"}}, {"name": "b", "configMap": {}}, {"emptyDir": {}}]),
                ),
                &[
                    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
                    "spec.volumes[1].configMap.name: Required value",
                    "spec.volumes[2].name: Required value",
                ],
            ),
            (
                volumes(json!([{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}])),
                &["spec.volumes[1].name: Duplicate value: \"a\""],
            ),
            (
                volumes(json!([
                    {"name": "a", "hostPath": {"path": "/a/..", "type": "Pipe"}},
                    {"name": "b", "secret": {"secretName": "s", "defaultMode": 1000, "items": [{"key": "", "path": "../x"}]}},
                    {"name": "c", "nfs": {"server": "x", "path": "y"}},
                    {"name": "d", "persistentVolumeClaim": {}},
                    {"name": "e", "csi": {}},
                    {"name": "f", "iscsi": {"targetPortal": "x", "iqn": "x", "lun": 256}},
                ])),
                &[
                    "spec.volumes[0].hostPath.path: Invalid value: \"/a/..\": must not contain '..'",
                    "spec.volumes[0].hostPath.type: Unsupported value: \"Pipe\": supported values: \"\", \"BlockDevice\", \
                     \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
                    "spec.volumes[1].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both \
                     inclusive",
                    "spec.volumes[1].secret.items[0].key: Required value",
                    "spec.volumes[1].secret.items[0].path: Invalid value: \"../x\": must not contain '..'",
                    "spec.volumes[2].nfs.path: Invalid value: \"y\": must be an absolute path",
                    "spec.volumes[3].persistentVolumeClaim.claimName: Required value",
                    "spec.volumes[4].csi.driver: Required value",
                    &format!("spec.volumes[4].csi.driver: Invalid value: \"\": {SUBDOMAIN}"),
                    "spec.volumes[5].iscsi.iqn: Invalid value: \"x\": must be valid format starting with iqn, eui, or naa",
                    "spec.volumes[5].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
                ],
            ),
            (
                volumes(json!([{"name": "p", "projected": {"sources": [
                    {"secret": {"name": "s", "items": [{"key": "k", "path": "a"}]}, "configMap": {"name": "m", "items": [{"key": "k", "path": "a"}]}},
                    {"serviceAccountToken": {"expirationSeconds": 10}},
                ]}}])),
                &[
                    "spec.volumes[0].projected: Invalid value: \"m\": conflicting duplicate paths",
                    "spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source",
                    "spec.volumes[0].projected.sources[1].serviceAccountToken.expirationSeconds: Invalid value: 10: may not \
                     specify a duration less than 10 minutes",
                    "spec.volumes[0].projected.path: Required value",
                ],
            ),
        ],
    );
}

#[test]
fn resources_are_checked() {
    let resources = |resources: Value| with_container(&json!({"resources": resources}));
    refused(
        &pod(),
        &[
            (
                resources(json!({"requests": {"cpu": "2", "memory": "2Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}})),
                &[
                    "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
                    "spec.containers[0].resources.requests: Invalid value: \"2Gi\": must be less than or equal to memory limit of 1Gi",
                ],
            ),
            (
                resources(json!({"requests": {"cpu": "-1", "disk": "1"}})),
                &[
                    "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
                    "spec.containers[0].resources.requests[disk]: Invalid value: \"disk\": must be a standard resource type or \
                     fully qualified",
                    "spec.containers[0].resources.requests[disk]: Invalid value: \"disk\": must be a standard resource for \
                     containers",
                ],
            ),
            (
                resources(json!({"requests": {"example.com/gpu": "500m"}})),
                &[
                    "spec.containers[0].resources.requests[example.com/gpu]: Invalid value: \"500m\": must be an integer",
                    "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
                ],
            ),
            (
                resources(json!({"limits": {"hugepages-2Mi": "3Mi"}})),
                &[
                    "spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer \
                     multiple of hugepages-2Mi",
                    "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer \
                     multiple of hugepages-2Mi",
                    "spec.containers[0].resources: Forbidden: HugePages require cpu or memory",
                ],
            ),
        ],
    );
}

#[test]
fn probes_are_checked() {
    refused(
        &pod(),
        &[
            (
                with_container(&json!({"livenessProbe": {"successThreshold": 2}})),
                &[
                    "spec.containers[0].livenessProbe: Required value: must specify a handler type",
                    "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
                ],
            ),
            (
                with_container(&json!({"readinessProbe": {
                    "exec": {}, "tcpSocket": {"port": 0}, "periodSeconds": -1, "terminationGracePeriodSeconds": 0,
                }})),
                &[
                    "spec.containers[0].readinessProbe.exec.command: Required value",
                    "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
                    "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                    "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
                    "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must not be set for \
                     readinessProbes",
                ],
            ),
            (
                with_container(
                    &json!({"startupProbe": {"httpGet": {"port": 0, "scheme": "FTP", "httpHeaders": [{"name": "a b"}]}}}),
                ),
                &[
                    "spec.containers[0].startupProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
                    "spec.containers[0].startupProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"",
                    "spec.containers[0].startupProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist \
                     of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
                ],
            ),
            (
                with_container(&json!({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}, "postStart": {}}})),
                &[
                    "spec.containers[0].lifecycle.postStart: Required value: must specify a handler type",
                    "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than \
                     terminationGracePeriodSeconds (30)",
                ],
            ),
        ],
    );
}
