//! What the report of the reconciler says, word for word.

use super::*;
use serde_json::json;

fn status() -> Value {
    json!({
        "source": {"url": "http://x/demo.git", "branch": "main", "phase": "ready", "head": "bbbbbbbbbb"},
        "synced": "aaaaaaaaaa",
        "next": {"fetch": "1970-01-01T00:01:40Z", "sync": "1970-01-01T00:04:20Z", "retry": null},
        "last": {"ended": "1970-01-01T00:00:55Z", "ending": "partly", "trigger": "push", "error": null},
        "findings": [{"level": "error", "place": {"file": "deploy/bad.yaml", "line": 3}, "message": "no YAML"}],
        "objects": [
            {"id": "demo:deployment/web", "state": "in-sync", "place": {"file": "deploy/web.yaml", "line": 1},
             "commit": {"id": "aaaaaaaaaa", "author": {"name": "Ann"}}, "applied": "1970-01-01T00:00:55Z"},
            {"id": "demo:deployment/bad", "state": "failed", "place": {"file": "deploy/bad.yaml", "line": 0},
             "reason": "the cluster refuses it", "hint": "mend it", "writer": "kubectl",
             "fields": [{"path": "spec.replicas", "found": 5, "wanted": 3}]},
        ],
    })
}

fn shown(status: &Value, preview: Option<&Value>, dialect: Option<Dialect>) -> String {
    text(status, preview, Style { dialect }, Timestamp::from_second(60).unwrap())
}

#[test]
fn everything_is_told() {
    let preview = json!({"steps": [{"would": "prune", "id": "demo:configmap/old", "reason": "left Git"}]});
    let wanted = "\
repository  http://x/demo.git (main), ready
HEAD        bbbbbbb
synced      aaaaaaa
next        fetch in 40 s, sync in 3 min 20 s
last sync   5 s ago, partly (push)
error  deploy/bad.yaml:3: no YAML

OBJECT               STATE    FILE               COMMIT       APPLIED
demo:deployment/web  in sync  deploy/web.yaml:1  aaaaaaa Ann  5 s ago
demo:deployment/bad  failed   deploy/bad.yaml                 -

demo:deployment/bad: the cluster refuses it
  spec.replicas: 5, Git wants 3
  written by kubectl
  help: mend it

The next sync would
  prune   demo:configmap/old: left Git
";
    assert_eq!(shown(&status(), Some(&preview), None), wanted);
}

#[test]
fn words_can_be_others() {
    for (dialect, word) in
        [(Dialect::Flux1, "SyncError"), (Dialect::Flux2, "ReconciliationFailed"), (Dialect::ArgoCd, "SyncFailed")]
    {
        assert!(shown(&status(), None, Some(dialect)).contains(word), "{word}");
    }
}

#[test]
fn little_is_enough() {
    assert_eq!(shown(&json!({"source": {"phase": "unconfigured"}}), None, None), "repository  none\n");
    let paused = json!({"source": {"phase": "new", "error": "no route"}, "paused": true});
    assert!(shown(&paused, None, None).ends_with("problem     no route\nnext        paused\n"));
    assert_eq!(
        [span(59), span(60), span(61), span(7260), span(90_000)],
        ["59 s", "1 min", "1 min 1 s", "2 h 1 min", "1 d"]
    );
    for odd in [json!(null), json!([]), json!({"objects": [3, null, {}], "findings": "x", "last": 3})] {
        shown(&odd, Some(&odd), None);
    }
}
