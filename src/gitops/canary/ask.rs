//! Getting the answers that a tick asks for: webhooks and metrics.

use base64::Engine as _;
use http::Method;
use jiff::Timestamp;
use serde_json::Value;

use super::alert::{self, Provider, Rule, Severity};
use super::checks::{Kind, NoValue};
use super::effect::Tone;
use super::http::Ask;
use super::load_tester::{self, Answer};
use super::metrics::{Asked, MetricSource, Prometheus};
use super::objects;
use super::options::Metrics;
use super::query;
use super::shared::Shared;
use super::spec::{Canary, HookType, Metric, Webhook};
use super::status::Phase;
use super::webhook::{event_payload, is_good, payload, words};
use crate::cluster::object::{Key, at, text};

/// How long a provider of alerts may take.
const ALERT: std::time::Duration = std::time::Duration::from_secs(5);

impl Shared {
    /// What a webhook says: yes, or the words of a no.
    pub(super) async fn hook(&self, canary: &Canary, hook: &Webhook, phase: Phase) -> Result<(), String> {
        // The presenter's word counts more than anybody's.
        match self.gate(&canary.key, &hook.name) {
            Some(true) => return Ok(()),
            Some(false) if hook.when.is_gate() || hook.when == HookType::Rollback => {
                return Err("closed by the presenter".to_owned());
            }
            _ => {}
        }
        if let Some(path) = load_tester::path(&hook.url).filter(|_| self.options.load_tester) {
            return self.tested(canary, load_tester::answer(path, hook));
        }
        let body = serde_json::to_vec(&payload(canary, hook, phase)).unwrap_or_default();
        let mut said = self.post(hook, body.clone()).await;
        for _ in 0..hook.retries {
            if said.is_ok() {
                break;
            }
            said = self.post(hook, body.clone()).await;
        }
        said
    }

    fn tested(&self, canary: &Canary, answer: Answer) -> Result<(), String> {
        let now = self.clock.now();
        match answer {
            Answer::Say(status, _) if is_good(status) => Ok(()),
            Answer::Say(_, why) => Err(why),
            Answer::Load(rate, lasts, direct) => {
                self.traffic(&canary.key, |traffic| traffic.load(now, rate, lasts, direct));
                Ok(())
            }
            // Nobody has turned it: it is closed.
            Answer::Check => Err("Forbidden".to_owned()),
            Answer::Turn(open) => {
                let gates = canary.spec.analysis.webhooks.iter().filter(|gate| gate.when.is_gate());
                for gate in gates {
                    self.turn(&canary.key, &gate.name, open);
                }
                Ok(())
            }
        }
    }

    async fn post(&self, hook: &Webhook, body: Vec<u8>) -> Result<(), String> {
        if hook.disable_tls && hook.url.starts_with("https:") {
            return Err("disableTLS is not supported: certificates are always looked at".to_owned());
        }
        let ask = Ask { method: Method::POST, url: hook.url.clone(), body, authorization: None, limit: hook.timeout };
        let (status, body) = self.http.ask(ask).await?;
        if is_good(status.as_u16()) { Ok(()) } else { Err(words(&body, status.as_u16())) }
    }

    /// Tells the hooks that want every event; what they say does not matter.
    pub(super) async fn tell_hooks(&self, canary: &Canary, tone: Tone, words: &str, now: Timestamp) {
        let phase = canary.status.phase.unwrap_or(Phase::Initializing);
        let hooks = canary.spec.analysis.webhooks.iter().filter(|hook| hook.when == HookType::Event);
        for hook in hooks {
            let told = event_payload(canary, hook, (tone.as_str(), words), phase, now.as_millisecond());
            let body = serde_json::to_vec(&told).unwrap_or_default();
            if load_tester::path(&hook.url).is_some() && self.options.load_tester {
                continue;
            }
            if let Err(why) = self.post(hook, body).await {
                tracing::debug!(canary = %canary.key, hook = hook.name, why, "an event hook did not take an event");
            }
        }
    }

    /// Tells those who want to hear of something so bad, all at once: none of them holds up the others.
    pub(super) async fn alert(&self, canary: &Canary, severity: Severity, text: &str) {
        let rules = canary.spec.analysis.alerts.iter().filter(|rule| severity >= rule.severity);
        let told = rules.map(async |rule| {
            if let Err(why) = self.alert_one(canary, rule, severity, text).await {
                tracing::warn!(canary = %canary.key, alert = rule.name, why, "an alert was not sent");
            }
        });
        futures::future::join_all(told).await;
    }

    async fn alert_one(&self, canary: &Canary, rule: &Rule, severity: Severity, text: &str) -> Result<(), String> {
        let (namespace, name) = &rule.provider;
        let namespace = if namespace.is_empty() { &*canary.key.namespace } else { namespace };
        let found = self.read("AlertProvider", namespace, name).await?;
        let object = found.ok_or_else(|| format!("alertprovider.flagger.app \"{name}\" not found"))?;
        let word = |path: &[&str]| self::text(&object, path).to_owned();
        let provider = Provider {
            kind: word(&["spec", "type"]),
            channel: word(&["spec", "channel"]),
            username: word(&["spec", "username"]),
        };
        let mut address = word(&["spec", "address"]);
        let secret = word(&["spec", "secretRef", "name"]);
        if address.is_empty() && !secret.is_empty() {
            let found = self.read("Secret", namespace, &secret).await?;
            let found = found.ok_or_else(|| format!("secrets \"{secret}\" not found"))?;
            address = secret_value(&found, "address").ok_or_else(|| format!("secret {secret} has no key address"))?;
        }
        let body = serde_json::to_vec(&alert::payload(canary, &provider, severity, text)?).unwrap_or_default();
        let url = alert::address(&provider, address.trim());
        let ask = Ask { method: Method::POST, url, body, authorization: None, limit: ALERT };
        let (status, body) = self.http.ask(ask).await?;
        if status.is_success() { Ok(()) } else { Err(words(&body, status.as_u16())) }
    }

