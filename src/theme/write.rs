//! One source's rules → the page's CSS: flattened, confined, compact.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::nesting;
use super::scope::{Origin, Scope};
use super::selector::split_list;
use super::stylesheet::{Kind, Node, Stylesheet};
use super::value;

/// Nested rules multiply their selectors; beyond this many bytes the CSS is refused.
const ROOM: usize = 4 << 20;
const ROOM_PER_BYTE: usize = 8;
/// No sheet becomes larger than this.
const MAX_OUTPUT: usize = 512 << 20;
/// No rule of a person or a tool has a selector list this long.
const MAX_LIST: usize = 256 << 10;

/// At-rules that may stand in a rule and then hold its declarations.
const CONDITIONS: [&str; 5] = ["media", "supports", "container", "layer", "starting-style"];
/// At-rules whose blocks hold no selectors of the page.
const OPAQUE: [&str; 9] = [
    "font-face",
    "page",
    "counter-style",
    "property",
    "font-palette-values",
    "font-feature-values",
    "view-transition",
    "position-try",
    "color-profile",
];

/// Selectors are, or by nesting would have grown, beyond all measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Appends the rules of a sheet; `@import`, `@charset` and `@import-theme` are left out.
pub(super) fn write(sheet: &Stylesheet<'_>, scope: Scope<'_>, out: &mut String) -> Result<(), TooLarge> {
    let animations = match scope.origin {
        Origin::Scoped(_) => animations(sheet),
        _ => BTreeSet::new(),
    };
    let start = out.len();
    let room = ROOM + ROOM_PER_BYTE * sheet.text().len();
    let mut writer = Writer { sheet, animations, room, out };
    let area = Area { scope, confined: true };
    for node in sheet.top() {
        if writer.top_level(node, area).is_err() {
            out.truncate(start);
            return Err(TooLarge);
        }
    }
    Ok(())
}

/// Names of the animations a sheet defines.
fn animations(sheet: &Stylesheet<'_>) -> BTreeSet<String> {
    let frames = sheet.nodes().iter().filter(|node| is_keyframes(sheet.name(node)));
    frames.map(|node| value::animation_name(sheet.prelude(node))).collect()
}

fn is_keyframes(name: &str) -> bool {
    name == "keyframes" || (name.starts_with('-') && name.ends_with("-keyframes"))
}

/// Where in the sheet the writer is.
#[derive(Clone, Copy)]
struct Area<'k> {
    scope: Scope<'k>,
    /// False inside blocks that scoped styles leak out of, as in Marp.
    confined: bool,
}

/// Selectors around a declaration: flat, and as the page has them.
struct Selectors {
    flat: Vec<String>,
    list: String,
    written: String,
    page_number: OnceCell<bool>,
    prepared: OnceCell<Vec<String>>,
}

impl Selectors {
    fn new(flat: Vec<String>, scope: Scope<'_>) -> Self {
        let list = flat.join(",");
        let mut written = String::with_capacity(list.len() + 64);
        scope.write(&list, &mut written);
        Self { flat, list, written, page_number: OnceCell::new(), prepared: OnceCell::new() }
    }
}

struct Writer<'a, 't> {
    sheet: &'a Stylesheet<'t>,
    animations: BTreeSet<String>,
    /// Bytes that nested rules may still add.
    room: usize,
    out: &'a mut String,
}

impl Writer<'_, '_> {
    /// A node outside all rules.
    fn top_level(&mut self, node: &Node, area: Area<'_>) -> Result<(), TooLarge> {
        self.check()?;
        match node.kind {
            // A declaration without a rule would spoil the rule after it.
            Kind::Comment | Kind::Declaration(_) => Ok(()),
            Kind::Rule => self.rule(node, None, area),
            Kind::Statement(_) if matches!(self.sheet.name(node), "import" | "charset" | "import-theme") => Ok(()),
            Kind::Statement(_) | Kind::Block(_) => self.at_rule(node, None, area),
        }
    }

    fn check(&self) -> Result<(), TooLarge> {
        if self.out.len() > MAX_OUTPUT { Err(TooLarge) } else { Ok(()) }
    }

    /// Counts bytes that are there only because rules are nested.
    fn charge(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.room = self.room.checked_sub(bytes).ok_or(TooLarge)?;
        Ok(())
    }

