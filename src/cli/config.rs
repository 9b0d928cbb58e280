//! Configuration files: `foredeck.toml`, Marp's own, VS Code's, the user's; and the environment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::cluster::guard::Allowed;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span, closest};
use crate::project::find::parent_of;
use crate::render::Overrides;

use super::console::{self, Failure};
use super::dialect::{Dialect, html_tags};
use super::export::defaults::{self, Defaults};

/// What one source of configuration says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layer {
    /// Name or file.
    pub theme: Option<String>,
    /// Files, folders, patterns; those of all sources count.
    pub theme_set: Vec<PathBuf>,
    /// Language tag.
    pub lang: Option<String>,
    /// `all`, `none` or `allow-list`
    pub html: Option<String>,
    /// Tags with the attributes that pass; Marp's configuration only.
    pub html_tags: Option<Vec<(String, Vec<String>)>>,
    /// How Markdown is read.
    pub dialect: Dialect,
    /// `marp` or `keep`
    pub compat: Option<String>,
    /// `marp` or `reveal`
    pub format: Option<String>,
    /// The folder that nothing may leave.
    pub root: Option<PathBuf>,
    /// Address to listen on.
    pub host: Option<String>,
    /// Port to listen on.
    pub port: Option<u16>,
    /// Whether to open the browser.
    pub open: Option<bool>,
    /// Whether to follow edits.
    pub watch: Option<bool>,
    /// `auto`, `ask` or `never`
    pub fallback: Option<String>,
    /// The document's head.
    pub meta: Overrides,
    /// What is exported, and how.
    pub export: Defaults,
}

/// What a weaker source adds to facts about the document.
fn completed(strong: Overrides, weak: Overrides) -> Overrides {
    Overrides {
        title: strong.title.or(weak.title),
        description: strong.description.or(weak.description),
        author: strong.author.or(weak.author),
        keywords: strong.keywords.or(weak.keywords),
        url: strong.url.or(weak.url),
        image: strong.image.or(weak.image),
    }
}

impl Layer {
    /// This one, completed by a weaker one.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        let mut theme_set = weaker.theme_set;
        theme_set.extend(self.theme_set);
        Self {
            theme: self.theme.or(weaker.theme),
            theme_set,
            lang: self.lang.or(weaker.lang),
            html_tags: if self.html.is_some() { None } else { self.html_tags.or(weaker.html_tags) },
            html: self.html.or(weaker.html),
            dialect: self.dialect.over(weaker.dialect),
            compat: self.compat.or(weaker.compat),
            format: self.format.or(weaker.format),
            root: self.root.or(weaker.root),
            host: self.host.or(weaker.host),
            port: self.port.or(weaker.port),
            open: self.open.or(weaker.open),
            watch: self.watch.or(weaker.watch),
            fallback: self.fallback.or(weaker.fallback),
            meta: completed(self.meta, weaker.meta),
            export: self.export.over(weaker.export),
        }
    }
}

/// Which keys a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `foredeck.toml` of a project: comes with the deck, so it may not open the machine to others.
    Project,
    /// The user's own file.
    User,
    /// Marp's.
    Marp,
}

const KEYS: [&str; 18] = [
    "fallback",
    "theme",
    "theme-set",
    "lang",
    "html",
    "compat",
    "format",
    "port",
    "open",
    "watch",
    "title",
    "description",
    "author",
    "keywords",
    "url",
    "og-image",
    "host",
    "allow-contexts",
];
/// Keys that open the machine, or a cluster: they count in the user's own file alone.
const OWN_KEYS: [&str; 2] = ["host", "allow-contexts"];
/// The key that names a program: no file beside a deck has anything run.
const PROGRAM_KEY: &str = "browser-path";

