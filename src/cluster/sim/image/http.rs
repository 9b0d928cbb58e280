//! What the containers of an image answer to HTTP requests.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::behaviour::{Behaviour, Server, positive};

/// An HTTP request to a container.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// As `GET`.
    pub method: &'a str,
    /// With its query.
    pub path: &'a str,
    /// The headers.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a str,
    /// A random number from 0 to 1, below 1: which requests fail hangs on it.
    pub chance: f64,
}

impl<'a> Request<'a> {
    /// A plain request that fails only if all do.
    pub fn get(path: &'a str) -> Self {
        Self { method: "GET", path, headers: &[], body: "", chance: 0.999 }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpAnswer {
    /// As 200.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// How long it takes.
    pub latency: Duration,
}

/// The container that answers.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// The pod's name.
    pub pod: String,
    /// The image's tag.
    pub version: String,
    /// The container's arguments.
    pub arguments: Vec<String>,
    /// Its environment.
    pub variables: BTreeMap<String, String>,
}

impl Host {
    /// A setting: a flag as `--ui-color=red`, or a variable as `PODINFO_UI_COLOR`.
    fn setting(&self, name: &str) -> Option<String> {
        let flag = format!("--{name}");
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            if *word == flag {
                let value = words.as_slice().first().filter(|value| !value.starts_with("--"));
                return Some(value.map_or("true".to_owned(), String::clone));
            }
            if let Some(value) = word.strip_prefix(&flag).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.to_owned());
            }
        }
        self.variables.get(&format!("PODINFO_{}", name.to_uppercase().replace('-', "_"))).cloned()
    }

    fn is_set(&self, name: &str) -> bool {
        self.setting(name).is_some_and(|value| value != "false")
    }
}

/// What a container answers.
pub fn answer(behaviour: &Behaviour, host: &Host, request: &Request<'_>) -> HttpAnswer {
    let mut answer = match &behaviour.server {
        Server::Any => plain(200, "ok\n".to_owned()),
        Server::Page(page) => HttpAnswer { headers: kind("text/html"), ..plain(200, page.clone()) },
        Server::Podinfo => podinfo(behaviour, host, request),
    };
    let path = request.path.split('?').next().unwrap_or("");
    if request.chance < failing(behaviour, host) && !is_check(path) {
        let latency = answer.latency;
        answer = HttpAnswer { latency, ..plain(500, "Internal Server Error\n".to_owned()) };
    }
    answer.latency += positive(behaviour.faults.latency);
    answer
}

/// How many requests of all fail with a 500, from 0 to 1.
pub fn failing(behaviour: &Behaviour, host: &Host) -> f64 {
    let rate = behaviour.faults.rate.clamp(0.0, 1.0);
    if host.is_set("random-error") { rate.max(1.0 / 3.0) } else { rate }
}

