//! What was pushed to a registry: blobs and manifests in memory, and uploads that are not done yet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::{Code, Refusal};
use super::shelf::Document;

/// Bytes of everything together, in kibibytes: this is a registry for demos.
const ROOM: usize = 256 * 1024;
/// Bytes of a blob, in kibibytes.
const MOST_BLOB: usize = 128 * 1024;
/// Uploads at once.
const MOST_UPLOADS: usize = 32;
const KIB: usize = 1024;

/// An upload: given out while somebody writes to it, so that two never do.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) name: String,
    bytes: Vec<u8>,
    hash: Sha256,
    held: OwnedSemaphorePermit,
    room: Arc<Semaphore>,
    /// The most that it may have, in kibibytes.
    most: usize,
    touched: Instant,
}

impl Upload {
    /// How much of it there is.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds what came.
    pub(super) fn append(&mut self, more: &[u8]) -> Result<(), Refusal> {
        let needed = (self.bytes.len() + more.len()).div_ceil(KIB);
        if needed > self.most {
            let message = format!("this registry takes no blobs of more than {} MiB", self.most / KIB);
            return Err(Refusal::new(413, Code::SizeInvalid, message));
        }
        let short = needed.saturating_sub(self.held.num_permits());
        if short > 0 {
            self.held.merge(take(&self.room, short)?);
        }
        self.hash.update(more);
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    fn digest(&self) -> String {
        let hash = self.hash.clone().finalize();
        hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }
}

fn take(room: &Arc<Semaphore>, kib: usize) -> Result<OwnedSemaphorePermit, Refusal> {
    let full = || Refusal::new(413, Code::Denied, "the registry is full: it keeps only so much of what is pushed");
    let kib = u32::try_from(kib).map_err(|_| full())?;
    room.clone().try_acquire_many_owned(kib).map_err(|_| full())
}

#[derive(Debug)]
struct Kept<T> {
    what: T,
    _held: OwnedSemaphorePermit,
}

/// What was pushed.
#[derive(Debug)]
pub(super) struct Store {
    room: Arc<Semaphore>,
    most: usize,
    blobs: HashMap<String, Kept<Bytes>>,
    /// Which repositories have which blobs.
    links: HashSet<(String, String)>,
    manifests: HashMap<(String, String), Kept<Document>>,
    uploads: HashMap<String, Upload>,
}

impl Default for Store {
    fn default() -> Self {
        Self::of(ROOM, MOST_BLOB)
    }
}

impl Store {
    /// A store with room for so many kibibytes, and so many in one blob.
    fn of(room: usize, most: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(room)),
            most,
            blobs: HashMap::new(),
            links: HashSet::new(),
            manifests: HashMap::new(),
            uploads: HashMap::new(),
        }
    }

    /// Begins an upload; the one that nobody touched for longest gives way if there are too many.
    pub(super) fn begin(&mut self, name: &str, id: String, now: Instant) -> Result<Upload, Refusal> {
        if self.uploads.len() >= MOST_UPLOADS {
            let oldest = self.uploads.values().min_by_key(|upload| upload.touched).map(|upload| upload.id.clone());
            if let Some(oldest) = oldest {
                self.uploads.remove(&oldest);
            }
        }
        Ok(Upload {
            id,
            name: name.to_owned(),
            bytes: Vec::new(),
            hash: Sha256::new(),
            held: take(&self.room, 1)?,
            room: self.room.clone(),
            most: self.most,
            touched: now,
        })
    }

    /// Gives an upload out.
    pub(super) fn take(&mut self, name: &str, id: &str) -> Result<Upload, Refusal> {
        let unknown = || Refusal::new(404, Code::BlobUploadUnknown, "blob upload unknown to registry");
        if self.uploads.get(id).is_none_or(|upload| upload.name != name) {
            return Err(unknown());
        }
        self.uploads.remove(id).ok_or_else(unknown)
    }

    /// Takes it back.
    pub(super) fn put_back(&mut self, mut upload: Upload, now: Instant) {
        upload.touched = now;
        self.uploads.insert(upload.id.clone(), upload);
    }

    /// How much of an upload there is.
    pub(super) fn progress(&self, name: &str, id: &str) -> Option<usize> {
        self.uploads.get(id).filter(|upload| upload.name == name).map(Upload::len)
    }

    /// Ends an upload: it is a blob from now on, if it is what it is said to be.
    pub(super) fn finish(&mut self, upload: Upload, digest: &str) -> Result<(), Refusal> {
        if upload.digest() != digest {
            return Err(Refusal::new(400, Code::DigestInvalid, "provided digest did not match uploaded content"));
        }
        self.links.insert((upload.name.clone(), digest.to_owned()));
        let Upload { bytes, held, .. } = upload;
        self.blobs.entry(digest.to_owned()).or_insert(Kept { what: bytes.into(), _held: held });
        Ok(())
    }

    /// Makes a blob of one repository one of another; whether there was such a blob.
    pub(super) fn mount(&mut self, from: &str, to: &str, digest: &str) -> bool {
        let there = self.links.contains(&(from.to_owned(), digest.to_owned()));
        if there {
            self.links.insert((to.to_owned(), digest.to_owned()));
        }
        there
    }

    /// A blob of a repository.
    pub(super) fn blob(&self, name: &str, digest: &str) -> Option<Bytes> {
        let linked = self.links.contains(&(name.to_owned(), digest.to_owned()));
        linked.then(|| self.blobs.get(digest).map(|kept| kept.what.clone())).flatten()
    }

    /// Keeps a manifest.
    pub(super) fn keep(&mut self, name: &str, document: Document) -> Result<(), Refusal> {
        let key = (name.to_owned(), document.digest.clone());
        if !self.manifests.contains_key(&key) {
            let held = take(&self.room, document.body.len().div_ceil(KIB).max(1))?;
            self.manifests.insert(key, Kept { what: document, _held: held });
        }
        Ok(())
    }

    /// A manifest of a repository.
    pub(super) fn manifest(&self, name: &str, digest: &str) -> Option<Document> {
        self.manifests.get(&(name.to_owned(), digest.to_owned())).map(|kept| kept.what.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::image::manifest::digest;

    fn pushed(store: &mut Store, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let mut upload = store.begin(name, "1".into(), Instant::now())?;
        upload.append(bytes)?;
        store.finish(upload, &digest(bytes))
    }

    #[test]
    fn blobs_belong_to_repositories() {
        let mut store = Store::default();
        pushed(&mut store, "a", b"x").unwrap();
        let digest = digest(b"x");
        assert!(store.blob("a", &digest).is_some() && store.blob("b", &digest).is_none());
        assert!(!store.mount("c", "b", &digest) && store.mount("a", "b", &digest));
        assert!(store.blob("b", &digest).is_some());
    }

    #[test]
    fn there_is_an_end_to_the_room() {
        let mut store = Store::of(16, 8);
        let half = vec![0; 4 * KIB];
        let mut upload = store.begin("a", "1".into(), Instant::now()).unwrap();
        upload.append(&half).unwrap();
        upload.append(&half).unwrap();
        assert_eq!(upload.append(b"x").unwrap_err().code, Code::SizeInvalid);
        let mut second = store.begin("a", "2".into(), Instant::now()).unwrap();
        second.append(&half).unwrap();
        second.append(&half[1..]).unwrap();
        assert_eq!(store.begin("a", "3".into(), Instant::now()).unwrap_err().code, Code::Denied);
        drop(second);
        pushed(&mut store, "a", b"x").unwrap();
    }

    #[test]
    fn uploads_give_way() {
        let mut store = Store::default();
        let start = Instant::now();
        for number in 0..=MOST_UPLOADS as u64 {
            let now = start + std::time::Duration::from_secs(number);
            let upload = store.begin("a", number.to_string(), now).unwrap();
            store.put_back(upload, now);
        }
        assert!(store.take("a", "0").is_err() && store.take("b", "1").is_err());
        let upload = store.take("a", "1").unwrap();
        assert_eq!(store.finish(upload, "sha256:wrong").unwrap_err().code, Code::DigestInvalid);
        assert!(store.take("a", "1").is_err());
    }
}