    fn rule(&mut self, node: &Node, parent: Option<&Selectors>, area: Area<'_>) -> Result<(), TooLarge> {
        let sheet = self.sheet;
        let list = sheet.head(node);
        if list.len() > MAX_LIST {
            return Err(TooLarge);
        }
        let flat = match parent {
            Some(parent) => {
                let places = list.bytes().filter(|b| matches!(b, b',' | b'&')).count() + 1;
                self.charge(
                    places
                        .saturating_mul(parent.list.len())
                        .saturating_add(list.len().saturating_mul(parent.flat.len())),
                )?;
                nesting::resolve(list, parent.prepared.get_or_init(|| nesting::prepare(&parent.flat)))
            }
            // Without a rule around it `&` is the root of the page.
            None if list.contains('&') => nesting::resolve(list, &[":scope".to_owned()]),
            None => split_list(list).into_iter().map(str::to_owned).collect(),
        };
        let flat = match area.effective().origin {
            Origin::Scoped(key) if parent.is_none() => flat.iter().map(|one| Scope::confine(one, key)).collect(),
            _ => flat,
        };
        let selectors = Selectors::new(flat, area.effective());
        self.body(node, &selectors, area, parent.is_none())
    }

    /// What stands in a rule, or in a condition inside a rule.
    ///
    /// `first` says that the selectors are written here for the first time.
    fn body(&mut self, node: &Node, selectors: &Selectors, area: Area<'_>, first: bool) -> Result<(), TooLarge> {
        let sheet = self.sheet;
        let mut run = Run { first, ..Run::default() };
        for child in sheet.children(node) {
            self.check()?;
            match child.kind {
                Kind::Comment => {}
                Kind::Declaration(_) => self.declaration(child, selectors, area, &mut run)?,
                Kind::Rule => {
                    self.finish(&mut run, selectors, area);
                    self.rule(child, Some(selectors), area)?;
                }
                Kind::Block(_) if CONDITIONS.contains(&sheet.name(child)) => {
                    self.finish(&mut run, selectors, area);
                    self.at_rule(child, Some(selectors), area)?;
                }
                Kind::Block(_) | Kind::Statement(_) => {
                    self.begin(&mut run, selectors)?;
                    self.at_rule(child, None, area)?;
                }
            }
        }
        self.finish(&mut run, selectors, area);
        Ok(())
    }

    fn begin(&mut self, run: &mut Run, selectors: &Selectors) -> Result<(), TooLarge> {
        if run.body.is_none() {
            if !std::mem::take(&mut run.first) {
                self.charge(selectors.written.len())?;
            }
            self.out.push_str(&selectors.written);
            self.out.push('{');
            run.body = Some(self.out.len());
        }
        Ok(())
    }

    fn declaration(
        &mut self,
        node: &Node,
        selectors: &Selectors,
        area: Area<'_>,
        run: &mut Run,
    ) -> Result<(), TooLarge> {
        let sheet = self.sheet;
        let (property, text) = (sheet.head(node), sheet.value(node));
        let is_page_number = || *selectors.page_number.get_or_init(|| area.scope.is_page_number(&selectors.list));
        if property == "content" && !mentions_page(text) && is_page_number() {
            return Ok(());
        }
        self.begin(run, selectors)?;
        let start = self.out.len();
        self.write_declaration(property, text, area);
        if property == "font-size" {
            run.font_sizes.extend(self.out.get(start + property.len() + 1..).map(str::to_owned));
        }
        Ok(())
    }

    fn write_declaration(&mut self, property: &str, text: &str, area: Area<'_>) {
        self.out.push_str(property);
        self.out.push(':');
        match area.effective().origin {
            Origin::Scoped(key)
                if matches!(property, "animation" | "animation-name") && !self.animations.is_empty() =>
            {
                value::write(&value::rename_animations(text, &self.animations, key), self.out);
            }
            _ => value::write(text, self.out),
        }
        self.out.push(';');
    }

