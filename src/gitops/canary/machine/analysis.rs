//! The checks of a tick, in their order: hooks, then metrics.

use super::super::checks::{Kind, Names, NoValue, judge};
use super::super::effect::Question;
use super::super::spec::HookType;
use super::super::status::Phase;
use super::{Flow, Run, Stop};

impl Run<'_> {
    pub(super) fn analyse(&mut self) -> Flow {
        let mirrors = self.analysis.mirror && self.routes.mirror;
        let first = self.routes.canary == 0 && self.status.iterations == 0 && !mirrors;
        let wrong = if first { self.first_checks()? } else { self.checks()? };
        let Some(wrong) = wrong else { return Ok(()) };
        self.warn(wrong);
        self.write(|writer, status| {
            status.failed_checks += 1;
            writer.touch(status);
        });
        Err(Stop::End)
    }

    pub(super) fn first_checks(&mut self) -> Flow<Option<String>> {
        let target = &self.target_title;
        self.normal(format!("Starting canary analysis for {target}"));
        for (index, name) in self.hooks(HookType::PreRollout) {
            if let Err(why) = self.hook(index, Phase::Progressing)? {
                let title = &self.title;
                return Ok(Some(format!("Halt {title} advancement pre-rollout check {name} failed {why}")));
            }
            self.normal(format!("Pre-rollout check {name} passed"));
        }
        Ok(None)
    }

    pub(super) fn checks(&mut self) -> Flow<Option<String>> {
        for (index, name) in self.hooks(HookType::Rollout) {
            if let Err(why) = self.hook(index, Phase::Progressing)? {
                let title = &self.title;
                return Ok(Some(format!("Halt {title} advancement external check {name} failed {why}")));
            }
        }
        let metrics = &self.spec.analysis.metrics;
        let early = metrics.iter().enumerate();
        let early = early.flat_map(|(index, metric)| Kind::early(metric).into_iter().map(move |kind| (index, kind)));
        let late = metrics.iter().enumerate();
        let late = late.filter_map(|(index, metric)| Some((index, Kind::late(metric)?)));
        for (index, kind) in early.chain(late) {
            let names = Names { canary: &self.title, target: &self.target_title, provider: self.world.provider };
            let unusable = Err(NoValue::Empty);
            let value = match self.answers.metric(index, kind) {
                Some(value) => value,
                None if kind == Kind::Unusable => &unusable,
                None => return Err(Stop::Ask(Question::Metric(index, kind))),
            };
            let Some(metric) = metrics.get(index) else { continue };
            if let Some(wrong) = judge(metric, kind, names, value) {
                return Ok(Some(wrong));
            }
        }
        Ok(None)
    }

    /// Without traffic of its own there are neither weights nor conditions on requests.
    pub(super) fn fit_to_provider(&mut self) {
        if self.has_traffic() {
            return;
        }
        if !self.analysis.matches.is_empty() {
            self.warn("A/B testing is not supported when using the kubernetes provider".to_owned());
            self.analysis.matches.clear();
        }
        if self.analysis.iterations < 1 {
            self.warn("Progressive traffic is not supported when using the kubernetes provider".to_owned());
            self.warn("Setting canaryAnalysis.iterations: 10".to_owned());
            self.analysis.iterations = 10;
        }
    }
}
