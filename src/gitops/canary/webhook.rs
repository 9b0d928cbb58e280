//! What a webhook is told, and which answers are good.

use serde_json::{Map, Value, json};

use super::spec::{Canary, Webhook};
use super::status::{Phase, Status};

/// The most of an answer that events repeat.
const MOST: usize = 1024;

/// Whether an answer with this status is a yes.
pub fn is_good(status: u16) -> bool {
    status <= 202
}

/// What a webhook is told.
pub fn payload(canary: &Canary, hook: &Webhook, phase: Phase) -> Value {
    let metadata: Map<String, Value> =
        hook.metadata.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    told(canary, phase, metadata)
}

/// What an `event` hook is told.
pub fn event_payload(canary: &Canary, hook: &Webhook, event: (&str, &str), phase: Phase, millis: i64) -> Value {
    let (tone, text) = event;
    let mut metadata: Map<String, Value> =
        hook.metadata.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let told_more =
        [("eventMessage", text.to_owned()), ("eventType", tone.to_owned()), ("timestamp", millis.to_string())];
    metadata.extend(told_more.map(|(name, value)| (name.to_owned(), value.into())));
    told(canary, phase, metadata)
}

fn told(canary: &Canary, phase: Phase, metadata: Map<String, Value>) -> Value {
    json!({
        "name": canary.key.name,
        "namespace": canary.key.namespace,
        "phase": phase.as_str(),
        "checksum": checksum(&canary.status),
        "metadata": metadata,
    })
}

/// The revision that is judged, with its configs, in short.
fn checksum(status: &Status) -> String {
    let whole = format!("{}{:?}", status.last_applied, status.tracked);
    let hash = whole.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_string()
}

/// An answer's body as events repeat it.
pub fn words(body: &[u8], status: u16) -> String {
    let text = String::from_utf8_lossy(body.get(..MOST).unwrap_or(body));
    let text: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.is_empty() { format!("status {status}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_told_what_it_is_about() {
        let canary = Canary::read(&json!({"metadata": {"name": "c", "namespace": "prod"}, "spec": {"analysis":
            {"webhooks": [{"name": "h", "metadata": {"cmd": "hey"}}]}}, "status": {"lastAppliedSpec": "1"}}));
        let told = payload(&canary, &canary.spec.analysis.webhooks[0], Phase::Progressing);
        assert_eq!(told["phase"], json!("Progressing"));
        assert_eq!(told["metadata"], json!({"cmd": "hey"}));
        let told = event_payload(&canary, &canary.spec.analysis.webhooks[0], ("Normal", "x"), Phase::Failed, 5);
        let wanted = json!({"cmd": "hey", "eventMessage": "x", "eventType": "Normal", "timestamp": "5"});
        assert_eq!(told["metadata"], wanted);
    }

    #[test]
    fn answers_are_repeated_in_one_line() {
        assert_eq!(words(b"not\nyet ", 403), "not yet");
        assert_eq!(words(b"", 403), "status 403");
        assert_eq!(words(&[b'a'; 5000], 500).len(), 1024);
        assert_eq!(words(&[0xff, 0xfe], 500), "\u{fffd}\u{fffd}");
    }
}
