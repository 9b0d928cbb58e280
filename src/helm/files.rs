//! The other files of a chart, and the things with methods that templates are given.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use globset::GlobBuilder;
use serde_json::json;

use super::template::value::{Native, Value};
use crate::cluster::yaml;

/// Files that are neither templates nor anything else that Helm reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files(BTreeMap<String, String>);

impl Files {
    pub(crate) fn new(all: BTreeMap<String, String>) -> Self {
        Self(all)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    fn get(&self, path: &str) -> &str {
        self.0.get(path).map_or("", String::as_str)
    }

    fn glob(&self, pattern: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|error| error.to_string())?.compile_matcher();
        let fits = |(path, _): &(&String, &String)| glob.is_match(path);
        Ok(Self(self.0.iter().filter(fits).map(|(path, text)| (path.clone(), text.clone())).collect()))
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Native {
    /// Calls a method.
    ///
    /// # Errors
    /// When there is no such method, or it wants other arguments.
    pub(crate) fn method(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let text = || match arguments {
            [Value::Text(text)] => Ok(text.to_string()),
            _ => Err(format!("{name} wants one text")),
        };
        match (self, name) {
            (Self::ApiVersions(all), "Has") => text().map(|wanted| Value::Bool(all.contains(&wanted))),
            (Self::KubeVersion(version), "Version" | "GitVersion" | "String") => Ok(Value::text(version)),
            (Self::KubeVersion(version), "Major" | "Minor") => {
                let mut parts = version.trim_start_matches('v').split('.');
                let part = if name == "Major" { parts.next() } else { parts.nth(1) };
                Ok(Value::text(part.unwrap_or("")))
            }
            (Self::Files(files), "Get" | "GetBytes") => text().map(|path| Value::text(files.get(&path))),
            (Self::Files(files), "Lines") => {
                text().map(|path| Value::list(files.get(&path).lines().map(Value::text).collect()))
            }
            (Self::Files(files), "Glob") => {
                text().and_then(|pattern| files.glob(&pattern)).map(|found| Value::Native(Self::Files(Rc::new(found))))
            }
            (Self::Files(files), "AsConfig" | "AsSecrets") => {
                let mut all = json!({});
                for (path, text) in files.all() {
                    let value = if name == "AsConfig" { text.to_owned() } else { STANDARD.encode(text) };
                    all[base(path)] = json!(value);
                }
                let empty = files.0.is_empty();
                Ok(Value::text(if empty { String::new() } else { yaml::text(&all).trim_end_matches('\n').to_owned() }))
            }
            (Self::Files(files), path) if files.0.contains_key(path) => Ok(Value::text(files.get(path))),
            _ => Err(format!("can't evaluate field {name} in type {}", Value::Native(self.clone()).type_name())),
        }
    }
}
