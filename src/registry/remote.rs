//! Registries asked over HTTP, as the distribution specification has it.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::{LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, Method, StatusCode, Uri};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::challenge::{self, Challenge};
use super::credentials::{Found, Keyring, Login};
use super::document::{self, ACCEPT, Manifest};
use super::error::{Error, Why};
use super::http::{Answer, Ask, Http, check, resolve};
use super::name::{Name, is_loopback};
use super::{Image, Registry, helper, wait};

/// Tags of a repository, and pages that they come in.
const MOST_TAGS: usize = 100_000;
const MOST_PAGES: usize = 2_000;
/// Bytes of a page of tags, of a manifest or configuration, and of a token.
const PAGE: usize = 8 << 20;
const DOCUMENT: usize = 4 << 20;
const TOKEN: usize = 1 << 20;
/// Tags on a page.
const PER_PAGE: usize = 1_000;
/// Tokens that are remembered.
const MOST_TOKENS: usize = 1_000;
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// How registries are asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long one answer may take.
    pub limit: Duration,
    /// How often a question is asked that fails and may not fail again.
    pub tries: u32,
    /// How long to wait before the second try.
    pub backoff: Duration,
    /// Whether the programs that Docker keeps passwords with may be run.
    pub helpers: bool,
    /// Who registries are; the system's certificates say when none.
    pub tls: Option<rustls::ClientConfig>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(20),
            tries: 3,
            backoff: Duration::from_millis(500),
            helpers: false,
            tls: None,
        }
    }
}

/// Whom a token was given to, and where it counts: the repository and the user.
type Key = (String, String);

/// Registries asked over HTTP.
#[derive(Debug)]
pub struct Remote {
    http: Http,
    options: Options,
    /// The headers that let us in, and until when they do.
    passes: Mutex<HashMap<Key, (String, Timestamp)>>,
    /// The registries that want to be left alone, and until when.
    limited: Mutex<HashMap<String, Timestamp>>,
}

impl Remote {
    /// A client.
    ///
    /// # Errors
    /// When the system has no certificates.
    pub fn new(options: Options) -> io::Result<Self> {
        let http = Http::new(options.limit, options.tls.clone())?;
        Ok(Self { http, options, passes: Mutex::default(), limited: Mutex::default() })
    }

