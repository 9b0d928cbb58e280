//! The images that a simulated cluster can pull, and what their containers do. Plain data that may change.

pub mod behaviour;
mod catalogue;
pub mod http;
pub mod log;
pub mod manifest;
pub mod reference;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;

use behaviour::Behaviour;
use catalogue::{Catalogue, RepositoryText};
use manifest::Manifest;
use reference::Reference;

/// The catalogue that comes with the program.
const BUILTIN: &str = include_str!("../../../../workshop/images.yaml");

/// What a registry that nobody has described makes of an image: some 40 MB, and all is well.
const UNKNOWN_SIZE: u64 = 41_943_040;

/// All that is known of images.
#[derive(Debug, Clone, Default)]
pub struct Images {
    repositories: Vec<Repository>,
    by_name: HashMap<String, usize>,
    /// The repository that image ids name; the image's own when empty.
    stored_as: String,
    ordinary: Behaviour,
    /// The addresses of the registry that serves these images; a name there is the name without it.
    served_at: Vec<String>,
    revision: u64,
}

/// A repository and its tags.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its full name, as `docker.io/library/nginx`.
    pub name: String,
    /// Whether tags that are not listed do not exist.
    pub closed: bool,
    /// The bytes of an image.
    pub size: u64,
    /// What containers do.
    pub behaviour: Behaviour,
    /// The tags, oldest first.
    pub tags: Vec<Tag>,
}

/// A tag of a repository.
#[derive(Debug, Clone)]
pub struct Tag {
    /// As `1.4.0`.
    pub name: String,
    /// When the image was built.
    pub created: Timestamp,
    /// The bytes of the image.
    pub size: u64,
    /// What its containers do, if that is not what those of the repository do.
    pub behaviour: Option<Behaviour>,
    /// Whether nodes have it already.
    pub present: bool,
    /// Digest of the manifest that somebody pushed; what the registry tells is made up when there is none.
    pub pushed: Option<String>,
    /// The digest of its manifest; made when first asked for.
    digest: OnceLock<String>,
}

/// What becomes of pulling an image.
#[derive(Debug, Clone, PartialEq)]
pub enum Pull {
    /// It comes, and has so many bytes.
    Comes(u64),
    /// It does not, and this is what the container runtime says.
    Fails(String),
}

impl Images {
    /// The images that come with the program.
    pub fn builtin() -> Self {
        static READ: OnceLock<Images> = OnceLock::new();
        // The file is part of the program and tests read it; an empty catalogue pulls everything.
        READ.get_or_init(|| Self::from_yaml(BUILTIN).unwrap_or_default()).clone()
    }

    /// The images of a catalogue file. The error names what is wrong in it.
    pub fn from_yaml(text: &str) -> Result<Self, String> {
        let catalogue: Catalogue = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let mut images = Self { stored_as: catalogue.stored_as, ordinary: catalogue.ordinary, ..Self::default() };
        for text in catalogue.repositories {
            let RepositoryText { name, also, .. } = &text;
            let names: Vec<_> = std::iter::once(name).chain(also).map(|name| full_name(name)).collect();
            let number = images.repositories.len();
            images.repositories.push(text.read()?);
            images.by_name.extend(names.into_iter().map(|name| (name, number)));
        }
        Ok(images)
    }

    /// Counts the changes, so that others can see that something changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All repositories that are described.
    pub fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    /// A repository by any of its names.
    pub fn repository(&self, name: &str) -> Option<&Repository> {
        self.by_name.get(&self.canonical(name)).and_then(|&number| self.repositories.get(number))
    }

