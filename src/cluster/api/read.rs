//! Get and list: versions, selectors, pages.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Api;
use super::fields::Selection;
use super::query::{ReadOptions, Version};
use super::resource::Resource;
use super::schema::decode::parse_json;
use super::selector::{FieldSelector, LabelSelector};
use super::status::{Cause, Details, Refusal};
use super::store::{Store, Stored};
use super::view::ListHead;
use crate::cluster::object::Key;

/// How long a read waits for a version that is yet to come.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which objects are meant.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Of this namespace; of all when empty.
    pub namespace: String,
    /// With these labels.
    pub labels: LabelSelector,
    /// With these fields.
    pub fields: Selection,
}

impl Scope {
    /// Reads the selectors of a request.
    ///
    /// # Errors
    /// 400 when one is broken or names a field that cannot be selected by.
    pub fn of(resource: &Resource, namespace: &str, options: &ReadOptions) -> Result<Self, Refusal> {
        Ok(Self {
            namespace: namespace.to_owned(),
            labels: LabelSelector::parse(&options.labels)?,
            fields: Selection::of(resource, &FieldSelector::parse(&options.fields)?)?,
        })
    }

    /// Whether an object is meant.
    pub fn matches(&self, object: &Stored) -> bool {
        (self.namespace.is_empty() || *object.key.namespace == *self.namespace)
            && self.labels.matches(|name| object.label(name))
            && self.fields.matches(object)
    }

    fn selects(&self, options: &ReadOptions) -> bool {
        !self.labels.is_empty() || !options.fields.is_empty()
    }
}

/// Where a page ended, as the real server writes it.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    v: String,
    rv: i64,
    start: String,
}

impl Token {
    fn text(revision: i64, last: &Key) -> String {
        let token = Self { v: "meta.k8s.io/v1".to_owned(), rv: revision, start: format!("{last}\0") };
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
    }

    fn parse(text: &str, namespaced: bool) -> Result<(i64, Key), Refusal> {
        let refuse =
            |why: &str| Refusal::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => {
                refuse(&format!("illegal base64 data at input byte {at}"))
            }
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => {
                refuse(&format!("illegal base64 data at input byte {}", text.len() / 4 * 4))
            }
        })?;
        let (token, _) = parse_json(&bytes).map_err(|why| refuse(&why))?;
        let token: Self = serde_json::from_value(token).map_err(|error| refuse(&error.to_string()))?;
        if token.v != "meta.k8s.io/v1" {
            return Err(refuse("server does not recognize this encoded version"));
        }
        let start = token.start.trim_end_matches('\0').trim_start_matches('/');
        let key = match start.split_once('/') {
            Some((namespace, name)) if namespaced => Key::new(namespace, name),
            _ => Key::new("", start),
        };
        Ok((token.rv, key))
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// Its metadata.
    pub head: ListHead,
    /// Its objects.
    pub objects: Vec<Arc<Stored>>,
}

impl Api {
    /// An object.
    ///
    /// # Errors
    /// 404.
    pub fn get(&self, resource: &Resource, key: &Key) -> Result<Arc<Stored>, Refusal> {
        let found = self.look(|store| store.get(&resource.stored, key).cloned());
        found.ok_or_else(|| Refusal::not_found(&resource.group, &resource.plural, &key.name))
    }

    /// Waits until a version is there that a client knows of.
    ///
    /// # Errors
    /// 504 when it does not come.
    pub async fn wait_for(&self, revision: u64) -> Result<(), Refusal> {
        let mut newest = self.follow_all();
        let there = tokio::time::timeout(PATIENCE, newest.wait_for(|newest| *newest >= revision)).await;
        if there.is_ok() {
            return Ok(());
        }
        let current = self.look(Store::revision);
        let message = format!("Too large resource version: {revision}, current: {current}");
        let cause = Cause {
            reason: "ResourceVersionTooLarge",
            message: "Too large resource version".to_owned(),
            field: String::new(),
        };
        let details = Details { causes: vec![cause], retry_after_seconds: Some(1), ..Details::default() };
        Err(Refusal::new(504, "Timeout", message).with_details(details))
    }

