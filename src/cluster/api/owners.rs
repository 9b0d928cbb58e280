//! Owner references that stand twice: one is kept, and the client is told.

use serde_json::Value;

use crate::cluster::object::{list, set, text};

/// Drops owner references that are there already; gives back what the client is told. A patch is only looked at after
/// admission, which the real server says.
pub fn dedup(object: &mut Value, after_admission: bool) -> Option<String> {
    let references = list(object, &["metadata", "ownerReferences"]);
    let mut kept: Vec<Value> = Vec::new();
    let mut twice: Vec<&str> = Vec::new();
    for reference in references {
        if kept.contains(reference) {
            twice.push(text(reference, &["uid"]));
        } else {
            kept.push(reference.clone());
        }
    }
    if twice.is_empty() {
        return None;
    }
    let when = if after_admission { " after mutating admission happens" } else { "" };
    let told = format!(
        ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may \
         reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
        twice.join(", ")
    );
    set(object, &["metadata", "ownerReferences"], kept);
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_of_two_is_kept() {
        let (a, b) = (json!({"name": "a", "uid": "1"}), json!({"name": "b", "uid": "1"}));
        let mut object = json!({"metadata": {"ownerReferences": [a, b, a]}});
        assert!(dedup(&mut object, false).is_some_and(|told| told.ends_with("duplicate UID(s) observed: 1")));
        assert_eq!(object, json!({"metadata": {"ownerReferences": [a, b]}}));
        assert_eq!(dedup(&mut object, false), None);
    }
}
