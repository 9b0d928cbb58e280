//! Endpoints of services.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::cluster::object::text;
use crate::cluster::sim::rig::Rig;

fn service(name: &str, spec: Value) -> Value {
    let metadata = json!({"name": name, "namespace": "default", "labels": {"app": "web"}});
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
}

fn pod(name: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.25", "ports": [{"name": "http", "containerPort": port}]}]},
    })
}

fn slice(rig: &Rig) -> Value {
    rig.find("endpointslices.discovery.k8s.io", "web-")
}

#[test]
fn a_slice_and_endpoints_follow_the_pods() {
    let mut rig = Rig::usual();
    let key = rig.create(
        "services",
        service(
            "web",
            json!({"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80, "protocol": "TCP"}]}),
        ),
    );
    rig.run(Duration::from_millis(1));
    assert_eq!(slice(&rig)["endpoints"], Value::Null);
    assert_eq!(rig.get("endpoints", &key).get("subsets"), None);
    rig.create("pods", pod("a", 80));
    rig.run(Duration::from_secs(2));
    let uid = text(&rig.get("pods", &Key::new("default", "a")), &["metadata", "uid"]).to_owned();
    let reference = json!({"kind": "Pod", "name": "a", "namespace": "default", "uid": uid});
    let slice_now = slice(&rig);
    assert_eq!(slice_now["addressType"], "IPv4");
    assert_eq!(
        slice_now["endpoints"],
        json!([{
            "addresses": ["10.244.0.2"], "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": "foredeck-control-plane", "targetRef": reference,
        }])
    );
    assert_eq!(slice_now["ports"], json!([{"name": "", "port": 80, "protocol": "TCP"}]));
    assert_eq!(
        slice_now["metadata"]["labels"],
        json!({
            "app": "web", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            "kubernetes.io/service-name": "web",
        })
    );
    assert_eq!(
        rig.get("endpoints", &key)["subsets"],
        json!([{
            "addresses": [{"ip": "10.244.0.2", "nodeName": "foredeck-control-plane", "targetRef": reference}],
            "ports": [{"port": 80, "protocol": "TCP"}],
        }])
    );
    rig.assert_quiet();

    rig.delete("pods", &Key::new("default", "a"), None, "");
    rig.run(Duration::from_millis(100));
    assert_eq!(
        slice(&rig)["endpoints"][0]["conditions"],
        json!({"ready": false, "serving": true, "terminating": true})
    );
    assert_eq!(rig.get("endpoints", &key).get("subsets"), None);
    rig.run(Duration::from_secs(1));
    assert_eq!(slice(&rig)["endpoints"], Value::Null);
    rig.assert_quiet();

    rig.delete("services", &key, None, "");
    rig.run(Duration::from_millis(1));
    assert_eq!((slice(&rig), rig.get("endpoints", &key)), (Value::Null, Value::Null));
}

#[test]
fn pods_that_are_not_ready_are_listed_apart_or_published() {
    for (publish, ready) in [(false, false), (true, true)] {
        let mut rig = Rig::usual();
        let spec = json!({"selector": {"app": "web"}, "clusterIP": "None", "publishNotReadyAddresses": publish, "ports": [{"port": 80}]});
        let key = rig.create("services", service("web", spec));
        let mut pod = pod("a", 80);
        pod["spec"]["hostname"] = "db-0".into();
        pod["spec"]["subdomain"] = "web".into();
        pod["spec"]["containers"][0]["readinessProbe"] = json!({"tcpSocket": {"port": 80}, "initialDelaySeconds": 100});
        rig.create("pods", pod);
        rig.run(Duration::from_secs(3));
        let endpoint = slice(&rig)["endpoints"][0].clone();
        assert_eq!(endpoint["conditions"], json!({"ready": ready, "serving": false, "terminating": false}));
        assert_eq!(endpoint["hostname"], "db-0");
        assert_eq!(slice(&rig)["metadata"]["labels"]["service.kubernetes.io/headless"], "");
        let member = if publish { "addresses" } else { "notReadyAddresses" };
        assert_eq!(rig.get("endpoints", &key)["subsets"][0][member][0]["ip"], "10.244.0.2");
        rig.assert_quiet();
    }
}

#[test]
fn named_ports_are_each_pods_own() {
    let mut rig = Rig::usual();
    let spec = json!({"selector": {"app": "web"}, "ports": [{"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"}]});
    rig.create("services", service("web", spec));
    rig.create("pods", pod("a", 80));
    rig.create("pods", pod("b", 8080));
    rig.run(Duration::from_secs(2));
    let slices = rig.store.list("endpointslices.discovery.k8s.io", "default").map(|slice| slice.value());
    let mut ports: Vec<_> = slices
        .filter(|slice| text(slice, &["metadata", "generateName"]).is_empty())
        .map(|slice| slice["ports"][0]["port"].clone())
        .collect();
    ports.retain(|port| port != 6443);
    assert_eq!(ports, [json!(80), json!(8080)]);
    rig.assert_quiet();
}

#[test]
fn many_endpoints_are_parted_into_slices() {
    let mut rig = Rig::usual();
    rig.timings = crate::cluster::sim::kubelet::Timings::instant();
    rig.create("services", service("web", json!({"selector": {"app": "web"}, "ports": [{"port": 80}]})));
    for number in 0..101 {
        rig.create("pods", pod(&format!("p{number}"), 80));
    }
    rig.run(Duration::from_secs(1));
    let slices = rig.store.list("endpointslices.discovery.k8s.io", "default").map(|slice| slice.value());
    let mut sizes: Vec<_> = slices.filter_map(|slice| slice["endpoints"].as_array().map(Vec::len)).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 100], "the first one is the API's");
    rig.assert_quiet();
}

