//! What was shown → the bytes of a run, and its file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::{Plan, Seen, hash, secrets};
use crate::deck::step::Role;
use crate::panel::redact::Secrets;
use crate::recording::facts::Facts;
use crate::recording::write::Writer;
use crate::recording::{
    DEMO, DeckEnd, FACTS, Head, POSITION, SYNC, What, check_cell, deck_cell, files, marks, panel_cell, step_cell,
    terminal_cell,
};
use crate::sandbox::keep::Demo;
use crate::server::desk;
use crate::server::state::App;

/// What becomes a run.
pub(super) struct Recorder {
    app: Arc<App>,
    plan: Plan,
    head: Head,
    writer: Writer,
    began: Instant,
    /// Bytes of letters that are not whole yet, by terminal.
    letters: HashMap<String, Vec<u8>>,
    /// The versions of decks that have been noted.
    versions: BTreeMap<usize, u64>,
    /// Whether anything was shown that is worth a file.
    worth: bool,
    waiting: Vec<u8>,
    file: Option<tokio::fs::File>,
    failed: bool,
    facts: Facts,
}

impl Recorder {
    pub(super) fn new(app: Arc<App>, plan: Plan, began: Instant, head: Head, facts: Facts) -> Self {
        let writer = Writer::new(&head, secrets(&app, &app.demo.borrow()), plan.most);
        let mut recorder = Self {
            app,
            plan,
            head,
            writer,
            began,
            letters: HashMap::new(),
            versions: BTreeMap::new(),
            worth: false,
            waiting: Vec::new(),
            file: None,
            failed: false,
            facts,
        };
        recorder.note_facts();
        recorder
    }

    fn note_facts(&mut self) {
        let facts = serde_json::to_value(&self.facts).unwrap_or_default();
        self.writer.set(self.now(), FACTS, facts);
    }