    /// A list, or a page of it.
    ///
    /// # Errors
    /// 400 of a broken token, 410 of a version that is too old, 504 of one that does not come.
    pub async fn list(&self, resource: &Resource, scope: &Scope, options: &ReadOptions) -> Result<Page, Refusal> {
        if let Version::NotOlderThan(revision) | Version::Exact(revision) = options.version {
            self.wait_for(revision).await?;
        }
        if options.continued.is_empty() {
            return match options.version {
                Version::Exact(revision) => self.look(|store| {
                    let past = store.at(&resource.stored, &scope.namespace, revision).ok_or_else(|| {
                        Refusal::new(410, "Expired", "The resourceVersion for the provided list is too old.")
                    })?;
                    Ok(page(past.values(), revision, scope, options))
                }),
                _ => self.look(|store| {
                    let objects = store.list(&resource.stored, &scope.namespace);
                    Ok(page(objects, store.revision(), scope, options))
                }),
            };
        }
        let (revision, last) = Token::parse(&options.continued, resource.namespaced)?;
        self.look(|store| self.next_page(store, resource, scope, options, revision, &last))
    }

    fn next_page(
        &self,
        store: &Store,
        resource: &Resource,
        scope: &Scope,
        options: &ReadOptions,
        revision: i64,
        last: &Key,
    ) -> Result<Page, Refusal> {
        // A negative revision is a token that was given out after the first one had expired: the newest will do.
        let Ok(revision) = u64::try_from(revision) else {
            let objects = store.list_after(&resource.stored, &scope.namespace, Some(last));
            return Ok(page(objects, store.revision(), scope, options));
        };
        if revision == store.revision() {
            let objects = store.list_after(&resource.stored, &scope.namespace, Some(last));
            return Ok(page(objects, revision, scope, options));
        }
        let past = store.at(&resource.stored, &scope.namespace, revision).ok_or_else(|| expired(last))?;
        let rest = past.range((std::ops::Bound::Excluded(last.clone()), std::ops::Bound::Unbounded));
        Ok(page(rest.map(|(_, object)| object), revision, scope, options))
    }
}

fn page<'a>(
    objects: impl Iterator<Item = &'a Arc<Stored>>,
    revision: u64,
    scope: &Scope,
    options: &ReadOptions,
) -> Page {
    let mut head = ListHead { revision, ..ListHead::default() };
    let mut matching = objects.filter(|object| scope.matches(object));
    let Some(limit) = options.limit else {
        return Page { head, objects: matching.cloned().collect() };
    };
    let objects: Vec<_> = matching.by_ref().take(limit).cloned().collect();
    if scope.selects(options) {
        if matching.next().is_none() {
            return Page { head, objects };
        }
    } else {
        let remaining = matching.count();
        if remaining == 0 {
            return Page { head, objects };
        }
        head.remaining = Some(remaining);
    }
    if let Some(last) = objects.last() {
        head.continued = Token::text(i64::try_from(revision).unwrap_or(-1), &last.key);
    }
    Page { head, objects }
}

fn expired(last: &Key) -> Refusal {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new \
                   list without the continue parameter, or use the continue token in this response to retrieve the \
                   remainder of the results. Continuing with the provided token results in an inconsistent list - objects \
                   that were created, modified, or deleted between the time the first chunk was returned and now may show \
                   up in the list.";
    let mut refusal = Refusal::new(410, "Expired", message);
    refusal.continued = Some(Token::text(-1, last).into());
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_back() {
        let key = Key::new("n", "a");
        assert_eq!(Token::parse(&Token::text(7, &key), true).unwrap(), (7, key));
        let wide = Key::new("", "a");
        assert_eq!(Token::parse(&Token::text(-1, &wide), false).unwrap(), (-1, wide));
        let why = Token::parse("bogus", true).map_err(|refusal| refusal.message);
        let wanted = "invalid continue token: continue key is not valid: illegal base64 data at input byte 4";
        assert_eq!(why.err(), Some(wanted.to_owned()));
    }
}
