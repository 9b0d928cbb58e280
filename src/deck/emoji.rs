//! Emoji shortcodes.

use std::borrow::Cow;

/// Replaces `:name:` by the emoji of that name.
pub fn replace_shortcodes(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
/// Seg
pub enum Segment<'a> {
    /// x
    Text(&'a str),
    /// y
    Emoji(&'a str),
}
/// x
pub fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> {
    std::iter::once(Segment::Text(text))
}
