//! Blocks of a run's file: what follows the first line, with a check sum each. Pure.
//!
//! ```text
//! "foredeck run 1\n"
//! block*:  kind u8 │ from u32 │ to u32 │ length u32 │ check u32 │ payload      numbers little-endian, times in ms
//! ```

use flate2::Crc;

/// What a file begins with, up to its version.
pub const MAGIC: &str = "foredeck run ";
/// The version that is written, and read.
pub const VERSION: u32 = 1;
/// The longest first line.
const LONGEST_LINE: usize = 40;
/// A block's head.
const HEAD: usize = 17;
/// The longest payload.
const LONGEST: usize = 16 * 1024 * 1024;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The facts about the run.
    Head,
    /// The beginning of a segment: everything as it is at that moment, then what changes.
    Key,
    /// More of the segment.
    More,
    /// How the run ended.
    End,
}

const KINDS: [(u8, Kind); 4] = [(b'H', Kind::Head), (b'K', Kind::Key), (b'C', Kind::More), (b'E', Kind::End)];

/// A block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it holds.
    pub kind: Kind,
    /// The moment of the first thing in it, in milliseconds from the run's beginning.
    pub from: u32,
    /// That of the last one.
    pub to: u32,
    /// Compressed bytes.
    pub payload: &'a [u8],
}

/// The first line of a file.
pub fn first_line() -> String {
    format!("{MAGIC}{VERSION}\n")
}

/// The version of a file, and what follows its first line; `None` when it is no run.
pub fn opened(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let end = bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((line.strip_prefix(MAGIC)?.parse().ok()?, &bytes[end + 1..]))
}

impl Block<'_> {
    /// Adds the block to a file.
    pub fn write(&self, to: &mut Vec<u8>) {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or(b'?', |(letter, _)| *letter);
        let mut head = vec![kind];
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        for number in [self.from, self.to, length] {
            head.extend(number.to_le_bytes());
        }
        head.extend(check(&head, self.payload).to_le_bytes());
        to.extend(head);
        to.extend_from_slice(self.payload);
    }
}

fn check(head: &[u8], payload: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(head);
    sum.update(payload);
    sum.sum()
}

/// The next block, and what follows it; `None` at the end of the bytes.
///
/// # Errors
/// What is wrong with it.
pub fn next(bytes: &[u8]) -> Result<Option<(Block<'_>, &[u8])>, &'static str> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (head, rest) = bytes.split_at_checked(HEAD).ok_or("it ends in the middle of a block")?;
    let number = |at: usize| {
        let mut four = [0; 4];
        four.copy_from_slice(&head[at..at + 4]);
        u32::from_le_bytes(four)
    };
    let kind = KINDS.iter().find(|(letter, _)| *letter == head[0]).map(|(_, kind)| *kind).ok_or("it is damaged")?;
    let length = usize::try_from(number(9)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err("it is damaged");
    }
    let (payload, rest) = rest.split_at_checked(length).ok_or("it ends in the middle of a block")?;
    if check(&head[..HEAD - 4], payload) != number(HEAD - 4) {
        return Err("it is damaged");
    }
    Ok(Some((Block { kind, from: number(1), to: number(5), payload }, rest)))
}
