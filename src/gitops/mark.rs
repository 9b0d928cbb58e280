//! The mark of ownership on objects that a sync made: which repository, branch and paths, and which object.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::id::ResourceId;

/// The label that carries the mark.
pub const LABEL: &str = "fluxcd.io/sync-gc-mark";
/// The annotation with the checksum of what was applied.
pub const CHECKSUM: &str = "fluxcd.io/sync-checksum";

/// What a sync is of. Another address, branch or path order is another set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSet(String);

impl SyncSet {
    /// The set of a repository's address (without its password), branch and paths.
    pub fn new(address: &str, branch: &str, paths: &[String]) -> Self {
        let mut hash = Sha256::new();
        hash.update(without_password(address));
        hash.update(branch);
        for path in paths {
            hash.update(path);
        }
        Self(BASE64_URL_SAFE_NO_PAD.encode(hash.finalize()))
    }

    /// The name of the set.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The mark of one object of the set: copied onto another object it means nothing.
    pub fn mark(&self, id: &ResourceId) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.0);
        hash.update(id.to_string());
        format!("sha256.{}", BASE64_URL_SAFE_NO_PAD.encode(hash.finalize()))
    }
}

/// An address as it may be shown: a password in it is left out.
pub fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let Some((user, host)) = authority.rsplit_once('@') else { return address.to_owned() };
    let user = user.split_once(':').map_or(user, |(name, _)| name);
    let slash = if rest.contains('/') { "/" } else { "" };
    format!("{scheme}://{user}@{host}{slash}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_flux_own() {
        let set = SyncSet::new("https://git.example.com/demo/config.git", "master", &["deploy/kubernetes".to_owned()]);
        assert_eq!(set.name(), "l9hdDT77PFH5o3TcCcfGx1YWLNQnpCGAwSWL3FJYDYk");
        let id = ResourceId::new("default", "Deployment", "podinfo");
        assert_eq!(set.mark(&id), "sha256.NNH8Th3PD0FYnFJi5_xXLtEV5oI_EraA5p1COInf3Xs");
    }

    #[test]
    fn passwords_are_left_out() {
        assert_eq!(without_password("https://me:secret@host/x.git"), "https://me@host/x.git");
        assert_eq!(without_password("git@host:x.git"), "git@host:x.git");
    }
}
