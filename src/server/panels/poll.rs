//! Polls of the audience: one vote per browser, which may be changed; everybody sees the sums.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::deck::PanelSpec;
use crate::panel::state::{Body, Choice, Controls, PanelState};

/// Browsers that may vote in one poll: a room is smaller.
const MOST_VOTERS: usize = 10_000;
/// Polls of one run: decks are edited, and a poll whose text changes is another one.
const MOST_POLLS: usize = 200;
/// Answers to choose from.
const MOST_CHOICES: usize = 12;

/// Why a vote does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No deck that is shown has this poll.
    Unknown,
    /// It has no such answer.
    NoChoice,
    /// Too many have voted.
    Full,
}

/// The polls of a server.
#[derive(Default)]
pub struct Polls {
    polls: Mutex<HashMap<String, Poll>>,
}

/// What the speaker does with a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Everybody sees the results.
    Show,
    /// Nobody does.
    Hide,
    /// All votes are forgotten.
    Reset,
}

struct Poll {
    title: String,
    hidden: bool,
    question: String,
    choices: Vec<String>,
    votes: HashMap<String, usize>,
    shown: watch::Sender<Arc<PanelState>>,
}

/// The question of a poll, and its answers: words, or options between commas.
fn asked(spec: &PanelSpec) -> (String, Vec<String>) {
    let mut words = spec.words.iter().cloned();
    let question = words.next().or_else(|| spec.get("title").map(str::to_owned)).unwrap_or_default();
    let listed = spec.get("options").unwrap_or_default().split(',').map(|text| text.trim().to_owned());
    let choices = words.chain(listed).filter(|text| !text.is_empty()).take(MOST_CHOICES).collect();
    (question, choices)
}

impl Polls {
    /// What a poll shows; it is opened unless it has been open before.
    pub fn open(&self, spec: &PanelSpec, now: Timestamp) -> watch::Receiver<Arc<PanelState>> {
        let key = spec.key();
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(poll) = polls.get(&key) {
            return poll.shown.subscribe();
        }
        let waiting = PanelState::waiting(spec.title());
        if polls.len() >= MOST_POLLS {
            return watch::channel(Arc::new(waiting.failing("this run has had too many polls"))).1;
        }
        let (question, choices) = asked(spec);
        let (shown, cell) = watch::channel(Arc::new(waiting));
        let hidden = spec.get("hidden").is_some_and(|value| value != "false");
        let poll = Poll { title: spec.title(), hidden, question, choices, votes: HashMap::new(), shown };
        poll.show(now);
        polls.insert(key, poll);
        cell
    }

    /// Counts a vote, in the place of an earlier one of the same voter.
    ///
    /// # Errors
    /// When it cannot count.
    pub fn vote(&self, key: &str, choice: usize, voter: &str, now: Timestamp) -> Result<(), Refused> {
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner);
        let poll = polls.get_mut(key).ok_or(Refused::Unknown)?;
        if choice >= poll.choices.len() {
            return Err(Refused::NoChoice);
        }
        if poll.votes.len() >= MOST_VOTERS && !poll.votes.contains_key(voter) {
            return Err(Refused::Full);
        }
        if poll.votes.insert(voter.to_owned(), choice) != Some(choice) {
            poll.show(now);
        }
        Ok(())
    }

    /// Shows results, keeps them back, or begins anew.
    ///
    /// # Errors
    /// When there is no such poll.
    pub fn act(&self, key: &str, act: Act, now: Timestamp) -> Result<(), Refused> {
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner);
        let poll = polls.get_mut(key).ok_or(Refused::Unknown)?;
        match act {
            Act::Show => poll.hidden = false,
            Act::Hide => poll.hidden = true,
            Act::Reset => poll.votes.clear(),
        }
        poll.show(now);
        Ok(())
    }
}

