//! Any text is a deck: parsing and rendering neither panic nor hang.
#![no_main]

use foredeck::deck::{self, Compatibility, Options};
use foredeck::diagnostic::SourceFile;
use foredeck::render::{self, RenderOptions};
use foredeck::theme::ThemeSet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for compatibility in [Compatibility::KeepText, Compatibility::Strict] {
        let source = SourceFile::new("deck.md", text);
        let options = Options { compatibility, ..Options::default() };
        let parsed = deck::parse(&source, &options);
        for diagnostic in &parsed.diagnostics {
            if let Some(span) = diagnostic.span {
                assert!(span.start <= span.end && span.end <= source.text().len());
            }
        }
        let rendered = render::render(&parsed.value, &ThemeSet::builtin(), &RenderOptions::default());
        assert_eq!(rendered.value.slides.len(), parsed.value.slides.len());
    }
});
