//! What need not be looked up again: what cannot have changed since, and what was looked at a moment ago. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::judge::Observation;

/// Answers that are kept; far more than the steps of a workshop ask for.
const MOST: usize = 500;

/// Answers to questions about a sandbox. Times are counted from any moment on.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    /// The state of the sandbox that it was true of.
    state: String,
    at: Duration,
    seen: Observation,
}

impl Memory {
    /// The answer to a question, when it was about the same state; and no older than `fresh`, where the state does not
    /// say everything.
    pub(super) fn recall(
        &self,
        question: &str,
        state: &str,
        now: Duration,
        fresh: Option<Duration>,
    ) -> Option<Observation> {
        let known = self.known.get(question).filter(|known| known.state == state)?;
        let old = now.saturating_sub(known.at);
        fresh.is_none_or(|fresh| old < fresh).then(|| known.seen.clone())
    }

    /// Keeps an answer.
    pub(super) fn keep(&mut self, question: String, state: String, now: Duration, seen: Observation) {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(question, Known { state, at: now, seen });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_still_true_is_recalled() {
        let second = Duration::from_secs;
        let mut memory = Memory::default();
        let seen = Observation::File(Some("text".to_owned()));
        memory.keep("file a".to_owned(), "commit 1".to_owned(), second(5), seen.clone());
        assert_eq!(memory.recall("file a", "commit 1", second(900), None), Some(seen.clone()));
        assert_eq!(memory.recall("file a", "commit 2", second(5), None), None);
        assert_eq!(memory.recall("file b", "commit 1", second(5), None), None);
        assert_eq!(memory.recall("file a", "commit 1", second(7), Some(second(3))), Some(seen));
        assert_eq!(memory.recall("file a", "commit 1", second(8), Some(second(3))), None);
        for number in 0..2 * MOST {
            memory.keep(number.to_string(), String::new(), second(0), Observation::None);
        }
        assert!(memory.known.len() <= MOST);
    }
}
