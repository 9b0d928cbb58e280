//! The pages and assets of `themes/` inside the binary, and the templates made of them.

use std::borrow::Cow;

use minijinja::{AutoEscape, Environment};
use rust_embed::RustEmbed;
use serde::Serialize;

#[derive(RustEmbed)]
#[folder = "themes/"]
#[include = "pages/*"]
#[include = "assets/*"]
#[include = "pptx/*"]
struct Embedded;

/// A page could not be made from its template.
#[derive(Debug, thiserror::Error)]
#[error("cannot fill in the page template `{name}`")]
pub struct Error {
    /// The template's file name.
    pub name: String,
    #[source]
    source: minijinja::Error,
}

/// Templates that are read once and filled in many times.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The templates of `themes/pages`. `own` gives the project's file of a name when it has one, which then wins over
    /// the built-in one.
    pub fn new(own: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_loader(move |name| Ok(own(name).or_else(|| built_in(name))));
        Self { environment }
    }

    /// Fills in a template.
    ///
    /// # Errors
    /// When there is no such template, or it is wrong.
    pub fn page<S: Serialize>(&self, name: &str, context: &S) -> Result<String, Error> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(minijinja::Value::from(minijinja::value::Serde(context))))
            .map_err(|source| Error { name: name.to_owned(), source })
    }
}

/// Fills in `themes/pages/NAME`, read anew.
///
/// # Errors
/// As [`Templates::page`].
pub fn page<S: Serialize>(
    name: &str,
    context: &S,
    own: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Result<String, Error> {
    Templates::new(own).page(name, context)
}

/// Fills in `themes/pptx/NAME`, a part of a PowerPoint file.
///
/// # Errors
/// When there is no such template, or it is wrong.
pub fn office<S: Serialize>(name: &str, context: &S) -> Result<String, Error> {
    let part =
        |name: &str| asset_at(&format!("pptx/{name}")).and_then(|bytes| String::from_utf8(bytes.into_owned()).ok());
    Templates::new(part).page(name, context)
}

fn built_in(name: &str) -> Option<String> {
    let bytes = asset_at(&format!("pages/{name}"))?;
    String::from_utf8(bytes.into_owned()).ok()
}

/// The bytes of `themes/assets/PATH`.
pub fn asset(path: &str) -> Option<Cow<'static, [u8]>> {
    asset_at(&format!("assets/{path}"))
}

/// The paths of all assets, below `themes/assets/`.
pub fn assets() -> impl Iterator<Item = String> {
    Embedded::iter().filter_map(|path| path.strip_prefix("assets/").map(str::to_owned))
}

fn asset_at(path: &str) -> Option<Cow<'static, [u8]>> {
    // Debug builds read the folder on disk, where a path could climb out of it.
    let plain = path.split('/').all(|part| !part.is_empty() && !part.starts_with('.')) && !path.contains(['\\', '\0']);
    plain.then(|| Embedded::get(path).map(|file| file.data)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_page_wins_and_text_is_escaped() {
        let own = |name: &str| (name == "mine.html").then(|| "<p>{{ title }}</p>".to_owned());
        let context = serde_json::json!({ "title": "<b>" });
        assert_eq!(page("mine.html", &context, own).expect("the template is sound"), "<p>&lt;b&gt;</p>");
    }

    #[test]
    fn a_missing_page_is_an_error_with_its_name() {
        let error = page("absent.html", &(), |_| None).expect_err("there is no such page");
        assert_eq!(error.to_string(), "cannot fill in the page template `absent.html`");
    }

    #[test]
    fn no_path_climbs_out() {
        for path in ["../pages/error.html", "./player.js", "a//b", "", ".hidden", "..\\x"] {
            assert!(asset(path).is_none(), "{path}");
        }
    }
}
