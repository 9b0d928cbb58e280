//! The switch between the Deployment `flux` in the cluster and the reconciler: without a running Deployment that
//! follows this repository nothing is applied.

use std::sync::Arc;

use futures::{StreamExt as _, pin_mut};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::watch_object;
use kube::{Api, core::DynamicObject};
use serde_json::Value;
use tokio::sync::watch;

use crate::cluster::object::{list, text};
use crate::gitops::reconciler::Handle;
use crate::sandbox::Sandbox;

/// Where the Deployment is: namespace and name.
pub const FLUX: (&str, &str) = ("flux", "flux");

/// What the Deployment has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The repository's address.
    pub url: String,
    /// Its branch.
    pub branch: String,
    /// Its folder.
    pub path: String,
}

/// Why nothing is applied; nothing when things are.
pub fn closed(deployment: Option<&Value>, wanted: &Wanted) -> Option<String> {
    let Some(deployment) = deployment else {
        return Some("there is no Deployment flux in the namespace flux".to_owned());
    };
    let conditions = list(deployment, &["status", "conditions"]);
    let available = conditions.iter().find(|found| text(found, &["type"]) == "Available");
    if available.is_none_or(|found| text(found, &["status"]) != "True") {
        return Some("the Deployment flux has no running pod".to_owned());
    }
    let containers = list(deployment, &["spec", "template", "spec", "containers"]);
    let container = containers.iter().find(|container| text(container, &["name"]) == FLUX.1).or(containers.first());
    let arguments = container.map(|container| list(container, &["args"])).unwrap_or_default();
    let value = |name: &str| {
        let values = arguments.iter().filter_map(Value::as_str).rev();
        values.filter_map(|argument| argument.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('=')).next()
    };
    let url = value("git-url").unwrap_or("");
    if place(url) != place(&wanted.url) {
        return Some(format!(
            "Flux follows {}, not {}",
            if url.is_empty() { "no repository" } else { url },
            wanted.url
        ));
    }
    let branch = value("git-branch").unwrap_or("master");
    if branch != wanted.branch {
        return Some(format!("Flux follows the branch {branch}, not {}", wanted.branch));
    }
    let path = value("git-path").unwrap_or("").trim_end_matches('/');
    if path != wanted.path {
        let path = if path.is_empty() { "the whole repository" } else { path };
        return Some(format!("Flux reads {path}, not {}", wanted.path));
    }
    None
}

/// An address without its host and its end: that may differ from one start of the server to the next.
fn place(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    rest.trim_end_matches('/').trim_end_matches(".git")
}

/// The switch of a sandbox.
#[derive(Debug, Clone)]
pub struct Gate {
    closed: watch::Receiver<Option<String>>,
    reconciler: Handle,
}

impl Gate {
    /// A switch, and what has to be run for it. It is closed until the cluster was looked at.
    pub fn new(sandbox: &Arc<Sandbox>, path: &str) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sender, closed) = watch::channel(Some("the cluster is looked at".to_owned()));
        let reconciler = sandbox.reconciler.clone();
        reconciler.pause();
        // As the Deployment says that mounts it.
        reconciler.keep_key_in(FLUX.0);
        let branch = sandbox.repository.as_ref().map_or("main", |repository| repository.demo.branch()).to_owned();
        let wanted = Wanted { url: sandbox.source.clone(), branch, path: path.to_owned() };
        let gate = Self { closed, reconciler };
        let run = follow(sandbox.client.clone(), wanted, sender, gate.reconciler.clone());
        (gate, run)
    }

    /// Why nothing is applied.
    pub fn why(&self) -> Option<String> {
        self.closed.borrow().clone()
    }

    /// Closes it again after somebody else let the reconciler go on.
    pub fn enforce(&self) {
        if self.closed.borrow().is_some() {
            self.reconciler.pause();
        }
    }
}

async fn follow(client: kube::Client, wanted: Wanted, sender: watch::Sender<Option<String>>, reconciler: Handle) {
    let resource = kube::api::ApiResource {
        group: "apps".to_owned(),
        version: "v1".to_owned(),
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        plural: "deployments".to_owned(),
    };
    let api: Api<DynamicObject> = Api::namespaced_with(client, FLUX.0, &resource);
    let objects = watch_object(api, FLUX.1).default_backoff();
    pin_mut!(objects);
    while let Some(next) = objects.next().await {
        // After an error the watch goes on by itself.
        let Ok(found) = next else { continue };
        let object = found.and_then(|object| serde_json::to_value(object).ok());
        let why = closed(object.as_ref(), &wanted);
        let opened = sender.send_replace(why.clone()).is_some() && why.is_none();
        match why {
            Some(_) => reconciler.pause(),
            None if opened => reconciler.resume(),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_deployment_decides() {
        let wanted = Wanted {
            url: "http://127.0.0.1:3939/git/demo.git".to_owned(),
            branch: "main".to_owned(),
            path: "deploy".to_owned(),
        };
        let flux = |available: &str, args: &[&str]| {
            json!({
                "spec": {"template": {"spec": {"containers": [{"name": "flux", "args": args}]}}},
                "status": {"conditions": [{"type": "Available", "status": available}]},
            })
        };
        let good = ["--git-url=http://localhost:4000/git/demo.git", "--git-branch=main", "--git-path=deploy/"];
        let why = |object: &Value| closed(Some(object), &wanted);
        assert_eq!(why(&flux("True", &good)), None);
        assert_eq!(closed(None, &wanted).as_deref(), Some("there is no Deployment flux in the namespace flux"));
        for (object, expected) in [
            (flux("False", &good), "the Deployment flux has no running pod"),
            (json!({}), "the Deployment flux has no running pod"),
            (flux("True", &[]), "Flux follows no repository, not http://127.0.0.1:3939/git/demo.git"),
            (
                flux("True", &["--git-url=git@x:y/z.git", good[1], good[2]]),
                "Flux follows git@x:y/z.git, not http://127.0.0.1:3939/git/demo.git",
            ),
            (flux("True", &[good[0], good[2]]), "Flux follows the branch master, not main"),
            (flux("True", &[good[0], good[1]]), "Flux reads the whole repository, not deploy"),
            (flux("True", &[good[0], good[1], "--git-path=/deploy"]), "Flux reads /deploy, not deploy"),
        ] {
            assert_eq!(why(&object).as_deref(), Some(expected));
        }
    }
}
