//! A registry in this process, asked without a network.

use std::fmt;

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use tokio::sync::watch;

use super::credentials::Keyring;
use super::error::{Error, Why};
use super::name::Name;
use super::{Image, Registry};

type Tags = dyn Fn(&Name) -> Option<Vec<String>> + Send + Sync;
type Tagged = dyn Fn(&Name, &str) -> Option<Image> + Send + Sync;

/// A registry in this process.
pub struct Local {
    everything: bool,
    tags: Box<Tags>,
    image: Box<Tagged>,
    changes: watch::Receiver<u64>,
}

impl fmt::Debug for Local {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Local")
    }
}

impl Local {
    /// A registry that answers by these functions, and whose cell changes when its images do. With `everything` it is
    /// asked about all repositories, else about those alone that it has.
    pub fn new(
        everything: bool,
        changes: watch::Receiver<u64>,
        tags: impl Fn(&Name) -> Option<Vec<String>> + Send + Sync + 'static,
        image: impl Fn(&Name, &str) -> Option<Image> + Send + Sync + 'static,
    ) -> Self {
        Self { everything, tags: Box::new(tags), image: Box::new(image), changes }
    }

    /// Changes when its images do.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    fn look(&self, name: &Name, tag: &str) -> Result<Image, Error> {
        (self.image)(name, tag).ok_or_else(|| Why::NoImage.of(format!("{name}:{tag}")))
    }
}

impl Registry for Local {
    fn holds(&self, name: &Name) -> bool {
        self.everything || (self.tags)(name).is_some()
    }

    fn is_near(&self) -> bool {
        true
    }

    fn tags<'a>(&'a self, name: &'a Name, _: &'a Keyring) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        ready((self.tags)(name).ok_or_else(|| Why::NoRepository.of(name))).boxed()
    }

    fn digest<'a>(&'a self, name: &'a Name, tag: &'a str, _: &'a Keyring) -> BoxFuture<'a, Result<String, Error>> {
        ready(self.look(name, tag).map(|image| image.digest)).boxed()
    }

    fn image<'a>(&'a self, name: &'a Name, tag: &'a str, _: &'a Keyring) -> BoxFuture<'a, Result<Image, Error>> {
        ready(self.look(name, tag)).boxed()
    }
}
