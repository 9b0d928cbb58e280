//! What a page may fetch. Pure.

/// Where pages are shown from: a name that no network knows.
pub const HOST: &str = "https://foredeck.invalid/";
/// Folders around the page, so that a link to `../` keeps its meaning.
const DEPTH: usize = 8;
/// The page's own name.
const PAGE: &str = "deck.html";
/// The folder of the files that the deck names.
const FILES: &str = "files/";

/// The address of the page.
pub fn page() -> String {
    format!("{HOST}{}{PAGE}", "d/".repeat(DEPTH))
}

/// The address of the deck's file of a number; the name is for people who read messages.
pub fn file(number: usize, name: &str) -> String {
    format!("{HOST}{FILES}{number}/{name}")
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Answer with the page.
    Page,
    /// Answer with the file of this number.
    File(usize),
    /// Let it go.
    Pass,
    /// Say no, and tell the author of this address.
    Refuse(String),
}

/// Judges a request.
pub fn judge(url: &str, allow_remote: bool) -> Verdict {
    if url == page() {
        return Verdict::Page;
    }
    if let Some(rest) = url.strip_prefix(HOST) {
        let number = rest.strip_prefix(FILES).and_then(|rest| rest.split('/').next()?.parse().ok());
        return number.map_or_else(|| Verdict::Refuse(relative(url).unwrap_or_else(|| url.to_owned())), Verdict::File);
    }
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "data" | "blob" | "about" => Verdict::Pass,
        "http" | "https" if allow_remote => Verdict::Pass,
        _ => Verdict::Refuse(url.to_owned()),
    }
}

/// An address below the page's host as the deck has it; `None` for any other.
pub fn relative(url: &str) -> Option<String> {
    let mut rest = url.strip_prefix(HOST)?;
    let mut up = DEPTH;
    while let Some(after) = rest.strip_prefix("d/").filter(|_| up > 0) {
        rest = after;
        up -= 1;
    }
    match rest.strip_prefix(PAGE) {
        Some(fragment) if up == 0 && (fragment.is_empty() || fragment.starts_with('#')) => Some(fragment.to_owned()),
        _ if up == DEPTH => Some(format!("/{rest}")),
        _ => Some(format!("{}{rest}", "../".repeat(up))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_decks_own_files_are_given() {
        let refused = |name: &str| Verdict::Refuse(name.to_owned());
        let base = page().replace(PAGE, "");
        for (url, remote, expected) in [
            (page(), false, Verdict::Page),
            (file(3, "a b.png"), false, Verdict::File(3)),
            (format!("{base}gone.png"), false, refused("gone.png")),
            (format!("{HOST}files/x/y"), false, refused("/files/x/y")),
            (format!("{HOST}favicon.ico"), true, refused("/favicon.ico")),
            ("data:image/png;base64,".to_owned(), false, Verdict::Pass),
            ("blob:https://foredeck.invalid/1".to_owned(), false, Verdict::Pass),
            ("https://example.org/a.png".to_owned(), false, refused("https://example.org/a.png")),
            ("https://example.org/a.png".to_owned(), true, Verdict::Pass),
            ("file:///etc/passwd".to_owned(), true, refused("file:///etc/passwd")),
            ("chrome://version".to_owned(), true, refused("chrome://version")),
            (String::new(), true, refused("")),
        ] {
            assert_eq!(judge(&url, remote), expected, "{url}");
        }
    }

    #[test]
    fn addresses_are_told_as_the_deck_has_them() {
        let base = page().replace(PAGE, "");
        for (url, expected) in [
            (format!("{base}a/b.html?x#3"), Some("a/b.html?x#3")),
            (format!("{HOST}d/d/d/d/d/d/d/x.html"), Some("../x.html")),
            (format!("{HOST}d/d/d/d/d/d/x.html"), Some("../../x.html")),
            (format!("{HOST}x.html"), Some("/x.html")),
            (format!("{base}deck.html#3"), Some("#3")),
            ("https://example.org/".to_owned(), None),
        ] {
            assert_eq!(relative(&url).as_deref(), expected, "{url}");
        }
    }
}
