//! What is shown of canaries: where they stand, and how they came there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::checks::{Kind, NoValue, bounds};
use super::effect::{Report, Routes, Tone};
use super::followers::Faults;
use super::machine::Wish;
use super::spec::{Canary, HookType};
use super::status::Phase;
use super::weights::{self, Strategy};
use crate::cluster::object::Key;

/// How many points of a history are kept.
const KEPT: usize = 400;

/// All canaries.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// By namespace and name.
    pub canaries: BTreeMap<Key, Arc<CanaryView>>,
    /// What keeps the controller from its work.
    pub problem: Option<String>,
    /// Whether the time is another than outside.
    pub virtual_time: bool,
}

/// One canary.
#[derive(Debug, Clone, Default)]
pub struct CanaryView {
    /// Where it stands.
    pub phase: Option<Phase>,
    /// The phases so far, with their times.
    pub phases: VecDeque<(Timestamp, Phase)>,
    /// Where requests really go.
    pub routes: Option<Routes>,
    /// The routes so far, with their times.
    pub weights: VecDeque<(Timestamp, Routes)>,
    /// The weight in the status, which is 0 in some phases whatever the routes are.
    pub status_weight: i64,
    /// The weight at which it is promoted.
    pub max_weight: i64,
    /// How many checks failed, and how many may.
    pub failed_checks: (i64, i64),
    /// How many iterations passed, and how many there are; 0 for weights.
    pub iterations: (i64, i64),
    /// How it goes on.
    pub strategy: Option<Strategy>,
    /// What is measured.
    pub metrics: Vec<MetricView>,
    /// Who is asked for leave.
    pub gates: Vec<GateView>,
    /// The images of target and primary.
    pub images: (String, String),
    /// How many pods target and primary are to have.
    pub pods: (i64, i64),
    /// What was told, oldest first.
    pub events: VecDeque<EventView>,
    /// How well primary and canary do, as the presenter has it.
    pub faults: (Faults, Faults),
    /// What the presenter wants and has not got yet.
    pub wish: Option<Wish>,
    /// How many ticks there were.
    pub ticks: u64,
    /// When the next one is.
    pub next: Option<Timestamp>,
    /// What keeps it from being looked at.
    pub problem: Option<String>,
}

/// A metric over time.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricView {
    /// Its name.
    pub name: String,
    /// How it is measured.
    pub kind: Kind,
    /// The least it may be.
    pub min: Option<f64>,
    /// The most it may be.
    pub max: Option<f64>,
    /// The seconds of its window.
    pub window: f64,
    /// The values, with their times; none where nothing was measured.
    pub points: VecDeque<(Timestamp, Option<f64>)>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateView {
    /// The webhook's name.
    pub name: String,
    /// When it is asked.
    pub when: HookType,
    /// As the presenter left it; somebody else says when none.
    pub open: Option<bool>,
    /// Whether the release waits for it.
    pub waiting: bool,
}

/// Something that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub tone: Tone,
    /// In words.
    pub text: String,
}

impl CanaryView {
    /// What a Canary says of itself.
    pub(super) fn describe(&mut self, canary: &Canary, now: Timestamp) {
        let (status, analysis) = (&canary.status, &canary.spec.analysis);
        self.phase = status.phase;
        if let Some(phase) = status.phase
            && self.phases.back().is_none_or(|(_, last)| *last != phase)
        {
            push(&mut self.phases, (now, phase));
        }
        self.status_weight = status.canary_weight;
        self.failed_checks = (status.failed_checks, analysis.threshold);
        self.iterations = (status.iterations, analysis.iterations);
        self.max_weight = weights::max(analysis);
        self.strategy = Some(Strategy::of(analysis));
        let known = std::mem::take(&mut self.metrics);
        for metric in &analysis.metrics {
            for kind in Kind::early(metric).into_iter().chain(Kind::late(metric)) {
                let (min, max) = bounds(metric, kind);
                let old = known.iter().find(|old| old.name == metric.name && old.kind == kind);
                let points = old.map(|old| old.points.clone()).unwrap_or_default();
                let (name, window) = (metric.name.clone(), metric.window());
                self.metrics.push(MetricView { name, kind, min, max, window, points });
            }
        }
    }

    /// Requests go there now.
    pub(super) fn route(&mut self, routes: Option<Routes>, now: Timestamp) {
        self.routes = routes;
        if let Some(routes) = routes
            && self.weights.back().is_none_or(|(_, last)| *last != routes)
        {
            push(&mut self.weights, (now, routes));
        }
    }

    /// Something was measured.
    pub(super) fn measured(&mut self, name: &str, kind: Kind, now: Timestamp, value: &Result<f64, NoValue>) {
        let metric = self.metrics.iter_mut().find(|metric| metric.name == name && metric.kind == kind);
        let Some(metric) = metric else { return };
        let value = value.as_ref().ok().copied().filter(|value| value.is_finite());
        if metric.points.back().is_some_and(|(at, _)| *at == now) {
            metric.points.pop_back();
        }
        push(&mut metric.points, (now, value));
    }

    /// Something was told.
    pub(super) fn told(&mut self, at: Timestamp, tone: Tone, text: &str) {
        push(&mut self.events, EventView { at, tone, text: text.to_owned() });
    }

    /// A tick is over.
    pub(super) fn ticked(&mut self, report: &Report) {
        self.ticks += 1;
        for gate in &mut self.gates {
            gate.waiting = report.waiting.contains(&gate.name);
        }
    }

    /// Its state in one line, for those who see no picture.
    pub fn line(&self) -> String {
        let phase = self.phase.map_or("not seen yet", Phase::as_str);
        let Some(routes) = self.routes else { return phase.to_owned() };
        let (failed, most) = self.failed_checks;
        let image = &self.images.0;
        format!("{phase}: {} % of requests go to {image}; {failed} of {most} failed checks", routes.canary)
    }
}

fn push<T>(history: &mut VecDeque<T>, point: T) {
    if history.len() == KEPT {
        history.pop_front();
    }
    history.push_back(point);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn histories_note_changes_and_are_bounded() {
        let canary = Canary::read(&json!({"spec": {"analysis": {"threshold": 5, "metrics": [
            {"name": "request-duration", "threshold": 500}]}}, "status": {"phase": "Progressing", "failedChecks": 2}}));
        let mut view = CanaryView::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        for second in 0..1000 {
            view.describe(&canary, at(second));
            view.route(Some(Routes { primary: 95, canary: 5, mirror: false }), at(second));
            view.measured("request-duration", Kind::Duration, at(second), &Ok(20.0));
        }
        assert_eq!((view.phases.len(), view.weights.len(), view.metrics[0].points.len()), (1, 1, KEPT));
        view.images.0 = "podinfo:2".to_owned();
        assert_eq!(view.line(), "Progressing: 5 % of requests go to podinfo:2; 2 of 5 failed checks");
    }
}
