//! Polls of the audience: one vote per browser, which may be changed; everybody sees the sums, with `reveal` only once
//! the speaker shows them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;

use crate::deck::PanelSpec;
use crate::panel::state::{Body, Choice, PanelState};

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

/// What the speaker does with a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// The results are shown.
    Show,
    /// They are hidden.
    Hide,
    /// They are shown if they are hidden, and hidden if they are shown.
    Toggle,
    /// All votes are forgotten, and the results are as they were at the beginning.
    Reset,
}

/// The polls of a server.
#[derive(Default)]
pub struct Polls {
    polls: Mutex<HashMap<String, Poll>>,
}

struct Poll {
    title: String,
    question: String,
    choices: Vec<String>,
    /// Whether results wait for the speaker.
    reveals: bool,
    hidden: bool,
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
        let reveals = spec.get("reveal").is_some_and(|value| value != "false");
        let poll = Poll {
            title: spec.title(),
            question,
            choices,
            reveals,
            hidden: reveals,
            votes: HashMap::new(),
            shown,
        };
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

    /// Shows or hides the results, or begins anew; gives whether they are hidden now.
    ///
    /// # Errors
    /// When there is no such poll.
    pub fn turn(&self, key: &str, turn: Turn, now: Timestamp) -> Result<bool, Refused> {
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner);
        let poll = polls.get_mut(key).ok_or(Refused::Unknown)?;
        match turn {
            Turn::Show => poll.hidden = false,
            Turn::Hide => poll.hidden = true,
            Turn::Toggle => poll.hidden = !poll.hidden,
            Turn::Reset => {
                poll.votes.clear();
                poll.hidden = poll.reveals;
            }
        }
        poll.show(now);
        Ok(poll.hidden)
    }
}

impl Poll {
    fn show(&self, now: Timestamp) {
        let choices = self.choices.iter().enumerate().map(|(index, text)| {
            let votes = self.votes.values().filter(|choice| **choice == index && !self.hidden).count();
            Choice { text: text.clone(), votes: count(votes) }
        });
        let body = Body::Poll {
            question: self.question.clone(),
            choices: choices.collect(),
            voters: count(self.votes.len()),
            hidden: self.hidden,
        };
        self.shown.send_replace(Arc::new(PanelState::good(&self.title, body, now)));
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::panel::PanelText;
    use crate::diagnostic::Span;

    fn spec(text: &str) -> PanelSpec {
        PanelText::read(text, 0).spec(String::new(), None, Span::default()).expect("a panel")
    }

    fn votes(cell: &watch::Receiver<Arc<PanelState>>) -> Vec<u32> {
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
        assert_eq!(votes(&cell), [0, 2]);
        assert_eq!(polls.vote(&spec.key(), 2, "ann", now), Err(Refused::NoChoice));
        assert_eq!(polls.vote("poll other", 0, "ann", now), Err(Refused::Unknown));
    }

    #[test]
    fn results_wait_for_the_speaker_and_a_poll_begins_anew() {
        let (polls, spec) = (Polls::default(), spec("poll Q a b reveal"));
        let now = Timestamp::UNIX_EPOCH;
        let cell = polls.open(&spec, now);
        let shown = || {
            let Body::Poll { voters, hidden, .. } = cell.borrow().body else { panic!("a poll") };
            (votes(&cell), voters, hidden)
        };
        assert_eq!(polls.vote(&spec.key(), 1, "ann", now), Ok(()));
        assert_eq!(shown(), (vec![0, 0], 1, true), "nobody is told what was chosen");
        for (turn, hidden, expected) in [
            (Turn::Show, false, (vec![0, 1], 1, false)),
            (Turn::Toggle, true, (vec![0, 0], 1, true)),
            (Turn::Toggle, false, (vec![0, 1], 1, false)),
            (Turn::Hide, true, (vec![0, 0], 1, true)),
            (Turn::Show, false, (vec![0, 1], 1, false)),
            (Turn::Reset, true, (vec![0, 0], 0, true)),
        ] {
            assert_eq!(polls.turn(&spec.key(), turn, now), Ok(hidden), "{turn:?}");
            assert_eq!(shown(), expected, "{turn:?}");
        }
        assert_eq!(polls.turn("poll other", Turn::Show, now), Err(Refused::Unknown));
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
