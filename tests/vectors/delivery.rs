//! What the delivery reference recommends.

use foredeck::cluster::guard::{Facts, judge};

/// Which contexts of a kubeconfig may be touched.
#[test]
fn vectors_kube_context_guard() {
    let Some(cases) = super::group("delivery.json", "kubeContextGuard") else { return };
    let mut wrong = Vec::new();
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        let facts = Facts { context: text("context"), cluster: text("cluster"), server: text("server"), detour: false };
        let (actual, expected) = (judge(&facts).verdict.as_str(), text("recommended"));
        if actual != expected {
            wrong.push(format!("{facts:?}: expected {expected} actual {actual}"));
        }
    }
    eprintln!("guard vectors: {} of {} agree", cases.len() - wrong.len(), cases.len());
    assert_eq!(wrong, Vec::<String>::new());
}
