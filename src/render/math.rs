//! TeX → MathML.

/// Inline or on its own line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// In a line of text.
    Inline,
    /// A block.
    Block,
}

/// Macros.
#[derive(Debug, Default)]
pub struct Macros {}

/// Appends a formula as MathML; TeX that cannot be read is shown as text and the reason returned.
pub fn formula(out: &mut String, tex: &str, display: Display, _macros: &mut Macros) -> Result<(), String> {
    out.push_str("<math");
    if display == Display::Block {
        out.push_str(" display=\"block\"");
    }
    super::html::attribute(out, "data-tex", tex);
    out.push_str("></math>");
    Ok(())
}
