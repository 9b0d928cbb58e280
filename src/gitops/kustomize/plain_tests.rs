//! Building without `kubectl`: refused by name or exactly as with it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::Builder;
use crate::cluster::object::remove;
use crate::gitops::files::documents::documents;
use crate::gitops::files::scan::Kustomization;

const BASE: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      imagePullSecrets: [{name: pull}]
      containers:
      - name: web
        image: example/web:1
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: other}}]
        env: [{name: A, value: a}]
      - {name: side, image: 'example.com:5000/side'}
      volumes: [{name: s, configMap: {name: settings}}, {name: p, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: web}, {kind: ServiceAccount, name: default, namespace: x}]
---
apiVersion: v1
kind: Namespace
metadata: {name: old}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tidy}
spec:
  schedule: '* * * * *'
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: t, image: 'example/web:1'}]}}}}
";

/// Kustomizations over the base, with a patch in `patch.yaml`.
const OVERLAYS: [&str; 14] = [
    "resources: [../base]",
    "resources: [../base]\nnamespace: demo",
    "resources: [../base]\nnamePrefix: p-\nnameSuffix: -s",
    "resources: [../base]\ncommonLabels: {team: a}",
    "resources: [../base]\nlabels: [{pairs: {team: a}}]",
    "resources: [../base]\nlabels: [{pairs: {team: a}, includeTemplates: true}]",
    "resources: [../base]\nlabels: [{pairs: {team: a}, includeSelectors: true}]",
    "resources: [../base]\ncommonAnnotations: {note: here}",
    "resources: [../base]\nimages: [{name: example/web, newTag: '2'}, {name: 'example.com:5000/side', newName: other/side, digest: 'sha256:ab'}]",
    "resources: [../base]\nreplicas: [{name: web, count: 3}]",
    "resources: [../base]\npatches: [{path: patch.yaml}]\nnamePrefix: p-",
    "resources: [../base]\npatchesStrategicMerge: [patch.yaml]",
    "resources: [../base]\npatches: [{target: {kind: Deployment, name: w.*}, patch: '[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"x\"}]'}]",
    "resources: [../base]\nnamespace: demo\nnamePrefix: p-\ncommonLabels: {team: a}\nimages: [{name: example/web, newTag: '2'}]\npatches: [{path: patch.yaml}, {patch: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: settings}\\n$patch: delete\"}]",
];

const PATCH: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, env: [{name: B, value: b}, {name: A, $patch: delete}]}]}}}
";

fn kubectl() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file())
}

struct Tree(tempfile::TempDir);

impl Tree {
    fn new(overlay: &str) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in [
            ("base/all.yaml", BASE),
            ("base/kustomization.yaml", "resources: [all.yaml]\n"),
            ("over/kustomization.yaml", overlay),
            ("over/patch.yaml", PATCH),
        ] {
            let path = tree.0.path().join("tree").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        tree
    }

    /// The objects of a build, each as text.
    async fn build(&self, kubectl: Option<PathBuf>) -> Result<BTreeSet<String>, String> {
        let builder = Builder { kubectl, limit: Duration::from_secs(20) };
        let kustomization = Kustomization { file: "over/kustomization.yaml".to_owned(), ..Kustomization::default() };
        let out = builder.build(self.0.path(), &kustomization).await?;
        let objects = documents(&out).map_err(|error| format!("{error:?}"))?;
        Ok(objects
            .into_iter()
            .map(|document| {
                let mut object = document.value;
                let origin = remove(&mut object, &["metadata", "annotations", "config.kubernetes.io/origin"]);
                assert!(origin.is_some_and(|origin| origin.to_string().contains("base/all.yaml")));
                if object.pointer("/metadata/annotations").is_some_and(|a| a == &serde_json::json!({})) {
                    remove(&mut object, &["metadata", "annotations"]);
                }
                crate::cluster::yaml::text(&object)
            })
            .collect())
    }
}

#[tokio::test]
async fn what_is_built_without_kubectl_is_what_it_builds() {
    let Some(kubectl) = kubectl() else {
        eprintln!("skipped: there is no kubectl");
        return;
    };
    for overlay in OVERLAYS {
        let tree = Tree::new(overlay);
        let (ours, theirs) = (tree.build(None).await, tree.build(Some(kubectl.clone())).await);
        assert_eq!(ours, theirs, "{overlay}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_refused_by_name() {
    let cases = [
        ("configMapGenerator: []", "its field `configMapGenerator` takes kubectl, which is not on the PATH"),
        ("resources: [nope.yaml]", "over/nope.yaml is not there"),
        ("resources: [../../x]", "../../x leaves the repository"),
        ("resources: [../over]", "over takes itself in"),
        ("resources: [../base, ../base]", "Deployment web is there more than once"),
        ("resources: [patch.yaml]\npatches: [{path: nope}]", "the patch over/nope is not there"),
        ("resources: [../base]\nreplicas: [{name: nope, count: 1}]", "there is nothing called nope to scale"),
        ("a: [", "over/kustomization.yaml: line 1: unclosed bracket '['"),
    ];
    for (overlay, why) in cases {
        assert_eq!(Tree::new(overlay).build(None).await, Err(why.to_owned()), "{overlay}");
    }
}
