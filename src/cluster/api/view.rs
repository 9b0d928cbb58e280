//! Stored objects → what clients see: whole, as rows of a table, or their metadata alone.

use std::borrow::Cow;
use std::io::Write as _;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::accept::{Encoding, View, Wanted};
use super::body;
use super::query::Include;
use super::resource::Resource;
use super::store::Stored;
use super::table;
use crate::cluster::yaml;

/// How objects of one resource are shown to one client.
#[derive(Debug, Clone, Copy)]
pub struct Show<'a> {
    /// What they are.
    pub resource: &'a Resource,
    /// What is wanted of them.
    pub wanted: Wanted,
    /// What a table's rows carry.
    pub include: Include,
    /// What time it is, for ages.
    pub now: Timestamp,
    /// Indented.
    pub pretty: bool,
}

/// The part of a list that is not its items.
#[derive(Debug, Clone, Default)]
pub struct ListHead {
    /// The revision that the list shows.
    pub revision: u64,
    /// Where the next page begins; empty on the last.
    pub continued: String,
    /// How many objects follow, when that is known.
    pub remaining: Option<usize>,
}

impl ListHead {
    fn metadata(&self) -> Value {
        let mut metadata = json!({"resourceVersion": self.revision.to_string()});
        if !self.continued.is_empty() {
            metadata["continue"] = self.continued.as_str().into();
        }
        if let Some(remaining) = self.remaining {
            metadata["remainingItemCount"] = remaining.into();
        }
        metadata
    }
}

