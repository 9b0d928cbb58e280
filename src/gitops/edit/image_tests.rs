//! Images set in files of every shape.

use super::*;

const WEB: &str = r#"# the greeting service
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: demo
spec:
  template:
    spec:
      containers:
        - name: app
          image: "registry.example.com/team/web:1.0.0" # pinned
        - image: 'example/side:0.1'   # image first

          name: side
      initContainers: [{name: prep, image: example/prep:7}]
"#;

fn set(text: &str, id: &str, container: &str, image: &str) -> Result<String, String> {
    let id = ResourceId::parse(id).unwrap();
    set_image(text, &id, container, &ImageRef::parse(image).unwrap()).map_err(|error| error.to_string())
}

use crate::gitops::id::ResourceId;

/// Sets an image and expects exactly one piece of the text to have been replaced.
fn replaces(text: &str, id: &str, container: &str, image: &str, old: &str, new: &str) {
    assert_eq!(text.matches(old).count(), 1, "{old}");
    assert_eq!(set(text, id, container, image), Ok(text.replacen(old, new, 1)));
}

#[test]
fn one_scalar_changes_and_its_quotes_stay() {
    let id = "demo:deployment/web";
    replaces(WEB, id, "app", "registry.example.com/team/web:1.1.0", "web:1.0.0\"", "web:1.1.0\"");
    replaces(WEB, id, "side", "example/side:0.2", "side:0.1'", "side:0.2'");
    replaces(WEB, id, "prep", "example/prep:8", "prep:7}", "prep:8}");
    let windows = WEB.replace('\n', "\r\n");
    replaces(&windows, id, "app", "a:1", "\"registry.example.com/team/web:1.0.0\"", "\"a:1\"");
    let marked = format!("\u{feff}{WEB}");
    replaces(&marked, id, "side", "é:2", "'example/side:0.1'", "'é:2'");
    assert_eq!(set(WEB, id, "side", "example/side:0.1"), Ok(WEB.to_owned()));
}

#[test]
fn every_kind_has_its_containers() {
    let job = "kind: CronJob\nmetadata: {name: j}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - {name: a, image: x:1}";
    replaces(job, "default:cronjob/j", "a", "x:2", "x:1", "x:2");
    let list = "apiVersion: v1\nkind: List\nitems:\n- kind: Service\n  metadata: {name: d}\n- kind: daemonSET\n  metadata:\n    name: d\n  spec:\n    template:\n      spec:\n        containers:\n        - name: a\n          image: x:1\n";
    replaces(list, "default:daemonset/d", "a", "x:2", "x:1", "x:2");
    let many = format!(
        "---\n# nothing\n---\nkind: Service\nmetadata: {{name: web, namespace: demo}}\n---\n{WEB}...\n---\nkind: Deployment\nmetadata: {{name: web}}\n"
    );
    replaces(&many, "demo:deployment/web", "side", "x:2", "example/side:0.1", "x:2");
}

#[test]
fn a_missing_namespace_is_the_default_one() {
    let text = "kind: Deployment\nmetadata:\n  name: web\n  namespace:\nspec: {template: {spec: {containers: [{name: a, image: x}]}}}\n";
    replaces(text, "default:deployment/web", "a", "x:2", "image: x}", "image: x:2}");
    let id = ResourceId::new("demo", "Deployment", "web");
    let target = Target { id: &id, default_namespace: "demo" };
    let image = ImageRef::parse("v").unwrap();
    assert_eq!(set_image(text, target, "a", &image), Ok(text.replace("image: x}", "image: v}")));
}

fn release(values: &str) -> String {
    format!(
        "apiVersion: helm.fluxcd.io/v1\nkind: HelmRelease\nmetadata:\n  name: shop\n  namespace: demo\nspec:\n  values:\n{values}"
    )
}

#[test]
fn values_keep_their_shape() {
    let id = "demo:helmrelease/shop";
    let tagged = release("    image:\n      repository: example/shop\n      tag: \"2.0\"\n");
    replaces(&tagged, id, "chart-image", "example/shop:2.1", "\"2.0\"", "\"2.1\"");
    let number = release("    image:\n      repository: example/shop\n      tag: 2.0 # odd\n");
    replaces(&number, id, "chart-image", "example/shop:2.1", "2.0 #", "'2.1' #");
    let nothing = release("    image: example/shop\n    tag:\n");
    replaces(&nothing, id, "chart-image", "example/shop:2.1", "tag:", "tag: '2.1'");
    let plain = release("    flat:\n      image: example/flat\n      tag: 1.5.0\n");
    replaces(&plain, id, "flat", "example/flat:1.6", "1.5.0", "'1.6'");
    let registry = release("    reg:\n      registry: quay.io\n      image: team/reg:3\n");
    replaces(&registry, id, "reg", "quay.io/team/reg:4", "team/reg:3", "team/reg:4");
    assert_eq!(
        set(&registry, id, "reg", "example.com/reg:4"),
        Ok(registry.replace("quay.io", "example.com").replace("team/reg:3", "reg:4"))
    );
    assert_eq!(
        set(&registry, id, "reg", "reg:4"),
        Err("the image `reg:4` names no registry, and this one has to".to_owned())
    );
    let mapped = release("    a.x: 1\n    a: {b: {repo: example/x, version: '1'}}\n").replace(
        "  namespace: demo\n",
        "  namespace: demo\n  annotations:\n    repository.fluxcd.io/app: a.b.repo\n    tag.fluxcd.io/app: a.b.version\n",
    );
    replaces(&mapped, id, "app", "example/x:2", "'1'", "'2'");
}

