//! Chart repositories over HTTP on this machine: an index, and archives that it names with their digests.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::cluster::object::{at, list, text};
use crate::cluster::yaml;
use crate::helm::Chart;
use crate::helm::version::{Constraint, Version};
use crate::net::ask::{Load, load};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How large an index and an archive may be.
const INDEX: usize = 16 << 20;
const ARCHIVE: usize = 16 << 20;
/// How long an index is believed.
const FRESH: Duration = Duration::from_secs(20);
/// Indexes and charts that are kept.
const MOST: usize = 32;

/// Who asks a repository.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    header: String,
    /// Archives on other hosts are asked with it, too.
    everywhere: bool,
}

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Login")
    }
}

impl Login {
    /// The user and password of a Secret.
    pub(super) fn of(secret: &Value, everywhere: bool) -> Option<Self> {
        let plain = |field: &str| {
            let coded = at(secret, &["data", field])?.as_str()?;
            String::from_utf8(STANDARD.decode(coded).ok()?).ok()
        };
        let pair = format!("{}:{}", plain("username")?, plain("password")?);
        Some(Self { header: format!("Basic {}", STANDARD.encode(pair)), everywhere })
    }
}

/// Whether an address is one of this machine, over HTTP.
pub(super) fn is_near(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or("").trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    matches!(url.scheme_str(), Some("http" | "https")) && is_loopback
}

type Indexes = BTreeMap<(String, String), (Instant, Arc<Value>)>;

/// What came from repositories.
#[derive(Debug, Clone, Default)]
pub struct Downloads {
    indexes: Arc<Mutex<Indexes>>,
    /// Charts by their digests.
    charts: Arc<Mutex<BTreeMap<String, Chart>>>,
}

impl Downloads {
    /// The newest chart of a name whose version fits.
    pub(super) async fn find(
        &self,
        url: &str,
        name: &str,
        version: &str,
        login: Option<&Login>,
    ) -> Result<Chart, String> {
        let base = url.trim_end_matches('/');
        let index = self.index(base, login).await?;
        let entry = choose(&index, base, name, version)?;
        let digest = text(entry, &["digest"]).trim_start_matches("sha256:").to_ascii_lowercase();
        let known = self.charts.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some(chart) = known.filter(|_| !digest.is_empty()) {
            return Ok(chart);
        }
        let named = list(entry, &["urls"]).first().and_then(Value::as_str).unwrap_or("");
        let archive = place(base, named).ok_or_else(|| format!("chart {name:?} has no downloadable URLs in {base}"))?;
        let login = login.filter(|login| login.everywhere || origin(&archive) == origin(base));
        let bytes = fetch(&archive, ARCHIVE, login).await?;
        let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if !digest.is_empty() && digest != found {
            return Err(format!("digest mismatch of {archive}: the index says {digest}, it is {found}"));
        }
        let chart = Chart::unpack(&bytes).map_err(|error| format!("{archive}: {error}"))?;
        if chart.name != name {
            return Err(format!("{archive} is the chart {:?}, not {name:?}", chart.name));
        }
        let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
        while charts.len() >= MOST && charts.pop_first().is_some() {}
        charts.insert(found, chart.clone());
        Ok(chart)
    }

    async fn index(&self, base: &str, login: Option<&Login>) -> Result<Arc<Value>, String> {
        let key = (base.to_owned(), login.map(|login| login.header.clone()).unwrap_or_default());
        let known = self.indexes.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, index)) = known.filter(|(since, _)| since.elapsed() < FRESH) {
            return Ok(index);
        }
        let address = format!("{base}/index.yaml");
        let bytes = fetch(&address, INDEX, login).await?;
        let index = yaml::value(&String::from_utf8_lossy(&bytes));
        let index = index.map_err(|error| format!("{base} is no chart repository: its index.yaml: {error}"))?;
        if at(&index, &["entries"]).is_none() {
            return Err(format!("{base} is no chart repository: its index.yaml has no entries"));
        }
        let index = Arc::new(index);
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        while indexes.len() >= MOST && indexes.pop_first().is_some() {}
        indexes.insert(key, (Instant::now(), index.clone()));
        Ok(index)
    }
}

