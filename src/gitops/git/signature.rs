//! Signatures of commits and of the sync tag, and how far they allow to go.

use std::collections::{HashMap, HashSet};

use super::error::Error;
use super::history::{Commit, Range};
use super::mirror::Mirror;

/// What git says of a signature (`%G?`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// Good, and by somebody who is trusted.
    Good,
    /// Good, but nobody says that the signer is to be trusted.
    Untrusted,
    /// Made with a key that has expired, or expired itself.
    Expired,
    /// Made with a key that was revoked.
    Revoked,
    /// By a key that is not known.
    UnknownKey,
    /// It does not fit.
    Bad,
    /// There is none.
    None,
}

impl Signature {
    /// The meaning of git's letter.
    pub fn of(letter: char) -> Self {
        match letter {
            'G' => Self::Good,
            'U' => Self::Untrusted,
            'X' | 'Y' => Self::Expired,
            'R' => Self::Revoked,
            'E' => Self::UnknownKey,
            'B' => Self::Bad,
            _ => Self::None,
        }
    }

    /// What is wrong with it, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Good => "is signed by a trusted key",
            Self::Untrusted => "is signed by a key that is not trusted",
            Self::Expired => "is signed with a key that has expired",
            Self::Revoked => "is signed with a key that was revoked",
            Self::UnknownKey => "is signed with a key that is not known",
            Self::Bad => "has a signature that does not fit",
            Self::None => "is not signed",
        }
    }
}

/// Which commits have to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyMode {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those of the main line: a signed merge vouches for what it merges.
    FirstParent,
}

/// How far the signatures allow to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The newest commit that may be applied.
    pub valid: Option<String>,
    /// The oldest commit that is in the way.
    pub stopped_by: Option<Commit>,
}

/// Judges the commits between `start` and the newest of them. They come newest first, none before one of its children.
///
/// One that is not good spoils all that are made on it. The newest unspoilt one of the main line may be applied.
pub fn judge(start: Option<&str>, newest_first: &[Commit], mode: VerifyMode) -> Verdict {
    let mut spoilt: HashSet<&str> = HashSet::new();
    let mut stopped_by = None;
    for commit in newest_first.iter().rev() {
        let counting = if mode == VerifyMode::FirstParent { 1 } else { commit.parents.len() };
        let good = commit.signature == Some(Signature::Good);
        if !good || commit.parents.iter().take(counting).any(|parent| spoilt.contains(parent.as_str())) {
            spoilt.insert(&commit.id);
        }
        if !good && stopped_by.is_none() {
            stopped_by = Some(commit.clone());
        }
    }
    let by_id: HashMap<&str, &Commit> = newest_first.iter().map(|commit| (commit.id.as_str(), commit)).collect();
    let mut line = newest_first.first();
    while let Some(commit) = line {
        if !spoilt.contains(commit.id.as_str()) {
            return Verdict { valid: Some(commit.id.clone()), stopped_by };
        }
        line = commit.parents.first().and_then(|parent| by_id.get(parent.as_str()).copied());
    }
    Verdict { valid: start.map(str::to_owned), stopped_by }
}

/// Why nothing of a branch can be believed.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// The tag is not signed, or not by somebody trusted.
    #[error("the sync tag `{tag}` has no signature that is trusted: {why}")]
    Tag {
        /// The tag.
        tag: String,
        /// What git says.
        why: String,
    },
    /// The commit under the tag is not.
    #[error("commit {commit} under the sync tag has no signature that is trusted: {why}")]
    Commit {
        /// The commit's id.
        commit: String,
        /// What git says.
        why: String,
    },
    /// Not even the first commit may be applied.
    #[error("no commit of the branch has a signature that is trusted: {commit} {why}")]
    Nothing {
        /// The first commit's id.
        commit: String,
        /// What is wrong with its signature.
        why: &'static str,
    },
    /// Git cannot be asked.
    #[error(transparent)]
    Git(#[from] Error),
}

/// No branch has more commits behind its tag.
const MOST: usize = 100_000;

