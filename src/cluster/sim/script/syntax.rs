//! What a shell script is made of, after reading it.

/// Commands one after the other.
pub(super) type List = Vec<Command>;

/// One command.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// `NAME=value command argument > file`.
    Simple(Simple),
    /// `a | b`; with `!` before it the status is turned round.
    Pipeline { parts: List, negated: bool },
    /// `a && b || c`; each link says whether it wants success before it.
    Chain { first: Box<Command>, links: Vec<(bool, Command)> },
    /// `a &`.
    Background(Box<Command>),
    /// `if a; then b; elif c; then d; else e; fi`.
    If { branches: Vec<(List, List)>, otherwise: List },
    /// `while a; do b; done`, or `until`.
    Loop { condition: List, wanted: bool, body: List },
    /// `for name in words; do body; done`; without words the arguments.
    For { name: String, words: Option<Vec<Word>>, body: List },
    /// `case word in a|b) body;; esac`.
    Case { word: Word, arms: Vec<(Vec<Word>, List)> },
    /// `{ a; }` or `( a )`, with where its output goes.
    Group { body: List, subshell: bool, redirects: Vec<Redirect> },
    /// `name() { body; }`.
    Function { name: String, body: Box<Command> },
}

/// A command with arguments.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Simple {
    pub(super) assignments: Vec<(String, Word)>,
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<Redirect>,
}

/// Where output goes or input comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Redirect {
    /// 0, 1 or 2.
    pub(super) stream: u8,
    pub(super) target: Target,
}

/// Where to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// `> file`.
    Write(Word),
    /// `>> file`.
    Append(Word),
    /// `< file`.
    Read(Word),
    /// `<<WORD`.
    Here(Word),
    /// `>&1`.
    Stream(u8),
}

/// A word, in parts that are expanded on their own.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Word(pub(super) Vec<Part>);

/// A part of a word; quoted ones are not split at blanks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text { text: String, quoted: bool },
    Variable { name: String, change: Option<Change>, quoted: bool },
    Output { script: List, quoted: bool },
    Number(String),
}

/// `${NAME:-word}` and its like.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    /// `-`, `=`, `+`, `?`, `#` or `%`; `L` is for the length.
    pub(super) kind: char,
    /// With a colon: empty counts as unset. With `##` and `%%`: the longest match.
    pub(super) strong: bool,
    pub(super) word: Word,
}
