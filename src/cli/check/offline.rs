//! `--offline`: what is fetched from the network is an error, also what themes fetch. Pure.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::project::markup::{Address, css_urls};

/// Makes errors of what a deck fetches, and tells of what its style sheet does.
pub(super) fn judge(css: &str, diagnostics: &mut Vec<Diagnostic>) {
    for found in diagnostics.iter_mut().filter(|found| found.code == Code("asset/remote")) {
        found.severity = Severity::Error;
    }
    let told = |url: &str| diagnostics.iter().any(|found| found.message.contains(&format!("`{url}`")));
    let urls = css_urls(css).into_iter().map(|found| found.url);
    let remote: BTreeSet<String> =
        urls.filter(|url| matches!(Address::of(url), Address::Remote) && !told(url)).collect();
    diagnostics.extend(remote.into_iter().map(|url| {
        let message = format!("the style sheet fetches `{url}` from the network");
        let finding = Diagnostic::error(Code("asset/remote"), message);
        finding.hint("save the file beside the theme to be independent of the network")
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_themes_fetch_is_told_once() {
        let css = "@import url(https://a.example/x.css); a{background:url(https://b.example/y.png)} \
                   b{background:url(https://b.example/y.png)} c{background:url(z.png)} d{background:url(data:,)}";
        let told = Diagnostic::warning(Code("asset/remote"), "`https://a.example/x.css` is fetched");
        let mut found = vec![told, Diagnostic::warning(Code("asset/missing"), "x")];
        judge(css, &mut found);
        let found: Vec<_> = found.iter().map(|found| (found.severity, found.message.as_str())).collect();
        assert_eq!(
            found,
            [
                (Severity::Error, "`https://a.example/x.css` is fetched"),
                (Severity::Warning, "x"),
                (Severity::Error, "the style sheet fetches `https://b.example/y.png` from the network"),
            ]
        );
    }
}
