//! Whole talks with the program itself: on a cluster of somebody else, and killed in the middle of a step.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use foredeck::cluster::embedded::{Config, Embedded};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::config::{Kubeconfig, NamedCluster, NamedContext};
use serde_json::{Value, json};

use crate::harness::tool::Tool;

const PATIENCE: Duration = Duration::from_secs(40);

const DECK: &str = r#"---
title: Elsewhere
---

# On stage

```sh {run name=add checkpoint}
kubectl -n default create configmap added --from-literal=a=b
```

```sh {run name=where}
kubectl -n default create configmap where --from-literal=kubeconfig="$KUBECONFIG"
```
"#;

/// A kubeconfig of the user's own: `stage` leads to the cluster, `prod` is the current one and leads nowhere.
fn users_kubeconfig(cluster: &Embedded) -> String {
    let mut config = Kubeconfig::from_yaml(&cluster.kubeconfig()).expect("a kubeconfig");
    let mut contexts = config.contexts.clone();
    contexts[0].name = "stage".to_owned();
    let mut context = contexts[0].context.clone().expect("a context");
    context.cluster = "prod".to_owned();
    contexts.push(NamedContext { name: "prod".to_owned(), context: Some(context), other: Default::default() });
    let mut prod = config.clusters[0].cluster.clone().expect("a cluster");
    prod.server = Some("https://127.0.0.1:9".to_owned());
    config.clusters.push(NamedCluster { name: "prod".to_owned(), cluster: Some(prod), other: Default::default() });
    config.contexts = contexts;
    config.current_context = Some("prod".to_owned());
    serde_json::to_string(&config).expect("a kubeconfig is data")
}

/// A running `foredeck present`, ended when dropped.
struct Talk {
    child: Child,
    address: String,
    cookie: String,
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Talk {
    fn start(tool: &Tool, line: &str) -> Self {
        let mut command = tool.command(line);
        command.env("PATH", "/bin:/usr/bin").env("FOREDECK_KUBECTL", "builtin").env("NO_COLOR", "1");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (lines, said) = mpsc::channel();
        let outputs: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("piped")), Box::new(child.stderr.take().expect("piped"))];
        for output in outputs {
            let lines = lines.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = lines.send(line);
                }
            });
        }
        let deadline = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        let link = loop {
            let line = said.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("it printed no address: {all:?}"));
            if let Some((address, token)) = line.split_once("http://").and_then(|(_, rest)| rest.split_once("/p?t=")) {
                let token: String = token.chars().take_while(|c| !c.is_whitespace()).collect();
                break (address.to_owned(), token);
            }
            all.push(line);
        };
        let port = link.0.rsplit(':').next().unwrap_or_default();
        Self { cookie: format!("foredeck-presenter-{port}={}", link.1), child, address: link.0.clone() }
    }

    /// Sends a command of the speaker: the status and the body of the answer.
    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, &body.to_string())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            self.cookie,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).expect("it accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let text = answer.split_once("\r\n\r\n").map(|(_, text)| text).unwrap_or_default();
        let json = text.find('{').and_then(|at| serde_json::from_str(&text[at..=text.rfind('}')?]).ok());
        (status, json.unwrap_or(Value::Null))
    }

    /// Runs a step as soon as the demo is ready and nothing else is at work.
    fn run(&self, name: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, said) = self.post("/api/v1/steps/run", &json!({ "name": name, "deck": "talk" }));
            match status {
                200 => return,
                409 if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
                _ => panic!("{name}: {status} {said}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_get_exactly_the_allowed_context_and_nothing_in_it_is_put_back() {
    let cluster = Embedded::start(Config::default()).await.expect("a cluster starts");
    let tool = Tool::new()
        .with("foredeck.toml", "")
        .with("decks/talk.md", DECK)
        .with("home/.kube/config", users_kubeconfig(&cluster))
        .with("home/.config/foredeck/config.toml", "allow-contexts = [\"stage\"]\n");
    let before = tool.read("home/.kube/config");
    let tool = tokio::task::spawn_blocking(move || {
        let trusted = tool.run("trust --yes decks/talk.md");
        assert_eq!(trusted.code, 0, "{}", trusted.err);
        let refused = tool.run("present --no-open --port 0 --cluster context:prod");
        assert_eq!(refused.code, 6, "{}", refused.err);
        assert!(refused.err.contains("cluster/foreign-context"), "{}", refused.err);
        tool
    })
    .await
    .expect("it ends");
    let (talk, tool) = tokio::task::spawn_blocking(move || {
        let talk = Talk::start(&tool, "present --no-open --port 0 --cluster context:stage");
        talk.run("add");
        talk.run("where");
        (talk, tool)
    })
    .await
    .expect("they run");
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), "default");
    let deadline = Instant::now() + PATIENCE;
    let found = loop {
        if let Some(map) = maps.get_opt("where").await.expect("an answer") {
            break map;
        }
        assert!(Instant::now() < deadline, "the step did not reach the cluster");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let kubeconfig = found.data.and_then(|data| data.get("kubeconfig").cloned()).unwrap_or_default();
    assert!(
        kubeconfig.starts_with(&tool.path(".foredeck/context-stage.kubeconfig").display().to_string()),
        "{kubeconfig}"
    );
    let said = tokio::task::spawn_blocking(move || {
        let restore = loop {
            let (status, said) = talk.post("/api/v1/checkpoints/restore", &json!({}));
            if !said.to_string().contains("still at work") {
                break (status, said);
            }
        };
        let clock = talk.post("/api/v1/clock", &json!({ "do": "pause" }));
        let canary = talk.post("/api/v1/canary", &json!({ "namespace": "demo", "name": "podinfo", "do": "hold" }));
        drop(talk);
        let reset = tool.run("cluster reset --cluster context:stage");
        let down = tool.run("cluster down --cluster context:stage");
        assert_eq!(tool.read("home/.kube/config"), before, "the user's own file is never written");
        (restore, clock, canary, reset, down)
    })
    .await
    .expect("it answers");
    let (restore, clock, canary, reset, down) = said;
    assert_eq!(restore.0, 409, "{restore:?}");
    assert!(restore.1.to_string().contains("was not made by foredeck"), "{restore:?}");
    assert_eq!((clock.0, canary.0), (409, 409), "{clock:?} {canary:?}");
    assert_eq!((reset.code, down.code), (6, 6), "{} {}", reset.err, down.err);
    assert!(maps.get_opt("added").await.expect("an answer").is_some(), "it is as the step left it");
    cluster.stop().await;
}

