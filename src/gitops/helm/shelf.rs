//! Charts that are at hand without a network, under the names of the repositories that they come from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::helm::version::{Constraint, Version};
use crate::helm::{Chart, Error, archive};

/// A chart in one version.
#[derive(Debug, Clone)]
struct Item {
    chart: Chart,
    archive: Vec<u8>,
}

/// Charts and the addresses that they are found under.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// By name; the newest last.
    charts: BTreeMap<String, Vec<Item>>,
    addresses: Vec<String>,
}

/// Why there is no chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Nobody answers under that address.
    #[error(
        "looks like {0:?} is not a valid chart repository or cannot be reached: the embedded cluster has no network; it \
         knows {1}"
    )]
    Repository(String, String),
    /// There is no such chart.
    #[error("chart {name:?} not found in {address} repository; there are {known}")]
    Chart {
        /// Its name.
        name: String,
        /// Where it was looked for.
        address: String,
        /// What there is.
        known: String,
    },
    /// There is none in that version.
    #[error("chart {name:?} version {version:?} not found in {address} repository; there are {known}")]
    Version {
        /// Its name.
        name: String,
        /// The version that was asked for.
        version: String,
        /// Where it was looked for.
        address: String,
        /// What there is.
        known: String,
    },
}

impl Shelf {
    /// An empty one that is asked under these addresses.
    pub fn new(addresses: impl IntoIterator<Item = String>) -> Self {
        let addresses = addresses.into_iter().map(|address| plain(&address)).collect();
        Self { charts: BTreeMap::new(), addresses }
    }

    /// Puts a chart onto it.
    ///
    /// # Errors
    /// When the files are no chart.
    pub fn put(&mut self, files: BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
        let chart = Chart::load(files.clone())?;
        let archive = archive::pack(&chart.name, &files)?;
        let all = self.charts.entry(chart.name.clone()).or_default();
        all.retain(|item| item.chart.version != chart.version);
        all.push(Item { chart, archive });
        all.sort_by_cached_key(|item| Version::parse(&item.chart.version));
        Ok(())
    }

    /// Whether an address is one of its own.
    pub fn answers(&self, address: &str) -> bool {
        self.addresses.contains(&plain(address))
    }

    /// The newest chart of a name whose version fits; an empty version is any that is no pre-release.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, address: &str, name: &str, version: &str) -> Result<&Chart, Missing> {
        if !self.answers(address) {
            return Err(Missing::Repository(address.to_owned(), self.addresses.join(", ")));
        }
        let address = || address.trim_end_matches('/').to_owned();
        let Some(all) = self.charts.get(name) else {
            let known = self.charts.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(Missing::Chart { name: name.to_owned(), address: address(), known });
        };
        let wanted = Constraint::parse(if version.is_empty() { "*" } else { version });
        let fits = |item: &&Item| {
            item.chart.version == version
                || matches!((&wanted, Version::parse(&item.chart.version)), (Some(wanted), Some(it)) if wanted.matches(&it))
        };
        all.iter().rev().find(fits).map(|item| &item.chart).ok_or_else(|| Missing::Version {
            name: name.to_owned(),
            version: version.to_owned(),
            address: address(),
            known: all.iter().map(|item| item.chart.version.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The archive of a file name in the index.
    pub fn archive(&self, file: &str) -> Option<&[u8]> {
        let mut all = self.charts.values().flatten();
        all.find(|item| file_name(&item.chart) == file).map(|item| item.archive.as_slice())
    }

    /// `index.yaml` of a chart repository, which names archives that are beside it.
    pub fn index(&self) -> String {
        let entry = |item: &Item| {
            let mut entry = item.chart.metadata.clone();
            entry["urls"] = json!([file_name(&item.chart)]);
            let digest: String = Sha256::digest(&item.archive).iter().map(|byte| format!("{byte:02x}")).collect();
            entry["digest"] = json!(digest);
            entry["created"] = json!("2026-01-01T00:00:00Z");
            entry
        };
        let entries: serde_json::Map<String, Value> =
            self.charts.iter().map(|(name, all)| (name.clone(), all.iter().rev().map(entry).collect())).collect();
        let index = json!({"apiVersion": "v1", "generated": "2026-01-01T00:00:00Z", "entries": entries});
        crate::cluster::yaml::text(&index)
    }
}

fn file_name(chart: &Chart) -> String {
    format!("{}-{}.tgz", chart.name, chart.version)
}

fn plain(address: &str) -> String {
    address.trim().trim_end_matches('/').to_ascii_lowercase()
}