impl Mirror {
    /// The newest commit up to `head` that signatures allow to apply. `tagged` is what the sync tag points at.
    ///
    /// # Errors
    /// When nothing may be applied.
    pub async fn verify(&self, mode: VerifyMode, tagged: Option<&str>, head: &str) -> Result<Verdict, Distrust> {
        if mode == VerifyMode::None {
            return Ok(Verdict { valid: Some(head.to_owned()), stopped_by: None });
        }
        if let Some(commit) = tagged {
            let tag = &self.remote.sync_tag;
            if let Err(why) = self.believe("verify-tag", &format!("refs/tags/{tag}")).await? {
                return Err(Distrust::Tag { tag: tag.clone(), why });
            }
            if let Err(why) = self.believe("verify-commit", commit).await? {
                return Err(Distrust::Commit { commit: short(commit), why });
            }
        }
        let first_parent = mode == VerifyMode::FirstParent;
        let range = Range { after: tagged, first_parent, signatures: true, most: MOST, ..Range::up_to(head) };
        let verdict = judge(tagged, &self.commits(range).await?, mode);
        match (&verdict.valid, &verdict.stopped_by) {
            (None, Some(commit)) => {
                let why = commit.signature.unwrap_or(Signature::None).words();
                Err(Distrust::Nothing { commit: short(&commit.id), why })
            }
            _ => Ok(verdict),
        }
    }

    async fn believe(&self, verb: &str, what: &str) -> Result<Result<(), String>, Error> {
        // `%G?` of a commit knows trust; for tags the raw status lines do.
        let output = self.run(verb).args(["--raw", "--end-of-options", what]).output().await?;
        if output.status.success() && !output.err.contains("TRUST_UNDEFINED") && !output.err.contains("TRUST_NEVER") {
            return Ok(Ok(()));
        }
        let why = if output.err.contains("BADSIG") { Signature::Bad } else { guess(&output.err) };
        Ok(Err(why.words().to_owned()))
    }
}

fn guess(raw: &str) -> Signature {
    let marks = [
        ("EXPKEYSIG", Signature::Expired),
        ("EXPSIG", Signature::Expired),
        ("REVKEYSIG", Signature::Revoked),
        ("NO_PUBKEY", Signature::UnknownKey),
        ("TRUST_", Signature::Untrusted),
        ("No principal matched", Signature::Untrusted),
        ("Could not verify signature", Signature::Bad),
        ("incorrect signature", Signature::Bad),
    ];
    marks.iter().find(|(mark, _)| raw.contains(mark)).map_or(Signature::None, |(_, signature)| *signature)
}

/// The first seven characters of an id.
pub fn short(id: &str) -> String {
    id.chars().take(7).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::git::Person;

    fn commit(id: &str, letter: char, parents: &[&str]) -> Commit {
        let author = Person { name: String::new(), email: String::new() };
        let parents = parents.iter().map(|&id| id.to_owned()).collect();
        let signature = Some(Signature::of(letter));
        Commit { id: id.to_owned(), parents, author, time: 0, subject: String::new(), signature }
    }

    fn verdict(start: Option<&str>, commits: &[Commit], mode: VerifyMode) -> (Option<String>, Option<String>) {
        let verdict = judge(start, commits, mode);
        (verdict.valid, verdict.stopped_by.map(|commit| commit.id))
    }

    fn some(valid: &str, stopped_by: &str) -> (Option<String>, Option<String>) {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        (text(valid), text(stopped_by))
    }

    #[test]
    fn the_first_bad_commit_stops() {
        let line = [commit("d", 'G', &["c"]), commit("c", 'N', &["b"]), commit("b", 'G', &["a"])];
        assert_eq!(verdict(Some("a"), &line, VerifyMode::All), some("b", "c"));
        assert_eq!(verdict(Some("a"), &[], VerifyMode::All), some("a", ""));
        assert_eq!(verdict(None, &line[..2], VerifyMode::All), some("", "c"));
        for letter in ['U', 'X', 'Y', 'R', 'E', 'B', 'N'] {
            assert_eq!(verdict(Some("a"), &[commit("b", letter, &["a"])], VerifyMode::All), some("a", "b"));
        }
    }

    #[test]
    fn a_signed_merge_vouches_for_what_it_merges_if_so_wanted() {
        let merge = [commit("m", 'G', &["b", "s"]), commit("s", 'N', &["a"]), commit("b", 'G', &["a"])];
        assert_eq!(verdict(Some("a"), &merge, VerifyMode::All), some("b", "s"));
        let main_line = [merge[0].clone(), merge[2].clone()];
        assert_eq!(verdict(Some("a"), &main_line, VerifyMode::FirstParent), some("m", ""));
    }
}