/// Marp's keys that mean nothing here, or are for formats of their own.
const MARP_KEYS: [&str; 31] = [
    "allowLocalFiles",
    "bespoke",
    "browser",
    "browserPath",
    "browserProtocol",
    "browserTimeout",
    "engine",
    "image",
    "images",
    "imageScale",
    "inputDir",
    "jpegQuality",
    "markdown",
    "math",
    "notes",
    "options",
    "output",
    "parallel",
    "pdf",
    "pdfNotes",
    "pdfOutlines",
    "pptx",
    "pptxEditable",
    "preview",
    "server",
    "template",
    "watch",
    "emoji",
    "minifyCSS",
    "script",
    "slug",
];

/// `FOREDECK_*`, and `PORT` as for Marp.
pub(super) fn environment() -> Result<Layer, Failure> {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let port = match text("FOREDECK_PORT").or_else(|| text("PORT")) {
        Some(port) => {
            Some(port.parse().map_err(|_| Failure::usage(format!("`{port}` in the environment is no port")))?)
        }
        None => None,
    };
    let switch = |name: &str| text(name).map(|value| !matches!(value.as_str(), "0" | "false" | "no"));
    let theme_set = std::env::var_os("FOREDECK_THEME_SET");
    Ok(Layer {
        theme: text("FOREDECK_THEME"),
        theme_set: theme_set.map(|paths| std::env::split_paths(&paths).collect()).unwrap_or_default(),
        lang: text("FOREDECK_LANG"),
        html: text("FOREDECK_HTML"),
        compat: text("FOREDECK_COMPAT"),
        fallback: text("FOREDECK_FALLBACK"),
        host: text("FOREDECK_HOST"),
        port,
        open: switch("FOREDECK_OPEN"),
        watch: switch("FOREDECK_WATCH"),
        ..Layer::default()
    })
}

/// The language of the machine, as Marp takes it for decks that name none.
pub(super) fn locale() -> Option<String> {
    let value =
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    language_tag(&value?)
}

fn language_tag(locale: &str) -> Option<String> {
    let name = locale.split(['.', '@']).next()?;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    (plain && !matches!(name, "C" | "POSIX")).then(|| name.replace('_', "-"))
}

/// Reads the configuration files that count, strongest first.
pub(super) fn files(
    input: Option<&Path>,
    named: Option<&Path>,
    findings: &mut Vec<(SourceFile, Diagnostic)>,
) -> Result<Vec<Layer>, Failure> {
    let mut reader = Reader { findings };
    let mut layers = Vec::new();
    if let Some(path) = named {
        let kind = if path.extension().is_some_and(|extension| extension == "toml") { Kind::User } else { Kind::Marp };
        layers.push(reader.file(path, kind)?);
    } else {
        if let Some(path) = project_file(input) {
            layers.push(reader.file(&path, Kind::Project)?);
        }
        layers.extend(reader.marp()?);
        layers.extend(reader.visual_studio_code());
    }
    if let Some(path) = user_file().filter(|path| path.is_file()) {
        layers.push(reader.file(&path, Kind::User)?);
    }
    Ok(layers)
}

