//! `diff`: what Git wants against what is there.

use serde_json::Value;

use crate::deck::PanelSpec;
use crate::gitops::explain::ObjectState;
use crate::gitops::status::Status;
use crate::panel::state::{Body, DiffLine};

pub(super) fn body(status: &Status, spec: &PanelSpec, most: usize) -> Body {
    let fits = |state: &ObjectState| {
        spec.get("name").is_none_or(|name| state.name == name)
            && spec.get("kind").is_none_or(|kind| state.kind.eq_ignore_ascii_case(kind))
            && spec.get("namespace").is_none_or(|space| state.namespace == space)
    };
    let mut lines = Vec::new();
    let line = |sign: char, text: String| DiffLine { sign, text };
    let chosen = status.objects.values().filter(|state| fits(state) && !state.fields.is_empty());
    for state in chosen {
        let who = state.writer.as_ref().map(|writer| format!(" (changed by {writer})")).unwrap_or_default();
        lines.push(line('@', format!("{}/{}{who}", state.kind.to_ascii_lowercase(), state.name)));
        for field in &state.fields {
            if let Some(found) = &field.found {
                lines.push(line('-', format!("{}: {}", field.path, shown(found))));
            }
            if let Some(wanted) = &field.wanted {
                lines.push(line('+', format!("{}: {}", field.path, shown(wanted))));
            }
        }
    }
    let most = most * 2;
    if lines.len() > most {
        let more = lines.len() - most;
        lines.truncate(most);
        lines.push(line('@', format!("+{more} more")));
    }
    Body::Diff { lines, empty: "The cluster is as Git wants it.".to_owned() }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
