//! Secrets out of what is shown and recorded: tokens of this run, headers, keys, what looks like a token. Pure.
//!
//! A [`Redactor`] takes bytes as they come and gives back as many, with each letter of a secret replaced by `*`, so that
//! columns stay where they are. A secret may be cut anywhere by the borders of chunks and by escape sequences. Only the
//! few letters that decide whether it is one are held back, and [`Redactor::flush`] lets go of those when nothing
//! follows for a while.

use std::sync::Arc;

/// What stands in a secret's place.
const MASK: u8 = b'*';
/// How much of a known secret may be seen: enough to know it by, too little to use it.
const SHOWN: usize = 4;
/// Known secrets that are shorter would hide ordinary words.
const SHORTEST: usize = 8;
/// Held bytes; escape sequences in between could otherwise pile up.
const MOST_HELD: usize = 4096;

/// Which bytes a secret is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    /// Letters, digits and these; so many at least.
    Letters(&'static [u8], usize),
    /// Capital letters and digits; so many at least.
    Capitals(usize),
    /// Anything but white space and quotes; so many at least.
    Word(usize),
    /// The rest of the line, or of the quoted text.
    Line,
    /// Exactly these; it is one as soon as so many are there.
    Exact(Vec<u8>, usize),
    /// The password in `://user:password@`.
    Password,
    /// Lines up to `-----END`.
    Block,
}

/// How a secret is known.
#[derive(Debug, Clone)]
struct Pattern {
    /// What stands before it; shown.
    prefix: Vec<u8>,
    /// Whether capitals of the prefix count.
    exact_case: bool,
    /// Whether the prefix begins a word.
    begins_word: bool,
    /// Whether spaces and quotes may follow the prefix.
    gap: bool,
    body: Body,
}

/// Prefixes of tokens.
const TOKENS: [(&str, Body); 18] = [
    ("ghp_", Body::Letters(b"_", 20)),
    ("gho_", Body::Letters(b"_", 20)),
    ("ghu_", Body::Letters(b"_", 20)),
    ("ghs_", Body::Letters(b"_", 20)),
    ("ghr_", Body::Letters(b"_", 20)),
    ("github_pat_", Body::Letters(b"_", 20)),
    ("glpat-", Body::Letters(b"_-", 16)),
    ("AKIA", Body::Capitals(12)),
    ("ASIA", Body::Capitals(12)),
    ("xoxa-", Body::Letters(b"-", 10)),
    ("xoxb-", Body::Letters(b"-", 10)),
    ("xoxp-", Body::Letters(b"-", 10)),
    ("eyJ", Body::Letters(b"_-.+/=", 30)),
    ("sk-", Body::Letters(b"_-", 24)),
    ("AIza", Body::Letters(b"_-", 30)),
    ("npm_", Body::Letters(b"", 30)),
    ("dckr_pat_", Body::Letters(b"_-", 20)),
    ("hvs.", Body::Letters(b"_-", 20)),
];

/// Names whose value is a secret.
const NAMES: [(&str, Body); 11] = [
    ("token", Body::Word(16)),
    ("password", Body::Word(6)),
    ("passwd", Body::Word(6)),
    ("client-key-data", Body::Word(16)),
    ("aws_secret_access_key", Body::Word(16)),
    ("api-key", Body::Word(12)),
    ("api_key", Body::Word(12)),
    ("client_secret", Body::Word(12)),
    ("client-secret", Body::Word(12)),
    ("secret_key", Body::Word(12)),
    ("secret-key", Body::Word(12)),
];
/// What stands between a name and its value.
const SIGNS: [&str; 4] = [":", "=", "\":", " ="];
/// Headers whose whole value is a secret.
const HEADERS: [&str; 3] = ["authorization:", "private-token:", "cookie:"];
/// What begins a private key, behind `-----BEGIN `.
const KEYS: [&str; 7] = ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "PGP "];

/// What is to be kept secret. Clones share it.
#[derive(Debug, Clone)]
pub struct Secrets {
    patterns: Arc<[Pattern]>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self::with([])
    }
}

impl Secrets {
    /// What looks like a secret, and these texts. Short ones and those with white space are left out.
    pub fn with<'a>(known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut patterns = Vec::new();
        for text in known {
            let bytes = text.trim().as_bytes();
            if bytes.len() >= SHORTEST && !bytes.iter().any(u8::is_ascii_whitespace) {
                let (prefix, rest) = bytes.split_at(SHOWN);
                patterns.push(pattern(prefix, true, false, false, Body::Exact(rest.to_vec(), rest.len().min(SHOWN))));
            }
        }
        for (prefix, body) in TOKENS {
            patterns.push(pattern(prefix.as_bytes(), true, true, false, body));
        }
        for (name, body) in NAMES {
            for sign in SIGNS {
                patterns.push(pattern(format!("{name}{sign}").as_bytes(), false, false, true, body.clone()));
            }
        }
        for header in HEADERS {
            patterns.push(pattern(header.as_bytes(), false, false, false, Body::Line));
        }
        patterns.push(pattern(b"bearer ", false, true, true, Body::Word(8)));
        patterns.push(pattern(b"://", true, false, false, Body::Password));
        for kind in KEYS {
            for end in ["KEY-----", "KEY BLOCK-----"] {
                let prefix = format!("-----BEGIN {kind}PRIVATE {end}");
                patterns.push(pattern(prefix.as_bytes(), true, false, false, Body::Block));
            }
        }
        Self { patterns: patterns.into() }
    }

    /// A text without its secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut redactor = Redactor::new(self);
        let mut bytes = redactor.push(text.as_bytes());
        bytes.extend(redactor.flush());
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

