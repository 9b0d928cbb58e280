//! Logs, commands and HTTP requests: what is seen of a container from outside.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cluster::api::status::Refusal;
use crate::cluster::sim::image::http::Request;
use crate::cluster::sim::rig::Rig;

fn container(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]})
}

/// A cluster with a pod `p` that has been there for a while, and what to see it by.
fn cluster(spec: Value, seconds: u64) -> Rig {
    let mut rig = Rig::usual();
    rig.create(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "p"}}, "spec": spec}),
    );
    rig.run(Duration::from_secs(seconds));
    rig
}

fn pod_in(rig: &Rig) -> Value {
    rig.get("pods", &Key::new("default", "p"))
}

fn around(rig: &Rig) -> Surroundings<'_> {
    Surroundings { images: &rig.images, store: Some(&rig.store), now: rig.now }
}

fn log(rig: &Rig, options: &LogOptions) -> Result<String, String> {
    logs(&pod_in(rig), options, &around(rig)).map(|log| log.text).map_err(|refusal| refusal.message)
}

fn of(container: &str) -> LogOptions {
    LogOptions { container: container.to_owned(), ..LogOptions::default() }
}

#[test]
fn logs_can_be_cut_in_many_ways() {
    let spec = json!({"containers": [
        container("one", "echo alpha; echo beta; sleep 10; echo gamma; sleep 3600"), container("two", "echo from two; sleep 3600"),
    ]});
    let rig = cluster(spec, 20);
    let cases = [
        (of("one"), "alpha\nbeta\ngamma\n"),
        (of("two"), "from two\n"),
        (LogOptions { tail_lines: Some(1), ..of("one") }, "gamma\n"),
        (LogOptions { tail_lines: Some(0), ..of("one") }, ""),
        (LogOptions { tail_lines: Some(99), ..of("one") }, "alpha\nbeta\ngamma\n"),
        (LogOptions { since_seconds: Some(3600), ..of("one") }, "alpha\nbeta\ngamma\n"),
        (LogOptions { since_seconds: Some(12), ..of("one") }, "gamma\n"),
        (LogOptions { since_time: "2026-01-01T00:00:05Z".parse().ok(), ..of("one") }, "gamma\n"),
        (LogOptions { limit_bytes: Some(7), ..of("one") }, "alpha\nb"),
        (LogOptions { after: "2026-01-01T00:00:05Z".parse().ok(), ..of("one") }, "gamma\n"),
    ];
    for (options, expected) in cases {
        assert_eq!(log(&rig, &options), Ok(expected.to_owned()), "{options:?}");
    }
    let stamped = log(&rig, &LogOptions { timestamps: true, ..of("one") }).unwrap_or_default();
    let line = stamped.lines().last().unwrap_or("");
    assert!(line.starts_with("2026-01-01T00:00:10.000") && line.ends_with("Z gamma") && line.len() == 36, "{line}");
}

#[test]
fn logs_are_refused_with_the_servers_words() {
    let spec = json!({
        "initContainers": [container("i", "exit 0")],
        "containers": [container("one", "sleep 99"), {"name": "two", "image": "registry.example/doesnotexist:1"}],
    });
    let rig = cluster(spec, 5);
    let invalid = |field: &str, hint: &str| Err(format!("PodLogOptions \"p\" is invalid: {field}: {hint}"));
    let cases = [
        (of(""), Err("a container name must be specified for pod p, choose one of: [one two] or one of the init containers: [i]".to_owned())),
        (of("three"), Err("container three is not valid for pod p".to_owned())),
        (of("two"), Err("container \"two\" in pod \"p\" is waiting to start: trying and failing to pull image".to_owned())),
        (LogOptions { previous: true, ..of("one") }, Err("previous terminated container \"one\" in pod \"p\" not found".to_owned())),
        (LogOptions { tail_lines: Some(-1), ..of("one") }, invalid("tailLines", "Invalid value: -1: must be greater than or equal to 0")),
        (LogOptions { limit_bytes: Some(0), ..of("one") }, invalid("limitBytes", "Invalid value: 0: must be greater than 0")),
        (LogOptions { since_seconds: Some(0), ..of("one") }, invalid("sinceSeconds", "Invalid value: 0: must be greater than 0")),
        (of("one"), Ok(String::new())),
        (of("i"), Ok(String::new())),
    ];
    for (options, expected) in cases {
        assert_eq!(log(&rig, &options), expected, "{options:?}");
    }
    let rig = cluster(json!({"containers": [container("one", "sleep 99")]}), 0);
    assert_eq!(
        log(&rig, &of("")),
        Err("container \"one\" in pod \"p\" is waiting to start: ContainerCreating".to_owned())
    );
    let rig = cluster(json!({"nodeSelector": {"no": "where"}, "containers": [container("one", "sleep 99")]}), 2);
    assert_eq!(log(&rig, &of("")), Ok(String::new()));
}