    async fn list(&self, name: &Name, keyring: &Keyring) -> Result<Vec<String>, Why> {
        let mut url = address(&format!("{}/v2/{}/tags/list?n={PER_PAGE}", name.base(), name.path()))?;
        let mut tags = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            let answer = self.get(name, keyring, Method::GET, url.clone(), "application/json", PAGE).await?;
            tags.extend(document::tags(&answer.body)?);
            if tags.len() > MOST_TAGS {
                return Err(Why::TooMuch("more than 100,000 tags"));
            }
            let Some(next) = answer.header(LINK).and_then(next) else { return Ok(tags.into_iter().collect()) };
            let wrong = || Why::Wrong("the next page of tags is somewhere else".to_owned());
            let next = resolve(&url, next).filter(|next| next.authority() == url.authority()).ok_or_else(wrong)?;
            if next == url {
                return Err(Why::Wrong("a page of tags is followed by itself".to_owned()));
            }
            url = next;
        }
        Err(Why::TooMuch("more pages of tags than anybody has"))
    }

    async fn head(&self, name: &Name, tag: &str, keyring: &Keyring) -> Result<String, Why> {
        let url = address(&format!("{}/v2/{}/manifests/{tag}", name.base(), name.path()))?;
        let answer = self.get(name, keyring, Method::HEAD, url.clone(), ACCEPT, DOCUMENT).await?;
        match answer.header(DIGEST).filter(|digest| document::is_digest(digest)) {
            Some(digest) => Ok(digest.to_owned()),
            None => {
                let answer = self.get(name, keyring, Method::GET, url, ACCEPT, DOCUMENT).await?;
                Ok(document::digest(&answer.body))
            }
        }
    }

    async fn describe(&self, name: &Name, tag: &str, keyring: &Keyring) -> Result<Image, Why> {
        let (digest, mut manifest) = self.manifest(name, tag, keyring).await?;
        if let Manifest::Index { ours } = &manifest {
            let ours = ours.as_deref().ok_or(Why::NoPlatform)?;
            manifest = self.manifest(name, ours, keyring).await?.1;
        }
        let Manifest::Image { config } = manifest else {
            return Err(Why::Wrong("an index names another index".to_owned()));
        };
        let url = address(&format!("{}/v2/{}/blobs/{config}", name.base(), name.path()))?;
        let answer = self.get(name, keyring, Method::GET, url, "*/*", DOCUMENT).await?;
        if document::digest(&answer.body) != config {
            return Err(Why::Wrong("a configuration is not what its digest says".to_owned()));
        }
        document::image(digest, config, &answer.body)
    }

    /// A manifest by tag or digest, and its digest.
    async fn manifest(&self, name: &Name, reference: &str, keyring: &Keyring) -> Result<(String, Manifest), Why> {
        let url = address(&format!("{}/v2/{}/manifests/{reference}", name.base(), name.path()))?;
        let answer = self.get(name, keyring, Method::GET, url, ACCEPT, DOCUMENT).await?;
        let digest = document::digest(&answer.body);
        let said = answer.header(DIGEST).filter(|said| document::is_digest(said));
        let by_digest = Some(reference).filter(|reference| reference.contains(':'));
        let manifest = document::manifest(&answer.body)?;
        if said.into_iter().chain(by_digest).any(|said| said != digest) {
            return Err(Why::Wrong("a manifest is not what its digest says".to_owned()));
        }
        Ok((digest, manifest))
    }

    /// Asks until there is an answer that says what was asked for.
    async fn get(
        &self,
        name: &Name,
        keyring: &Keyring,
        method: Method,
        url: Uri,
        accept: &'static str,
        most: usize,
    ) -> Result<Answer, Why> {
        let mut tries = 0;
        loop {
            let ask = Ask { method: method.clone(), url: url.clone(), accept, authorization: None, form: None, most };
            match self.let_in(name, keyring, ask).await {
                Err(why) if why.may_pass() && tries + 1 < self.options.tries => {
                    let mut random = [0];
                    // Without a random number all wait equally long, and no harm is done.
                    let _ = getrandom::fill(&mut random);
                    let pause = wait::backoff(tries, self.options.backoff, f64::from(random[0]) / 255.0);
                    tokio::time::sleep(pause).await;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    /// Asks once, and once more with what is wanted to let us in.
    async fn let_in(&self, name: &Name, keyring: &Keyring, mut ask: Ask) -> Result<Answer, Why> {
        let now = Timestamp::now();
        if let Some(&until) = lock(&self.limited).get(name.host()).filter(|until| **until > now) {
            return Err(Why::RateLimited { until });
        }
        let key = (name.to_string(), user(keyring.find(name).as_ref()));
        let known = lock(&self.passes).get(&key).filter(|(_, until)| *until > now).map(|(pass, _)| pass.clone());
        ask.authorization = known;
        let answer = self.http.ask(ask.clone()).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return self.judge(name, answer);
        }
        let challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let Some(challenge) = challenge::parse(challenges) else {
            return Err(if answer.is_html() { Why::NotRegistry("HTML came back") } else { Why::NoCredentials });
        };
        let login = self.login(name, keyring).await?;
        let (pass, seconds) = self.pass(name, &ask.url, challenge, login.as_ref()).await?;
        ask.authorization = Some(pass.clone());
        let answer = self.http.ask(ask).await?;
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(if login.is_some() { Why::Unauthorized } else { Why::NoCredentials });
        }
        // A little early, so that none ends on its way.
        let until = now.checked_add(SignedDuration::from_secs(seconds - 10)).unwrap_or(now);
        let mut passes = lock(&self.passes);
        if passes.len() >= MOST_TOKENS {
            passes.retain(|_, (_, until)| *until > now);
        }
        if passes.len() < MOST_TOKENS {
            passes.insert(key, (pass, until));
        }
        drop(passes);
        self.judge(name, answer)
    }

    async fn login(&self, name: &Name, keyring: &Keyring) -> Result<Option<Login>, Why> {
        match keyring.find(name) {
            Some(Found::Login(login)) => Ok(Some(login.clone())),
            Some(Found::Helper { name, server }) if self.options.helpers => helper::ask(name, &server).await,
            Some(Found::Helper { .. }) | None => Ok(None),
        }
    }

    /// The header that lets us in, and for how many seconds.
    async fn pass(
        &self,
        name: &Name,
        asked: &Uri,
        challenge: Challenge,
        login: Option<&Login>,
    ) -> Result<(String, i64), Why> {
        const AS_LONG_AS_ANY: i64 = 3600;
        let Challenge::Bearer { realm, service, scope } = challenge else {
            return login.map(|login| (login.basic(), AS_LONG_AS_ANY)).ok_or(Why::NoCredentials);
        };
        let realm = address(&realm).map_err(|_| Why::Wrong("its tokens come from what is no address".to_owned()))?;
        check(&realm)?;
        let near = |url: &Uri| url.authority().is_some_and(|host| is_loopback(host.as_str()));
        if near(&realm) && !near(asked) {
            return Err(Why::NotAllowed("a registry elsewhere sends us to this machine for tokens"));
        }
        // More than looking is never asked for, whatever the registry names.
        let looking = format!("repository:{}:pull", name.path());
        let scope = if scope.is_empty() || scope.starts_with("repository:") { looking } else { scope };
        let ask = token_request(&realm, &service, &scope, login)?;
        let answer = self.http.ask(ask).await?;
        if matches!(answer.status.as_u16(), 400 | 401 | 403 | 404) {
            return Err(if login.is_some() { Why::Unauthorized } else { Why::NoCredentials });
        }
        let (token, seconds) = document::token(&self.judge(name, answer)?.body)?;
        Ok((format!("Bearer {token}"), seconds))
    }

    /// What an answer means.
    fn judge(&self, name: &Name, answer: Answer) -> Result<Answer, Why> {
        let status = answer.status;
        if status.is_success() {
            return if answer.is_html() { Err(Why::NotRegistry("HTML came back")) } else { Ok(answer) };
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let until = wait::until(answer.header(RETRY_AFTER), Timestamp::now());
            lock(&self.limited).insert(name.host().to_owned(), until);
            return Err(Why::RateLimited { until });
        }
        let (code, message) = document::refusal(&answer.body);
        Err(match (status.as_u16(), code.as_str()) {
            (401 | 403, _) => Why::NoCredentials,
            (404, "NAME_UNKNOWN") => Why::NoRepository,
            (404, "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN") => Why::NoImage,
            (404, _) if answer.is_html() => Why::NotRegistry("HTML came back"),
            (404, _) => Why::NoImage,
            (300..=399, _) => Why::Wrong(format!("{status} without an address")),
            (400..=499, _) => Why::Wrong(if message.is_empty() { status.to_string() } else { message }),
            _ => Why::Failed(if message.is_empty() { status.to_string() } else { message }),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(text: &str) -> Result<Uri, Why> {
    text.parse().map_err(|_| Why::Wrong(format!("`{}` is no address", document::short(text))))
}

/// Whose credentials are used: a pass of one is none of another.
fn user(found: Option<&Found<'_>>) -> String {
    match found {
        None => String::new(),
        Some(Found::Helper { name, .. }) => format!("helper {name}"),
        // The digest, because the same name may have several passwords.
        Some(Found::Login(login)) => document::digest(format!("{login:?}{}", login.basic()).as_bytes()),
    }
}

fn token_request(realm: &Uri, service: &str, scope: &str, login: Option<&Login>) -> Result<Ask, Why> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("service", service).append_pair("scope", scope);
    let ask = |method, url, authorization, form| Ask {
        method,
        url,
        accept: "application/json",
        authorization,
        form,
        most: TOKEN,
    };
    if let Some(identity) = login.and_then(|login| login.identity.as_ref()) {
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", identity);
        form.append_pair("client_id", "foredeck");
        return Ok(ask(Method::POST, realm.clone(), None, Some(form.finish())));
    }
    let text = realm.to_string();
    let sign = if text.contains('?') { '&' } else { '?' };
    let url = address(&format!("{text}{sign}{}", form.finish()))?;
    Ok(ask(Method::GET, url, login.map(Login::basic), None))
}

/// The address of the next page in a `Link` header.
fn next(link: &str) -> Option<&str> {
    link.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| {
            let (key, value) = parameter.split_once('=').unwrap_or_default();
            key.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        };
        parameters.split(';').any(is_next).then_some(address)
    })
}

impl Registry for Remote {
    fn holds(&self, _: &Name) -> bool {
        true
    }

    fn is_near(&self) -> bool {
        false
    }

    fn tags<'a>(&'a self, name: &'a Name, keyring: &'a Keyring) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        async move {
            let tags = self.list(name, keyring).await;
            // Where there is no list there is no repository.
            tags.map_err(|why| if why == Why::NoImage { Why::NoRepository } else { why }.of(name))
        }
        .boxed()
    }

    fn digest<'a>(
        &'a self,
        name: &'a Name,
        tag: &'a str,
        keyring: &'a Keyring,
    ) -> BoxFuture<'a, Result<String, Error>> {
        async move { self.head(name, tag, keyring).await.map_err(|why| why.of(format_args!("{name}:{tag}"))) }.boxed()
    }

    fn image<'a>(&'a self, name: &'a Name, tag: &'a str, keyring: &'a Keyring) -> BoxFuture<'a, Result<Image, Error>> {
        async move { self.describe(name, tag, keyring).await.map_err(|why| why.of(format_args!("{name}:{tag}"))) }
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read() {
        for (link, expected) in [
            ("</v2/x?n=1&last=a>; rel=\"next\"", Some("/v2/x?n=1&last=a")),
            ("<a>; rel=prev, <b>; title=x; REL=Next", Some("b")),
            ("<a>; rel=\"prev\"", None),
            ("a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next(link), expected, "{link}");
        }
    }

    #[test]
    fn tokens_are_asked_for_with_what_there_is() {
        let realm: Uri = "https://auth.example/token?a=b".parse().unwrap();
        let ask = token_request(&realm, "s p", "repository:a/b:pull", None).unwrap();
        assert_eq!(ask.url, "https://auth.example/token?a=b&service=s+p&scope=repository%3Aa%2Fb%3Apull");
        assert_eq!((ask.method, ask.authorization), (Method::GET, None));
        let mut login = Login { user: "u".into(), password: "p".into(), identity: None };
        let ask = token_request(&realm, "s", "x", Some(&login)).unwrap();
        assert_eq!(ask.authorization.as_deref(), Some("Basic dTpw"));
        login.identity = Some("i".into());
        let ask = token_request(&realm, "s", "x", Some(&login)).unwrap();
        assert_eq!((ask.method, ask.authorization), (Method::POST, None));
        assert!(ask.form.is_some_and(|form| form.contains("refresh_token=i")));
    }
}
