//! Where a cluster comes from, and how to get a client for it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use serde_json::Value;

use crate::diagnostic::closest;

use super::error::Error;
use super::folder::Folder;
use super::guard::{self, Allowed, Judgement, Refusal, Seen, Verdict};
use super::kubeconfig::{self, Chosen, Merged, Search, own};
use super::object;

/// The name kind gives a cluster when none is given.
const KIND_NAME: &str = "kind";
/// How long a server may take to answer the first question.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// More nodes are not looked at.
const NODES: usize = 20;

/// Where a cluster comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Provider {
    /// In this program.
    #[default]
    Embedded,
    /// A kind cluster.
    Kind {
        /// Its name.
        name: String,
    },
    /// A context of the user's kubeconfig.
    Context {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Provider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => out.write_str("embedded"),
            Self::Kind { name } if name == KIND_NAME => out.write_str("kind"),
            Self::Kind { name } => write!(out, "kind:{name}"),
            Self::Context { name } => write!(out, "context:{name}"),
        }
    }
}

impl FromStr for Provider {
    type Err = Error;

    fn from_str(asked: &str) -> Result<Self, Error> {
        let wrong = |why: &str, like: Option<String>| {
            Err(Error::Provider { asked: asked.to_owned(), why: why.to_owned(), like })
        };
        let (word, name) = match asked.split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (asked, None),
        };
        match (word, name) {
            ("embedded", None) => Ok(Self::Embedded),
            ("embedded", Some(_)) => wrong("there is only one embedded cluster", Some("embedded".to_owned())),
            ("kind", None) => Ok(Self::Kind { name: KIND_NAME.to_owned() }),
            ("kind", Some(name)) => match kind_name(name) {
                Ok(()) => Ok(Self::Kind { name: name.to_owned() }),
                Err(why) => wrong(why, None),
            },
            ("context", Some(name)) if !name.is_empty() => Ok(Self::Context { name: name.to_owned() }),
            ("context", _) => wrong("the context's name is missing, as in `context:NAME`", None),
            _ => {
                let dashed = asked.strip_prefix("kind-").filter(|name| kind_name(name).is_ok());
                let like = match (dashed, closest(word, ["embedded", "kind", "context"])) {
                    (Some(name), _) => Some(format!("kind:{name}")),
                    (None, Some(like)) => Some(name.map_or(like.to_owned(), |name| format!("{like}:{name}"))),
                    (None, None) => None,
                };
                wrong("nothing is called that", like)
            }
        }
    }
}

/// Whether kind, and docker, take a name.
fn kind_name(name: &str) -> Result<(), &'static str> {
    /// Node names, which are longer, must fit into a label.
    const LONGEST: usize = 49;
    if name.is_empty() {
        return Err("the kind cluster's name is empty");
    }
    if name.len() > LONGEST {
        return Err("the kind cluster's name is longer than 49 characters");
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    if !name.chars().all(plain) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err("a kind cluster's name is made of lower-case letters, digits, `-` and `.`");
    }
    Ok(())
}

/// What connecting to a cluster depends on.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The project's `.foredeck/`.
    pub folder: Folder,
    /// The user's kubeconfig files.
    pub search: Search,
    /// The contexts that the user's configuration allows.
    pub allowed: Vec<Allowed>,
    /// The user's configuration, to say what to write where.
    pub configuration: Option<PathBuf>,
}

/// A cluster that answers.
#[derive(Clone)]
pub struct Connected {
    /// The client.
    pub client: Client,
    /// The context and where it leads.
    pub chosen: Chosen,
    /// What the guard thinks of it.
    pub judgement: Judgement,
    /// What identifies the cluster: the uid of its namespace `kube-system`; empty when that may not be read.
    pub uid: String,
}

impl Connected {
    /// Whether it is still the same cluster behind the same address; to be asked before writing after a while.
    ///
    /// # Errors
    /// When it does not answer, or is another one.
    pub async fn check_same(&self) -> Result<(), Error> {
        let look = look(&self.client, &self.chosen).await?;
        if look.uid == self.uid {
            return Ok(());
        }
        let judgement = Judgement { verdict: Verdict::Confirm, because: "is not the cluster that it was before" };
        Err(foreign(&self.chosen, judgement, "connect to it again".to_owned()))
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Connected").field("chosen", &self.chosen).field("uid", &self.uid).finish_non_exhaustive()
    }
}

