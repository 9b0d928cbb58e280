//! A document kept in memory: its bytes, compressed once, and how it is answered.

use std::hash::{DefaultHasher, Hasher};
use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Smaller documents are not worth compressing: they fit a packet anyway.
const WORTH_COMPRESSING: usize = 1024;

/// The address of the document changes with its content.
pub const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Ask every time; the answer is short when nothing changed.
pub const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// As above, for what not everybody may see.
pub const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// HTML, script, style, font, ….
#[derive(Debug)]
pub struct Document {
    content_type: &'static str,
    bytes: Bytes,
    gzip: OnceLock<Option<Bytes>>,
    etag: HeaderValue,
}

impl Document {
    /// A document of these bytes.
    pub fn new(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { content_type, etag: etag(&bytes), bytes, gzip: OnceLock::new() }
    }

    /// The answer to a request with these headers.
    pub fn response(&self, request: &HeaderMap, cache: HeaderValue) -> Response {
        let fixed = [
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, cache),
            (header::VARY, HeaderValue::from_static("Accept-Encoding, Cookie")),
        ];
        if is_known(request, &self.etag) {
            return (StatusCode::NOT_MODIFIED, fixed).into_response();
        }
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type))];
        match self.compressed().filter(|_| accepts_gzip(request)) {
            Some(bytes) => {
                let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
                (fixed, content_type, encoding, Body::from(bytes)).into_response()
            }
            None => (fixed, content_type, Body::from(self.bytes.clone())).into_response(),
        }
    }

    /// Compresses now rather than in the first answer.
    pub fn compressed(&self) -> Option<Bytes> {
        self.gzip.get_or_init(|| compress(self.content_type, &self.bytes)).clone()
    }
}

fn compress(content_type: &str, bytes: &[u8]) -> Option<Bytes> {
    let text = ["text/", "application/json", "image/svg+xml", "application/manifest+json"];
    if bytes.len() < WORTH_COMPRESSING || !text.iter().any(|start| content_type.starts_with(start)) {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(4));
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < bytes.len()).map(Bytes::from)
}

fn etag(bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    // Weak: the compressed and the plain bytes share it.
    weak_etag(&format!("{:016x}-{:x}", hasher.finish(), bytes.len()))
}

/// `W/"…"` of a text of plain characters.
pub fn weak_etag(text: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("W/\"{text}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Whether the client says it has this version.
pub fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let ours = strong(etag.to_str().unwrap_or_default());
    let listed = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || strong(tag) == ours)
}

fn strong(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    let listed = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0));
        ["gzip", "x-gzip", "*"].iter().any(|ours| name.trim().eq_ignore_ascii_case(ours)) && !refused
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn request(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        for (accept, expected) in [
            ("gzip, deflate, br", true),
            ("GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("br, gzip; q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(&request(&[(header::ACCEPT_ENCODING, accept)])), expected, "{accept}");
        }
    }

    #[test]
    fn compressed_bytes_give_the_text_back() {
        let text = "slide ".repeat(500);
        let packed = compress("text/html; charset=utf-8", text.as_bytes()).expect("worth it");
        let mut back = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut back).expect("it is gzip");
        assert_eq!(back, text);
        assert_eq!(compress("image/png", text.as_bytes()), None);
        assert_eq!(compress("text/html", b"short"), None);
    }

    #[test]
    fn known_versions_are_recognised() {
        let etag = weak_etag("abc");
        for (tags, expected) in
            [("W/\"abc\"", true), ("\"abc\"", true), ("\"x\", W/\"abc\"", true), ("*", true), ("\"ab\"", false)]
        {
            assert_eq!(is_known(&request(&[(header::IF_NONE_MATCH, tags)]), &etag), expected, "{tags}");
        }
    }
}
