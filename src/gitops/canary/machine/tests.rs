//! What the mended oddities and the presenter change, and that nothing makes a tick panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::gitops::canary::effect::Effect;

fn canary(status: Value, spec: &Value) -> Canary {
    let mut whole = json!({"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
        "service": {"port": 80}, "analysis": {"threshold": 2, "stepWeight": 10}});
    json_patch::merge(&mut whole, spec);
    Canary::read(&json!({"metadata": {"name": "c", "namespace": "prod"}, "spec": whole, "status": status}))
}

fn workload(replicas: i64) -> Workload {
    Workload { replicas, ready: Ok(()) }
}

fn broken() -> Workload {
    Workload { replicas: 2, ready: Err(NotReady { text: "broken".to_owned(), retriable: false }) }
}

fn target(revision: &str) -> Target {
    Target { workload: workload(2), revision: revision.to_owned(), configs: BTreeMap::new(), scaler_min: None }
}

struct Scene {
    canary: Canary,
    target: Result<Target, String>,
    primary: Workload,
    routes: Routes,
    wish: Option<Wish>,
}

impl Scene {
    fn tick(&self) -> Report {
        let routes = Ok(Some(self.routes));
        let world = World {
            canary: &self.canary,
            provider: "istio",
            target: &self.target,
            primary: Some(&self.primary),
            routes: &routes,
            wish: self.wish,
            now: Timestamp::UNIX_EPOCH,
            oddities: Oddities::Mended,
        };
        match tick(world, &Answers::default()) {
            Tick::Done(report) => report,
            Tick::Ask(question, _) => panic!("{question:?} was not to be asked"),
        }
    }
}

fn scene(phase: &str, applied: &str, promoted: &str) -> Scene {
    let status = json!({"phase": phase, "lastAppliedSpec": applied, "lastPromotedSpec": promoted});
    Scene {
        canary: canary(status, &json!({})),
        target: Ok(target("2")),
        primary: workload(2),
        routes: Routes { primary: 50, canary: 50, mirror: false },
        wish: None,
    }
}

fn texts(report: &Report) -> Vec<&str> {
    report
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Event(_, text) => Some(&**text),
            _ => None,
        })
        .collect()
}

fn phase(report: &Report) -> Option<Phase> {
    report.effects.iter().rev().find_map(|effect| match effect {
        Effect::Status(status) => status.phase,
        _ => None,
    })
}

fn routed(report: &Report) -> Option<Routes> {
    report.effects.iter().rev().find_map(|effect| match effect {
        Effect::SetRoutes(routes) => Some(*routes),
        _ => None,
    })
}

#[test]
fn a_revision_that_is_taken_back_is_not_judged() {
    let report = Scene { target: Ok(target("1")), ..scene("Progressing", "2", "1") }.tick();
    assert_eq!((phase(&report), routed(&report)), (Some(Phase::Initialized), Some(Routes::PRIMARY)));
    assert!(report.effects.contains(&Effect::Scale(0)));
}

#[test]
fn a_broken_primary_gets_no_traffic_after_a_failed_promotion() {
    let failed =
        Scene { primary: broken(), routes: Routes::CANARY, target: Ok(target("3")), ..scene("Failed", "2", "1") };
    let report = failed.tick();
    assert_eq!(texts(&report), ["podinfo-primary.prod not ready: broken"]);
    assert_eq!((phase(&report), routed(&report)), (None, None));
}

#[test]
fn after_a_failed_promotion_the_next_revision_starts_at_nothing() {
    let failed = Scene { routes: Routes::CANARY, target: Ok(target("3")), ..scene("Failed", "2", "1") };
    let report = failed.tick();
    assert_eq!((phase(&report), routed(&report)), (Some(Phase::Progressing), Some(Routes::PRIMARY)));
}

#[test]
fn a_first_primary_that_never_worked_is_made_anew() {
    let report = Scene { primary: broken(), target: Ok(target("3")), ..scene("Failed", "2", "") }.tick();
    assert_eq!(phase(&report), Some(Phase::Initializing));
    assert!(report.effects.contains(&Effect::Promote));
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    for name in ["Initialized", "Succeeded", "Failed"] {
        let report = scene(name, "2", "2").tick();
        assert_eq!((phase(&report), texts(&report)), (None, vec![]), "{name}");
    }
}

#[test]
fn without_a_target_requests_go_to_the_primary() {
    let gone = Scene { target: Err("it is gone".to_owned()), ..scene("Progressing", "2", "1") };
    assert_eq!(routed(&gone.tick()), Some(Routes::PRIMARY));
    let both = Scene { primary: broken(), ..gone };
    assert_eq!(routed(&both.tick()), None);
}

#[test]
fn the_presenter_holds_promotes_and_takes_back() {
    let with = |wish| Scene { wish: Some(wish), ..scene("Progressing", "2", "1") }.tick();
    let held = with(Wish::Hold);
    assert_eq!((phase(&held), routed(&held), held.waiting), (None, None, vec!["presenter".to_owned()]));
    assert_eq!(phase(&with(Wish::Promote)), Some(Phase::Promoting));
    let back = with(Wish::RollBack);
    assert_eq!((phase(&back), routed(&back)), (Some(Phase::Failed), Some(Routes::PRIMARY)));
    let waiting = Scene { wish: Some(Wish::RollBack), ..scene("Waiting", "1", "1") }.tick();
    assert_eq!(phase(&waiting), Some(Phase::Failed));
}

fn numbers() -> impl proptest::strategy::Strategy<Value = i64> {
    prop_oneof![-3..120_i64, Just(i64::MAX), Just(i64::MIN)]
}

proptest! {
    /// Whatever the numbers are, a tick ends, and weights stay weights.
    #[test]
    fn no_numbers_make_a_tick_panic(
        name in prop::sample::select(vec!["", "Waiting", "Progressing", "WaitingPromotion", "Promoting", "Finalising", "Failed"]),
        steps in prop::collection::vec(numbers(), 0..4),
        values in prop::array::uniform8(numbers()),
        flags in prop::array::uniform4(any::<bool>()),
        kept in any::<bool>(),
    ) {
        let [step, max, back, iterations, failed, weight, canary_share, replicas] = values;
        let spec = json!({"skipAnalysis": flags[0], "analysis": {"stepWeight": step, "stepWeights": steps,
            "maxWeight": max, "stepWeightPromotion": back, "iterations": iterations, "mirror": flags[1],
            "threshold": failed, "match": if flags[2] { json!([{}]) } else { json!([]) }}});
        let status = json!({"phase": name, "failedChecks": failed, "canaryWeight": weight, "iterations": iterations,
            "lastAppliedSpec": "1"});
        let (canary, primary) = (canary(status, &spec), workload(replicas));
        let target = Ok(Target { workload: workload(replicas), ..target(if flags[3] { "1" } else { "2" }) });
        let share = canary_share.clamp(0, 100);
        let routes = Ok(Some(Routes { primary: 100 - share, canary: share, mirror: flags[1] }));
        let oddities = if kept { Oddities::Kept } else { Oddities::Mended };
        let world = World { canary: &canary, provider: "istio", target: &target, primary: Some(&primary),
            routes: &routes, wish: None, now: Timestamp::UNIX_EPOCH, oddities };
        let answers = Answers { providers: Some(Ok(())), ..Answers::default() };
        let Tick::Done(report) = tick(world, &answers) else { return Err(TestCaseError::fail("nobody is to be asked")) };
        if let Some(routes) = routed(&report) {
            prop_assert!((0..=100).contains(&routes.primary) && (0..=100).contains(&routes.canary), "{routes:?}");
        }
    }
}
