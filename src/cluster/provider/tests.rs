//! Tests of names of clusters, and of which are connected to.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::Path;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;

use super::*;

#[test]
fn names_of_clusters() {
    let kind = |name: &str| Provider::Kind { name: name.to_owned() };
    let context = |name: &str| Provider::Context { name: name.to_owned() };
    for (asked, provider, shown) in [
        ("embedded", Provider::Embedded, "embedded"),
        ("kind", kind("kind"), "kind"),
        ("kind:kind", kind("kind"), "kind"),
        ("kind:demo-1.x", kind("demo-1.x"), "kind:demo-1.x"),
        ("context:a b:c/d", context("a b:c/d"), "context:a b:c/d"),
    ] {
        let parsed: Provider = asked.parse().unwrap();
        assert_eq!((&parsed, parsed.to_string().as_str()), (&provider, shown));
        assert_eq!(shown.parse::<Provider>().unwrap(), provider);
    }
}

#[test]
fn wrong_names_of_clusters_are_explained() {
    let plain = "a kind cluster's name is made of lower-case letters, digits, `-` and `.`";
    let kinds = "clusters are `embedded`, `kind`, `kind:NAME` and `context:NAME`";
    let no_such = "nothing is called that";
    for (asked, why, hint) in [
        ("embeded", no_such, "did you mean `embedded`?"),
        ("Kind:demo", no_such, "did you mean `kind:demo`?"),
        ("contxt:x", no_such, "did you mean `context:x`?"),
        ("kind-demo", no_such, "did you mean `kind:demo`?"),
        ("minikube", no_such, kinds),
        ("", no_such, kinds),
        ("embedded:2", "there is only one embedded cluster", "did you mean `embedded`?"),
        ("kind:", "the kind cluster's name is empty", kinds),
        ("kind:--help", plain, kinds),
        ("kind:../x", plain, kinds),
        ("kind:A", plain, kinds),
        ("context", "the context's name is missing, as in `context:NAME`", kinds),
        ("context:", "the context's name is missing, as in `context:NAME`", kinds),
    ] {
        let error = asked.parse::<Provider>().unwrap_err();
        assert_eq!(error.to_string(), format!("`{asked}` is no cluster: {why}"));
        assert_eq!(error.hint().as_deref(), Some(hint), "{asked}");
    }
    assert!(format!("kind:{}", "a".repeat(50)).parse::<Provider>().is_err());
}

/// A project's folder with a kubeconfig of the user beside it.
struct Place {
    folder: tempfile::TempDir,
    around: Surroundings,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let around = Surroundings {
            folder: Folder::of(folder.path()),
            search: Search::file(folder.path().join("config")),
            allowed: Vec::new(),
            configuration: Some("conf.toml".into()),
        };
        Self { folder, around }
    }

    fn write(&self, path: &Path, contexts: &[(&str, &str)]) {
        let mut text = String::from("# Written by foredeck\ncontexts:\n");
        for (name, _) in contexts {
            let _ = writeln!(text, "- {{name: {name:?}, context: {{cluster: {name:?}, user: u}}}}");
        }
        text += "users: [{name: u, user: {token: t}}]\nclusters:\n";
        for (name, server) in contexts {
            let _ = writeln!(text, "- {{name: {name:?}, cluster: {{server: {server:?}}}}}");
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn user(&self, contexts: &[(&str, &str)]) {
        self.write(&self.folder.path().join("config"), contexts);
    }

    fn allow(&mut self, name: &str) {
        self.around.allowed.push(Allowed { name: name.to_owned(), server: None });
    }
}

fn provider(name: &str) -> Provider {
    name.parse().unwrap()
}

#[test]
fn contexts_have_to_be_allowed_by_name() {
    let mut place = Place::new();
    place.user(&[("dev", "https://10.0.0.1:6443"), ("eu-prod", "https://10.0.0.2:6443")]);
    let refused = target(&provider("context:dev"), &place.around).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the context `dev` is not touched: it may be any cluster: its name is that of no local product"
    );
    assert_eq!(refused.hint().unwrap(), "if you mean it, write `allow-contexts = [\"dev\"]` into `conf.toml`");
    assert_eq!(refused.code().unwrap(), guard::FOREIGN_CONTEXT);
    place.allow("dev");
    place.allow("eu-prod");
    assert_eq!(target(&provider("context:dev"), &place.around).unwrap().chosen.context, "dev");
    let refused = target(&provider("context:eu-prod"), &place.around).unwrap_err();
    assert_eq!(refused.to_string(), "the context `eu-prod` is not touched: it is called production");
    assert_eq!(
        refused.hint().unwrap(),
        "its name alone does not do; if you mean it, write `allow-contexts = [{ name = \"eu-prod\", server = \
         \"https://10.0.0.2:6443\" }]` into `conf.toml`"
    );
    assert!(matches!(target(&provider("context:gone"), &place.around), Err(Error::NoContext { .. })));
}

