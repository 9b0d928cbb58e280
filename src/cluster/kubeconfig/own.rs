//! Kubeconfig files that foredeck writes itself: for its owner alone, whole or not at all, never kubectl's own.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, Kubeconfig};

use super::{Chosen, Merged, Search, default_file, read};
use crate::cluster::error::Error;

/// How every file of ours begins; only such files are replaced.
const MARK: &str = "# Written by foredeck";
const MADE: &str = "# Written by foredeck, which made this cluster.";
const ADOPTED: &str = "# Written by foredeck, which did not make this cluster.";

/// A cluster to write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the context, of the cluster and of the user.
    pub name: String,
    /// The server's address.
    pub server: String,
    /// The certificates to trust, as PEM.
    pub authority: Option<String>,
    /// The bearer token.
    pub token: Option<String>,
    /// The namespace that counts when none is given.
    pub namespace: Option<String>,
}

/// The text of a kubeconfig with these clusters; the first is the current one.
pub fn text(entries: &[Entry]) -> String {
    let mut clusters = String::new();
    let mut contexts = String::new();
    let mut users = String::new();
    for entry in entries {
        let name = quoted(&entry.name);
        clusters += &format!("- name: {name}\n  cluster:\n    server: {}\n", quoted(&entry.server));
        if let Some(authority) = &entry.authority {
            clusters += &format!("    certificate-authority-data: {}\n", STANDARD.encode(authority));
        }
        contexts += &format!("- name: {name}\n  context:\n    cluster: {name}\n    user: {name}\n");
        if let Some(namespace) = &entry.namespace {
            contexts += &format!("    namespace: {}\n", quoted(namespace));
        }
        match &entry.token {
            Some(token) => users += &format!("- name: {name}\n  user:\n    token: {}\n", quoted(token)),
            None => users += &format!("- name: {name}\n  user: {{}}\n"),
        }
    }
    let current = quoted(entries.first().map_or("", |entry| &entry.name));
    format!(
        "{MARK}.\napiVersion: v1\nkind: Config\ncurrent-context: {current}\nclusters:\n{clusters}contexts:\n{contexts}\
         users:\n{users}"
    )
}

/// The text of a kubeconfig that only says which context is the current one, to stand before others in `$KUBECONFIG`.
pub fn pointer(context: &str) -> String {
    format!("{MARK}.\napiVersion: v1\nkind: Config\ncurrent-context: {}\n", quoted(context))
}

/// A text in YAML's double quotes, which read the same for every parser.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => out += &format!("\\U{:08X}", u32::from(c)),
        }
    }
    out.push('"');
    out
}

/// The text of a kubeconfig that kind printed, marked as ours; and whether foredeck made the cluster.
pub fn adopted(text: &str, made: bool) -> String {
    format!("{}\n{text}", if made { MADE } else { ADOPTED })
}

/// Whether a text says that foredeck made its cluster.
pub fn says_made(text: &str) -> bool {
    text.lines().next() == Some(MADE)
}

/// Writes a kubeconfig, readable for its owner alone, and puts it in its place at once.
///
/// # Errors
/// When the place belongs to somebody else, or cannot be written.
pub fn write(path: &Path, text: &str, home: Option<&Path>) -> Result<(), Error> {
    check(path, home)?;
    let failed = |source| Error::Write { path: path.to_path_buf(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| failed(std::io::Error::other(error)))?;
    let temporary = folder.join(format!(".{name}.{:016x}.tmp", u64::from_ne_bytes(random)));
    let written = private(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        // The name itself is replaced, so that a link put there meanwhile leads nowhere.
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        failed(error)
    })
}

