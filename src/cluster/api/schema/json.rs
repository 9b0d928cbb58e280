//! JSON as Go reads it: the same texts for syntax errors, and fields that are there twice are found.

use serde_json::{Number, Value};

use crate::cluster::object::Map;

/// Deeper values are refused: what is stored has to be readable again, by serde_json and inside of other documents.
const MAX_DEPTH: usize = 100;
/// More fields that are there twice are not told.
const MAX_DUPLICATES: usize = 100;

/// Reads a JSON document. The second part names fields that are there twice, as `duplicate field "data.a"`.
///
/// # Errors
/// Go's text of a syntax error.
pub fn parse_json(body: &[u8]) -> Result<(Value, Vec<String>), String> {
    let mut parser = Parser { body, at: 0, place: Vec::new(), duplicates: Vec::new() };
    let value = parser.value()?;
    match parser.next_token() {
        None => Ok((value, parser.duplicates)),
        Some(_) => Err(parser.invalid("after top-level value")),
    }
}

struct Parser<'a> {
    body: &'a [u8],
    at: usize,
    /// The way to the value that is being read.
    place: Vec<Step>,
    duplicates: Vec<String>,
}

enum Step {
    Field(String),
    Item(usize),
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    /// The next byte that is no white space, which stays where it is.
    fn next_token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    /// The byte here cannot be, or there is none.
    fn invalid(&self, place: &str) -> String {
        match self.peek() {
            None => "unexpected end of JSON input".to_owned(),
            Some(byte) => format!("invalid character {} {place}", quoted(byte)),
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.next_token() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.invalid("looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        if self.place.len() == MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        self.at += 1;
        let value = read(self)?;
        self.at += 1;
        Ok(value)
    }

    /// What is after `{`, up to `}`.
    fn object(&mut self) -> Result<Value, String> {
        let mut members = Map::new();
        if self.next_token() == Some(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.next_token() != Some(b'"') {
                return Err(self.invalid("looking for beginning of object key string"));
            }
            let name = self.string()?;
            if self.next_token() != Some(b':') {
                return Err(self.invalid("after object key"));
            }
            self.at += 1;
            let is_there = members.contains_key(&name);
            self.place.push(Step::Field(name));
            if is_there && self.duplicates.len() < MAX_DUPLICATES {
                self.duplicates.push(format!("duplicate field {:?}", path(&self.place)));
            }
            let value = self.value()?;
            if let Some(Step::Field(name)) = self.place.pop() {
                members.insert(name, value);
            }
            match self.next_token() {
                Some(b',') => self.at += 1,
                Some(b'}') => return Ok(Value::Object(members)),
                _ => return Err(self.invalid("after object key:value pair")),
            }
        }
    }

    /// What is after `[`, up to `]`.
    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        if self.next_token() == Some(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.place.push(Step::Item(items.len()));
            items.push(self.value()?);
            self.place.pop();
            match self.next_token() {
                Some(b',') => self.at += 1,
                Some(b']') => return Ok(Value::Array(items)),
                _ => return Err(self.invalid("after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.invalid(&format!("in literal {word} (expecting {})", quoted(expected))));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self, place: &str) -> Result<(), String> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.invalid(place));
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits("in numeric literal")?,
        }
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(self.body.get(start..self.at).unwrap_or_default());
        let signed = || text.parse::<i64>().ok().map(Number::from);
        let unsigned = || text.parse::<u64>().ok().map(Number::from);
        let whole = if whole == self.at { signed().or_else(unsigned) } else { None };
        whole
            .or_else(|| text.parse().ok().and_then(Number::from_f64))
            .map(Value::Number)
            .ok_or_else(|| format!("json: cannot unmarshal number {text} into Go value of type float64"))
    }

    /// The text of a string that begins here, quotes included.
    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
            let plain_text = String::from_utf8_lossy(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if text.is_empty() {
                        return Ok(plain_text.into_owned());
                    }
                    text.push_str(&plain_text);
                    return Ok(text);
                }
                Some(b'\\') => {
                    text.push_str(&plain_text);
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return Err(self.invalid("in string literal")),
            }
        }
    }

    /// What is after a backslash.
    fn escape(&mut self) -> Result<char, String> {
        let plain = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.invalid("in string escape code")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// `uXXXX`, or a pair of surrogates; one surrogate alone is the replacement character.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.code_unit()?;
        if (0xd800..0xdc00).contains(&first) && self.body.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u")) {
            let before = self.at;
            self.at += 1;
            let second = self.code_unit()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn code_unit(&mut self) -> Result<u32, String> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.invalid("in \\u hexadecimal character escape"))?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

fn path(place: &[Step]) -> String {
    let mut path = String::new();
    for step in place {
        match step {
            Step::Item(index) => path.push_str(&format!("[{index}]")),
            Step::Field(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
        }
    }
    path
}

/// A byte as Go's JSON errors show it.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        7 => r"'\a'".to_owned(),
        8 => r"'\b'".to_owned(),
        11 => r"'\v'".to_owned(),
        12 => r"'\f'".to_owned(),
        0..=31 | 127 => format!(r"'\x{byte:02x}'"),
        128..=160 | 173 => format!(r"'\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn values_are_read() {
        let text =
            r#" {"a": [1, -2.5e1, true, null, {}], "b\u00e9\n": "\ud83d\ude00\ud800x/\/", "c": 18446744073709551615} "#;
        let expected = json!({"a": [1, -25.0, true, null, {}], "bé\n": "😀\u{fffd}x//", "c": u64::MAX});
        assert_eq!(parse_json(text.as_bytes()), Ok((expected, vec![])));
        assert_eq!(parse_json(b"\"a\xffb\""), Ok((json!("a\u{fffd}b"), vec![])));
    }

    #[test]
    fn syntax_errors_read_as_in_go() {
        let cases = [
            ("{not json", "invalid character 'n' looking for beginning of object key string"),
            ("", "unexpected end of JSON input"),
            ("hello", "invalid character 'h' looking for beginning of value"),
            ("{\"a\":1", "unexpected end of JSON input"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 \"b\"", "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("01", "invalid character '1' after top-level value"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1e+", "unexpected end of JSON input"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("trxe", "invalid character 'x' in literal true (expecting 'u')"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u00g0\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("\u{e9}", "invalid character 'Ã' looking for beginning of value"),
            ("'", "invalid character '\\'' looking for beginning of value"),
            ("1e400", "json: cannot unmarshal number 1e400 into Go value of type float64"),
        ];
        for (text, error) in cases {
            assert_eq!(parse_json(text.as_bytes()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn fields_that_are_there_twice_are_named_and_the_last_holds() {
        let text = r#"{"data":{"a":"b","a":"c"},"l":[{"x":1},{"y":{"z":1,"z":2},"y":3}],"data":{},"data":1}"#;
        let (value, twice) = parse_json(text.as_bytes()).expect("it is JSON");
        assert_eq!(value, json!({"data": 1, "l": [{"x": 1}, {"y": 3}]}));
        let paths = ["data.a", "l[1].y.z", "l[1].y", "data", "data"];
        assert_eq!(twice, paths.map(|path| format!("duplicate field \"{path}\"")));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse_json(deep(100).as_bytes()).is_ok());
        assert_eq!(parse_json(deep(101).as_bytes()), Err("exceeded max depth".to_owned()));
        assert!(parse_json("[".repeat(1_000_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse_json(&bytes);
        }

        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9a-c \\ue.tn-]{0,24}"#) {
            let ours = parse_json(text.as_bytes());
            if let Ok(theirs) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(ours.map(|(value, _)| value), Ok(theirs));
            }
        }
    }
}
