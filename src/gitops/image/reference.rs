//! `registry/name:tag`, as people write it and as it is meant.

use std::fmt;

/// The registry of names that say none.
const DOCKER_HUB: &str = "index.docker.io";
/// Where one-word names live there.
const LIBRARY: &str = "library";

/// An image reference. What was written is kept; a digest is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageRef {
    /// The registry as it was written; may be empty.
    pub domain: String,
    /// The name in the registry.
    pub image: String,
    /// The tag; may be empty.
    pub tag: String,
}

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid image reference `{text}`: {why}")]
pub struct InvalidImage {
    /// The text.
    pub text: String,
    /// Why.
    pub why: &'static str,
}

impl ImageRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// When it is empty, begins or ends with a slash, has an empty tag or a colon too many.
    pub fn parse(text: &str) -> Result<Self, InvalidImage> {
        let fail = |why| Err(InvalidImage { text: text.to_owned(), why });
        if text.is_empty() {
            return fail("it is empty");
        }
        if text.starts_with('/') || text.ends_with('/') {
            return fail("it begins or ends with a slash");
        }
        let (domain, rest) = match text.split_once('/') {
            Some((first, rest)) if rest.contains('/') || is_host(first) => (first, rest),
            _ => ("", text),
        };
        let (name, digest) = rest.split_once("@sha256:").map_or((rest, None), |(name, digest)| (name, Some(digest)));
        if digest == Some("") {
            return fail("its digest is empty");
        }
        let mut parts = name.split(':');
        let (image, tag) = match (parts.next(), parts.next(), parts.next()) {
            (Some(image), None, _) if !image.is_empty() => (image, ""),
            (Some(_), Some(""), None) => return fail("its tag is empty"),
            (Some(image), Some(tag), None) if !image.is_empty() => (image, tag),
            (Some(""), _, None) => return fail("it has no name"),
            _ => return fail("it has a colon too many"),
        };
        Ok(Self { domain: domain.to_owned(), image: image.to_owned(), tag: tag.to_owned() })
    }

    /// The name as it was written, without the tag.
    pub fn name(&self) -> String {
        if self.domain.is_empty() { self.image.clone() } else { format!("{}/{}", self.domain, self.image) }
    }

    /// The name that all spellings share: with the registry, without the tag.
    pub fn canonical_name(&self) -> String {
        let domain = if matches!(self.domain.as_str(), "" | "docker.io") { DOCKER_HUB } else { &self.domain };
        if self.image.contains('/') || domain != DOCKER_HUB {
            format!("{domain}/{}", self.image)
        } else {
            format!("{domain}/{LIBRARY}/{}", self.image)
        }
    }

    /// The canonical name with the tag.
    pub fn canonical(&self) -> String {
        with_tag(self.canonical_name(), &self.tag)
    }

    /// The same image with another tag, written as this one is.
    pub fn tagged(&self, tag: &str) -> Self {
        Self { tag: tag.to_owned(), ..self.clone() }
    }
}

/// Whether the first of two parts is a host: it has a dot between letters or digits, or is this machine.
fn is_host(part: &str) -> bool {
    let dotted = part.as_bytes().windows(3).any(
        |near| matches!(near, [before, b'.', after] if before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric()),
    );
    dotted || part.contains("localhost")
}

fn with_tag(name: String, tag: &str) -> String {
    if tag.is_empty() { name } else { format!("{name}:{tag}") }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&with_tag(self.name(), &self.tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        let cases = [
            ("alpine", "", "alpine", "", "index.docker.io/library/alpine"),
            ("alpine:3.1", "", "alpine", "3.1", "index.docker.io/library/alpine:3.1"),
            ("fluxcd/flux", "", "fluxcd/flux", "", "index.docker.io/fluxcd/flux"),
            ("docker.io/fluxcd/flux:1", "docker.io", "fluxcd/flux", "1", "index.docker.io/fluxcd/flux:1"),
            ("example.com/hello:v1.1", "example.com", "hello", "v1.1", "example.com/hello:v1.1"),
            ("localhost:5000/hello", "localhost:5000", "hello", "", "localhost:5000/hello"),
            ("localhost:5000/a/b/hello:1", "localhost:5000", "a/b/hello", "1", "localhost:5000/a/b/hello:1"),
            ("a.b/c/d@sha256:0123", "a.b", "c/d", "", "a.b/c/d"),
            ("alpine:3.1@sha256:0123", "", "alpine", "3.1", "index.docker.io/library/alpine:3.1"),
            ("a/b/c:1", "a", "b/c", "1", "a/b/c:1"),
            ("index.docker.io/alpine", "index.docker.io", "alpine", "", "index.docker.io/library/alpine"),
        ];
        for (text, domain, image, tag, canonical) in cases {
            let found = ImageRef::parse(text).unwrap();
            assert_eq!(
                (found.domain.as_str(), found.image.as_str(), found.tag.as_str()),
                (domain, image, tag),
                "{text}"
            );
            assert_eq!(found.canonical(), canonical, "{text}");
        }
        for wrong in ["", "/a", "a/", "a:", "a:b:c", ":x", "a@sha256:", "x.y/:1", "a/b/c:d/e:f"] {
            assert!(ImageRef::parse(wrong).is_err(), "{wrong}");
        }
    }
}
