//! Presenter notes → HTML.

use super::HtmlPolicy;
use super::block::Writer;
use super::live::Live;
use super::math;
use crate::deck::{self, Options};
use crate::diagnostic::SourceFile;
use crate::theme::AutoScaling;

/// A note's Markdown as HTML, raw HTML only as far as Marp's list goes.
pub fn html(note: &str) -> String {
    convert(note, &Options::default())
}

/// Running text as HTML, as GitHub shows it: a line break in a paragraph is none, `$` and `:` are themselves.
pub fn prose(text: &str) -> String {
    convert(text, &Options { breaks: false, math: false, shortcodes: false, ..Options::default() })
}

fn convert(text: &str, options: &Options) -> String {
    // The empty line keeps a ruler at the start from being front matter.
    let source = SourceFile::new("note", format!("\n{text}"));
    let parsed = deck::parse(&source, options).value;
    let mut writer = Writer {
        out: String::new(),
        policy: &HtmlPolicy::AllowList,
        scaling: AutoScaling::default(),
        macros: math::Macros::default(),
        diagnostics: Vec::new(),
        scaled: false,
        formulas: false,
        live: Live::default(),
    };
    for (index, slide) in parsed.slides.iter().enumerate() {
        if index > 0 {
            writer.out.push_str("<hr />");
        }
        writer.blocks(&slide.blocks);
    }
    writer.out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_markdown() {
        let html = html("Say **this**\nand\n\n- one <script>x</script>");
        let flat: String = html.split('\n').collect();
        assert_eq!(
            flat,
            "<p>Say <strong>this</strong><br />and</p><ul><li>one &lt;script&gt;x&lt;/script&gt;</li></ul>"
        );
        assert_eq!(super::html("---\n").matches("<hr />").count(), 1);
        assert_eq!(super::html(""), "");
        assert_eq!(prose("one\ntwo $3$ :tada:"), "<p>one\ntwo $3$ :tada:</p>\n");
    }
}
