//! The latest of what a command writes, from which the speaker is shown the end: however much there is, only what is
//! shown is searched for secrets. Pure.

use super::tail::Tail;
use crate::panel::redact::{Redactor, Secrets};

/// Bytes that are kept: many more than are shown, so that no secret begins before them and ends in what is shown.
const MOST: usize = 128 * 1024;

/// The end of an output as it was written, secrets and all; only its text is shown.
#[derive(Default)]
pub struct Recent {
    bytes: Vec<u8>,
}

impl Recent {
    /// Adds what was written.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Moved seldom: a flood costs little more than the reading of it.
        if self.bytes.len() > 2 * MOST {
            self.bytes.drain(..self.bytes.len() - MOST);
        }
    }

    /// The last lines, without secrets. While more is to come, letters that may begin a secret are held back.
    pub fn text(&self, secrets: &Secrets, ended: bool) -> String {
        let from = self.bytes.len().saturating_sub(MOST);
        let mut redactor = Redactor::new(secrets);
        let mut tail = Tail::default();
        tail.push(&redactor.push(self.bytes.get(from..).unwrap_or_default()));
        if ended {
            tail.push(&redactor.flush());
        }
        tail.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_much_is_written_the_end_is_shown_without_secrets() {
        let secrets = Secrets::with(["the-token"]);
        let mut recent = Recent::default();
        for _ in 0..10_000 {
            recent.push(
                b"a line of a hundred letters or so, as programs write them when something has gone badly wrong\n",
            );
            assert!(recent.bytes.len() <= 2 * MOST + 100);
        }
        recent.push(b"-----BEGIN PRIVATE KEY-----\nAAAABBBB\n-----END PRIVATE KEY-----\nwith the-tok");
        assert!(!recent.text(&secrets, false).contains("the-tok"), "it may become a secret");
        recent.push(b"en\nend\n");
        let text = recent.text(&secrets, true);
        assert!(text.starts_with('…') && text.ends_with("with the-*****\nend"), "{text}");
        assert!(!text.contains("AAAABBBB") && text.len() < 8 * 1024, "{text}");
    }
}
