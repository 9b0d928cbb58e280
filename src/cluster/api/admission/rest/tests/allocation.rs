//! Services: the addresses and ports they get.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::allocate;
use super::*;
use proptest::prelude::*;

fn given(spec: Value, random: u64) -> Result<Value, Vec<String>> {
    let mut service = json!({"metadata": {"name": "s"}, "spec": spec});
    defaults(&kind("Service"), &mut service);
    allocate(&mut service, None, &|_| false, &|_| false, random).map_err(|errors| told(&errors))?;
    Ok(service["spec"].clone())
}

#[test]
fn headless_services_get_families_alone() {
    let spec = given(json!({"clusterIP": "None", "selector": {"a": "b"}}), 1).unwrap();
    assert_eq!((&spec["clusterIPs"], &spec["ipFamilies"]), (&json!(["None"]), &json!(["IPv4"])));
    assert_eq!(spec["ipFamilyPolicy"], "SingleStack");
    let spec = given(json!({"clusterIP": "None"}), 1).unwrap();
    assert_eq!((&spec["ipFamilies"], &spec["ipFamilyPolicy"]), (&json!(["IPv4", "IPv6"]), &json!("RequireDualStack")));
    let spec = given(json!({"type": "ExternalName"}), 1).unwrap();
    assert_eq!((spec.get("clusterIP"), spec.get("ipFamilies")), (None, None));
    let spec = given(json!({"ipFamilyPolicy": "PreferDualStack", "ports": [{"port": 1}]}), 1).unwrap();
    assert_eq!((&spec["ipFamilies"], &spec["ipFamilyPolicy"]), (&json!(["IPv4"]), &json!("PreferDualStack")));
}

#[test]
fn a_port_in_two_protocols_has_one_number() {
    let ports = json!([
        {"name": "a", "port": 53, "protocol": "TCP"},
        {"name": "b", "port": 53, "protocol": "UDP", "nodePort": 30053},
        {"name": "c", "port": 80},
    ]);
    let spec = given(json!({"type": "NodePort", "ports": ports}), 0).unwrap();
    let numbers: Vec<i64> = [0, 1, 2].map(|index| spec["ports"][index]["nodePort"].as_i64().unwrap()).to_vec();
    assert_eq!(numbers[..2], [30053, 30053]);
    assert!(numbers[2] != 30053 && numbers[2] > 30000);
    let none = json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{"port": 80}]});
    assert_eq!(given(none, 0).unwrap()["ports"][0].get("nodePort"), None);
    let health = json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]});
    let spec = given(health, 0).unwrap();
    assert!(spec["healthCheckNodePort"].as_i64().unwrap() != spec["ports"][0]["nodePort"].as_i64().unwrap());
}

#[test]
fn the_last_address_is_found() {
    let free = "10.96.0.9";
    let mut service = json!({"spec": {"ports": [{"port": 80}]}});
    defaults(&kind("Service"), &mut service);
    allocate(&mut service, None, &|address| address != free, &|_| false, u64::MAX).unwrap();
    assert_eq!(service["spec"]["clusterIP"], free);
    let full = allocate(&mut json!({"spec": {"type": "ClusterIP"}}), None, &|_| true, &|_| true, 5);
    assert_eq!(
        told(&full.unwrap_err()),
        ["spec.clusterIPs: Invalid value: []: failed to allocate a serviceIP: range is full"]
    );
}

proptest! {
    #[test]
    fn nothing_is_given_twice(randoms in proptest::collection::vec(any::<u64>(), 1..40)) {
        let addresses = RefCell::new(BTreeSet::from(["10.96.0.1".to_owned()]));
        let ports = RefCell::new(BTreeSet::new());
        for random in randoms {
            let mut service = json!({"spec": {"type": "NodePort", "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}});
            defaults(&kind("Service"), &mut service);
            let taken_ip = |address: &str| addresses.borrow().contains(address);
            let taken_port = |port: i64| ports.borrow().contains(&port);
            prop_assert!(allocate(&mut service, None, &taken_ip, &taken_port, random % 3).is_ok());
            let address = service["spec"]["clusterIP"].as_str().unwrap().to_owned();
            prop_assert!(address.starts_with("10.96."));
            prop_assert!(addresses.borrow_mut().insert(address));
            for index in [0, 1] {
                let port = service["spec"]["ports"][index]["nodePort"].as_i64().unwrap();
                prop_assert!((30000..=32767).contains(&port) && ports.borrow_mut().insert(port));
            }
        }
    }
}