const LONG: &str = r#"---
title: Long
---

# One

---

# Two

* a
* b

```sh {run name=add}
touch deploy/kept.yaml && printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: kept}\n' > deploy/kept.yaml
git add deploy && git commit -qm Keep && git push -q
```

```sh {run name=long}
touch ../begun; exec sleep 30
```
"#;

#[test]
fn killed_in_a_step_it_resumes_on_the_same_slide_with_what_was_pushed() {
    let tool = Tool::new().with("foredeck.toml", "").with("decks/talk.md", LONG);
    assert_eq!(tool.run("trust --yes decks/talk.md").code, 0);
    let wait = |what: &str, test: &dyn Fn() -> bool| {
        let deadline = Instant::now() + PATIENCE;
        while !test() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let first = Talk::start(&tool, "present --no-open --port 0");
    first.run("add");
    first.run("long");
    let went = first.post("/api/v1/control", &json!({ "do": "goto", "slide": 1, "fragment": 1 }));
    assert_eq!(went.0, 200, "{went:?}");
    first.post("/api/v1/control", &json!({ "do": "timer", "to": "start" }));
    let state = first.ask("GET", "/api/v1/state", "").1;
    wait("the step has begun", &|| tool.files().iter().any(|file| file.ends_with("/begun")));
    let kept = || {
        let text = std::fs::read_to_string(tool.path(".foredeck/present.json")).unwrap_or_default();
        let kept: Value = serde_json::from_str(&text).unwrap_or_default();
        kept["live"].clone()
    };
    wait("the state is kept", &|| kept()["fragment"] == 1 && kept()["timer"]["running"] == true);
    let port = first.address.rsplit(':').next().expect("a port").to_owned();
    let cookie = first.cookie.clone();
    drop(first); // Killed, as with -9: nothing of it can tidy up.

    let second = Talk::start(&tool, &format!("present --no-open --port {port} --resume"));
    assert_eq!(second.cookie, cookie, "the speaker's windows stay the speaker's");
    let now = second.ask("GET", "/api/v1/state", "").1;
    for member in ["deck", "slide", "fragment", "screen", "freeze"] {
        assert_eq!(now[member], state[member], "{member}");
    }
    assert_eq!(now["timer"]["running"], true);
    // What was pushed is there and comes into the cluster again; steps can be run.
    wait("the pushed namespace is back", &|| {
        let run = tool.run_in(
            "kubectl --kubeconfig .foredeck/kubeconfig get namespace kept",
            &[("PATH", "/bin:/usr/bin"), ("FOREDECK_KUBECTL", "builtin")],
        );
        run.code == 0 && run.out.contains("Active")
    });
    second.run("long");
}
