//! Tests of quotas: what they let through, what they count.

use super::*;
use serde_json::json;

fn quota(hard: Value, used: Value) -> Value {
    json!({"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}})
}

fn pod(resources: Value) -> Value {
    json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "resources": resources}]}})
}

/// What is said, or the new `used` of the quotas that change.
fn outcome(group: &str, kind: &str, plural: &str, object: &Value, quotas: &[Value]) -> Result<Vec<Value>, String> {
    let changed = check(&GroupKind::new(group, kind), plural, object, None, quotas)?;
    Ok(changed.iter().map(|quota| quota["status"]["used"].clone()).collect())
}

#[test]
fn new_objects_need_room() {
    let cm = json!({"metadata": {"name": "b"}});
    let full = [quota(json!({"configmaps": "2", "pods": "1"}), json!({"configmaps": "2", "pods": "0"}))];
    assert_eq!(
        outcome("", "ConfigMap", "configmaps", &cm, &full),
        Err("exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2".to_owned())
    );
    let room = [quota(json!({"configmaps": "2", "pods": "1"}), json!({"configmaps": "1", "pods": "0"}))];
    assert_eq!(outcome("", "ConfigMap", "configmaps", &cm, &room), Ok(vec![json!({"configmaps": "2", "pods": "0"})]));
    assert_eq!(outcome("", "Secret", "secrets", &cm, &room), Ok(vec![]));
    assert_eq!(outcome("apps", "Deployment", "deployments", &cm, &full), Ok(vec![]));
    let counted = [quota(json!({"count/deployments.apps": "1"}), json!({"count/deployments.apps": "1"}))];
    assert_eq!(
        outcome("apps", "Deployment", "deployments", &cm, &counted),
        Err("exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: \
             count/deployments.apps=1"
            .to_owned())
    );
    let unknown = [json!({"metadata": {"name": "q"}, "status": {"hard": {"configmaps": "1"}}})];
    assert_eq!(
        outcome("", "ConfigMap", "configmaps", &cm, &unknown),
        Err("status unknown for quota: q, resources: configmaps".to_owned())
    );
}

#[test]
fn pods_are_measured() {
    let hard = json!({"pods": "2", "requests.cpu": "1", "limits.memory": "1Gi", "requests.example.com/gpu": "1"});
    let used = json!({"pods": "1", "requests.cpu": "500m", "limits.memory": "0", "requests.example.com/gpu": "0"});
    let quotas = [quota(hard, used)];
    let outcome = |resources| outcome("", "Pod", "pods", &pod(resources), &quotas);
    assert_eq!(
        outcome(json!({})),
        Err("failed quota: q: must specify limits.memory for: c; requests.cpu for: c".to_owned())
    );
    assert_eq!(
        outcome(json!({"requests": {"cpu": "600m"}, "limits": {"memory": "2Gi"}})),
        Err("exceeded quota: q, requested: limits.memory=2Gi,requests.cpu=600m, used: \
             limits.memory=0,requests.cpu=500m, limited: limits.memory=1Gi,requests.cpu=1"
            .to_owned())
    );
    assert_eq!(
        outcome(json!({"requests": {"cpu": "500m", "example.com/gpu": "1"}, "limits": {"memory": "512Mi"}})),
        Ok(vec![json!({
            "pods": "2", "requests.cpu": "1", "limits.memory": "512Mi", "requests.example.com/gpu": "1"
        })])
    );
}

#[test]
fn scopes_choose_pods() {
    let with = |scopes: Value| {
        let mut quota = quota(json!({"pods": "0"}), json!({"pods": "0"}));
        quota["spec"]["scopes"] = scopes;
        [quota]
    };
    let refused = |object: &Value, quotas: &[Value]| outcome("", "Pod", "pods", object, quotas).is_err();
    let best_effort = pod(json!({}));
    let burstable = pod(json!({"requests": {"cpu": "1"}}));
    assert!(refused(&best_effort, &with(json!(["BestEffort"]))) && !refused(&burstable, &with(json!(["BestEffort"]))));
    assert!(refused(&burstable, &with(json!(["NotBestEffort", "NotTerminating"]))));
    assert!(!refused(&burstable, &with(json!(["Terminating"]))));
    let mut urgent = pod(json!({}));
    urgent["spec"]["priorityClassName"] = "high".into();
    let mut by_class = quota(json!({"pods": "0"}), json!({"pods": "0"}));
    by_class["spec"]["scopeSelector"]["matchExpressions"] =
        json!([{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]);
    assert!(refused(&urgent, std::slice::from_ref(&by_class)) && !refused(&best_effort, &[by_class]));
    let cm = outcome("", "ConfigMap", "configmaps", &json!({}), &with(json!(["BestEffort"])));
    assert_eq!(cm, Ok(vec![]), "scopes are of pods alone");
}

#[test]
fn a_change_pays_the_difference() {
    let claim =
        |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}, "storageClassName": "fast"}});
    let resource = "fast.storageclass.storage.k8s.io/requests.storage";
    let quotas = [quota(json!({resource: "3Gi"}), json!({resource: "2Gi"}))];
    let kind = GroupKind::new("", "PersistentVolumeClaim");
    let change = |old: &str, new: &str| {
        check(&kind, "persistentvolumeclaims", &claim(new), Some(&claim(old)), &quotas)
            .map(|changed| changed.iter().map(|quota| quota["status"]["used"][resource].clone()).collect::<Vec<_>>())
    };
    assert_eq!(change("2Gi", "3Gi"), Ok(vec![json!("3Gi")]));
    assert_eq!(change("2Gi", "1Gi"), Ok(vec![]));
    assert_eq!(
        change("1Gi", "3Gi"),
        Err(format!("exceeded quota: q, requested: {resource}=2Gi, used: {resource}=2Gi, limited: {resource}=3Gi"))
    );
}

#[test]
fn counts_all_objects() {
    let hard = json!({
        "pods": "5", "count/pods": "9", "requests.cpu": "2", "services.nodeports": "4", "count/deployments.apps": "3",
    });
    let quota = json!({"spec": {"hard": hard}});
    let (pods, services, deployments) =
        (GroupKind::new("", "Pod"), GroupKind::new("", "Service"), GroupKind::new("apps", "Deployment"));
    let running = pod(json!({"requests": {"cpu": "300m"}}));
    let mut done = running.clone();
    done["status"]["phase"] = "Succeeded".into();
    let service = json!({"spec": {"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}});
    let mut helped = running.clone();
    helped["spec"]["initContainers"] = json!([
        {"name": "helper", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
        {"name": "first", "resources": {"requests": {"cpu": "1"}}},
    ]);
    let deployment = json!({});
    let objects = [
        (&pods, "pods", &running),
        (&pods, "pods", &done),
        (&pods, "pods", &helped),
        (&services, "services", &service),
        (&deployments, "deployments", &deployment),
    ];
    let expected = json!({"hard": hard, "used": {
        "count/deployments.apps": "1", "count/pods": "3", "pods": "2", "requests.cpu": "1400m", "services.nodeports": "2",
    }});
    assert_eq!(recount(&quota, objects), expected);
}