/// Whether a path is there for probes: injected faults spare it, or pods would be restarted instead of failing.
fn is_check(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

fn kind(kind: &str) -> Vec<(&'static str, String)> {
    vec![("Content-Type", format!("{kind}; charset=utf-8"))]
}

fn plain(status: u16, body: String) -> HttpAnswer {
    HttpAnswer { status, headers: kind("text/plain"), body, latency: Duration::from_millis(1) }
}

fn json_answer(status: u16, body: &Value) -> HttpAnswer {
    let body = serde_json::to_string_pretty(body).unwrap_or_default();
    HttpAnswer { headers: kind("application/json"), ..plain(status, body) }
}

fn podinfo(behaviour: &Behaviour, host: &Host, request: &Request<'_>) -> HttpAnswer {
    let path = request.path.split('?').next().unwrap_or("");
    let unhealthy = behaviour.faults.unhealthy || host.is_set("unhealthy");
    let unready = behaviour.faults.unready || host.is_set("unready");
    let state = |bad: bool| match bad {
        true => json_answer(503, &json!({"status": "Service Unavailable"})),
        false => json_answer(200, &json!({"status": "OK"})),
    };
    match path {
        "/" if wants_page(request) => HttpAnswer { headers: kind("text/html"), ..plain(200, page(behaviour, host)) },
        "/" | "/api/info" => json_answer(200, &info(behaviour, host)),
        "/version" => json_answer(200, &json!({"commit": commit(host), "version": version(host)})),
        "/healthz" => state(unhealthy),
        "/readyz" => state(unready),
        "/env" | "/api/env" => {
            let lines: Vec<_> = host.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
            json_answer(200, &json!(lines))
        }
        "/headers" | "/api/headers" => json_answer(200, &headers(request)),
        "/echo" | "/api/echo" => {
            HttpAnswer { headers: kind("application/json"), ..plain(202, request.body.to_owned()) }
        }
        "/metrics" => plain(200, metrics(host)),
        "/panic" => plain(502, String::new()),
        _ => match (numbered(path, "delay"), numbered(path, "status")) {
            (Some(seconds), _) => {
                let latency = Duration::from_secs(u64::from(seconds.min(3600)));
                HttpAnswer { latency, ..json_answer(200, &json!({"delay": seconds})) }
            }
            (_, Some(code @ 200..=599)) => json_answer(u16::try_from(code).unwrap_or(200), &json!({"status": code})),
            _ => plain(404, "404 page not found\n".to_owned()),
        },
    }
}

/// The number behind `/NAME/`, with or without `/api` before it.
fn numbered(path: &str, name: &str) -> Option<u32> {
    let path = path.strip_prefix("/api").unwrap_or(path);
    path.strip_prefix('/')?.strip_prefix(name)?.strip_prefix('/')?.parse().ok()
}

fn wants_page(request: &Request<'_>) -> bool {
    request.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("user-agent") && value.contains("Mozilla")
            || name.eq_ignore_ascii_case("accept") && value.contains("text/html")
    })
}

fn version(host: &Host) -> &str {
    host.version.strip_prefix('v').unwrap_or(&host.version)
}

fn commit(host: &Host) -> String {
    super::manifest::hex(host.version.as_bytes()).chars().take(40).collect()
}

fn colour(behaviour: &Behaviour, host: &Host) -> String {
    host.setting("ui-color").unwrap_or_else(|| behaviour.colour.clone())
}

fn message(host: &Host) -> String {
    host.setting("ui-message").unwrap_or_else(|| format!("greetings from podinfo v{}", version(host)))
}

fn info(behaviour: &Behaviour, host: &Host) -> Value {
    json!({
        "hostname": host.pod,
        "version": version(host),
        "revision": commit(host),
        "color": colour(behaviour, host),
        "logo": host.setting("ui-logo").unwrap_or_default(),
        "message": message(host),
        "goos": "linux",
        "goarch": "amd64",
        "runtime": "go1.24",
        "num_goroutine": "8",
        "num_cpu": "4",
    })
}

fn page(behaviour: &Behaviour, host: &Host) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let (colour, message) = (escape(&colour(behaviour, host)), escape(&message(host)));
    let (pod, version) = (escape(&host.pod), escape(version(host)));
    format!(
        "<!DOCTYPE html><html><head><title>{pod}</title></head><body style=\"background:{colour};color:white;\
         font-family:sans-serif;text-align:center\"><h1>{message}</h1><p>Served by {pod}, version {version}</p>\
         </body></html>\n"
    )
}

fn headers(request: &Request<'_>) -> Value {
    let mut members = serde_json::Map::new();
    for (name, value) in request.headers {
        members.insert(name.clone(), json!([value]));
    }
    Value::Object(members)
}

fn metrics(host: &Host) -> String {
    format!(
        "# HELP app_info The version that runs.\n# TYPE app_info gauge\napp_info{{version=\"{}\"}} 1\n\
         # HELP process_start Whether it runs.\n# TYPE process_start gauge\nprocess_start 1\n",
        version(host)
    )
}
