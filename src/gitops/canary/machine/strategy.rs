//! How a release goes on when all checks pass: by weights, by iterations, or for some requests alone.

use super::super::effect::Routes;
use super::super::spec::HookType;
use super::super::status::Phase;
use super::super::weights;
use super::{Flow, Run, Wish};

impl Run<'_> {
    /// Whether the presenter holds it back.
    pub(super) fn is_held(&mut self) -> bool {
        let held = self.world.wish == Some(Wish::Hold);
        if held {
            self.report.waiting.push("presenter".to_owned());
        }
        held
    }

    pub(super) fn is_promoted_by_hand(&self) -> bool {
        self.world.wish == Some(Wish::Promote)
    }

    /// Whether all gates before promotion are open.
    pub(super) fn may_promote(&mut self) -> Flow<bool> {
        if self.is_promoted_by_hand() {
            return Ok(true);
        }
        for (index, name) in self.hooks(HookType::ConfirmPromotion) {
            if self.hook(index, Phase::Progressing)?.is_err() {
                if self.phase() == Phase::WaitingPromotion {
                    self.count_iteration(self.analysis.iterations - 1);
                } else {
                    self.set_phase(Phase::WaitingPromotion);
                    let title = &self.title;
                    self.warn(format!("Halt {title} advancement waiting for promotion approval {name}"));
                    self.alert_of_gate(index, "Canary promotion is waiting for approval.");
                }
                self.report.waiting.push(name);
                return Ok(false);
            }
            self.normal(format!("Confirm-promotion check {name} passed"));
        }
        Ok(true)
    }

    pub(super) fn promote(&mut self) -> Flow {
        self.copy();
        self.set_phase(Phase::Promoting);
        Ok(())
    }

    pub(super) fn shift(&mut self) -> Flow {
        let Routes { primary, canary, mirror } = self.routes;
        let step = weights::next_step(&self.analysis, canary);
        if self.is_held() || (step <= 0 && !self.is_promoted_by_hand()) {
            return Ok(());
        }
        if !self.is_promoted_by_hand() && !mirror && self.phase() != Phase::WaitingPromotion && !self.may_increase()? {
            return Ok(());
        }
        if canary >= weights::max(&self.analysis) || self.is_promoted_by_hand() {
            return if self.may_promote()? { self.promote() } else { Ok(()) };
        }
        let routes = if self.analysis.mirror && canary == 0 && !mirror {
            Routes { mirror: true, ..Routes::PRIMARY }
        } else {
            let (primary, canary) = weights::stepped(primary, canary, step);
            Routes { primary, canary, mirror: false }
        };
        self.set_routes(routes);
        self.set_weight(routes.canary);
        let (title, weight) = (&self.title, routes.canary);
        self.normal(format!("Advance {title} canary weight {weight}"));
        Ok(())
    }

    pub(super) fn may_increase(&mut self) -> Flow<bool> {
        for (index, name) in self.hooks(HookType::ConfirmTrafficIncrease) {
            if self.hook(index, Phase::Progressing)?.is_err() {
                let title = &self.title;
                self.warn(format!("Halt {title} advancement waiting for traffic increase approval {name}"));
                self.alert_of_gate(index, "Canary traffic increase is waiting for approval.");
                self.report.waiting.push(name);
                return Ok(false);
            }
            self.normal(format!("Confirm-traffic-increase check {name} passed"));
        }
        Ok(true)
    }

    pub(super) fn advance_iteration(&mut self) {
        let (next, all, title) = (self.status.iterations + 1, self.analysis.iterations, self.title.clone());
        self.count_iteration(next);
        self.normal(format!("Advance {title} canary iteration {next}/{all}"));
    }

    pub(super) fn ab_test(&mut self) -> Flow {
        if self.is_held() {
            return Ok(());
        }
        if self.analysis.iterations > self.status.iterations && !self.is_promoted_by_hand() {
            self.set_routes(Routes::CANARY);
            self.advance_iteration();
            return Ok(());
        }
        if self.may_promote()? { self.promote() } else { Ok(()) }
    }

    pub(super) fn blue_green(&mut self) -> Flow {
        if self.is_held() {
            return Ok(());
        }
        if self.is_promoted_by_hand() {
            return self.promote();
        }
        if self.analysis.iterations > self.status.iterations {
            if self.has_traffic() && self.analysis.mirror && !self.routes.mirror {
                self.set_routes(Routes { mirror: true, ..Routes::PRIMARY });
            }
            self.advance_iteration();
            return Ok(());
        }
        if !self.may_promote()? {
            return Ok(());
        }
        if self.analysis.iterations < self.status.iterations {
            return self.promote();
        }
        if self.has_traffic() {
            let text = if self.analysis.mirror {
                "Stop traffic mirroring and route all traffic to canary"
            } else {
                "Routing all traffic to canary"
            };
            self.normal(text.to_owned());
            self.set_routes(Routes::CANARY);
        }
        self.count_iteration(self.status.iterations + 1);
        Ok(())
    }
}
