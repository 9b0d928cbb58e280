//! The `${VAR}` substitution of clusterctl: which variables a template asks for, and the text with their values.

mod evaluate;
mod glob;
mod parse;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use parse::{Call, Node};

/// Variables of the usual Azure templates with values that do no harm, for demos without a cloud.
pub const DEMO_VALUES: [(&str, &str); 16] = [
    ("CLUSTER_NAME", "demo"),
    ("NAMESPACE", "default"),
    ("KUBERNETES_VERSION", "v1.33.1"),
    ("CONTROL_PLANE_MACHINE_COUNT", "1"),
    ("WORKER_MACHINE_COUNT", "2"),
    ("AZURE_RESOURCE_GROUP", "demo"),
    ("AZURE_LOCATION", "westeurope"),
    ("AZURE_TENANT_ID", "00000000-0000-0000-0000-000000000001"),
    ("AZURE_SUBSCRIPTION_ID", "00000000-0000-0000-0000-000000000002"),
    ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000003"),
    ("AZURE_CLIENT_SECRET", "not-a-secret"),
    ("VNET_NAME", "demo-vnet"),
    ("CONTROL_PLANE_MACHINE_TYPE", "Standard_D2s_v3"),
    ("NODE_MACHINE_TYPE", "Standard_D2s_v3"),
    ("SSH_PUBLIC_KEY", "c3NoLWVkMjU1MTkgZGVtbw=="),
    ("AZURE_SSH_PUBLIC_KEY_B64", "c3NoLWVkMjU1MTkgZGVtbw=="),
];

/// Why a template has no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A `${` without its `}`, or with something in between that is no substitution.
    #[error("missing closing brace")]
    MissingBrace,
    /// A `${` that no name follows.
    #[error("unable to parse variable name")]
    Name,
    /// A function whose argument cannot be read.
    #[error("unable to parse substitution within function")]
    Argument,
    /// A default that cannot be read.
    #[error("unable to parse default function")]
    Default,
    /// Any other mistake.
    #[error("bad substitution")]
    Bad,
    /// Defaults within defaults beyond all reason.
    #[error("substitutions are nested more than {0} levels deep")]
    Deep(usize),
    /// Variables that have neither value nor default.
    #[error(
        "value for variables [{}] is not set. Please set the value using os environment variables or the clusterctl config file",
        .0.join(", ")
    )]
    Missing(Vec<String>),
}

/// The variables that a template names, with the default of each; none for those that need a value.
///
/// # Errors
/// When the template cannot be read.
pub fn variables(template: &str) -> Result<BTreeMap<String, Option<String>>, Error> {
    let nodes = parse::parse(&without_spaces(template))?;
    let mut found = BTreeMap::new();
    for call in calls(&nodes) {
        // the first occurrence decides, even when a later one has a default
        found.entry(call.name.clone()).or_insert_with(|| {
            let default: String = call.arguments.iter().map(written).collect();
            (!call.arguments.is_empty()).then_some(default)
        });
    }
    Ok(found)
}

/// The text of a template. `value` gives the values of variables by name; an empty value is one too.
///
/// # Errors
/// When the template cannot be read, or variables without default have no value: all of them are named at once.
pub fn substitute<'v>(template: &str, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, Error> {
    let nodes = parse::parse(&without_spaces(template))?;
    let mut seen = BTreeMap::new();
    for call in calls(&nodes) {
        seen.entry(call.name.as_str()).or_insert(call.arguments.is_empty());
    }
    let missing: Vec<String> =
        seen.iter().filter(|(name, needed)| **needed && value(name).is_none()).map(|(n, _)| (*n).to_owned()).collect();
    if !missing.is_empty() {
        return Err(Error::Missing(missing));
    }
    Ok(evaluate::text(&nodes, &|name| value(name).unwrap_or_default()))
}

/// Whether a variable's value has to be masked wherever it is shown: secrets, and what identifies an account.
pub fn is_sensitive(name: &str) -> bool {
    const WORDS: [&str; 6] = ["SECRET", "PASSWORD", "TOKEN", "TENANT_ID", "SUBSCRIPTION_ID", "CLIENT_ID"];
    WORDS.iter().any(|word| name.to_ascii_uppercase().contains(word))
}

/// The substitutions at the top: those within defaults are not asked for.
fn calls(nodes: &[Node]) -> impl Iterator<Item = &Call> {
    nodes.iter().filter_map(|node| match node {
        Node::Call(call) => Some(call),
        Node::Text(_) => None,
    })
}

fn written(node: &Node) -> String {
    match node {
        Node::Text(text) => text.clone(),
        Node::Call(call) => format!("${{{}}}", call.name),
    }
}

/// Old templates have spaces around names.
fn without_spaces(template: &str) -> String {
    static SPACED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\$\{(\s+[A-Za-z0-9_$]+\s*|[A-Za-z0-9_$]+\s+)\}").ok());
    let Some(spaced) = &*SPACED else { return template.to_owned() };
    let close = |found: &regex::Captures<'_>| found[0].split_whitespace().collect::<String>();
    spaced.replace_all(template, close).into_owned()
}

#[cfg(test)]
mod tests;
