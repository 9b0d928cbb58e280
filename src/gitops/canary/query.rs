//! Queries for a Prometheus: the ones for request metrics, those of templates, and what its answers mean.

use serde_json::Value;

use super::checks::{Kind, NoValue};
use super::spec::{Canary, Metric};
use crate::cluster::object::{list, text};

/// The most bytes that a template grows to.
const MOST: usize = 16 * 1024;

/// The request metrics of a provider.
struct Dialect {
    /// How its name starts.
    provider: &'static str,
    /// Percent of requests that did not fail.
    success: &'static str,
    /// The 99th percentile in milliseconds.
    duration: &'static str,
}

const DIALECTS: [Dialect; 4] = [
    Dialect {
        provider: "linkerd",
        success: r#"sum(rate(response_total{namespace="{{ namespace }}",deployment=~"{{ target }}",classification!="failure",direction="inbound"}[{{ interval }}])) / sum(rate(response_total{namespace="{{ namespace }}",deployment=~"{{ target }}",direction="inbound"}[{{ interval }}])) * 100"#,
        duration: r#"histogram_quantile(0.99, sum(rate(response_latency_ms_bucket{namespace="{{ namespace }}",deployment=~"{{ target }}",direction="inbound"}[{{ interval }}])) by (le))"#,
    },
    Dialect {
        provider: "nginx",
        success: r#"sum(rate(nginx_ingress_controller_requests{namespace="{{ namespace }}",ingress="{{ ingress }}",canary!="",status!~"5.*"}[{{ interval }}])) / sum(rate(nginx_ingress_controller_requests{namespace="{{ namespace }}",ingress="{{ ingress }}",canary!=""}[{{ interval }}])) * 100"#,
        duration: r#"sum(rate(nginx_ingress_controller_ingress_upstream_latency_seconds_sum{namespace="{{ namespace }}",ingress="{{ ingress }}",canary!=""}[{{ interval }}])) / sum(rate(nginx_ingress_controller_ingress_upstream_latency_seconds_count{namespace="{{ namespace }}",ingress="{{ ingress }}",canary!=""}[{{ interval }}])) * 1000"#,
    },
    Dialect { provider: "kubernetes", success: HTTP_SUCCESS, duration: HTTP_DURATION },
    Dialect { provider: "gatewayapi:", success: HTTP_SUCCESS, duration: HTTP_DURATION },
];

const HTTP_SUCCESS: &str = r#"sum(rate(http_request_duration_seconds_count{namespace="{{ namespace }}",pod=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)",status!~"5.*"}[{{ interval }}])) / sum(rate(http_request_duration_seconds_count{namespace="{{ namespace }}",pod=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"}[{{ interval }}])) * 100"#;
const HTTP_DURATION: &str = r#"histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{namespace="{{ namespace }}",pod=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"}[{{ interval }}])) by (le)) * 1000"#;
const ISTIO: Dialect = Dialect {
    provider: "istio",
    success: r#"sum(rate(istio_requests_total{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}",response_code!~"5.*"}[{{ interval }}])) / sum(rate(istio_requests_total{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}"}[{{ interval }}])) * 100"#,
    duration: r#"histogram_quantile(0.99, sum(rate(istio_request_duration_milliseconds_bucket{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}"}[{{ interval }}])) by (le))"#,
};

/// The query for a built-in metric, ready to be asked.
pub fn builtin(canary: &Canary, provider: &str, metric: &Metric, kind: Kind) -> String {
    let dialect = DIALECTS.iter().find(|dialect| provider.starts_with(dialect.provider)).unwrap_or(&ISTIO);
    let template = if kind == Kind::Duration { dialect.duration } else { dialect.success };
    render(template, canary, metric).unwrap_or_default()
}

