//! What an applier hears when others own what it wants to change.

use super::element::Element;
use super::entry::Entry;
use super::set::{Set, shown};
use crate::cluster::api::patch::go;
use crate::cluster::api::status::{Cause, Details, Refusal};

/// A field that an applier sets to another value than its owner did.
#[derive(Debug, Clone)]
pub(super) struct Conflict {
    owner: String,
    path: Vec<Element>,
}

/// The conflicts with entries that own any of the changed fields.
pub(super) fn conflicts<'a>(others: impl Iterator<Item = &'a Entry>, changed: &Set) -> Vec<Conflict> {
    let touched = others.filter(|entry| entry.touches(changed));
    let mut owners: Vec<_> = touched.map(|entry| (named(entry), entry.set().intersection(changed))).collect();
    owners.sort_by(|(a, _), (b, _)| a.cmp(b));
    let paths = owners
        .into_iter()
        .flat_map(|(owner, set)| set.paths().into_iter().map(move |path| Conflict { owner: owner.clone(), path }));
    paths.collect()
}

/// Those whose field is not in a set.
pub(super) fn outside(conflicts: Vec<Conflict>, allowed: &Set) -> Vec<Conflict> {
    conflicts.into_iter().filter(|conflict| !allowed.has(&conflict.path)).collect()
}

/// 409 with one cause for each conflict.
pub(super) fn refusal(conflicts: &[Conflict]) -> Refusal {
    let causes = conflicts.iter().map(|conflict| Cause {
        reason: "FieldManagerConflict",
        message: format!("conflict with {}", conflict.owner),
        field: shown(&conflict.path),
    });
    let details = Details { causes: causes.collect(), ..Details::default() };
    Refusal::new(409, "Conflict", message(conflicts)).with_details(details)
}

fn message(conflicts: &[Conflict]) -> String {
    if let [one] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", one.owner, shown(&one.path));
    }
    let groups = conflicts.chunk_by(|a, b| a.owner == b.owner).map(|group| {
        let owner = group.first().map_or("", |conflict| &conflict.owner);
        let paths: String = group.iter().map(|conflict| format!("\n- {}", shown(&conflict.path))).collect();
        format!("conflicts with {owner}:{paths}")
    });
    let groups: Vec<_> = groups.collect();
    format!("Apply failed with {} conflicts: {}", conflicts.len(), groups.join("\n"))
}

/// As `"kubectl-patch" with subresource "scale" using apps/v1`.
fn named(entry: &Entry) -> String {
    let mut name = go::quoted(entry.manager());
    if !entry.subresource().is_empty() {
        name.push_str(&format!(" with subresource {}", go::quoted(entry.subresource())));
    }
    if !entry.applies() {
        name.push_str(&format!(" using {}", entry.api_version()));
    }
    name
}
