//! What the real Flagger 1.44 did, tick by tick.

use std::collections::BTreeMap;
use std::time::Duration;

use foredeck::gitops::canary::checks::NoValue;
use foredeck::gitops::canary::configs::{Config, Holder};
use foredeck::gitops::canary::effect::{Effect, Question, Report, Routes, Tick, Tone};
use foredeck::gitops::canary::go;
use foredeck::gitops::canary::machine::{Answers, KUBERNETES, Oddities, World, tick};
use foredeck::gitops::canary::observe::Seen;
use foredeck::gitops::canary::services::{Role, name};
use foredeck::gitops::canary::spec::{Canary, Spec};
use foredeck::gitops::canary::status::{Phase, Status, Writer};
use foredeck::gitops::canary::webhook::is_good;
use foredeck::gitops::canary::weights::{self, Strategy};
use foredeck::gitops::canary::workload;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A canary and its cluster, as the harness of the vectors had them.
struct Lab {
    provider: String,
    spec: Value,
    status: Status,
    seen: Seen,
    routes: Option<Routes>,
    rollouts: BTreeMap<&'static str, String>,
    metrics: BTreeMap<String, Value>,
    hooks: BTreeMap<String, i64>,
    now: Timestamp,
    events: Vec<String>,
    calls: Vec<String>,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// An object with the status of a rollout that is in some state.
fn in_state(object: &mut Value, state: &str, now: Timestamp) {
    let replicas = object["spec"]["replicas"].clone();
    let available = if state == "ready" { replicas.clone() } else { json!(0) };
    let reason = if state == "deadline" { "ProgressDeadlineExceeded" } else { "ReplicaSetUpdated" };
    let long_ago = now - Duration::from_secs(100_000);
    let mut conditions = vec![json!({"type": "Progressing", "status": "True", "reason": reason})];
    if state == "stuck" {
        conditions.push(json!({"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
            "lastUpdateTime": long_ago.to_string()}));
    }
    object["status"] = json!({"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": available,
        "conditions": conditions});
}

impl Lab {
    fn new(case: &Value) -> Self {
        let mut pod = json!({"containers": [{"name": "podinfo", "image": "podinfo:1"}]});
        let mut configs = BTreeMap::new();
        if let Some(config) = case.get("trackedConfigMap") {
            let name = text(&config["name"]).to_owned();
            pod["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": name}}]);
            let object = json!({"metadata": {"name": name, "namespace": "prod"}, "data": {"value": config["value"]}});
            configs.insert(Config { holder: Holder::ConfigMap, name }, object);
        }
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "podinfo", "namespace": "prod"},
            "spec": {"replicas": case["targetReplicas"], "selector": {"matchLabels": {"app": "podinfo"}},
                "template": {"metadata": {"labels": {"app": "podinfo"}}, "spec": pod}}});
        let now = Timestamp::from_second(1_600_000_000).expect("a time");
        let mut status = Status::default();
        let none = BTreeMap::new();
        Writer { kind: "Deployment", revision: "", configs: &none, now }.enter(&mut status, Phase::Initializing);
        Self {
            provider: text(&case["provider"]).to_owned(),
            spec: case["canarySpec"].clone(),
            status,
            seen: Seen { target: Some(target), configs, ..Seen::default() },
            routes: None,
            rollouts: BTreeMap::from([("target", "ready".to_owned()), ("primary", "ready".to_owned())]),
            metrics: BTreeMap::new(),
            hooks: BTreeMap::new(),
            now,
            events: Vec::new(),
            calls: Vec::new(),
        }
    }

    fn apply(&mut self, change: &Value) {
        for (verb, value) in change.as_object().into_iter().flatten() {
            let target = self.seen.target.as_mut().expect("the target is never deleted here");
            match verb.as_str() {
                "setTargetImage" => target["spec"]["template"]["spec"]["containers"][0]["image"] = value.clone(),
                "setTargetReplicas" => target["spec"]["replicas"] = value.clone(),
                "setConfigMapValue" => {
                    self.seen.configs.values_mut().for_each(|config| config["data"]["value"] = value.clone());
                }
                "targetRollout" => drop(self.rollouts.insert("target", text(value).to_owned())),
                "primaryRollout" => drop(self.rollouts.insert("primary", text(value).to_owned())),
                "metrics" => {
                    self.metrics.extend(value.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
                }
                "webhookStatus" => {
                    let statuses = value.as_object().into_iter().flatten();
                    self.hooks.extend(statuses.map(|(name, code)| (name.clone(), code.as_i64().unwrap_or(0))));
                }
                "patchCanarySpec" => json_patch::merge(&mut self.spec, value),
                "note" => {}
                other => panic!("the verb {other} is not known"),
            }
        }
    }

    fn canary(&self) -> Canary {
        Canary::read(&json!({"metadata": {"name": "podinfo", "namespace": "prod", "uid": "u"},
            "spec": self.spec, "status": self.status.to_json()}))
    }

    fn value_of(&self, canary: &Canary, index: usize) -> Result<f64, NoValue> {
        let metric = &canary.spec.analysis.metrics[index];
        let by = if metric.query.is_empty() { &metric.name } else { &metric.query };
        let usual = match by.as_str() {
            "request-success-rate" => json!(100),
            "request-duration" => json!(20),
            _ => json!(1),
        };
        let value = self.metrics.get(by).unwrap_or(&usual);
        match value {
            Value::Null => Err(NoValue::Empty),
            Value::String(word) if word == "NaN" => Ok(f64::NAN),
            Value::String(_) => {
                let cause = "error response: Status 500 Internal Server Error: boom";
                Err(NoValue::Failed(cause.to_owned()))
            }
            number => Ok(number.as_f64().expect("a number")),
        }
    }

    fn answer(&mut self, canary: &Canary, question: Question, answers: &mut Answers) {
        match question {
            Question::Providers => {
                let down = self.metrics.values().any(|value| value == "error");
                let why = "prometheus not avaiable: error response: Status 500 Internal Server Error: boom";
                answers.providers = Some(if down { Err(why.to_owned()) } else { Ok(()) });
            }
            Question::Hook(index, phase) => {
                let hook = &canary.spec.analysis.webhooks[index];
                self.calls.push(format!("{}@{phase}", hook.name));
                let status = self.hooks.get(&hook.name).copied().unwrap_or(200);
                let good = is_good(u16::try_from(status).expect("a status"));
                answers.hooks.insert(index, if good { Ok(()) } else { Err(format!("status {status}")) });
            }
            Question::Metric(index, kind) => answers.metrics.push((index, kind, self.value_of(canary, index))),
        }
    }

    fn run(&mut self, canary: &Canary) -> Report {
        let (target, primary) = (self.seen.target(canary, self.now), self.seen.primary(canary, self.now));
        let routes = Ok(self.routes);
        let provider = canary.spec.provider.clone().unwrap_or_else(|| self.provider.clone());
        let world = World {
            canary,
            provider: &provider,
            target: &target,
            primary: primary.as_ref(),
            routes: &routes,
            wish: None,
            now: self.now,
            oddities: Oddities::Kept,
        };
        let mut answers = Answers::default();
        let mut before: Vec<Effect> = Vec::new();
        loop {
            match tick(world, &answers) {
                Tick::Done(report) => {
                    assert!(report.effects.starts_with(&before), "what was done does not change");
                    return report;
                }
                Tick::Ask(question, effects) => {
                    assert!(effects.starts_with(&before), "what was done does not change");
                    before = effects;
                    self.answer(canary, question, &mut answers);
                }
            }
        }
    }

    fn carry_out(&mut self, canary: &Canary, effect: Effect) {
        let tracked = self.seen.tracked_names();
        let target = self.seen.target.as_mut().expect("the target is never deleted here");
        match effect {
            Effect::Event(tone, text) => {
                self.events.push(format!("{}: {text}", if tone == Tone::Normal { 'N' } else { 'W' }));
            }
            Effect::Primary(pods) => {
                let primary = workload::primary(canary, target, &tracked, Some(pods), "id");
                self.seen.primary = Some(primary.expect("it has a label"));
            }
            Effect::Promote => {
                let pods = workload::replicas(target);
                let primary = workload::primary(canary, target, &tracked, Some(pods), "id2");
                self.seen.primary = Some(primary.expect("it has a label"));
            }
            Effect::Scale(pods) => target["spec"]["replicas"] = json!(pods),
            Effect::Route => self.routes = self.routes.or(Some(Routes::PRIMARY)),
            Effect::SetRoutes(routes) => self.routes = Some(routes),
            Effect::Status(status) => self.status = *status,
            Effect::Services | Effect::Scaler(_) | Effect::Apex | Effect::Alert(..) => {}
        }
    }

    fn tick(&mut self, change: &Value) {
        self.apply(change);
        self.now += Duration::from_secs(10);
        for (which, object) in [("target", &mut self.seen.target), ("primary", &mut self.seen.primary)] {
            if let Some(object) = object {
                in_state(object, &self.rollouts[which], self.now);
            }
        }
        (self.events, self.calls) = (Vec::new(), Vec::new());
        let canary = self.canary();
        let report = self.run(&canary);
        for effect in report.effects {
            self.carry_out(&canary, effect);
        }
    }

    fn facts(&self) -> Value {
        let (status, provider) = (&self.status, self.spec["provider"].as_str().unwrap_or(&self.provider));
        let routes = self.routes.filter(|_| provider != KUBERNETES).map(|routes| {
            let weights = [json!(routes.primary), json!(routes.canary)];
            weights.into_iter().chain(routes.mirror.then(|| json!("mirror"))).collect::<Vec<_>>()
        });
        let pods = |object: &Option<Value>| {
            object.as_ref().map(|it| json!([it["spec"]["replicas"], workload::image(it)])).unwrap_or_default()
        };
        let condition = status.condition.as_ref().map(|it| format!("{}/{}", it.status, it.reason));
        json!({"phase": status.phase.map(Phase::as_str), "canaryWeight": status.canary_weight,
            "failedChecks": status.failed_checks, "iterations": status.iterations, "routes": routes,
            "target": pods(&self.seen.target), "primary": pods(&self.seen.primary), "promoted": condition,
            "events": self.events, "webhookCalls": self.calls})
    }
}

