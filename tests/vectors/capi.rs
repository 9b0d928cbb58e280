//! Cluster API: clusterctl's substitution and tree, phases, rollouts.

use std::collections::BTreeMap;

use foredeck::gitops::capi::describe::{Item, Machine, Options, Replicas, Said, Snapshot, rows};
use foredeck::gitops::capi::phase::{self, ClusterFacts, MachineFacts, Rules};
use foredeck::gitops::capi::rollout::{Limits, Set, rolling_update};
use foredeck::gitops::capi::substitute::{substitute, variables};
use serde_json::Value;

fn all(group: &str, check: impl Fn(&Value) -> Result<(), String>) {
    let Some(cases) = super::group("delivery.json", group) else { return };
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|how| format!("{}: {how}", case.get("id").unwrap_or(case))))
        .collect();
    eprintln!("{group} vectors: {} of {} agree", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, actual: &T, expected: &T) -> Result<(), String> {
    if actual == expected { Ok(()) } else { Err(format!("{what}: {actual:?} is not {expected:?}")) }
}

#[test]
fn vectors_capi_envsubst() {
    all("envsubst", |case| {
        let template = case["template"].as_str().unwrap_or_default();
        let value = |name: &str| case["vars"][name].as_str();
        let expected = match case["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(case["output"].as_str().unwrap_or_default().to_owned()),
        };
        same("text", &substitute(template, value).map_err(|error| error.to_string()), &expected)?;
        let Some(named) = case["variables"].as_object() else { return Ok(()) };
        let named: BTreeMap<String, Option<String>> =
            named.iter().map(|(name, default)| (name.clone(), default.as_str().map(str::to_owned))).collect();
        same("variables", &variables(template), &Ok(named))
    });
}

#[test]
fn vectors_capi_rollouts() {
    all("machineDeploymentRollout", |case| {
        let replicas = case["replicas"].as_i64().unwrap_or_default();
        let limits = Limits::resolve(replicas, &case["maxSurge"], &case["maxUnavailable"]);
        let resolved = |name: &str| case["resolved"][name].as_i64().unwrap_or_default();
        let expected = Limits { surge: resolved("surge"), unavailable: resolved("unavailable") };
        same("limits", &limits, &expected)?;
        let (mut old, mut new) = (settled(replicas), settled(0));
        let mut seen = Vec::new();
        // machines come and go at once between two looks
        for _ in 0..200 {
            let (size, sizes) = rolling_update(replicas, limits, new, &[old]);
            new.wanted = size;
            old.wanted = sizes[0];
            let state = |set: Set| format!("{}/{}", set.there, set.wanted);
            seen.push((state(old), state(new)));
            if new == settled(replicas) && old == settled(0) {
                break;
            }
            (old, new) = (settled(old.wanted), settled(new.wanted));
        }
        let state = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let sequence = case["sequence"].as_array().cloned().unwrap_or_default();
        let sequence: Vec<_> = sequence.iter().map(|step| (state(step, "old"), state(step, "new"))).collect();
        same("sequence", &seen, &sequence)
    });
}

fn settled(machines: i64) -> Set {
    Set { wanted: machines, there: machines, available: machines }
}

#[test]
fn vectors_capi_phases() {
    all("capiPhases", |case| {
        for (name, rules) in [("v1beta2", Rules::V1Beta2), ("v1alpha3", Rules::V1Alpha3)] {
            let Some(expected) = case[name].as_str() else { continue };
            same(name, &phase_of(&case["kind"], &case["in"], rules), &expected)?;
        }
        Ok(())
    });
}