impl Poll {
    fn show(&self, now: Timestamp) {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let choices = self.choices.iter().enumerate().map(|(index, text)| {
            let votes = self.votes.values().filter(|choice| **choice == index).count();
            Choice { text: text.clone(), votes: (!self.hidden).then_some(number(votes)) }
        });
        let voted = number(self.votes.len());
        let body = Body::Poll { question: self.question.clone(), choices: choices.collect(), voted };
        let controls = Some(Controls::Poll { hidden: self.hidden });
        self.shown.send_replace(Arc::new(PanelState { controls, ..PanelState::good(&self.title, body, now) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::panel::PanelText;
    use crate::diagnostic::Span;

    fn spec(text: &str) -> PanelSpec {
        PanelText::read(text, 0).spec(String::new(), None, Span::default()).expect("a panel")
    }

    fn votes(cell: &watch::Receiver<Arc<PanelState>>) -> Vec<Option<u32>> {
        let Body::Poll { choices, .. } = &cell.borrow().body else { panic!("a poll") };
        choices.iter().map(|choice| choice.votes).collect()
    }

    #[test]
    fn questions_and_answers_are_read() {
        for (text, question, choices) in [
            ("poll \"Which one?\" push pull", "Which one?", &["push", "pull"][..]),
            ("poll \"Which one?\" options=\"push, pull it,\"", "Which one?", &["push", "pull it"]),
            ("poll options=a,b title=Choose", "Choose", &["a", "b"]),
        ] {
            let (asked, offered) = asked(&spec(text));
            assert_eq!(
                (asked.as_str(), offered),
                (question, choices.iter().map(|c| (*c).to_owned()).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn everybody_has_one_vote_and_may_change_it() {
        let (polls, spec) = (Polls::default(), spec("poll Q a b"));
        let now = Timestamp::UNIX_EPOCH;
        let cell = polls.open(&spec, now);
        assert!(polls.open(&spec, now).same_channel(&cell), "it is open");
        for (voter, choice) in [("ann", 0), ("bob", 1), ("ann", 1), ("ann", 1)] {
            assert_eq!(polls.vote(&spec.key(), choice, voter, now), Ok(()));
        }
        assert_eq!(votes(&cell), [Some(0), Some(2)]);
        assert_eq!(polls.vote(&spec.key(), 2, "ann", now), Err(Refused::NoChoice));
        assert_eq!(polls.vote("poll other", 0, "ann", now), Err(Refused::Unknown));
    }

    #[test]
    fn results_are_kept_back_until_the_speaker_shows_them() {
        let (polls, spec) = (Polls::default(), spec("poll Q a b hidden"));
        let now = Timestamp::UNIX_EPOCH;
        let cell = polls.open(&spec, now);
        assert_eq!(polls.vote(&spec.key(), 1, "ann", now), Ok(()));
        assert_eq!(votes(&cell), [None, None]);
        assert_eq!(cell.borrow().text(), "Q\n   ?  a\n   ?  b\n   1  votes\n");
        for (act, expected) in
            [(Act::Show, [Some(0), Some(1)]), (Act::Reset, [Some(0), Some(0)]), (Act::Hide, [None, None])]
        {
            assert_eq!(polls.act(&spec.key(), act, now), Ok(()));
            assert_eq!(votes(&cell), expected, "{act:?}");
        }
        assert_eq!(polls.act("poll other", Act::Show, now), Err(Refused::Unknown));
    }

    #[test]
    fn a_poll_takes_in_only_so_many_voters() {
        let (polls, spec) = (Polls::default(), spec("poll Q a b"));
        let now = Timestamp::UNIX_EPOCH;
        polls.open(&spec, now);
        {
            let mut polls = polls.polls.lock().expect("nobody panicked");
            let poll = polls.get_mut(&spec.key()).expect("it is open");
            poll.votes = (0..MOST_VOTERS).map(|number| (number.to_string(), 0)).collect();
        }
        assert_eq!(polls.vote(&spec.key(), 0, "one more", now), Err(Refused::Full));
        assert_eq!(polls.vote(&spec.key(), 1, "7", now), Ok(()));
    }
}
