//! What a deck's new snapshots change: its text, and the pictures beside it.

use std::path::{Path, PathBuf};

use crate::deck::{PanelSpec, snapshot};
use crate::project::files::Reader;
use crate::project::find::parent_of;
use crate::project::{Project, Target};

use super::take::{Shot, Taken};

/// What would be written.
pub(super) struct Change {
    /// The deck's text with the new snapshots.
    pub(super) text: String,
    /// Its panels.
    pub(super) panels: Vec<Panel>,
}

/// One panel.
pub(super) struct Panel {
    pub(super) line: usize,
    pub(super) title: String,
    /// Why it stays as it is.
    pub(super) kept: Option<String>,
    /// The text now and then.
    pub(super) before: String,
    pub(super) after: String,
    /// The picture, of panels in that form.
    pub(super) picture: Option<Picture>,
    is_new: bool,
}

/// A picture that is written beside the deck.
pub(super) struct Picture {
    pub(super) path: PathBuf,
    pub(super) svg: String,
}

impl Panel {
    /// Whether there is something to write for it.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }
}

impl Change {
    /// What a run changes in its deck.
    pub(super) fn of(project: &Project, deck: &Taken) -> Self {
        let panels: Vec<Panel> = deck.shots.iter().map(|shot| panel(project, deck, shot)).collect();
        let bodies: Vec<(&PanelSpec, &str)> = deck
            .shots
            .iter()
            .zip(&panels)
            .filter(|(_, panel)| panel.is_new && panel.picture.is_none())
            .map(|(shot, panel)| (&shot.spec, panel.after.as_str()))
            .collect();
        Self { text: snapshot::replace(deck.compiled.source.text(), &bodies), panels }
    }

    /// Whether anything is to be written.
    pub(super) fn is_any(&self) -> bool {
        self.panels.iter().any(Panel::is_new)
    }
}

fn panel(project: &Project, deck: &Taken, shot: &Shot) -> Panel {
    let source = &deck.compiled.source;
    let mut panel = Panel {
        line: source.line_column(shot.spec.span.start).line,
        title: format!("panel {}", shot.spec.title()),
        kept: shot.seen.as_ref().err().cloned(),
        before: shot.spec.snapshot.clone(),
        after: String::new(),
        picture: None,
        is_new: false,
    };
    let Ok(seen) = &shot.seen else { return panel };
    panel.after.clone_from(&seen.text);
    match &shot.spec.picture {
        None => panel.is_new = snapshot::replace(source.text(), &[(&shot.spec, &seen.text)]) != source.text(),
        Some(address) => match place(project, &deck.compiled.folder, address) {
            Ok(path) => {
                panel.before.clear();
                panel.is_new = std::fs::read(&path).ok().as_deref() != Some(seen.svg.as_bytes());
                panel.picture = Some(Picture { path, svg: seen.svg.clone() });
            }
            Err(why) => panel.kept = Some(why),
        },
    }
    panel
}

/// The file of a picture: an SVG file below the project's folder.
fn place(project: &Project, folder: &Path, address: &str) -> Result<PathBuf, String> {
    let reader = Reader::new(project.files());
    let path = match project.target(&reader, folder, address) {
        Target::File(path) | Target::Missing(path) => path,
        Target::Outside(_) => return Err(format!("`{address}` is not below the project's folder")),
        Target::Remote | Target::Inside | Target::Refused => {
            return Err(format!("`{address}` is no file of the project"));
        }
    };
    if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg")) {
        return Err(format!("`{address}` is no SVG file; name one that ends in `.svg`"));
    }
    // What is not there yet must not be written through a link that leads out.
    let mut known = parent_of(&path);
    while !known.exists() && known.pop() {}
    let is_inside = known.canonicalize().is_ok_and(|real| real.starts_with(&project.root));
    if !is_inside || project.is_hidden(&path) || path.is_symlink() {
        return Err(format!("`{address}` is not below the project's folder"));
    }
    Ok(path)
}