#[test]
fn block_scalars_are_scalars_too() {
    let of = |image: &str| {
        format!(
            "kind: Deployment\nmetadata: {{name: w}}\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        image: {image}\n        args: []\n"
        )
    };
    let id = "default:deployment/w";
    let folded = of(">-\n          example/long:1\n");
    replaces(&folded, id, "a", "example/long:2", "long:1", "long:2");
    let literal = of("| # why\n          example/long:1");
    assert_eq!(set(&literal, id, "a", "example/long:2"), Ok(of("example/long:2")));
    let broken = of("example/\n          long:1");
    assert_eq!(set(&broken, id, "a", "example/long:2"), Ok(of("example/long:2")));
    let tagged = of("!!str &only example/long:1");
    replaces(&tagged, id, "a", "example/long:2", "long:1", "long:2");
}

#[test]
fn what_is_not_there_is_named() {
    let cases = [
        ("demo:deployment/webx", "app", "manifest not found: there is no demo:deployment/webx in this file"),
        ("default:deployment/web", "app", "manifest not found: there is no default:deployment/web in this file"),
        (
            "demo:deployment/web",
            "zz",
            "line 2, column 1: manifest not found: demo:deployment/web has no container `zz`; it has app, side, prep",
        ),
    ];
    for (id, container, error) in cases {
        assert_eq!(set(WEB, id, container, "x:1"), Err(error.to_owned()));
    }
    let service = "kind: Service\nmetadata: {name: s}\n";
    assert_eq!(
        set(service, "default:service/s", "a", "x:1"),
        Err("updating resource kind \"service\" not supported".to_owned())
    );
    let twice = format!("{WEB}---\n{WEB}");
    assert_eq!(
        set(&twice, "demo:deployment/web", "app", "x:1"),
        Err("line 19, column 1: demo:deployment/web stands here a second time; the first is in line 2".to_owned())
    );
    let no_image = "kind: Deployment\nmetadata: {name: w}\nspec: {template: {spec: {containers: [{name: a}]}}}\n";
    assert_eq!(
        set(no_image, "default:deployment/w", "a", "x"),
        Err("line 3, column 39: `image` is missing".to_owned())
    );
}

#[test]
fn what_stands_elsewhere_too_is_refused() {
    let of = |containers: &str| {
        format!(
            "kind: Deployment\nmetadata: {{name: w}}\nx: &x {{name: a, image: &i e:1}}\nspec: {{template: {{spec: {{containers: {containers}}}}}}}\n"
        )
    };
    let alias = "this is an alias: the value stands elsewhere, and a change there would change other places too";
    let cases = [
        ("[*x]", "*x", alias),
        ("[{name: a, image: *i}]", "*i", alias),
        (
            "[{<<: *x, name: a}]",
            "*x",
            "`image` comes from another mapping through `<<`, and a change there would change other places too",
        ),
        (
            "[{name: a, image: &j e:1, x: *j}]",
            "e:1",
            "aliases repeat this value: a change here would change other places too",
        ),
        ("[{name: a, image: e, image: f}]", "image: f", "the key `image` stands here twice"),
        ("[{name: a, image: [e]}]", "[e]", "`the value` is not a text"),
    ];
    for (containers, at, problem) in cases {
        let column = "spec: {template: {spec: {containers: ".len() + containers.find(at).unwrap() + 1;
        let error = format!("line 4, column {column}: {problem}");
        assert_eq!(set(&of(containers), "default:deployment/w", "a", "e:2"), Err(error));
    }
}

#[test]
fn errors_have_a_place_in_the_file() {
    let error = set_image("a: [", &ResourceId::new("a", "b", "c"), "x", &ImageRef::parse("x").unwrap()).unwrap_err();
    assert!(error.in_file("deploy/web.yaml").starts_with("deploy/web.yaml:1:"), "{error}");
    let error = EditError::from(Problem::Missing("metadata".to_owned()));
    assert_eq!(error.in_file("a.yaml"), "a.yaml: `metadata` is missing");
}
