//! Kubeconfig files of others: found, read, merged as kubectl does, and a context of them chosen by name.

pub mod own;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kube::config::Kubeconfig;

use crate::diagnostic::closest;

use super::error::{Error, Unreadable};
use super::guard::{self, Facts};

/// No kubeconfig is larger.
const MOST_MIB: u64 = 8;

/// Which files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The files, strongest first.
    pub files: Vec<PathBuf>,
    /// Whether they have to be there.
    required: bool,
}

impl Search {
    /// Where kubectl looks: `$KUBECONFIG`, else `~/.kube/config`.
    pub fn standard(kubeconfig: Option<&OsStr>, home: Option<&Path>) -> Self {
        let named = kubeconfig.into_iter().flat_map(std::env::split_paths);
        let mut files: Vec<_> = named.filter(|path| !path.as_os_str().is_empty()).collect();
        if files.is_empty() {
            files.extend(home.map(default_file));
        }
        Self { files, required: false }
    }

    /// This file and no other.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { files: vec![path.into()], required: true }
    }

    fn places(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|path| format!("`{}`", path.display())).collect();
        names.join(", ")
    }
}

/// The file that belongs to kubectl, and that foredeck never writes.
pub fn default_file(home: &Path) -> PathBuf {
    home.join(".kube").join("config")
}

/// What the files say together.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The entries; the first file that has a name wins.
    pub config: Kubeconfig,
    places: String,
}

/// A context, chosen by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The context.
    pub context: String,
    /// Its cluster entry.
    pub cluster: String,
    /// The server's address.
    pub server: String,
    /// Whether a proxy or another host's certificate stands between.
    pub detour: bool,
    /// The namespace that counts when none is given.
    pub namespace: String,
}

impl Chosen {
    /// What the guard wants to know.
    pub fn facts(&self) -> Facts<'_> {
        Facts { context: &self.context, cluster: &self.cluster, server: &self.server, detour: self.detour }
    }
}

/// Reads and merges the files.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn read(search: &Search) -> Result<Merged, Error> {
    let mut merged = Kubeconfig::default();
    let mut found = false;
    for path in &search.files {
        match read_file(path) {
            Ok(config) => {
                let failed = |error: kube::config::KubeconfigError| Error::Read {
                    path: path.clone(),
                    source: Unreadable::Syntax(error.to_string()),
                };
                merged = merged.merge(config).map_err(failed)?;
                found = true;
            }
            Err(Unreadable::Io(error)) if error.kind() == std::io::ErrorKind::NotFound && !search.required => {}
            Err(source) => return Err(Error::Read { path: path.clone(), source }),
        }
    }
    if found {
        return Ok(Merged { config: merged, places: search.places() });
    }
    let why = match search.files.as_slice() {
        [] => "neither KUBECONFIG nor a home folder is set".to_owned(),
        [_] => format!("{} does not exist", search.places()),
        _ => format!("none of {} exists", search.places()),
    };
    Err(Error::NoKubeconfig { why })
}

fn read_file(path: &Path) -> Result<Kubeconfig, Unreadable> {
    let mut bytes = Vec::new();
    File::open(path)?.take((MOST_MIB << 20) + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_MIB << 20 {
        return Err(Unreadable::TooLarge(MOST_MIB));
    }
    let text = decode(bytes).ok_or(Unreadable::Binary)?;
    let mut config = parse(&text)?;
    if let Some(folder) = path.parent() {
        root_paths(&mut config, folder);
    }
    Ok(config)
}

/// UTF-8, or the UTF-16 that PowerShell writes.
fn decode(bytes: Vec<u8>) -> Option<String> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.get(2..)?.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => {
            let text = String::from_utf8(bytes).ok()?;
            Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
    }
}

/// Reads the text of a kubeconfig. Errors name the place, never the text: it may hold a token.
pub(super) fn parse(text: &str) -> Result<Kubeconfig, Unreadable> {
    let config = Kubeconfig::from_yaml(text).map_err(|error| {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or("");
        Unreadable::Syntax(first.rsplit_once("error: ").map_or(first, |(_, words)| words).to_owned())
    })?;
    once("contexts", config.contexts.iter().map(|named| &named.name))?;
    once("clusters", config.clusters.iter().map(|named| &named.name))?;
    once("users", config.auth_infos.iter().map(|named| &named.name))?;
    Ok(config)
}

