//! Any text can be given as a theme or a deck's style: it is refused or used, without a panic.
#![no_main]

use foredeck::theme::{StyleRequest, ThemeSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|css: &str| {
    let mut themes = ThemeSet::builtin();
    let _ = themes.add(css);
    let _ = themes.add(&format!("/* @theme fuzzed */\n{css}"));
    let request = StyleRequest { theme: "default", deck: &[css], scoped: &[("key", css)], ..StyleRequest::default() };
    let _ = themes.stylesheet(&request);
});
