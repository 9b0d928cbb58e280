use serde_json::{Value, json};

use super::super::testing::{defaulted, faults, merged, pod, refused, with_container};

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                     start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
                     validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                         and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
                         validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

#[test]
fn a_pod_with_a_bit_of_everything_is_fine() {
    let patch = json!({
        "metadata": {"labels": {"app": "web"}, "annotations": {"Example.com/Note": "x", "controller.kubernetes.io/pod-deletion-cost": "-5"}},
        "spec": {
            "volumes": [
                {"name": "e", "emptyDir": {"sizeLimit": "1Gi"}},
                {"name": "h", "hostPath": {"path": "/tmp", "type": "Directory"}},
                {"name": "s", "secret": {"secretName": "x", "items": [{"key": "a", "path": "b/c", "mode": 256}]}},
                {"name": "m", "configMap": {"name": "x"}},
                {"name": "p", "persistentVolumeClaim": {"claimName": "data"}},
                {"name": "d", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels['app']"}}]}},
                {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
                {"name": "i", "image": {"reference": "nginx"}},
                {"name": "g", "ephemeral": {"volumeClaimTemplate": {"spec": {
                    "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
                }}}},
            ],
            "initContainers": [
                {"name": "wait", "image": "busybox"},
                {"name": "side", "image": "busybox", "restartPolicy": "Always", "readinessProbe": {"exec": {"command": ["true"]}}},
            ],
            "containers": [{
                "name": "c",
                "image": "nginx",
                "ports": [{"name": "http", "containerPort": 80}, {"containerPort": 81, "hostPort": 81}],
                "env": [
                    {"name": "A", "value": "b"},
                    {"name": "a.b-c d", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
                    {"name": "S", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}},
                ],
                "envFrom": [{"prefix": "P_", "configMapRef": {"name": "x"}}],
                "volumeMounts": [
                    {"name": "e", "mountPath": "/e", "subPath": "x/y"},
                    {"name": "h", "mountPath": "/h", "readOnly": true, "recursiveReadOnly": "IfPossible"},
                ],
                "volumeDevices": [{"name": "p", "devicePath": "/dev/x"}],
                "resources": {"limits": {"cpu": "1", "example.com/gpu": "2"}, "requests": {"cpu": "500m", "example.com/gpu": 2}},
                "livenessProbe": {"httpGet": {"port": "http", "httpHeaders": [{"name": "X-A", "value": "b"}]}},
                "readinessProbe": {"tcpSocket": {"port": 80}},
                "startupProbe": {"grpc": {"port": 80}},
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}, "postStart": {"exec": {"command": ["true"]}}},
                "securityContext": {"runAsUser": 1000, "privileged": true, "seccompProfile": {"type": "RuntimeDefault"}},
            }],
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["4"]}]},
                ]}},
                "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {
                    "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}},
                }}]},
            },
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}],
            "tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoSchedule"}],
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a.b"]}],
            "dnsPolicy": "None",
            "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["a_b.c."], "options": [{"name": "ndots"}]},
            "securityContext": {"fsGroup": 1, "sysctls": [{"name": "net.core.somaxconn", "value": "1"}]},
            "activeDeadlineSeconds": 10,
            "hostname": "web",
            "os": {"name": "linux"},
        },
    });
    let object = defaulted(&merged(&pod(), &patch));
    assert_eq!(faults(&object, None), Vec::<String>::new());
}

