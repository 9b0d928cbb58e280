//! The layers of `src/`: which module may use which, what the pure ones stay away from, and sizes.

use std::fs;
use std::path::{Path, PathBuf};

/// Module and the modules it may use.
const EDGES: [(&str, &[&str]); 19] = [
    ("diagnostic", &[]),
    ("deck", &["diagnostic"]),
    ("theme", &["diagnostic"]),
    ("render", &["deck", "theme", "diagnostic"]),
    ("project", &["render", "theme", "deck", "diagnostic"]),
    ("export", &["project", "render", "theme", "deck", "diagnostic"]),
    ("net", &[]),
    ("cluster", &["net", "diagnostic"]),
    ("helm", &["cluster"]),
    ("gitops", &["helm", "cluster", "net", "diagnostic"]),
    ("registry", &["net", "diagnostic"]),
    ("sandbox", &["gitops", "helm", "registry", "cluster", "net", "diagnostic"]),
    ("panel", &["sandbox", "gitops", "registry", "cluster", "deck", "diagnostic"]),
    ("runbook", &["panel", "sandbox", "gitops", "cluster", "deck", "diagnostic"]),
    ("recording", &["runbook", "panel", "deck", "diagnostic"]),
    ("workshop", &["runbook", "panel", "sandbox", "gitops", "cluster", "net", "project", "deck", "diagnostic"]),
    (
        "server",
        &[
            "workshop",
            "recording",
            "runbook",
            "panel",
            "sandbox",
            "net",
            "registry",
            "gitops",
            "cluster",
            "project",
            "render",
            "theme",
            "deck",
            "diagnostic",
        ],
    ),
    (
        "cli",
        &[
            "server",
            "workshop",
            "recording",
            "runbook",
            "panel",
            "sandbox",
            "net",
            "gitops",
            "registry",
            "cluster",
            "export",
            "project",
            "render",
            "theme",
            "deck",
            "diagnostic",
        ],
    ),
    ("main", &["cli"]),
];

