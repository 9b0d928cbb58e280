//! One tick of a canary: what is known and what was answered, to what is done next.
//!
//! A tick is a function of its arguments. When it has to know something that only others can tell (a webhook, a
//! metric), it says so and is run again with the answer; what it did before the question stays the same.

mod analysis;
mod end;
mod prepare;
mod strategy;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::alert::Severity;
use super::checks::{Kind, NoValue};
use super::effect::{Effect, Question, Report, Routes, Tick, Tone};
use super::readiness::NotReady;
use super::route;
use super::spec::{Analysis, Canary, HookType, Spec};
use super::status::{Phase, Status, Writer};
use super::weights::Strategy;

/// What a workload is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// How many pods it is to have.
    pub replicas: i64,
    /// Whether it has them.
    pub ready: Result<(), NotReady>,
}

/// What is released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The workload.
    pub workload: Workload,
    /// Its revision.
    pub revision: String,
    /// The checksums of the configs that it names.
    pub configs: BTreeMap<String, String>,
    /// The least pods that its autoscaler wants; none without one.
    pub scaler_min: Option<i64>,
}

/// What the presenter wants, for this tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Go no further.
    Hold,
    /// Promote without more steps.
    Promote,
    /// Go back.
    RollBack,
}

/// Whether oddities of the original that hurt are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Oddities {
    /// As Flagger 1.44 does it, to the letter.
    Kept,
    /// Revisions are not lost, broken primaries get no traffic, nothing is promoted without steps.
    #[default]
    Mended,
}

/// Everything that a tick looks at.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The canary.
    pub canary: &'a Canary,
    /// Who moves traffic and measures.
    pub provider: &'a str,
    /// The target, or why it cannot be used.
    pub target: &'a Result<Target, String>,
    /// The primary, if it is there.
    pub primary: Option<&'a Workload>,
    /// Where requests go: nowhere yet, or it cannot be read.
    pub routes: &'a Result<Option<Routes>, String>,
    /// What the presenter wants.
    pub wish: Option<Wish>,
    /// The time.
    pub now: Timestamp,
    /// Which oddities are kept.
    pub oddities: Oddities,
}

/// What was answered so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// Whether those who measure are there.
    pub providers: Option<Result<(), String>>,
    /// What webhooks said: yes, or the words of a no.
    pub hooks: BTreeMap<usize, Result<(), String>>,
    /// What was measured, by metric and by kind.
    pub metrics: Vec<(usize, Kind, Result<f64, NoValue>)>,
}

impl Answers {
    /// The value of a metric.
    fn metric(&self, index: usize, kind: Kind) -> Option<&Result<f64, NoValue>> {
        self.metrics.iter().find(|(i, k, _)| (*i, *k) == (index, kind)).map(|(_, _, value)| value)
    }
}

/// Why a tick goes no further.
enum Stop {
    End,
    Ask(Question),
}

type Flow<T = ()> = Result<T, Stop>;

/// The provider without traffic of its own.
pub const KUBERNETES: &str = "kubernetes";

/// One tick.
pub fn tick(world: World<'_>, answers: &Answers) -> Tick {
    if world.canary.spec.suspend {
        let text = "skipping canary run as object is suspended".to_owned();
        return Tick::Done(Report { effects: vec![Effect::Event(Tone::Normal, text)], ..Report::default() });
    }
    let target = match world.target {
        Ok(target) => target,
        Err(why) => return Tick::Done(without_target(world, why)),
    };
    let mut run = Run::new(world, target, answers);
    match run.advance() {
        Err(Stop::Ask(question)) => Tick::Ask(question, run.report.effects),
        Ok(()) | Err(Stop::End) => Tick::Done(run.report),
    }
}

/// There is nothing to release. Requests are not left with pods that may be gone.
fn without_target(world: World<'_>, why: &str) -> Report {
    let mut effects = vec![Effect::Event(Tone::Warning, why.to_owned())];
    let strays = matches!(world.routes, Ok(Some(routes)) if routes.canary > 0);
    let serves = world.primary.is_some_and(|primary| primary.ready.is_ok());
    if world.oddities == Oddities::Mended && world.provider != KUBERNETES && strays && serves {
        effects.push(Effect::Event(Tone::Normal, "Routing all traffic to primary".to_owned()));
        effects.push(Effect::SetRoutes(Routes::PRIMARY));
    }
    Report { effects, unready: true, ..Report::default() }
}

struct Run<'a> {
    world: World<'a>,
    target: &'a Target,
    answers: &'a Answers,
    spec: &'a Spec,
    /// The analysis as this provider can do it.
    analysis: Analysis,
    status: Status,
    routes: Routes,
    title: String,
    target_title: String,
    report: Report,
}