#[test]
fn clusters_of_ours_are_reached_by_files_of_ours() {
    let mut place = Place::new();
    let folder = place.around.folder.clone();
    let down = target(&Provider::Embedded, &place.around).unwrap_err();
    assert_eq!(
        (down.to_string().as_str(), down.hint().unwrap().as_str()),
        ("the embedded cluster is not up", "start it with `foredeck cluster serve`")
    );
    assert!(matches!(target(&provider("kind:a"), &place.around), Err(Error::Down { .. })));
    place.write(&folder.embedded(), &[("foredeck", "https://127.0.0.1:1")]);
    assert_eq!(target(&Provider::Embedded, &place.around).unwrap().chosen.server, "https://127.0.0.1:1");
    place.write(&folder.embedded(), &[("foredeck", "https://203.0.113.1")]);
    assert!(matches!(target(&Provider::Embedded, &place.around), Err(Error::Forged { .. })));
    place.write(&folder.kind("a"), &[("kind-a", "https://127.0.0.1:1")]);
    assert_eq!(target(&provider("kind:a"), &place.around).unwrap().judgement.verdict, Verdict::Allow);
    place.write(&folder.kind("a"), &[("kind-b", "https://127.0.0.1:1")]);
    assert!(matches!(target(&provider("kind:a"), &place.around), Err(Error::Forged { .. })));
    place.write(&folder.kind("a"), &[("kind-a", "https://203.0.113.1")]);
    assert!(matches!(target(&provider("kind:a"), &place.around), Err(Error::Foreign { .. })));
    place.allow("kind-a");
    assert_eq!(target(&provider("kind:a"), &place.around).unwrap().judgement.verdict, Verdict::Confirm);
}

/// An API server that has a namespace `kube-system` and one node.
async fn server(provider_id: &'static str, uid: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| async move {
                let answer = match request.uri().path() {
                    "/api/v1/namespaces/kube-system" => json!({ "metadata": { "uid": uid } }),
                    "/api/v1/nodes" => json!({ "items": [{ "spec": { "providerID": provider_id } }] }),
                    other => panic!("{other}"),
                };
                Ok::<_, Infallible>(hyper::Response::new(answer.to_string()))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_look_into_the_cluster_counts_too() {
    let mut place = Place::new();
    let own = server("kind://docker/a/a-control-plane", "uid-1").await;
    place.write(&place.around.folder.kind("a"), &[("kind-a", &own)]);
    let mut connected = connect(&provider("kind:a"), &place.around).await.unwrap();
    assert_eq!((connected.uid.as_str(), connected.judgement.verdict), ("uid-1", Verdict::Allow));
    connected.check_same().await.unwrap();
    connected.uid = "uid-0".to_owned();
    assert!(matches!(connected.check_same().await, Err(Error::Foreign { .. })));
    // Allowed by name, but a cloud's nodes are behind the local address.
    let cloud = server("gce://project/zone/node", "uid-2").await;
    place.user(&[("kind-x", &cloud)]);
    place.allow("kind-x");
    let refused = connect(&provider("context:kind-x"), &place.around).await.unwrap_err();
    assert_eq!(refused.to_string(), "the context `kind-x` is not touched: it has nodes that a cloud provider runs");
    place.around.allowed = vec![Allowed { name: "kind-x".to_owned(), server: Some(cloud) }];
    assert_eq!(connect(&provider("context:kind-x"), &place.around).await.unwrap().uid, "uid-2");
}

#[tokio::test]
async fn a_server_that_is_gone_is_told() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    place.write(&place.around.folder.embedded(), &[("foredeck", &server)]);
    let error = connect(&Provider::Embedded, &place.around).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the cluster of context `foredeck` at {server} cannot be reached"));
    assert_eq!(error.class(), crate::cluster::error::Class::Cluster);
}
