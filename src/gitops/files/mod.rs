//! Which files and documents of a revision count, and which objects they define.

pub mod documents;
pub mod links;
pub mod load;
pub mod prepare;
pub mod scan;

pub use load::{Held, Hold, Loaded, Loader};
pub use scan::{Scan, scan};

/// How bad files are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What can be applied safely is applied. Nothing is deleted as long as a file cannot be read.
    #[default]
    Safe,
    /// As Flux v1 does it: one bad file, and nothing is applied.
    Strict,
}

/// Whether the commands of `.flux.yaml` are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// The file means nothing.
    #[default]
    Off,
    /// They would be, if the repository were trusted.
    Untrusted,
    /// They are run, with all that the user may do.
    Trusted,
}

/// What counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Folders and files to look in; everything when there are none.
    pub paths: Vec<String>,
    /// How bad files are met.
    pub mode: Mode,
    /// The namespace of objects that name none.
    pub default_namespace: String,
    /// The only namespaces that are touched; all when there are none.
    pub allowed_namespaces: Vec<String>,
    /// Whether folders with a kustomization are built.
    pub kustomize: bool,
    /// Whether `.flux.yaml` counts.
    pub generation: Generation,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            mode: Mode::Safe,
            default_namespace: "default".to_owned(),
            allowed_namespaces: Vec::new(),
            kustomize: true,
            generation: Generation::Off,
        }
    }
}

/// Why a path cannot be one to look in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It begins with a slash.
    #[error("subdirectory given as --git-path should not have leading forward slash: `{0}`")]
    Slash(String),
    /// It leaves the repository.
    #[error("--git-path `{0}` leaves the repository")]
    Outside(String),
}

/// A path to look in, without `./` and slashes at its end; the root is the empty path.
///
/// # Errors
/// When it begins with a slash or leaves the repository.
pub fn clean_path(path: &str) -> Result<String, PathError> {
    if path.starts_with('/') {
        return Err(PathError::Slash(path.to_owned()));
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(|| PathError::Outside(path.to_owned()))?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Whether a path is a folder's, or below it.
pub fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The folder that a path is in; empty for the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, clean) in [("", ""), (".", ""), ("a/", "a"), ("./a//b/", "a/b"), ("a/../b", "b")] {
            assert_eq!(clean_path(path), Ok(clean.to_owned()));
        }
        assert_eq!(
            clean_path("/deploy").unwrap_err().to_string(),
            "subdirectory given as --git-path should not have leading forward slash: `/deploy`"
        );
        assert_eq!(clean_path("a/../.."), Err(PathError::Outside("a/../..".to_owned())));
        assert!(is_below("a/b", "a") && is_below("a", "a") && is_below("x", "") && !is_below("ab", "a"));
    }
}
