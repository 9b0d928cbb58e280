//! A check that comes and goes does not count until it stays.

use super::judge::Verdict;

/// So often may a check stop holding before it is not believed at once any more: once is a rollout.
const PATIENCE: u32 = 2;
/// So many looks in a row it then has to hold.
const LOOKS: u32 = 3;

/// What was seen of the checks of a step so far, by their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trails(Vec<Trail>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Trail {
    /// How often it stopped holding.
    lost: u32,
    /// In how many looks in a row it holds now.
    held: u32,
}

impl Trails {
    /// Takes in the next look at a check, and gives the verdict that counts.
    pub fn see(&mut self, place: usize, verdict: Verdict) -> Verdict {
        if self.0.len() <= place {
            self.0.resize(place + 1, Trail::default());
        }
        let Some(trail) = self.0.get_mut(place) else { return verdict };
        if !verdict.passed() {
            trail.lost = trail.lost.saturating_add(u32::from(trail.held > 0));
            trail.held = 0;
            return verdict;
        }
        trail.held = trail.held.saturating_add(1);
        if trail.lost < PATIENCE || trail.held >= LOOKS {
            return verdict;
        }
        Verdict::NotYet {
            why: format!("{}, but it came and went {} times", verdict.why(), trail.lost),
            next: "it has to stay for a moment".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(looks: &str) -> String {
        let mut trails = Trails::default();
        let seen = looks.chars().map(|look| {
            let verdict = match look {
                '+' => Verdict::Pass { why: "it is there".to_owned() },
                '!' => Verdict::Fail { why: "it is wrong".to_owned() },
                _ => Verdict::NotYet { why: "it is not there".to_owned(), next: String::new() },
            };
            match trails.see(1, verdict) {
                Verdict::Pass { .. } => '+',
                Verdict::Fail { .. } => '!',
                Verdict::NotYet { why, .. } if why == "it is there, but it came and went 2 times" => '2',
                Verdict::NotYet { why, .. } if why.ends_with("3 times") => '3',
                Verdict::NotYet { .. } => '-',
            }
        });
        seen.collect()
    }

    #[test]
    fn what_comes_and_goes_has_to_stay() {
        for (looks, counted) in
            [("--+++", "--+++"), ("+-+", "+-+"), ("+-!+", "+-!+"), ("+-+-+++", "+-+-22+"), ("+-+-+-+++-", "+-+-2-33+-")]
        {
            assert_eq!(passes(looks), counted, "{looks}");
        }
    }
}
