//! The workshop for many: joining, places, isolation, sandboxes that are put away and come back, a server that restarts.

#[path = "room/hardship.rs"]
mod hardship;
#[cfg(unix)]
#[path = "room/shell.rs"]
mod shell;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use foredeck::cluster::folder::Folder;
use foredeck::diagnostic::SourceFile;
use foredeck::sandbox::builtin;
use foredeck::server::Config;
use foredeck::server::room::{RoomConfig, RoomServer, Rules};
use foredeck::workshop::{Workshop, assemble};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const STEP: &str = "---\ntitle: One\nduration: 5m\n---\n# One\n\n```sh {run name=make}\nkubectl create namespace mine\n```\n\n\
    ```verify Namespace/mine\nThe namespace is there.\n```\n\n<details><summary>Hint</summary>\n\nUse kubectl.\n\n</details>\n\n\
    ```sh {solve}\nkubectl create namespace mine\n```\n\n```sh {reset}\nkubectl delete namespace mine --ignore-not-found\n```\n";

fn workshop() -> Arc<Workshop> {
    let loaded = assemble("small", vec![SourceFile::new("01-one.md", STEP)]);
    let found: Vec<_> = loaded.findings.iter().map(|(_, found)| found.message.clone()).collect();
    assert!(!loaded.is_broken(), "{found:?}");
    Arc::new(loaded.workshop)
}

fn has_kubectl() -> bool {
    let there = std::process::Command::new("kubectl").arg("--help").output().is_ok();
    if !there {
        eprintln!("skipped: kubectl is missing");
    }
    there
}

struct Open {
    address: SocketAddr,
    code: String,
    trainer: String,
    note: Option<String>,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
    fn cookie(&self) -> String {
        let line = self.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{line}");
        line.split(';').next().expect("a pair").to_owned()
    }
}

