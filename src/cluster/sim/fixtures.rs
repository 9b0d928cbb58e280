//! A world to decide in.

use jiff::Timestamp;

use super::World;
use crate::cluster::api::store::Store;

/// When tests take place.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Decides in a world of these objects.
pub(crate) fn with_world<T>(store: &Store, decide: impl FnOnce(&World<'_>) -> T) -> T {
    decide(&World { store, now: NOW, refused: None })
}
