//! Decks through all rules that need no browser.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::args::Check;
use super::fit::Projector;
use super::served::Served;
use super::{estimate, manifest, offline};
use crate::cli::console::Failure;
use crate::cli::{import, not_found, workshop};
use crate::deck::Compatibility;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::gitops::{canary, capi};
use crate::project::{Compiled, Project, ProjectOptions, SourceFormat};

/// A file that was looked at.
pub(super) struct Checked {
    pub(super) source: SourceFile,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What can be measured of it: nothing when it is no deck.
    pub(super) deck: Option<(Arc<Project>, Compiled)>,
}

impl Checked {
    /// Something that cannot be measured.
    pub(super) fn new(source: SourceFile, diagnostics: Vec<Diagnostic>) -> Self {
        Self { source, diagnostics, deck: None }
    }

    /// In the order of their places.
    pub(super) fn sort(&mut self) {
        let place = |found: &Diagnostic| (found.file.is_some(), found.span.map_or(usize::MAX, |span| span.start));
        self.diagnostics.sort_by(|a, b| place(a).cmp(&place(b)).then(b.severity.cmp(&a.severity)));
    }
}

/// What could not be read.
type Failures = Vec<(PathBuf, Failure)>;

/// How decks are looked at.
pub(super) struct Look<'a> {
    options: &'a ProjectOptions,
    served: Served,
    offline: bool,
    /// Whether sizes are reckoned, since nothing measures them.
    estimates: bool,
}

impl<'a> Look<'a> {
    pub(super) fn new(options: &'a ProjectOptions, args: &Check) -> Self {
        Self {
            options,
            served: Served::new(&definitions()),
            offline: args.offline,
            estimates: args.projector.is_none(),
        }
    }

    /// Looks at all inputs. One that cannot be read does not hide what is wrong with the others.
    pub(super) fn all(&self, inputs: &[PathBuf]) -> (Vec<Checked>, Failures) {
        let (mut checked, mut failures) = (Vec::new(), Vec::new());
        for input in inputs {
            match self.input(input, &mut failures) {
                Ok(decks) => checked.extend(decks),
                Err(error) => failures.push((input.clone(), not_found(input, error))),
            }
        }
        (checked, failures)
    }

    fn input(&self, input: &Path, failures: &mut Failures) -> Result<Vec<Checked>, Failure> {
        if input == Path::new("-") {
            let project = Arc::new(Project::around(Path::new("."), self.options.clone())?);
            let compiled = project.compile_source(import::read(input)?, Path::new("."))?;
            return Ok(vec![self.deck(&project, compiled)]);
        }
        if let Some(steps) = workshop::lint::look(input) {
            return Ok(steps?.into_iter().map(|(source, found)| Checked::new(source, found)).collect());
        }
        let project = Arc::new(Project::open(input, self.options.clone())?);
        let mut checked = Vec::new();
        for entry in &project.decks {
            match project.compile(entry) {
                Ok(compiled) => checked.push(self.deck(&project, compiled)),
                Err(error) => failures.push((entry.path.clone(), error.into())),
            }
        }
        Ok(checked)
    }

    fn deck(&self, project: &Arc<Project>, compiled: Compiled) -> Checked {
        let mut diagnostics = compiled.diagnostics.clone();
        if self.offline {
            offline::judge(&compiled.rendered.css, &mut diagnostics);
        }
        // Texts of other tools are converted first: places in them are not those that were written.
        let written = self.options.format == SourceFormat::Marp;
        if written {
            let deck = crate::deck::parse(&compiled.source, &self.options.deck).value;
            if self.options.deck.compatibility == Compatibility::KeepText {
                diagnostics.extend(manifest::findings(compiled.source.text(), &deck, &self.served));
            }
            if self.estimates {
                let rendered = &compiled.rendered;
                diagnostics.extend(estimate::findings(&deck, &rendered.meta.theme, rendered.size, Projector::USUAL));
            }
        }
        let source = compiled.source.clone();
        let mut checked = Checked { source, diagnostics, deck: Some((project.clone(), compiled)) };
        checked.sort();
        checked
    }
}

/// The definitions that come with the embedded cluster.
fn definitions() -> Vec<Value> {
    let mut all = capi::kind::definitions().unwrap_or_default();
    all.extend(canary::definitions());
    all
}