#[test]
fn containers_are_checked() {
    refused(
        &pod(),
        &[
            (json!({"spec": {"containers": null}}), &["spec.containers: Required value"]),
            (
                json!({"spec": {"containers": [{"image": "a"}, {"name": "A"}]}}),
                &[
                    "spec.containers[0].name: Required value",
                    &format!("spec.containers[1].name: Invalid value: \"A\": {LABEL}"),
                    "spec.containers[1].image: Required value",
                ],
            ),
            (
                json!({"spec": {"containers": [{"name": "c", "image": "a"}, {"name": "c", "image": "b"}]}}),
                &["spec.containers[1].name: Duplicate value: \"c\""],
            ),
            (
                json!({"spec": {"initContainers": [{"name": "c", "image": "a", "livenessProbe": {"exec": {"command": ["a"]}}}]}}),
                &[
                    "spec.initContainers[0].name: Duplicate value: \"c\"",
                    "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without \
                     restartPolicy=Always",
                ],
            ),
            (
                with_container(&json!({"image": " nginx"})),
                &["spec.containers[0].image: Invalid value: \" nginx\": must not have leading or trailing whitespace"],
            ),
            (
                with_container(&json!({"imagePullPolicy": "Often", "terminationMessagePolicy": "Maybe"})),
                &[
                    "spec.containers[0].terminationMessagePolicy: Unsupported value: \"Maybe\": supported values: \
                     \"File\", \"FallbackToLogsOnError\"",
                    "spec.containers[0].imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \
                     \"IfNotPresent\", \"Never\"",
                ],
            ),
            (
                json!({"spec": {"ephemeralContainers": [{"name": "d", "image": "a", "ports": [{"containerPort": 1}], "targetContainerName": "x"}]}}),
                &[
                    "spec.ephemeralContainers[0].targetContainerName: Not found: \"x\"",
                    "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
                    "spec.ephemeralContainers: Forbidden: cannot be set on create",
                ],
            ),
            (
                with_container(&json!({"restartPolicyRules": [{"action": "Restart"}]})),
                &[
                    "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
                    "spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified",
                ],
            ),
        ],
    );
}

#[test]
fn ports_are_checked() {
    refused(
        &pod(),
        &[
            (
                with_container(&json!({"ports": [
                    {"name": "http", "containerPort": 80},
                    {"name": "http", "containerPort": 70000},
                    {"name": "toolongtobeaname", "hostPort": -1, "protocol": "ICMP"},
                ]})),
                &[
                    "spec.containers[0].ports[1].name: Duplicate value: \"http\"",
                    "spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
                    "spec.containers[0].ports[2].name: Invalid value: \"toolongtobeaname\": must be no more than 15 characters",
                    "spec.containers[0].ports[2].containerPort: Required value",
                    "spec.containers[0].ports[2].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
                    "spec.containers[0].ports[2].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
                ],
            ),
            (
                with_container(
                    &json!({"ports": [{"containerPort": 1, "hostPort": 80}, {"containerPort": 2, "hostPort": 80}]}),
                ),
                &["spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//80\""],
            ),
            (
                merged(
                    &json!({"spec": {"hostNetwork": true}}),
                    &with_container(&json!({"ports": [{"containerPort": 1, "hostPort": 2}]})),
                ),
                &[
                    "spec.containers[0].ports[0].hostPort: Invalid value: 2: must match `containerPort` when `hostNetwork` is true",
                ],
            ),
        ],
    );
}

