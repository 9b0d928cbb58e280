//! The last of what a terminal has shown: bounded, read from any place on. Pure.

/// What somebody who has seen everything up to a place gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the screen has to be cleared first, because something before them is gone.
    pub anew: bool,
    /// The place behind them.
    pub end: u64,
}

/// A bounded record of output.
#[derive(Debug, Clone)]
pub struct Scrollback {
    bytes: Vec<u8>,
    start: u64,
    most: usize,
}

impl Scrollback {
    /// One that keeps so many bytes.
    pub fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, most }
    }

    /// Adds output.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Cut in steps, so that a flood does not move everything with every piece.
        if self.bytes.len() > self.most + self.most / 4 {
            let mut surplus = self.bytes.len() - self.most;
            // What is left begins with a whole line, so that no escape sequence or letter is cut.
            let line = self.bytes.iter().skip(surplus).take(self.most / 4).position(|byte| *byte == b'\n');
            surplus += line.map_or(0, |end| end + 1);
            self.bytes.drain(..surplus);
            self.start += surplus as u64;
        }
    }

    /// The place behind all that was added.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// What was added from a place on; `most` bytes of it at a time.
    pub fn from(&self, place: u64, most: usize) -> Reading {
        let anew = place < self.start || place > self.end();
        let from = if anew { self.start } else { place };
        let skip = usize::try_from(from - self.start).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = self.bytes.iter().skip(skip).take(most).copied().collect();
        let end = from + bytes.len() as u64;
        Reading { bytes, anew, end }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn those_who_are_too_late_begin_anew_with_a_whole_line() {
        let mut scrollback = Scrollback::new(100);
        for number in 0..100 {
            scrollback.push(format!("line {number}\n").as_bytes());
        }
        let reading = scrollback.from(0, 1000);
        assert!(reading.anew && reading.bytes.starts_with(b"line ") && reading.bytes.ends_with(b"line 99\n"));
        assert!(reading.bytes.len() <= 125);
        assert_eq!(reading.end, scrollback.end());
        assert_eq!(
            scrollback.from(scrollback.end(), 10),
            Reading { bytes: vec![], anew: false, end: scrollback.end() }
        );
        assert_eq!(
            scrollback.from(scrollback.end() - 3, 2),
            Reading { bytes: b"99".to_vec(), anew: false, end: scrollback.end() - 1 }
        );
    }

    proptest! {
        #[test]
        fn a_reader_who_keeps_up_sees_everything(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40)) {
            let mut scrollback = Scrollback::new(100);
            let (mut place, mut seen) = (0, Vec::new());
            for part in &parts {
                scrollback.push(part);
                loop {
                    let reading = scrollback.from(place, 16);
                    prop_assert!(!reading.anew);
                    place = reading.end;
                    if reading.bytes.is_empty() {
                        break;
                    }
                    seen.extend(reading.bytes);
                }
            }
            prop_assert_eq!(seen, parts.concat());
        }
    }
}
