//! Workloads found in files and in the cluster, and edits of them.

use super::*;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::policy::AUTOMATED;

fn files(all: &[(&str, &str)]) -> Files {
    all.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect()
}

fn deployment(name: &str, image: &str) -> String {
    format!(
        "# keep me\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  template:\n    spec:\n      containers:\n      \
         - name: app\n        image: {image} # and me\n"
    )
}

fn names(repository: &Repository) -> Vec<(String, &str)> {
    repository.workloads.values().map(|written| (written.id.to_string(), written.file.as_str())).collect()
}

#[test]
fn files_are_looked_through() {
    let (web, list) =
        (deployment("web", "web:1"), "kind: List\nitems:\n- {kind: StatefulSet, metadata: {name: db, namespace: x}}\n");
    let all = files(&[
        ("a/web.yaml", &web),
        ("b/kustomization.yaml", "namespace: shop\nresources: [web.yaml]\n"),
        ("b/web.yaml", &web),
        ("b/zz-patch.yaml", "kind: Deployment\nmetadata: {name: web}\n"),
        ("broken.yaml", "a: [\n"),
        ("list.yaml", list),
        ("other.yaml", "kind: ConfigMap\nmetadata: {name: c}\n---\n3\n---\nkind: Deployment\n"),
    ]);
    let found = Repository::of(&all);
    let row = |id: &str, file| (id.to_owned(), file);
    assert_eq!(
        names(&found),
        [
            row("default:deployment/web", "a/web.yaml"),
            row("shop:deployment/web", "b/web.yaml"),
            row("x:statefulset/db", "list.yaml")
        ]
    );
    assert_eq!(found.unreadable.len(), 1);
    assert!(found.unreadable[0].starts_with("broken.yaml:"), "{:?}", found.unreadable);
}

#[test]
fn both_sides_are_joined() {
    let all = files(&[("web.yaml", &deployment("web", "web:1"))]);
    let objects: Vec<Value> = [
        r#"{"kind":"Deployment","metadata":{"name":"web","namespace":"default"},"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:0"}]}}}}"#,
        r#"{"kind":"DaemonSet","metadata":{"name":"logs","namespace":"ops"},"spec":{"template":{"spec":{"containers":[{"name":"x","image":":"}]}}}}"#,
        r#"{"kind":"Service","metadata":{"name":"web","namespace":"default"}}"#,
        r#"{"kind":"Deployment","metadata":{"name":"dns","namespace":"kube-system","labels":{"kubernetes.io/cluster-service":"true"}}}"#,
    ]
    .iter()
    .map(|text| serde_json::from_str(text).unwrap())
    .collect();
    let joined = Repository::of(&all).with(&running(&objects));
    let shown: Vec<_> = joined.iter().map(|w| (w.id.to_string(), w.git.is_some(), w.cluster.is_some())).collect();
    assert_eq!(
        shown,
        [("default:deployment/web".to_owned(), true, true), ("ops:daemonset/logs".to_owned(), false, true)]
    );
    assert!(joined[1].cluster.as_ref().unwrap().containers.is_err());
}

#[test]
fn edits_touch_what_they_mean_and_nothing_else() {
    let web = deployment("web", "web:1");
    let all = files(&[
        ("k/kustomization.yaml", "namespace: shop\n"),
        ("k/web.yaml", &web),
        ("bad.yaml", "kind: Deployment\nmetadata: {name: odd}\nspec: {template: {spec: {containers: []}}}\n"),
    ]);
    let repository = Repository::of(&all);
    let mut draft = Draft::new(&all, &repository);
    let id = ResourceId::new("shop", "deployment", "web");
    let image = |text: &str| ImageRef::parse(text).unwrap();
    let edit = |id: &ResourceId, text| ImageEdit { id: id.clone(), container: "app".to_owned(), image: image(text) };
    draft.set_image(&edit(&id, "web:2")).unwrap();
    let automate = PolicyChange::default().with(AUTOMATED, "true");
    assert_eq!(draft.set_policies(&id, &automate), Attempt::Changed);
    assert_eq!(draft.set_policies(&id, &automate), Attempt::Unchanged);
    assert_eq!(draft.set_policies(&ResourceId::new("x", "deployment", "y"), &automate), Attempt::NotFound);
    let wrong = PolicyChange::default().with("tag.app", "semver:nonsense");
    assert!(matches!(draft.set_policies(&id, &wrong), Attempt::Refused(why) if why.contains("invalid tag pattern")));
    let why = draft.set_image(&edit(&ResourceId::new("default", "deployment", "odd"), "x:1")).unwrap_err();
    assert!(why.starts_with("bad.yaml:"), "{why}");
    let changed = draft.finish();
    let wanted = web
        .replace("web:1", "web:2")
        .replace("  name: web\n", "  name: web\n  annotations:\n    fluxcd.io/automated: 'true'\n");
    let shown: Vec<_> =
        changed.iter().map(|file| (&*file.path, String::from_utf8(file.content.clone().unwrap()).unwrap())).collect();
    assert_eq!(shown, [("k/web.yaml", wanted)]);
    let mut draft = Draft::new(&all, &repository);
    draft.set_image(&edit(&id, "web:1")).unwrap();
    assert_eq!(draft.finish(), []);
}
