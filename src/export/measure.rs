//! Slides measured by a browser: what does not fit, how large text is, how it stands out.

use serde::Deserialize;

use super::browser::Handle;
use super::browser::tab::View;
use super::sheet::{self, Layout};
use super::{Error, html};
use crate::project::{Compiled, Project};

/// What the page is asked with.
const SCRIPT: &str = "measure.js";

/// What was measured of a slide, in its own pixels.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Measured {
    /// How far its content reaches over its right edge.
    pub across: f64,
    /// How far its content reaches over its lower edge.
    pub down: f64,
    /// Blocks of which a part is cut off.
    pub cut: Vec<Cut>,
    /// Pieces of text: the smallest, and the palest of small and of large ones.
    pub texts: Vec<Piece>,
}

/// A block of which a part is cut off.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Cut {
    /// The element's name.
    pub name: String,
    /// How it begins.
    pub text: String,
    /// How much is cut off at its side.
    pub across: f64,
    /// How much is cut off below.
    pub down: f64,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Piece {
    /// How it begins.
    pub text: String,
    /// The size of its type.
    pub size: f64,
    /// Whether it is code.
    pub code: bool,
    /// Its contrast to what is behind it, where that is one colour.
    pub ratio: Option<f64>,
    /// Whether it is large enough for less contrast.
    #[serde(default)]
    pub large: bool,
    /// Its colour.
    #[serde(default)]
    pub front: String,
    /// The colour behind it.
    #[serde(default)]
    pub behind: String,
}

/// Measures the slides of a deck.
///
/// # Errors
/// When the browser fails.
pub async fn measure(browser: &Handle, project: &Project, compiled: &Compiled) -> Result<Vec<Measured>, Error> {
    const DOING: &str = "measuring the slides";
    let sheet = sheet::sheet(project, compiled, "check", Layout::Slides { transparent: false })?;
    let own = |address: &str| sheet::own_file(project, &compiled.folder, address);
    let content = sheet::content(&sheet, &own);
    let size = compiled.rendered.size;
    let (tab, mut usher) = browser.open(&content, View { width: size.width, height: size.height, scale: 1.0 }).await?;
    let measured = usher.beside(async {
        tab.load().await?;
        tab.evaluate("preparing the slides", &html::asset_text(super::press::SCRIPT).unwrap_or_default()).await?;
        tab.evaluate("waiting for the slides", "foredeck.ready()").await?;
        tab.evaluate(DOING, &html::asset_text(SCRIPT).unwrap_or_default()).await
    });
    let measured: Result<_, super::browser::Error> = measured.await;
    tab.close().await;
    serde_json::from_value(measured?)
        .map_err(|error| Error::from(super::browser::Error::Answer { doing: DOING, message: error.to_string() }))
}
