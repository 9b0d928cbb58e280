//! Who may do what in a registry: tokens after the token flow of registries, and a limit on requests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::path::valid;
use super::refusal::{Code, Refusal};
use crate::cluster::embedded::identity::Token;

/// The service that tokens are for.
pub(super) const SERVICE: &str = "foredeck";
/// How long a token counts.
const LIFE: Duration = Duration::from_secs(300);
/// Tokens that count at once.
const MOST_TOKENS: usize = 1024;
/// What one token can be for.
const MOST_SCOPES: usize = 16;

/// A user who may push.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Token,
}

/// Who may pull.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pulls {
    /// Everybody.
    #[default]
    Open,
    /// Everybody who fetches a token first, as from Docker Hub.
    Token,
    /// Who may push.
    Login,
}

/// How many requests are answered in a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many requests.
    pub requests: u32,
    /// In so much time.
    pub every: Duration,
}

/// What is done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action<'a> {
    /// Asking whether this is a registry.
    Ping,
    /// Looking at all names.
    Catalog,
    Pull(&'a str),
    Push(&'a str),
}

impl Action<'_> {
    /// The scopes that it needs.
    fn scopes(self) -> Vec<String> {
        match self {
            Self::Ping => Vec::new(),
            Self::Catalog => vec!["registry:catalog:*".to_owned()],
            Self::Pull(name) => vec![format!("repository:{name}:pull")],
            Self::Push(name) => vec![format!("repository:{name}:pull"), format!("repository:{name}:push")],
        }
    }

    /// The scope that a client is told to ask for.
    fn wanted(self) -> Option<String> {
        match self {
            Self::Ping => None,
            Self::Catalog => Some("registry:catalog:*".to_owned()),
            Self::Pull(name) => Some(format!("repository:{name}:pull")),
            Self::Push(name) => Some(format!("repository:{name}:pull,push")),
        }
    }
}

#[derive(Debug)]
struct Grant {
    scopes: Vec<String>,
    until: Instant,
}

/// Lets requests in or not.
#[derive(Debug)]
pub(super) struct Access {
    pulls: Pulls,
    login: Login,
    limit: Option<Limit>,
    grants: Mutex<HashMap<String, Grant>>,
    /// When the present stretch of time began, and how many requests there were in it.
    counted: Mutex<(Instant, u32)>,
}

impl Access {
    pub(super) fn new(pulls: Pulls, login: Login, limit: Option<Limit>, now: Instant) -> Self {
        Self { pulls, login, limit, grants: Mutex::default(), counted: Mutex::new((now, 0)) }
    }

    /// Counts a request.
    pub(super) fn count(&self, now: Instant) -> Result<(), Refusal> {
        let Some(Limit { requests, every }) = self.limit else { return Ok(()) };
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(counted.0) >= every {
            *counted = (now, 0);
        }
        if counted.1 < requests {
            counted.1 += 1;
            return Ok(());
        }
        let left = every.saturating_sub(now.duration_since(counted.0));
        let refusal = Refusal::new(429, Code::TooManyRequests, "too many requests");
        Err(Refusal { retry_after: Some(left.as_secs_f64().ceil() as u64), ..refusal })
    }

    /// Whether something may be done. A ping is answered with a challenge even where pulling is free: clients take
    /// from that where tokens for pushing come from.
    pub(super) fn check(&self, headers: &HeaderMap, action: Action<'_>, now: Instant) -> Result<(), Refusal> {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let open = self.pulls == Pulls::Open && matches!(action, Action::Pull(_) | Action::Catalog);
        let Some(given) = given else {
            return if open { Ok(()) } else { Err(challenge(headers, action, None)) };
        };
        if self.is_login(given) {
            return Ok(());
        }
        let token = scheme(given, "Bearer").unwrap_or_default();
        let grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        match grants.get(token).filter(|grant| now < grant.until) {
            _ if open => Ok(()),
            None => Err(challenge(headers, action, Some("invalid_token"))),
            Some(grant) if action.scopes().iter().all(|scope| grant.scopes.contains(scope)) => Ok(()),
            Some(_) => Err(challenge(headers, action, Some("insufficient_scope"))),
        }
    }

    /// A token for what a client wants and may have.
    pub(super) fn token(&self, headers: &HeaderMap, query: &str, now: Instant) -> Result<Value, Refusal> {
        let denied = || Refusal::new(401, Code::Unauthorized, "wrong user name or password");
        let known = match headers.get(AUTHORIZATION) {
            None => false,
            Some(given) if given.to_str().is_ok_and(|given| self.is_login(given)) => true,
            Some(_) => return Err(denied()),
        };
        let wanted: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == "scope")
            .flat_map(|(_, scope)| scope.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .take(MOST_SCOPES)
            .collect();
        let may_pull = known || self.pulls != Pulls::Login;
        let scopes = wanted.iter().flat_map(|scope| granted(scope, may_pull, known)).collect();
        let failed = |_| Refusal::new(500, Code::Unsupported, "the system gives no random numbers");
        let token = Token::random().map_err(failed)?.text().to_owned();
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if grants.len() >= MOST_TOKENS {
            grants.retain(|_, grant| now < grant.until);
        }
        if grants.len() >= MOST_TOKENS {
            let refusal = Refusal::new(429, Code::TooManyRequests, "too many tokens");
            return Err(Refusal { retry_after: Some(LIFE.as_secs()), ..refusal });
        }
        grants.insert(token.clone(), Grant { scopes, until: now + LIFE });
        Ok(json!({"token": token, "access_token": token, "expires_in": LIFE.as_secs()}))
    }