#[test]
fn services_without_selector_are_left_alone() {
    let mut rig = Rig::usual();
    for (name, spec) in [
        ("bare", json!({"ports": [{"port": 80}]})),
        ("ext", json!({"type": "ExternalName", "externalName": "example.com"})),
    ] {
        let key = rig.create("services", service(name, spec));
        rig.run(Duration::from_secs(1));
        assert!(rig.get("endpoints", &key).is_null());
    }
    assert!(!rig.get("endpoints", &Key::new("default", "kubernetes")).is_null());
    rig.assert_quiet();
}

#[test]
fn endpoints_written_by_hand_are_mirrored() {
    let mut rig = Rig::usual();
    let key = rig.create("services", service("web", json!({"ports": [{"port": 80}]})));
    let subsets = json!([{"addresses": [{"ip": "1.2.3.4"}], "notReadyAddresses": [{"ip": "1.2.3.5"}], "ports": [{"port": 80, "protocol": "TCP"}]}]);
    let metadata = json!({"name": "web", "namespace": "default"});
    rig.create("endpoints", json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": subsets}));
    rig.run(Duration::from_secs(1));
    let mirrored = slice(&rig);
    assert_eq!(
        mirrored["endpoints"],
        json!([
            {"addresses": ["1.2.3.4"], "conditions": {"ready": true}}, {"addresses": ["1.2.3.5"], "conditions": {"ready": false}},
        ])
    );
    assert_eq!(mirrored["ports"], json!([{"name": "", "port": 80, "protocol": "TCP"}]));
    assert_eq!(mirrored["metadata"]["ownerReferences"][0]["kind"], "Endpoints");
    rig.assert_quiet();
    rig.delete("endpoints", &key, None, "");
    rig.run(Duration::from_secs(1));
    assert_eq!(slice(&rig), Value::Null);
}

#[test]
fn load_balancers_stay_pending_unless_told_otherwise() {
    for (balancers, expected) in [
        (LoadBalancers::Pending, None),
        (LoadBalancers::Assigned { after: Duration::from_secs(3) }, Some("172.18.255.7")),
    ] {
        let mut rig = Rig::usual();
        rig.balancers = balancers;
        let spec = json!({"type": "LoadBalancer", "clusterIP": "10.96.0.7", "selector": {"app": "web"}, "ports": [{"port": 80}]});
        let mut object = service("lb", spec);
        object["status"] = json!({"loadBalancer": {}});
        let key = rig.create("services", object);
        rig.run(Duration::from_secs(2));
        assert_eq!(rig.get("services", &key)["status"], json!({"loadBalancer": {}}));
        rig.run(Duration::from_secs(2));
        let ingress = rig.get("services", &key)["status"]["loadBalancer"]["ingress"][0]["ip"].clone();
        assert_eq!(ingress.as_str(), expected);
        rig.assert_quiet();
    }
}
