//! What every sync did, kept in a file that survives being killed.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::diff::Difference;
use super::git::history::Commit;
use super::schedule::Trigger;

/// How many syncs are remembered.
pub const MOST: usize = 100;
/// Longer lists within one sync are cut.
pub const MOST_ENTRIES: usize = 200;

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It is still going on.
    Running,
    /// Everything is as Git wants it.
    Good,
    /// Some objects are not.
    Partly,
    /// It did not come to its end.
    Failed,
    /// The program ended in the middle of it.
    Interrupted,
}

/// What was done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// It was made.
    Created,
    /// It was changed.
    Configured,
    /// It was deleted.
    Pruned,
}

/// An object with which something was done.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Changed {
    /// Its id.
    pub id: String,
    /// What was done.
    pub verb: Verb,
    /// The fields: `found` before, `wanted` after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Difference>,
}

/// An object with which nothing could be done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ObjectError {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its file.
    #[serde(rename = "Path")]
    pub path: String,
    /// Why.
    #[serde(rename = "Error")]
    pub error: String,
}

/// How many objects fared how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Counts {
    /// In Git.
    pub objects: usize,
    /// As they should be.
    pub unchanged: usize,
    /// Made.
    pub created: usize,
    /// Changed.
    pub configured: usize,
    /// Deleted.
    pub pruned: usize,
    /// Not in Git, but left.
    pub kept: usize,
    /// In Git, but left alone.
    pub skipped: usize,
    /// Refused by the cluster.
    pub failed: usize,
}

/// How long the parts of a sync took, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Durations {
    /// Looking at the repository and checking signatures, before the sync.
    pub fetch_ms: f64,
    /// Reading and building files.
    pub load_ms: f64,
    /// Looking at the cluster and deciding.
    pub plan_ms: f64,
    /// Applying.
    pub apply_ms: f64,
    /// Deleting.
    pub prune_ms: f64,
    /// Moving the pointer.
    pub tag_ms: f64,
    /// All but fetching.
    pub all_ms: f64,
}

/// What a sync did.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SyncRecord {
    /// They are numbered.
    pub number: u64,
    /// Why it was done.
    pub trigger: Trigger,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub ending: Ending,
    /// What stopped it.
    pub error: Option<String>,
    /// The commit that was applied.
    pub revision: Option<String>,
    /// The commit that had been applied before.
    pub previous: Option<String>,
    /// Whether nothing had been applied before.
    pub initial: bool,
    /// The commits between the two within the paths, newest first.
    pub commits: Vec<Commit>,
    /// What was done with which objects.
    pub changed: Vec<Changed>,
    /// Objects with which nothing could be done.
    pub errors: Vec<ObjectError>,
    /// How many objects fared how.
    pub counts: Counts,
    /// The event in Flux' words, when there were commits.
    pub event: Option<String>,
    /// What else is worth a line in the log.
    pub notes: Vec<String>,
    /// How long things took.
    pub durations: Durations,
}

impl SyncRecord {
    /// A sync that begins.
    pub fn begin(number: u64, trigger: Trigger, started: Timestamp) -> Self {
        Self {
            number,
            trigger,
            started,
            ended: None,
            ending: Ending::Running,
            error: None,
            revision: None,
            previous: None,
            initial: false,
            commits: Vec::new(),
            changed: Vec::new(),
            errors: Vec::new(),
            counts: Counts::default(),
            event: None,
            notes: Vec::new(),
            durations: Durations::default(),
        }
    }
}

/// The last syncs, newest last.
pub type History = Arc<VecDeque<Arc<SyncRecord>>>;

/// Keeps what syncs did.
#[derive(Debug)]
pub struct Records {
    file: Option<PathBuf>,
    list: History,
    next: u64,
    lines: usize,
}

impl Records {
    /// Takes up what a file has. A sync that did not end was interrupted.
    pub fn open(file: Option<PathBuf>) -> Self {
        let text = file.as_deref().map(read).unwrap_or_default();
        let mut list: VecDeque<Arc<SyncRecord>> = VecDeque::new();
        let mut lines = 0;
        for line in text.lines() {
            lines += 1;
            // The last line may have been broken off.
            let Ok(mut record) = serde_json::from_str::<SyncRecord>(line) else { continue };
            if record.ending == Ending::Running {
                record.ending = Ending::Interrupted;
                record.error = Some("the program ended in the middle of it".to_owned());
            }
            if list.back().is_some_and(|last| last.number == record.number) {
                list.pop_back();
            }
            list.push_back(Arc::new(record));
        }
        while list.len() > MOST {
            list.pop_front();
        }
        let next = list.back().map_or(1, |last| last.number.saturating_add(1));
        Self { file, list: Arc::new(list), next, lines }
    }

