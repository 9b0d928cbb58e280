//! Commits: who, when, what, and which files they touched.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Person;
use super::error::Error;
use super::mirror::Mirror;
use super::signature::Signature;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Its parents' ids.
    #[serde(default, skip)]
    pub parents: Vec<String>,
    /// Who wrote it.
    pub author: Person,
    /// When, in seconds since 1970.
    pub time: i64,
    /// The first line of its message.
    pub subject: String,
    /// What is known of its signature; nothing when nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// Which commits.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// Those reachable from here are left out.
    pub after: Option<&'a str>,
    /// The newest.
    pub to: &'a str,
    /// Only those that touch these paths; all when there are none.
    pub paths: &'a [String],
    /// Of merges only the main line.
    pub first_parent: bool,
    /// Look at signatures, which takes long.
    pub signatures: bool,
    /// At most that many, the newest.
    pub most: usize,
}

impl<'a> Range<'a> {
    /// All commits up to one.
    pub fn up_to(to: &'a str) -> Self {
        Self { after: None, to, paths: &[], first_parent: false, signatures: false, most: 1000 }
    }
}

const FIELDS: usize = 7;

impl Mirror {
    /// The commits of a range, newest first, none before one of its children.
    ///
    /// # Errors
    /// When a revision is not there.
    pub async fn commits(&self, range: Range<'_>) -> Result<Vec<Commit>, Error> {
        let state = if range.signatures { "%G?" } else { "" };
        let run = self.log(range).arg("-z").arg(format!("--format=%H%x00%P%x00%an%x00%ae%x00%at%x00{state}%x00%s"));
        let out = with_range(run, range).out().await?;
        commits(&out)
    }

    /// The last commit that touched each file, as far as the range has one.
    ///
    /// # Errors
    /// When a revision is not there.
    pub async fn last_touched(&self, range: Range<'_>) -> Result<HashMap<String, Arc<Commit>>, Error> {
        let run = self.log(range).args(["-z", "--name-only", "--no-renames", "-m", "--first-parent"]);
        // It is nice to know, but nobody waits for it.
        let run = run.limit(Duration::from_secs(5)).arg("--format=%x01%H%x00%P%x00%an%x00%ae%x00%at%x00%x00%s");
        let out = with_range(run, range).out().await?;
        touched(&out)
    }

    fn log<'r>(&self, range: Range<'_>) -> super::command::Run<'r> {
        let run = self.run("log").arg("--topo-order").arg(format!("--max-count={}", range.most));
        if range.first_parent { run.arg("--first-parent") } else { run }
    }
}

fn with_range<'r>(run: super::command::Run<'r>, range: Range<'_>) -> super::command::Run<'r> {
    let run = run.arg("--end-of-options").arg(range.to);
    let run = match range.after {
        Some(after) => run.arg(format!("^{after}")),
        None => run,
    };
    run.arg("--").args(range.paths)
}

fn wrong(out: &[u8]) -> Error {
    Error::Answer { command: "log".to_owned(), answer: String::from_utf8_lossy(out).chars().take(200).collect() }
}

fn commit(fields: &[&[u8]]) -> Option<Commit> {
    let text = |n: usize| fields.get(n).map(|field| String::from_utf8_lossy(field).into_owned());
    Some(Commit {
        id: text(0)?,
        parents: text(1)?.split_whitespace().map(str::to_owned).collect(),
        author: Person { name: text(2)?, email: text(3)? },
        time: text(4)?.parse().ok()?,
        signature: text(5)?.chars().next().map(Signature::of),
        subject: text(6)?,
    })
}

fn commits(out: &[u8]) -> Result<Vec<Commit>, Error> {
    let out = out.strip_suffix(b"\x00").unwrap_or(out);
    if out.is_empty() {
        return Ok(Vec::new());
    }
    let fields: Vec<&[u8]> = out.split(|b| *b == 0).collect();
    fields.chunks(FIELDS).map(|fields| commit(fields).ok_or_else(|| wrong(out))).collect()
}

/// Reads records of a commit's fields and then the names of files.
fn touched(out: &[u8]) -> Result<HashMap<String, Arc<Commit>>, Error> {
    let mut found: HashMap<String, Arc<Commit>> = HashMap::new();
    for record in out.split(|b| *b == 1).filter(|record| !record.is_empty()) {
        let fields: Vec<&[u8]> = record.split(|b| *b == 0).collect();
        let commit = Arc::new(commit(fields.get(..FIELDS).unwrap_or(&fields)).ok_or_else(|| wrong(record))?);
        for name in fields.get(FIELDS..).unwrap_or_default() {
            let name = String::from_utf8_lossy(name).trim_start_matches('\n').to_owned();
            if !name.is_empty() {
                found.entry(name).or_insert_with(|| commit.clone());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let out = b"aa\x00bb\x00Ann\x00a@x\x00170\x00G\x00one\x00bb\x00\x00Bob\x00b@x\x00160\x00\x00two: more\x00";
        let found = commits(out).unwrap();
        assert_eq!(found.iter().map(|c| c.subject.as_str()).collect::<Vec<_>>(), ["one", "two: more"]);
        assert_eq!((found[0].signature, &found[0].parents), (Some(Signature::Good), &vec!["bb".to_owned()]));
        assert_eq!((found[1].time, found[1].signature), (160, None));
        assert_eq!(commits(b"").unwrap(), []);
        assert!(commits(b"aa\x00x").is_err());
    }
}