    /// Whether a header names the user and the password.
    fn is_login(&self, given: &str) -> bool {
        let decoded = scheme(given, "Basic").and_then(|text| STANDARD.decode(text).ok());
        let Some(decoded) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
        let Some((user, password)) = decoded.split_once(':') else { return false };
        user == self.login.user && self.login.password.is(password)
    }
}

/// What follows the scheme of a header.
fn scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = header.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Of `repository:NAME:pull,push` what may be had.
fn granted(scope: &str, may_pull: bool, may_push: bool) -> Vec<String> {
    let mut parts = scope.splitn(3, ':');
    let (Some(kind), Some(name), Some(actions)) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let known = match kind {
        "repository" => valid(name).is_ok(),
        "registry" => name == "catalog" && may_pull,
        _ => false,
    };
    let may = |action: &str| match (kind, action) {
        ("registry", "*") | ("repository", "pull") => may_pull,
        ("repository", "push") => may_push,
        _ => false,
    };
    let actions = actions.split(',').filter(|action| known && may(action));
    actions.map(|action| format!("{kind}:{name}:{action}")).collect()
}

fn challenge(headers: &HeaderMap, action: Action<'_>, error: Option<&str>) -> Refusal {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let mut challenge = format!("Bearer realm=\"http://{host}/token\",service=\"{SERVICE}\"");
    if let Some(scope) = action.wanted() {
        challenge += &format!(",scope=\"{scope}\"");
    }
    if let Some(error) = error {
        challenge += &format!(",error=\"{error}\"");
    }
    let refusal = Refusal::new(401, Code::Unauthorized, "authentication required");
    Refusal { challenge: Some(challenge), ..refusal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_given_to_whom_they_are_due() {
        for (scope, pull, push, expected) in [
            ("repository:a/b:pull", true, false, vec!["repository:a/b:pull"]),
            ("repository:a/b:pull,push", true, false, vec!["repository:a/b:pull"]),
            ("repository:a/b:pull,push", true, true, vec!["repository:a/b:pull", "repository:a/b:push"]),
            ("repository:a/b:delete", true, true, vec![]),
            ("repository:a/b:pull", false, false, vec![]),
            ("registry:catalog:*", true, false, vec!["registry:catalog:*"]),
            ("repository:../x:pull", true, true, vec![]),
            ("nonsense", true, true, vec![]),
        ] {
            assert_eq!(granted(scope, pull, push), expected, "{scope}");
        }
    }

    fn access(pulls: Pulls, limit: Option<Limit>, now: Instant) -> Access {
        Access::new(pulls, Login { user: "u".into(), password: Token::random().unwrap() }, limit, now)
    }

    #[test]
    fn requests_are_counted_in_stretches() {
        let now = Instant::now();
        let limit = Limit { requests: 2, every: Duration::from_secs(60) };
        let access = access(Pulls::Open, Some(limit), now);
        assert!(access.count(now).is_ok() && access.count(now).is_ok());
        let later = now + Duration::from_millis(20_500);
        assert_eq!(access.count(later).unwrap_err().retry_after, Some(40));
        assert!(access.count(later + Duration::from_secs(40)).is_ok());
    }

    #[test]
    fn tokens_are_for_something_and_end() {
        let now = Instant::now();
        let access = access(Pulls::Token, None, now);
        let mut headers = HeaderMap::new();
        let told = access.token(&headers, "service=x&scope=repository:a/b:pull,push", now).unwrap();
        let bearer = format!("Bearer {}", told["token"].as_str().unwrap());
        headers.insert(AUTHORIZATION, bearer.parse().unwrap());
        headers.insert(HOST, "127.0.0.1:5000".parse().unwrap());
        assert_eq!(access.check(&headers, Action::Pull("a/b"), now), Ok(()));
        assert_eq!(access.check(&headers, Action::Ping, now), Ok(()));
        for (action, scope) in [
            (Action::Push("a/b"), "repository:a/b:pull,push"),
            (Action::Pull("a/c"), "repository:a/c:pull"),
            (Action::Catalog, "registry:catalog:*"),
        ] {
            assert_eq!(
                access.check(&headers, action, now).unwrap_err().challenge,
                Some(format!(
                    "Bearer realm=\"http://127.0.0.1:5000/token\",service=\"foredeck\",scope=\"{scope}\",\
                     error=\"insufficient_scope\""
                ))
            );
        }
        assert!(access.check(&headers, Action::Pull("a/b"), now + LIFE).is_err());
    }

    #[test]
    fn the_password_opens_everything() {
        let now = Instant::now();
        let access = access(Pulls::Login, None, now);
        let mut headers = HeaderMap::new();
        for (password, expected) in [(access.login.password.text(), true), ("x", false)] {
            let basic = format!("basic {}", STANDARD.encode(format!("u:{password}")));
            headers.insert(AUTHORIZATION, basic.parse().unwrap());
            assert_eq!(access.check(&headers, Action::Push("a"), now).is_ok(), expected);
            assert_eq!(access.token(&headers, "", now).is_ok(), expected);
        }
        headers.remove(AUTHORIZATION);
        assert!(access.check(&headers, Action::Pull("a"), now).is_err());
    }
}
