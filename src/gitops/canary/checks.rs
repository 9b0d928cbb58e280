//! What a measured value means: fine, or the words in which the release is halted.

use super::go;
use super::spec::Metric;

/// How a metric is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Percent of requests that did not fail.
    SuccessRate,
    /// The 99th percentile in milliseconds.
    Duration,
    /// By a query in the Canary.
    Query,
    /// By a template.
    Template,
    /// Not at all.
    Unusable,
}

impl Kind {
    /// How this metric is measured first, before the templates.
    pub fn early(metric: &Metric) -> Vec<Self> {
        let builtin = match metric.name.as_str() {
            "request-success-rate" => Some(Self::SuccessRate),
            "request-duration" => Some(Self::Duration),
            _ => None,
        };
        builtin.into_iter().chain((!metric.query.is_empty()).then_some(Self::Query)).collect()
    }

    /// How it is measured afterwards.
    pub fn late(metric: &Metric) -> Option<Self> {
        match (&metric.template, Self::early(metric).is_empty()) {
            (Some(_), _) => Some(Self::Template),
            (None, true) => Some(Self::Unusable),
            (None, false) => None,
        }
    }
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValue {
    /// Nothing was measured.
    Empty,
    /// It could not be asked for.
    Failed(String),
    /// The template cannot be used; the whole text.
    Template(String),
}

/// A canary's and a target's name, and who measures.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// `name.namespace` of the canary.
    pub canary: &'a str,
    /// `name.namespace` of the target.
    pub target: &'a str,
    /// The provider.
    pub provider: &'a str,
}

impl Names<'_> {
    /// What stands before a cause.
    fn prefix(&self) -> &'static str {
        let plain = self.provider == "kubernetes" || self.provider.starts_with("gatewayapi:");
        if plain { "" } else { "running query failed: " }
    }
}

/// What is wrong with a value; nothing when all is well.
pub fn judge(metric: &Metric, kind: Kind, names: Names<'_>, value: &Result<f64, NoValue>) -> Option<String> {
    match value {
        _ if kind == Kind::Unusable => {
            Some("Metric query failed for no usable metrics template and query were configured".to_owned())
        }
        Ok(value) if !value.is_nan() => out_of_bounds(metric, kind, names, *value),
        Ok(_) | Err(NoValue::Empty) => Some(no_values(metric, kind, names)),
        Err(NoValue::Template(text)) => Some(text.clone()),
        Err(NoValue::Failed(cause)) => Some(match kind {
            Kind::Query => format!("Prometheus query failed for {}: {cause}", metric.name),
            Kind::Template => format!("Metric query failed for {}: {cause}", metric.name),
            _ => format!("Prometheus query failed: {}{cause}", names.prefix()),
        }),
    }
}

fn no_values(metric: &Metric, kind: Kind, names: Names<'_>) -> String {
    let Names { target, provider, .. } = names;
    let name = &metric.name;
    let start = format!(
        "Halt advancement no values found for {provider} metric {name} probably {target} is not receiving traffic"
    );
    match kind {
        Kind::SuccessRate => format!("{start}: {}no values found", names.prefix()),
        Kind::Query => format!("Halt advancement no values found for metric: {name}"),
        Kind::Template => format!("Halt advancement no values found for custom metric: {name}: no values found"),
        _ => start,
    }
}

fn out_of_bounds(metric: &Metric, kind: Kind, names: Names<'_>, value: f64) -> Option<String> {
    let (min, max) = bounds(metric, kind);
    // Whole milliseconds are compared.
    let whole = |number: f64| if kind == Kind::Duration { number.trunc() } else { number };
    let value = whole(value);
    let (sign, bound) = match (min.map(whole), max.map(whole)) {
        (Some(min), _) if value < min => ('<', min),
        (_, Some(max)) if value > max => ('>', max),
        _ => return None,
    };
    let canary = names.canary;
    Some(match kind {
        Kind::SuccessRate => {
            format!("Halt {canary} advancement success rate {value:.2}% {sign} {}%", go::shortest(bound))
        }
        Kind::Duration => {
            let (value, bound) = (millis(value), millis(bound));
            format!("Halt {canary} advancement request duration {value} {sign} {bound}")
        }
        _ => format!("Halt {canary} advancement {} {value:.2} {sign} {}", metric.name, go::shortest(bound)),
    })
}

/// The least and the most that a metric may be. The older threshold is the least success rate, the most of all else.
pub fn bounds(metric: &Metric, kind: Kind) -> (Option<f64>, Option<f64>) {
    match (metric.range, kind) {
        (Some(range), _) => range,
        (None, Kind::SuccessRate) => (Some(metric.threshold), None),
        (None, _) => (None, Some(metric.threshold)),
    }
}

fn millis(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate, and the value is whole")]
    go::milliseconds(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'_> = Names { canary: "c.prod", target: "podinfo.prod", provider: "istio" };

    fn metric(name: &str, threshold: f64) -> Metric {
        Metric { name: name.to_owned(), threshold, ..Metric::default() }
    }

    #[test]
    fn values_are_held_to_their_bounds() {
        let rate = metric("request-success-rate", 99.0);
        let time = metric("request-duration", 500.0);
        let own = Metric { query: "q".to_owned(), ..metric("errors", 10.0) };
        for (metric, kind, value, text) in [
            (&rate, Kind::SuccessRate, 99.0, None),
            (&rate, Kind::SuccessRate, 80.0, Some("Halt c.prod advancement success rate 80.00% < 99%")),
            (&time, Kind::Duration, 500.9, None),
            (&time, Kind::Duration, 515.0, Some("Halt c.prod advancement request duration 515ms > 500ms")),
            (&own, Kind::Query, 12.0, Some("Halt c.prod advancement errors 12.00 > 10")),
        ] {
            assert_eq!(judge(metric, kind, NAMES, &Ok(value)).as_deref(), text);
        }
    }

    #[test]
    fn nothing_measured_is_a_failure() {
        let names = Names { provider: "gatewayapi:v1", ..NAMES };
        let rate = metric("request-success-rate", 99.0);
        let text = "Halt advancement no values found for gatewayapi:v1 metric request-success-rate probably \
                    podinfo.prod is not receiving traffic: no values found";
        assert_eq!(judge(&rate, Kind::SuccessRate, names, &Err(NoValue::Empty)).as_deref(), Some(text));
        let down = Err(NoValue::Failed("connection refused".to_owned()));
        let text = "Prometheus query failed: running query failed: connection refused";
        assert_eq!(judge(&rate, Kind::SuccessRate, NAMES, &down).as_deref(), Some(text));
        assert!(judge(&rate, Kind::SuccessRate, NAMES, &Ok(f64::NAN)).is_some());
    }

    #[test]
    fn a_metric_is_measured_in_every_way_it_names() {
        let both = Metric {
            query: "q".to_owned(),
            template: Some((String::new(), "t".to_owned())),
            ..metric("request-duration", 1.0)
        };
        assert_eq!(Kind::early(&both), [Kind::Duration, Kind::Query]);
        assert_eq!(Kind::late(&both), Some(Kind::Template));
        assert_eq!(Kind::late(&metric("x", 0.0)), Some(Kind::Unusable));
    }
}