#[test]
fn a_log_can_be_followed_to_its_end() {
    let mut rig = cluster(
        json!({"restartPolicy": "Never", "containers": [container("c", "echo one; sleep 1; echo two; sleep 2; printf end")]}),
        1,
    );
    let mut whole = String::new();
    let mut options = LogOptions::default();
    for _ in 0..50 {
        let part = logs(&pod_in(&rig), &options, &around(&rig)).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        whole.push_str(&part.text);
        if part.ended {
            break;
        }
        options.after = Some(part.until);
        let next = part.next.map_or(Duration::from_secs(1), |next| until(rig.now, next));
        rig.run(next.max(Duration::from_millis(1)));
    }
    assert_eq!(whole, "one\ntwo\nend");
    assert_eq!(rig.get("pods", &Key::new("default", "p"))["status"]["phase"], "Succeeded");
    assert_eq!(log(&rig, &LogOptions::default()), Ok("one\ntwo\nend".to_owned()));
}

#[test]
fn a_container_that_was_started_anew_has_a_log_before() {
    let rig = cluster(json!({"containers": [container("c", "echo $(date +%s); exit 1")]}), 15);
    let before = log(&rig, &LogOptions { previous: true, ..of("") }).unwrap_or_default();
    assert!(before.starts_with("17672256"), "{before}");
    assert_eq!(log(&rig, &of("")), Ok(before), "while it backs off, that is its log");
    let rig = cluster(json!({"containers": [container("c", "while true; do echo tick; sleep 1; done")]}), 3600);
    let text = log(&rig, &LogOptions { tail_lines: Some(3), ..of("") });
    assert_eq!(text, Ok("tick\ntick\ntick\n".to_owned()));
}

