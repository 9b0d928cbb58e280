//! `.helmignore`: files that are no part of a chart.

use globset::{GlobBuilder, GlobMatcher};

/// The rules of a chart.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    negated: bool,
    folders_only: bool,
    whole_path: bool,
    glob: GlobMatcher,
}

impl Ignore {
    /// Reads rules; lines that are none are passed over.
    pub(super) fn read(text: &str) -> Self {
        let rules = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self { rules: rules.filter_map(Rule::read).collect() }
    }

    /// Whether a file is left out, itself or by a folder above it.
    pub(super) fn leaves_out(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| (at, true)).chain([(path.len(), false)]);
        ends.into_iter().any(|(end, is_folder)| self.decides(&path[..end], is_folder))
            || path.strip_prefix("templates/").is_some_and(|file| file.starts_with('.') && file.len() > 1)
    }

    /// The first rule that says so. One with `!` leaves out what it does *not* name: that is Helm's way.
    fn decides(&self, path: &str, is_folder: bool) -> bool {
        self.rules.iter().any(|rule| {
            let name = if rule.whole_path { path } else { path.rsplit('/').next().unwrap_or(path) };
            let fits = (is_folder || !rule.folders_only) && rule.glob.is_match(name);
            fits != rule.negated
        })
    }
}

impl Rule {
    fn read(line: &str) -> Option<Self> {
        let (negated, line) = line.strip_prefix('!').map_or((false, line), |line| (true, line));
        let (folders_only, line) = line.strip_suffix('/').map_or((false, line), |line| (true, line));
        let whole_path = line.contains('/');
        let glob = GlobBuilder::new(line.trim_start_matches('/')).literal_separator(true).build().ok()?;
        Some(Self { negated, folders_only, whole_path, glob: glob.compile_matcher() })
    }
}