/// The entry of an index.
fn choose<'a>(index: &'a Value, base: &str, name: &str, version: &str) -> Result<&'a Value, String> {
    let all = list(index, &["entries", name]);
    if all.is_empty() {
        return Err(format!("chart {name:?} not found in {base} repository"));
    }
    let wanted = Constraint::parse(if version.is_empty() { "*" } else { version });
    let parsed = |entry: &Value| Version::parse(text(entry, &["version"]));
    let exact = all.iter().find(|entry| text(entry, &["version"]) == version);
    let fits = |entry: &&Value| matches!((&wanted, parsed(entry)), (Some(wanted), Some(it)) if wanted.matches(&it));
    let newest = || all.iter().filter(fits).max_by_key(|entry| parsed(entry));
    exact.or_else(newest).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|entry| text(entry, &["version"])).take(10).collect();
        format!("chart {name:?} version {version:?} not found in {base} repository; there are {}", known.join(", "))
    })
}

/// An address in an index, which may be seen from the index itself.
fn place(base: &str, named: &str) -> Option<String> {
    if named.starts_with("http://") || named.starts_with("https://") {
        // What is not on this machine cannot be reached.
        return Some(named.to_owned());
    }
    if named.is_empty() || named.contains("://") {
        return None;
    }
    match named.strip_prefix('/') {
        Some(path) => Some(format!("{}/{path}", origin(base)?)),
        None => Some(format!("{base}/{named}")),
    }
}

/// `http://127.0.0.1:8080`.
fn origin(url: &str) -> Option<String> {
    let url = url.parse::<http::Uri>().ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
}

async fn fetch(url: &str, most: usize, login: Option<&Login>) -> Result<bytes::Bytes, String> {
    if !is_near(url) {
        return Err(format!("{url} cannot be reached: the embedded cluster asks repositories on this machine alone"));
    }
    let authorization = login.map(|login| login.header.clone());
    let (status, bytes) = load(Load { url, authorization, limit: LIMIT, most })
        .await
        .map_err(|why| format!("{url} cannot be reached: {why}"))?;
    match status {
        200 => Ok(bytes),
        401 | 403 => Err(format!("{url} is not for us ({status}): give the HelmRepository a secretRef")),
        300..=399 => Err(format!("{url} sends us elsewhere, which is not followed here")),
        _ => Err(format!("failed to fetch {url} : {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_and_addresses_of_an_index() {
        let entry = |version: &str| json!({"version": version, "urls": ["a.tgz"]});
        let index = json!({"entries": {"web": [entry("1.2.0"), entry("1.10.0"), entry("2.0.0-rc.1"), entry("odd")]}});
        let found = |version: &str| {
            choose(&index, "http://localhost", "web", version).map(|entry| text(entry, &["version"]).to_owned())
        };
        assert_eq!(found("").as_deref(), Ok("1.10.0"));
        assert_eq!(found("~1.2").as_deref(), Ok("1.2.0"));
        assert_eq!(found(">=2.0.0-0").as_deref(), Ok("2.0.0-rc.1"));
        assert_eq!(found("odd").as_deref(), Ok("odd"));
        assert!(found("9").unwrap_err().contains("1.10.0"));
        assert!(choose(&index, "http://localhost", "none", "").unwrap_err().contains("not found"));
        let base = "http://127.0.0.1:8080/charts";
        assert_eq!(place(base, "web-1.tgz").as_deref(), Some("http://127.0.0.1:8080/charts/web-1.tgz"));
        assert_eq!(place(base, "/web-1.tgz").as_deref(), Some("http://127.0.0.1:8080/web-1.tgz"));
        assert_eq!(place(base, "http://localhost/x.tgz").as_deref(), Some("http://localhost/x.tgz"));
        assert_eq!(place(base, "file:///etc/passwd"), None);
        assert!(is_near("http://localhost:1/a") && is_near("https://[::1]/") && is_near("http://127.9.9.9"));
        assert!(
            !is_near("http://example.com") && !is_near("oci://127.0.0.1/a") && !is_near("http://127.0.0.1.example.com")
        );
    }
}