/// A context that may be touched as far as files can tell.
#[derive(Debug, Clone)]
pub struct Target {
    /// The entries it is made of.
    pub merged: Merged,
    /// The context.
    pub chosen: Chosen,
    /// What the guard thinks of it.
    pub judgement: Judgement,
    /// Whether the user's configuration has to name it; not for clusters that foredeck made or adopted itself.
    guarded: bool,
}

/// Finds the context of a provider and asks the guard.
///
/// # Errors
/// When there is none, or it may not be touched.
pub fn target(provider: &Provider, around: &Surroundings) -> Result<Target, Error> {
    match provider {
        Provider::Embedded => {
            let path = around.folder.embedded();
            let down = || Error::Down {
                cluster: "the embedded cluster".to_owned(),
                start: "foredeck cluster serve".to_owned(),
            };
            let (merged, chosen) = open(&path, down)?;
            if chosen.detour || !guard::is_loopback(&chosen.server) {
                return Err(Error::Forged { path, why: "its server is not on this machine".to_owned() });
            }
            let judgement = Judgement { verdict: Verdict::Allow, because: "is embedded" };
            Ok(Target { merged, chosen, judgement, guarded: false })
        }
        Provider::Kind { name } => {
            let path = around.folder.kind(name);
            let down = || Error::Down {
                cluster: format!("the kind cluster `{name}`"),
                start: format!("foredeck cluster up --cluster {provider}"),
            };
            let (merged, chosen) = open(&path, down)?;
            if chosen.context != format!("kind-{name}") {
                return Err(Error::Forged { path, why: format!("its context is `{}`", chosen.context) });
            }
            // On another machine's docker it may be anybody's.
            let guarded = guard::judge(&chosen.facts()).verdict != Verdict::Allow;
            checked(merged, chosen, around, guarded)
        }
        Provider::Context { name } => file_context(&around.search, Some(name), around),
    }
}

/// Finds a context in files that the user named, and asks the guard.
///
/// # Errors
/// When there is none, or it may not be touched.
pub fn file_context(search: &Search, name: Option<&str>, around: &Surroundings) -> Result<Target, Error> {
    let merged = kubeconfig::read(search)?;
    let chosen = merged.choose(name)?;
    checked(merged, chosen, around, true)
}

/// Finds a context in a kubeconfig that foredeck wrote somewhere else than into `.foredeck/`; the current one when none
/// is named.
///
/// # Errors
/// When it cannot be foredeck's, or leads to another machine and is not allowed.
pub fn own_file(path: &std::path::Path, name: Option<&str>, around: &Surroundings) -> Result<Target, Error> {
    // The user named it: it may be a link to where it is.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let (merged, current) = own::open(&path)?;
    let chosen = match name {
        Some(_) => merged.choose(name)?,
        None => current,
    };
    let guarded = chosen.detour || !guard::is_loopback(&chosen.server);
    checked(merged, chosen, around, guarded)
}

fn open(path: &std::path::Path, down: impl Fn() -> Error) -> Result<(Merged, Chosen), Error> {
    if !path.exists() {
        return Err(down());
    }
    own::open(path)
}

fn checked(merged: Merged, chosen: Chosen, around: &Surroundings, guarded: bool) -> Result<Target, Error> {
    let judgement = guard::judge(&chosen.facts());
    if guarded {
        permit(&chosen, judgement, around)?;
    }
    Ok(Target { merged, chosen, judgement, guarded })
}

