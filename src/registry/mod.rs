//! Registries of container images: which tags there are, and when each image was built.

mod challenge;
pub mod credentials;
mod document;
pub mod error;
mod helper;
mod http;
pub mod local;
pub mod name;
pub mod remote;
pub mod scan;
mod wait;

use std::fmt::Debug;

use futures::future::BoxFuture;

use credentials::Keyring;
pub use document::Image;
use error::Error;
use name::Name;

/// Somebody who can be asked about images.
pub trait Registry: Debug + Send + Sync {
    /// Whether a repository is one to ask about here.
    fn holds(&self, name: &Name) -> bool;

    /// Whether asking costs nothing, so that nobody needs to be careful with it.
    fn is_near(&self) -> bool;

    /// All tags of a repository.
    fn tags<'a>(&'a self, name: &'a Name, keyring: &'a Keyring) -> BoxFuture<'a, Result<Vec<String>, Error>>;

    /// The digest of what a tag names.
    fn digest<'a>(&'a self, name: &'a Name, tag: &'a str, keyring: &'a Keyring)
    -> BoxFuture<'a, Result<String, Error>>;

    /// What a tag names, for linux/amd64.
    fn image<'a>(&'a self, name: &'a Name, tag: &'a str, keyring: &'a Keyring) -> BoxFuture<'a, Result<Image, Error>>;
}