impl<'a> Run<'a> {
    fn new(world: World<'a>, target: &'a Target, answers: &'a Answers) -> Self {
        let canary = world.canary;
        Self {
            world,
            target,
            answers,
            spec: &canary.spec,
            analysis: canary.spec.analysis.clone(),
            status: canary.status.clone(),
            routes: Routes::PRIMARY,
            title: canary.title(),
            target_title: canary.target_title(),
            report: Report::default(),
        }
    }

    fn advance(&mut self) -> Flow {
        self.initialize()?;
        if !self.decide()? {
            return Ok(());
        }
        self.primary_is_ready()?;
        self.routes = self.read_routes()?;
        if !matches!(self.phase(), Phase::Progressing | Phase::WaitingPromotion | Phase::Promoting | Phase::Finalising)
        {
            return self.begin();
        }
        if self.is_judged() && self.has_changed() {
            return self.restart();
        }
        if self.is_judged() && self.is_taken_back() {
            return self.cancel();
        }
        self.target_is_ready()?;
        if self.spec.skip_analysis {
            return self.skip_to_the_end();
        }
        if self.is_judged() {
            self.asked_to_go_back()?;
        }
        match self.phase() {
            Phase::Promoting => return self.route_back(),
            Phase::Finalising => return self.finish(),
            _ => {}
        }
        if self.status.failed_checks >= self.analysis.threshold {
            return self.roll_back();
        }
        self.analyse()?;
        self.fit_to_provider();
        match Strategy::of(&self.analysis) {
            Strategy::AbTesting => self.ab_test(),
            Strategy::BlueGreen => self.blue_green(),
            Strategy::Weighted => self.shift(),
        }
    }

    // The state, read and written.

    fn phase(&self) -> Phase {
        self.status.phase.unwrap_or(Phase::Initializing)
    }

    fn is_judged(&self) -> bool {
        matches!(self.phase(), Phase::Progressing | Phase::WaitingPromotion)
    }

    fn is_mended(&self) -> bool {
        self.world.oddities == Oddities::Mended
    }

    fn has_traffic(&self) -> bool {
        self.world.provider != KUBERNETES
    }

    fn normal(&mut self, text: String) {
        self.report.effects.push(Effect::Event(Tone::Normal, text));
    }

    fn warn(&mut self, text: String) {
        self.report.effects.push(Effect::Event(Tone::Warning, text));
    }

    fn alert(&mut self, severity: Severity, text: impl Into<String>) {
        if !self.spec.analysis.alerts.is_empty() {
            self.act(Effect::Alert(severity, text.into()));
        }
    }

    /// Somebody has to open a gate.
    fn alert_of_gate(&mut self, index: usize, text: &str) {
        if self.spec.analysis.webhooks.get(index).is_some_and(|hook| !hook.mute_alert) {
            self.alert(Severity::Warn, text);
        }
    }

    fn act(&mut self, effect: Effect) {
        self.report.effects.push(effect);
    }

    fn write(&mut self, change: impl FnOnce(&Writer<'_>, &mut Status)) {
        let (kind, revision) = (&*self.spec.target.kind, &*self.target.revision);
        let writer = Writer { kind, revision, configs: &self.target.configs, now: self.world.now };
        change(&writer, &mut self.status);
        self.report.effects.push(Effect::Status(Box::new(self.status.clone())));
    }

    fn sync(&mut self, phase: Phase) {
        self.write(|writer, status| writer.sync(status, phase, 0, 0, 0));
    }

    fn set_phase(&mut self, phase: Phase) {
        let iterations = self.analysis.iterations;
        self.write(|writer, status| writer.set_phase(status, phase, iterations));
    }

    fn count_iteration(&mut self, iterations: i64) {
        self.write(|writer, status| {
            status.iterations = iterations;
            writer.touch(status);
        });
    }

    fn set_routes(&mut self, mut routes: Routes) {
        // The original's routes of this kind copy requests only for blue/green.
        if !self.is_mended() && route::wants_gateway(self.world.provider) && self.analysis.iterations < 1 {
            routes.mirror = false;
        }
        if self.has_traffic() {
            self.act(Effect::SetRoutes(routes));
        }
        self.routes = routes;
    }

    // What others say.

    fn hook(&self, index: usize, phase: Phase) -> Flow<Result<(), String>> {
        self.answers.hooks.get(&index).cloned().ok_or(Stop::Ask(Question::Hook(index, phase)))
    }

    /// The places and names of the hooks of a type.
    fn hooks(&self, when: HookType) -> Vec<(usize, String)> {
        let all = self.spec.analysis.webhooks.iter().enumerate();
        all.filter(|(_, hook)| hook.when == when).map(|(index, hook)| (index, hook.name.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