fn private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether a kubeconfig may be written there.
///
/// # Errors
/// Why not.
pub fn check(path: &Path, home: Option<&Path>) -> Result<(), Error> {
    let refused = |why| Err(Error::Protected { path: path.to_path_buf(), why });
    let Some(name) = path.file_name() else { return refused("it is no file") };
    let real = real(path.parent().unwrap_or(Path::new(""))).join(name);
    let default = home.map(default_file);
    let defaults = [default.as_deref().map(real_file), default];
    if real.ends_with(".kube/config") || defaults.iter().flatten().any(|default| *default == real) {
        return refused("it is kubectl's own file");
    }
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if metadata.is_symlink() {
        return refused("it is a link to another file");
    }
    if !metadata.is_file() {
        return refused("it is no file");
    }
    if metadata.len() > 0 && !is_ours(path) {
        return refused("it is there already, and foredeck did not make it");
    }
    Ok(())
}

/// Whether a file was written by foredeck.
pub fn is_ours(path: &Path) -> bool {
    use std::io::Read as _;

    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MARK.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == MARK.as_bytes()
}

/// A folder without links in its path, also when its last parts do not exist yet.
fn real(folder: &Path) -> PathBuf {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    for ancestor in folder.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            let rest = folder.strip_prefix(ancestor).unwrap_or(Path::new(""));
            // `..` behind a folder that does not exist cannot lead anywhere yet.
            return rest.components().fold(real, |mut path, part| {
                if part == std::path::Component::ParentDir {
                    path.pop();
                } else {
                    path.push(part);
                }
                path
            });
        }
    }
    folder
}

fn real_file(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = real(path.parent().unwrap_or(Path::new("")));
        folder.join(path.file_name().unwrap_or_default())
    })
}

/// Reads a kubeconfig of ours. It lies in the project's folder, so it may come from a stranger with the deck: it must
/// hold nothing that runs a program, reads a file or goes through another host.
///
/// # Errors
/// When it is not there, or cannot be ours.
pub fn open(path: &Path) -> Result<(Merged, Chosen), Error> {
    let forged = |why: &str| Err(Error::Forged { path: path.to_path_buf(), why: why.to_owned() });
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if metadata.is_symlink() {
            return forged("it is a link to another file");
        }
        if !is_mine(&metadata) {
            return forged("it belongs to another user");
        }
        if metadata.is_file() && !is_ours(path) {
            return forged("it does not say so");
        }
    }
    let merged = read(&Search::file(path))?;
    if let Some(why) = foreign(&merged.config) {
        return forged(why);
    }
    let chosen = merged.current()?;
    Ok((merged, chosen))
}

/// Whether a file or folder belongs to whoever runs this program.
#[cfg(unix)]
pub fn is_mine(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::getuid().as_raw()
}

/// Whether a file or folder belongs to whoever runs this program.
#[cfg(not(unix))]
pub fn is_mine(_: &std::fs::Metadata) -> bool {
    true
}

/// What foredeck, and kind, never write.
fn foreign(config: &Kubeconfig) -> Option<&'static str> {
    for named in &config.clusters {
        let Some(cluster) = &named.cluster else { return Some("a cluster is empty") };
        if cluster.certificate_authority.is_some() {
            return Some("it names a file");
        }
        if cluster.proxy_url.is_some() || cluster.tls_server_name.is_some() {
            return Some("it goes through another host");
        }
        if cluster.insecure_skip_tls_verify.is_some() {
            return Some("it trusts any server");
        }
        if !cluster.other.is_empty() {
            return Some("it has unknown settings");
        }
    }
    config.auth_infos.iter().find_map(|named| foreign_user(named.auth_info.as_ref()?))
}

fn foreign_user(user: &AuthInfo) -> Option<&'static str> {
    if user.exec.is_some() || user.auth_provider.is_some() {
        return Some("it runs a program");
    }
    if user.token_file.is_some() || user.client_certificate.is_some() || user.client_key.is_some() {
        return Some("it names a file");
    }
    if user.impersonate.is_some() || user.username.is_some() || user.password.is_some() || !user.other.is_empty() {
        return Some("it has unknown settings");
    }
    None
}

#[cfg(test)]
mod tests;