fn pattern(prefix: &[u8], exact_case: bool, begins_word: bool, gap: bool, body: Body) -> Pattern {
    Pattern { prefix: prefix.to_vec(), exact_case, begins_word, gap, body }
}

impl Pattern {
    fn prefix_has(&self, at: usize, byte: u8) -> bool {
        self.prefix
            .get(at)
            .is_some_and(|wanted| if self.exact_case { *wanted == byte } else { wanted.eq_ignore_ascii_case(&byte) })
    }
}

/// Something that may be, or is, a secret.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    pattern: usize,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// So much of the prefix is there.
    Prefix(usize),
    /// Spaces and quotes between prefix and value.
    Gap(usize),
    /// The user's name of an address.
    User,
    /// The value, from a place of the visible text on.
    Value { from: u64, count: usize, dashes: u8, sure: bool },
}

/// What a byte does to a candidate.
enum Step {
    Stays(Phase),
    Ends,
    /// It was a secret up to here.
    Reveals(u64),
}

/// Takes secrets out of a stream of bytes.
#[derive(Debug, Clone)]
pub struct Redactor {
    secrets: Secrets,
    candidates: Vec<Candidate>,
    held: Vec<Held>,
    escape: Escape,
    previous: u8,
    seen: u64,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    byte: u8,
    /// Its place in the visible text; `None` for a byte of an escape sequence.
    place: Option<u64>,
    masked: bool,
}

/// Where in an escape sequence the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    No,
    Begun,
    Csi,
    Text,
    TextEnds,
}

impl Redactor {
    /// A redactor at the beginning of a stream.
    pub fn new(secrets: &Secrets) -> Self {
        Self {
            secrets: secrets.clone(),
            candidates: Vec::new(),
            held: Vec::new(),
            escape: Escape::No,
            previous: b'\n',
            seen: 0,
        }
    }

    /// Whether bytes are held back.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes in bytes; gives those that can be shown.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + self.held.len());
        for &byte in bytes {
            if self.is_visible(byte) {
                self.visible(byte, &mut out);
            } else if self.held.is_empty() {
                out.push(byte);
            } else {
                self.held.push(Held { byte, place: None, masked: false });
            }
            if self.held.len() > MOST_HELD {
                out.extend(self.flush());
            }
        }
        out
    }

    /// Lets go of what is held back; what may be a part of a secret is masked.
    pub fn flush(&mut self) -> Vec<u8> {
        let from = self.undecided(|body| *body != Body::Password);
        let mut out = Vec::with_capacity(self.held.len());
        for held in self.held.drain(..) {
            let masked = held.masked || from.zip(held.place).is_some_and(|(from, place)| place >= from);
            show(held.byte, masked && held.place.is_some(), &mut out);
        }
        out
    }

    fn is_visible(&mut self, byte: u8) -> bool {
        let (next, visible) = match (self.escape, byte) {
            (_, 0x1b) if self.escape != Escape::Text => (Escape::Begun, false),
            (Escape::No, b'\n' | b'\r' | b'\t') => (Escape::No, true),
            (Escape::No, _) => (Escape::No, !byte.is_ascii_control()),
            (Escape::Begun, b'[') => (Escape::Csi, false),
            (Escape::Begun, b']' | b'P' | b'X' | b'^' | b'_') => (Escape::Text, false),
            (Escape::Begun, _) => (Escape::No, false),
            (Escape::Csi, 0x40..=0x7e | b'\n' | b'\r') => (Escape::No, false),
            (Escape::Csi, _) => (Escape::Csi, false),
            (Escape::Text, 0x07) | (Escape::TextEnds, b'\\') => (Escape::No, false),
            (Escape::Text, 0x1b) => (Escape::TextEnds, false),
            (Escape::Text | Escape::TextEnds, _) => (Escape::Text, false),
        };
        self.escape = next;
        visible
    }

    fn visible(&mut self, byte: u8, out: &mut Vec<u8>) {
        let place = self.seen;
        self.seen += 1;
        let mut mask_from: Option<u64> = None;
        let patterns = self.secrets.patterns.clone();
        let began_word = !self.previous.is_ascii_alphanumeric();
        self.previous = byte;
        self.candidates.retain_mut(|candidate| {
            let Some(pattern) = patterns.get(candidate.pattern) else { return false };
            let stays = match step(pattern, candidate.phase, byte, place) {
                Step::Stays(phase) => {
                    candidate.phase = phase;
                    true
                }
                Step::Ends => false,
                Step::Reveals(from) => {
                    mask_held(&mut self.held, from);
                    false
                }
            };
            if let Phase::Value { from, sure: true, .. } = candidate.phase
                && stays
            {
                mask_from = Some(mask_from.map_or(from, |earlier| earlier.min(from)));
            }
            stays
        });
        for (index, pattern) in patterns.iter().enumerate() {
            if pattern.prefix_has(0, byte) && (began_word || !pattern.begins_word) {
                self.candidates.push(Candidate { pattern: index, phase: Phase::Prefix(1) });
            }
        }
        if let Some(from) = mask_from {
            mask_held(&mut self.held, from);
        }
        let masked = mask_from.is_some_and(|from| place >= from) && !matches!(byte, b'\n' | b'\r' | b'\t');
        self.held.push(Held { byte, place: Some(place), masked });
        self.release(out);
    }

    /// The first place of the visible text that may belong to a secret that is not decided on.
    fn undecided(&self, counts: impl Fn(&Body) -> bool) -> Option<u64> {
        let open = self.candidates.iter().filter_map(|candidate| match candidate.phase {
            Phase::Value { from, sure: false, .. } => {
                let pattern = self.secrets.patterns.get(candidate.pattern)?;
                counts(&pattern.body).then_some(from)
            }
            _ => None,
        });
        open.min()
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        let keep = match self.undecided(|_| true) {
            Some(from) => self.held.iter().position(|held| held.place.is_some_and(|place| place >= from)),
            None => None,
        };
        let free = keep.unwrap_or(self.held.len());
        for held in self.held.drain(..free) {
            show(held.byte, held.masked, out);
        }
    }
}

