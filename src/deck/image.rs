//! Image keywords in the alternative text: `bg`, `left:33%`, `w:300px`, `blur`.

use super::ast::{Background, Image, Side};

/// Takes the keywords out of `alt` and puts their meaning into an image.
pub(super) fn read(alt: &str) -> Image {
    let mut image = Image::default();
    let mut words = Words { background: is_background(alt), ..Words::default() };
    let mut rest = alt;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        let length = rest[start..].find(char::is_whitespace).unwrap_or(rest.len() - start);
        let word = &rest[start..start + length];
        if !words.take(word, &mut image) {
            if !image.alt.is_empty() {
                image.alt.push_str(&rest[..start]);
            }
            image.alt.push_str(word);
        }
        rest = &rest[start + length..];
    }
    words.finish(&mut image);
    image
}

/// Whether the image stands behind the slide.
pub(super) fn is_background(alt: &str) -> bool {
    alt.split_whitespace().any(|word| word == "bg")
}

#[derive(Default)]
struct Words {
    background: bool,
    width: Option<String>,
    height: Option<String>,
    percent: Option<String>,
    size: Option<&'static str>,
    split: Option<Side>,
    split_size: Option<String>,
    vertical: Option<bool>,
}

impl Words {
    /// Whether `word` is a keyword.
    fn take(&mut self, word: &str, image: &mut Image) -> bool {
        if self.take_size(word) || (self.background && self.take_background(word)) {
            return true;
        }
        match filter(word) {
            Some(filter) => {
                image.filters.push(filter);
                true
            }
            None => false,
        }
    }

    fn take_size(&mut self, word: &str) -> bool {
        if let Some(value) = word.strip_prefix("w:").or_else(|| word.strip_prefix("width:")) {
            return length(value).map(|length| self.width = Some(length)).is_some();
        }
        if let Some(value) = word.strip_prefix("h:").or_else(|| word.strip_prefix("height:")) {
            return length(value).map(|length| self.height = Some(length)).is_some();
        }
        if word.strip_suffix('%').is_some_and(is_number) {
            self.percent = Some(word.to_owned());
            return true;
        }
        false
    }

    fn take_background(&mut self, word: &str) -> bool {
        match word {
            "bg" => {}
            "auto" => self.size = Some("auto"),
            "contain" | "fit" => self.size = Some("contain"),
            "cover" => self.size = Some("cover"),
            "vertical" => self.vertical = Some(true),
            "horizontal" => self.vertical = Some(false),
            "left" => self.split = Some(Side::Left),
            "right" => self.split = Some(Side::Right),
            _ => {
                let (side, size) = match word.split_once(':') {
                    Some(("left", size)) => (Side::Left, size),
                    Some(("right", size)) => (Side::Right, size),
                    _ => return false,
                };
                if !size.strip_suffix('%').is_some_and(is_number) {
                    return false;
                }
                self.split = Some(side);
                self.split_size = Some(size.to_owned());
            }
        }
        true
    }

    fn finish(self, image: &mut Image) {
        if !self.background {
            // a percentage of what? Marp drops it on images in the text
            image.width = self.width.filter(|w| !w.ends_with('%'));
            image.height = self.height.filter(|h| !h.ends_with('%'));
            return;
        }
        let named = self.percent.or(self.size.map(str::to_owned));
        let size = match named.as_deref() {
            Some("contain" | "cover") => named,
            _ if self.width.is_some() || self.height.is_some() => {
                let width = self.width.or_else(|| named.clone()).unwrap_or_else(|| "auto".into());
                let height = self.height.or(named).unwrap_or_else(|| "auto".into());
                Some(format!("{width} {height}"))
            }
            _ => named,
        };
        image.background =
            Some(Background { size, split: self.split, split_size: self.split_size, vertical: self.vertical });
    }
}

/// A CSS length as Marp takes it: a number of pixels, a number with a unit, or `auto`.
pub(super) fn length(text: &str) -> Option<String> {
    if text == "auto" {
        return Some(text.to_owned());
    }
    let units = ["%", "ch", "cm", "em", "ex", "in", "mm", "pc", "pt", "px"];
    if let Some(number) = units.iter().find_map(|unit| text.strip_suffix(unit)) {
        return is_number(number).then(|| text.to_owned());
    }
    is_number(text).then(|| format!("{text}px"))
}

fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && fraction.map_or(!whole.is_empty(), |f| !f.is_empty() && digits(f))
}

/// Filter name and the argument it has when none is written.
const FILTERS: [(&str, &str); 10] = [
    ("blur", "10px"),
    ("brightness", "1.5"),
    ("contrast", "2"),
    ("drop-shadow", "0 5px 10px rgba(0,0,0,.4)"),
    ("grayscale", "1"),
    ("hue-rotate", "180deg"),
    ("invert", "1"),
    ("opacity", ".5"),
    ("saturate", "2"),
    ("sepia", "1"),
];

fn filter(word: &str) -> Option<String> {
    let (name, argument) = word.split_once(':').map_or((word, None), |(n, a)| (n, Some(a)));
    let (name, default) = FILTERS.iter().find(|(known, _)| *known == name)?;
    let argument = match argument {
        None => (*default).to_owned(),
        Some("") => return None,
        Some(written) if *name == "drop-shadow" => shadow(written)?,
        Some(written) => escape(written),
    };
    Some(format!("{name}({argument})"))
}

/// `x,y[,blur][,colour]` → CSS; a colour may be a function with commas of its own.
fn shadow(written: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut depth = 0usize;
    let mut part = String::new();
    for c in written.chars() {
        match c {
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            _ => {
                depth = match c {
                    '(' => depth + 1,
                    ')' => depth.saturating_sub(1),
                    _ => depth,
                };
                part.push(c);
            }
        }
    }
    parts.push(part);
    if !(2..=4).contains(&parts.len()) || parts.iter().any(String::is_empty) {
        return None;
    }
    let words: Vec<String> = parts.iter().map(|part| color_function(part).unwrap_or_else(|| escape(part))).collect();
    Some(words.join(" "))
}

/// `rgb(…)` kept as a function, with its inside escaped.
fn color_function(part: &str) -> Option<String> {
    let (name, rest) = part.split_once('(')?;
    let inside = rest.strip_suffix(')')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_name.then(|| format!("{name}({})", escape(inside)))
}

/// Keeps an argument inside its parentheses.
fn escape(argument: &str) -> String {
    let mut out = String::with_capacity(argument.len());
    for c in argument.chars() {
        match c {
            '\\' | ';' | ':' | '(' | ')' => out.push_str(&format!("\\{:x} ", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn background_size(alt: &str) -> Option<String> {
        read(alt).background.expect("a bg image").size
    }

    #[test]
    fn sizes_of_backgrounds() {
        for (alt, size) in [
            ("bg", None),
            ("bg cover 50%", Some("50%")),
            ("bg w:200 50%", Some("200px 50%")),
            ("bg h:200", Some("auto 200px")),
            ("bg w:200 fit", Some("contain")),
            ("bg cover fit", Some("contain")),
            ("bg cover w:300px", Some("cover")),
        ] {
            assert_eq!(background_size(alt).as_deref(), size, "{alt}");
        }
    }

    #[test]
    fn words_that_are_no_keywords_stay() {
        assert_eq!(read("W:200 h: 50 a").alt, "W:200 h: 50 a");
        assert_eq!(read("bg left:40").alt, "left:40");
        assert_eq!(read("cover left").alt, "cover left");
        assert_eq!(read("drop-shadow:5px").alt, "drop-shadow:5px");
        assert_eq!(read("w:10rem w:-5").alt, "w:10rem w:-5");
    }

    #[test]
    fn split_side_and_size_are_tracked_apart() {
        let background = read("bg right left:30% right").background.expect("a bg image");
        assert_eq!(background.split, Some(Side::Right));
        assert_eq!(background.split_size.as_deref(), Some("30%"));
    }

    #[test]
    fn filters_keep_their_order_and_cannot_break_out() {
        assert_eq!(read("blur sepia:.5").filters, ["blur(10px)", "sepia(.5)"]);
        assert_eq!(read("blur:1px);color:red").filters, ["blur(1px\\29 \\3b color\\3a red)"]);
        assert_eq!(read("drop-shadow:0,4px,6px,rgb(10,20,30)").filters, ["drop-shadow(0 4px 6px rgb(10,20,30))"]);
    }

    #[test]
    fn percentages_have_no_effect_on_images_in_the_text() {
        let image = read("w:50% 30% h:2em");
        assert_eq!((image.width, image.height, image.alt), (None, Some("2em".into()), String::new()));
    }
}
