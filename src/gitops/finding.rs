//! What is wrong in the repository, and where: data, never an `Err`.

use std::fmt;

use super::id::ResourceId;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Something is left out on purpose.
    Warning,
    /// Something cannot be used.
    Error,
}

/// The stable name of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Code {
    /// A path to look in is not there.
    #[serde(rename = "gitops/path-missing")]
    PathMissing,
    /// A file is no YAML.
    #[serde(rename = "gitops/yaml")]
    Yaml,
    /// A file is no text.
    #[serde(rename = "gitops/not-text")]
    NotText,
    /// A file is larger than is read.
    #[serde(rename = "gitops/too-large")]
    TooLarge,
    /// A symbolic link leads nowhere or out of the repository.
    #[serde(rename = "gitops/link")]
    Link,
    /// Another repository is linked in.
    #[serde(rename = "gitops/submodule")]
    Submodule,
    /// An object is defined more than once.
    #[serde(rename = "gitops/duplicate")]
    Duplicate,
    /// The cluster does not know the kind.
    #[serde(rename = "gitops/unknown-kind")]
    UnknownKind,
    /// The namespace is not among the allowed ones.
    #[serde(rename = "gitops/namespace-not-allowed")]
    NamespaceNotAllowed,
    /// An object without a name, or with one that cannot be.
    #[serde(rename = "gitops/no-name")]
    NoName,
    /// A value where text has to be.
    #[serde(rename = "gitops/annotation")]
    Annotation,
    /// A folder's kustomization cannot be built.
    #[serde(rename = "gitops/kustomize")]
    Kustomize,
    /// The commands of `.flux.yaml` failed, or may not run.
    #[serde(rename = "gitops/generator")]
    Generator,
    /// There are more objects than are taken.
    #[serde(rename = "gitops/too-many")]
    TooMany,
}

impl Code {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PathMissing => "gitops/path-missing",
            Self::Yaml => "gitops/yaml",
            Self::NotText => "gitops/not-text",
            Self::TooLarge => "gitops/too-large",
            Self::Link => "gitops/link",
            Self::Submodule => "gitops/submodule",
            Self::Duplicate => "gitops/duplicate",
            Self::UnknownKind => "gitops/unknown-kind",
            Self::NamespaceNotAllowed => "gitops/namespace-not-allowed",
            Self::NoName => "gitops/no-name",
            Self::Annotation => "gitops/annotation",
            Self::Kustomize => "gitops/kustomize",
            Self::Generator => "gitops/generator",
            Self::TooMany => "gitops/too-many",
        }
    }
}

/// Where an object or a finding stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The file, from the repository's root.
    pub file: String,
    /// The line, from 1; 0 when it is not known.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.file)?;
        if self.line > 0 {
            write!(out, ":{}", self.line)?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The rule.
    pub code: Code,
    /// Where.
    pub place: Option<Place>,
    /// About which object.
    #[serde(with = "id_text")]
    pub object: Option<ResourceId>,
    /// What, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding in a file.
    pub fn new(level: Level, code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { level, code, place: Some(place), object: None, message: message.into(), hint: None }
    }

    /// About an object.
    #[must_use]
    pub fn about(mut self, object: &ResourceId) -> Self {
        self.object = Some(object.clone());
        self
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(out, "{place}: ")?;
        }
        out.write_str(&self.message)
    }
}

/// Ids as text in JSON.
pub mod id_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::gitops::id::ResourceId;

    /// Writes an id as text.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn serialize<S: Serializer>(id: &Option<ResourceId>, serializer: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => serializer.collect_str(id),
            None => serializer.serialize_none(),
        }
    }

    /// Reads an id from text; one that cannot be read is none.
    ///
    /// # Errors
    /// When it is no text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ResourceId>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|text| ResourceId::parse(&text).ok()))
    }
}
