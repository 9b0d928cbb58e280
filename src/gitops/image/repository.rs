//! What is known of the images in registries, and which of them are looked at.

use std::collections::HashMap;

use super::pattern::{Pattern, Tag, glob};
use super::reference::ImageRef;

/// The tags of one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// All tags that the registry names.
    pub listed: Vec<String>,
    /// Those whose images it describes.
    pub known: Vec<Tag>,
}

impl Repository {
    /// A repository of which everything is known.
    pub fn of(known: Vec<Tag>) -> Self {
        Self { listed: known.iter().map(|tag| tag.tag.clone()).collect(), known }
    }

    /// The best tag that a filter accepts.
    ///
    /// # Errors
    /// When the registry names a tag that fits but says nothing about its image.
    pub fn best(&self, pattern: &Pattern) -> Result<Option<&Tag>, Inconsistent> {
        let known: HashMap<&str, &Tag> = self.known.iter().map(|tag| (tag.tag.as_str(), tag)).collect();
        let mut candidates = Vec::new();
        for tag in self.listed.iter().filter(|tag| pattern.accepts(tag)) {
            candidates.push(*known.get(tag.as_str()).ok_or_else(|| Inconsistent(tag.clone()))?);
        }
        Ok(candidates.into_iter().min_by(|a, b| pattern.compare(a, b)))
    }
}

/// A tag without a description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("inconsistent repository metadata: missing metadata for image tag \"{0}\"")]
pub struct Inconsistent(pub String);

/// Repositories by the canonical names of their images.
#[derive(Debug, Clone, Default)]
pub struct Registry(HashMap<String, Repository>);

impl Registry {
    /// Adds or replaces what is known of an image, whatever spelling names it.
    pub fn insert(&mut self, image: &ImageRef, repository: Repository) {
        self.0.insert(image.canonical_name(), repository);
    }

    /// What is known of an image.
    pub fn get(&self, image: &ImageRef) -> Option<&Repository> {
        self.0.get(&image.canonical_name())
    }

    /// Whether there is an image with exactly this tag.
    pub fn has(&self, image: &ImageRef) -> bool {
        self.get(image).is_some_and(|found| found.known.iter().any(|tag| tag.tag == image.tag))
    }
}

/// Which images are looked for in registries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRules {
    /// Globs over canonical names; without one every image is looked for.
    pub include: Vec<String>,
    /// Globs of images that are not looked for even so.
    pub exclude: Vec<String>,
}

impl Default for ScanRules {
    fn default() -> Self {
        Self { include: Vec::new(), exclude: vec!["k8s.gcr.io/*".to_owned()] }
    }
}

impl ScanRules {
    /// Whether an image is looked for.
    pub fn allow(&self, image: &ImageRef) -> bool {
        let name = image.canonical_name();
        let fits = |globs: &[String]| globs.iter().any(|pattern| glob(pattern, &name));
        !fits(&self.exclude) && (self.include.is_empty() || fits(&self.include))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> ImageRef {
        ImageRef::parse(text).unwrap()
    }

    #[test]
    fn all_spellings_name_one_repository() {
        let mut registry = Registry::default();
        let tag = |tag: &str| Tag { tag: tag.to_owned(), created: None };
        registry.insert(&image("alpine"), Repository::of(vec![tag("3.1"), tag("3.2")]));
        assert!(registry.has(&image("docker.io/library/alpine:3.2")));
        assert!(!registry.has(&image("alpine:3.3")) && !registry.has(&image("other:3.2")));
        let found = registry.get(&image("alpine")).unwrap();
        assert_eq!(
            found.best(&Pattern::new("semver:<3.2")).map(|tag| tag.map(|tag| tag.tag.as_str())),
            Ok(Some("3.1"))
        );
        assert_eq!(found.best(&Pattern::new("semver:>4")), Ok(None));
    }

    #[test]
    fn a_tag_without_a_description_counts_if_it_fits() {
        let mut repository = Repository::of(vec![Tag { tag: "1.0".to_owned(), created: None }]);
        repository.listed.push("odd".to_owned());
        assert!(repository.best(&Pattern::new("semver:*")).is_ok());
        assert_eq!(repository.best(&Pattern::new("*")), Err(Inconsistent("odd".to_owned())));
    }

    #[test]
    fn some_images_are_not_looked_for() {
        let rules = ScanRules::default();
        assert!(rules.allow(&image("alpine")) && !rules.allow(&image("k8s.gcr.io/pause:3.1")));
        let rules =
            ScanRules { include: vec!["index.docker.io/library/*".to_owned()], exclude: vec!["*/alpine".to_owned()] };
        assert!(rules.allow(&image("nginx")) && !rules.allow(&image("alpine")) && !rules.allow(&image("quay.io/a/b")));
    }
}
