//! The themes of a project: built in, then `themes/*.css`, then those asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::theme::{ThemeError, ThemeSet};

use super::ProjectOptions;
use super::files::{self, Kind, Reader};
use super::media::is_style_sheet;

/// All themes decks of a project may name, and what is wrong with their files.
#[derive(Debug)]
pub struct Themes {
    /// By name.
    pub set: ThemeSet,
    /// What was noticed while reading them.
    pub diagnostics: Vec<Diagnostic>,
    /// The name of the theme in [`ProjectOptions::theme_file`].
    pub forced: Option<String>,
    sheets: Vec<Sheet>,
}

/// A style sheet that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sheet {
    path: PathBuf,
    bytes: Result<Arc<[u8]>, std::io::ErrorKind>,
    forced: bool,
    /// The last text of the file that was a theme.
    good: Option<String>,
}

impl Themes {
    /// Reads the theme files; gives back `before` when nothing in them changed.
    pub fn load(reader: &Reader<'_>, root: &Path, options: &ProjectOptions, before: Option<&Arc<Self>>) -> Arc<Self> {
        let mut sheets = Vec::new();
        let mut diagnostics = Vec::new();
        for (path, forced) in sources(reader, root, options, &mut diagnostics) {
            let bytes = reader.read(&path).map_err(|error| error.kind());
            sheets.push(Sheet { path, bytes, forced, good: None });
        }
        if let Some(before) = before
            && before.sheets.len() == sheets.len()
            && before.sheets.iter().zip(&sheets).all(|(a, b)| a.path == b.path && a.bytes == b.bytes)
        {
            return before.clone();
        }
        let mut themes = Self { set: ThemeSet::builtin(), diagnostics, forced: None, sheets: Vec::new() };
        let mut names: Vec<(String, PathBuf)> = Vec::new();
        for mut sheet in sheets {
            let last_good = before.and_then(|before| before.sheets.iter().find(|old| old.path == sheet.path));
            sheet.good = last_good.and_then(|old| old.good.clone());
            if let Some(name) = themes.add(&mut sheet) {
                if let Some((_, other)) = names.iter().find(|(known, _)| *known == name) {
                    themes.diagnostics.push(duplicate(&name, other, &sheet));
                }
                if sheet.forced {
                    themes.forced = Some(name.clone());
                }
                names.push((name, sheet.path.clone()));
            }
            themes.sheets.push(sheet);
        }
        Arc::new(themes)
    }

    /// Adds a sheet, or what it was when it last was a theme. Returns its name.
    fn add(&mut self, sheet: &mut Sheet) -> Option<String> {
        match read(&mut self.set, sheet) {
            Ok((name, text)) => {
                sheet.good = Some(text);
                Some(name)
            }
            Err(problem) => {
                self.diagnostics.push(*problem);
                // Half-saved CSS must not take the look of a running talk away.
                sheet.good.as_deref().and_then(|css| self.set.add(css).ok())
            }
        }
    }
}

/// The files to read, in order; a later theme of the same name wins.
fn sources(
    reader: &Reader<'_>,
    root: &Path,
    options: &ProjectOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(PathBuf, bool)> {
    // A deck with a folder called `themes` beside it is no project yet: Marp would not look there either.
    let files = reader.files();
    let is_project = files.kind(&root.join("foredeck.toml")) == Some(Kind::File)
        || files.kind(&root.join("decks")) == Some(Kind::Folder);
    let mut paths = if is_project { style_sheets(reader, &root.join("themes")) } else { Vec::new() };
    for wanted in &options.theme_set {
        let found = match reader.kind(wanted) {
            Some(Kind::File) => vec![wanted.clone()],
            Some(Kind::Folder) => style_sheets(reader, wanted),
            Some(Kind::Other) => Vec::new(),
            None => matching(reader, wanted),
        };
        if found.is_empty() {
            let message = format!("there is no theme at `{}`", wanted.display());
            diagnostics.push(Diagnostic::warning(Code("theme/not-found"), message));
        }
        paths.extend(found);
    }
    let mut sources: Vec<(PathBuf, bool)> = paths.into_iter().map(|path| (path, false)).collect();
    sources.extend(options.theme_file.iter().map(|path| (path.clone(), true)));
    let mut seen = std::collections::HashSet::new();
    sources.retain(|source| seen.insert(source.clone()));
    sources
}

/// The `.css` files directly in a folder.
fn style_sheets(reader: &Reader<'_>, folder: &Path) -> Vec<PathBuf> {
    if reader.kind(folder) != Some(Kind::Folder) {
        return Vec::new();
    }
    let names = reader.files().list(folder).unwrap_or_default();
    names.into_iter().filter(|name| !name.folder && is_style_sheet(&name.path)).map(|name| name.path).collect()
}

/// The files that a pattern with `*`, `?` or `**` names, when the shell left it as it was.
fn matching(reader: &Reader<'_>, pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        let mut next = Vec::new();
        for path in found {
            if text == "**" {
                next.push(path.clone());
                below(reader, &path, &mut next, 0);
            } else if text.contains(['*', '?']) {
                let folder = if path == Path::new("") { Path::new(".") } else { path.as_path() };
                let names = reader.files().list(folder).unwrap_or_default();
                let names = names.iter().filter_map(|name| name.path.file_name()?.to_str());
                next.extend(names.filter(|name| wildcard(&text, name)).map(|name| path.join(name)));
            } else {
                next.push(path.join(part));
            }
        }
        found = next;
    }
    found.retain(|path| is_style_sheet(path) && reader.kind(path) == Some(Kind::File));
    found
}

