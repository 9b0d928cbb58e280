//! Services: defaults and validation.

use super::super::allocate;
use super::*;

/// What is wrong with a new service, addresses and all.
fn refused_service(spec: Value) -> Vec<String> {
    let mut service = json!({"metadata": {"name": "s", "namespace": "ns"}, "spec": spec});
    defaults(&kind("Service"), &mut service);
    if let Err(errors) = allocate(&mut service, None, &|address| address == "10.96.0.1", &|port| port == 30001, 7) {
        return told(&errors);
    }
    before_create(&kind("Service"), &mut service);
    let mut errors = Vec::new();
    validate(&kind("Service"), &service, None, &mut errors);
    told(&errors)
}

#[test]
fn services_are_completed() {
    let spec = |spec: Value| stored("Service", json!({"spec": spec}));
    assert_eq!(
        spec(json!({"ports": [{"port": 80}, {"port": 53, "protocol": "UDP", "targetPort": "dns"}]})),
        json!({
            "spec": {
                "ports": [
                    {"port": 80, "protocol": "TCP", "targetPort": 80},
                    {"port": 53, "protocol": "UDP", "targetPort": "dns"},
                ],
                "sessionAffinity": "None", "type": "ClusterIP", "internalTrafficPolicy": "Cluster",
            },
            "status": {"loadBalancer": {}},
        })
    );
    assert_eq!(
        spec(json!({"type": "LoadBalancer", "sessionAffinity": "ClientIP"}))["spec"],
        json!({
            "type": "LoadBalancer", "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}, "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Cluster", "allocateLoadBalancerNodePorts": true,
        })
    );
    assert_eq!(
        spec(json!({"type": "ExternalName", "externalName": "example.com"}))["spec"],
        json!({"type": "ExternalName", "externalName": "example.com", "sessionAffinity": "None"})
    );
}

#[test]
fn services_are_checked() {
    let ports = |ports: Value| json!({"ports": ports});
    let port = "must be between 1 and 65535, inclusive";
    let cases: [(Value, Vec<String>); 20] = [
        (ports(json!([])), vec!["spec.ports: Required value".into()]),
        (ports(json!([{"port": 0}])), vec![
            format!("spec.ports[0].port: Invalid value: 0: {port}"),
            format!("spec.ports[0].targetPort: Invalid value: 0: {port}"),
        ]),
        (ports(json!([{"port": 80}, {"port": 81}])), vec![
            "spec.ports[0].name: Required value".into(),
            "spec.ports[1].name: Required value".into(),
        ]),
        (ports(json!([{"port": 80, "name": "a"}, {"port": 80, "name": "a"}])), vec![
            "spec.ports[1].name: Duplicate value: \"a\"".into(),
            "spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\
             \"TargetPort\":0,\"NodePort\":0}"
                .into(),
        ]),
        (ports(json!([{"port": 80, "protocol": "ICMP"}])), vec![
            "spec.ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"".into(),
        ]),
        (json!({"type": "Nope", "ports": [{"port": 80}]}), vec![
            "spec.type: Unsupported value: \"Nope\": supported values: \"ClusterIP\", \"ExternalName\", \
             \"LoadBalancer\", \"NodePort\""
                .into(),
        ]),
        (json!({"clusterIP": "1.2.3.4", "ports": [{"port": 80}]}), vec![
            "spec.clusterIPs: Invalid value: [\"1.2.3.4\"]: failed to allocate IP 1.2.3.4: the provided network does not \
             match the current range"
                .into(),
        ]),
        (json!({"clusterIP": "10.96.0.1", "ports": [{"port": 80}]}), vec![
            "spec.clusterIPs: Invalid value: [\"10.96.0.1\"]: failed to allocate IP 10.96.0.1: provided IP is already \
             allocated"
                .into(),
        ]),
        (json!({"clusterIP": "x", "ports": [{"port": 80}]}), vec![
            "spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
                .into(),
        ]),
        (ports(json!([{"port": 80, "nodePort": 31000}])), vec![
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'".into(),
        ]),
        (json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}), vec![
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid \
             ports is 30000-32767"
                .into(),
        ]),
        (json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}), vec![
            "spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated".into(),
        ]),
        (json!({"type": "NodePort", "clusterIP": "None", "ports": [{"port": 80}]}), vec![
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services".into(),
        ]),
        (json!({"type": "ExternalName"}), vec!["spec.externalName: Required value".into()]),
        (json!({"externalTrafficPolicy": "Local", "ports": [{"port": 80}]}), vec![
            "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services"
                .into(),
        ]),
        (json!({"sessionAffinity": "Odd", "ports": [{"port": 80}]}), vec![
            "spec.sessionAffinity: Unsupported value: \"Odd\": supported values: \"ClientIP\", \"None\"".into(),
        ]),
        (json!({"ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80}]}), vec![
            "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack \
             services"
                .into(),
        ]),
        (json!({"ipFamilies": ["IPv6"], "ports": [{"port": 80}]}), vec![
            "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster".into(),
        ]),
        (json!({"externalIPs": ["127.0.0.1"], "ports": [{"port": 80}]}), vec![
            "spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)"
                .into(),
        ]),
        (json!({"loadBalancerSourceRanges": ["10.0.0.1/8"], "ports": [{"port": 80}]}), vec![
            "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'".into(),
            "spec.LoadBalancerSourceRanges[0]: Invalid value: \"10.0.0.1/8\": must not have bits set beyond the prefix \
             length"
                .into(),
        ]),
    ];
    for (spec, expected) in cases {
        assert_eq!(refused_service(spec), expected);
    }
    for fine in [
        json!({"ports": [{"port": 80}]}),
        json!({"clusterIP": "None"}),
        json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]}),
        json!({"type": "ExternalName", "externalName": "example.com."}),
        json!({"clusterIP": "10.96.77.77", "ports": [{"port": 80, "targetPort": "http"}]}),
    ] {
        assert_eq!(refused_service(fine), [] as [&str; 0]);
    }
}