impl Show<'_> {
    /// An answer's body: one object.
    pub fn one(&self, object: &Stored) -> Bytes {
        match self.wanted.view {
            View::Table => {
                let mut out = Vec::with_capacity(1024);
                self.table_start(&mut out, &json!({"resourceVersion": object.revision.to_string()}), true);
                self.row(&mut out, object);
                out.extend_from_slice(b"]}");
                self.finished(out)
            }
            View::Metadata => {
                let mut out = Vec::with_capacity(object.metadata().len() + 128);
                self.item(&mut out, object);
                self.finished(out)
            }
            View::Whole => self.finished(self.whole(object).to_vec()),
        }
    }

    /// A value that is no stored object, as a Scale: in the encoding that is wanted.
    pub fn value(&self, value: &Value) -> Bytes {
        self.finished(serde_json::to_vec(value).unwrap_or_default())
    }

    /// The object in the version of the request, as JSON.
    fn whole(&self, object: &Stored) -> Bytes {
        if !self.resource.converts() {
            return object.json.clone();
        }
        let mut value = object.value();
        body::from_stored(self.resource, &mut value);
        serde_json::to_vec(&value).unwrap_or_default().into()
    }

    fn finished(&self, json: Vec<u8>) -> Bytes {
        let reread = || serde_json::from_slice::<Value>(&json).unwrap_or_default();
        let mut out = match (self.wanted.encoding, self.pretty) {
            (Encoding::Yaml, _) => yaml::text(&reread()).into_bytes(),
            (Encoding::Json, true) => serde_json::to_vec_pretty(&reread()).unwrap_or_default(),
            (Encoding::Json, false) => json,
        };
        if out.last() != Some(&b'\n') {
            out.push(b'\n');
        }
        out.into()
    }

    /// An answer's body: a list. In pieces, so that a large one is never in memory as a whole.
    pub fn list<'a>(
        &'a self,
        head: &ListHead,
        objects: impl IntoIterator<Item = &'a std::sync::Arc<Stored>> + 'a,
    ) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        let mut out = Vec::with_capacity(PIECE + 4096);
        match self.wanted.view {
            View::Table => self.table_start(&mut out, &head.metadata(), true),
            View::Metadata => {
                let start = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": head.metadata()});
                list_start(&mut out, &start);
            }
            View::Whole => {
                let start = json!({"kind": self.resource.list_kind, "apiVersion": self.resource.api_version, "metadata": head.metadata()});
                list_start(&mut out, &start);
            }
        }
        for (index, object) in objects.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match self.wanted.view {
                View::Table => self.row(&mut out, object),
                View::Metadata | View::Whole => self.item(&mut out, object),
            }
            if out.len() >= PIECE {
                pieces.push(Bytes::from(std::mem::replace(&mut out, Vec::with_capacity(PIECE + 4096))));
            }
        }
        out.extend_from_slice(b"]}");
        if self.pretty || self.wanted.encoding != Encoding::Json {
            let whole: Vec<u8> = pieces.iter().flatten().copied().chain(out).collect();
            return vec![self.finished(whole)];
        }
        out.push(b'\n');
        pieces.push(out.into());
        pieces
    }

    /// One object in a list. Built-in kinds do not name themselves there, custom ones do.
    fn item(&self, out: &mut Vec<u8>, object: &Stored) {
        if self.wanted.view == View::Metadata {
            out.extend_from_slice(br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","#);
            out.extend_from_slice(object.metadata());
            out.push(b'}');
        } else if self.resource.converts() {
            let mut value = object.value();
            body::from_stored(self.resource, &mut value);
            if let (None, Some(members)) = (&self.resource.custom, value.as_object_mut()) {
                members.shift_remove("kind");
                members.shift_remove("apiVersion");
            }
            // Writing to memory does not fail.
            let _ = serde_json::to_writer(out, &value);
        } else if self.resource.custom.is_some() {
            out.extend_from_slice(&object.json);
        } else {
            out.push(b'{');
            out.extend_from_slice(object.body());
        }
    }

    fn table_start(&self, out: &mut Vec<u8>, metadata: &Value, columns: bool) {
        let definitions = if columns { columns_of(self.resource) } else { Value::Null };
        let start = json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions,
        });
        let _ = serde_json::to_writer(&mut *out, &start);
        out.pop();
        out.extend_from_slice(br#","rows":["#);
    }

    fn row(&self, out: &mut Vec<u8>, object: &Stored) {
        out.extend_from_slice(br#"{"cells":["#);
        for (index, cell) in cells_of(self.resource, object).iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let _ = serde_json::to_writer(&mut *out, &table::show(cell, self.now));
        }
        out.extend_from_slice(br#"],"object":"#);
        match self.include {
            Include::None => out.extend_from_slice(b"null"),
            Include::Object => out.extend_from_slice(&self.whole(object)),
            Include::Metadata => {
                out.extend_from_slice(br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","#);
                out.extend_from_slice(object.metadata());
                out.push(b'}');
            }
        }
        out.push(b'}');
    }

    /// A line of a watch: what happened to an object. Only the first table names its columns.
    pub fn event(&self, out: &mut Vec<u8>, kind: &str, object: &Stored, first: bool) {
        let _ = write!(out, r#"{{"type":"{kind}","object":"#);
        match self.wanted.view {
            View::Table => {
                self.table_start(out, &json!({"resourceVersion": object.revision.to_string()}), first);
                self.row(out, object);
                out.extend_from_slice(b"]}");
            }
            View::Metadata => self.item(out, object),
            View::Whole => out.extend_from_slice(&self.whole(object)),
        }
        out.extend_from_slice(b"}\n");
    }

    /// A line of a watch that only tells the revision; `initial` says that everything there was has been told.
    pub fn bookmark(&self, out: &mut Vec<u8>, revision: u64, initial: bool, first: bool) {
        let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.wanted.view {
            View::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            View::Whole => json!({
                "kind": self.resource.kind.kind, "apiVersion": self.resource.api_version, "metadata": metadata,
            }),
            View::Table => {
                let empty = vec![Value::from(""); columns_of(self.resource).as_array().map_or(0, Vec::len)];
                let object =
                    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
                let columns = if first { columns_of(self.resource) } else { Value::Null };
                json!({
                    "kind": "Table", "apiVersion": "meta.k8s.io/v1",
                    "metadata": {"resourceVersion": revision.to_string()},
                    "columnDefinitions": columns,
                    "rows": [{"cells": empty, "object": object}],
                })
            }
        };
        let _ = writeln!(out, "{}", json!({"type": "BOOKMARK", "object": object}));
    }
}

/// Bytes after which a list's answer is cut into another piece.
const PIECE: usize = 64 * 1024;

/// Everything of a list up to its first item.
fn list_start(out: &mut Vec<u8>, start: &Value) {
    let _ = serde_json::to_writer(&mut *out, start);
    out.pop();
    out.extend_from_slice(br#","items":["#);
}

fn columns_of(resource: &Resource) -> Value {
    match &resource.custom {
        Some(version) => table::definitions(version.columns.columns()),
        None => table::definitions(table::columns(&resource.column_key()).unwrap_or_default()),
    }
}

/// The cells in the storage version are made once; other versions of a custom resource have columns of their own.
fn cells_of<'a>(resource: &Resource, object: &'a Stored) -> Cow<'a, [table::Cell]> {
    match &resource.custom {
        Some(version) if resource.converts() => Cow::Owned(version.columns.cells(&object.value()).into_vec()),
        Some(version) => Cow::Borrowed(object.cells.get_or_init(|| version.columns.cells(&object.value()))),
        None => Cow::Borrowed(
            object.cells.get_or_init(|| table::cells(&resource.kind.group, &resource.kind.kind, &object.value())),
        ),
    }
}
