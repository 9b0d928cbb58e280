//! C and C++.

use super::lexer::{Lexer, Words, is_word};

static C: Words = Words::new(&[
    (
        "keyword",
        "asm auto break case continue default do else enum extern for fortran goto if inline register restrict return sizeof typeof typeof_unqual struct switch typedef union volatile while _Alignas _Alignof _Atomic _Generic _Noreturn _Static_assert _Thread_local alignas alignof noreturn static_assert thread_local _Pragma",
    ),
    (
        "type",
        "float double signed unsigned int short long char void _Bool _BitInt _Complex _Imaginary _Decimal32 _Decimal64 _Decimal96 _Decimal128 _Float16 _Float32 _Float64 const static constexpr complex bool imaginary",
    ),
    ("literal", "true false NULL"),
    (
        "built_in",
        "std string cin cout cerr clog stdin stdout stderr stringstream istringstream ostringstream auto_ptr deque list queue stack vector map set pair bitset multiset multimap unordered_set fscanf future priority_queue make_pair array shared_ptr abort terminate abs acos asin atan2 atan calloc ceil cosh cos exit exp fabs floor fmod fprintf fputs free frexp isalnum isalpha iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit tolower toupper labs ldexp log10 log malloc realloc memchr memcmp memcpy memset modf pow printf putchar puts scanf sinh sin snprintf sprintf sqrt sscanf strcat strchr strcmp strcpy strcspn strlen strncat strncmp strncpy strpbrk strrchr strspn strstr tanh tan vfprintf vprintf vsprintf endl initializer_list unique_ptr",
    ),
]);

static CPP: Words = Words::new(&[
    (
        "keyword",
        "alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor break case catch class co_await co_return co_yield compl concept const_cast consteval constexpr constinit continue decltype default delete do dynamic_cast else enum explicit export extern false final for friend goto if import inline module mutable namespace new noexcept not not_eq nullptr operator or or_eq override private protected public reflexpr register reinterpret_cast requires return sizeof static_assert static_cast struct switch synchronized template this thread_local throw transaction_safe transaction_safe_dynamic true try typedef typeid typename union using virtual volatile while xor xor_eq",
    ),
    (
        "type",
        "bool char char16_t char32_t char8_t double float int long short void wchar_t unsigned signed const static",
    ),
    ("literal", "NULL false nullopt nullptr true"),
    ("built_in", "_Pragma"),
]);

/// Classifies C.
pub(super) fn c(lx: &mut Lexer) {
    while !lx.done() {
        token(lx, &C);
    }
}

/// Classifies C++.
pub(super) fn cpp(lx: &mut Lexer) {
    while !lx.done() {
        token(lx, &CPP);
    }
}

fn is_cpp(words: &Words) -> bool {
    std::ptr::eq(words, &raw const CPP)
}

fn token(lx: &mut Lexer, words: &'static Words) {
    match lx.peek() {
        b'/' if lx.c_comment(false) => {}
        b'#' if lx.first_in_line() => preprocessor(lx),
        b'"' => lx.string("string", 1, b'"', false),
        b'\'' => lx.string("string", 1, b'\'', false),
        b'.' | b'0'..=b'9' => number(lx),
        _ => match lx.word() {
            "" => lx.skip(),
            word => name(lx, word, words),
        },
    }
}

fn number(lx: &mut Lexer) {
    let len = lx.number_len();
    if len == 0 || (len == 1 && lx.peek() == b'.') {
        return lx.skip();
    }
    let more = lx.rest()[len..].bytes().take_while(|b| b.is_ascii_alphanumeric() || b"'_".contains(b)).count();
    lx.take("number", len + more);
}

/// `#include <…>` and other lines for the preprocessor.
fn preprocessor(lx: &mut Lexer) {
    const WORDS: [&str; 14] = [
        "if", "else", "elif", "endif", "define", "undef", "warning", "error", "line", "pragma", "_Pragma", "ifdef",
        "ifndef", "include",
    ];
    let mut end = lx.line_end();
    while lx.code()[..end].ends_with('\\') && end < lx.code().len() {
        end = lx.code()[end + 1..].find('\n').map_or(lx.code().len(), |at| end + 1 + at);
    }
    lx.take("meta", 1);
    let include = lx.rest().trim_start().starts_with("include");
    while lx.pos() < end {
        match lx.peek() {
            b'"' => lx.string("string", 1, b'"', false),
            b'<' if include => {
                let close = lx.rest().find('>').map_or(end, |at| lx.pos() + at + 1);
                lx.take_to("string", close.min(end));
            }
            b'/' if lx.c_comment(false) => {}
            _ => match lx.word() {
                "" => lx.take("meta", 1),
                word => lx.take(if WORDS.contains(&word) { "keyword" } else { "meta" }, word.len()),
            },
        }
    }
}

