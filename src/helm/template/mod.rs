//! Go's template language: text → tree → text.

pub(super) mod escape;
pub(super) mod go;
pub(super) mod lex;
pub(super) mod parse;
pub(super) mod printf;
pub(super) mod run;
pub(super) mod semver;
mod spell;
pub(super) mod tree;
pub(super) mod value;

#[cfg(test)]
mod tests;