/// Refuses a context unless the user's configuration allows it.
fn permit(chosen: &Chosen, judgement: Judgement, around: &Surroundings) -> Result<(), Error> {
    let Err(refusal) = guard::permit(&chosen.facts(), judgement.verdict, &around.allowed) else { return Ok(()) };
    let quoted = |text: &str| Value::from(text).to_string();
    let (name, server) = (quoted(&chosen.context), quoted(&chosen.server));
    let file = match &around.configuration {
        Some(path) => format!("`{}`", path.display()),
        None => "your own `foredeck/config.toml`".to_owned(),
    };
    let entry = if judgement.verdict == Verdict::Deny {
        format!("allow-contexts = [{{ name = {name}, server = {server} }}]")
    } else {
        format!("allow-contexts = [{name}]")
    };
    let hint = match refusal {
        Refusal::NoContext => "name a context, or use `--cluster embedded`".to_owned(),
        Refusal::OtherServer(listed) => format!("{file} allows it for {listed}, but it leads to {}", chosen.server),
        Refusal::NotListed => format!("if you mean it, write `{entry}` into {file}"),
        Refusal::NeedsServer => format!("its name alone does not do; if you mean it, write `{entry}` into {file}"),
    };
    Err(foreign(chosen, judgement, hint))
}

fn foreign(chosen: &Chosen, judgement: Judgement, refusal: String) -> Error {
    Error::Foreign { context: chosen.context.clone(), server: chosen.server.clone(), judgement, refusal }
}

/// Connects to a cluster that is there already.
///
/// # Errors
/// When it is not there, may not be touched, or does not answer.
pub async fn connect(provider: &Provider, around: &Surroundings) -> Result<Connected, Error> {
    connect_to(target(provider, around)?, around).await
}

/// Connects to a context and looks whether the cluster is what it says it is.
///
/// # Errors
/// When it may not be touched, or does not answer.
pub async fn connect_to(target: Target, around: &Surroundings) -> Result<Connected, Error> {
    let Target { merged, chosen, judgement, guarded } = target;
    let client = client(merged, &chosen).await?;
    let look = look(&client, &chosen).await?;
    let judgement = if guarded { guard::after_look(judgement, &chosen.facts(), &look.seen) } else { judgement };
    if guarded {
        permit(&chosen, judgement, around)?;
    }
    Ok(Connected { client, chosen, judgement, uid: look.uid })
}

async fn client(merged: Merged, chosen: &Chosen) -> Result<Client, Error> {
    let options = KubeConfigOptions { context: Some(chosen.context.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(merged.config, &options).await;
    let mut config = config.map_err(|error| unreachable(chosen, error))?;
    if guard::is_loopback(&chosen.server) && !chosen.detour {
        // `$HTTPS_PROXY` is for the world outside.
        config.proxy_url = None;
    }
    config.connect_timeout = Some(FIRST_ANSWER);
    Client::try_from(config).map_err(|error| unreachable(chosen, error))
}

fn unreachable(chosen: &Chosen, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Connect { context: chosen.context.clone(), server: chosen.server.clone(), source: error.into() }
}

/// What a look into a cluster showed.
struct Look {
    uid: String,
    seen: Seen,
}

async fn look(client: &Client, chosen: &Chosen) -> Result<Look, Error> {
    let ask = async {
        let namespace = get(client, "/api/v1/namespaces/kube-system".to_owned()).await?;
        let nodes = get(client, format!("/api/v1/nodes?limit={NODES}")).await?;
        Ok::<_, kube::Error>((namespace, nodes))
    };
    let answer = tokio::time::timeout(FIRST_ANSWER, ask).await;
    let (namespace, nodes) = match answer {
        Ok(answer) => answer.map_err(|error| unreachable(chosen, error))?,
        Err(_) => {
            return Err(Error::Timeout { what: format!("an answer from {}", chosen.server), limit: FIRST_ANSWER });
        }
    };
    let nodes = object::list(&nodes, &["items"]);
    let provider_ids = nodes.iter().map(|node| object::text(node, &["spec", "providerID"]).to_owned()).collect();
    let uid = object::text(&namespace, &["metadata", "uid"]).to_owned();
    Ok(Look { uid, seen: Seen { provider_ids, nodes: nodes.len() } })
}

/// An object or a list; null when the cluster does not let it be read or has none.
async fn get(client: &Client, path: String) -> Result<Value, kube::Error> {
    let request = hyper::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
    match client.request(request).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(Value::Null),
        answer => answer,
    }
}

#[cfg(test)]
mod tests;
