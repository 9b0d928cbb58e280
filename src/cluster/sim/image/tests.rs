//! The catalogue that comes with the program, and catalogues that change.

use std::time::Duration;

use super::behaviour::Faults;
use super::http::{Host, Request, answer};
use super::log::{Facts, lines};
use super::*;

fn reference(image: &str) -> Reference {
    Reference::parse(image).unwrap_or_else(|| panic!("{image} is no image"))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_default()
}

#[test]
fn the_builtin_catalogue_is_whole() {
    let images = Images::from_yaml(BUILTIN).unwrap_or_else(|error| panic!("{error}"));
    for image in [
        "nginx",
        "nginx:1.25",
        "busybox:1.36",
        "redis:7",
        "memcached:1.4.25",
        "stefanprodan/podinfo:1.4.0",
        "ghcr.io/stefanprodan/podinfo:6.1.0",
        "quay.io/stefanprodan/podinfo:3.0.0",
        "quay.io/weaveworks/flux:1.11.0",
        "mycorp/pruner:v1.2",
        "anything.example/at/all:1",
    ] {
        assert!(matches!(images.pull(&reference(image)), Pull::Comes(size) if size > 1_000_000), "{image}");
        assert!(images.is_present(&reference(image)), "{image}");
    }
    let tags = images.tags("stefanprodan/podinfo");
    assert!(tags.len() > 30 && tags.is_sorted_by_key(|tag| tag.created));
    assert_eq!(images.behaviour("ghcr.io/stefanprodan/podinfo:6.1.0").server, behaviour::Server::Podinfo);
    assert!(images.behaviour("nginx:1.25").logs.start.is_empty(), "plain containers print nothing");
}

#[test]
fn what_is_not_there_cannot_be_pulled() {
    let images = Images::builtin();
    assert_eq!(
        images.pull(&reference("stefanprodan/podinfo:99.0.0")),
        Pull::Fails(
            "rpc error: code = NotFound desc = failed to pull and unpack image \
             \"docker.io/stefanprodan/podinfo:99.0.0\": failed to resolve reference \
             \"docker.io/stefanprodan/podinfo:99.0.0\": docker.io/stefanprodan/podinfo:99.0.0: not found"
                .to_owned()
        )
    );
    let Pull::Fails(text) = images.pull(&reference("registry.example/doesnotexist:1")) else { panic!("it came") };
    assert!(text.ends_with("lookup registry.example: no such host"), "{text}");
    let Pull::Fails(text) = images.pull(&reference("doesnotexist")) else { panic!("it came") };
    assert!(text.contains("pull access denied"), "{text}");
    assert!(!images.is_present(&reference("doesnotexist")));
}

#[test]
fn a_published_tag_can_be_pulled_and_a_withdrawn_one_cannot() {
    let mut images = Images::builtin();
    let image = reference("stefanprodan/podinfo:99.0.0");
    let before = images.revision();
    images.publish("stefanprodan/podinfo", "99.0.0", time("2030-01-01T00:00:00Z"));
    assert!(images.revision() > before);
    assert!(matches!(images.pull(&image), Pull::Comes(_)));
    assert!(!images.is_present(&image), "nodes have to pull what is new");
    assert_eq!(images.tags("ghcr.io/stefanprodan/podinfo").last().map(|tag| tag.name.as_str()), Some("99.0.0"));
    images.withdraw("stefanprodan/podinfo", "99.0.0");
    assert!(matches!(images.pull(&image), Pull::Fails(_)));

    images.publish("registry.example/team/app", "v1", time("2030-01-01T00:00:00Z"));
    assert!(matches!(images.pull(&reference("registry.example/team/app:v1")), Pull::Comes(_)));
    assert!(matches!(images.pull(&reference("registry.example/team/app:v2")), Pull::Fails(_)));
}

#[test]
fn manifests_are_what_their_digests_say() {
    let images = Images::builtin();
    let manifest = images.manifest("stefanprodan/podinfo", "6.1.0").unwrap_or_else(|| panic!("there is none"));
    assert_eq!(manifest.digest, manifest::digest(manifest.body.as_bytes()));
    assert_eq!(manifest.config_digest, manifest::digest(manifest.config.as_bytes()));
    assert!(manifest.body.contains(&manifest.config_digest));
    let other = images.manifest("stefanprodan/podinfo", "6.1.1").unwrap_or_else(|| panic!("there is none"));
    assert_ne!(manifest.digest, other.digest);
    assert_eq!(manifest.layers[0].digest, other.layers[0].digest);
    let id = images.image_id(&reference("stefanprodan/podinfo:6.1.0"));
    assert!(id.ends_with(&format!("@{}", manifest.digest)), "{id}");
    assert!(images.manifest("stefanprodan/podinfo", "no").is_none());
    assert!(images.manifest("no", "no").is_none());
}