#[test]
fn the_rest_of_a_pod_is_checked() {
    let spec = |members: Value| json!({ "spec": members });
    refused(
        &pod(),
        &[
            (
                spec(json!({"restartPolicy": "Sometimes", "dnsPolicy": "Mine"})),
                &[
                    "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"",
                    "spec.dnsPolicy: Unsupported value: \"Mine\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \
                     \"Default\", \"None\"",
                ],
            ),
            (
                spec(json!({"hostname": "a.b", "nodeName": "-", "activeDeadlineSeconds": 0})),
                &[
                    &format!("spec.nodeName: Invalid value: \"-\": {SUBDOMAIN}"),
                    "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
                    "spec.hostname: Invalid value: \"a.b\": must not contain dots",
                ],
            ),
            (
                spec(
                    json!({"tolerations": [{"value": "x"}, {"key": "a", "operator": "Exists", "value": "b", "tolerationSeconds": 1}, {"key": "a", "operator": "Is", "effect": "No"}]}),
                ),
                &[
                    "spec.tolerations[0].operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means \
                     \"match all values and all keys\"",
                    "spec.tolerations[1].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
                    "spec.tolerations[1].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
                    "spec.tolerations[2].operator: Unsupported value: \"Is\": supported values: \"Equal\", \"Exists\"",
                    "spec.tolerations[2].effect: Unsupported value: \"No\": supported values: \"NoSchedule\", \
                     \"PreferNoSchedule\", \"NoExecute\"",
                ],
            ),
            (
                spec(json!({"affinity": {
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []},
                        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0, "preference": {"matchExpressions": [{"key": "a", "operator": "In"}]}}],
                    },
                    "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}, "topologyKey": "x"}]},
                }})),
                &[
                    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: \
                     must have at least one node selector term",
                    "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must \
                     be in the range 1-100",
                    "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0]\
                     .values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0]\
                     .operator: Invalid value: \"Is\": not a valid selector operator",
                ],
            ),
            (
                spec(json!({"topologySpreadConstraints": [
                    {"maxSkew": 0, "whenUnsatisfiable": "Fly", "minDomains": 1},
                    {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"},
                    {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"},
                ]})),
                &[
                    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                    "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
                    "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Fly\": supported values: \
                     \"DoNotSchedule\", \"ScheduleAnyway\"",
                    "spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if \
                     whenUnsatisfiable=DoNotSchedule, not Fly",
                    "spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{z, DoNotSchedule}\"",
                ],
            ),
            (
                spec(json!({"dnsPolicy": "None"})),
                &["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
            ),
            (
                spec(json!({"hostAliases": [{"ip": "300.1.1.1", "hostnames": ["_"]}], "priorityClassName": "_"})),
                &[
                    "spec.hostAliases[0].ip: Invalid value: \"300.1.1.1\": must be a valid IP address, (e.g. 10.9.8.7 or \
                     2001:db8::ffff)",
                    &format!("spec.hostAliases[0].hostnames[0]: Invalid value: \"_\": {SUBDOMAIN}"),
                    &format!("spec.priorityClassName: Invalid value: \"_\": {SUBDOMAIN}"),
                ],
            ),
            (
                spec(
                    json!({"securityContext": {"runAsUser": -1, "seccompProfile": {"type": "Localhost"}, "fsGroupChangePolicy": "Now"}}),
                ),
                &[
                    "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
                    "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"Now\": supported values: \"Always\", \
                     \"OnRootMismatch\"",
                    "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is \
                     Localhost",
                ],
            ),
            (
                spec(json!({"schedulingGates": [{"name": "a"}, {"name": "a"}], "nodeName": "n"})),
                &[
                    "spec.schedulingGates[1]: Duplicate value: \"a\"",
                    "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
                ],
            ),
            (
                json!({"metadata": {"name": "Web_", "labels": {"run": "Web_"}}}),
                &[
                    &format!("metadata.name: Invalid value: \"Web_\": {SUBDOMAIN}"),
                    "metadata.labels: Invalid value: \"Web_\": a valid label must be an empty string or consist of alphanumeric \
                     characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or \
                     'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
                ],
            ),
            (
                json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "+1", "kubernetes.io/config.mirror": "x"}}}),
                &[
                    "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"+1\": must be a 32bit \
                     integer",
                    "metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"x\": must set spec.nodeName if mirror pod \
                     annotation is set",
                ],
            ),
            (
                spec(
                    json!({"serviceAccountName": null, "volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]}),
                ),
                &["spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when \
                   serviceAccountName is not set"],
            ),
            (
                spec(json!({"os": {"name": "windows"}, "hostPID": true, "securityContext": {"fsGroup": 1}})),
                &[
                    "spec.hostPID: Forbidden: cannot be set for a windows pod",
                    "spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod",
                ],
            ),
        ],
    );
}