    /// All names of repositories, and the repository of each.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Repository)> {
        self.by_name.iter().filter_map(|(name, &number)| Some((name.as_str(), self.repositories.get(number)?)))
    }

    /// Says that a registry at these addresses, as `127.0.0.1:5000`, serves these images: `127.0.0.1:5000/team/app` is
    /// `team/app` from now on, and what it does not have cannot be pulled from there.
    pub fn serve_at(&mut self, addresses: impl IntoIterator<Item = String>) {
        self.served_at.extend(addresses);
    }

    /// The full name of a repository, by whatever name it is called.
    pub fn canonical(&self, name: &str) -> String {
        Reference::parse(name).map_or_else(|| name.to_owned(), |reference| self.name_of(&reference))
    }

    fn name_of(&self, reference: &Reference) -> String {
        if self.is_ours(reference) { full_name(&reference.repository) } else { reference.name() }
    }

    fn is_ours(&self, reference: &Reference) -> bool {
        self.served_at.contains(&reference.registry)
    }

    /// The tags of a repository, oldest first.
    pub fn tags(&self, repository: &str) -> &[Tag] {
        self.repository(repository).map_or(&[], |repository| repository.tags.as_slice())
    }

    /// What a registry tells of a tag that nobody pushed.
    pub fn manifest(&self, repository: &str, tag: &str) -> Option<Manifest> {
        let repository = self.repository(repository)?;
        let tag = repository.tags.iter().find(|known| known.name == tag)?;
        Some(Manifest::of(repository, tag))
    }

    /// Adds a tag, or builds it anew. A repository that was unknown is from now on known by its tags alone.
    pub fn publish(&mut self, repository: &str, tag: &str, created: Timestamp) {
        self.put(repository, |size| Tag {
            name: tag.to_owned(),
            created,
            size,
            behaviour: None,
            present: false,
            pushed: None,
            digest: OnceLock::new(),
        });
    }

    /// Adds a tag that somebody pushed to the registry, with the digest of its manifest and the bytes it has.
    pub fn push(&mut self, repository: &str, tag: &str, created: Timestamp, digest: &str, size: u64) {
        self.put(repository, |_| Tag {
            name: tag.to_owned(),
            created,
            size,
            behaviour: None,
            present: false,
            pushed: Some(digest.to_owned()),
            digest: OnceLock::new(),
        });
    }

    fn put(&mut self, repository: &str, make: impl FnOnce(u64) -> Tag) {
        self.revision += 1;
        let name = self.canonical(repository);
        let number = *self.by_name.entry(name.clone()).or_insert(self.repositories.len());
        if number == self.repositories.len() {
            self.repositories.push(Repository {
                name,
                closed: true,
                size: UNKNOWN_SIZE,
                behaviour: self.ordinary.clone(),
                tags: Vec::new(),
            });
        }
        let Some(repository) = self.repositories.get_mut(number) else { return };
        let mut tag = make(repository.size);
        if let Some(before) = repository.tags.iter().position(|known| known.name == tag.name) {
            tag.behaviour = repository.tags.remove(before).behaviour;
        }
        let place = repository.tags.partition_point(|known| known.created <= tag.created);
        repository.tags.insert(place, tag);
    }

    /// Takes a tag away.
    pub fn withdraw(&mut self, repository: &str, tag: &str) {
        self.revision += 1;
        if let Some(&number) = self.by_name.get(&self.canonical(repository))
            && let Some(repository) = self.repositories.get_mut(number)
        {
            repository.tags.retain(|known| known.name != tag);
        }
    }

    /// Changes what the containers of a repository do, or of one of its tags.
    pub fn behave(&mut self, repository: &str, tag: Option<&str>, change: impl FnOnce(&mut Behaviour)) {
        self.revision += 1;
        let Some(&number) = self.by_name.get(&self.canonical(repository)) else { return };
        let Some(repository) = self.repositories.get_mut(number) else { return };
        match tag {
            None => change(&mut repository.behaviour),
            Some(tag) => {
                if let Some(tag) = repository.tags.iter_mut().find(|known| known.name == tag) {
                    change(tag.behaviour.get_or_insert_with(|| repository.behaviour.clone()));
                }
            }
        }
    }

    /// What the containers of an image do.
    pub fn behaviour(&self, image: &str) -> &Behaviour {
        let Some(reference) = Reference::parse(image) else { return &self.ordinary };
        let Some((repository, tag)) = self.find(&reference) else { return &self.ordinary };
        tag.and_then(|tag| tag.behaviour.as_ref()).unwrap_or(&repository.behaviour)
    }

    /// Whether nodes have an image from the start.
    pub fn is_present(&self, reference: &Reference) -> bool {
        let fails = matches!(self.pull(reference), Pull::Fails(_));
        match self.find(reference) {
            Some((_, Some(tag))) => tag.present,
            _ => !fails,
        }
    }

    /// Pulls an image.
    pub fn pull(&self, reference: &Reference) -> Pull {
        match self.find(reference) {
            Some((_, Some(tag))) => Pull::Comes(tag.size),
            Some((repository, None)) if repository.closed && reference.digest.is_none() => {
                Pull::Fails(not_found(reference))
            }
            Some((repository, None)) => Pull::Comes(repository.size),
            None if self.is_ours(reference) => Pull::Fails(not_found(reference)),
            None if reference.repository.contains("doesnotexist") => Pull::Fails(denied(reference)),
            None => Pull::Comes(UNKNOWN_SIZE),
        }
    }

    /// The `imageID` of a container.
    pub fn image_id(&self, reference: &Reference) -> String {
        let name = if self.stored_as.is_empty() { reference.name() } else { self.stored_as.clone() };
        if let Some(digest) = &reference.digest {
            return format!("{name}@{digest}");
        }
        let digest = match self.find(reference) {
            Some((_, Some(Tag { pushed: Some(digest), .. }))) => digest.clone(),
            Some((repository, Some(tag))) => tag.digest.get_or_init(|| Manifest::of(repository, tag).digest).clone(),
            _ => manifest::digest(reference.full().as_bytes()),
        };
        format!("{name}@{digest}")
    }

    fn find(&self, reference: &Reference) -> Option<(&Repository, Option<&Tag>)> {
        let repository = self.repositories.get(*self.by_name.get(&self.name_of(reference))?)?;
        Some((repository, repository.tags.iter().find(|tag| tag.name == reference.tag)))
    }
}

/// The name of a repository with its registry.
fn full_name(name: &str) -> String {
    Reference::parse(name).map_or_else(|| name.to_owned(), |reference| reference.name())
}

/// What the runtime says when a registry does not have a tag.
fn not_found(reference: &Reference) -> String {
    let image = reference.full();
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \
         \"{image}\": {image}: not found"
    )
}

/// What it says when there is no such repository.
fn denied(reference: &Reference) -> String {
    let image = reference.full();
    let start = format!("failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\"");
    if reference.registry == "docker.io" {
        return format!(
            "{start}: pull access denied, repository does not exist or may require authorization: server message: \
             insufficient_scope: authorization failed"
        );
    }
    let Reference { registry, repository, tag, .. } = reference;
    format!(
        "{start}: failed to do request: Head \"https://{registry}/v2/{repository}/manifests/{tag}\": dial tcp: lookup \
         {registry}: no such host"
    )
}

/// How long it takes to pull so many bytes, when a small image takes `base`.
pub fn pull_time(size: u64, base: Duration) -> Duration {
    // 100 MB take twice as long as nothing: workshops wait for no download.
    let factor = (0.8 + (size.min(1 << 33) as f64) / 100_000_000.0).min(8.0);
    base.mul_f64(factor)
}

#[cfg(test)]
mod tests;
