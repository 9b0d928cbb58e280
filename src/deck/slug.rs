//! Heading ids.

use std::collections::HashMap;

/// Gives every heading of a deck its id.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    used: HashMap<String, u32>,
    slides: usize,
}

impl Slugs {
    /// Ids for a deck of `slides` slides, whose numbers are taken already.
    pub(super) fn new(slides: usize) -> Self {
        Self { used: HashMap::new(), slides }
    }

    /// The id of the next heading with this text; a repeated one is numbered.
    pub(super) fn next(&mut self, text: &str) -> String {
        let base = slug(text);
        let taken = base.parse::<usize>().is_ok_and(|n| (1..=self.slides).contains(&n) && !base.starts_with('0'));
        let count = self.used.entry(base.clone()).and_modify(|n| *n += 1).or_insert(u32::from(taken));
        if *count == 0 { base } else { format!("{base}-{count}") }
    }
}

const CJK_PUNCTUATION: &str = "。，、；：？！…—·ˉ¨‘’“”々～‖∶＂＇｀｜〃〔〕〈〉《》「」『』．〖〗【】（）［］｛｝";

fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            out.push('-');
        }
        if (c.is_ascii_punctuation() && c != '-' && c != '_') || CJK_PUNCTUATION.contains(c) {
            continue;
        }
        out.extend(c.to_lowercase());
    }
    let trimmed = out.trim_start_matches('-');
    let trimmed = if trimmed.len() == out.len() { out.trim_end_matches('-') } else { trimmed };
    let mut encoded = String::with_capacity(trimmed.len());
    let mut buffer = [0; 4];
    for c in trimmed.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut buffer).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_to_slug() {
        for (text, expected) in [
            ("Hello, World! (v1.0)", "hello-world-v10"),
            ("-dash-", "dash-"),
            ("dash-", "dash"),
            ("  many    spaces ", "many-spaces"),
            ("snake_case", "snake_case"),
            ("über", "%C3%BCber"),
            ("「強調」です", "%E5%BC%B7%E8%AA%BF%E3%81%A7%E3%81%99"),
            ("100% sure?", "100-sure"),
        ] {
            assert_eq!(slug(text), expected);
        }
    }

    #[test]
    fn repeats_are_counted_and_slide_numbers_are_taken() {
        let mut slugs = Slugs::new(2);
        let ids: Vec<String> = ["a", "a-1", "a", "1", "3", "", ""].iter().map(|t| slugs.next(t)).collect();
        assert_eq!(ids, ["a", "a-1", "a-1", "1-1", "3", "", "-1"]);
    }
}