    /// The last syncs.
    pub fn history(&self) -> History {
        self.list.clone()
    }

    /// The commit of the last sync that came to its end.
    pub fn synced(&self) -> Option<&str> {
        let ended = |record: &&Arc<SyncRecord>| matches!(record.ending, Ending::Good | Ending::Partly);
        self.list.iter().rev().find(ended)?.revision.as_deref()
    }

    /// A sync begins.
    pub fn begin(&mut self, trigger: Trigger, now: Timestamp) -> SyncRecord {
        let record = SyncRecord::begin(self.next, trigger, now);
        self.next = self.next.saturating_add(1);
        self.write(&record);
        record
    }

    /// A sync has ended.
    pub fn end(&mut self, mut record: SyncRecord) -> Arc<SyncRecord> {
        record.changed.truncate(MOST_ENTRIES);
        record.errors.truncate(MOST_ENTRIES);
        record.commits.truncate(MOST_ENTRIES);
        let record = Arc::new(record);
        let list = Arc::make_mut(&mut self.list);
        list.push_back(record.clone());
        if list.len() > MOST {
            list.pop_front();
        }
        self.write(&record);
        record
    }

    fn write(&mut self, record: &SyncRecord) {
        let Some(file) = &self.file else { return };
        let done = if self.lines > 4 * MOST {
            self.lines = self.list.len();
            rewrite(file, &self.list)
        } else {
            self.lines += 1;
            append(file, record)
        };
        if let Err(error) = done {
            tracing::warn!(%error, file = %file.display(), "cannot keep what syncs did");
        }
    }
}

/// More than this is no file of ours.
const LARGEST: u64 = 64 << 20;

fn read(file: &Path) -> String {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.len() <= LARGEST => {
            std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn line(record: &SyncRecord) -> io::Result<String> {
    Ok(serde_json::to_string(record).map_err(io::Error::other)? + "\n")
}

fn append(file: &Path, record: &SyncRecord) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut out = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    // A line that was broken off must not spoil this one.
    let text = if ends_in_line(file)? { line(record)? } else { format!("\n{}", line(record)?) };
    out.write_all(text.as_bytes())
}

fn ends_in_line(file: &Path) -> io::Result<bool> {
    use io::{Read as _, Seek as _};

    let mut there = std::fs::File::open(file)?;
    if there.metadata()?.len() == 0 {
        return Ok(true);
    }
    there.seek(io::SeekFrom::End(-1))?;
    let mut last = [0];
    there.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn rewrite(file: &Path, list: &VecDeque<Arc<SyncRecord>>) -> io::Result<()> {
    let mut text = String::new();
    for record in list {
        text.push_str(&line(record)?);
    }
    let beside = file.with_extension("new");
    std::fs::write(&beside, text)?;
    std::fs::rename(beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_interrupted_is_remembered_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/syncs.jsonl");
        let mut records = Records::open(Some(file.clone()));
        let mut first = records.begin(Trigger::Start, at(1));
        first.ending = Ending::Good;
        first.revision = Some("aaa".to_owned());
        records.end(first);
        records.begin(Trigger::Push, at(2));
        drop(records);
        std::fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"number\":3,\"tri").unwrap();
        let mut again = Records::open(Some(file.clone()));
        let endings: Vec<(u64, Ending)> = again.history().iter().map(|r| (r.number, r.ending)).collect();
        assert_eq!(endings, [(1, Ending::Good), (2, Ending::Interrupted)]);
        assert_eq!(again.synced(), Some("aaa"));
        let third = again.begin(Trigger::Start, at(3));
        assert_eq!(third.number, 3);
        again.end(SyncRecord { ending: Ending::Failed, ..third });
        assert_eq!(Records::open(Some(file)).history().len(), 3);
    }

    #[test]
    fn only_the_last_ones_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("syncs.jsonl");
        let mut records = Records::open(Some(file.clone()));
        for number in 0..300 {
            let mut record = records.begin(Trigger::Interval, at(number));
            record.ending = Ending::Good;
            records.end(record);
        }
        assert_eq!(records.history().len(), MOST);
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 4 * MOST + 2, "{lines}");
        let again = Records::open(Some(file));
        assert_eq!((again.history().len(), again.history().back().map(|r| r.number)), (MOST, Some(300)));
        assert_eq!(Records::open(None).history().len(), 0);
    }
}
