//! Names of container images: is it one, and does it say which version is meant?

/// When to pull an image that nothing is said about: `Always` for `latest` or no tag at all, else `IfNotPresent`. What is
/// no name of an image counts as having a tag, as it does for the real server.
pub fn image_pull_policy(image: &str) -> &'static str {
    match Reference::parse(image) {
        Some(Reference { tag: None, digest: false }) => "Always",
        Some(Reference { tag: Some("latest"), .. }) => "Always",
        _ => "IfNotPresent",
    }
}

/// The end of an image's name.
struct Reference<'a> {
    tag: Option<&'a str>,
    digest: bool,
}

impl<'a> Reference<'a> {
    fn parse(image: &'a str) -> Option<Self> {
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (image, None),
        };
        // A colon before the last slash belongs to a port.
        let tag_at = rest.rfind(':').filter(|&colon| !rest[colon..].contains('/'));
        let (name, tag) = match tag_at {
            Some(colon) => (&rest[..colon], Some(&rest[colon + 1..])),
            None => (rest, None),
        };
        let fits = is_name(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        fits.then_some(Self { tag, digest: digest.is_some() })
    }
}

/// `[domain[:port]/]path/of/components`.
fn is_name(name: &str) -> bool {
    // 64 hexadecimal digits are an image's id.
    if name.len() > 255
        || name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    {
        return false;
    }
    let path = match name.split_once('/') {
        Some((domain, path)) if is_domain(domain) => path,
        _ => name,
    };
    !path.is_empty() && path.split('/').all(is_component)
}

/// Whether the first part of a name is a host: it has a dot, a port or a capital, or is `localhost`.
fn is_domain(text: &str) -> bool {
    let looks = text.contains(['.', ':']) || text == "localhost" || text.bytes().any(|byte| byte.is_ascii_uppercase());
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = match bracketed {
        Some(address) => address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':'),
        None => host.split('.').all(part),
    };
    looks && host_fits && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Lower-case letters and digits, joined by one dot, one or two underscores, or any number of hyphens.
fn is_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = matches!((bytes.first(), bytes.last()), (Some(&a), Some(&z)) if plain(a) && plain(z));
    ends && text
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|byte| byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    matches!(text.as_bytes().first(), Some(&first) if word(first))
        && text.len() <= 128
        && text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_other_than_latest_is_kept() {
        let digest = "0".repeat(64);
        let cases = [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.25", "IfNotPresent"),
            ("localhost:5000/nginx", "Always"),
            ("host:5000/a/b_c--d:v1", "IfNotPresent"),
            ("registry.example.com/team/app", "Always"),
            ("Registry/app", "Always"),
            ("[::1]:5000/app", "Always"),
            // No names of images, and so without a missing tag.
            ("", "IfNotPresent"),
            ("MyImage", "IfNotPresent"),
            ("a b", "IfNotPresent"),
            ("nginx:", "IfNotPresent"),
            ("a..b", "IfNotPresent"),
            (digest.as_str(), "IfNotPresent"),
        ];
        for (image, policy) in cases {
            assert_eq!(image_pull_policy(image), policy, "{image}");
        }
        assert_eq!(image_pull_policy(&format!("host:5000/x@sha256:{digest}")), "IfNotPresent");
        assert_eq!(image_pull_policy(&format!("x:latest@sha256:{digest}")), "Always");
    }

    proptest! {
        #[test]
        fn any_text_is_taken(image in "\\PC*|[a-z/:@.\\[\\]-]{0,30}") {
            image_pull_policy(&image);
        }
    }
}
