//! Tokens of service accounts: JSON web tokens that this cluster signs and knows again.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::access::User;
use super::resource::Resource;
use super::status::{FieldError, Refusal};
use super::store::{Store, Stored};
use super::{Api, stamp};
use crate::cluster::object::{GroupKind, Key, int, list, set, set_default, text};

/// Who signs, and whom tokens are for that name nobody.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// How long a token lives that does not say.
const LIFETIME: i64 = 60 * 60;
const SHORTEST: i64 = 10 * 60;
const LONGEST: i64 = 1 << 32;
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What tokens are signed with. It lives as long as its cluster.
pub struct Signer([u8; 32]);

impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Signer(…)")
    }
}

impl Signer {
    /// A signer with a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Claims as a token.
    pub fn sign(&self, claims: &Value) -> String {
        let encode = |text: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode(HEADER.as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = encode(&self.seal(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The claims of a token that was signed here.
    pub fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let own = self.seal(signed.as_bytes());
        let same = own.len() == signature.len() && own.iter().zip(&signature).fold(0, |all, (a, b)| all | (a ^ b)) == 0;
        let (_, claims) = signed.split_once('.').filter(|_| same)?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// HMAC with SHA-256 (RFC 2104).
    fn seal(&self, text: &[u8]) -> [u8; 32] {
        let block = |mark: u8| {
            let mut block = [mark; 64];
            for (byte, key) in block.iter_mut().zip(self.0) {
                *byte ^= key;
            }
            block
        };
        let inner = Sha256::new().chain_update(block(0x36)).chain_update(text).finalize();
        Sha256::new().chain_update(block(0x5c)).chain_update(inner).finalize().into()
    }
}

/// What a token may be bound to: it dies with it.
fn bound_resource(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("pods"),
        "Secret" => Some("secrets"),
        "Node" => Some("nodes"),
        _ => None,
    }
}

fn check(request: &Value, account: &Stored) -> Result<(), Refusal> {
    let kind = GroupKind::new("authentication.k8s.io", "TokenRequest");
    for (field, own) in [("name", &account.key.name), ("namespace", &account.key.namespace)] {
        let sent = text(request, &["metadata", field]);
        if !sent.is_empty() && sent != &**own {
            let hint = format!("must match the service account {field} if specified");
            let error = FieldError::invalid(format!("metadata.{field}"), sent, hint);
            return Err(Refusal::invalid(&kind, &account.key.name, &[error]));
        }
    }
    let seconds = int(request, &["spec", "expirationSeconds"]).unwrap_or(LIFETIME);
    let hint = match seconds {
        ..SHORTEST => "may not specify a duration less than 10 minutes",
        SHORTEST..=LONGEST => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    Err(Refusal::invalid(&kind, "", &[FieldError::invalid("spec.expirationSeconds", seconds, hint)]))
}

/// The object that a request wants its token bound to: its kind as the claims name it, its name and uid.
fn bound(store: &Store, request: &Value, account: &Key) -> Result<Option<(String, Value)>, Refusal> {
    let reference = &request["spec"]["boundObjectRef"];
    if !reference.is_object() {
        return Ok(None);
    }
    let (kind, name) = (text(reference, &["kind"]), text(reference, &["name"]));
    let version = text(reference, &["apiVersion"]);
    let resource = bound_resource(kind).filter(|_| version == "v1").ok_or_else(|| {
        Refusal::bad_request(format!("cannot bind token to object of type {}, Kind={kind}", version_of(version)))
    })?;
    let namespace = if kind == "Node" { "" } else { &*account.namespace };
    let object =
        store.get(resource, &Key::new(namespace, name)).ok_or_else(|| Refusal::not_found("", resource, name))?;
    let runs_as =
        if kind == "Pod" { text(&object.value(), &["spec", "serviceAccountName"]).to_owned() } else { String::new() };
    if kind == "Pod" && runs_as != *account.name {
        return Err(Refusal::bad_request(format!(
            "cannot bind token for serviceaccount \"{}\" to pod running with different serviceaccount name.",
            account.name
        )));
    }
    let uid = text(reference, &["uid"]);
    if !uid.is_empty() && uid != &*object.uid {
        let why = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been \
             deleted and then recreated"
        );
        return Err(Refusal::conflict("", kind, name, &why));
    }
    Ok(Some((kind.to_ascii_lowercase(), json!({"name": name, "uid": &*object.uid}))))
}

/// Group and version as Go prints them.
fn version_of(api_version: &str) -> String {
    if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") }
}

impl Api {
    /// Answers a TokenRequest for a service account.
    ///
    /// # Errors
    /// 404 of an account that is not there, 422 of a request that makes no sense.
    pub fn request_token(
        &self,
        resource: &Resource,
        key: &Key,
        mut request: Value,
        id: &str,
    ) -> Result<Value, Refusal> {
        let account = self.get(resource, key)?;
        check(&request, &account)?;
        let bound = self.look(|store| bound(store, &request, key))?;
        let now = self.now();
        set(&mut request, &["metadata", "name"], &*key.name);
        set(&mut request, &["metadata", "namespace"], &*key.namespace);
        set(&mut request, &["metadata", "creationTimestamp"], stamp(now));
        if list(&request, &["spec", "audiences"]).is_empty() {
            set(&mut request, &["spec", "audiences"], json!([ISSUER]));
        }
        set_default(&mut request, &["spec", "expirationSeconds"], LIFETIME);
        set_default(&mut request, &["spec", "boundObjectRef"], Value::Null);
        let lasts = int(&request, &["spec", "expirationSeconds"]).unwrap_or(LIFETIME);
        let (begun, end) = (now.as_second(), now.as_second().saturating_add(lasts));
        let mut claims = json!({
            "aud": request["spec"]["audiences"], "exp": end, "iat": begun, "iss": ISSUER, "jti": id,
            "kubernetes.io": {
                "namespace": &*key.namespace,
                "serviceaccount": {"name": &*key.name, "uid": &*account.uid},
            },
            "nbf": begun, "sub": format!("system:serviceaccount:{}:{}", key.namespace, key.name),
        });
        if let Some((kind, reference)) = bound {
            claims["kubernetes.io"][&kind] = reference;
        }
        let until = Timestamp::from_second(end).map_or_else(|_| stamp(Timestamp::MAX), stamp);
        request["status"] = json!({"token": self.signer()?.sign(&claims), "expirationTimestamp": until});
        Ok(request)
    }

    /// Whom a token of a service account speaks for, and whom it is for; `None` when it is not ours or no longer holds.
    pub fn holder(&self, token: &str) -> Option<(User, Vec<String>)> {
        let claims = self.signer().ok()?.claims(token)?;
        let now = self.now().as_second();
        if int(&claims, &["exp"]).is_none_or(|end| end <= now)
            || int(&claims, &["nbf"]).is_some_and(|begin| begin > now)
        {
            return None;
        }
        let about = &claims["kubernetes.io"];
        let namespace = text(about, &["namespace"]);
        let (name, uid) = (text(about, &["serviceaccount", "name"]), text(about, &["serviceaccount", "uid"]));
        let holds = self.look(|store| {
            let is = |resource: &str, namespace: &str, name: &str, uid: &str| {
                store.get(resource, &Key::new(namespace, name)).is_some_and(|object| *object.uid == *uid)
            };
            let bound =
                ["Pod", "Secret", "Node"].into_iter().filter(|kind| about.get(kind.to_ascii_lowercase()).is_some());
            is("serviceaccounts", namespace, name, uid)
                && bound.clone().all(|kind| {
                    let reference = &about[kind.to_ascii_lowercase()];
                    let namespace = if kind == "Node" { "" } else { namespace };
                    bound_resource(kind).is_some_and(|resource| {
                        is(resource, namespace, text(reference, &["name"]), text(reference, &["uid"]))
                    })
                })
        });
        if !holds {
            return None;
        }
        let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
        let mut user = User::new(&format!("system:serviceaccount:{namespace}:{name}"), &groups);
        uid.clone_into(&mut user.uid);
        let mut tell = |what: &str, value: &str| {
            if !value.is_empty() {
                user.extra.insert(format!("authentication.kubernetes.io/{what}"), vec![value.to_owned()]);
            }
        };
        tell("credential-id", &format!("JTI={}", text(&claims, &["jti"])));
        for kind in ["pod", "node"] {
            tell(&format!("{kind}-name"), text(about, &[kind, "name"]));
            tell(&format!("{kind}-uid"), text(about, &[kind, "uid"]));
        }
        let audiences = list(&claims, &["aud"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some((user, audiences))
    }

    /// Whom a bearer of a token is let in as: tokens for others are no key to this server.
    pub fn bearer(&self, token: &str) -> Option<User> {
        let (user, audiences) = self.holder(token)?;
        audiences.iter().any(|audience| audience == ISSUER).then_some(user)
    }

    /// The audiences of a review, or the server's own, that a token is for.
    pub(super) fn reviewed(&self, token: &str, asked: &[String]) -> Option<(User, Vec<String>)> {
        let (user, audiences) = self.holder(token)?;
        let own = [ISSUER.to_owned()];
        let asked = if asked.is_empty() { &own } else { asked };
        let meant: Vec<String> = asked.iter().filter(|audience| audiences.contains(audience)).cloned().collect();
        (!meant.is_empty()).then_some((user, meant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::clock::Clock;

    #[test]
    fn only_what_was_signed_here_is_read() {
        let signer = Signer::new([7; 32]);
        let claims = json!({"sub": "bob"});
        let token = signer.sign(&claims);
        assert_eq!(signer.claims(&token), Some(claims));
        assert_eq!(Signer::new([8; 32]).claims(&token), None);
        let forged = token.replacen("eyJzdWIiOiJib2IifQ", "eyJzdWIiOiJldmUifQ", 1);
        assert_ne!(forged, token);
        assert_eq!(signer.claims(&forged), None);
        assert_eq!(signer.claims("a.b.c"), None);
        assert_eq!(signer.claims(""), None);
    }

    #[test]
    fn the_seal_is_hmac() {
        // RFC 4231, test case 2, with its short key.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let seal = Signer::new(key).seal(b"what do ya want for nothing?");
        let hex: String = seal.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    fn account(api: &Api) -> (std::sync::Arc<Resource>, Key) {
        let key = Key::new("n", "bot");
        let object = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "n"}});
        api.install(&"namespaces".into(), object).unwrap();
        let object =
            json!({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "bot", "namespace": "n"}});
        api.install(&"serviceaccounts".into(), object).unwrap();
        (api.registry().find("", "v1", "serviceaccounts").unwrap().clone(), key)
    }

    #[test]
    fn a_token_speaks_for_its_account_until_it_ends() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::paused_at(start);
        let api = Api::new(clock.clone());
        let (resource, key) = account(&api);
        let made = api.request_token(&resource, &key, json!({"spec": {}}), "id").unwrap();
        assert_eq!(made["spec"], json!({"audiences": [ISSUER], "expirationSeconds": 3600, "boundObjectRef": null}));
        assert_eq!(made["status"]["expirationTimestamp"], "2026-01-01T01:00:00Z");
        let token = text(&made, &["status", "token"]).to_owned();
        let user = api.bearer(&token).unwrap();
        assert_eq!(user.name, "system:serviceaccount:n:bot");
        assert_eq!(user.groups, ["system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"]);
        let other = api.request_token(&resource, &key, json!({"spec": {"audiences": ["x"]}}), "id").unwrap();
        let other = text(&other, &["status", "token"]);
        assert_eq!(api.bearer(other), None, "it is for somebody else");
        assert_eq!(api.reviewed(other, &["x".to_owned()]).map(|(_, meant)| meant), Some(vec!["x".to_owned()]));
        clock.step(std::time::Duration::from_secs(3601));
        assert_eq!(api.bearer(&token), None);
    }

    #[test]
    fn requests_are_checked() {
        let api = Api::new(Clock::default());
        let (resource, key) = account(&api);
        let refused = |request: Value| api.request_token(&resource, &key, request, "id").unwrap_err().message;
        assert_eq!(
            refused(json!({"spec": {"expirationSeconds": 60}})),
            "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a \
             duration less than 10 minutes"
        );
        let bound = json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "p"}}});
        assert_eq!(refused(bound), "pods \"p\" not found");
        let odd = json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Service", "name": "p"}}});
        assert_eq!(refused(odd), "cannot bind token to object of type /v1, Kind=Service");
        let missing = api.request_token(&resource, &Key::new("n", "x"), json!({}), "id");
        assert_eq!(missing.unwrap_err().message, "serviceaccounts \"x\" not found");
    }
}
