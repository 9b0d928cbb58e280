//! Findings about objects on slides, each with its place, its hints and what mends it.

use super::*;
use crate::deck::{Options, parse};
use crate::diagnostic::{SourceFile, mended};

/// `line:column severity code message | hint`, and the text with what is mended.
fn told(text: &str) -> (Vec<String>, String) {
    let source = SourceFile::new("a.md", text);
    let deck = parse(&source, &Options::default()).value;
    let found = findings(text, &deck, &Served::new(&[]));
    let lines = found.iter().map(|found| {
        let place = source.line_column(found.span.unwrap().start);
        let (severity, hints) = (found.severity.as_str(), found.hints.join(" / "));
        format!("{}:{} {severity} {} {} | {hints}", place.line, place.column, found.code, found.message)
    });
    (lines.collect(), mended(text, &found).0)
}

fn yaml(text: &str) -> String {
    format!("# A\n\n```yaml {{1}}\n{text}```\n")
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      containers:
      - name: a
        image: nginx
";

#[test]
fn what_is_right_is_left_alone() {
    for text in [
        DEPLOYMENT,
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  apiVersion: extensions/v1beta1\n",
        "apiVersion: example.org/v1\nkind: Anything\nspec: {a: b}\n",
        "image: nginx\nreplicas: 3\n",
        "apiVersion: v1 # the core\nkind: \"Service\"\nspec:\n  …\n",
        "apiVersion: v1\nitems: [}\n",
    ] {
        assert_eq!(told(&yaml(text)).0, [""; 0], "{text}");
    }
    assert_eq!(told("```json\napiVersion: apps/v9\nkind: Deployment\n```\n").0, [""; 0]);
}

#[test]
fn a_version_that_is_gone_is_mended_where_that_changes_nothing_else() {
    let old = DEPLOYMENT.replace("apps/v1", "extensions/v1beta1");
    let (found, fixed) = told(&yaml(&old));
    let expected = "4:13 error kubernetes/archived-version `extensions/v1beta1` of Deployment is gone since Kubernetes \
                    1.16 | it is `apps/v1` now";
    assert_eq!(found, [expected]);
    assert_eq!(fixed, yaml(DEPLOYMENT));
    // apps/v1 wants a selector, which may be left out in the old version.
    let short = yaml(&old.replace("  selector: {matchLabels: {app: a}}\n", ""));
    assert_eq!(told(&short), (vec![expected.to_owned()], short.clone()));
    let ingress = "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nspec:\n  rules:\n  - http:\n      paths:\n      \
                   - backend: {serviceName: a, servicePort: 80}\n";
    let text = yaml(ingress);
    let (found, fixed) = told(&text);
    assert_eq!((found.len(), fixed), (1, text));
}

#[test]
fn every_mistake_has_its_place() {
    let expected = |text: &str, expected: &[&str]| assert_eq!(told(&yaml(text)).0, expected, "{text}");
    expected(
        "kind: Deployment\napiVersion: v1\n---\nkind: Pod\napiVersion: v2\n",
        &[
            "5:13 error kubernetes/unknown-version there is no Deployment in `v1` | it is in `apps/v1`",
            "8:13 error kubernetes/unknown-version there is no Pod in `v2` | it is in `v1`",
        ],
    );
    expected(
        "apiVersion: v1\nkind: Servcie\n",
        &["5:7 error kubernetes/unknown-kind there is no kind Servcie in `v1` | did you mean `Service`?"],
    );
    expected(
        "apiVersion: example.org/v1\nkind: Scaler\nspec:\n  targets:\n  - apiVersion: apps/v1beta1\n    kind: Deployment\n",
        &[
            "8:17 error kubernetes/archived-version `apps/v1beta1` of Deployment is gone since Kubernetes 1.16 | it is `apps/v1` now",
        ],
    );
    expected(
        &DEPLOYMENT.replace("image: nginx", "imag: nginx").replace("spec:\n  sel", "spec:\n  replica: 3\n  sel"),
        &[
            "8:3 warning kubernetes/unknown-field Deployment has no field `spec.replica` | did you mean `replicas`?",
            "15:9 warning kubernetes/unknown-field Deployment has no field `spec.template.spec.containers[0].imag` | did you mean `image`?",
        ],
    );
}