#[test]
fn images_that_print_have_logs() {
    let image = "ghcr.io/stefanprodan/podinfo:6.1.0";
    let rig = cluster(
        json!({"containers": [{"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["./podinfo", "--level=debug"]}]}),
        3,
    );
    let text = log(&rig, &of("")).unwrap_or_default();
    assert!(text.contains("\"version\":\"6.1.0\""), "{text}");
    let rig =
        cluster(json!({"containers": [{"name": "c", "image": "nginx:1.25", "imagePullPolicy": "IfNotPresent"}]}), 3);
    assert_eq!(log(&rig, &of("")), Ok(String::new()));
}

fn run(rig: &Rig, command: &[&str], stdin: &str) -> Result<(String, String, i32), Refusal> {
    let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
    let result = exec(&pod_in(rig), "", &command, stdin, &around(rig))?;
    Ok((result.stdout(), result.stderr(), result.code))
}

#[test]
fn commands_run_in_containers() {
    let rig =
        cluster(json!({"containers": [container("c", "echo made > /tmp/file; sleep 10; rm /tmp/file; sleep 99")]}), 5);
    let ok = |out: &str| Ok((out.to_owned(), String::new(), 0));
    assert_eq!(run(&rig, &["echo", "hello", "you"], ""), ok("hello you\n"));
    assert_eq!(run(&rig, &["cat"], "typed\nin"), ok("typed\nin"));
    assert_eq!(run(&rig, &["hostname"], ""), ok("p\n"));
    assert_eq!(run(&rig, &["true"], ""), ok(""));
    assert_eq!(run(&rig, &["false"], ""), Ok((String::new(), String::new(), 1)));
    assert_eq!(
        run(&rig, &["sh", "-c", "echo out; echo err >&2; exit 3"], ""),
        Ok(("out\n".to_owned(), "err\n".to_owned(), 3))
    );
    assert_eq!(run(&rig, &["sh"], "cd /tmp\npwd\n"), ok("/tmp\n"));
    assert_eq!(run(&rig, &["cat", "/tmp/file"], ""), ok("made\n"));
    let variables = run(&rig, &["env"], "").map(|(out, ..)| out).unwrap_or_default();
    assert!(
        variables.contains("HOSTNAME=p\n") && variables.contains("KUBERNETES_SERVICE_HOST=10.96.0.1\n"),
        "{variables}"
    );
    let refused = run(&rig, &["frobnicate"], "").map_err(|refusal| (refusal.code, refusal.message));
    assert!(
        matches!(&refused, Err((500, message)) if message.ends_with("exec: \"frobnicate\": executable file not found in $PATH")),
        "{refused:?}"
    );
    let pod = pod_in(&rig);
    let refused = exec(&pod, "nope", &["echo".to_owned()], "", &around(&rig)).map_err(|refusal| refusal.message);
    assert_eq!(refused, Err("container nope is not valid for pod p".to_owned()));
    let rig = cluster(json!({"restartPolicy": "Never", "containers": [container("c", "exit 0")]}), 5);
    let refused = run(&rig, &["echo"], "").map_err(|refusal| refusal.message);
    assert_eq!(refused, Err("cannot exec into a container in a completed pod; current phase is Succeeded".to_owned()));
}

#[test]
fn a_shell_remembers() {
    let rig = cluster(json!({"containers": [container("c", "sleep 99")]}), 5);
    let (pod, around) = (pod_in(&rig), around(&rig));
    let mut shell = Shell::open(&pod, "", &around).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let mut line = |text: &str| {
        let result = shell.line(&pod, text, &around).unwrap_or_default();
        (result.stdout() + &result.stderr(), result.left, shell.prompt())
    };
    assert_eq!(line("x=5; cd /etc; echo hi > note"), (String::new(), false, "/etc # ".to_owned()));
    assert_eq!(line("cat note; echo $x"), ("hi\n5\n".to_owned(), false, "/etc # ".to_owned()));
    assert_eq!(
        line("if"),
        ("sh: syntax error: unexpected end of file (expecting \"then\")\n".to_owned(), false, "/etc # ".to_owned())
    );
    assert_eq!(line("exit"), (String::new(), true, "/etc # ".to_owned()));
}

#[test]
fn what_is_mounted_can_be_read() {
    let mut rig = Rig::usual();
    let data = json!({"greeting": "hello", "other": "x"});
    rig.create("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words", "namespace": "default"}, "data": data}));
    rig.create("secrets", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "data": {"key": "c2VjcmV0"}}));
    let mut one = container("c", "echo $(cat /etc/words/greeting) $KEY $NODE $GREETING-$(NAME); sleep 99");
    one["volumeMounts"] =
        json!([{"name": "v", "mountPath": "/etc/words"}, {"name": "v", "mountPath": "/single", "subPath": "other"}]);
    one["env"] = json!([
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "key"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "GREETING", "value": "I am $(NAME)"},
    ]);
    let spec = json!({"containers": [one], "volumes": [{"name": "v", "configMap": {"name": "words"}}]});
    rig.create(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "web"}}, "spec": spec}),
    );
    rig.run(Duration::from_secs(3));
    assert_eq!(log(&rig, &of("")), Ok("hello secret foredeck-control-plane I am web-web\n".to_owned()));
    assert_eq!(run(&rig, &["cat", "/single"], "").map(|(out, ..)| out), Ok("x".to_owned()));
    assert_eq!(run(&rig, &["ls", "/etc/words"], "").map(|(out, ..)| out), Ok("greeting\nother\n".to_owned()));
}

