//! `http`: a service asked again and again, with what it answers and how long that takes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use http::{Method, Request};
use serde_json::Value;

use super::namespace;
use super::table::{encoded, said};
use crate::deck::PanelSpec;
use crate::deck::duration;
use crate::panel::output::Output;
use crate::panel::state::{Body, Fact, Mark, Point, Series};
use crate::sandbox::Sandbox;

const EVERY: Duration = Duration::from_secs(1);
const FASTEST: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(5);
/// Answers that the chart shows.
const SHOWN: usize = 60;

/// One question and what came of it.
struct Probe {
    at: f64,
    ms: f64,
    ok: bool,
}

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let url = spec.get("url").unwrap_or_default();
    let Some(path) = proxied(url, namespace(spec)) else {
        return format!("`{url}` is no service of the cluster; write it as `http://SERVICE:PORT/PATH`");
    };
    let every = spec.get("interval").and_then(duration::parse).unwrap_or(EVERY).max(FASTEST);
    let method = if spec.get("method") == Some("HEAD") { Method::HEAD } else { Method::GET };
    let begun = Instant::now();
    let mut probes: VecDeque<Probe> = VecDeque::new();
    loop {
        let asked = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, ask(sandbox, &method, &path)).await;
        let ms = asked.elapsed().as_secs_f64() * 1000.0;
        let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        probes.push_back(Probe { at: begun.elapsed().as_secs_f64(), ms, ok: answer.is_ok() });
        if probes.len() > SHOWN {
            probes.pop_front();
        }
        output.show(body(url, &answer, &probes));
        tokio::time::sleep(every.saturating_sub(asked.elapsed())).await;
    }
}

async fn ask(sandbox: &Sandbox, method: &Method, path: &str) -> Result<String, String> {
    let request = Request::builder().method(method).uri(path).body(Vec::new()).map_err(|error| error.to_string())?;
    sandbox.client.request_text(request).await.map_err(|error| said(&error))
}

/// The way through the cluster's API to a service: `http://podinfo.demo:9898/` and shorter forms.
fn proxied(url: &str, space: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").or((!url.contains("://")).then_some(url))?;
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let mut labels = host.split('.');
    let service = labels.next().filter(|service| !service.is_empty())?;
    let space = labels.next().unwrap_or(space);
    let known = matches!((labels.next(), labels.next()), (None, _) | (Some("svc"), None | Some("cluster")));
    let plain = path.chars().all(|c| c.is_ascii_graphic()) && !path.split('/').any(|part| part == "..");
    (known && plain && port.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')).then(|| {
        let service = format!("{}:{port}", encoded(service));
        format!("/api/v1/namespaces/{}/services/{service}/proxy/{path}", encoded(space))
    })
}

fn body(url: &str, answer: &Result<String, String>, probes: &VecDeque<Probe>) -> Body {
    let fact = |label: &str, value: String, mark: Mark| Fact { label: label.to_owned(), value, mark };
    let mut facts = vec![fact("address", url.to_owned(), Mark::Plain)];
    match answer {
        Ok(text) => {
            facts.push(fact("answer", "200 OK".to_owned(), Mark::Good));
            let json: Option<Value> = serde_json::from_str(text).ok();
            let field = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
            for name in ["version", "hostname", "message"] {
                facts.extend(field(name).map(|value| fact(name, value, Mark::Plain)));
            }
        }
        Err(why) => facts.push(fact("answer", why.clone(), Mark::Bad)),
    }
    let good = probes.iter().filter(|probe| probe.ok).count();
    #[expect(clippy::cast_precision_loss, reason = "at most sixty")]
    let share = 100.0 * good as f64 / probes.len().max(1) as f64;
    let mark = if good == probes.len() { Mark::Good } else { Mark::Bad };
    facts.push(fact("success", format!("{share:.0} % of the last {}", probes.len()), mark));
    let points = probes.iter().map(|probe| Point { x: probe.at, y: (probe.ms * 10.0).round() / 10.0 }).collect();
    Body::Chart { facts, series: vec![Series { name: "latency".to_owned(), unit: " ms".to_owned(), points }] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_services_of_the_cluster_are_asked() {
        for (url, expected) in [
            ("http://podinfo:9898/version", Some("/api/v1/namespaces/demo/services/podinfo:9898/proxy/version")),
            ("podinfo.test", Some("/api/v1/namespaces/test/services/podinfo:80/proxy/")),
            ("http://a.b.svc.cluster.local:http/", Some("/api/v1/namespaces/b/services/a:http/proxy/")),
            ("http://example.com.evil/", None),
            ("http://a/../../secrets", None),
            ("https://a/", None),
            ("", None),
        ] {
            assert_eq!(proxied(url, "demo").as_deref(), expected, "{url}");
        }
    }
}