impl Open {
    async fn at(folder: &Path, rules: Rules, workshop: Arc<Workshop>) -> Self {
        let home = Folder::of(folder);
        home.make().expect("a folder");
        builtin::write(&home.path().join("seed")).expect("the seed is written");
        let mut server = Config::new(home.path(), Vec::new());
        server.port = 0;
        let stop = CancellationToken::new();
        let config = RoomConfig {
            server,
            workshop,
            seed: home.path().join("seed"),
            folder: home,
            program: env!("CARGO_BIN_EXE_foredeck").into(),
            path: std::env::var_os("PATH"),
            home: None,
            rules,
        };
        let room = RoomServer::bind(config, stop.clone()).await.expect("an address");
        let after = |link: &str, key: &str| link.split(key).nth(1).expect("a key").to_owned();
        Self {
            address: room.address(),
            code: after(&room.join_link(), "?c="),
            trainer: after(&room.trainer_link(), "?t="),
            note: room.note().map(str::to_owned),
            stop,
            served: tokio::spawn(room.serve()),
        }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let all = async {
            let mut stream = TcpStream::connect(self.address).await.expect("a connection");
            stream.write_all(text.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = tokio::time::timeout(PATIENCE, all).await.expect("an answer in time");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {answer:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.replace('\r', ""), body: body.to_owned() }
    }

    async fn try_join(&self, name: &str, code: &str) -> Answer {
        let body = format!("code={code}&name={}", name.replace(' ', "+"));
        self.ask("POST", "/join", &[("Content-Type", "application/x-www-form-urlencoded")], &body).await
    }

    async fn join(&self, name: &str) -> String {
        let answer = self.try_join(name, &self.code).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.cookie()
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask("GET", path, &[("Cookie", cookie)], "").await
    }

    async fn post(&self, path: &str, cookie: &str, body: Value) -> Answer {
        let headers = [("Cookie", cookie), ("Content-Type", "application/json")];
        self.ask("POST", path, &headers, &body.to_string()).await
    }

    /// Asks again until the sandbox works.
    async fn ready(&self, path: &str, cookie: &str) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.get(path, cookie).await;
            if answer.status != 503 || begun.elapsed() > PATIENCE {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn trainers(&self) -> String {
        format!("foredeck-trainer-{}={}", self.address.port(), self.trainer)
    }

    /// Reads an endless answer until it holds something.
    async fn hears(&self, path: &str, cookie: &str, what: &str) {
        let text = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", self.address);
        let mut heard = Vec::new();
        let reading = async {
            let mut stream = TcpStream::connect(self.address).await.expect("a connection");
            stream.write_all(text.as_bytes()).await.expect("sent");
            while !String::from_utf8_lossy(&heard).contains(what) {
                let read = stream.read_buf(&mut heard).await.expect("it can be read");
                assert_ne!(read, 0, "{path} ended");
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reading).await.is_ok();
        assert!(in_time, "{what:?} is not in {:?}", String::from_utf8_lossy(&heard));
    }

    async fn board(&self) -> Value {
        let cookie = format!("foredeck-trainer-{}={}", self.address.port(), self.trainer);
        let answer = self.get("/api/v1/trainer", &cookie).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let board = self.board().await;
            if holds(&board) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: {board:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.served).await.expect("everything ends").expect("without a panic");
    }
}

fn rules(max: usize) -> Rules {
    Rules { max, idle: Duration::from_secs(600), terminals: true }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_are_given_until_the_room_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = Arc::new(Open::at(folder.path(), rules(5), workshop()).await);
    assert_eq!(open.try_join("Ada", "wrong").await.status, 403);
    open.join("Ada").await;
    assert_eq!(open.try_join("ada", &open.code).await.status, 422);
    assert_eq!(open.try_join("%3Cb%3E", &open.code).await.status, 422);
    // Two hundred at once: all get an answer, and exactly as many places as there are.
    let all = (0..200).map(|_| {
        let open = open.clone();
        tokio::spawn(async move { open.try_join("", &open.code).await.status })
    });
    let statuses: Vec<u16> =
        futures::future::join_all(all).await.into_iter().map(|status| status.expect("an answer")).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(303), count(503)), (4, 196), "{statuses:?}");
    assert_eq!(open.board().await["learners"].as_array().map(Vec::len), Some(5));
    let full = open.ask("GET", "/join", &[], "").await;
    assert!(full.body.contains("All 5 places are taken"), "{full:?}");
    // Whoever guesses codes is stopped.
    let mut last = 0;
    for _ in 0..40 {
        last = open.try_join("x", "guess").await.status;
    }
    assert_eq!(last, 429);
    Arc::into_inner(open).expect("nobody asks any more").end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_opens_what_is_somebody_elses() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = Open::at(folder.path(), rules(5), workshop()).await;
    let (ada, bob) = (open.join("Ada").await, open.join("Bob").await);
    let token = ada.split('=').nth(1).expect("a token").to_owned();
    assert_eq!(open.ready("/api/v1/workshop/one", &ada).await.status, 200);
    assert_eq!(open.ready("/api/v1/workshop/one", &bob).await.status, 200);
    let own = |id: &str| folder.path().join(".foredeck/learners").join(id);
    let config = std::fs::read_to_string(own("bob").join("demo/.git/config")).expect("Bob's copy");
    let of_bob = config.split("Authorization: ").nth(1).and_then(|rest| rest.lines().next()).expect("a header");
    let of_bob = of_bob.trim().trim_matches('"').to_owned();
    let refs = |id: &str| format!("/git/{id}/demo.git/info/refs?service=git-upload-pack");
    let with = |value: &str| open.ask_with(value.to_owned());
    assert_eq!(with(&of_bob).get(&refs("bob")).await, 200, "Bob reads his own");
    let basic = |password: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("git:{password}")));
    let password = {
        let bytes = BASE64_STANDARD.decode(of_bob.trim_start_matches("Basic ")).expect("base64");
        String::from_utf8(bytes).expect("text").trim_start_matches("git:").to_owned()
    };
    for (header, path, expected) in [
        (of_bob.clone(), refs("ada"), 401),
        (basic(&token), refs("bob"), 401),
        (basic(&token), refs("ada"), 401),
        (basic(""), refs("ada"), 401),
        (of_bob.clone(), refs("nobody"), 401),
        (of_bob.clone(), refs("ada").replace("/ada/", "/bob/%2e%2e/ada/"), 404),
        (format!("Bearer {password}"), "/l/bob/flux/v11/ping".to_owned(), 204),
        (format!("Bearer {password}"), "/l/ada/flux/v11/ping".to_owned(), 401),
        (format!("Bearer {token}"), "/l/ada/flux/v11/ping".to_owned(), 401),
        (format!("Bearer {token}"), "/api/v1/trainer".to_owned(), 403),
        (format!("Bearer {password}"), "/api/v1/workshop/one".to_owned(), 403),
    ] {
        assert_eq!(with(&header).get(&path).await, expected, "{path} with {header}");
    }
    // Whatever has no token, a wrong one, or one of another role is a stranger everywhere.
    let port = open.address.port();
    let strangers = [
        String::new(),
        format!("foredeck-learner-{port}={}", "x".repeat(24)),
        format!("foredeck-learner-{port}={}", open.trainer),
        format!("foredeck-presenter-{port}={token}"),
        format!("foredeck-learner-{}={token}", port.wrapping_add(1)),
    ];
    for cookie in &strangers {
        for path in
            ["/w/one", "/api/v1/workshop", "/api/v1/workshop/one", "/api/v1/workshop/one/panels", "/api/v1/notes"]
        {
            assert_eq!(open.get(path, cookie).await.status, 403, "{path} as {cookie}");
        }
        for path in ["/api/v1/workshop/one/run", "/api/v1/workshop/one/reset", "/api/v1/canary"] {
            assert_eq!(open.post(path, cookie, json!({})).await.status, 403, "{path} as {cookie}");
        }
        assert_eq!(open.get("/ws/term/main", cookie).await.status, 403, "a terminal as {cookie}");
        assert_eq!(open.get("/w/", cookie).await.status, 303);
    }
    for cookie in [&ada, &format!("foredeck-trainer-{port}={token}"), &String::new()] {
        for path in ["/trainer", "/trainer/events", "/api/v1/trainer", "/join.svg"] {
            assert_eq!(open.get(path, cookie).await.status, 403, "{path} as {cookie}");
        }
        assert_eq!(open.post("/api/v1/trainer", cookie, json!({"do": "restore"})).await.status, 403);
    }
    // What belongs to a speaker is not there at all.
    for path in ["/p", "/r", "/events", "/metrics", "/api/v1/control", "/files/room.json"] {
        assert_eq!(open.get(path, &ada).await.status, 404, "{path}");
    }
    assert_eq!(
        open.get("/git/demo.git/HEAD", &ada).await.status,
        401,
        "git is asked for a password, whatever the name"
    );
    // Another site's page asks in vain, cookie or not.
    let headers = [("Cookie", ada.as_str()), ("Origin", "http://evil.example")];
    assert_eq!(open.ask("POST", "/api/v1/workshop/one/reset", &headers, "{}").await.status, 403);
    open.end().await;
}

