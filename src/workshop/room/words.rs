//! Names for those who do not choose one.

const FIRST: [&str; 24] = [
    "Amber", "Bold", "Brisk", "Calm", "Clever", "Coral", "Daring", "Eager", "Fair", "Gentle", "Golden", "Happy",
    "Indigo", "Jolly", "Keen", "Lively", "Merry", "Mellow", "Proud", "Quick", "Silver", "Sunny", "Swift", "Witty",
];
const SECOND: [&str; 24] = [
    "Badger",
    "Beaver",
    "Cormorant",
    "Dolphin",
    "Falcon",
    "Finch",
    "Gannet",
    "Hare",
    "Heron",
    "Ibis",
    "Kestrel",
    "Lynx",
    "Marten",
    "Newt",
    "Osprey",
    "Otter",
    "Petrel",
    "Puffin",
    "Robin",
    "Seal",
    "Stoat",
    "Swan",
    "Tern",
    "Wren",
];

/// The name of a number.
pub(super) fn name(number: u32) -> String {
    let pick = |words: &[&'static str; 24], at: u32| words[at as usize % 24];
    format!("{} {}", pick(&FIRST, number), pick(&SECOND, number / 24))
}
