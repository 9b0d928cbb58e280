//! What opens registries: Docker's configuration and the Secrets of Kubernetes, which look the same.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::Value;

use super::name::{Name, is_hub};

/// A name and a password, or a token that stands for both.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
    /// What is given for a token instead.
    pub identity: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Login({})", self.user)
    }
}

impl Login {
    /// As the header of a request.
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }
}

/// Where a login is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// Here.
    Login(&'a Login),
    /// From the program `docker-credential-NAME`, for this server.
    Helper { name: &'a str, server: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Labels may be globs.
    host: String,
    /// The start of the path; empty for all.
    path: String,
    login: Login,
}

/// What is known of logins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    entries: Vec<Entry>,
    /// By registry.
    helpers: Vec<(String, String)>,
    /// For all registries.
    store: Option<String>,
}

impl Keyring {
    /// Reads Docker's `config.json`, or what is in a Secret of type `kubernetes.io/dockerconfigjson` or
    /// `kubernetes.io/dockercfg`. The error says what is wrong, without any secret.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            // Not the parser's own words: they may have a part of the text.
            format!("it is no JSON (line {}, column {})", error.line(), error.column())
        })?;
        let object = value.as_object().ok_or("it is no JSON object")?;
        let wrapped = ["auths", "credHelpers", "credsStore", "HttpHeaders"].iter().any(|key| object.contains_key(*key));
        let auths = if wrapped { object.get("auths").and_then(Value::as_object) } else { Some(object) };
        let mut entries: Vec<_> =
            auths.into_iter().flatten().filter_map(|(server, auth)| entry(server, auth)).collect();
        // The one that says most about where it counts comes first.
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.path.len(), !entry.host.contains('*'))));
        let helper = |value: &Value| value.as_str().filter(|name| is_helper(name)).map(str::to_owned);
        let helpers = object.get("credHelpers").and_then(Value::as_object);
        Ok(Self {
            entries,
            helpers: helpers
                .into_iter()
                .flatten()
                .filter_map(|(host, name)| Some((split(host).0, helper(name)?)))
                .collect(),
            store: object.get("credsStore").and_then(helper),
        })
    }

    /// A keyring with one login for a registry.
    pub fn of(host: &str, login: Login) -> Self {
        let (host, path) = split(host);
        Self { entries: vec![Entry { host, path, login }], ..Self::default() }
    }

    /// Adds what another one knows; this one's own logins come first.
    pub fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self.entries.sort_by_key(|entry| std::cmp::Reverse((entry.path.len(), !entry.host.contains('*'))));
        self.helpers.extend(other.helpers);
        self.store = self.store.or(other.store);
        self
    }

    /// Where the login for a repository is to be had.
    pub(super) fn find(&self, name: &Name) -> Option<Found<'_>> {
        let host = name.host();
        let fits = |entry: &&Entry| fits(&entry.host, host) && below(&entry.path, name.path());
        if let Some(entry) = self.entries.iter().find(fits) {
            return Some(Found::Login(&entry.login));
        }
        let server = if is_hub(host) { "https://index.docker.io/v1/".to_owned() } else { host.to_owned() };
        let own = self.helpers.iter().find(|(known, _)| known == host).map(|(_, name)| name);
        let name = own.or(self.store.as_ref())?;
        Some(Found::Helper { name, server })
    }
}

/// Only plain names: a path would run something else.
fn is_helper(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn entry(server: &str, auth: &Value) -> Option<Entry> {
    let text = |key: &str| auth.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let decoded = text("auth").and_then(|auth| {
        let auth = auth.trim();
        let bytes = STANDARD.decode(auth).or_else(|_| STANDARD_NO_PAD.decode(auth)).ok()?;
        let decoded = String::from_utf8(bytes).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
    });
    let given = text("username").zip(text("password"));
    let identity = text("identitytoken").map(str::to_owned);
    let login = given.map(|(user, password)| (user.to_owned(), password.to_owned())).or(decoded);
    let (user, password) = login.or_else(|| identity.as_ref().map(|_| Default::default()))?;
    let (host, path) = split(server);
    Some(Entry { host, path, login: Login { user, password, identity } })
}

/// `https://host/v2/path` → host and path.
fn split(server: &str) -> (String, String) {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    let path = match path.split_once('/') {
        _ if matches!(path, "v1" | "v2") => "",
        Some(("v1" | "v2", path)) => path,
        _ => path,
    };
    let host = if is_hub(host) { "index.docker.io" } else { host };
    (host.to_ascii_lowercase(), path.to_owned())
}

/// Whether a host is one of a pattern: label by label, where `*` is anything in a label.
fn fits(pattern: &str, host: &str) -> bool {
    let (mut patterns, mut labels) = (pattern.split('.'), host.split('.'));
    loop {
        match (patterns.next(), labels.next()) {
            (None, None) => return true,
            (Some(pattern), Some(label)) if super::scan::filter::glob(pattern, label) => {}
            _ => return false,
        }
    }
}

/// Whether a path is another one or below it.
fn below(start: &str, path: &str) -> bool {
    start.is_empty() || path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keyring: &Keyring, name: &str) -> String {
        match keyring.find(&Name::parse(name).unwrap()) {
            None => String::new(),
            Some(Found::Login(login)) => format!("{}:{}", login.user, login.password),
            Some(Found::Helper { name, server }) => format!("{name} {server}"),
        }
    }

    #[test]
    fn logins_are_found() {
        let keyring = Keyring::parse(
            r#"{"auths": {
                "https://index.docker.io/v1/": {"auth": "aHViOmE="},
                "ghcr.io": {"username": "octo", "password": "b:c"},
                "ghcr.io/team": {"auth": "dGVhbTpk"},
                "*.example.com": {"auth": "Z2xvYjpl"},
                "r.example.com": {"auth": "b3duOmY="},
                "empty.io": {}, "broken.io": {"auth": "?"}, "idle.io": {"identitytoken": "t"}},
              "credHelpers": {"gcr.io": "gcloud", "evil.io": "../../bin/x"}, "credsStore": "desktop"}"#,
        )
        .unwrap();
        for (name, expected) in [
            ("nginx", "hub:a"),
            ("ghcr.io/x/y", "octo:b:c"),
            ("ghcr.io/team/y", "team:d"),
            ("ghcr.io/teams/y", "octo:b:c"),
            ("q.example.com/x", "glob:e"),
            ("r.example.com/x", "own:f"),
            ("a.b.example.com/x", "desktop a.b.example.com"),
            ("empty.io/x", "desktop empty.io"),
            ("broken.io/x", "desktop broken.io"),
            ("idle.io/x", ":"),
            ("gcr.io/x/y", "gcloud gcr.io"),
            ("evil.io/x", "desktop evil.io"),
        ] {
            assert_eq!(found(&keyring, name), expected, "{name}");
        }
        assert!(!format!("{keyring:?}").contains("b:c"));
    }

    #[test]
    fn old_secrets_and_none() {
        let keyring = Keyring::parse(r#"{"quay.io": {"auth": "eDp5"}}"#).unwrap();
        assert_eq!(found(&keyring, "quay.io/a/b"), "x:y");
        assert_eq!(found(&keyring, "nginx"), "");
        assert_eq!(Keyring::parse(r#"{"auths": {"a": "secret"#), Err("it is no JSON (line 1, column 23)".to_owned()));
        assert!(Keyring::parse("[]").is_err());
        let both = Keyring::parse(r#"{"quay.io": {"auth": "YTpi"}}"#).unwrap().and(keyring);
        assert_eq!(found(&both, "quay.io/a/b"), "a:b");
    }
}
