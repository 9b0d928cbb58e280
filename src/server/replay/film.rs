//! A recorded run for a page that stands alone: what each panel of a deck showed when, as HTML; packed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Map, Value, json};

use super::terminal_name;
use crate::deck::PanelKind;
use crate::panel::state::{Body, PanelState};
use crate::recording::play::{Change, Player};
use crate::recording::read::Recording;
use crate::recording::{marks, panel_cell, slides, step_cell, terminal_cell};
use crate::render::RenderedSlide;
use crate::render::template::{self, Templates};
use crate::server::panels::{recorded_name, view};

/// Every so many pictures one is whole, so that a moment is found quickly.
const WHOLE: usize = 32;
/// Pictures closer together than this are left out, one after the other until a film is small enough.
const PACES: [u32; 4] = [0, 500, 2000, 5000];

/// A run as a page shows it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Film {
    /// Deflated JSON.
    pub packed: Vec<u8>,
    /// How many pictures of panels are in it.
    pub pictures: usize,
    /// How many were left out for its size.
    pub left_out: usize,
    /// Whether a terminal is in it.
    pub terminals: bool,
}

/// What a deck's slides show of a run; `None` when they show nothing of it. The film is thinned out until it has no more
/// than `budget` bytes, or cannot be thinner.
///
/// # Errors
/// When the template of panels is wrong.
pub fn film(
    run: &Arc<Recording>,
    deck: &str,
    slides: &[RenderedSlide],
    templates: &Templates,
    label: &str,
    budget: usize,
) -> Result<Option<Film>, template::Error> {
    let mut last = None;
    let mut most = 0;
    for pace in PACES {
        let Some(reel) = Reel::record(run, deck, slides, templates, pace)? else { return Ok(None) };
        most = most.max(reel.pictures);
        let film = Film {
            packed: packed(&reel.document(run, deck, slides, label)),
            pictures: reel.pictures,
            left_out: most - reel.pictures,
            terminals: !reel.texts.is_empty(),
        };
        let fits = film.packed.len() <= budget;
        last = Some(film);
        if fits {
            break;
        }
    }
    Ok(last)
}

fn packed(document: &Value) -> Vec<u8> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let _ = packer.write_all(document.to_string().as_bytes());
    packer.finish().unwrap_or_default()
}

/// What is taken from a run.
#[derive(Default)]
struct Reel {
    panels: BTreeMap<String, Pictures>,
    steps: BTreeMap<String, Vec<Value>>,
    texts: BTreeMap<String, Vec<Value>>,
    pictures: usize,
}

#[derive(Default)]
struct Pictures {
    list: Vec<Value>,
    html: String,
    at: u32,
    /// A picture that came too soon after the one before.
    waits: Option<(u32, String, Option<String>)>,
}

impl Reel {
    fn record(
        run: &Arc<Recording>,
        deck: &str,
        slides: &[RenderedSlide],
        templates: &Templates,
        pace: u32,
    ) -> Result<Option<Self>, template::Error> {
        let specs = || slides.iter().flat_map(|slide| &slide.panels).map(|(_, spec)| spec);
        let panels: BTreeMap<String, String> = specs()
            .filter(|spec| spec.kind != PanelKind::Terminal)
            .map(|spec| (panel_cell(&recorded_name(deck, spec)), spec.key()))
            .collect();
        let terminals: BTreeSet<String> = specs()
            .filter(|spec| spec.kind == PanelKind::Terminal)
            .map(|spec| terminal_cell(&terminal_name(spec)))
            .collect();
        let steps: BTreeMap<String, String> = slides
            .iter()
            .flat_map(|slide| &slide.steps)
            .map(|step| (step_cell(deck, &step.name), step.name.clone()))
            .collect();
        let mut reel = Self::default();
        let mut player = Player::new(run.clone());
        let all: Vec<Change> = player.scene().cells.keys().cloned().map(Change::Cell).collect();
        let mut changes = (0, all);
        loop {
            let at = changes.0;
            for change in changes.1 {
                match change {
                    Change::Cell(cell) => {
                        let Some(value) = player.scene().cells.get(&cell) else { continue };
                        if let Some(key) = panels.get(&cell) {
                            reel.picture(key, at, value, templates, pace)?;
                        } else if let Some(name) = steps.get(&cell) {
                            let step = json!([at, value["state"], value["took_ms"]]);
                            reel.steps.entry(name.clone()).or_default().push(step);
                        } else if terminals.contains(&cell) && value["columns"].is_u64() {
                            let size = json!([at, [value["columns"], value["rows"]]]);
                            reel.texts.entry(cell.clone()).or_default().push(size);
                        }
                    }
                    Change::Text(cell, text) if terminals.contains(&cell) => {
                        reel.texts.entry(cell).or_default().push(json!([at, text]));
                    }
                    Change::Anew(cell) if terminals.contains(&cell) => {
                        reel.texts.entry(cell).or_default().push(json!([at, null]));
                    }
                    _ => {}
                }
            }
            let Some(next) = player.next_at() else { break };
            changes = (next, player.advance(next));
        }
        for pictures in reel.panels.values_mut() {
            reel.pictures += usize::from(pictures.settle());
        }
        let nothing = reel.panels.is_empty() && reel.texts.is_empty() && reel.steps.is_empty();
        Ok((!nothing).then_some(reel))
    }

