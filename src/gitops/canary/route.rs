//! The HTTPRoute that holds a canary's weights: made, changed, and read.

use serde_json::{Map, Value, json};

use super::effect::Routes;
use super::services::{Role, name};
use super::spec::Canary;
use super::weights::Strategy;
use super::workload::owner;
use crate::cluster::object::{int, list, map, text};

/// What is said of a gateway that is missing.
const NO_GATEWAY: &str = "GatewayRefs must be specified when using Gateway API as a provider.";

/// Whether a provider wants a gateway to be named; the others route what is sent to the service.
pub fn wants_gateway(provider: &str) -> bool {
    provider.starts_with("gatewayapi:")
}

/// Whether a canary names what its provider needs.
///
/// # Errors
/// When it does not; the words are for an event.
pub fn check(canary: &Canary, provider: &str) -> Result<(), String> {
    let missing = list(&canary.spec.service, &["gatewayRefs"]).is_empty() && wants_gateway(provider);
    if missing { Err(NO_GATEWAY.to_owned()) } else { Ok(()) }
}

/// The route of a canary with these weights.
///
/// # Errors
/// When the canary does not say what is needed.
pub fn route(canary: &Canary, provider: &str, routes: Routes) -> Result<Value, String> {
    let block = &canary.spec.service;
    check(canary, provider)?;
    let gateways = list(block, &["gatewayRefs"]);
    let port = int(block, &["port"]).unwrap_or(0);
    let parents = if gateways.is_empty() {
        json!([{"group": "", "kind": "Service", "name": canary.apex(), "port": port}])
    } else {
        Value::Array(gateways.to_vec())
    };
    let hosts: Vec<&Value> = list(block, &["hosts"]).iter().filter(|host| host.as_str() != Some("*")).collect();
    let mut spec = json!({"parentRefs": parents, "rules": rules(canary, routes, port)});
    if !hosts.is_empty() {
        spec["hostnames"] = json!(hosts);
    }
    let version = if provider == "gatewayapi:v1beta1" { "v1beta1" } else { "v1" };
    let mut metadata = json!({"name": canary.apex(), "namespace": canary.key.namespace,
        "ownerReferences": [owner(canary)]});
    for (member, path) in [("labels", ["apex", "labels"]), ("annotations", ["apex", "annotations"])] {
        if let Some(members) = map(block, &path) {
            metadata[member] = Value::Object(members.clone());
        }
    }
    Ok(json!({
        "apiVersion": format!("gateway.networking.k8s.io/{version}"),
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": spec,
    }))
}

fn rules(canary: &Canary, routes: Routes, port: i64) -> Vec<Value> {
    let block = &canary.spec.service;
    let backend = |role, weight: i64| json!({"group": "", "kind": "Service", "name": name(canary, role), "port": port, "weight": weight});
    let both = [backend(Role::Primary, routes.primary), backend(Role::Canary, routes.canary)];
    let mut filters = filters(block);
    let plain = matches(list(block, &["match"]));
    let rule = |matches: &[Value], backends: &[Value], filters: &[Value]| {
        let mut rule = json!({"matches": matches, "backendRefs": backends});
        if !filters.is_empty() {
            rule["filters"] = json!(filters);
        }
        if let Some(timeout) = block.get("timeout").filter(|it| it.is_string()) {
            rule["timeouts"] = json!({"request": timeout});
        }
        rule
    };
    if Strategy::of(&canary.spec.analysis) == Strategy::AbTesting {
        let some = merged(&matches(&canary.spec.analysis.matches), &plain);
        let primary = [backend(Role::Primary, 100)];
        return vec![rule(&some, &both, &filters), rule(&plain, &primary, &filters)];
    }
    if routes.mirror {
        let mirror = json!({"group": "", "kind": "Service", "name": name(canary, Role::Canary), "port": port});
        filters.push(json!({"type": "RequestMirror", "requestMirror": {"backendRef": mirror}}));
    }
    vec![rule(&plain, &both, &filters)]
}

