//! How a command is typed: letters and the pauses before them. Pure.

use std::time::Duration;

/// One press of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stroke {
    /// The pause before it.
    pub pause: Duration,
    /// What the key sends.
    pub bytes: Vec<u8>,
}

/// The mean pause between two letters.
const PACE: Duration = Duration::from_millis(42);
/// However long a line is, it is typed in this time.
const LONGEST: Duration = Duration::from_secs(4);

/// The strokes of a line as a person types it; the same line is always typed in the same way.
pub fn strokes(line: &str) -> Vec<Stroke> {
    let count = u32::try_from(line.chars().count()).unwrap_or(u32::MAX).max(1);
    let pace = PACE.min(LONGEST / count);
    let mut seed = line.bytes().fold(0x9e37_79b9_u32, |seed, byte| seed.rotate_left(5) ^ u32::from(byte));
    let mut before = 'a';
    line.chars()
        .filter(|c| !c.is_control())
        .map(|letter| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            // Between a half and one and a half of the mean; a word's beginning takes a thought.
            let share = 50 + seed % 100 + if before == ' ' { 40 } else { 0 };
            before = letter;
            Stroke { pause: pace * share / 100, bytes: letter.to_string().into_bytes() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_typed_letter_by_letter() {
        let strokes = strokes("kubectl get é");
        let typed: Vec<u8> = strokes.iter().flat_map(|stroke| stroke.bytes.clone()).collect();
        assert_eq!(typed, "kubectl get é".as_bytes());
        assert_eq!(strokes.len(), 13);
        let pauses: Vec<Duration> = strokes.iter().map(|stroke| stroke.pause).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "nobody types like a machine");
    }

    proptest! {
        #[test]
        fn typing_never_takes_long_nor_sends_controls(line in "\\PC{0,300}") {
            let strokes = strokes(&line);
            let total: Duration = strokes.iter().map(|stroke| stroke.pause).sum();
            prop_assert!(total <= LONGEST * 2);
            prop_assert!(strokes.iter().all(|stroke| !stroke.bytes.iter().any(u8::is_ascii_control)));
        }
    }
}
