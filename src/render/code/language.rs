//! Names of languages: highlight.js's names and aliases, and who classifies each.

use super::lexer::Lexer;
use super::{c, css, data, go, java, makefile, markdown, markup, powershell, python, rust, script, shell, sql, yaml};

/// A lexer of ours.
pub(super) type Lex = fn(&mut Lexer);

/// Who classifies a language.
#[derive(Clone, Copy)]
pub(super) enum Engine {
    /// Known, and plain.
    Plain,
    /// A lexer of ours.
    Own(Lex),
    /// A grammar of syntect, by a name that it knows.
    Syntect(&'static str),
}

/// Finds a language by name or alias, in any case.
pub(super) fn find(name: &str) -> Option<Engine> {
    let name = name.to_ascii_lowercase();
    own(&name).or_else(|| {
        SYNTECT.iter().find(|(_, names)| names.split(' ').any(|n| n == name)).map(|(g, _)| Engine::Syntect(g))
    })
}

fn own(name: &str) -> Option<Engine> {
    let lex: Lex = match name {
        "plaintext" | "text" | "txt" => return Some(Engine::Plain),
        "yaml" | "yml" => yaml::lex,
        "json" | "jsonc" | "json5" => data::json,
        "ini" | "toml" => data::ini,
        "diff" | "patch" => data::diff,
        "http" | "https" => data::http,
        "bash" | "sh" | "zsh" => shell::lex,
        "shell" | "console" | "shellsession" => shell::session,
        "dockerfile" | "docker" => shell::dockerfile,
        "javascript" | "js" | "jsx" | "mjs" | "cjs" => script::javascript,
        "typescript" | "ts" | "tsx" | "mts" | "cts" => script::typescript,
        "python" | "py" | "gyp" | "ipython" => python::lex,
        "go" | "golang" => go::lex,
        "rust" | "rs" => rust::lex,
        "java" | "jsp" => java::lex,
        "c" | "h" => c::c,
        "cpp" | "cc" | "c++" | "h++" | "hpp" | "hh" | "hxx" | "cxx" => c::cpp,
        "xml" | "html" | "xhtml" | "rss" | "atom" | "xjb" | "xsd" | "xsl" | "plist" | "wsf" | "svg" => markup::lex,
        "css" | "scss" | "less" => css::lex,
        "markdown" | "md" | "mkdown" | "mkd" => markdown::lex,
        "sql" => sql::lex,
        "makefile" | "mk" | "mak" | "make" => makefile::lex,
        "powershell" | "pwsh" | "ps" | "ps1" => powershell::lex,
        _ => return None,
    };
    Some(Engine::Own(lex))
}

/// Syntect's names, and the names and aliases in decks.
const SYNTECT: &[(&str, &str)] = &[
    ("ActionScript", "actionscript as"),
    ("Ada", "ada"),
    ("Apache Conf", "apache apacheconf"),
    ("AppleScript", "applescript osascript"),
    ("AsciiDoc (Asciidoctor)", "asciidoc adoc"),
    ("AWK", "awk"),
    ("Batch File", "dos bat batch cmd"),
    ("C#", "csharp cs c#"),
    ("Clojure", "clojure clj edn"),
    ("CMake", "cmake cmake.in"),
    ("CoffeeScript", "coffeescript coffee cson iced"),
    ("Crystal", "crystal cr"),
    ("D", "d"),
    ("Dart", "dart"),
    ("Elixir", "elixir ex exs"),
    ("Elm", "elm"),
    ("Erlang", "erlang erl"),
    ("F#", "fsharp fs f#"),
    ("Fortran (Modern)", "fortran f90 f95"),
    ("GLSL", "glsl"),
    ("GraphQL", "graphql gql"),
    ("Groovy", "groovy gradle"),
    ("Haskell", "haskell hs"),
    ("Jinja2", "django jinja"),
    ("Julia", "julia"),
    ("Kotlin", "kotlin kt kts ktm ktx"),
    ("LaTeX", "latex tex"),
    ("LLVM", "llvm"),
    ("Lisp", "lisp"),
    ("LiveScript", "livescript ls"),
    ("Lua", "lua pluto"),
    ("MATLAB", "matlab"),
    ("Nim", "nim"),
    ("Nix", "nix nixos"),
    ("Objective-C", "objectivec mm objc obj-c obj-c++ objective-c++"),
    ("OCaml", "ocaml ml"),
    ("Pascal", "delphi dpr dfm pas pascal"),
    ("Perl", "perl pl pm"),
    ("PHP Source", "php"),
    ("Java Properties", "properties"),
    ("Protocol Buffer", "protobuf proto"),
    ("Puppet", "puppet pp"),
    ("QML", "qml qt"),
    ("R", "r"),
    ("Ruby", "ruby rb gemspec podspec thor irb"),
    ("Scala", "scala"),
    ("Racket", "scheme scm"),
    ("Swift", "swift"),
    ("SQL", "pgsql postgres postgresql"),
    ("Stylus", "stylus styl"),
    ("Tcl", "tcl tk"),
    ("HTML (Twig)", "twig craftcms"),
    ("Verilog", "verilog v sv svh"),
    ("VHDL", "vhdl"),
    ("VimL", "vim"),
    ("nginx", "nginx nginxconf"),
    // Not in highlight.js: Marp leaves these plain.
    ("Terraform", "hcl terraform tf"),
    ("Vue Component", "vue"),
    ("Svelte", "svelte"),
    ("Zig", "zig"),
    ("jsonnet", "jsonnet"),
    ("Fish", "fish"),
];

/// The names of the grammars.
#[cfg(test)]
pub(super) fn grammars() -> impl Iterator<Item = &'static str> {
    SYNTECT.iter().map(|(name, _)| *name)
}
