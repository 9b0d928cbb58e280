//! A world to decide in.

use jiff::Timestamp;

use super::World;
use crate::cluster::api::store::Store;

/// When tests take place.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Decides in a world of these objects.
pub(crate) fn with_world<T>(store: &Store, decide: impl FnOnce(&World<'_>) -> T) -> T {
    let images = super::image::Images::default();
    let timings = super::kubelet::Timings::default();
    decide(&World { store, now: NOW, images: &images, timings: &timings, refused: None })
}
