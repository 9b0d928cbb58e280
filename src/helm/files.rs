//! The other files of a chart, and the things with methods that templates are given.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::json;

use super::functions::times;
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
        let glob = Regex::new(&as_regex(pattern)).map_err(|error| error.to_string())?;
        let fits = |(path, _): &(&String, &String)| glob.is_match(path);
        Ok(Self(self.0.iter().filter(fits).map(|(path, text)| (path.clone(), text.clone())).collect()))
    }
}

/// A pattern as a regular expression: `*` stays in a folder, `**` does not, `{a,b}` is either.
fn as_regex(pattern: &str) -> String {
    let (mut out, mut chars, mut open) = (String::from("(?s)^"), pattern.chars().peekable(), 0_usize);
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => out.push_str(".*"),
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => {
                open += 1;
                out.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                out.push(')');
            }
            ',' if open > 0 => out.push('|'),
            '[' => {
                let inner: String = chars.by_ref().take_while(|c| *c != ']').collect();
                let inner = inner.strip_prefix('!').map_or_else(|| inner.clone(), |rest| format!("^{rest}"));
                out.push_str(&format!("[{}]", inner.replace('\\', r"\\").replace('[', r"\[")));
            }
            '\\' => out.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out + "$"
}

/// What templates may know of the cluster.
#[derive(Debug)]
pub(crate) struct Capable {
    pub(crate) kube: Rc<str>,
    pub(crate) api_versions: Rc<Vec<String>>,
    pub(crate) helm: Value,
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Native {
    /// Calls a method; none when there is no such one.
    ///
    /// # Errors
    /// When it wants other arguments.
    pub(crate) fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        match self {
            Self::Files(files) => files.method(name, arguments),
            Self::Bytes(_) => None,
            Self::ApiVersions(all) => {
                (name == "Has").then(|| one(name, arguments).map(|wanted| Value::Bool(all.contains(&wanted))))
            }
            Self::KubeVersion(version) => {
                let mut parts = version.trim_start_matches('v').split('.');
                let part = match name {
                    "Version" | "GitVersion" | "String" => return Some(Ok(Value::text(version))),
                    "Major" => parts.next(),
                    "Minor" => parts.nth(1),
                    _ => return None,
                };
                Some(Ok(Value::text(part.unwrap_or(""))))
            }
            Self::Capabilities(all) => Some(Ok(match name {
                "KubeVersion" => Value::Native(Self::KubeVersion(all.kube.clone())),
                "APIVersions" => Value::Native(Self::ApiVersions(all.api_versions.clone())),
                "HelmVersion" => all.helm.clone(),
                _ => return None,
            })),
            Self::Semver(version) => version.method(name, arguments),
            Self::Time(time) => times::method(time, name, arguments),
        }
    }
}

fn one(name: &str, arguments: &[Value]) -> Result<String, String> {
    match arguments {
        [Value::Text(text)] => Ok(text.to_string()),
        [other] => Err(format!("wrong type for value; expected string; got {}", other.type_name())),
        all => Err(format!("wrong number of args for {name}: want 1 got {}", all.len())),
    }
}

impl Files {
    fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let path = || one(name, arguments);
        Some(match name {
            "Get" => path().map(|path| Value::text(self.get(&path))),
            "GetBytes" => path().map(|path| Value::Native(Native::Bytes(self.get(&path).into()))),
            "Lines" => path().map(|path| match self.get(&path) {
                "" => Value::list(Vec::new()),
                text => Value::list(text.strip_suffix('\n').unwrap_or(text).split('\n').map(Value::text).collect()),
            }),
            "Glob" => {
                path().and_then(|pattern| self.glob(&pattern)).map(|found| Value::Native(Native::Files(Rc::new(found))))
            }
            "AsConfig" | "AsSecrets" => {
                let mut all = json!({});
                for (path, text) in self.all() {
                    let value = if name == "AsConfig" { text.to_owned() } else { STANDARD.encode(text) };
                    all[base(path)] = json!(value);
                }
                Ok(Value::text(yaml::text(&all).trim_end_matches('\n')))
            }
            path => return self.0.get(path).map(|text| Ok(Value::Native(Native::Bytes(text.as_str().into())))),
        })
    }

    /// A file, for `index`.
    pub(crate) fn file(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