/// Modules whose results depend on their arguments alone.
const PURE: [&str; 5] = ["diagnostic", "deck", "theme", "render", "helm"];
/// Parts of other modules of which the same holds.
const PURE_PARTS: [&str; 128] = [
    "gitops/canary/checks.rs",
    "gitops/canary/configs.rs",
    "gitops/canary/effect.rs",
    "gitops/canary/followers.rs",
    "gitops/canary/go.rs",
    "gitops/canary/load_tester.rs",
    "gitops/canary/machine/",
    "gitops/canary/observe.rs",
    "gitops/canary/options.rs",
    "gitops/canary/query.rs",
    "gitops/canary/readiness.rs",
    "gitops/canary/route.rs",
    "gitops/canary/services.rs",
    "gitops/canary/spec.rs",
    "gitops/canary/status.rs",
    "gitops/canary/view.rs",
    "gitops/canary/webhook.rs",
    "gitops/canary/weights.rs",
    "gitops/canary/workload.rs",
    "cli/check/estimate.rs",
    "cli/check/fit.rs",
    "cli/check/manifest",
    "cli/check/offline.rs",
    "cli/check/served.rs",
    "cli/doctor/finding",
    "export/browser/request.rs",
    "export/pdf/file.rs",
    "export/pdf/finish.rs",
    "export/pdf/object.rs",
    "export/pdf/outline.rs",
    "panel/mask.rs",
    "panel/printed.rs",
    "panel/redact.rs",
    "panel/terminal/filter.rs",
    "panel/terminal/scrollback.rs",
    "panel/terminal/typing.rs",
    "recording/block.rs",
    "recording/delta.rs",
    "recording/marks.rs",
    "recording/pack.rs",
    "recording/play.rs",
    "recording/read.rs",
    "recording/slides.rs",
    "recording/write.rs",
    "runbook/journal.rs",
    "runbook/overview.rs",
    "runbook/tail.rs",
    "runbook/trust.rs",
    "runbook/view.rs",
    "runbook/wait.rs",
    "server/panels/chart.rs",
    "server/replay/film",
    "server/replay/head.rs",
    "cli/rehearse/report.rs",
    "server/panels/picture.rs",
    "workshop/overview.rs",
    "gitops/capi/action.rs",
    "gitops/capi/azure.rs",
    "gitops/capi/bootstrap.rs",
    "gitops/capi/cache.rs",
    "gitops/capi/clone.rs",
    "gitops/capi/cluster",
    "gitops/capi/condition.rs",
    "gitops/capi/control_plane.rs",
    "gitops/capi/decide.rs",
    "gitops/capi/describe/",
    "gitops/capi/kind.rs",
    "gitops/capi/machine",
    "gitops/capi/name.rs",
    "gitops/capi/options.rs",
    "gitops/capi/phase.rs",
    "gitops/capi/reference.rs",
    "gitops/capi/rollout.rs",
    "gitops/capi/substitute/",
    "gitops/capi/tally.rs",
    "gitops/capi/words.rs",
    "gitops/capi/workload.rs",
    "gitops/capi/world.rs",
    "gitops/condition.rs",
    "gitops/containers.rs",
    "gitops/diff.rs",
    "gitops/edit/",
    "gitops/event.rs",
    "gitops/explain.rs",
    "gitops/fight.rs",
    "gitops/files/",
    "gitops/finding.rs",
    "gitops/fluxctl/",
    "gitops/health.rs",
    "gitops/helm/shelf.rs",
    "gitops/helm/status.rs",
    "gitops/helm/wish.rs",
    "gitops/helm_images.rs",
    "gitops/helm_release",
    "gitops/http_backend/cgi.rs",
    "gitops/id.rs",
    "gitops/image/",
    "gitops/kinds.rs",
    "gitops/mark.rs",
    "gitops/object.rs",
    "gitops/plan",
    "gitops/policy.rs",
    "gitops/release/",
    "gitops/report",
    "gitops/schedule.rs",
    "gitops/table/",
    "gitops/words.rs",
    "gitops/workloads",
    "gitops/writer.rs",
    "cluster/object.rs",
    "workshop/check",
    "workshop/converge.rs",
    "workshop/export.rs",
    "workshop/front.rs",
    "workshop/graph.rs",
    "workshop/judge.rs",
    "workshop/commands.rs",
    "workshop/memory.rs",
    "workshop/parse.rs",
    "workshop/killercoda/",
    "workshop/progress.rs",
    "workshop/steady.rs",
    "workshop/room/",
    "gitops/canary/alert.rs",
    "gitops/canary/flaws.rs",
    "gitops/capi/health_check.rs",
    "cli/doctor/compare",
    "recording/facts.rs",
];
const IMPURE: [&str; 9] = [
    "tokio::",
    "std::fs",
    "std::process",
    "std::env",
    "std::net",
    "std::time::SystemTime",
    "Instant::now",
    "println!(",
    "eprintln!(",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn each_source(mut visit: impl FnMut(&str, &str, &str)) {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&src, &mut found);
    assert!(found.len() > 20, "the sources were not found");
    for path in found {
        let name = path.strip_prefix(&src).expect("below src").display().to_string();
        let module = name.split(['/', '.']).next().unwrap_or("").to_owned();
        let text = fs::read_to_string(&path).expect("a source is text");
        visit(&module, &name, &text);
    }
}

#[test]
fn layers_import_downward_only() {
    let mut wrong = Vec::new();
    each_source(|module, name, text| {
        if module == "lib" {
            return;
        }
        let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == module) else {
            wrong.push(format!("{name}: the module {module} is not in the table"));
            return;
        };
        for (number, line) in text.lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let used: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if EDGES.iter().any(|(known, _)| *known == used) && used != module && !allowed.contains(&used.as_str())
                {
                    wrong.push(format!("{name}:{}: {module} may not use {used}", number + 1));
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_modules_do_no_io() {
    let mut wrong = Vec::new();
    each_source(|module, name, text| {
        if !PURE.contains(&module) && !PURE_PARTS.iter().any(|part| name.starts_with(part)) {
            return;
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(used) = IMPURE.iter().find(|word| line.contains(**word)) {
                wrong.push(format!("{name}:{}: {used} in a pure module", number + 1));
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_small_and_say_what_they_are() {
    let mut wrong = Vec::new();
    each_source(|_, name, text| {
        let lines = text.lines().count();
        if lines > 600 {
            wrong.push(format!("{name} has {lines} lines: split it by noun"));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{name} does not say in its first line what it is"));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