fn name(lx: &mut Lexer, word: &str, words: &'static Words) {
    let len = word.len();
    if matches!(word, "u8" | "u" | "U" | "L" | "R" | "u8R" | "LR" | "uR") && lx.at(len) == b'"' {
        if !word.ends_with('R') {
            return lx.string("string", len + 1, b'"', false);
        }
        let delimiter = lx.rest()[len + 1..].split('(').next().unwrap_or_default();
        let close = format!("){delimiter}\"");
        return lx.through("string", len + 1, &close);
    }
    if matches!(word, "struct" | "class" | "enum" | "union") {
        if !is_cpp(words) && word != "class" && lx.plain.is_empty() {
            return structure(lx, len);
        }
        if is_cpp(words) && class(lx, word) {
            return;
        }
    }
    let class = words.get(word).or_else(|| word.ends_with("_t").then_some("type"));
    let expression = lx.code()[..lx.pos()].trim_end();
    let after_keyword = ["return", "throw", "new", "else", "="].iter().any(|k| expression.ends_with(k));
    if lx.plain.is_empty() && !after_keyword && function(lx, words) {
        return;
    }
    if is_cpp(words) && class.is_none() && lx.plain.is_empty() && is_called(&lx.rest()[len..]) && !reserved_start(word)
    {
        return lx.take("built_in", len);
    }
    match class {
        Some(class) => lx.take(class, len),
        None => lx.skip_by(len),
    }
}

/// Whether `(` follows, perhaps after template arguments.
fn is_called(rest: &str) -> bool {
    let inner = rest
        .strip_prefix('<')
        .and_then(|rest| rest.find(['<', '>']).filter(|at| rest[*at..].starts_with('>')).map(|at| &rest[at + 1..]));
    inner.unwrap_or(rest).trim_start().starts_with('(')
}

/// Whether a name starts with an underscore or a word of the language; highlight.js takes no such name for a call.
fn reserved_start(word: &str) -> bool {
    const WORDS: [&str; 24] = [
        "and", "asm", "auto", "break", "case", "class", "const", "decltype", "delete", "do", "else", "enum", "for",
        "if", "new", "not", "or", "return", "switch", "this", "throw", "try", "using", "while",
    ];
    word.starts_with('_') || WORDS.iter().any(|reserved| word.starts_with(reserved))
}

/// `struct name *other` of C, where every name up to the end is a title.
fn structure(lx: &mut Lexer, len: usize) {
    lx.take("keyword", len);
    let end = lx.rest().find(['{', ';', '=']).map_or(lx.code().len(), |at| lx.pos() + at);
    while lx.pos() < end {
        match lx.word() {
            _ if lx.peek() == b'/' && lx.c_comment(false) => {}
            "" => lx.skip(),
            word => lx.take("title", word.len()),
        }
    }
}

/// Takes `struct Name` or `enum class Name`.
fn class(lx: &mut Lexer, word: &str) -> bool {
    let rest = lx.rest();
    let mut len = word.len();
    for second in [" class", " struct"] {
        if word == "enum" && rest[len..].starts_with(second) {
            len += second.len();
        }
    }
    let blanks = rest[len..].bytes().take_while(|b| *b == b' ').count();
    let name = rest[len + blanks..].bytes().take_while(|b| is_word(*b)).count();
    let after = rest[len + blanks + name..].trim_start();
    if blanks == 0 || name == 0 || !after.starts_with(['{', ':', ';', '<']) {
        return false;
    }
    lx.take("keyword", len);
    lx.skip_by(blanks);
    lx.take("title class_", name);
    true
}

/// Takes `type name(parameters)` up to the parameters' end, if that is what stands here.
fn function(lx: &mut Lexer, words: &'static Words) -> bool {
    let Some((types, name)) = signature(lx.rest(), words) else { return false };
    let start = lx.pos() + types;
    let outer = std::mem::replace(&mut lx.plain, "function");
    while lx.pos() < start {
        token(lx, words);
    }
    lx.take(if is_cpp(words) { "title" } else { "title function_" }, name);
    lx.plain = "function";
    lx.blanks();
    let end = lx.closing(b'(', b')', 4000);
    if let Some(end) = end {
        lx.plain = "params";
        while lx.pos() <= end {
            token(lx, words);
        }
    }
    lx.plain = outer;
    true
}

/// Where the name of a function starts after its type, and how long it is.
fn signature(rest: &str, words: &Words) -> Option<(usize, usize)> {
    let bytes = rest.as_bytes();
    let (mut at, mut parts) = (0, 0);
    loop {
        let start = at;
        while bytes.get(at).is_some_and(|b| is_word(*b) || *b == b':' || *b == b'~') {
            at += 1;
        }
        let word = &rest[start..at];
        let name_end = at;
        if word.is_empty() || word.as_bytes()[0].is_ascii_digit() || word.ends_with(':') && !word.ends_with("::") {
            return None;
        }
        let gap = bytes[at..].iter().take_while(|b| b" \t*&".contains(b)).count();
        let next = bytes.get(at + gap);
        if next == Some(&b'(') {
            let name = word.rfind("::").map_or(start, |colons| start + colons + 2);
            return (parts > 0 && bytes[at..at + gap].iter().all(|b| *b == b' ')).then_some((name, name_end - name));
        }
        if matches!(words.get(word), Some("keyword"))
            && !matches!(
                word,
                "auto"
                    | "inline"
                    | "virtual"
                    | "extern"
                    | "constexpr"
                    | "explicit"
                    | "friend"
                    | "template"
                    | "typename"
            )
        {
            return None;
        }
        if next == Some(&b'<') && gap == 0 {
            let close = bytes[at..].iter().take(200).position(|b| *b == b'>')?;
            at += close + 1;
            at += bytes[at..].iter().take_while(|b| b" \t*&".contains(b)).count();
        } else if gap > 0 {
            at += gap;
        } else {
            return None;
        }
        parts += 1;
        if parts > 6 {
            return None;
        }
    }
}