#[test]
fn vectors_canary_ticks() {
    let Some(cases) = super::group("delivery.json", "canary") else { return };
    let mut wrong = Vec::new();
    for case in &cases {
        let mut lab = Lab::new(case);
        for step in case["ticks"].as_array().expect("ticks") {
            lab.tick(&step["do"]);
            let facts = lab.facts();
            let mut expected = step["expect"].clone();
            expected.as_object_mut().expect("facts").entry("webhookCalls").or_insert_with(|| json!([]));
            let differs: Vec<String> = expected
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, value)| facts[name.as_str()] != **value)
                .map(|(name, value)| format!("{name}: expected {value} actual {}", facts[name.as_str()]))
                .collect();
            if !differs.is_empty() {
                wrong.push(format!("{} tick {}: {}", text(&case["id"]), step["tick"], differs.join("; ")));
                break;
            }
        }
    }
    eprintln!("canary vectors: {} of {} agree", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn unit(function: &str, input: &Value) -> Option<Value> {
    let analysis = |block: &Value| Spec::read(&json!({"analysis": block})).analysis;
    Some(match function {
        "analysisInterval" => {
            json!(format!("{}s", go::interval(text(input), Duration::from_secs(10)).as_secs()))
        }
        "strategy" => json!(Strategy::of(&analysis(input)).as_str()),
        "nextStep" => json!(weights::next_step(&analysis(input), input["weight"].as_i64().unwrap_or(0))),
        "maxWeight" => json!(weights::max(&analysis(input))),
        "serviceNames" => {
            let canary = Canary::read(&json!({"spec": {"targetRef": {"name": input["targetRef"]},
                "service": {"name": input["service.name"]}}}));
            json!([Role::Apex, Role::Primary, Role::Canary].map(|role| name(&canary, role)))
        }
        "webhookOk" => json!(is_good(u16::try_from(input.as_u64()?).ok()?)),
        "statusMetric" => json!(Phase::of(text(input))?.metric()),
        _ => return None,
    })
}

#[test]
fn vectors_canary_units() {
    let Some(cases) = super::group("delivery.json", "units") else { return };
    let mut wrong = Vec::new();
    for case in &cases {
        let actual = unit(text(&case["fn"]), &case["in"]);
        if actual.as_ref() != Some(&case["out"]) {
            wrong.push(format!("{case}: actual {actual:?}"));
        }
    }
    eprintln!("canary units: {} of {} agree", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