    fn picture(
        &mut self,
        key: &str,
        at: u32,
        value: &Value,
        templates: &Templates,
        pace: u32,
    ) -> Result<(), template::Error> {
        let Ok(state) = serde_json::from_value::<PanelState>(value.clone()) else { return Ok(()) };
        if matches!(state.body, Body::Waiting) {
            return Ok(());
        }
        let frame = view::frame(templates, key, &state)?;
        let Some(html) = frame.html else { return Ok(()) };
        let pictures = self.panels.entry(key.to_owned()).or_default();
        let time = state.time;
        if !pictures.list.is_empty() && at - pictures.at < pace {
            pictures.waits = Some((at, html, time));
            return Ok(());
        }
        // The last one of those that came too soon is how it stood until now.
        self.pictures += usize::from(pictures.settle());
        self.pictures += usize::from(pictures.take(at, html, time));
        Ok(())
    }

    fn document(&self, run: &Recording, deck: &str, slides: &[RenderedSlide], label: &str) -> Value {
        let panels: Map<String, Value> =
            self.panels.iter().map(|(key, pictures)| (key.clone(), json!(pictures.list))).collect();
        let texts: Map<String, Value> = self
            .texts
            .iter()
            .map(|(cell, texts)| (cell.strip_prefix("terminal ").unwrap_or(cell).to_owned(), json!(texts)))
            .collect();
        let marks = slides.iter().flat_map(|slide| &slide.steps).filter_map(|step| {
            let mark = run.step(deck, &step.name)?;
            Some((step.name.clone(), json!({ "from": mark.from, "to": mark.to, "passed": mark.passed() })))
        });
        json!({
            "label": label,
            "length": run.length,
            "panels": panels,
            "terminals": texts,
            "steps": self.steps,
            "marks": marks.collect::<Map<_, _>>(),
            "slides": parts(run, deck, slides),
        })
    }
}

impl Pictures {
    /// Takes in the picture that waits.
    fn settle(&mut self) -> bool {
        self.waits.take().is_some_and(|(at, html, time)| self.take(at, html, time))
    }

    fn take(&mut self, at: u32, html: String, time: Option<String>) -> bool {
        if html == self.html {
            return false;
        }
        let whole = self.list.len().is_multiple_of(WHOLE);
        let mut picture = vec![json!(at), if whole { json!(html) } else { change(&self.html, &html) }];
        picture.extend(time.map(Value::String));
        self.list.push(picture.into());
        (self.html, self.at) = (html, at);
        true
    }
}

/// What makes a text of another: how much of its start and its end stays, counted as browsers do, and what is between.
fn change(old: &str, new: &str) -> Value {
    let old: Vec<u16> = old.encode_utf16().collect();
    let new: Vec<u16> = new.encode_utf16().collect();
    let cuts = |text: &[u16], at: usize| text.get(at).is_some_and(|unit| (0xDC00..0xE000).contains(unit));
    let mut before = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    while before > 0 && (cuts(&new, before) || cuts(&old, before)) {
        before -= 1;
    }
    let room = old.len().min(new.len()) - before;
    let mut after = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(old, new)| old == new).count();
    while after > 0 && (cuts(&new, new.len() - after) || cuts(&old, old.len() - after)) {
        after -= 1;
    }
    json!([before, after, String::from_utf16_lossy(&new[before..new.len() - after])])
}

/// Which part of the run belongs to each slide: its steps and what they set off, else the time it was shown.
fn parts(run: &Recording, deck: &str, slides: &[RenderedSlide]) -> Value {
    let stays = slides::stays(&Arc::new(run.clone()));
    let parts = slides.iter().enumerate().map(|(number, slide)| {
        let marks = slide.steps.iter().filter_map(|step| run.step(deck, &step.name));
        let bounds = marks.map(|mark| (mark.from, marks::until(&run.end.steps, mark.from, run.length)));
        let bounds = bounds.reduce(|(from, to), (other_from, other_to)| (from.min(other_from), to.max(other_to)));
        let stay = || {
            let longest = stays.iter().filter(|stay| stay.deck == deck && stay.slide == number);
            longest.max_by_key(|stay| stay.to - stay.from).map(|stay| (stay.from, stay.to))
        };
        json!(bounds.or_else(stay).map(|(from, to)| [from, to]))
    });
    parts.collect()
}

#[cfg(test)]
#[path = "film_tests.rs"]
mod tests;
