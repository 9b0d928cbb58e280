//! Slides as pictures.

use super::Error;
use super::browser::tab::Tab;

/// How pictures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Without loss, with transparency.
    Png,
    /// Smaller, of this quality: 1 to 100.
    Jpeg(u8),
}

impl PictureFormat {
    /// The browser's word for it.
    fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg(_) => "jpeg",
        }
    }

    fn quality(self) -> Option<u8> {
        match self {
            Self::Png => None,
            Self::Jpeg(quality) => Some(quality),
        }
    }
}

/// Takes a picture of a slide of the page.
pub(super) async fn of_slide(tab: &Tab, index: usize, format: PictureFormat) -> Result<Vec<u8>, Error> {
    tab.evaluate("showing a slide", &format!("foredeck.show({index})")).await?;
    Ok(tab.picture(format.name(), format.quality()).await?)
}

/// The largest picture that browsers make has so many pixels on a side.
const LONGEST_SIDE: f64 = 16_384.0;

/// The scale that can be had of a slide, up to the one wanted.
pub fn possible_scale(wanted: f64, width: f64, height: f64) -> f64 {
    let most = LONGEST_SIDE / width.max(height).max(1.0);
    if most < wanted { most } else { wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stay_within_what_browsers_can() {
        for (wanted, width, height, expected) in
            [(2.0, 1280.0, 720.0, 2.0), (20.0, 1280.0, 720.0, 12.8), (10.0, 720.0, 4096.0, 4.0), (1.0, 0.0, 0.0, 1.0)]
        {
            let scale = possible_scale(wanted, width, height);
            assert!((scale - expected).abs() < 1e-9, "{scale}");
        }
    }
}