fn phase_of<'c>(kind: &Value, facts: &'c Value, rules: Rules) -> &'c str {
    let is = |name: &str| facts[name].as_bool().unwrap_or(false);
    let before = facts["phase"].as_str().unwrap_or_default();
    let failed = is("failed") || is("failure") || is("failureReason") || is("failureMessage");
    match kind.as_str() {
        Some("Cluster") => {
            let facts = ClusterFacts {
                infrastructure_ref: is("infrastructureRef"),
                control_plane_ref: is("controlPlaneRef"),
                infrastructure_provisioned: is("infrastructureProvisioned"),
                endpoint: is("controlPlaneEndpointValid"),
                failed,
                deleting: is("deleting"),
            };
            phase::cluster(rules, before, facts)
        }
        Some("Machine") => {
            let facts = MachineFacts {
                bootstrap_ready: is("bootstrapReady"),
                infrastructure_ready: is("infrastructureReady"),
                provider_id: is("providerID"),
                node_ref: is("nodeRef"),
                updating: is("updating"),
                failed,
                deleting: is("deleting"),
            };
            phase::machine(rules, before, facts)
        }
        _ => {
            phase::deployment(facts["spec.replicas"].as_i64(), facts["machines"].as_i64().unwrap_or(0), is("deleting"))
        }
    }
}

#[test]
fn vectors_capi_tree() {
    all("capiTree", |case| {
        let flag = |name: &str, usual: bool| case["options"][name].as_bool().unwrap_or(usual);
        let options = Options {
            grouping: flag("grouping", true),
            echo: flag("echo", false),
            machine_sets: flag("showMachineSets", false) || flag("machineSets", false),
            ..Options::default()
        };
        let mut actual: Vec<Vec<String>> = Vec::new();
        for row in rows(&snapshot(&case["snapshot"]), &options) {
            let mut lines = row.message.split('\n');
            let first = lines.next().unwrap_or_default().to_owned();
            let name = format!("{}{}", row.prefix, row.name);
            actual.push(vec![
                name,
                row.replicas,
                row.available,
                row.ready,
                row.up_to_date,
                row.status,
                row.reason,
                first,
            ]);
            for line in lines {
                let mut more = vec![String::new(); 8];
                more[0].clone_from(&row.continuation);
                more[7] = line.to_owned();
                actual.push(more);
            }
        }
        let cells = |row: &Value| row.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
        let expected: Vec<Vec<String>> = case["rows"].as_array().into_iter().flatten().map(cells).collect();
        same("rows", &actual, &expected)
    });
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn snapshot(value: &Value) -> Snapshot {
    let items = |name: &str| value[name].as_array().into_iter().flatten().map(item).collect::<Vec<_>>();
    let machines = value["machines"].as_array().into_iter().flatten().map(|machine| {
        let set = if machine["machineSet"].is_string() { &machine["machineSet"] } else { &machine["set"] };
        Machine {
            item: item(machine),
            control_plane: machine["controlPlaneLabel"].as_bool().unwrap_or(false),
            owner: text(&machine["owner"]),
            set: text(set),
            infrastructure: optional(&machine["infrastructure"]),
            bootstrap: optional(&machine["bootstrap"]),
        }
    });
    Snapshot {
        namespace: value["namespace"].as_str().unwrap_or("default").to_owned(),
        cluster: item(&value["cluster"]),
        infrastructure: optional(&value["infraCluster"]),
        control_plane: optional(&value["controlPlane"]),
        deployments: items("machineDeployments"),
        sets: items("machineSets"),
        machines: machines.collect(),
    }
}

fn optional(value: &Value) -> Option<Item> {
    value.is_object().then(|| item(value))
}

fn item(value: &Value) -> Item {
    let conditions = value["conditions"].as_object().into_iter().flatten().map(|(kind, said)| {
        let said = Said {
            status: text(&said["status"]),
            reason: text(&said["reason"]),
            message: text(&said["message"]),
            ..Said::default()
        };
        (kind.clone(), said)
    });
    let number = |name: &str| value["replicas"][name].as_i64();
    Item {
        kind: text(&value["kind"]),
        name: text(&value["name"]),
        version: text(&value["version"]),
        owner: text(&value["owner"]),
        deleting: value["deleting"].as_bool().unwrap_or(false),
        conditions: conditions.collect(),
        replicas: Replicas {
            desired: number("desired"),
            current: number("current"),
            available: number("available"),
            ready: number("ready"),
            up_to_date: number("upToDate"),
        },
    }
}
