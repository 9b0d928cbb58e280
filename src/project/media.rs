//! What a file is, by its extension.

use std::path::Path;

/// What decks may show and carry with them, sorted by extension. Sources, configuration and scripts are not in it.
const TYPES: [(&str, &str); 31] = [
    ("apng", "image/apng"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("ico", "image/x-icon"),
    ("jfif", "image/jpeg"),
    ("jpe", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("jxl", "image/jxl"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("vtt", "text/vtt"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
];

/// The media type of a picture, font, style or medium; `None` for any other file.
pub fn media_type(path: &Path) -> Option<&'static str> {
    let extension = extension(path);
    TYPES.iter().find(|(known, _)| *known == extension).map(|(_, media_type)| *media_type)
}

/// Whether a file is called like a style sheet.
pub fn is_style_sheet(path: &Path) -> bool {
    extension(path) == "css"
}

/// The extension in lower case; empty when there is none.
pub fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_in_any_case() {
        assert!(TYPES.is_sorted_by_key(|(extension, _)| *extension));
        assert_eq!(media_type(Path::new("a/B.PNG")), Some("image/png"));
        assert_eq!(media_type(Path::new("a.js")), None);
        assert_eq!(media_type(Path::new("png")), None);
        assert!(is_style_sheet(Path::new("x.CSS")));
    }
}