/// `foredeck.toml` beside the deck or above it, up to the root of the repository.
fn project_file(input: Option<&Path>) -> Option<PathBuf> {
    let start = match input {
        Some(path) if path.is_dir() => path.to_path_buf(),
        Some(path) if path != Path::new("-") => parent_of(path),
        _ => PathBuf::from("."),
    };
    let start = std::path::absolute(start).ok()?;
    for folder in start.ancestors() {
        let file = folder.join("foredeck.toml");
        if file.is_file() {
            // Named as the user sees it from the current folder.
            let here = std::env::current_dir().ok();
            let near = here.and_then(|here| file.strip_prefix(here).ok().map(Path::to_path_buf));
            return Some(near.unwrap_or(file));
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The contexts that the user's own configuration allows; no other file, flag or variable can.
pub(super) fn allowed_contexts(findings: &mut Vec<(SourceFile, Diagnostic)>) -> Result<Vec<Allowed>, Failure> {
    let Some(path) = user_file().filter(|path| path.is_file()) else { return Ok(Vec::new()) };
    let table = Reader { findings }.table(&path, Kind::User)?;
    let Some((_, value)) = table.iter().find(|(key, _)| dashes(key) == "allow-contexts") else {
        return Ok(Vec::new());
    };
    contexts(value).ok_or_else(|| {
        Failure::input(format!("`allow-contexts` in `{}` is no list of contexts", path.display()))
            .hint("write `allow-contexts = [\"name\", { name = \"other\", server = \"https://…\" }]`")
    })
}

/// Names of contexts, or names with the server that each must lead to.
fn contexts(value: &Value) -> Option<Vec<Allowed>> {
    let entries = value.as_array()?.iter().map(|entry| match entry {
        Value::String(name) => Some(Allowed { name: name.clone(), server: None }),
        Value::Object(members) if members.keys().all(|key| matches!(key.as_str(), "name" | "server")) => {
            let name = members.get("name")?.as_str()?.to_owned();
            let server = members.get("server").map(|server| server.as_str().map(str::to_owned));
            Some(Allowed { name, server: server.map_or(Some(None), |server| server.map(Some))? })
        }
        _ => None,
    });
    entries.collect()
}

/// The user's own configuration; a folder that depends on the current one does not count.
pub(super) fn user_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(folder.join("foredeck/config.toml"))
}

struct Reader<'a> {
    findings: &'a mut Vec<(SourceFile, Diagnostic)>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, kind: Kind) -> Result<Layer, Failure> {
        Ok(layer(&self.table(path, kind)?, kind, &parent_of(path)))
    }

    /// The settings of a file; those without effect are told.
    fn table(&mut self, path: &Path, kind: Kind) -> Result<Map<String, Value>, Failure> {
        let failed = |error: anyhow::Error| {
            Failure::new(console::Code::Input, error.context(format!("cannot read `{}`", path.display())))
        };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
        let source = SourceFile::new(path, text);
        let value = parse(&source).map_err(failed)?;
        let map = match value {
            Value::Object(map) if path.file_name().is_some_and(|name| name == "package.json") => {
                match map.get("marp") {
                    Some(Value::Object(marp)) => marp.clone(),
                    _ => return Ok(Map::new()),
                }
            }
            Value::Object(map) => map,
            Value::Null => Map::new(),
            _ => return Err(failed(anyhow::Error::msg("it holds no settings"))),
        };
        self.judge(&map, kind, &source);
        Ok(map)
    }

    /// Marp's configuration in the current folder.
    fn marp(&mut self) -> Result<Option<Layer>, Failure> {
        if std::fs::read_to_string("package.json")
            .is_ok_and(|text| serde_json::from_str::<Value>(&text).is_ok_and(|package| package["marp"].is_object()))
        {
            return self.file(Path::new("package.json"), Kind::Marp).map(Some);
        }
        for folder in [".", ".config"] {
            for name in ["marprc", "marprc.json", "marprc.yaml", "marprc.yml"] {
                let name = if folder == "." { format!(".{name}") } else { name.to_owned() };
                let path = Path::new(folder).join(name);
                if path.is_file() {
                    return self.file(path.strip_prefix(".").unwrap_or(&path), Kind::Marp).map(Some);
                }
            }
        }
        if Path::new("marp.config.json").is_file() {
            return self.file(Path::new("marp.config.json"), Kind::Marp).map(Some);
        }
        for name in ["marp.config", ".marprc"] {
            for extension in ["js", "mjs", "cjs", "ts"] {
                let path = PathBuf::from(format!("{name}.{extension}"));
                if path.is_file() {
                    let message = format!("`{}` is a program and is not run", path.display());
                    let found = Diagnostic::warning(Code("config/not-run"), message)
                        .hint("write the settings into `foredeck.toml` or `.marprc.json`");
                    self.findings.push((SourceFile::new(path, ""), found));
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Themes that the editor's preview knows.
    fn visual_studio_code(&mut self) -> Option<Layer> {
        let text = std::fs::read_to_string(".vscode/settings.json").ok()?;
        let value: Value = serde_json::from_str(&without_comments(&text)).ok()?;
        let themes = value.get("markdown.marp.themes")?.as_array()?.iter().filter_map(Value::as_str);
        let local = themes.filter(|theme| !theme.contains("://")).map(PathBuf::from).filter(|path| path.exists());
        Some(Layer { theme_set: local.collect(), ..Layer::default() })
    }

    /// Tells of keys that have no effect.
    fn judge(&mut self, map: &Map<String, Value>, kind: Kind, source: &SourceFile) {
        let file = Arc::new(source.clone());
        let place = |key: &str| source.text().find(key).unwrap_or(0);
        let mut keys: Vec<&String> = map.keys().collect();
        keys.sort_by_key(|key| place(key));
        for key in keys {
            let dashed = dashes(key);
            let known = KEYS.contains(&dashed.as_str()) || defaults::KEYS.contains(&dashed.as_str());
            let code_and_message = match kind {
                _ if dashed == PROGRAM_KEY => (
                    Code("config/not-here"),
                    "a program is named on the command line, with `--browser-path`, or in CHROME_PATH",
                ),
                Kind::Project if OWN_KEYS.contains(&dashed.as_str()) => {
                    (Code("config/not-here"), "it counts only in the user's own configuration")
                }
                Kind::Marp if known || MARP_KEYS.contains(&key.as_str()) => continue,
                _ if known => continue,
                _ => (Code("config/unknown-key"), "this setting is unknown"),
            };
            let at = place(key);
            let mut found = Diagnostic::warning(code_and_message.0, format!("`{key}`: {}", code_and_message.1))
                .at(Span::new(at, at + key.len()))
                .in_file(file.clone());
            let names = KEYS.into_iter().chain(defaults::KEYS);
            if let Some(like) = closest(&dashed, names).filter(|_| !known && dashed != PROGRAM_KEY) {
                found = found.hint(format!("did you mean `{like}`?"));
            }
            self.findings.push((source.clone(), found));
        }
    }
}

/// `themeSet` and `theme_set` as `theme-set`.
fn dashes(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
    }
    out
}

/// The values of a file by the extension's rules; without one, JSON or YAML.
fn parse(source: &SourceFile) -> anyhow::Result<Value> {
    let extension = source.path().extension().and_then(|extension| extension.to_str()).unwrap_or("");
    let text = source.text();
    match extension {
        "toml" => Ok(serde_json::to_value(toml::from_str::<toml::Table>(text)?)?),
        "json" => Ok(serde_json::from_str(text)?),
        _ => match serde_json::from_str(text) {
            Ok(value) => Ok(value),
            Err(_) => Ok(serde_saphyr::from_str::<Value>(text)?),
        },
    }
}

/// What the values say; paths are relative to the file's folder.
fn layer(map: &Map<String, Value>, kind: Kind, folder: &Path) -> Layer {
    let find = |name: &str| map.iter().find(|(key, _)| dashes(key) == name).map(|(_, value)| value);
    let text = |name: &str| match find(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Bool(on)) => Some(on.to_string()),
        _ => None,
    };
    let list = |name: &str| match find(name) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let theme = text("theme").map(|theme| {
        let file = theme.to_ascii_lowercase().ends_with(".css");
        if file { folder.join(theme).to_string_lossy().into_owned() } else { theme }
    });
    let keywords = match find("keywords") {
        Some(Value::String(text)) => Some(words(text)),
        Some(Value::Array(_)) => Some(list("keywords")),
        _ => None,
    };
    Layer {
        theme,
        theme_set: list("theme-set").into_iter().map(|path| folder.join(path)).collect(),
        lang: text("lang"),
        html: text("html"),
        html_tags: if kind == Kind::Marp { find("html").and_then(html_tags) } else { None },
        dialect: map.get("options").filter(|_| kind == Kind::Marp).map(Dialect::of_marp).unwrap_or_default(),
        compat: text("compat"),
        format: text("format"),
        root: None,
        host: text("host").filter(|_| kind == Kind::User),
        port: find("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()),
        open: find("open").and_then(Value::as_bool),
        watch: find("watch").and_then(Value::as_bool).filter(|_| kind != Kind::Marp),
        fallback: text("fallback").filter(|_| kind != Kind::Marp),
        meta: Overrides {
            title: text("title"),
            description: text("description"),
            author: text("author"),
            keywords,
            url: text("url"),
            image: text("og-image"),
        },
        export: Defaults::read(find, folder),
    }
}

/// Words that commas separate.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_owned()).collect()
}

/// JSON without the comments and trailing commas that editors allow.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => {
                out.push(c);
                out.extend(chars.next());
                continue;
            }
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            '/' if !in_string && chars.peek() == Some(&'*') => {
                let mut last = ' ';
                for c in chars.by_ref().skip(1) {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
                continue;
            }
            '}' | ']' if !in_string => {
                let kept = out.trim_end().len();
                if out[..kept].ends_with(',') {
                    out.truncate(kept - 1);
                }
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_become_language_tags() {
        for (locale, expected) in [
            ("en_US.UTF-8", Some("en-US")),
            ("de", Some("de")),
            ("ca_ES@valencia", Some("ca-ES")),
            ("C.UTF-8", None),
            ("POSIX", None),
            ("", None),
        ] {
            assert_eq!(language_tag(locale).as_deref(), expected, "{locale}");
        }
    }

    #[test]
    fn editors_json_is_read_with_comments_and_trailing_commas() {
        let text = "{ // a\n \"x\": \"http://y\", /* , */ \"z\": [1, 2,],\n}";
        let value: Value = serde_json::from_str(&without_comments(text)).unwrap();
        assert_eq!(value, serde_json::json!({ "x": "http://y", "z": [1, 2] }));
    }

    #[test]
    fn marps_names_and_ours_mean_the_same() {
        let values = serde_json::json!({ "themeSet": ["a.css", "b"], "ogImage": "i", "html": true, "host": "0.0.0.0" });
        let map = values.as_object().unwrap();
        let read = layer(map, Kind::Marp, Path::new("conf"));
        let expected = Layer {
            theme_set: vec!["conf/a.css".into(), "conf/b".into()],
            html: Some("true".into()),
            meta: Overrides { image: Some("i".into()), ..Overrides::default() },
            ..Layer::default()
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn contexts_are_allowed_by_name_and_server() {
        let allowed = |name: &str, server: Option<&str>| Allowed { name: name.into(), server: server.map(Into::into) };
        for (value, expected) in [
            (serde_json::json!([]), Some(vec![])),
            (
                serde_json::json!(["dev", { "name": "eu", "server": "https://x" }, { "name": "us" }]),
                Some(vec![allowed("dev", None), allowed("eu", Some("https://x")), allowed("us", None)]),
            ),
            (serde_json::json!("dev"), None),
            (serde_json::json!([3]), None),
            (serde_json::json!([{ "server": "x" }]), None),
            (serde_json::json!([{ "name": "x", "server": 3 }]), None),
            (serde_json::json!([{ "name": "x", "sever": "https://y" }]), None),
        ] {
            assert_eq!(contexts(&value), expected, "{value}");
        }
    }

    #[test]
    fn keys_without_effect_are_told_with_their_place() {
        let mut findings = Vec::new();
        let source = SourceFile::new("foredeck.toml", "teme = \"gaia\"\nhost = \"0.0.0.0\"\nallow-contexts = []\n");
        let Value::Object(map) = parse(&source).unwrap() else { panic!("a table") };
        Reader { findings: &mut findings }.judge(&map, Kind::Project, &source);
        let told: Vec<_> = findings.iter().map(|(_, d)| (d.code.0, d.span.unwrap().start, d.hints.len())).collect();
        assert_eq!(told, [("config/unknown-key", 0, 1), ("config/not-here", 14, 0), ("config/not-here", 31, 0)]);
    }
}