fn below(reader: &Reader<'_>, folder: &Path, found: &mut Vec<PathBuf>, depth: usize) {
    let start = if folder == Path::new("") { Path::new(".") } else { folder };
    for name in reader.files().list(start).unwrap_or_default() {
        if name.folder && depth < 8 && name.path.file_name().is_some_and(|name| name != "node_modules") {
            below(reader, &name.path, found, depth + 1);
            found.push(name.path);
        }
    }
}

/// Whether a name fits a pattern of `*` and `?`.
fn wildcard(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of_name, mut retry) = (0, 0, None);
    while of_name < name.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at, of_name));
            at += 1;
        } else if pattern.get(at).is_some_and(|c| *c == '?' || *c == name[of_name]) {
            (at, of_name) = (at + 1, of_name + 1);
        } else if let Some((star, from)) = retry {
            (at, of_name, retry) = (star + 1, from + 1, Some((star, from + 1)));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Adds a sheet to the set; returns its name and the text that was added.
fn read(set: &mut ThemeSet, sheet: &Sheet) -> Result<(String, String), Box<Diagnostic>> {
    let unreadable = |why: String| {
        let message = format!("cannot read theme `{}`: {why}", sheet.path.display());
        Box::new(Diagnostic::error(Code("theme/unreadable"), message))
    };
    let bytes = sheet.bytes.as_ref().map_err(|kind| {
        unreadable(match kind {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            kind => kind.to_string(),
        })
    })?;
    let text = files::text(bytes).map_err(|error| unreadable(error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let error = match set.add(text) {
        Ok(name) => return Ok((name, text.to_owned())),
        Err(ThemeError::NoName) if sheet.forced => {
            let named = format!("{text}\n/* @theme {} */", made_up_name(&sheet.path));
            match set.add(&named) {
                Ok(name) => return Ok((name, named)),
                Err(error) => error,
            }
        }
        Err(error) => error,
    };
    Err(Box::new(problem(error, SourceFile::new(&sheet.path, text))))
}

/// A theme name for a file that has none: its own name, as one word.
fn made_up_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let word: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("file-{word}")
}

fn problem(error: ThemeError, source: SourceFile) -> Diagnostic {
    let (code, offset, hint) = match &error {
        ThemeError::NoName => ("theme/no-name", 0, "add a comment `/* @theme NAME */` with the name decks use"),
        ThemeError::Circular(_) => ("theme/import-circle", 0, "remove one of the `@import`s"),
        ThemeError::Syntax(error) => ("theme/syntax", error.offset, "the theme is left out until its CSS can be read"),
    };
    let message = match error {
        ThemeError::Syntax(error) => error.message,
        error => error.to_string(),
    };
    Diagnostic::error(Code(code), message).at(Span::new(offset, offset)).in_file(Arc::new(source)).hint(hint)
}

fn duplicate(name: &str, first: &Path, second: &Sheet) -> Diagnostic {
    let text = second.good.as_deref().unwrap_or("");
    let at = text.find("@theme").unwrap_or(0);
    Diagnostic::warning(Code("theme/duplicate"), format!("theme `{name}` is already in `{}`", first.display()))
        .at(Span::new(at, at + if text.is_empty() { 0 } else { "@theme".len() }))
        .hint("this file wins; give one of them another name")
        .in_file(Arc::new(SourceFile::new(&second.path, text)))
}

#[cfg(test)]
mod tests {
    use super::super::files::Memory;
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.css", "a.css", true),
            ("*.css", "a.scss", false),
            ("*", "", true),
            ("a*b*c", "aXbYbc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
        ] {
            assert_eq!(wildcard(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn sources_come_in_the_order_in_which_they_win() {
        let files = Memory::new()
            .with("/p/foredeck.toml", "")
            .with("/p/themes/b.css", "")
            .with("/p/themes/a.css", "")
            .with("/p/themes/deep/c.css", "")
            .with("/x/d.css", "")
            .with("/x/y/e.css", "");
        let options = ProjectOptions {
            theme_set: ["/x/*.css", "/x/**/e.css", "/nowhere", "/p/themes"].map(PathBuf::from).to_vec(),
            ..ProjectOptions::default()
        };
        let mut diagnostics = Vec::new();
        let found = sources(&Reader::new(&files), Path::new("/p"), &options, &mut diagnostics);
        let found: Vec<_> = found.iter().map(|(path, _)| path.to_str().unwrap()).collect();
        assert_eq!(found, ["/p/themes/a.css", "/p/themes/b.css", "/x/d.css", "/x/y/e.css"]);
        let messages: Vec<_> = diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(messages, ["there is no theme at `/nowhere`"]);
    }
}
