//! `index.json`: which files a scenario consists of, and what in it means nothing to us.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// A path in the scenario's folder, and where it is named.
pub(super) type Named = (String, Span);
type Findings = Vec<(Arc<SourceFile>, Diagnostic)>;

/// No workshop has more steps.
const MOST: usize = 99;

/// A scenario.
#[derive(Debug, Default)]
pub(super) struct Scenario {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) intro: Option<Place>,
    pub(super) steps: Vec<Place>,
    pub(super) finish: Option<Place>,
}

/// A step, or what stands around them.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) title: Option<String>,
    pub(super) text: Option<Named>,
    pub(super) verify: Option<Named>,
    pub(super) foreground: Option<Named>,
    pub(super) background: Option<Named>,
}

/// Reads a scenario; nothing when there is none in the file.
pub(super) fn read(index: &Arc<SourceFile>, findings: &mut Findings) -> Option<Scenario> {
    let value = match serde_json::from_str::<Value>(index.text()) {
        Ok(value) => value,
        Err(error) => {
            let before = index.text().split_inclusive('\n').take(error.line().saturating_sub(1));
            let line = before.map(str::len).sum::<usize>();
            let at = (line + error.column().saturating_sub(1)).min(index.text().len());
            let found = Diagnostic::error(Code("workshop/import"), format!("the file is not valid JSON: {error}"));
            findings.push((index.clone(), found.at(Span::new(at, at))));
            return None;
        }
    };
    let mut reader = Reader { index, findings };
    let scenario = reader.scenario(&value);
    if scenario.steps.is_empty() {
        let message = "there are no steps in this scenario";
        let found = Diagnostic::error(Code("workshop/import"), message).at(Span::new(0, 0));
        reader.findings.push((index.clone(), found.hint("they stand in `details.steps`, each with a `text`")));
        return None;
    }
    Some(scenario)
}

struct Reader<'a> {
    index: &'a Arc<SourceFile>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn scenario(&mut self, value: &Value) -> Scenario {
        let mut scenario = Scenario::default();
        let empty = Map::new();
        let top = value.as_object().unwrap_or(&empty);
        let text = |key: &str| top.get(key).and_then(Value::as_str).map(str::to_owned);
        (scenario.title, scenario.description) = (text("title"), text("description"));
        for key in top.keys() {
            match key.as_str() {
                "title" | "description" | "details" => {}
                "backend" => self.backend(top.get(key)),
                _ => self.left_out(key, "is left out"),
            }
        }
        let details = top.get("details").and_then(Value::as_object).unwrap_or(&empty);
        for (key, value) in details {
            match key.as_str() {
                "intro" => scenario.intro = Some(self.place(value)),
                "finish" => scenario.finish = Some(self.place(value)),
                "steps" => {
                    let steps = value.as_array().map(Vec::as_slice).unwrap_or_default();
                    if steps.len() > MOST {
                        self.left_out(key, "are too many: the rest is left out");
                    }
                    scenario.steps = steps.iter().take(MOST).map(|step| self.place(step)).collect();
                }
                "assets" => self.left_out(key, "are not copied: put the files into the workshop's `repo/` folder"),
                _ => self.left_out(key, "is left out"),
            }
        }
        // A scenario of one page has its text and its check in the introduction.
        if scenario.steps.is_empty() && scenario.intro.as_ref().is_some_and(|intro| intro.text.is_some()) {
            scenario.steps = scenario.intro.take().into_iter().collect();
        }
        scenario
    }

    fn backend(&mut self, backend: Option<&Value>) {
        let image = backend.and_then(|backend| backend.get("imageid")).and_then(Value::as_str).unwrap_or_default();
        if !image.starts_with("kubernetes") {
            let why = "is a machine of its own: here commands run in the sandbox's folder, against its cluster";
            self.left_out("imageid", why);
        } else if image.contains("2node") {
            self.left_out("imageid", "has two nodes: the embedded cluster has one");
        }
    }

    fn place(&mut self, value: &Value) -> Place {
        let mut place = Place::default();
        let Some(members) = value.as_object() else { return place };
        for (key, value) in members {
            let named = || value.as_str().map(|path| (path.to_owned(), self.find(path)));
            match key.as_str() {
                "title" => place.title = value.as_str().map(str::to_owned),
                "text" => place.text = named(),
                "verify" => place.verify = named(),
                "foreground" => place.foreground = named(),
                "background" => place.background = named(),
                _ => self.left_out(key, "is left out"),
            }
        }
        place
    }

    fn left_out(&mut self, key: &str, why: &str) {
        let found = Diagnostic::warning(Code("workshop/import"), format!("`{key}` {why}")).at(self.find(key));
        if !self.findings.iter().any(|(_, known)| *known == found) {
            self.findings.push((self.index.clone(), found));
        }
    }

    /// Where a text stands in the file, in its quotes.
    fn find(&self, text: &str) -> Span {
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let at = self.index.text().find(&quoted);
        at.map_or(Span::new(0, 0), |at| Span::new(at, at + quoted.len()))
    }
}