fn mask_held(held: &mut [Held], from: u64) {
    for held in held {
        held.masked |= held.place.is_some_and(|place| place >= from);
    }
}

/// A letter of several bytes becomes one star.
fn show(byte: u8, masked: bool, out: &mut Vec<u8>) {
    if !masked {
        out.push(byte);
    } else if byte & 0xc0 != 0x80 {
        out.push(MASK);
    }
}

fn step(pattern: &Pattern, phase: Phase, byte: u8, place: u64) -> Step {
    match phase {
        Phase::Prefix(matched) if matched < pattern.prefix.len() => {
            if pattern.prefix_has(matched, byte) {
                Step::Stays(Phase::Prefix(matched + 1))
            } else {
                Step::Ends
            }
        }
        Phase::Prefix(_) => begin(pattern, 0, byte, place),
        Phase::Gap(length) => begin(pattern, length, byte, place),
        Phase::User => match byte {
            b':' => Step::Stays(Phase::Value { from: place + 1, count: 0, dashes: 0, sure: false }),
            b'/' | b'@' | b'"' | b'\'' => Step::Ends,
            _ if byte.is_ascii_whitespace() => Step::Ends,
            _ => Step::Stays(Phase::User),
        },
        Phase::Value { from, count, dashes, sure } => value(&pattern.body, from, count, dashes, sure, byte),
    }
}

/// The first byte behind the prefix, or behind the gap.
fn begin(pattern: &Pattern, gap: usize, byte: u8, place: u64) -> Step {
    if pattern.body == Body::Password {
        return step(pattern, Phase::User, byte, place);
    }
    if pattern.gap && gap < 4 && matches!(byte, b' ' | b'"' | b'\'' | b'=') {
        return Step::Stays(Phase::Gap(gap + 1));
    }
    value(&pattern.body, place, 0, 0, false, byte)
}

fn value(body: &Body, from: u64, count: usize, dashes: u8, sure: bool, byte: u8) -> Step {
    let line_end = matches!(byte, b'\n' | b'\r');
    let quote = matches!(byte, b'"' | b'\'' | b'`');
    let (fits, least) = match body {
        Body::Letters(more, least) => (byte.is_ascii_alphanumeric() || more.contains(&byte), *least),
        Body::Capitals(least) => (byte.is_ascii_uppercase() || byte.is_ascii_digit(), *least),
        Body::Word(least) => (!byte.is_ascii_whitespace() && !quote && byte != b',', *least),
        Body::Line => (!line_end && !quote, 0),
        Body::Exact(bytes, least) => (bytes.get(count) == Some(&byte), *least),
        Body::Password if byte == b'@' => return Step::Reveals(from),
        Body::Password => (!byte.is_ascii_whitespace() && !quote && byte != b'/', usize::MAX),
        Body::Block => return block(from, dashes, byte),
    };
    if !fits {
        return Step::Ends;
    }
    let count = count + 1;
    Step::Stays(Phase::Value { from, count, dashes, sure: sure || count >= least })
}

/// Base64 has no dashes: five of them are the beginning of the last line.
fn block(from: u64, dashes: u8, byte: u8) -> Step {
    let dashes = if byte == b'-' { dashes + 1 } else { 0 };
    if dashes == 5 { Step::Ends } else { Step::Stays(Phase::Value { from, count: 1, dashes, sure: true }) }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
