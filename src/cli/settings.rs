//! Flags > environment > `foredeck.toml` > Marp's configuration > the user's own > defaults.

use std::path::{Path, PathBuf};

use crate::deck;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::project::{ProjectOptions, SourceFormat, lint};
use crate::render::{HtmlPolicy, Overrides, RenderOptions};
use crate::server;
use crate::server::replay::{Fallback, Wishes};
use crate::theme::Container;

use super::args::{CompatName, FormatName, MetaArgs, RenderArgs, ServeArgs};
use super::config::{self, Layer};
use super::console::{Code, Failure};
use super::export::defaults::Defaults;

/// Everything that was asked for, resolved once.
#[derive(Debug)]
pub struct Settings {
    /// How decks are opened and rendered.
    pub project: ProjectOptions,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// Whether to open the browser; `None` when it is right to.
    pub open: Option<bool>,
    /// Whether to follow edits.
    pub watch: bool,
    /// What is done when the live demo fails, as far as anybody says it outside of decks.
    pub fallback: Wishes,
    /// What is exported, and how, when the command line does not say.
    pub export: Defaults,
    /// What was noticed in configuration files, each with the file.
    pub findings: Vec<(SourceFile, Diagnostic)>,
}

/// What settings are made from.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// Flags for rendering.
    pub render: RenderArgs,
    /// Flags for serving.
    pub serve: ServeArgs,
    /// Flags for the document's head.
    pub meta: MetaArgs,
    /// The first input: configuration is looked for around it.
    pub input: Option<&'a Path>,
}

/// Resolves settings.
///
/// # Errors
/// When a configuration file cannot be read, or the environment holds nonsense.
pub fn resolve(asked: Asked<'_>, extra_themes: Vec<PathBuf>, container: Container) -> Result<Settings, Failure> {
    let mut findings = Vec::new();
    let mut layer = flags(&asked);
    layer.theme_set.extend(extra_themes);
    layer = layer.over(config::environment()?);
    let speaker = layer.fallback.take().map(|text| fallback(&text)).transpose()?;
    if !asked.render.no_config_file {
        for file in config::files(asked.input, asked.render.config_file.as_deref(), &mut findings)? {
            layer = layer.over(file);
        }
    }
    let (theme, theme_file) = theme(layer.theme);
    if let Some(file) = theme_file.as_deref().filter(|file| asked.render.theme.is_some() && !file.exists()) {
        let message = format!("there is no theme file `{}`", file.display());
        return Err(Failure::new(Code::Input, anyhow::Error::msg(message)));
    }
    let html = match (layer.html.as_deref(), layer.html_tags) {
        (Some("all" | "true"), _) => HtmlPolicy::All,
        (Some("none" | "false"), _) => HtmlPolicy::None,
        (None, Some(tags)) => HtmlPolicy::Custom(tags),
        _ => HtmlPolicy::AllowList,
    };
    let compatibility = match layer.compat.as_deref() {
        Some("marp") => deck::Compatibility::Strict,
        _ => deck::Compatibility::KeepText,
    };
    let format = if layer.format.as_deref() == Some("reveal") { SourceFormat::Reveal } else { SourceFormat::Marp };
    Ok(Settings {
        project: ProjectOptions {
            root: layer.root,
            theme_set: layer.theme_set,
            theme_file,
            render: RenderOptions {
                container,
                theme,
                lang: layer.lang.or_else(config::locale),
                html,
                raw_title: compatibility == deck::Compatibility::Strict,
                overrides: layer.meta,
                no_transitions: false,
            },
            format,
            deck: deck::Options { compatibility, ..layer.dialect.options() },
            lint: lint::Depth::Quick,
        },
        host: layer.host.unwrap_or_else(|| server::HOST.to_string()),
        port: layer.port.unwrap_or(server::PORT),
        open: layer.open,
        watch: layer.watch.unwrap_or(true),
        fallback: Wishes { speaker, settings: layer.fallback.as_deref().map(fallback).transpose()? },
        export: layer.export,
        findings,
    })
}

fn fallback(text: &str) -> Result<Fallback, Failure> {
    Fallback::of_name(&text.to_ascii_lowercase())
        .ok_or_else(|| Failure::usage(format!("`fallback` is `{text}`")).hint("use `auto`, `ask` or `never`"))
}

/// A theme's name, or the file it is in.
fn theme(asked: Option<String>) -> (Option<String>, Option<PathBuf>) {
    match asked {
        Some(name) if name.to_ascii_lowercase().ends_with(".css") || name.contains('/') => (None, Some(name.into())),
        name => (name, None),
    }
}

/// What the flags say.
fn flags(asked: &Asked<'_>) -> Layer {
    let Asked { render, serve, meta, .. } = asked;
    let html = if render.no_html { Some(false) } else { render.html };
    Layer {
        theme: render.theme.clone(),
        theme_set: render.theme_set.clone(),
        lang: render.lang.clone(),
        html: html.map(|html| html.to_string()),
        compat: render.compat.map(|compat| if compat == CompatName::Marp { "marp" } else { "keep" }.to_owned()),
        format: render.format.and_then(|format| match format {
            FormatName::Reveal => Some("reveal".to_owned()),
            FormatName::Marp => Some("marp".to_owned()),
            FormatName::Report(_) => None,
        }),
        root: render.root.clone(),
        host: serve.host.clone(),
        port: serve.port,
        open: if serve.no_open { Some(false) } else { serve.preview.then_some(true) },
        watch: serve.no_watch.then_some(false),
        meta: Overrides {
            title: meta.title.clone(),
            description: meta.description.clone(),
            author: meta.author.clone(),
            keywords: meta.keywords.as_deref().map(config::words),
            url: meta.url.clone(),
            image: meta.og_image.clone(),
        },
        ..Layer::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_a_name_or_a_file() {
        assert_eq!(theme(Some("gaia".into())), (Some("gaia".into()), None));
        assert_eq!(theme(Some("my.CSS".into())), (None, Some("my.CSS".into())));
        assert_eq!(theme(Some("themes/my.css".into())), (None, Some("themes/my.css".into())));
    }
}