#[test]
fn names_are_labels() {
    let named = |name: &str| {
        let mut errors = Vec::new();
        let mut service = json!({"metadata": {"name": name, "namespace": "ns"}, "spec": {"ports": [{"port": 80}]}});
        made("Service", &mut service);
        validate(&kind("Service"), &service, None, &mut errors);
        told(&errors)
    };
    assert_eq!(named("1bad"), [] as [&str; 0]);
    assert_eq!(named("a.b"), ["metadata.name: Invalid value: \"a.b\": must not contain dots"]);
}

/// A service with addresses, changed by a merge of `spec`: what is wrong, and the spec that comes out.
fn changed(first: Value, spec: Value) -> (Vec<String>, Value) {
    let mut old = json!({"metadata": {"name": "s", "namespace": "ns"}, "spec": first});
    defaults(&kind("Service"), &mut old);
    allocate(&mut old, None, &|_| false, &|_| false, 3).unwrap();
    before_create(&kind("Service"), &mut old);
    let mut new = old.clone();
    json_patch::merge(&mut new["spec"], &spec);
    defaults(&kind("Service"), &mut new);
    let taken = |address: &str| old["spec"]["clusterIP"] == address;
    if let Err(errors) = allocate(&mut new, Some(&old), &taken, &|port| old["spec"]["ports"][0]["nodePort"] == port, 9)
    {
        return (told(&errors), new["spec"].clone());
    }
    before_update(&kind("Service"), &mut new, &old);
    let mut errors = Vec::new();
    validate(&kind("Service"), &new, Some(&old), &mut errors);
    (told(&errors), new["spec"].clone())
}

#[test]
fn services_change_their_type() {
    let plain = json!({"ports": [{"port": 80}]});
    let (errors, _) = changed(plain.clone(), json!({"clusterIP": "10.96.77.77"}));
    assert_eq!(errors, ["spec.clusterIPs[0]: Invalid value: [\"10.96.77.77\"]: may not change once set"]);
    let (errors, spec) = changed(plain.clone(), json!({"type": "NodePort"}));
    assert_eq!(errors, [] as [&str; 0]);
    assert!(spec["ports"][0]["nodePort"].as_i64().is_some_and(|port| (30000..=32767).contains(&port)));
    assert_eq!(spec["externalTrafficPolicy"], "Cluster");
    let (errors, spec) = changed(json!({"type": "NodePort", "ports": [{"port": 80}]}), json!({"type": "ClusterIP"}));
    assert_eq!(errors, [] as [&str; 0]);
    assert_eq!(spec["ports"], json!([{"port": 80, "protocol": "TCP", "targetPort": 80}]));
    assert_eq!(spec.get("externalTrafficPolicy"), None);
    let (errors, spec) = changed(plain.clone(), json!({"type": "ExternalName", "externalName": "example.com"}));
    assert_eq!(errors, [] as [&str; 0]);
    assert_eq!((spec.get("clusterIP"), spec.get("clusterIPs"), spec.get("ipFamilies")), (None, None, None));
    // a PUT without the address keeps it
    let (errors, spec) = changed(plain, json!({"clusterIP": null, "clusterIPs": null, "selector": {"a": "b"}}));
    assert_eq!(errors, [] as [&str; 0]);
    assert!(spec["clusterIP"].is_string() && spec["clusterIPs"][0] == spec["clusterIP"]);
}
