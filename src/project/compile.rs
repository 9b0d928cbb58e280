//! Deck path → [`Compiled`].

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::render::Rendered;

/// A deck, rendered, with everything noticed and read on the way.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The deck's text.
    pub source: SourceFile,
    /// The slides.
    pub rendered: Rendered,
    /// The findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that were read: a change to any of them asks for a new compile.
    pub dependencies: BTreeSet<PathBuf>,
}