fn filters(block: &Value) -> Vec<Value> {
    let mut filters = Vec::new();
    let mut rewrite = Map::new();
    let uri = text(block, &["rewrite", "uri"]);
    if !uri.is_empty() {
        let full = text(block, &["rewrite", "type"]) == "ReplaceFullPath";
        let path = if full {
            json!({"type": "ReplaceFullPath", "replaceFullPath": uri})
        } else {
            json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": uri})
        };
        rewrite.insert("path".to_owned(), path);
    }
    let authority = text(block, &["rewrite", "authority"]);
    if !authority.is_empty() {
        rewrite.insert("hostname".to_owned(), authority.into());
    }
    if !rewrite.is_empty() {
        filters.push(json!({"type": "URLRewrite", "urlRewrite": rewrite}));
    }
    let headers = [
        ("request", "RequestHeaderModifier", "requestHeaderModifier"),
        ("response", "ResponseHeaderModifier", "responseHeaderModifier"),
    ];
    for (of, kind, member) in headers {
        let change = |verb: &str| -> Vec<Value> {
            let members = map(block, &["headers", of, verb]).into_iter().flatten();
            members.map(|(name, value)| json!({"name": name, "value": value})).collect()
        };
        let (add, set) = (change("add"), change("set"));
        let remove = list(block, &["headers", of, "remove"]);
        if add.is_empty() && set.is_empty() && remove.is_empty() {
            continue;
        }
        let mut modifier = Map::new();
        for (verb, values) in [("add", add), ("set", set), ("remove", remove.to_vec())] {
            if !values.is_empty() {
                modifier.insert(verb.to_owned(), Value::Array(values));
            }
        }
        filters.push(json!({"type": kind, member: modifier}));
    }
    filters
}

/// Conditions on requests in the Gateway API's form; all paths when there are none.
fn matches(written: &[Value]) -> Vec<Value> {
    let found: Vec<Value> =
        written.iter().map(condition).filter(|it| it.as_object().is_some_and(|it| !it.is_empty())).collect();
    if found.is_empty() { vec![json!({"path": {"type": "PathPrefix", "value": "/"}})] } else { found }
}

fn condition(written: &Value) -> Value {
    const PATHS: [(&str, &str); 3] = [("prefix", "PathPrefix"), ("exact", "Exact"), ("regex", "RegularExpression")];
    let mut found = Map::new();
    for (word, kind) in PATHS {
        let value = text(written, &["uri", word]);
        if !value.is_empty() {
            found.insert("path".to_owned(), json!({"type": kind, "value": value}));
        }
    }
    let method = text(written, &["method", "exact"]);
    if !method.is_empty() {
        found.insert("method".to_owned(), method.into());
    }
    for (from, to) in [("headers", "headers"), ("queryParams", "queryParams")] {
        let conditions: Vec<Value> = map(written, &[from]).into_iter().flatten().filter_map(word_match).collect();
        if !conditions.is_empty() {
            found.insert(to.to_owned(), Value::Array(conditions));
        }
    }
    Value::Object(found)
}

fn word_match((name, value): (&String, &Value)) -> Option<Value> {
    let exact = text(value, &["exact"]);
    if !exact.is_empty() {
        return Some(json!({"name": name, "type": "Exact", "value": exact}));
    }
    let pattern = match (text(value, &["regex"]), text(value, &["prefix"]), text(value, &["suffix"])) {
        ("", "", "") => return None,
        ("", "", suffix) => format!("^.*{suffix}$"),
        ("", prefix, _) => format!("^{prefix}.*$"),
        (regex, _, _) => regex.to_owned(),
    };
    Some(json!({"name": name, "type": "RegularExpression", "value": pattern}))
}

/// Each condition of an A/B test with each of the service's own.
fn merged(some: &[Value], plain: &[Value]) -> Vec<Value> {
    const MOST: usize = 64;
    let pairs = some.iter().flat_map(|one| plain.iter().map(move |other| (one, other)));
    let merge = |(one, other): (&Value, &Value)| {
        let mut both = other.as_object().cloned().unwrap_or_default();
        for (name, value) in one.as_object().into_iter().flatten() {
            match (both.get_mut(name), value) {
                (Some(Value::Array(there)), Value::Array(more)) => there.extend(more.iter().cloned()),
                _ => {
                    both.insert(name.clone(), value.clone());
                }
            }
        }
        Value::Object(both)
    };
    pairs.take(MOST).map(merge).collect()
}

/// The weights that a route holds; none when it has no rule for both.
///
/// # Errors
/// When a gateway does not accept the route.
pub fn read(canary: &Canary, route: &Value) -> Result<Option<Routes>, String> {
    for parent in list(route, &["status", "parents"]) {
        for condition in list(parent, &["conditions"]) {
            let accepted = text(condition, &["type"]) == "Accepted";
            let seen = int(condition, &["observedGeneration"]).unwrap_or(i64::MAX);
            let stale = seen < int(route, &["metadata", "generation"]).unwrap_or(0);
            if accepted && (text(condition, &["status"]) == "False" || stale) {
                let (name, namespace) = (canary.apex(), &canary.key.namespace);
                let why = if stale { "not seen yet" } else { text(condition, &["message"]) };
                return Err(format!("HTTPRoute {name}.{namespace} is not accepted: {why}"));
            }
        }
    }
    Ok(weights(canary, route))
}

