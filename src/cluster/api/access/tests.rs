//! Tests of who may do what.

use super::*;
use crate::cluster::object::text;

fn role(kind: &str, name: &str, rules: Value) -> Value {
    json!({"kind": kind, "metadata": {"name": name, "namespace": "ns"}, "rules": rules})
}

fn binding(name: &str, kind: &str, role: &str, subject: Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "ns"}, "roleRef": {"kind": kind, "name": role}, "subjects": [subject]})
}

fn bob() -> User {
    User::new("bob", &[AUTHENTICATED])
}

/// The objects that every cluster has, by kind.
fn bootstrap(plural: &str) -> Vec<Value> {
    bootstrap_objects().iter().filter(|(known, _)| *known == plural).map(|(_, object)| object.clone()).collect()
}

const LIST_PODS: Attributes<'_> =
    Attributes { verb: "list", group: "", resource: "pods", subresource: "", name: "", namespace: "ns", path: "" };

#[test]
fn rules_permit() {
    let rule = |rule: Value, attributes: Attributes<'_>| rules::permits(&rule, &attributes);
    let pods =
        json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "*/scale", "deployments/status"]});
    let get = |resource, subresource, name| Attributes { verb: "get", resource, subresource, name, ..LIST_PODS };
    assert!(rule(pods.clone(), LIST_PODS));
    assert!(!rule(pods.clone(), Attributes { verb: "watch", ..LIST_PODS }));
    assert!(!rule(pods.clone(), Attributes { group: "apps", ..LIST_PODS }));
    assert!(!rule(pods.clone(), get("pods", "log", "x")));
    assert!(
        rule(pods.clone(), get("deployments", "scale", "x")) && rule(pods.clone(), get("deployments", "status", "x"))
    );
    assert!(!rule(pods, get("deployments", "", "x")));
    let named = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["x"]});
    assert!(rule(named.clone(), get("secrets", "", "x")) && !rule(named, get("secrets", "", "y")));
    let paths = json!({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/apis/*"]});
    let path = |path| Attributes { verb: "get", path, ..Attributes::default() };
    assert!(rule(paths.clone(), path("/healthz")) && rule(paths.clone(), path("/apis/apps")));
    assert!(!rule(paths.clone(), path("/healthz/x")) && !rule(paths, LIST_PODS));
}

#[test]
fn bindings_give_roles_in_their_place() {
    let reader = json!([{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}]);
    let roles = [role("Role", "reader", reader.clone())];
    let cluster_roles = [role("ClusterRole", "reader", reader)];
    let bindings = [binding("bob", "Role", "reader", json!({"kind": "User", "name": "bob"}))];
    let policy = Policy { roles: &roles, role_bindings: &bindings, cluster_roles: &cluster_roles, ..Policy::default() };
    let verdict = decide(&policy, &bob(), &LIST_PODS);
    let reason = "RBAC: allowed by RoleBinding \"bob/ns\" of Role \"reader\" to User \"bob\"";
    assert_eq!(verdict, Verdict { allowed: true, reason: reason.to_owned() });
    assert!(!allowed(&policy, &bob(), &Attributes { namespace: "", ..LIST_PODS }));
    assert!(!allowed(&policy, &bob(), &Attributes { namespace: "other", ..LIST_PODS }));
    assert!(!allowed(&policy, &User::new("eve", &[]), &LIST_PODS));
    assert!(allowed(&policy, &User::new("eve", &[MASTERS]), &LIST_PODS));

    let accounts = [binding("b", "ClusterRole", "reader", json!({"kind": "ServiceAccount", "name": "sa"}))];
    let policy = Policy { cluster_roles: &cluster_roles, role_bindings: &accounts, ..Policy::default() };
    let verdict = decide(&policy, &User::new("system:serviceaccount:ns:sa", &[]), &LIST_PODS);
    let reason = "RBAC: allowed by RoleBinding \"b/ns\" of ClusterRole \"reader\" to ServiceAccount \"sa/ns\"";
    assert_eq!(verdict.reason, reason);
    assert!(!allowed(&policy, &User::new("system:serviceaccount:other:sa", &[]), &LIST_PODS));

    let nobody = [binding("b", "Role", "gone", json!({"kind": "Group", "name": AUTHENTICATED}))];
    let policy = Policy { role_bindings: &nobody, ..Policy::default() };
    let expected =
        Verdict { allowed: false, reason: "RBAC: role.rbac.authorization.k8s.io \"gone\" not found".to_owned() };
    assert_eq!(decide(&policy, &bob(), &LIST_PODS), expected);
}

#[test]
fn refusals_say_who_what_and_where() {
    let said = |attributes: Attributes<'_>| refusal(&bob(), &attributes, "").message;
    let cases = [
        (
            LIST_PODS,
            "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" in the namespace \"ns\"",
        ),
        (
            Attributes { verb: "delete", name: "x", ..LIST_PODS },
            "pods \"x\" is forbidden: User \"bob\" cannot delete resource \"pods\" in API group \"\" in the namespace \"ns\"",
        ),
        (
            Attributes { verb: "create", group: "apps", resource: "deployments", ..LIST_PODS },
            "deployments.apps is forbidden: User \"bob\" cannot create resource \"deployments\" in API group \"apps\" in \
             the namespace \"ns\"",
        ),
        (
            Attributes { resource: "nodes", namespace: "", ..LIST_PODS },
            "nodes is forbidden: User \"bob\" cannot list resource \"nodes\" in API group \"\" at the cluster scope",
        ),
        (
            Attributes { verb: "get", subresource: "log", name: "x", ..LIST_PODS },
            "pods \"x\" is forbidden: User \"bob\" cannot get resource \"pods/log\" in API group \"\" in the namespace \"ns\"",
        ),
        (
            Attributes { verb: "get", path: "/metrics", ..Attributes::default() },
            "forbidden: User \"bob\" cannot get path \"/metrics\"",
        ),
    ];
    for (attributes, expected) in cases {
        assert_eq!(said(attributes), expected);
    }
    let status = refusal(&bob(), &LIST_PODS, "RBAC: x").to_value();
    assert_eq!(status["details"], json!({"kind": "pods"}));
    assert!(status["message"].as_str().unwrap().ends_with("in the namespace \"ns\": RBAC: x"));
    let path = refusal(&User::new("<b>", &[]), &Attributes { verb: "get", path: "/", ..Attributes::default() }, "");
    assert_eq!(path.to_value()["message"], "forbidden: User \"&lt;b&gt;\" cannot get path \"/\"");
    assert_eq!(path.to_value()["details"], json!({}));
}

#[test]
fn every_cluster_begins_with_roles() {
    let roles = bootstrap("clusterroles");
    let names: Vec<&str> = roles.iter().map(|role| text(role, &["metadata", "name"])).collect();
    assert_eq!(names[..4], ["cluster-admin", "admin", "edit", "view"]);
    let bindings = bootstrap("clusterrolebindings");
    assert_eq!(bindings.len(), 6);
    let mut with_bob = bindings.clone();
    with_bob.push(binding("bob", "ClusterRole", "edit", json!({"kind": "User", "name": "bob"})));
    let policy = Policy { cluster_roles: &roles, cluster_role_bindings: &with_bob, ..Policy::default() };
    let may = |verb, group, resource| allowed(&policy, &bob(), &Attributes { verb, group, resource, ..LIST_PODS });
    assert!(may("list", "", "pods"), "edit has what view has");
    assert!(may("create", "apps", "deployments") && may("get", "", "secrets"));
    assert!(!may("create", "rbac.authorization.k8s.io", "roles") && !may("list", "", "nodes"));
    assert!(allowed(&policy, &bob(), &Attributes { verb: "get", path: "/apis/apps", ..Attributes::default() }));
    let anonymous =
        |path| allowed(&policy, &User::anonymous(), &Attributes { verb: "get", path, ..Attributes::default() });
    assert!(anonymous("/version") && !anonymous("/metrics"));
    let admin = roles.iter().find(|role| role["metadata"]["name"] == "admin").unwrap();
    assert_eq!(aggregated(admin, &roles), None, "the rules are there already");
    let own = json!({
        "verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"],
    });
    assert!(admin["rules"].as_array().unwrap().contains(&own));
}

#[test]
fn gathering_in_a_circle_ends() {
    let gatherer = |name: &str, joins: &str, gathers: &str| {
        json!({
            "metadata": {"name": name, "labels": {(joins): "true"}},
            "aggregationRule": {"clusterRoleSelectors": [{"matchExpressions": [{"key": gathers, "operator": "Exists"}]}]},
        })
    };
    let plain = json!({"metadata": {"name": "c", "labels": {"a": "true"}}, "rules": [{"verbs": ["get"]}]});
    let roles = [gatherer("a", "b", "a"), gatherer("b", "a", "b"), plain];
    assert_eq!(aggregated(&roles[0], &roles).unwrap()["rules"], json!([{"verbs": ["get"]}]));
}

#[test]
fn reviews_are_answered() {
    let bindings = bootstrap("clusterrolebindings");
    let roles = bootstrap("clusterroles");
    let policy = Policy { cluster_roles: &roles, cluster_role_bindings: &bindings, ..Policy::default() };
    let ask = |spec: Value| json!({"kind": "SelfSubjectAccessReview", "spec": spec});
    let pods = json!({"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": "ns"}});
    let answer = self_subject_access_review(ask(pods.clone()), &bob(), &policy).unwrap();
    assert_eq!(
        answer,
        json!({"kind": "SelfSubjectAccessReview", "spec": pods, "metadata": {}, "status": {"allowed": false}})
    );
    let master = User::new("root", &[MASTERS]);
    let answer = self_subject_access_review(ask(pods.clone()), &master, &policy).unwrap();
    assert_eq!(answer["status"], json!({"allowed": true}));
    let path = json!({"nonResourceAttributes": {"verb": "get", "path": "/api"}});
    let answer = self_subject_access_review(ask(path), &bob(), &policy).unwrap();
    let reason = "RBAC: allowed by ClusterRoleBinding \"system:discovery\" of ClusterRole \"system:discovery\" to Group \
        \"system:authenticated\"";
    assert_eq!(answer["status"], json!({"allowed": true, "reason": reason}));
    let refused = self_subject_access_review(ask(json!({})), &bob(), &policy).unwrap_err();
    assert_eq!(
        refused.message,
        "SelfSubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.resourceAttributes: Invalid value: null: \
         exactly one of nonResourceAttributes or resourceAttributes must be specified"
    );
    let mut about = ask(pods);
    about["spec"]["groups"] = json!([MASTERS]);
    assert_eq!(subject_access_review(about.clone(), &policy).unwrap()["status"]["allowed"], true);
    assert_eq!(local_subject_access_review(about.clone(), "ns", &policy).unwrap()["status"]["allowed"], true);
    let refused = local_subject_access_review(about.clone(), "other", &policy).unwrap_err();
    assert_eq!(refused.message, "spec.resourceAttributes.namespace must match namespace: other");
    about["spec"]["groups"] = json!([]);
    assert_eq!(subject_access_review(about, &policy).unwrap_err().code, 422);
}

#[test]
fn rules_are_listed() {
    let (bindings, roles) = (bootstrap("clusterrolebindings"), bootstrap("clusterroles"));
    let policy = Policy { cluster_roles: &roles, cluster_role_bindings: &bindings, ..Policy::default() };
    let review = json!({"spec": {"namespace": "ns"}});
    let answer = self_subject_rules_review(review, &bob(), &policy).unwrap();
    let expected = json!({
        "resourceRules": [
            {
                "verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
                "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            },
            {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
        ],
        "nonResourceRules": [
            {"verbs": ["get"], "nonResourceURLs": [
                "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
                "/version", "/version/",
            ]},
            {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
        ],
        "incomplete": false,
    });
    assert_eq!(answer["status"], expected);
    assert_eq!(self_subject_rules_review(json!({"spec": {}}), &bob(), &policy).unwrap_err().code, 400);
}

#[test]
fn users_are_told_who_they_are() {
    let answer = self_subject_review(json!({"kind": "SelfSubjectReview"}), &bob());
    let info = json!({"username": "bob", "groups": [AUTHENTICATED]});
    assert_eq!(answer, json!({"kind": "SelfSubjectReview", "metadata": {}, "status": {"userInfo": info}}));
    let known =
        |token: &str, audiences: &[String]| (token == "good").then(|| (User::new("bob", &[]), audiences.to_vec()));
    let review = |token: &str| token_review(json!({"spec": {"token": token}}), &known);
    assert_eq!(review("good").unwrap()["status"], json!({"authenticated": true, "user": info}));
    assert_eq!(review("bad").unwrap()["status"], json!({"user": {}, "error": "[invalid bearer token]"}));
    assert_eq!(review("").unwrap_err().code, 400);
}

#[test]
fn impersonation_needs_permission() {
    let ask = |name: &str, groups: &[&str]| Impersonation {
        name: name.to_owned(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        ..Impersonation::default()
    };
    let master = User::new("root", &[MASTERS]);
    let none = Policy::default();
    let become_ = |name: &str, groups: &[&str]| impersonate(&master, &ask(name, groups), &none).map(|user| user.groups);
    assert_eq!(become_("bob", &[]).unwrap(), [AUTHENTICATED]);
    assert_eq!(become_("bob", &["dev"]).unwrap(), ["dev", AUTHENTICATED]);
    assert_eq!(become_(ANONYMOUS, &[]).unwrap(), [UNAUTHENTICATED]);
    assert_eq!(
        become_("system:serviceaccount:ns:sa", &[]).unwrap(),
        ["system:serviceaccounts", "system:serviceaccounts:ns", AUTHENTICATED]
    );
    assert_eq!(become_("", &["dev"]).unwrap_err().code, 500);
    assert_eq!(impersonate(&bob(), &Impersonation::default(), &none), Ok(bob()));
    let refused = impersonate(&bob(), &ask("eve", &[]), &none).unwrap_err();
    assert_eq!(
        refused.message,
        "users \"eve\" is forbidden: User \"bob\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
    );
}
