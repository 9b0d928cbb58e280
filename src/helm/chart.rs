//! A chart as it is in its files.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::ignore::Ignore;
use super::{Error, archive};
use crate::cluster::object::text;
use crate::cluster::yaml;

/// Charts in charts.
const DEEPEST: usize = 8;

/// A chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Json,
    /// Its name; below another chart this may be an alias.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `values.yaml`.
    pub values: Map<String, Json>,
    /// `values.schema.json`.
    pub schema: Option<Json>,
    /// `templates/…`, by path.
    pub templates: BTreeMap<String, String>,
    /// The files of `crds/`.
    pub crds: BTreeMap<String, String>,
    /// All other files that are text.
    pub files: BTreeMap<String, String>,
    /// The charts in `charts/`.
    pub charts: Vec<Chart>,
}

impl Chart {
    /// Reads a chart from its files, whose paths begin in the chart's folder.
    ///
    /// # Errors
    /// When it is no chart.
    pub fn load(files: BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        Self::load_at(files, 0)
    }

    /// Reads a chart from an archive.
    ///
    /// # Errors
    /// When it is no chart.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Error> {
        Self::load(archive::unpack(bytes)?)
    }

    /// The files that it can be read from again.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        all.insert("Chart.yaml".to_owned(), yaml::text(&self.metadata).into_bytes());
        all.insert("values.yaml".to_owned(), yaml::text(&Json::Object(self.values.clone())).into_bytes());
        if let Some(schema) = &self.schema {
            all.insert("values.schema.json".to_owned(), schema.to_string().into_bytes());
        }
        for (path, text) in self.templates.iter().chain(&self.crds).chain(&self.files) {
            all.insert(path.clone(), text.clone().into_bytes());
        }
        for below in &self.charts {
            let folder = text(&below.metadata, &["name"]);
            all.extend(below.files().into_iter().map(|(path, bytes)| (format!("charts/{folder}/{path}"), bytes)));
        }
        all
    }

    fn load_at(mut files: BTreeMap<String, Vec<u8>>, depth: usize) -> Result<Self, Error> {
        if depth > DEEPEST {
            return Err(Error::Chart(format!("charts stand in each other more than {DEEPEST} levels deep")));
        }
        let ignore = files.get(".helmignore").map(|bytes| Ignore::read(&String::from_utf8_lossy(bytes)));
        let ignore = ignore.unwrap_or_default();
        files.retain(|path, _| !ignore.leaves_out(path));
        let metadata =
            files.remove("Chart.yaml").ok_or_else(|| Error::Chart("Chart.yaml file is missing".to_owned()))?;
        let metadata = read("Chart.yaml", &metadata)?;
        let mut chart = Self {
            name: text(&metadata, &["name"]).to_owned(),
            version: text(&metadata, &["version"]).to_owned(),
            metadata,
            ..Self::default()
        };
        for (field, value) in [("name", &chart.name), ("version", &chart.version)] {
            if value.is_empty() {
                return Err(Error::Chart(format!("validation: chart.metadata.{field} is required")));
            }
        }
        let mut below: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for (path, bytes) in files {
            if let Some(rest) = path.strip_prefix("charts/") {
                match rest.split_once('/') {
                    Some((name, _)) if name.starts_with(['_', '.']) => {}
                    Some((name, rest)) => {
                        drop(below.entry(name.to_owned()).or_default().insert(rest.to_owned(), bytes));
                    }
                    None if path.ends_with(".tgz") => {
                        chart.charts.push(Self::load_at(archive::unpack(&bytes)?, depth + 1)?);
                    }
                    None => {}
                }
                continue;
            }
            if path == "values.yaml" {
                chart.values = mapping("values.yaml", read("values.yaml", &bytes)?)?;
            } else if path == "values.schema.json" {
                let schema = serde_json::from_slice(&bytes);
                chart.schema = Some(schema.map_err(|error| Error::Chart(format!("values.schema.json: {error}")))?);
            } else if let Ok(text) = String::from_utf8(bytes) {
                let place = match path.split_once('/') {
                    Some(("templates", _)) => &mut chart.templates,
                    Some(("crds", _)) => &mut chart.crds,
                    _ => &mut chart.files,
                };
                place.insert(path, text);
            }
        }
        for (folder, files) in below {
            let named = |error| Error::Chart(format!("charts/{folder}: {error}"));
            chart.charts.push(Self::load_at(files, depth + 1).map_err(named)?);
        }
        Ok(chart)
    }
}

fn read(file: &str, bytes: &[u8]) -> Result<Json, Error> {
    yaml::value(&String::from_utf8_lossy(bytes)).map_err(|error| Error::Chart(format!("cannot load {file}: {error}")))
}

fn mapping(file: &str, value: Json) -> Result<Map<String, Json>, Error> {
    match value {
        Json::Object(map) => Ok(map),
        Json::Null => Ok(Map::new()),
        _ => Err(Error::Chart(format!("cannot load {file}: it is no mapping"))),
    }
}
