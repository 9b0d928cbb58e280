//! Who takes part: pseudonyms, tokens and places. Pure.

use serde::{Deserialize, Serialize};

use super::words;

/// The form it is kept in.
pub const VERSION: u32 = 1;
/// The longest pseudonym, in letters.
const LONGEST: usize = 24;

/// Somebody who takes part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learner {
    /// What they are called in addresses and files.
    pub id: String,
    /// Their pseudonym.
    pub name: String,
    /// What they have to know.
    pub token: String,
    /// When they came, in milliseconds since 1970.
    pub joined: u64,
}

impl std::fmt::Debug for Learner {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Learner").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Everybody who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The form it is kept in.
    pub version: u32,
    /// The workshop's name.
    pub workshop: String,
    /// What has to be known to join.
    pub code: String,
    /// What the trainer has to know.
    pub trainer: String,
    /// In the order in which they came.
    #[serde(default)]
    pub learners: Vec<Learner>,
}

/// Why somebody cannot join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// All places are taken.
    #[error("All {0} places of this workshop are taken.")]
    Full(usize),
    /// A pseudonym that cannot be shown.
    #[error("A name has 1 to {LONGEST} letters, digits, spaces or dashes.")]
    Name,
    /// Somebody else has that pseudonym.
    #[error("Somebody else is called {0} already.")]
    Taken(String),
}

impl Roster {
    /// Somebody new. Without a wish they are given a name, which `number` chooses.
    ///
    /// # Errors
    /// When there is no room, or the pseudonym cannot be had.
    pub fn join(&mut self, wish: &str, number: u32, token: String, most: usize, now: u64) -> Result<&Learner, Refusal> {
        if self.learners.len() >= most {
            return Err(Refusal::Full(most));
        }
        let wish = wish.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = if wish.is_empty() { self.free_name(number) } else { wish };
        let fine = |letter: char| letter.is_alphanumeric() || letter == ' ' || letter == '-';
        if name.chars().count() > LONGEST || !name.chars().all(fine) || !name.chars().any(char::is_alphanumeric) {
            return Err(Refusal::Name);
        }
        let lower = name.to_lowercase();
        if self.learners.iter().any(|known| known.name.to_lowercase() == lower) {
            return Err(Refusal::Taken(name));
        }
        let learner = Learner { id: self.free_id(&lower), name, token, joined: now };
        self.learners.push(learner);
        self.learners.last().ok_or(Refusal::Full(most))
    }

    /// The learner of this id.
    pub fn learner(&self, id: &str) -> Option<&Learner> {
        self.learners.iter().find(|learner| learner.id == id)
    }

    fn free_name(&self, number: u32) -> String {
        let taken = |name: &str| self.learners.iter().any(|known| known.name.eq_ignore_ascii_case(name));
        let names = (0..576).map(|step| words::name(number.wrapping_add(step)));
        let mut names = names.chain((2..).map(|more| format!("Guest {more}")));
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    fn free_id(&self, lower: &str) -> String {
        let plain: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let plain = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        let plain = if plain.is_empty() { "learner".to_owned() } else { plain };
        let mut ids = std::iter::once(plain.clone()).chain((2..).map(|more| format!("{plain}-{more}")));
        ids.find(|id| self.learner(id).is_none()).unwrap_or(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster() -> Roster {
        Roster {
            version: VERSION,
            workshop: "w".to_owned(),
            code: "c".to_owned(),
            trainer: "t".to_owned(),
            learners: Vec::new(),
        }
    }

    fn join(roster: &mut Roster, wish: &str) -> Result<(String, String), Refusal> {
        roster.join(wish, 0, "x".repeat(24), 5, 7).map(|learner| (learner.id.clone(), learner.name.clone()))
    }

    fn pair(id: &str, name: &str) -> Result<(String, String), Refusal> {
        Ok((id.to_owned(), name.to_owned()))
    }

    #[test]
    fn names_are_chosen_given_or_refused() {
        let mut roster = roster();
        assert_eq!(join(&mut roster, "  Ada   L "), pair("ada-l", "Ada L"));
        assert_eq!(join(&mut roster, "ada l"), Err(Refusal::Taken("ada l".to_owned())));
        assert_eq!(join(&mut roster, ""), pair("amber-badger", "Amber Badger"));
        assert_eq!(join(&mut roster, ""), pair("bold-badger", "Bold Badger"));
        for wrong in ["<b>", "a/b", "-", "..", "a\u{202e}b", &"x".repeat(25)] {
            assert_eq!(join(&mut roster, wrong), Err(Refusal::Name), "{wrong:?}");
        }
        assert_eq!(join(&mut roster, "Éa"), pair("a", "Éa"));
        assert_eq!(join(&mut roster, "日本"), pair("learner", "日本"));
        assert_eq!(join(&mut roster, "Late"), Err(Refusal::Full(5)));
    }

    #[test]
    fn different_names_never_share_a_folder() {
        let mut roster = roster();
        assert_eq!(join(&mut roster, "a b"), pair("a-b", "a b"));
        assert_eq!(join(&mut roster, "a-b"), pair("a-b-2", "a-b"));
        assert_eq!(join(&mut roster, "a-b-2"), pair("a-b-2-2", "a-b-2"));
    }

    #[test]
    fn nothing_secret_is_written_to_logs() {
        let mut roster = roster();
        join(&mut roster, "Ada").expect("room");
        assert!(!format!("{:?}", roster.learners).contains("xxx"));
    }
}
