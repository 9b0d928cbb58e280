//! Getting the chart that a release names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::hands::Hands;
use super::program::Program as Helm;
use super::repository;
use super::repository::{Downloads, Login};
use super::shelf::Shelf;
use super::wish::ChartPlace;
use crate::cluster::object::{Key, at, text};
use crate::gitops::git::tree::{Blob, EntryKind};
use crate::gitops::git::{Mirror, Program, Remote};
use crate::helm::Chart;

/// Where charts come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Charts at hand.
    pub shelf: Arc<Shelf>,
    /// The sandbox's own repository: its folder, and the branch that counts.
    pub repository: Option<(PathBuf, String)>,
    /// The `helm` program, where there is one: it renders charts then.
    pub helm: Option<Helm>,
    /// What came from repositories on this machine.
    pub downloads: Downloads,
}

const SOURCES: &str = "source.toolkit.fluxcd.io/v1";

/// The chart of a release.
pub(super) async fn fetch(hands: &Hands, sources: &Sources, place: &ChartPlace) -> Result<Chart, String> {
    match place {
        ChartPlace::Repository { url, name, version } => from_repository(sources, url, name, version, None).await,
        ChartPlace::Git { reference, path, .. } => from_git(sources, reference, path).await,
        ChartPlace::Source { kind, namespace, name, chart, version } => {
            let key = Key::new(namespace, name);
            let there = hands.get(SOURCES, kind, &key).await?;
            let Some(source) = there else { return Err(format!("{kind} {namespace}/{name} not found")) };
            if kind == "HelmChart" {
                let reference = |field: &str| text(&source, &["spec", "sourceRef", field]).to_owned();
                let (kind, name) = (reference("kind"), reference("name"));
                let there = hands.get(SOURCES, &kind, &Key::new(namespace, &name)).await?;
                let Some(inner) = there else { return Err(format!("{kind} {namespace}/{name} not found")) };
                let (chart, version) = (text(&source, &["spec", "chart"]), text(&source, &["spec", "version"]));
                return of_source(hands, sources, &kind, &inner, chart, version).await;
            }
            of_source(hands, sources, kind, &source, chart, version).await
        }
    }
}

async fn of_source(
    hands: &Hands,
    sources: &Sources,
    kind: &str,
    source: &Value,
    chart: &str,
    version: &str,
) -> Result<Chart, String> {
    let url = text(source, &["spec", "url"]);
    match kind {
        "HelmRepository" => {
            let login = login(hands, source).await?;
            from_repository(sources, url, chart, version, login).await
        }
        "OCIRepository" => {
            let (address, name) = url.rsplit_once('/').unwrap_or((url, ""));
            let reference = |field: &str| text(source, &["spec", "ref", field]).to_owned();
            let range = reference("semver");
            let version = if range.is_empty() { reference("tag") } else { range };
            from_repository(sources, address, name, &version, None).await
        }
        "GitRepository" => {
            let reference = at(source, &["spec", "ref"]).cloned().unwrap_or_default();
            let named = ["commit", "tag", "branch"].map(|field| text(&reference, &[field]));
            let named = named.into_iter().find(|name| !name.is_empty()).unwrap_or("");
            from_git(sources, named, chart).await
        }
        other => Err(format!("charts do not come from a {other}")),
    }
}

/// From the shelf; else from a repository on this machine, which is the only network that there is.
async fn from_repository(
    sources: &Sources,
    url: &str,
    name: &str,
    version: &str,
    login: Option<Login>,
) -> Result<Chart, String> {
    if sources.shelf.answers(url) || !repository::is_near(url) {
        return sources.shelf.find(url, name, version).cloned().map_err(|error| error.to_string());
    }
    sources.downloads.find(url, name, version, login.as_ref()).await
}

/// What a HelmRepository's Secret says of who asks.
async fn login(hands: &Hands, source: &Value) -> Result<Option<Login>, String> {
    let name = text(source, &["spec", "secretRef", "name"]);
    if name.is_empty() {
        return Ok(None);
    }
    let namespace = text(source, &["metadata", "namespace"]);
    let secret = hands.get("v1", "Secret", &Key::new(namespace, name)).await?;
    let secret = secret.ok_or_else(|| format!("failed to get secret '{namespace}/{name}': it does not exist"))?;
    let everywhere = at(source, &["spec", "passCredentials"]) == Some(&Value::Bool(true));
    Login::of(&secret, everywhere)
        .map(Some)
        .ok_or_else(|| format!("invalid '{namespace}/{name}' secret data: required fields 'username' and 'password'"))
}

/// From the sandbox's own repository, whatever address it goes by: there is no network to others.
async fn from_git(sources: &Sources, reference: &str, path: &str) -> Result<Chart, String> {
    let Some((dir, branch)) = &sources.repository else {
        return Err("charts in git are read from the demo's own repository only, and there is none".to_owned());
    };
    let reference = if reference.is_empty() { branch } else { reference };
    let remote = Remote::new(&dir.display().to_string(), branch);
    let mirror = Mirror::open(Program::default(), dir, remote).await.map_err(|error| error.to_string())?;
    let revision = mirror.resolve(reference).await.map_err(|error| error.to_string())?;
    let revision = revision.ok_or_else(|| format!("the repository has no {reference:?}"))?;
    let entries = mirror.list(&revision).await.map_err(|error| error.to_string())?;
    let folder = format!("{}/", path.trim_matches('/').trim_start_matches("./"));
    let within = entries.iter().filter(|entry| entry.kind == EntryKind::File);
    let within: Vec<(String, String)> =
        within.filter_map(|entry| Some((entry.path.strip_prefix(&folder)?.to_owned(), entry.blob.clone()))).collect();
    if within.is_empty() {
        return Err(format!("the repository has no chart in {path:?} at {reference}"));
    }
    let blobs: Vec<String> = within.iter().map(|(_, blob)| blob.clone()).collect();
    let read = mirror.read(&blobs).await.map_err(|error| error.to_string())?;
    let mut files = BTreeMap::new();
    for (path, blob) in within {
        if let Some(Blob::Bytes(bytes)) = read.get(&blob) {
            files.insert(path, bytes.to_vec());
        }
    }
    Chart::load(files).map_err(|error| error.to_string())
}