/// The weights that a route holds, accepted or not.
pub fn weights(canary: &Canary, route: &Value) -> Option<Routes> {
    let (primary, other) = (name(canary, Role::Primary), name(canary, Role::Canary));
    list(route, &["spec", "rules"]).iter().find_map(|rule| {
        let backends = list(rule, &["backendRefs"]);
        let weight = |name: &str| {
            let backend = backends.iter().find(|backend| text(backend, &["name"]) == name)?;
            Some(int(backend, &["weight"]).unwrap_or(1))
        };
        let mirror = list(rule, &["filters"]).iter().any(|it| text(it, &["type"]) == "RequestMirror");
        Some(Routes { primary: weight(&primary)?, canary: weight(&other)?, mirror })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(service: Value, analysis: Value) -> Canary {
        let target = json!({"kind": "Deployment", "name": "podinfo"});
        Canary::read(&json!({"metadata": {"name": "podinfo", "namespace": "prod", "uid": "u"},
            "spec": {"targetRef": target, "service": service, "analysis": analysis}}))
    }

    #[test]
    fn weights_are_read_as_they_were_written() {
        let plain = canary(json!({"port": 80}), json!({"stepWeight": 5}));
        let some = json!({"iterations": 3, "match": [{"headers": {"x": {"exact": "y"}}}]});
        let test = canary(json!({"port": 80, "match": [{"uri": {"prefix": "/a"}}]}), some);
        for canary in [plain, test] {
            for routes in [Routes::PRIMARY, Routes::CANARY, Routes { primary: 95, canary: 5, mirror: false }] {
                let object = route(&canary, "istio", routes).unwrap();
                assert_eq!(read(&canary, &object), Ok(Some(routes)));
            }
        }
        let mirrored = Routes { mirror: true, ..Routes::PRIMARY };
        let canary = canary(json!({"port": 80}), json!({"mirror": true}));
        assert_eq!(read(&canary, &route(&canary, "istio", mirrored).unwrap()), Ok(Some(mirrored)));
        assert_eq!(read(&canary, &Value::Null), Ok(None));
    }

    #[test]
    fn an_ab_test_has_a_rule_for_some() {
        let some = json!({"iterations": 3, "match": [{"headers": {"cookie": {"regex": "c=1"}}}]});
        let canary = canary(json!({"port": 80, "match": [{"uri": {"prefix": "/a"}}]}), some);
        let object = route(&canary, "istio", Routes::PRIMARY).unwrap();
        let path = json!({"type": "PathPrefix", "value": "/a"});
        let header = json!([{"name": "cookie", "type": "RegularExpression", "value": "c=1"}]);
        assert_eq!(object["spec"]["rules"][0]["matches"], json!([{"path": path, "headers": header}]));
        assert_eq!(object["spec"]["rules"][1]["matches"], json!([{"path": path}]));
    }

    #[test]
    fn a_gateway_has_to_be_named_where_one_is_wanted() {
        let without = canary(json!({"port": 80}), Value::Null);
        assert_eq!(route(&without, "gatewayapi:v1", Routes::PRIMARY), Err(NO_GATEWAY.to_owned()));
        let with = canary(json!({"port": 80, "gatewayRefs": [{"name": "gw"}], "hosts": ["*", "a.b"]}), Value::Null);
        let object = route(&with, "gatewayapi:v1", Routes::PRIMARY).unwrap();
        assert_eq!(object["spec"]["parentRefs"], json!([{"name": "gw"}]));
        assert_eq!(object["spec"]["hostnames"], json!(["a.b"]));
    }

    #[test]
    fn a_route_that_is_not_accepted_halts() {
        let canary = canary(json!({"port": 80}), Value::Null);
        let mut object = route(&canary, "istio", Routes::PRIMARY).unwrap();
        object["status"] = json!({"parents": [{"conditions": [
            {"type": "Accepted", "status": "False", "message": "no such gateway"}]}]});
        let text = "HTTPRoute podinfo.prod is not accepted: no such gateway".to_owned();
        assert_eq!(read(&canary, &object), Err(text));
    }
}
