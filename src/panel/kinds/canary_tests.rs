//! Tests of the panel of a canary.

use std::sync::Arc;

use super::*;
use crate::cluster::object::Key;
use crate::deck::panel::PanelText;
use crate::diagnostic::Span;
use crate::gitops::canary::spec::HookType;
use crate::gitops::canary::view::{EventView, GateView};
use crate::panel::state::PanelState;

fn spec(text: &str) -> PanelSpec {
    PanelText::read(text, 0).spec(String::new(), None, Span::default()).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn routes(canary: i64) -> Routes {
    Routes { primary: 100 - canary, canary, mirror: false }
}

fn metric(name: &str, kind: Kind, points: &[(i64, Option<f64>)]) -> MetricView {
    let points = points.iter().map(|(second, value)| (at(*second), *value)).collect();
    MetricView { name: name.to_owned(), kind, min: None, max: None, window: 60.0, points }
}

/// One that was released before, and is at ten percent of its second release.
fn released() -> CanaryView {
    let gate =
        |name: &str, waiting| GateView { name: name.to_owned(), when: HookType::ConfirmPromotion, open: None, waiting };
    CanaryView {
        phase: Some(Phase::Progressing),
        phases: [
            (0, Phase::Initializing),
            (10, Phase::Initialized),
            (100, Phase::Progressing),
            (150, Phase::Promoting),
            (160, Phase::Succeeded),
            (500, Phase::Progressing),
        ]
        .map(|(second, phase)| (at(second), phase))
        .into(),
        routes: Some(routes(10)),
        weights: [(0, 0), (100, 50), (160, 0), (510, 5), (520, 10)].map(|(second, it)| (at(second), routes(it))).into(),
        max_weight: 50,
        failed_checks: (1, 5),
        strategy: Some(Strategy::Weighted),
        metrics: vec![
            metric("request-success-rate", Kind::SuccessRate, &[(100, Some(100.0)), (510, None), (520, Some(98.765))]),
            metric("request-duration", Kind::Duration, &[(520, Some(21.04)), (530, Some(640.0))]),
            metric("unknown", Kind::Unusable, &[(520, Some(1.0))]),
        ],
        gates: vec![gate("qa", true), gate("boss", false)],
        images: ("stefanprodan/podinfo:3.1.1".to_owned(), "stefanprodan/podinfo:3.1.0".to_owned()),
        events: [EventView { at: at(520), tone: Tone::Warning, text: "Halt podinfo.prod advancement".to_owned() }]
            .into(),
        wish: Some(Wish::Hold),
        ..CanaryView::default()
    }
}

fn view(canary: CanaryView) -> View {
    let canaries = [(Key::new("prod", "podinfo"), Arc::new(canary))].into();
    View { canaries, ..View::default() }
}

#[test]
fn a_release_is_told_in_words_and_drawn_from_its_beginning() {
    let shown = body(&view(released()), &spec("canary name=podinfo namespace=prod"));
    let Body::Chart { facts, series } = &shown else { panic!("a chart") };
    let marks: Vec<(&str, Mark)> = facts.iter().map(|fact| (fact.label.as_str(), fact.mark)).collect();
    assert_eq!(
        marks,
        [
            ("phase", Mark::Busy),
            ("version", Mark::Plain),
            ("weight", Mark::Plain),
            ("failed checks", Mark::Busy),
            ("waits for", Mark::Busy),
            ("speaker", Mark::Busy),
            ("last", Mark::Bad),
        ]
    );
    let points: Vec<(&str, Vec<(f64, f64)>)> = series
        .iter()
        .map(|series| (series.name.as_str(), series.points.iter().map(|point| (point.x, point.y)).collect()))
        .collect();
    assert_eq!(
        points,
        [
            ("weight", vec![(0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (20.0, 5.0), (20.0, 10.0), (30.0, 10.0)]),
            ("success rate", vec![(20.0, 98.8)]),
            ("latency", vec![(20.0, 21.0), (30.0, 640.0)]),
        ]
    );
    let text = "\
phase           Progressing
version         podinfo:3.1.0 → podinfo:3.1.1
weight          10 %, promoted at 50 %
failed checks   1 of 5
waits for       qa
speaker         hold here
last            Halt podinfo.prod advancement
weight: 10 %
success rate: 98.8 %
latency: 640 ms
";
    assert_eq!(PanelState::good("canary", shown, at(0)).text(), text);
}

#[test]
fn checks_are_counted_where_there_are_no_steps() {
    let canary = CanaryView {
        routes: Some(Routes { mirror: true, ..Routes::PRIMARY }),
        strategy: Some(Strategy::BlueGreen),
        iterations: (2, 10),
        failed_checks: (5, 5),
        phase: Some(Phase::Failed),
        ..CanaryView::default()
    };
    let facts: Vec<(String, Mark)> = facts(&canary).into_iter().map(|fact| (fact.value, fact.mark)).collect();
    let expected = [("Failed", Mark::Bad), ("0 %, mirrored, check 2 of 10", Mark::Plain), ("5 of 5", Mark::Bad)];
    assert_eq!(facts, expected.map(|(value, mark)| (value.to_owned(), mark)));
}

#[test]
fn nothing_and_little_are_shown_too() {
    let empty = |words: &str| PanelState::good("canary", body(&view(released()), &spec(words)), at(0)).text();
    assert_eq!(empty("canary name=other namespace=prod"), "No canary other in prod yet.\n");
    assert_eq!(empty("canary namespace=demo"), "No canary in demo yet.\n");
    assert!(empty("canary").starts_with("phase           Progressing\n"), "any namespace will do");
    assert!(empty("canary namespace=prod").starts_with("phase           Progressing\n"));
    let new = body(&view(CanaryView::default()), &spec("canary namespace=prod"));
    let Body::Chart { facts, series } = new else { panic!("a chart") };
    assert_eq!((facts[0].value.as_str(), series), ("not looked at yet", Vec::new()));
}

#[test]
fn the_same_is_said_of_a_version_that_serves_already() {
    let of = |target: &str, primary: &str| versions(&(target.to_owned(), primary.to_owned()));
    assert_eq!(of("", ""), None);
    assert_eq!(of("a/b:1", ""), Some("b:1".to_owned()));
    assert_eq!(of("", "a/b:1"), Some("b:1".to_owned()));
    assert_eq!(of("a/b:1", "a/b:1"), Some("b:1".to_owned()));
    assert_eq!(of("a/b:2", "a/b:1"), Some("b:1 → b:2".to_owned()));
}
