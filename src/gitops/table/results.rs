//! What a release or a change of policies came to, as a table.

use super::align;
use crate::gitops::release::{Results, Status};

/// The blanks are fluxctl's: without rows they show.
const HEADINGS: &str = "WORKLOAD \tSTATUS \tUPDATES\n";

/// The table of results. Skipped workloads show from `-v` on, ignored ones from `-vv` on.
pub fn table(results: &Results, verbosity: u8) -> String {
    let mut text = HEADINGS.to_owned();
    for (id, outcome) in results.sorted() {
        let from = match outcome.status {
            Status::Ignored => 2,
            Status::Skipped => 1,
            Status::Success | Status::Failed => 0,
        };
        if verbosity < from {
            continue;
        }
        let reason = Some(outcome.reason.clone()).filter(|reason| !reason.is_empty());
        let updates = outcome.updates.iter().map(|u| format!("{}: {} -> {}", u.container, u.current, u.target.tag));
        let mut cells: Vec<_> = reason.into_iter().chain(updates).collect();
        if cells.is_empty() {
            cells.push(String::new());
        }
        for (at, cell) in cells.iter().enumerate() {
            let (id, status) = if at == 0 { (id.as_str(), outcome.status.as_str()) } else { ("", "") };
            text.push_str(&format!("{id}\t{status}\t{cell}\n"));
        }
    }
    align(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::id::ResourceId;
    use crate::gitops::image::reference::ImageRef;
    use crate::gitops::release::{Outcome, Update};

    fn results() -> Results {
        let image = |text: &str| ImageRef::parse(text).unwrap();
        let update = |container: &str, current, target| Update {
            container: container.to_owned(),
            current: image(current),
            target: image(target),
        };
        let updates = vec![update("app", "example/web:1.2.0", "example/web:1.3.0"), update("side", "side:1", "side:2")];
        let partly = Outcome { reason: "container(s) tag mismatch: x".to_owned(), ..Outcome::success(updates) };
        let of = |name: &str, outcome| (ResourceId::new("demo", "deployment", name), outcome);
        Results(
            [
                of("web", partly),
                of("zz", Outcome::without(Status::Skipped, "locked")),
                of("yy", Outcome::without(Status::Ignored, "not included")),
                of("bad", Outcome::without(Status::Failed, "no")),
                of("done", Outcome::success(Vec::new())),
            ]
            .into_iter()
            .collect(),
        )
    }

    #[test]
    fn verbosity_shows_more() {
        let first = [
            "WORKLOAD              STATUS   UPDATES\n",
            "demo:deployment/bad   failed   no\n",
            "demo:deployment/done  success  \n",
            "demo:deployment/web   success  container(s) tag mismatch: x\n",
            "                               app: example/web:1.2.0 -> 1.3.0\n",
            "                               side: side:1 -> 2\n",
        ]
        .concat();
        assert_eq!(table(&results(), 0), first);
        let more = first + "demo:deployment/zz    skipped  locked\n";
        assert_eq!(table(&results(), 1), more);
        let all = more.replace("demo:deployment/zz", "demo:deployment/yy    ignored  not included\ndemo:deployment/zz");
        assert_eq!(table(&results(), 2), all);
        assert_eq!(table(&Results::default(), 2), "WORKLOAD   STATUS   UPDATES\n");
    }
}
