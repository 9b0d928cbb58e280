//! The secret `flux-git-deploy`: the SSH key in it, and what was synced last.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::api::{Error as ApiError, Objects};
use super::git::identity::{self, KeyOptions, KeyPair};
use super::kinds::Served;
use super::settings::SecretRef;
use crate::cluster::object::{Key, text};

/// The annotation with the commit that was synced last.
pub const POINTER: &str = "flux.weave.works/sync-hwm";

/// Why the secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server does not give or take it.
    #[error("cannot use the secret `{name}`: {source}")]
    Api {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: ApiError,
    },
    /// What is in it is no key.
    #[error("the secret `{name}` has no key at `{key}` that can be used")]
    Key {
        /// Its name.
        name: String,
        /// The member.
        key: String,
    },
    /// No key can be made.
    #[error(transparent)]
    Identity(#[from] identity::Error),
}

fn served(kind: &str, plural: &str, namespaced: bool) -> Served {
    Served {
        group: String::new(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        namespaced,
        verbs: Vec::new(),
    }
}

/// The secret behind a client.
#[derive(Debug)]
pub struct Secret<'a> {
    /// The cluster's objects.
    pub objects: &'a Objects,
    /// Which one.
    pub at: &'a SecretRef,
}

impl Secret<'_> {
    fn failed(&self, source: ApiError) -> Error {
        Error::Api { name: self.at.name.clone(), source }
    }

    fn key(&self) -> Key {
        Key::new(&self.at.namespace, &self.at.name)
    }

    async fn get(&self) -> Result<Option<Value>, Error> {
        let found = self.objects.get(&served("Secret", "secrets", true), &self.key()).await;
        found.map_err(|error| self.failed(error))
    }

    /// The SSH key; made and put into the secret when there is none. `folder` is for scratch files.
    ///
    /// # Errors
    /// When the secret cannot be read or written, or has something else in the key's place.
    pub async fn identity(&self, options: &KeyOptions, folder: &Path) -> Result<KeyPair, Error> {
        let found = self.get().await?;
        let member = |name: &str| {
            let encoded = found.as_ref().map(|secret| text(secret, &["data", name])).unwrap_or_default();
            (!encoded.is_empty()).then(|| decoded(encoded))
        };
        let wrong = || Error::Key { name: self.at.name.clone(), key: self.at.key.clone() };
        match member(&self.at.key) {
            None => self.regenerate(options, folder).await,
            Some(None) => Err(wrong()),
            Some(Some(private)) => {
                // Its own public half counts, whatever lies beside it.
                let public = identity::public_half(&private, folder).await.map_err(|_| wrong())?;
                let shown = member(&format!("{}.pub", self.at.key)).flatten();
                let same = |shown: &String| shown.trim().starts_with(public.trim());
                let public = shown.filter(same).map_or(public, |shown| shown.trim().to_owned());
                Ok(KeyPair { private, public })
            }
        }
    }

    /// Makes another SSH key and puts it into the secret.
    ///
    /// # Errors
    /// When that cannot be done; the old key is then still there.
    pub async fn regenerate(&self, options: &KeyOptions, folder: &Path) -> Result<KeyPair, Error> {
        let pair = identity::generate(options, folder).await?;
        let encode = |text: &str| Value::String(BASE64_STANDARD.encode(text));
        let data = json!({
            self.at.key.as_str(): encode(&pair.private),
            format!("{}.pub", self.at.key): encode(&pair.public),
        });
        self.merge(json!({"data": data})).await?;
        Ok(pair)
    }

    /// The commit that was synced last.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn pointer(&self) -> Result<Option<String>, Error> {
        let found = self.get().await?;
        let pointer = found.as_ref().map(|secret| text(secret, &["metadata", "annotations", POINTER]));
        Ok(pointer.filter(|pointer| !pointer.is_empty()).map(str::to_owned))
    }

    /// Keeps the commit that was synced last.
    ///
    /// # Errors
    /// When the secret cannot be written.
    pub async fn set_pointer(&self, revision: &str) -> Result<(), Error> {
        self.merge(json!({"metadata": {"annotations": {POINTER: revision}}})).await
    }

    /// Merges something into the secret; makes it, and its namespace, when they are not there.
    async fn merge(&self, patch: Value) -> Result<(), Error> {
        let kind = served("Secret", "secrets", true);
        match self.objects.merge(&kind, &self.key(), &patch).await {
            Err(error) if error.is_missing() => {}
            merged => return merged.map(|_| ()).map_err(|error| self.failed(error)),
        }
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.at.namespace}});
        let at = Key::new("", &self.at.namespace);
        let spaces = served("Namespace", "namespaces", false);
        if self.objects.get(&spaces, &at).await.map_err(|error| self.failed(error))?.is_none() {
            self.objects.apply(&spaces, &at, &namespace, false).await.map_err(|error| self.failed(error))?;
        }
        let mut secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": self.at.name, "namespace": self.at.namespace},
        });
        secret = crate::cluster::api::patch::merge(&secret, &patch).unwrap_or(secret);
        self.objects.apply(&kind, &self.key(), &secret, false).await.map(|_| ()).map_err(|error| self.failed(error))
    }
}

fn decoded(text: &str) -> Option<String> {
    BASE64_STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::embedded::{Config, Embedded};
    use std::time::Duration;

    #[tokio::test]
    async fn the_key_is_made_once_and_again_when_asked_for() {
        let cluster = Embedded::start(Config::default()).await.unwrap();
        let objects = Objects::new(cluster.client(), Duration::from_secs(5));
        let at = SecretRef { namespace: "flux".to_owned(), ..SecretRef::default() };
        let secret = Secret { objects: &objects, at: &at };
        let folder = tempfile::tempdir().unwrap();
        let options = KeyOptions { kind: Some("ed25519".to_owned()), ..KeyOptions::default() };
        assert_eq!(secret.pointer().await.unwrap(), None);
        let first = secret.identity(&options, folder.path()).await.unwrap();
        let again = secret.identity(&options, folder.path()).await.unwrap();
        assert_eq!(first, again);
        secret.set_pointer("abc").await.unwrap();
        assert_eq!(secret.pointer().await.unwrap().as_deref(), Some("abc"));
        let other = secret.regenerate(&options, folder.path()).await.unwrap();
        assert_ne!(other.public, first.public);
        assert_eq!(secret.identity(&options, folder.path()).await.unwrap(), other);
        assert_eq!(secret.pointer().await.unwrap().as_deref(), Some("abc"), "the pointer stays");
        secret.merge(json!({"data": {"identity": "bm8="}})).await.unwrap();
        let wrong = secret.identity(&options, folder.path()).await.unwrap_err();
        assert_eq!(wrong.to_string(), "the secret `flux-git-deploy` has no key at `identity` that can be used");
        cluster.stop().await;
    }
}
