//! Server-side apply: who owns which field (`metadata.managedFields`), conflicts, merging.
//!
//! A write is [`apply`] or, for everything else, [`update`]. Both see the object before the server fills in defaults of
//! its own: nobody owns those. When the object is whole, [`settle`] says whether the write changed anything.

mod apply;
mod check;
mod compare;
mod conflict;
mod element;
mod entry;
mod extract;
mod fields_v1;
mod last_applied;
mod merge;
mod set;
mod settle;
mod shape;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod update;
mod zero;

use std::sync::LazyLock;

pub use apply::apply;
pub use element::Element;
pub use set::Set;
pub use settle::settle;
pub use update::update;

/// Who writes, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// The field manager, as `kubectl`.
    pub name: &'a str,
    /// The version that it writes in, as `apps/v1`.
    pub api_version: &'a str,
    /// The subresource that it writes to; empty for the object itself.
    pub subresource: &'a str,
    /// What a write to this place cannot change, with all that is below: `.status` for the object itself, `.spec` and
    /// some of the metadata for its status.
    pub ignored: &'a Set,
}

/// What the server sets and nobody owns.
fn never_owned() -> &'static Set {
    static NEVER_OWNED: LazyLock<Set> = LazyLock::new(|| {
        let metadata = [
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        ];
        let of_metadata = metadata.map(|name| ["metadata", name]);
        let mut paths: Vec<&[&str]> = vec![&["apiVersion"], &["kind"], &["metadata"]];
        paths.extend(of_metadata.iter().map(|path| path.as_slice()));
        Set::of(&paths)
    });
    &NEVER_OWNED
}