#[test]
fn pods_and_services_answer() {
    let image = "stefanprodan/podinfo:6.1.0";
    let mut rig = cluster(
        json!({"containers": [{"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "ports": [{"name": "http", "containerPort": 9898}]}]}),
        0,
    );
    assert_eq!(answer(&pod_in(&rig), 9898, &Request::get("/"), &around(&rig)), None, "it does not run yet");
    let spec =
        json!({"clusterIP": "10.96.0.9", "selector": {"app": "p"}, "ports": [{"port": 80, "targetPort": "http"}]});
    rig.create("services", json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": spec}));
    rig.run(Duration::from_secs(3));
    let pod = pod_in(&rig);
    let address = text_of(&pod, "podIP");
    assert_eq!(answer(&pod, 9898, &Request::get("/healthz"), &around(&rig)).map(|answer| answer.status), Some(200));
    let from = json!({"metadata": {"name": "client", "namespace": "default"}});
    let far = json!({"metadata": {"name": "client", "namespace": "far"}});
    let get = |from: &Value, url: &str| reach(from, url, &Request::get("/"), &around(&rig)).map(|answer| answer.status);
    for (from, url, expected) in [
        (&from, "http://web/version".to_owned(), Some(200)),
        (&from, "web/nowhere".to_owned(), Some(404)),
        (&far, "http://web.default.svc.cluster.local/status/503".to_owned(), Some(503)),
        (&far, "http://10.96.0.9/".to_owned(), Some(200)),
        (&far, format!("http://{address}:9898/"), Some(200)),
        (&far, "http://web/".to_owned(), None),
        (&from, "http://web:81/".to_owned(), None),
        (&from, "https://kubernetes.default/api".to_owned(), Some(401)),
        (&from, "http://web:x/".to_owned(), None),
        (&from, String::new(), None),
    ] {
        assert_eq!(get(from, &url), expected, "{url}");
    }
    let (out, ..) = run(&rig, &["curl", "-s", "http://localhost:9898/version"], "").unwrap_or_default();
    assert!(out.contains("\"version\": \"6.1.0\""), "{out}");
    let (out, ..) = run(&rig, &["sh", "-c", "wget -qO- web | grep hostname"], "").unwrap_or_default();
    assert_eq!(out, "  \"hostname\": \"p\",\n");
}

fn text_of(pod: &Value, member: &str) -> String {
    crate::cluster::object::text(pod, &["status", member]).to_owned()
}

/// Any JSON, with members that pods have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z/:0-9-]{0,12}".prop_map(Value::from),
        Just(json!("2026-01-01T00:00:00Z")),
        Just(json!("Running")),
        Just(json!(["sh", "-c", "while true; do echo x; done"])),
    ];
    let names = prop::sample::select(vec![
        "metadata",
        "spec",
        "status",
        "name",
        "namespace",
        "uid",
        "containers",
        "containerStatuses",
        "state",
        "running",
        "startedAt",
        "terminated",
        "finishedAt",
        "lastState",
        "image",
        "command",
        "env",
        "value",
        "valueFrom",
        "nodeName",
        "phase",
        "livenessProbe",
        "exec",
        "restartCount",
        "volumes",
        "configMap",
        "conditions",
        "type",
        "podIP",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_a_pod_may_be_makes_it_panic(
        pod in any_json(), tail in any::<Option<i64>>(), seconds in any::<Option<i64>>(), bytes in any::<Option<i64>>(),
        words in prop::collection::vec("[a-z$/(){}|;<>-]{0,9}", 0..4),
    ) {
        let images = Images::builtin();
        let around = Surroundings { images: &images, store: None, now: "2026-01-01T00:10:00Z".parse().unwrap_or_default() };
        let options = LogOptions { tail_lines: tail, since_seconds: seconds, limit_bytes: bytes, ..LogOptions::default() };
        let _ = logs(&pod, &options, &around);
        let _ = exec(&pod, "", &words, "input", &around);
        let _ = answer(&pod, 80, &Request::get("/x"), &around);
        let _ = reach(&pod, &words.concat(), &Request::get("/x"), &around);
    }

    #[test]
    fn no_pod_stops_the_controllers(mut spec in any_json(), status in any_json(), jump in 0u64..100_000) {
        let mut rig = Rig::usual();
        if !spec.is_object() {
            spec = json!({"containers": [spec]});
        }
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": spec});
        let key = rig.create("pods", pod);
        rig.run(Duration::from_secs(1));
        rig.change("pods", &key, |pod| pod["status"] = status);
        rig.run(Duration::from_secs(jump / 1000));
        rig.delete("pods", &key, None, "");
        rig.run(Duration::from_secs(2));
    }
}

#[test]
fn shells_are_known() {
    let is = |text: &str| super::is_shell(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
    assert!(is("sh") && is("/bin/bash -i"));
    assert!(!is("sh -c ls") && !is("cat"));
}
