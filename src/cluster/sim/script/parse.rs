//! Text → script. The grammar is the part of POSIX shell that demos are written in.

use super::syntax::{Command, List, Redirect, Simple, Target, Word};
use super::word::{self, is_name};

/// How deep commands may nest.
const DEPTH: usize = 40;

/// Words that end or part a compound command.
const RESERVED: [&str; 13] =
    ["then", "elif", "else", "fi", "do", "done", "esac", "}", "if", "while", "until", "for", "case"];

/// Where reading has come to.
pub(super) struct Reader<'a> {
    text: &'a str,
    place: usize,
    pub(super) depth: usize,
    /// Where to go on after this line, since here-documents that it begins were read already.
    behind_line: Option<usize>,
}

/// Why a text is no script.
pub(super) type Fault = String;

/// The longest script that is read.
const LENGTH: usize = 256 << 10;

/// The script that a text is.
pub(super) fn script(text: &str) -> Result<List, Fault> {
    if text.len() > LENGTH {
        return Err("script too long".to_owned());
    }
    let mut reader = Reader::new(text, 0);
    let list = reader.list(&[])?;
    match reader.peek() {
        None => Ok(list),
        Some(found) => Err(format!("syntax error: unexpected \"{found}\"")),
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, depth: usize) -> Self {
        Self { text, place: 0, depth, behind_line: None }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.place..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.place += next.len_utf8();
        Some(next)
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.place = (self.place + bytes).min(self.text.len());
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.skip(text.len());
        }
        found
    }

    /// Goes in one level deeper, if that may be.
    pub(super) fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH { Err("nested too deeply".to_owned()) } else { Ok(()) }
    }

    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.skip(1),
                Some('\\') if self.rest().starts_with("\\\n") => self.skip(2),
                Some('#') => self.skip(self.rest().find('\n').unwrap_or(self.rest().len())),
                _ => return,
            }
        }
    }

    /// Skips blanks, line ends and lone semicolons.
    fn gaps(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some('\n') => {
                    self.skip(1);
                    self.place = self.behind_line.take().unwrap_or(self.place);
                }
                Some(';') if !self.rest().starts_with(";;") => self.skip(1),
                _ => return,
            }
        }
    }

    /// The reserved word that comes next, if one does.
    fn reserved(&self) -> Option<&'static str> {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || ";|&()<>".contains(c)).unwrap_or(rest.len());
        RESERVED.into_iter().find(|word| *word == &rest[..end])
    }

    fn expect(&mut self, word: &str) -> Result<(), Fault> {
        self.gaps();
        if self.reserved() == Some(word) {
            self.skip(word.len());
            return Ok(());
        }
        let found = self.rest().split_whitespace().next().unwrap_or("end of file");
        Err(format!("syntax error: unexpected {found} (expecting \"{word}\")"))
    }

    /// Commands until one of the words, which stays unread, or something that ends every list.
    fn list(&mut self, ends: &[&str]) -> Result<List, Fault> {
        let mut list = Vec::new();
        loop {
            self.gaps();
            let ended = self.reserved().is_some_and(|word| ends.contains(&word));
            if ended || self.peek().is_none_or(|next| next == ')') || self.rest().starts_with(";;") {
                return Ok(list);
            }
            let command = self.chain()?;
            self.blanks();
            let background = self.peek() == Some('&') && !self.rest().starts_with("&&");
            if background {
                self.skip(1);
            }
            list.push(if background { Command::Background(Box::new(command)) } else { command });
        }
    }

    fn chain(&mut self) -> Result<Command, Fault> {
        let first = self.pipeline()?;
        let mut links = Vec::new();
        loop {
            self.blanks();
            let and = match self.rest() {
                rest if rest.starts_with("&&") => true,
                rest if rest.starts_with("||") => false,
                _ if links.is_empty() => return Ok(first),
                _ => return Ok(Command::Chain { first: Box::new(first), links }),
            };
            self.skip(2);
            self.gaps();
            links.push((and, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Result<Command, Fault> {
        self.blanks();
        let negated = self.rest().starts_with("! ") && self.take("!");
        let mut parts = vec![self.command()?];
        loop {
            self.blanks();
            if self.peek() != Some('|') || self.rest().starts_with("||") {
                break;
            }
            self.skip(1);
            self.gaps();
            parts.push(self.command()?);
        }
        match (parts.len(), negated) {
            (1, false) => Ok(parts.remove(0)),
            _ => Ok(Command::Pipeline { parts, negated }),
        }
    }

    fn command(&mut self) -> Result<Command, Fault> {
        self.deeper()?;
        self.blanks();
        let command = match self.reserved() {
            Some("if") => self.conditional(),
            Some(kind @ ("while" | "until")) => self.repetition(kind),
            Some("for") => self.iteration(),
            Some("case") => self.choice(),
            Some(word) => Err(format!("syntax error: unexpected \"{word}\"")),
            None if self.peek() == Some('(') => self.group('(', ')'),
            None if self.rest().starts_with("{ ") || self.rest().starts_with("{\n") => self.group('{', '}'),
            None => self.simple(),
        };
        self.depth -= 1;
        command
    }

    fn group(&mut self, open: char, close: char) -> Result<Command, Fault> {
        self.skip(open.len_utf8());
        let body = self.list(&["}"])?;
        self.gaps();
        if self.next() != Some(close) {
            return Err(format!("syntax error: unexpected end of file (expecting \"{close}\")"));
        }
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
        }
        Ok(Command::Group { body, subshell: open == '(', redirects })
    }

    fn conditional(&mut self) -> Result<Command, Fault> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        let mut opening = "if";
        loop {
            self.expect(opening)?;
            let condition = self.list(&["then"])?;
            self.expect("then")?;
            branches.push((condition, self.list(&["elif", "else", "fi"])?));
            match self.reserved() {
                Some("elif") => opening = "elif",
                Some("else") => {
                    self.expect("else")?;
                    otherwise = self.list(&["fi"])?;
                    break;
                }
                _ => break,
            }
        }
        self.expect("fi")?;
        self.redirected(Command::If { branches, otherwise })
    }

    fn repetition(&mut self, kind: &str) -> Result<Command, Fault> {
        self.expect(kind)?;
        let condition = self.list(&["do"])?;
        let body = self.body()?;
        self.redirected(Command::Loop { condition, wanted: kind == "while", body })
    }

    fn body(&mut self) -> Result<List, Fault> {
        self.expect("do")?;
        let body = self.list(&["done"])?;
        self.expect("done")?;
        Ok(body)
    }

    fn iteration(&mut self) -> Result<Command, Fault> {
        self.expect("for")?;
        self.blanks();
        let name = self.name();
        if !is_name(&name) {
            return Err("syntax error: bad for loop variable".to_owned());
        }
        self.blanks();
        let words = if self.take("in ") || self.take("in\n") { Some(self.words()?) } else { None };
        let body = self.body()?;
        self.redirected(Command::For { name, words, body })
    }

    fn choice(&mut self) -> Result<Command, Fault> {
        self.expect("case")?;
        self.blanks();
        let word = self.word()?.ok_or("syntax error: case without a word")?;
        self.gaps();
        if !self.take("in") {
            return Err("syntax error: case without in".to_owned());
        }
        let mut arms = Vec::new();
        loop {
            self.gaps();
            if self.reserved() == Some("esac") {
                break;
            }
            self.take("(");
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?.ok_or("syntax error: case without a pattern")?);
                self.blanks();
                match self.next() {
                    Some('|') => {}
                    Some(')') => break,
                    _ => return Err("syntax error: bad case pattern".to_owned()),
                }
            }
            arms.push((patterns, self.list(&["esac"])?));
            self.take(";;");
        }
        self.expect("esac")?;
        self.redirected(Command::Case { word, arms })
    }

    /// A compound command with redirects behind it becomes a group.
    fn redirected(&mut self, command: Command) -> Result<Command, Fault> {
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
        }
        if redirects.is_empty() {
            return Ok(command);
        }
        Ok(Command::Group { body: vec![command], subshell: false, redirects })
    }

    fn words(&mut self) -> Result<Vec<Word>, Fault> {
        let mut words = Vec::new();
        loop {
            self.blanks();
            match self.word()? {
                Some(word) => words.push(word),
                None => return Ok(words),
            }
        }
    }

    fn simple(&mut self) -> Result<Command, Fault> {
        let mut simple = Simple::default();
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
                continue;
            }
            if simple.words.is_empty()
                && let Some(assignment) = self.assignment()?
            {
                simple.assignments.push(assignment);
                continue;
            }
            let Some(word) = self.word()? else { break };
            simple.words.push(word);
            if simple.words.len() == 1 && simple.assignments.is_empty() && self.take("()") {
                return self.function(&simple.words);
            }
        }
        if simple == Simple::default() {
            let found = self.peek().map_or("end of file".to_owned(), |next| format!("\"{next}\""));
            return Err(format!("syntax error: unexpected {found}"));
        }
        Ok(Command::Simple(simple))
    }

    fn function(&mut self, words: &[Word]) -> Result<Command, Fault> {
        let name = words.first().and_then(Word::literal).ok_or("syntax error: bad function name")?;
        self.gaps();
        Ok(Command::Function { name, body: Box::new(self.command()?) })
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.skip(end);
        rest[..end].to_owned()
    }

    fn assignment(&mut self) -> Result<Option<(String, Word)>, Fault> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if !is_name(&rest[..end]) || !rest[end..].starts_with('=') {
            return Ok(None);
        }
        let name = rest[..end].to_owned();
        self.skip(end + 1);
        Ok(Some((name, self.word()?.unwrap_or_default())))
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, Fault> {
        self.blanks();
        let rest = self.rest();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let operator = &rest[digits..];
        if !operator.starts_with(['<', '>']) && !rest.starts_with("&>") || digits > 1 {
            return Ok(None);
        }
        let stream: Option<u8> = rest[..digits].parse().ok();
        self.skip(digits);
        for (operator, default) in [("<<-", 0), ("<<", 0), (">>", 1), (">&", 1), ("&>", 1), ("<", 0), (">", 1)] {
            if !self.take(operator) {
                continue;
            }
            let stream = stream.unwrap_or(default);
            self.blanks();
            let target = match operator {
                "<<-" | "<<" => return self.here(operator == "<<-").map(Some),
                ">&" => Target::Stream(self.next().and_then(|c| c.to_digit(10)).map_or(1, |n| u8::from(n == 2) + 1)),
                _ => {
                    let word = self.word()?.ok_or("syntax error: redirect to nowhere")?;
                    match operator {
                        ">>" => Target::Append(word),
                        "<" => Target::Read(word),
                        _ => Target::Write(word),
                    }
                }
            };
            return Ok(Some(Redirect { stream, target }));
        }
        Ok(None)
    }

    /// The text of a here-document: the lines after this one, up to its delimiter.
    fn here(&mut self, dedent: bool) -> Result<Redirect, Fault> {
        let quoted = self.rest().starts_with(['\'', '"', '\\']);
        let delimiter =
            self.word()?.and_then(|word| word.literal()).ok_or("syntax error: here-document without end")?;
        let line_end = self.rest().find('\n').map_or(self.text.len(), |end| self.place + end + 1);
        let mut place = self.behind_line.unwrap_or(line_end);
        let mut body = String::new();
        for line in self.text.get(place..).unwrap_or("").split_inclusive('\n') {
            place += line.len();
            let line = if dedent { line.trim_start_matches('\t') } else { line };
            if line.trim_end_matches('\n') == delimiter {
                break;
            }
            body.push_str(line);
        }
        self.behind_line = Some(place);
        let text = if quoted { Word::quoted(body) } else { word::document(&body, self.depth)? };
        Ok(Redirect { stream: 0, target: Target::Here(text) })
    }

    fn word(&mut self) -> Result<Option<Word>, Fault> {
        word::word(self)
    }
}

/// The script inside `$( … )`, which ends at the closing bracket.
pub(super) fn inner(reader: &mut Reader<'_>) -> Result<List, Fault> {
    let mut inside = Reader::new(reader.rest(), reader.depth + 1);
    inside.deeper()?;
    let list = inside.list(&[])?;
    if inside.next() != Some(')') {
        return Err("syntax error: unterminated $(".to_owned());
    }
    reader.skip(inside.place);
    Ok(list)
}