    /// Ends a run of declarations and writes the rules that follow from them.
    fn finish(&mut self, run: &mut Run, selectors: &Selectors, area: Area<'_>) {
        let Some(body) = run.body.take() else { return };
        let font_sizes = std::mem::take(&mut run.font_sizes);
        let end = self.out.len();
        self.out.push_str("}\n");
        if area.scope.origin != Origin::Engine && !font_sizes.is_empty() {
            self.root_font_size(&font_sizes, selectors, area.effective());
        }
        let mut frames = String::new();
        if area.scope.write_backdrops(&selectors.list, &mut frames) {
            let declarations = self.out.get(body..end).unwrap_or("").to_owned();
            self.out.push_str("@media screen{");
            self.out.push_str(&frames);
            self.out.push('{');
            self.out.push_str(&declarations);
            self.out.push_str("}\n}\n");
        }
    }

    fn root_font_size(&mut self, sizes: &[String], selectors: &Selectors, scope: Scope<'_>) {
        let Some(list) = Scope::root_font_size(&selectors.list) else { return };
        scope.write(&list, self.out);
        self.out.push('{');
        for size in sizes {
            self.out.push_str("--marpit-root-font-size:");
            self.out.push_str(size);
        }
        self.out.push_str("}\n");
    }

    fn at_rule(&mut self, node: &Node, parent: Option<&Selectors>, area: Area<'_>) -> Result<(), TooLarge> {
        let sheet = self.sheet;
        let (name, prelude) = (sheet.name(node), sheet.prelude(node));
        if name == "import-theme" {
            return Ok(());
        }
        self.out.push('@');
        self.out.push_str(name);
        if !prelude.is_empty() {
            self.out.push(' ');
            self.write_prelude(name, prelude, area);
        }
        if matches!(node.kind, Kind::Statement(_)) {
            self.out.push_str(";\n");
            return Ok(());
        }
        self.out.push('{');
        if is_keyframes(name) || OPAQUE.contains(&name) {
            self.opaque(node, area)?;
        } else if let Some(selectors) = parent {
            self.body(node, selectors, area.inside(name), false)?;
        } else {
            for child in sheet.children(node) {
                match child.kind {
                    Kind::Declaration(_) => self.write_declaration(sheet.head(child), sheet.value(child), area),
                    _ => self.top_level(child, area.inside(name))?,
                }
            }
        }
        self.out.push_str("}\n");
        Ok(())
    }

    fn write_prelude(&mut self, name: &str, prelude: &str, area: Area<'_>) {
        match area.scope.origin {
            Origin::Scoped(key) if is_keyframes(name) => value::push_renamed(prelude, key, self.out),
            _ => self.out.push_str(prelude),
        }
    }

    /// A block whose rules do not select elements of slides.
    fn opaque(&mut self, node: &Node, area: Area<'_>) -> Result<(), TooLarge> {
        let sheet = self.sheet;
        for child in sheet.children(node) {
            self.check()?;
            match child.kind {
                Kind::Comment => {}
                Kind::Declaration(_) => self.write_declaration(sheet.head(child), sheet.value(child), area),
                Kind::Statement(_) => {
                    self.out.push_str(sheet.raw(child));
                    self.out.push(';');
                }
                Kind::Rule | Kind::Block(_) => {
                    self.out.push_str(sheet.head(child));
                    self.out.push('{');
                    self.opaque(child, area)?;
                    self.out.push('}');
                }
            }
        }
        Ok(())
    }
}

/// Declarations of one rule that stand together.
#[derive(Default)]
struct Run {
    /// Where they begin in the output, once there is one.
    body: Option<usize>,
    /// `value;` of every `font-size`.
    font_sizes: Vec<String>,
    /// Whether nothing was written under these selectors yet.
    first: bool,
}

impl<'k> Area<'k> {
    fn inside(self, at_rule: &str) -> Self {
        let confines = matches!(at_rule, "media" | "supports");
        Self { confined: self.confined && (confines || !matches!(self.scope.origin, Origin::Scoped(_))), ..self }
    }

    /// The scope that selectors get here.
    fn effective(self) -> Scope<'k> {
        match self.scope.origin {
            Origin::Scoped(_) if !self.confined => Scope { origin: Origin::Deck, ..self.scope },
            _ => self.scope,
        }
    }
}

/// Whether a `content` value shows the page number.
fn mentions_page(value: &str) -> bool {
    value.contains("attr(data-marpit-pagination)")
}