    fn moment(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u32::MAX)
    }

    fn now(&self) -> u32 {
        self.moment(Instant::now())
    }

    pub(super) fn take(&mut self, at: Instant, seen: Seen) {
        let at = self.moment(at);
        match seen {
            Seen::Panel(key, state) => {
                self.worth |= state.at.is_some();
                let state = serde_json::to_value(&*state).unwrap_or_default();
                self.writer.set(at, &panel_cell(&key), state);
            }
            Seen::Size(name, columns, rows) => {
                self.writer.set(at, &terminal_cell(&name), json!({ "columns": columns, "rows": rows }));
            }
            Seen::Text(name, bytes, anew) => {
                self.worth = true;
                if anew {
                    self.letters.remove(&name);
                    self.writer.anew(at, &name);
                }
                let text = whole_letters(self.letters.entry(name.clone()).or_default(), &bytes);
                self.writer.text(at, &name, &text);
            }
            Seen::Ran { version, images } => {
                self.facts.version = version;
                self.facts.images.extend(images);
                self.note_facts();
            }
            Seen::Sync(sync) => self.writer.set(at, SYNC, sync),
            Seen::Check(step, value) => {
                self.worth = true;
                self.writer.set(at, &check_cell(&step), value);
            }
        }
    }

    pub(super) fn position(&mut self) {
        let live = self.app.hub.speaker(0);
        let value = json!({ "deck": live.deck, "slide": live.slide, "fragment": live.fragment, "screen": live.screen });
        self.writer.set(self.now(), POSITION, value);
    }

    pub(super) fn demo(&mut self, demo: &Demo) {
        self.writer.keep_secret(secrets(&self.app, demo));
        let (state, cluster) = match demo {
            Demo::Off => ("off", ""),
            Demo::Starting => ("starting", ""),
            Demo::Ready(sandbox) => ("ready", sandbox.cluster_name()),
            Demo::Failed(_) => ("failed", ""),
        };
        self.writer.set(self.now(), DEMO, json!({ "state": state, "cluster": cluster }));
    }

    /// Notes the decks that changed.
    pub(super) fn decks(&mut self) {
        let app = self.app.clone();
        for (index, deck) in app.decks.iter().enumerate() {
            let Some(view) = deck.now().filter(|view| self.versions.get(&index) != Some(&view.version)) else {
                continue;
            };
            self.versions.insert(index, view.version);
            let value =
                json!({ "title": deck.title(), "hash": hash(&view), "slides": view.compiled.rendered.slides.len() });
            self.writer.set(self.now(), &deck_cell(&deck.slug), value);
        }
    }

    pub(super) fn steps(&mut self) {
        let app = self.app.clone();
        let journal = app.desk.runner.journal().borrow().clone();
        for deck in &app.decks {
            let Some(view) = deck.now() else { continue };
            for (slide, step) in
                desk::steps(&view).enumerate().flat_map(|(slide, on)| on.iter().map(move |s| (slide, s)))
            {
                let Some(run) = journal.run(&deck.slug, &step.name) else { continue };
                self.worth = true;
                let value: Value = json!({
                    "deck": deck.slug, "name": step.name, "slide": slide, "state": run.state.as_str(),
                    "took_ms": run.took_ms, "exit": run.exit, "reason": run.reason, "output": run.output,
                });
                self.writer.set(self.now(), &step_cell(&deck.slug, &step.name), value);
            }
        }
    }

    pub(super) async fn flush(&mut self) {
        if !self.writer.holds() || self.failed {
            return;
        }
        self.waiting.extend(self.writer.take());
        if self.worth {
            self.put().await;
        }
    }

    /// Adds what waits to the file, which is made when it is needed. A disk that is full costs the run, not the talk.
    async fn put(&mut self) {
        let bytes = std::mem::take(&mut self.waiting);
        let outcome = async {
            let file = match &mut self.file {
                Some(file) => file,
                None => {
                    let (folder, head, kept) = (self.plan.folder.clone(), self.head.clone(), self.plan.kept);
                    let made = tokio::task::spawn_blocking(move || files::create(&folder, &head, kept)).await;
                    let (file, path) = made.map_err(std::io::Error::other)??;
                    tracing::debug!(run.path = %path.display(), "recording");
                    let _ = self.plan.written.set(path);
                    self.file.insert(tokio::fs::File::from_std(file))
                }
            };
            file.write_all(&bytes).await?;
            file.flush().await
        };
        if let Err(error) = outcome.await {
            self.failed = true;
            tracing::warn!(%error, run.folder = %self.plan.folder.display(), "this run is not recorded any more");
        }
    }

    pub(super) async fn finish(mut self, lost: u64) {
        let at = self.now();
        let mut decks = Vec::new();
        for deck in &self.app.decks {
            let Some(view) = deck.now() else { continue };
            let steps: Vec<&str> = desk::steps(&view)
                .flatten()
                .filter(|step| step.role == Role::Run)
                .map(|step| step.name.as_str())
                .collect();
            let done = |name: &&str| marks::best(self.writer.steps(), &deck.slug, name).is_some_and(|run| run.passed());
            let passed = steps.iter().all(done) && (!steps.is_empty() || self.plan.what == What::Rehearsal);
            decks.push(DeckEnd { deck: deck.slug.clone(), hash: hash(&view), steps: steps.len(), passed });
        }
        if !self.worth || self.failed {
            return;
        }
        let writer = std::mem::replace(&mut self.writer, Writer::new(&self.head, Secrets::default(), 0));
        self.waiting.extend(writer.finish(at, decks, lost));
        self.put().await;
    }
}

/// The letters that are whole; the rest waits for more.
fn whole_letters(held: &mut Vec<u8>, bytes: &[u8]) -> String {
    held.extend_from_slice(bytes);
    let whole = match std::str::from_utf8(held) {
        Ok(_) => held.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        // The end may be a begun letter behind something that is none.
        Err(_) => held.len() - held.iter().rev().take(3).position(|byte| byte >> 6 == 3).map_or(0, |back| back + 1),
    };
    let rest = held.split_off(whole);
    String::from_utf8_lossy(&std::mem::replace(held, rest)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_put_together() {
        let text = "aä€😀 \u{1b}[0m z";
        for size in 1..6 {
            let mut held = Vec::new();
            let read: String = text.as_bytes().chunks(size).map(|piece| whole_letters(&mut held, piece)).collect();
            assert_eq!((read.as_str(), held.len()), (text, 0), "in pieces of {size}");
        }
        let mut held = Vec::new();
        assert_eq!(whole_letters(&mut held, b"a\xffb\xe2\x82"), "a\u{fffd}b");
        assert_eq!(whole_letters(&mut held, b"\xac"), "€");
    }
}