/// A template with its names filled in.
///
/// # Errors
/// When it names something that there is not.
pub fn render(template: &str, canary: &Canary, metric: &Metric) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (word, after) = after.split_once("}}").ok_or("unclosed action")?;
        text.push_str(before);
        text.push_str(&value(word.trim().trim_matches('-').trim(), canary, metric)?);
        if text.len() > MOST {
            return Err(format!("it grows beyond {MOST} bytes"));
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn value(word: &str, canary: &Canary, metric: &Metric) -> Result<String, String> {
    if let Some(name) = word.strip_prefix("variables.") {
        let found = metric.variables.iter().find(|(key, _)| key == name);
        return found.map(|(_, value)| value.clone()).ok_or_else(|| format!("no templateVariables named {name}"));
    }
    let reference = |block: &str| text(&canary.spec.service, &[block, "name"]).to_owned();
    Ok(match word {
        "name" => canary.key.name.to_string(),
        "namespace" => canary.key.namespace.to_string(),
        "target" | "ingress" => canary.spec.target.name.clone(),
        "service" => canary.apex().to_owned(),
        "route" => reference("routeRef"),
        "interval" => metric.interval.clone(),
        other => return Err(format!("function \"{other}\" not defined")),
    })
}

/// The first sample of a Prometheus answer.
///
/// # Errors
/// When there is none, or the answer is none of Prometheus.
pub fn sample(answer: &Value) -> Result<f64, NoValue> {
    if text(answer, &["status"]) != "success" {
        let error = text(answer, &["error"]);
        let error = if error.is_empty() { "it is no answer of a Prometheus" } else { error };
        return Err(NoValue::Failed(format!("error response: {error}")));
    }
    let first = match text(answer, &["data", "resultType"]) {
        "scalar" => list(answer, &["data", "result"]).get(1),
        _ => list(answer, &["data", "result"]).first().and_then(|series| list(series, &["value"]).get(1)),
    };
    let number = first.and_then(Value::as_str).and_then(|number| number.parse::<f64>().ok());
    number.filter(|number| !number.is_nan()).ok_or(NoValue::Empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn canary() -> Canary {
        Canary::read(&json!({"metadata": {"name": "c", "namespace": "prod"},
            "spec": {"targetRef": {"name": "podinfo"}, "service": {"name": "web"}}}))
    }

    #[test]
    fn templates_are_filled_in() {
        let metric = Metric {
            interval: "30s".to_owned(),
            variables: vec![("code".to_owned(), "404".to_owned())],
            ..Metric::default()
        };
        for (template, expected) in [
            ("{{ name }}.{{namespace}} {{ target }} {{ service }}", Ok("c.prod podinfo web")),
            ("x[{{ interval }}] {{ variables.code }}", Ok("x[30s] 404")),
            ("{{ other }}", Err("function \"other\" not defined")),
            ("{{ variables.x }}", Err("no templateVariables named x")),
            ("{{ name", Err("unclosed action")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(render(template, &canary(), &metric), expected);
        }
    }

    #[test]
    fn providers_have_their_metrics() {
        let metric = Metric { interval: "1m".to_owned(), ..Metric::default() };
        for (provider, start) in [
            ("istio", "sum(rate(istio_requests_total{"),
            ("linkerd", "sum(rate(response_total{"),
            ("kubernetes", "sum(rate(http_request_duration_seconds_count{"),
            ("gatewayapi:v1", "sum(rate(http_request_duration_seconds_count{"),
        ] {
            let query = builtin(&canary(), provider, &metric, Kind::SuccessRate);
            assert!(query.starts_with(start) && !query.contains("{{"), "{query}");
        }
    }

    #[test]
    fn answers_are_read() {
        let of = |kind: &str, result: Value| {
            sample(&json!({"status": "success", "data": {"resultType": kind, "result": result}}))
        };
        assert_eq!(of("vector", json!([{"value": [1, "99.5"]}])), Ok(99.5));
        assert_eq!(of("scalar", json!([1, "3"])), Ok(3.0));
        assert_eq!(of("vector", json!([])), Err(NoValue::Empty));
        assert_eq!(of("vector", json!([{"value": [1, "NaN"]}])), Err(NoValue::Empty));
        let bad = json!({"status": "error", "error": "parse error"});
        assert_eq!(sample(&bad), Err(NoValue::Failed("error response: parse error".to_owned())));
        assert!(matches!(sample(&json!([])), Err(NoValue::Failed(_))));
    }
}