struct With<'a>(&'a Open, String);

impl Open {
    fn ask_with(&self, authorization: String) -> With<'_> {
        With(self, authorization)
    }
}

impl With<'_> {
    async fn get(&self, path: &str) -> u16 {
        self.0.ask("GET", path, &[("Authorization", &self.1)], "").await.status
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_is_put_away_comes_back_and_survives_a_restart() {
    if !has_kubectl() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let idle = Rules { idle: Duration::from_secs(2), ..rules(5) };
    let open = Open::at(folder.path(), idle, workshop()).await;
    let (ada, bob) = (open.join("Ada").await, open.join("Bob").await);
    assert_eq!(open.ready("/api/v1/workshop/one", &ada).await.status, 200);
    assert_eq!(open.post("/api/v1/workshop/one/start", &ada, json!({})).await.status, 200);
    let not_yet = open.ready("/api/v1/workshop/one", &ada).await.json();
    assert_eq!(not_yet["passed"], json!(false));
    open.until("the trainer sees who is stuck", |board| board["learners"][0]["stuck"]["step"] == "01-one").await;
    let ran = open.post("/api/v1/workshop/one/run", &ada, json!({"name": "make"})).await;
    assert_eq!(ran.json()["ok"], json!(true), "{ran:?}");
    assert_eq!(open.get("/api/v1/workshop/one", &ada).await.json()["passed"], json!(true));
    assert_eq!(open.ready("/api/v1/workshop/one", &bob).await.json()["passed"], json!(false), "Bob's is his own");
    let state = |board: &Value, at: usize| board["learners"][at]["cells"][0]["state"].clone();
    assert_eq!(state(&open.board().await, 0), "passed");
    open.until("both are put away", |board| (0..2).all(|at| board["learners"][at]["presence"] == "away")).await;
    // Away, but not forgotten; and back with everything that was there.
    assert_eq!((state(&open.board().await, 0), state(&open.board().await, 1)), (json!("passed"), json!("not-started")));
    assert_eq!(open.ready("/api/v1/workshop/one", &ada).await.json()["passed"], json!(true));
    let roster = folder.path().join(".foredeck/room.json");
    open.end().await;

    // A server that starts again knows its learners; Bob's file is broken meanwhile: his concern alone.
    let progress = folder.path().join(".foredeck/learners/bob/progress/bob.json");
    std::fs::create_dir_all(progress.parent().expect("a folder")).expect("made");
    std::fs::write(&progress, "{\"version\":1,").expect("written");
    let open = Open::at(folder.path(), rules(5), workshop()).await;
    assert_eq!(open.note, None);
    let again = |cookie: &str| {
        format!("foredeck-learner-{}={}", open.address.port(), cookie.split('=').nth(1).expect("a token"))
    };
    let (ada, bob) = (again(&ada), again(&bob));
    assert_eq!(state(&open.board().await, 0), "passed");
    assert_eq!(open.ready("/api/v1/workshop/one", &ada).await.json()["passed"], json!(true));
    assert_eq!(open.ready("/api/v1/workshop/one", &bob).await.status, 200);
    let told = |status: &Value| status["problem"].as_str().unwrap_or_default().to_owned();
    let of_bob = told(&open.get("/api/v1/workshop", &bob).await.json());
    assert!(of_bob.starts_with("the progress file cannot be used: it is broken"), "{of_bob}");
    assert_eq!(told(&open.get("/api/v1/workshop", &ada).await.json()), "");

    // The trainer sends hints and puts back.
    let trainer = format!("foredeck-trainer-{}={}", open.address.port(), open.trainer);
    let hint = open.post("/api/v1/trainer", &trainer, json!({"do": "hint", "who": null, "text": "Look *here*."})).await;
    assert_eq!(hint.json(), json!({"told": 2}));
    let back = open.post("/api/v1/trainer", &trainer, json!({"do": "restore", "who": "ada", "step": "one"})).await;
    assert_eq!(back.json(), json!({"begun": 1}));
    open.until("Ada begins anew", |board| state(board, 0) == "in-progress").await;
    assert_eq!(open.get("/api/v1/workshop/one", &ada).await.json()["passed"], json!(false));
    // A new link ends the old one.
    let link = open.post("/api/v1/trainer", &trainer, json!({"do": "link", "who": "ada"})).await.json();
    let path = link["url"].as_str().and_then(|url| url.find("/w/").map(|at| url[at..].to_owned())).expect("a link");
    assert_eq!(open.get("/api/v1/workshop", &ada).await.status, 403);
    assert_eq!(open.get(&path, "").await.status, 303);
    open.end().await;

    // A list of learners that is broken is put aside, and the trainer is told.
    std::fs::write(&roster, "nonsense").expect("written");
    let open = Open::at(folder.path(), rules(5), workshop()).await;
    assert!(open.note.as_deref().is_some_and(|note| note.contains("everybody has to join again")), "{:?}", open.note);
    open.end().await;
}

/// A room that runs as a program of its own.
#[cfg(unix)]
struct Killable(std::process::Child);

#[cfg(unix)]
impl Killable {
    fn start(tool: &crate::harness::tool::Tool) -> (Self, Open) {
        let mut command = tool.command("workshop serve --port 0 --keep --json");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let out = child.stdout.take().expect("a pipe");
        let mut documents = serde_json::Deserializer::from_reader(out).into_iter::<Value>();
        let links = documents.next().expect("a document").expect("JSON");
        let after = |link: &str, key: &str| {
            let link = links[link].as_str().expect("a link");
            link.split(key).nth(1).expect("a key").to_owned()
        };
        let host = after("trainer", "http://");
        let address = host.split('/').next().and_then(|host| host.parse().ok()).expect("an address");
        let (code, trainer) = (after("join", "?c="), after("trainer", "?t="));
        let served = tokio::spawn(async {});
        (Self(child), Open { address, code, trainer, note: None, stop: CancellationToken::new(), served })
    }
}

#[cfg(unix)]
impl Drop for Killable {
    /// No signal that could be caught.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_was_killed_knows_its_learners() {
    if !has_kubectl() {
        return;
    }
    let tool = crate::harness::tool::Tool::new().with("workshop/01-one.md", STEP);
    let (room, open) = Killable::start(&tool);
    let ada = open.join("Ada").await;
    let token = |cookie: &str| cookie.split('=').nth(1).expect("a token").to_owned();
    let ada = token(&ada);
    let cookie = |open: &Open, token: &str| format!("foredeck-learner-{}={token}", open.address.port());
    let of_ada = cookie(&open, &ada);
    assert_eq!(open.ready("/api/v1/workshop/one", &of_ada).await.status, 200);
    assert_eq!(open.post("/api/v1/workshop/one/start", &of_ada, json!({})).await.status, 200);
    let ran = open.post("/api/v1/workshop/one/run", &of_ada, json!({"name": "make"})).await;
    assert_eq!(ran.json()["ok"], json!(true), "{ran:?}");
    assert_eq!(open.get("/api/v1/workshop/one", &of_ada).await.json()["passed"], json!(true));
    drop(room);
    // Killed again and again while others join: whoever was let in is known.
    let mut joined = vec![("Ada".to_owned(), ada.clone())];
    for round in 1..=3 {
        let (room, open) = Killable::start(&tool);
        let open = Arc::new(open);
        let (sender, mut doors) = tokio::sync::mpsc::unbounded_channel();
        let crowd = tokio::spawn({
            let open = open.clone();
            async move {
                for number in 0.. {
                    let name = format!("Guest {round} {number}");
                    let token = open.join(&name).await.split('=').nth(1).map(str::to_owned);
                    let _ = sender.send((name, token.expect("a token")));
                }
            }
        });
        for _ in 0..round {
            joined.push(doors.recv().await.expect("somebody joins"));
        }
        drop(room);
        crowd.abort();
        let _ = crowd.await;
        while let Ok(late) = doors.try_recv() {
            joined.push(late);
        }
    }
    let (_room, open) = Killable::start(&tool);
    let board = open.board().await;
    let known = board["learners"].as_array().expect("a list");
    for (name, token) in &joined {
        assert!(known.iter().any(|learner| learner["name"] == *name), "{name} is not known: {board:#}");
        assert_ne!(open.get("/api/v1/workshop", &cookie(&open, token)).await.status, 403, "{name} is not let in");
    }
    assert_eq!(open.ready("/api/v1/workshop/one", &cookie(&open, &ada)).await.json()["passed"], json!(true));
    let half = tool.files().into_iter().find(|name| name.ends_with(".json.1"));
    assert_eq!(half, None, "nothing had to be put aside");
}

/// Megabytes of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().split(' ').next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test suite room:: -- --ignored --nocapture"]
async fn a_hundred_sandboxes_stay_small_and_answer() {
    const LEARNERS: usize = 100;
    const ROUNDS: usize = 10;
    let folder = tempfile::tempdir().expect("a folder");
    let open = Arc::new(Open::at(folder.path(), rules(LEARNERS), workshop()).await);
    let before = resident();
    let begun = Instant::now();
    let mut all = Vec::new();
    for _ in 0..LEARNERS {
        all.push(open.join("").await);
    }
    let ready = all.iter().map(|cookie| {
        let (open, cookie) = (open.clone(), cookie.clone());
        tokio::spawn(async move { open.ready("/api/v1/workshop/one", &cookie).await.status })
    });
    for status in futures::future::join_all(ready).await {
        assert_eq!(status.expect("an answer"), 200);
    }
    let started = begun.elapsed();
    let small = resident();
    // Each learner looks once a second, as a page does at its quickest.
    let looks = all.iter().enumerate().map(|(number, cookie)| {
        let (open, cookie) = (open.clone(), cookie.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(10 * number as u64)).await;
            let mut took = Vec::new();
            for _ in 0..ROUNDS {
                let asked = Instant::now();
                assert_eq!(open.get("/api/v1/workshop/one", &cookie).await.status, 200);
                took.push(asked.elapsed());
                tokio::time::sleep(Duration::from_secs(1).saturating_sub(asked.elapsed())).await;
            }
            took
        })
    });
    let looks = futures::future::join_all(looks).await;
    let mut took: Vec<Duration> = looks.into_iter().flat_map(|took| took.expect("answers")).collect();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    let megabytes = resident();
    eprintln!(
        "{LEARNERS} sandboxes in {started:?}; {before} MB → {small} MB → {megabytes} MB; \
         checks p50 {:?}, p99 {:?}, most {:?}",
        at(50),
        at(99),
        at(100)
    );
    assert!(megabytes < 1024, "{megabytes} MB");
    assert!(at(99) < Duration::from_millis(if cfg!(debug_assertions) { 2000 } else { 200 }), "{:?}", at(99));
    Arc::into_inner(open).expect("nobody asks any more").end().await;
}