/// kubectl refuses files in which a name is there twice; so nobody can disagree about which one is meant.
fn once<'a>(what: &'static str, names: impl Iterator<Item = &'a String>) -> Result<(), Unreadable> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Unreadable::Twice { what, name: name.clone() });
        }
    }
    Ok(())
}

/// Paths in a kubeconfig are relative to its folder.
fn root_paths(config: &mut Kubeconfig, folder: &Path) {
    let root = |path: &mut Option<String>| {
        if let Some(path) = path.as_mut().filter(|path| !path.is_empty() && Path::new(path).is_relative()) {
            *path = folder.join(&*path).to_string_lossy().into_owned();
        }
    };
    for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        root(&mut cluster.certificate_authority);
    }
    for user in config.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        root(&mut user.client_certificate);
        root(&mut user.client_key);
        root(&mut user.token_file);
        if let Some(exec) = &mut user.exec
            && exec.command.as_ref().is_some_and(|command| command.contains(std::path::MAIN_SEPARATOR))
        {
            root(&mut exec.command);
        }
    }
}

impl Merged {
    /// The contexts' names.
    pub fn names(&self) -> Vec<String> {
        self.config.contexts.iter().map(|named| named.name.clone()).collect()
    }

    /// The namespace of a context, of the current one when none is named; only for what is shown, never to choose a cluster.
    pub fn namespace(&self, name: Option<&str>) -> Option<String> {
        let name = name.or(self.config.current_context.as_deref())?;
        let named = self.config.contexts.iter().find(|named| named.name == name)?;
        named.context.as_ref()?.namespace.clone()
    }

    /// The context of a name. Without a name the only one there is: a current context is never taken for granted.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn choose(&self, name: Option<&str>) -> Result<Chosen, Error> {
        let names = self.names();
        let name = match (name, names.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, []) => return Err(Error::NoKubeconfig { why: format!("{} holds no context", self.places) }),
            (None, _) => return Err(Error::Ambiguous { places: self.places.clone(), known: names }),
        };
        self.named(name)
    }

    /// The current context: only for files that foredeck wrote itself.
    pub(super) fn current(&self) -> Result<Chosen, Error> {
        match &self.config.current_context {
            Some(name) if !name.is_empty() => self.named(name),
            _ => self.choose(None),
        }
    }

    fn named(&self, name: &str) -> Result<Chosen, Error> {
        let Some(context) = self.config.contexts.iter().find(|named| named.name == name) else {
            let known = self.names();
            let like = closest(name, known.iter().map(String::as_str)).map(str::to_owned);
            return Err(Error::NoContext { name: name.to_owned(), places: self.places.clone(), known, like });
        };
        let incomplete = |why: String| Error::Incomplete { context: name.to_owned(), why };
        let context = context.context.as_ref().ok_or_else(|| incomplete("it is empty".to_owned()))?;
        let cluster = self.config.clusters.iter().find(|named| named.name == context.cluster);
        let cluster = cluster.and_then(|named| named.cluster.as_ref());
        let cluster = cluster.ok_or_else(|| incomplete(format!("there is no cluster `{}`", context.cluster)))?;
        let server = cluster.server.clone().filter(|server| !server.is_empty());
        let user = context.user.as_deref().filter(|user| !user.is_empty());
        if let Some(user) = user
            && !self.config.auth_infos.iter().any(|named| named.name == user)
        {
            return Err(incomplete(format!("there is no user `{user}`")));
        }
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Ok(Chosen {
            context: name.to_owned(),
            cluster: context.cluster.clone(),
            server: server.ok_or_else(|| incomplete(format!("the cluster `{}` has no server", context.cluster)))?,
            detour: given(&cluster.proxy_url).is_some()
                || given(&cluster.tls_server_name).is_some_and(|name| !guard::is_loopback(&name)),
            namespace: given(&context.namespace).unwrap_or_else(|| "default".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests;