    /// Who measures for a canary.
    fn source(&self, canary: &Canary) -> Box<dyn MetricSource> {
        let address = canary.spec.metrics_server.as_deref().or(match &self.options.metrics {
            Metrics::BuiltIn => None,
            Metrics::Prometheus(address) => Some(address),
        });
        match address {
            Some(address) => Box::new(Prometheus::new(self.http.clone(), address, None)),
            None => Box::new(self.fleet.clone()),
        }
    }

    /// Whether everybody who measures is there.
    pub(super) async fn providers(&self, canary: &Canary) -> Result<(), String> {
        for metric in &canary.spec.analysis.metrics {
            if Kind::early(metric).iter().any(|kind| *kind != Kind::Query) {
                let online = self.source(canary).online().await;
                online.map_err(|why| format!("prometheus not avaiable: {why}"))?;
            } else if let Some((namespace, name)) = &metric.template {
                let (source, _) = self.template(canary, namespace, name).await?;
                let namespace = if namespace.is_empty() { &*canary.key.namespace } else { namespace };
                let online = source.online().await;
                online
                    .map_err(|why| format!("prometheus in metric template {name}.{namespace} not avaiable: {why}"))?;
            }
        }
        Ok(())
    }

    /// The value of a metric.
    pub(super) async fn value(
        &self,
        canary: &Canary,
        provider: &str,
        metric: &Metric,
        kind: Kind,
        now: Timestamp,
    ) -> Result<f64, NoValue> {
        let asked = |query: String| Asked { canary: canary.key.clone(), kind, query, window: metric.window(), now };
        match (kind, &metric.template) {
            (Kind::Template, Some((namespace, name))) => {
                let found = self.template(canary, namespace, name).await;
                let (source, template) = found.map_err(|why| {
                    let mut letters = why.chars();
                    let first = letters.next().map(|c| c.to_ascii_uppercase());
                    NoValue::Template(first.into_iter().chain(letters).collect())
                })?;
                let namespace = if namespace.is_empty() { &*canary.key.namespace } else { namespace };
                let query = query::render(&template, canary, metric).map_err(|why| {
                    NoValue::Template(format!("Metric template {name}.{namespace} query render error: {why}"))
                })?;
                source.measure(asked(query)).await
            }
            (Kind::Query, _) => self.source(canary).measure(asked(metric.query.clone())).await,
            _ => self.source(canary).measure(asked(query::builtin(canary, provider, metric, kind))).await,
        }
    }

    /// A metric template: whom it asks, and its query.
    async fn template(&self, canary: &Canary, namespace: &str, name: &str) -> Result<(Prometheus, String), String> {
        let namespace = if namespace.is_empty() { &*canary.key.namespace } else { namespace };
        let title = format!("metric template {name}.{namespace}");
        let found = self.read("MetricTemplate", namespace, name).await;
        let object = found
            .and_then(|object| object.ok_or_else(|| format!("metrictemplate.flagger.app \"{name}\" not found")))
            .map_err(|why| format!("{title} error: {why}"))?;
        let (kind, address) =
            (text(&object, &["spec", "provider", "type"]), text(&object, &["spec", "provider", "address"]));
        if kind != "prometheus" {
            return Err(format!("{title} provider {kind} error: only prometheus can be asked"));
        }
        let secret = text(&object, &["spec", "provider", "secretRef", "name"]);
        let authorization = if secret.is_empty() {
            None
        } else {
            let found = self.read("Secret", namespace, secret).await;
            let found = found.and_then(|it| it.ok_or_else(|| format!("secrets \"{secret}\" not found")));
            authorization(&found.map_err(|why| format!("{title} secret {secret} error: {why}"))?)
        };
        let source = Prometheus::new(self.http.clone(), address, authorization);
        Ok((source, text(&object, &["spec", "query"]).to_owned()))
    }

    async fn read(&self, kind: &str, namespace: &str, name: &str) -> Result<Option<Value>, String> {
        let Some(kind) = objects::Kind::named(kind) else { return Ok(None) };
        self.objects.get(kind, &Key::new(namespace, name)).await.map_err(|error| error.to_string())
    }
}

/// A text of a secret.
fn secret_value(secret: &Value, name: &str) -> Option<String> {
    let engine = base64::engine::general_purpose::STANDARD;
    String::from_utf8(engine.decode(at(secret, &["data", name])?.as_str()?).ok()?).ok()
}

/// What a secret of a template lets us in with.
fn authorization(secret: &Value) -> Option<String> {
    let value = |name: &str| secret_value(secret, name);
    if let Some(token) = value("token") {
        return Some(format!("Bearer {}", token.trim()));
    }
    let pair = format!("{}:{}", value("username")?, value("password")?);
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}
