//! The names of objects as Flux writes them: `namespace:kind/name`.

use std::fmt;

/// Namespace of objects that live in none.
pub const CLUSTER: &str = "<cluster>";

/// An object's name. Kinds are lower case; the group is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId {
    /// The namespace, or [`CLUSTER`].
    pub namespace: String,
    /// The kind in lower case.
    pub kind: String,
    /// The name.
    pub name: String,
    /// It was written in the old way, without a kind, and is written back so.
    legacy: bool,
}

/// A text that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parsing {0}: invalid service ID")]
pub struct InvalidId(pub String);

impl ResourceId {
    /// The id of an object; an empty namespace is [`CLUSTER`].
    pub fn new(namespace: &str, kind: &str, name: &str) -> Self {
        let namespace = if namespace.is_empty() { CLUSTER } else { namespace };
        Self { namespace: namespace.to_owned(), kind: kind.to_lowercase(), name: name.to_owned(), legacy: false }
    }

    /// Reads `namespace:kind/name`; also the old `namespace/service`.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        Self::qualified(text).or_else(|| Self::legacy(text)).ok_or_else(|| InvalidId(text.to_owned()))
    }

    /// The same, where `kind/name` alone means an object of `namespace`.
    ///
    /// # Errors
    /// When the text is no id.
    pub fn parse_in(namespace: &str, text: &str) -> Result<Self, InvalidId> {
        if let Some(id) = Self::qualified(text) {
            return Ok(id);
        }
        let (kind, name) = text.split_once('/').ok_or_else(|| InvalidId(text.to_owned()))?;
        if !is_word(kind) || !is_name(name) {
            return Err(InvalidId(text.to_owned()));
        }
        Ok(Self::new(namespace, kind, name))
    }

    fn qualified(text: &str) -> Option<Self> {
        let (namespace, rest) = text.split_once(':')?;
        let (kind, name) = rest.split_once('/')?;
        let fits = (namespace == CLUSTER || is_word(namespace)) && is_word(kind) && is_name(name);
        fits.then(|| Self::new(namespace, kind, name))
    }

    fn legacy(text: &str) -> Option<Self> {
        let (namespace, name) = text.split_once('/')?;
        let fits = is_word(namespace) && is_word(name);
        fits.then(|| Self { legacy: true, ..Self::new(namespace, "service", name) })
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
}

impl fmt::Display for ResourceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.legacy {
            return write!(out, "{}/{}", self.namespace, self.name);
        }
        write!(out, "{}:{}/{}", self.namespace, self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_written() {
        let cases = [
            ("namespace:kind/name", "namespace:kind/name"),
            ("default:Deployment/podinfo", "default:deployment/podinfo"),
            ("<cluster>:namespace/foo", "<cluster>:namespace/foo"),
            ("default:ClusterRole/system:node", "default:clusterrole/system:node"),
            ("demo/web", "demo/web"),
        ];
        for (text, id) in cases {
            assert_eq!(ResourceId::parse(text).map(|id| id.to_string()), Ok(id.to_owned()));
        }
        for wrong in
            ["", "a", "a:b", "a:b/", ":b/c", "a b:c/d", "<other>:a/b", "n.s:kind/name", "ns:kind:name", "a/b.c"]
        {
            assert_eq!(ResourceId::parse(wrong), Err(InvalidId(wrong.to_owned())));
        }
        assert_eq!(ResourceId::parse("demo/web").map(|id| id.kind), Ok("service".to_owned()));
        let id = ResourceId::parse_in("test", "deployment/podinfo").map(|id| id.to_string());
        assert_eq!(id, Ok("test:deployment/podinfo".to_owned()));
    }
}
