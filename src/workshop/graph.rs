//! What steps need, as a graph: unknown steps, circles, the order in which to do them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Loaded, Step, Workshop};
use crate::diagnostic::{Code, Diagnostic, Span, closest};

/// Looks at all steps together: duplicates, what they need. Names in `needs` become ids.
pub(super) fn settle(loaded: &mut Loaded) {
    duplicates(loaded);
    resolve(loaded);
    circles(loaded);
}

/// The first of several steps of one name stays.
fn duplicates(loaded: &mut Loaded) {
    let mut known: HashMap<String, Arc<Step>> = HashMap::new();
    let mut kept = Vec::new();
    for step in std::mem::take(&mut loaded.workshop.steps) {
        if let Some(first) = known.get(&step.slug) {
            let message = format!("there are two steps `{}`", step.slug);
            let hint = format!("the other one is {}; rename one of them", first.source.path().display());
            let found = Diagnostic::error(Code("workshop/duplicate"), message).at(Span::new(0, 0)).hint(hint);
            loaded.findings.push((step.source.clone(), found));
            continue;
        }
        known.insert(step.slug.clone(), step.clone());
        kept.push(step);
    }
    loaded.workshop.steps = kept;
}

fn resolve(loaded: &mut Loaded) {
    let workshop = loaded.workshop.clone();
    for step in &mut loaded.workshop.steps {
        let mut ids = Vec::new();
        for name in &step.needs {
            match workshop.step(name) {
                Some(needed) if needed.id == step.id => {
                    let message = format!("the step needs itself: `{name}`");
                    let found = Diagnostic::error(Code("workshop/cycle"), message).at(place(step, name));
                    loaded.findings.push((step.source.clone(), found));
                }
                Some(needed) => ids.push(needed.id.clone()),
                None => {
                    let known = workshop.steps.iter().map(|step| step.id.as_str());
                    let hint = match closest(name, known.clone()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
                    };
                    let message = format!("the step needs `{name}`, which is not there");
                    let found = Diagnostic::error(Code("workshop/unknown-step"), message);
                    loaded.findings.push((step.source.clone(), found.at(place(step, name)).hint(hint)));
                }
            }
        }
        if ids != step.needs {
            Arc::make_mut(step).needs = ids;
        }
    }
}

/// Where a name stands in a step's `needs`.
fn place(step: &Step, name: &str) -> Option<Span> {
    let text = step.source.text();
    let from = text.find("needs").unwrap_or(0);
    let at = text.get(from..)?.find(name)? + from;
    Some(Span::new(at, at + name.len()))
}

/// Steps that need one another in a circle: each circle is told once, and cut.
fn circles(loaded: &mut Loaded) {
    // A step per turn: at most as many as there are.
    for _ in 0..=loaded.workshop.steps.len() {
        let Some(circle) = circle(&loaded.workshop) else { return };
        let (Some(first), Some(second)) = (circle.first(), circle.get(1).or(circle.first())) else { return };
        let Some(step) = loaded.workshop.steps.iter_mut().find(|step| step.id == *first) else { return };
        let way: Vec<&str> = circle.iter().chain([first]).map(String::as_str).collect();
        let message = format!("steps need one another in a circle: {}", way.join(" → "));
        let hint = "take one of them out of the `needs` of the other";
        let found = Diagnostic::error(Code("workshop/cycle"), message).at(place(step, second)).hint(hint);
        loaded.findings.push((step.source.clone(), found));
        Arc::make_mut(step).needs.retain(|need| need != second);
    }
}

/// The ids of a circle, beginning with its first step.
fn circle(workshop: &Workshop) -> Option<Vec<String>> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in &workshop.steps {
        // Not recursive: a workshop may have many steps in a chain.
        let mut way: Vec<(&Step, usize)> = vec![(start, 0)];
        while let Some((step, next)) = way.last_mut() {
            let step: &Step = step;
            let Some(need) = step.needs.get(*next) else {
                done.insert(&step.id);
                way.pop();
                continue;
            };
            *next += 1;
            if let Some(at) = way.iter().position(|(on_way, _)| on_way.id == *need) {
                let mut ids: Vec<String> = way.iter().skip(at).map(|(step, _)| step.id.clone()).collect();
                let least = ids.iter().enumerate().min_by_key(|(_, id)| workshop.position(id)).map_or(0, |(at, _)| at);
                ids.rotate_left(least);
                return Some(ids);
            }
            if !done.contains(need.as_str())
                && let Some(needed) = workshop.steps.iter().find(|step| step.id == *need)
            {
                way.push((needed, 0));
            }
        }
    }
    None
}

/// The steps that come before one, directly or not, in the order in which to do them.
pub fn before<'a>(workshop: &'a Workshop, id: &str) -> Vec<&'a Arc<Step>> {
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    let mut look: Vec<usize> = workshop.position(id).into_iter().collect();
    while let Some(at) = look.pop() {
        let Some(step) = workshop.steps.get(at) else { continue };
        for need in step.needs.iter().filter_map(|need| workshop.position(need)) {
            if wanted.insert(need) {
                look.push(need);
            }
        }
    }
    let mut order: Vec<usize> = Vec::new();
    // What needs nothing that is still to come goes first; by number among those.
    while order.len() < wanted.len() {
        let ready = wanted.iter().copied().find(|at| {
            !order.contains(at)
                && workshop.steps.get(*at).is_some_and(|step| {
                    step.needs.iter().filter_map(|need| workshop.position(need)).all(|need| order.contains(&need))
                })
        });
        match ready {
            Some(at) => order.push(at),
            // A circle, which is never left in a workshop that was assembled.
            None => break,
        }
    }
    order.into_iter().filter_map(|at| workshop.steps.get(at)).collect()
}
