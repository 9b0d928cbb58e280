//! What opens registries: Docker's configuration, and the secrets that workloads pull with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::cluster::object::{self, Key};
use crate::gitops::api::{Error, Objects};
use crate::gitops::containers::Kind;
use crate::gitops::kinds::{Kinds, Lookup};
use crate::registry::credentials::Keyring;

/// No configuration is larger.
const MOST: u64 = 1 << 20;

/// Docker's own configuration; empty when there is none that can be read.
pub(super) fn docker(home: Option<&Path>) -> Keyring {
    let folder = std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()).map(std::path::PathBuf::from);
    let Some(folder) = folder.or_else(|| home.map(|home| home.join(".docker"))) else { return Keyring::default() };
    let file = folder.join("config.json");
    let small = std::fs::metadata(&file).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MOST);
    let Some(text) = small.then(|| std::fs::read_to_string(&file).ok()).flatten() else { return Keyring::default() };
    Keyring::parse(&text).unwrap_or_else(|why| {
        tracing::warn!(file = %file.display(), why, "Docker's configuration opens no registry");
        Keyring::default()
    })
}

/// The secrets that have been read, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    read: BTreeMap<(String, String), Keyring>,
    accounts: BTreeMap<(String, String), Vec<String>>,
}

impl Secrets {
    /// What a workload pulls with: its own secrets and those of its service account.
    pub(super) async fn of(&mut self, workload: &Value, objects: &Objects, kinds: &Kinds) -> Result<Keyring, Error> {
        let namespace = object::text(workload, &["metadata", "namespace"]);
        let path = Kind::of(object::text(workload, &["kind"])).map(Kind::pod_spec).unwrap_or_default();
        let spec = object::at(workload, path).filter(|_| !path.is_empty()).unwrap_or(&Value::Null);
        let account = Some(object::text(spec, &["serviceAccountName"])).filter(|name| !name.is_empty());
        let mut names: BTreeSet<String> = named(spec).collect();
        names.extend(self.account(namespace, account.unwrap_or("default"), objects, kinds).await?);
        let mut keyring = Keyring::default();
        for name in names {
            keyring = keyring.and(self.secret(namespace, &name, objects, kinds).await?);
        }
        Ok(keyring)
    }

    async fn account(
        &mut self,
        namespace: &str,
        name: &str,
        objects: &Objects,
        kinds: &Kinds,
    ) -> Result<Vec<String>, Error> {
        let at = (namespace.to_owned(), name.to_owned());
        if let Some(known) = self.accounts.get(&at) {
            return Ok(known.clone());
        }
        let found = get(objects, kinds, "ServiceAccount", namespace, name).await?;
        let names: Vec<_> = found.iter().flat_map(named).collect();
        self.accounts.insert(at, names.clone());
        Ok(names)
    }

    async fn secret(
        &mut self,
        namespace: &str,
        name: &str,
        objects: &Objects,
        kinds: &Kinds,
    ) -> Result<Keyring, Error> {
        let at = (namespace.to_owned(), name.to_owned());
        if let Some(known) = self.read.get(&at) {
            return Ok(known.clone());
        }
        let found = get(objects, kinds, "Secret", namespace, name).await?;
        let keyring = found.as_ref().and_then(logins).unwrap_or_default();
        self.read.insert(at, keyring.clone());
        Ok(keyring)
    }
}

/// One object; nothing when it is not there or may not be seen.
async fn get(
    objects: &Objects,
    kinds: &Kinds,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Option<Value>, Error> {
    let Lookup::Served(served) = kinds.look_up("v1", kind) else { return Ok(None) };
    match objects.get(served, &Key::new(namespace, name)).await {
        Err(Error::Refused { .. }) => Ok(None),
        answer => answer,
    }
}

fn named(holder: &Value) -> impl Iterator<Item = String> + '_ {
    let secrets = object::list(holder, &["imagePullSecrets"]).iter();
    secrets.map(|secret| object::text(secret, &["name"]).to_owned()).filter(|name| !name.is_empty())
}

/// The logins in a secret. Programs that it names are not run: whoever may write secrets could run them here.
fn logins(secret: &Value) -> Option<Keyring> {
    let (member, wrapped) = match object::text(secret, &["type"]) {
        "kubernetes.io/dockerconfigjson" => (".dockerconfigjson", true),
        "kubernetes.io/dockercfg" => (".dockercfg", false),
        _ => return None,
    };
    let bytes = BASE64_STANDARD.decode(object::text(secret, &["data", member])).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    let auths = if wrapped { value.get("auths")?.clone() } else { value };
    Keyring::parse(&json!({"auths": auths}).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_hold_logins_but_start_nothing() {
        let secret = |kind: &str, member: &str, content: &Value| json!({"type": kind, "data": {member: BASE64_STANDARD.encode(content.to_string())}});
        let auth = json!({"quay.io": {"auth": "eDp5"}});
        let config = json!({"auths": auth, "credsStore": "evil", "credHelpers": {"gcr.io": "evil"}});
        let found = logins(&secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", &config)).unwrap();
        assert!(!format!("{found:?}").contains("evil"), "{found:?}");
        assert!(format!("{found:?}").contains("quay.io"), "{found:?}");
        let old = logins(&secret("kubernetes.io/dockercfg", ".dockercfg", &auth)).unwrap();
        assert_eq!(old, found);
        assert_eq!(logins(&secret("Opaque", ".dockercfg", &auth)), None);
        assert_eq!(logins(&json!({"type": "kubernetes.io/dockercfg", "data": {".dockercfg": "?"}})), None);
    }

    #[test]
    fn a_configuration_that_is_missing_opens_nothing() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(docker(None), Keyring::default());
        std::fs::create_dir(home.path().join(".docker")).unwrap();
        std::fs::write(home.path().join(".docker/config.json"), "{").unwrap();
        assert_eq!(docker(Some(home.path())), Keyring::default());
    }
}