#[test]
fn mistakes_in_a_catalogue_are_named() {
    for (text, expected) in [
        ("repositories: [{name: a, tags: {x: yesterday}}]", "yesterday"),
        ("repositories: [{name: a, special: {x: {colour: red}}}]", "no tag `x`"),
        ("repositories: [{name: a, nonsense: 1}]", "nonsense"),
        ("ordinary: {start: soon}", "start"),
    ] {
        let error = Images::from_yaml(text).err().unwrap_or_default();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn podinfo_answers() {
    let images = Images::builtin();
    let behaviour = images.behaviour("stefanprodan/podinfo:6.1.0");
    let host = Host { pod: "web-1".into(), version: "6.1.0".into(), ..Host::default() };
    let get = |path: &str| {
        let answer = answer(behaviour, &host, &Request::get(path));
        (answer.status, answer.body)
    };
    for (path, status, part) in [
        ("/", 200, "\"version\": \"6.1.0\""),
        ("/api/info", 200, "\"hostname\": \"web-1\""),
        ("/version?x=1", 200, "\"version\": \"6.1.0\""),
        ("/healthz", 200, "OK"),
        ("/readyz", 200, "OK"),
        ("/status/418", 418, "418"),
        ("/status/9", 404, "not found"),
        ("/nowhere", 404, "404 page not found"),
    ] {
        let (code, body) = get(path);
        assert_eq!(code, status, "{path}");
        assert!(body.contains(part), "{path}: {body}");
    }
    let slow = answer(behaviour, &host, &Request::get("/delay/3"));
    assert_eq!(slow.latency, Duration::from_secs(3));
    let coloured = Host { arguments: vec!["--ui-color=#ff0000".into(), "--unhealthy".into()], ..host.clone() };
    assert!(answer(behaviour, &coloured, &Request::get("/")).body.contains("#ff0000"));
    assert_eq!(answer(behaviour, &coloured, &Request::get("/healthz")).status, 503);
    let browser = [("Accept".to_owned(), "text/html".to_owned())];
    let page = answer(behaviour, &host, &Request { headers: &browser, ..Request::get("/") });
    assert!(page.body.starts_with("<!DOCTYPE html>"));
}

#[test]
fn faults_can_be_set() {
    let mut images = Images::builtin();
    images.behave("stefanprodan/podinfo", Some("6.1.0"), |behaviour| {
        behaviour.faults = Faults { rate: 0.25, latency: jiff::SignedDuration::from_millis(300), ..Faults::default() };
    });
    let host = Host::default();
    let answers: Vec<_> = (0..100)
        .map(|number| {
            let request = Request { chance: f64::from(number) / 100.0, ..Request::get("/") };
            answer(images.behaviour("stefanprodan/podinfo:6.1.0"), &host, &request)
        })
        .collect();
    assert_eq!(answers.iter().filter(|answer| answer.status == 500).count(), 25);
    assert!(answers.iter().all(|answer| answer.latency >= Duration::from_millis(300)));
    let untouched =
        answer(images.behaviour("stefanprodan/podinfo:6.1.1"), &host, &Request { chance: 0.0, ..Request::get("/") });
    assert_eq!(untouched.status, 200);
}

#[test]
fn log_lines_come_in_time() {
    let images = Images::builtin();
    let logs = &images.behaviour("quay.io/weaveworks/flux:1.11.0").logs;
    let facts = Facts { pod: "flux-1".into(), began: time("2026-01-01T00:00:00Z"), ..Facts::default() };
    let all = lines(logs, &facts, Duration::from_secs(3600), 10_000);
    let text: Vec<_> = all.lines.iter().map(|line| line.text.as_str()).collect();
    let key = text.iter().find(|line| line.contains("identity.pub=")).and_then(|line| line.split('"').nth(1));
    assert!(key.is_some_and(|key| key.starts_with("ssh-rsa AAAA") && key.len() > 300), "{text:?}");
    assert!(all.next.is_some_and(|next| next > Duration::from_secs(3600)));
    assert!(all.lines.iter().is_sorted_by_key(|line| line.at));
    let few = lines(logs, &facts, Duration::from_secs(3600), 2);
    assert_eq!(few.lines.iter().collect::<Vec<_>>(), all.lines.iter().rev().take(2).rev().collect::<Vec<_>>());
    let none = lines(&Default::default(), &facts, Duration::from_secs(5), 10);
    assert_eq!((none.lines.len(), none.next), (0, None));
}

#[test]
fn layers_are_archives() {
    let images = Images::builtin();
    let repository = images.repository("stefanprodan/podinfo").unwrap();
    let bytes = manifest::layer(repository, &repository.tags[0], 1);
    assert_eq!(bytes.len(), 4 * 512);
    assert!(bytes.starts_with(b"usr/share/image/layer-1\0") && &bytes[257..265] == b"ustar\x0000");
    let (head, rest) = bytes.split_at(512);
    let said = u32::from_str_radix(std::str::from_utf8(&head[148..154]).unwrap(), 8).unwrap();
    let sum: u32 =
        head.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { byte.into() }).sum();
    assert_eq!(said, sum);
    assert!(rest.starts_with(b"layer 1 of docker.io/stefanprodan/podinfo:0.5.0, built 2018-04-10T"));
    assert_eq!(bytes[124..136], *format!("{:011o}\0", rest.iter().position(|&byte| byte == 0).unwrap()).as_bytes());
}

#[test]
fn a_registry_of_ours_has_what_it_has() {
    let mut images = Images::builtin();
    images.serve_at(["127.0.0.1:5000".to_owned()]);
    for (image, comes) in [
        ("127.0.0.1:5000/nginx:1.25", true),
        ("127.0.0.1:5000/quay.io/weaveworks/flux:1.11.0", true),
        ("127.0.0.1:5000/stefanprodan/podinfo:99", false),
        ("127.0.0.1:5000/no/such:1", false),
        ("127.0.0.1:5001/no/such:1", true),
    ] {
        assert_eq!(matches!(images.pull(&reference(image)), Pull::Comes(_)), comes, "{image}");
    }
    images.publish("127.0.0.1:5000/no/such", "1", time("2030-01-01T00:00:00Z"));
    assert!(matches!(images.pull(&reference("docker.io/no/such:1")), Pull::Comes(_)));
    assert!(matches!(images.pull(&reference("127.0.0.1:5000/no/such:1")), Pull::Comes(_)));
}
