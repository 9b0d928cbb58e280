//! `releases`: Helm releases, their charts and how they are.

use super::{age, max, watching};
use crate::deck::PanelSpec;
use crate::gitops::helm::View;
use crate::panel::output::Output;
use crate::panel::state::{Body, Mark, Row, Table};
use crate::sandbox::Sandbox;

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let Some(handle) = &sandbox.releases else {
        return "Helm releases are known of the embedded cluster only".to_owned();
    };
    let mut status = handle.status();
    let mut pace = sandbox.clock().changes();
    loop {
        let state = status.borrow_and_update().clone();
        if let Some(all) = state {
            output.show(body(&all, spec, sandbox.clock().now()));
        }
        let changed = tokio::time::timeout(super::COUNT_DOWN, watching(&mut status, &mut pace)).await;
        if changed == Ok(false) {
            return "the controller of Helm releases has ended".to_owned();
        }
    }
}

fn body(all: &[View], spec: &PanelSpec, now: jiff::Timestamp) -> Body {
    let fits = |view: &&View| {
        spec.get("namespace").is_none_or(|wanted| wanted == view.namespace)
            && spec.get("name").is_none_or(|wanted| wanted == view.name || wanted == view.release)
    };
    let row = |view: &View| {
        let since = view.updated.parse::<jiff::Timestamp>();
        let updated = since.map(|since| age(now.as_second() - since.as_second())).unwrap_or_default();
        let revision = if view.revision == 0 { String::new() } else { view.revision.to_string() };
        let status = match view.good {
            Some(false) if !view.message.is_empty() => format!("{}: {}", view.status, view.message),
            _ if view.status.is_empty() => "waiting".to_owned(),
            _ => view.status.clone(),
        };
        let mark = match view.good {
            Some(true) => Mark::Good,
            Some(false) => Mark::Bad,
            None => Mark::Busy,
        };
        let cells = vec![view.release.clone(), view.chart.clone(), view.version.clone(), revision, status, updated];
        Row { key: format!("{}/{}", view.namespace, view.name), cells, mark, group: None }
    };
    let fitting: Vec<&View> = all.iter().filter(fits).collect();
    let more = fitting.len().saturating_sub(max(spec));
    let rows = fitting.into_iter().take(max(spec)).map(row).collect();
    let columns = ["RELEASE", "CHART", "VERSION", "REV", "STATUS", "AGE"].map(str::to_owned).to_vec();
    Body::Table(Table { columns, rows, more, empty: "No Helm releases yet.".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::panel::PanelText;
    use crate::diagnostic::Span;
    use crate::panel::state::PanelState;

    fn text(words: &str) -> String {
        let spec = PanelText::read(words, 0).spec(String::new(), None, Span::default()).unwrap();
        let good = View {
            namespace: "ingress-nginx".to_owned(),
            name: "nginx-ingress".to_owned(),
            release: "nginx-ingress".to_owned(),
            chart: "nginx-ingress".to_owned(),
            version: "1.25.0".to_owned(),
            revision: 2,
            status: "Succeeded".to_owned(),
            good: Some(true),
            message: String::new(),
            updated: "2026-06-01T10:00:00Z".to_owned(),
        };
        let bad = View {
            namespace: "demo".to_owned(),
            name: "shop".to_owned(),
            release: "demo-shop".to_owned(),
            chart: "shop".to_owned(),
            status: "ChartFetchFailed".to_owned(),
            good: Some(false),
            message: "chart fetch failed: no".to_owned(),
            ..View::default()
        };
        let body = body(&[good, bad], &spec, "2026-06-01T10:01:30Z".parse().unwrap());
        let text = PanelState::good("releases", body, jiff::Timestamp::UNIX_EPOCH).text();
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
    }

    #[test]
    fn releases_stand_with_chart_and_revision() {
        let good = "RELEASE CHART VERSION REV STATUS AGE\n\
            nginx-ingress nginx-ingress 1.25.0 2 Succeeded 90s\n";
        assert_eq!(text("releases namespace=ingress-nginx"), good);
        let bad = "RELEASE CHART VERSION REV STATUS AGE\n\
            demo-shop shop ChartFetchFailed: chart fetch failed: no\n";
        assert_eq!(text("releases name=shop"), bad);
        assert_eq!(text("releases name=other"), "No Helm releases yet.\n");
    }
}
