//! The system's `git` (2.30 or newer): the only place that starts it.

pub mod command;
pub mod commit;
pub mod error;
pub mod export;
pub mod history;
pub mod identity;
pub mod mirror;
pub mod signature;
pub mod tag;
pub mod tree;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
#[path = "tests.rs"]
mod with_git;

pub use command::{Access, Program};
pub use error::{Error, Failure};
pub use mirror::{Mirror, Remote};

/// Who wrote or committed something.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

impl Person {
    /// Reads `Name <address>`; a text without an address is a name alone.
    pub fn parse(text: &str) -> Self {
        let (name, email) = match text.split_once('<') {
            Some((name, rest)) => (name.trim(), rest.split('>').next().unwrap_or("").trim()),
            None => (text.trim(), ""),
        };
        Self { name: name.to_owned(), email: email.to_owned() }
    }
}

/// A branch, tag or notes reference that git takes and that no option or pathspec can be hidden in.
pub fn is_ref_name(name: &str) -> bool {
    const FORBIDDEN: [char; 9] = [' ', '~', '^', ':', '?', '*', '[', '\\', '\x7f'];
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !name.starts_with('-')
        && !name.ends_with('.')
        && name != "@"
        && !name.contains("..")
        && !name.contains("@{")
        && name.split('/').all(part)
        && !name.chars().any(|c| c.is_control() || FORBIDDEN.contains(&c))
}

/// A full object id.
pub fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_references_hide_nothing() {
        for good in ["master", "release/1.0", "feature-x", "flux-sync"] {
            assert!(is_ref_name(good), "{good}");
        }
        for bad in
            ["", "-x", "--upload-pack=x", "a..b", "a b", "a:b", "/a", "a/", "a//b", ".a", "a.lock", "@", "a@{1}", "x\n"]
        {
            assert!(!is_ref_name(bad), "{bad}");
        }
    }

    #[test]
    fn persons_are_read() {
        let ann = Person { name: "Ann".to_owned(), email: "ann@example.com".to_owned() };
        assert_eq!(Person::parse("Ann <ann@example.com>"), ann);
        assert_eq!(Person::parse("Ann"), Person { name: "Ann".to_owned(), email: String::new() });
    }
}
