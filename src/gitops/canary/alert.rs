//! Alerts: who hears of which, and in which words of whose protocol.

use serde_json::{Value, json};

use super::spec::Canary;
use super::weights::{self, Strategy};

/// How bad it is, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As things go.
    Info,
    /// Something waits for a human.
    Warn,
    /// A release failed.
    Error,
}

impl Severity {
    /// As manifests write it; what is none is the least.
    pub fn of(word: &str) -> Self {
        match word {
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => Self::Info,
        }
    }
}

/// Somebody who wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What is less bad is not told.
    pub severity: Severity,
    /// Namespace (or empty) and name of the provider.
    pub provider: (String, String),
}

/// What the object of a provider says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provider {
    /// `slack` and so on.
    pub kind: String,
    /// The channel to write to.
    pub channel: String,
    /// Who writes.
    pub username: String,
}

/// What a provider is sent.
///
/// # Errors
/// When its type is none that is known.
pub fn payload(canary: &Canary, provider: &Provider, severity: Severity, text: &str) -> Result<Value, String> {
    let title = canary.title();
    let fields = fields(canary);
    match provider.kind.as_str() {
        "slack" | "discord" | "rocket" => Ok(slack(provider, &title, &fields, severity, text)),
        "msteams" => {
            let facts: Vec<Value> = fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            let section = json!({"activityTitle": text, "activitySubtitle": title, "facts": facts});
            Ok(json!({"@type": "MessageCard", "@context": "http://schema.org/extensions",
                "themeColor": if severity == Severity::Error { "FF0000" } else { "0076D7" },
                "summary": title, "sections": [section]}))
        }
        "gchat" => Ok(json!({"text": format!("{title}: {text}")})),
        other => Err(format!("alert provider type {other} is not supported")),
    }
}

fn slack(provider: &Provider, title: &str, fields: &[(&str, String)], severity: Severity, text: &str) -> Value {
    let fields: Vec<Value> =
        fields.iter().map(|(name, value)| json!({"title": name, "value": value, "short": false})).collect();
    let colour = if severity == Severity::Error { "danger" } else { "good" };
    let name = if provider.username.is_empty() { "flagger" } else { &provider.username };
    json!({"channel": provider.channel, "username": name, "icon_emoji": ":rocket:", "attachments": [
        {"color": colour, "author_name": title, "text": text, "mrkdwn_in": ["text"], "fields": fields}]})
}

/// Where messages of a provider go: Discord understands Slack's at an address of its own.
pub fn address(provider: &Provider, address: &str) -> String {
    let discord = provider.kind == "discord" && !address.ends_with("/slack");
    if discord { format!("{}/slack", address.trim_end_matches('/')) } else { address.to_owned() }
}

fn fields(canary: &Canary) -> Vec<(&'static str, String)> {
    let (spec, analysis) = (&canary.spec, &canary.spec.analysis);
    let routing = match Strategy::of(analysis) {
        Strategy::Weighted if !analysis.step_weights.is_empty() && analysis.step_weight <= 0 => {
            format!("Weight steps: {:?} max: {}", analysis.step_weights, weights::max(analysis))
        }
        Strategy::Weighted => format!("Weight step: {} max: {}", analysis.step_weight, weights::max(analysis)),
        Strategy::AbTesting => "A/B Testing".to_owned(),
        Strategy::BlueGreen => "Blue/Green".to_owned(),
    };
    vec![
        ("Target", format!("{}/{}.{}", spec.target.kind, spec.target.name, canary.key.namespace)),
        ("Failed checks threshold", analysis.threshold.to_string()),
        ("Progress deadline", format!("{}s", spec.progress_deadline)),
        ("Traffic routing", routing),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(analysis: Value) -> Canary {
        Canary::read(&json!({"metadata": {"name": "podinfo", "namespace": "prod"}, "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}, "analysis": analysis}}))
    }

    fn provider(kind: &str) -> Provider {
        Provider { kind: kind.to_owned(), channel: "releases".to_owned(), username: String::new() }
    }

    #[test]
    fn each_protocol_has_its_shape() {
        let canary = canary(json!({"stepWeight": 5, "threshold": 5}));
        let told = |kind: &str| payload(&canary, &provider(kind), Severity::Error, "Failed checks threshold reached 5");
        let slack = told("slack").unwrap();
        assert_eq!((&slack["channel"], &slack["username"]), (&json!("releases"), &json!("flagger")));
        let attachment = &slack["attachments"][0];
        assert_eq!((&attachment["color"], &attachment["author_name"]), (&json!("danger"), &json!("podinfo.prod")));
        let fields: Vec<&str> =
            attachment["fields"].as_array().unwrap().iter().filter_map(|f| f["value"].as_str()).collect();
        assert_eq!(fields, ["Deployment/podinfo.prod", "5", "600s", "Weight step: 5 max: 100"]);
        assert_eq!(told("discord"), Ok(slack));
        assert_eq!(told("msteams").unwrap()["themeColor"], "FF0000");
        assert_eq!(told("gchat"), Ok(json!({"text": "podinfo.prod: Failed checks threshold reached 5"})));
        assert_eq!(told("pager"), Err("alert provider type pager is not supported".to_owned()));
    }

    #[test]
    fn the_routing_is_told() {
        for (analysis, expected) in [
            (json!({"stepWeights": [1, 10, 50]}), "Weight steps: [1, 10, 50] max: 50"),
            (json!({"iterations": 5}), "Blue/Green"),
            (json!({"iterations": 5, "match": [{}]}), "A/B Testing"),
        ] {
            assert_eq!(super::fields(&canary(analysis)).last().unwrap().1, expected);
        }
    }

    #[test]
    fn discord_has_an_address_of_its_own() {
        for (kind, expected) in [("discord", "https://x/hook/slack"), ("slack", "https://x/hook")] {
            assert_eq!(address(&provider(kind), "https://x/hook"), expected);
        }
        assert_eq!(address(&provider("discord"), "https://x/hook/slack"), "https://x/hook/slack");
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::of("info") < Severity::of("warn") && Severity::of("warn") < Severity::of("error"));
        assert_eq!(Severity::of("loud"), Severity::Info);
    }
}
