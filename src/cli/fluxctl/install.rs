//! `fluxctl install`: manifests that describe this reconciler as it is.

use crate::gitops::fluxctl::args::InstallArgs;

/// Said before the manifests.
pub(super) const NOTICE: &str = "\
These manifests describe foredeck's reconciler and give it its account and its secret. The reconciler itself runs in the
process of foredeck, not in a pod. To let it follow this repository, start foredeck with

";

/// The flags that make a presentation follow the repository.
pub(super) fn command(args: &InstallArgs) -> String {
    let mut words =
        vec!["foredeck".to_owned(), format!("--git-url={}", args.git_url), format!("--git-branch={}", args.git_branch)];
    words.extend(args.git_path.iter().map(|path| format!("--git-path={path}")));
    if args.git_readonly {
        words.push("--git-readonly".to_owned());
    }
    words.join(" ")
}

/// The manifests by file name, in the order of application.
pub(super) fn manifests(args: &InstallArgs) -> Vec<(&'static str, String)> {
    let namespace = quoted(args.namespace.as_deref().unwrap_or("default"));
    vec![
        ("flux-account.yaml", account(&namespace)),
        ("flux-secret.yaml", secret(&namespace)),
        ("flux-deployment.yaml", deployment(args, &namespace)),
    ]
}

/// A text as a YAML scalar: JSON's strings are YAML's, too.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text)
        && !text.starts_with('-');
    if plain { text.to_owned() } else { serde_json::Value::String(text.to_owned()).to_string() }
}

fn account(namespace: &str) -> String {
    format!(
        "---
# The account of the reconciler.
apiVersion: v1
kind: ServiceAccount
metadata:
  labels:
    name: flux
  name: flux
  namespace: {namespace}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  labels:
    name: flux
  name: flux
rules:
  - apiGroups: ['*']
    resources: ['*']
    verbs: ['*']
  - nonResourceURLs: ['*']
    verbs: ['*']
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  labels:
    name: flux
  name: flux
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: flux
subjects:
  - kind: ServiceAccount
    name: flux
    namespace: {namespace}
"
    )
}

fn secret(namespace: &str) -> String {
    format!(
        "---
# The SSH key comes here; `fluxctl identity` makes and shows it.
apiVersion: v1
kind: Secret
metadata:
  name: flux-git-deploy
  namespace: {namespace}
type: Opaque
"
    )
}

fn deployment(args: &InstallArgs, namespace: &str) -> String {
    let mut flags = vec![
        format!("--git-url={}", args.git_url),
        format!("--git-branch={}", args.git_branch),
        format!("--git-path={}", args.git_path.join(",")),
        format!("--git-label={}", args.git_label),
        format!("--git-user={}", args.git_user),
        format!("--git-email={}", args.git_email),
        "--k8s-secret-name=flux-git-deploy".to_owned(),
        "--sync-garbage-collection".to_owned(),
    ];
    for (wanted, flag) in [
        (args.git_readonly, "--git-readonly"),
        (args.manifest_generation, "--manifest-generation=true"),
        (args.registry_disable_scanning, "--registry-disable-scanning"),
    ] {
        if wanted {
            flags.push(flag.to_owned());
        }
    }
    let flags: String = flags.iter().map(|flag| format!("            - {}\n", quoted(flag))).collect();
    let security = if args.add_security_context {
        "          securityContext:\n            readOnlyRootFilesystem: true\n            allowPrivilegeEscalation: false\n"
    } else {
        ""
    };
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "---
# What the reconciler is told. It runs in the process of foredeck: there are no pods of this, and no memcached, since what
# is known of images is kept in memory.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: flux
  namespace: {namespace}
  annotations:
    foredeck.dev/runs-in: the process of foredeck
spec:
  replicas: 0
  selector:
    matchLabels:
      name: flux
  strategy:
    type: Recreate
  template:
    metadata:
      labels:
        name: flux
    spec:
      serviceAccountName: flux
      containers:
        - name: flux
          image: foredeck:{version}
{security}          args:
{flags}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::yaml;
    use crate::gitops::fluxctl::{Request, Surroundings, parse};

    fn args(line: &str) -> InstallArgs {
        let surroundings = Surroundings { env: &|_| None, namespace: &|_| None, author: "" };
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        match parse(&words, &surroundings).unwrap().request {
            Request::Install(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whatever_is_given_it_stays_yaml() {
        let mut args = args(
            "fluxctl install --git-url=git@github.com:me/x --git-email=a@b.c --git-path=a,b --namespace=true --git-readonly",
        );
        args.git_user = "Ann: \"x\"\n- y # z".to_owned();
        let mut kinds = Vec::new();
        for (name, text) in manifests(&args) {
            for document in yaml::documents(&text) {
                let value = document.unwrap_or_else(|error| panic!("{name}: {error:?}\n{text}"));
                kinds.push(value["kind"].as_str().unwrap_or_default().to_owned());
                if value["kind"] == "Deployment" {
                    let flags = value.pointer("/spec/template/spec/containers/0/args").unwrap().as_array().unwrap();
                    assert!(flags.iter().any(|flag| *flag == format!("--git-user={}", args.git_user)), "{text}");
                    assert!(flags.iter().any(|flag| flag == "--git-readonly"), "{text}");
                    assert_eq!(value["metadata"]["namespace"], "true");
                }
            }
        }
        assert_eq!(kinds, ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Secret", "Deployment"]);
        assert_eq!(
            command(&args),
            "foredeck --git-url=git@github.com:me/x --git-branch=master --git-path=a --git-path=b --git-readonly"
        );
    }
}
