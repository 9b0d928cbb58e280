//! Image names: `nginx`, `ghcr.io/team/app:v1`, `app@sha256:…`.

/// An image name with what it leaves out filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The registry's host, as `docker.io`.
    pub registry: String,
    /// The path below it, as `library/nginx`.
    pub repository: String,
    /// The tag; `latest` when none is given.
    pub tag: String,
    /// The digest, if one is given.
    pub digest: Option<String>,
}

impl Reference {
    /// Reads an image name; `None` when it is none.
    pub fn parse(image: &str) -> Option<Self> {
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (image, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return None;
        }
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) || name.len() > 255 {
            return None;
        }
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.to_owned()),
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let whole = is_host(registry) && path.split('/').all(is_component);
        whole.then(|| Self {
            registry: registry.to_owned(),
            repository: path,
            tag: tag.unwrap_or("latest").to_owned(),
            digest: digest.map(str::to_owned),
        })
    }

    /// The repository with its registry.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The whole name, as container runtimes write it.
    pub fn full(&self) -> String {
        match &self.digest {
            Some(digest) => format!("{}@{digest}", self.name()),
            None => format!("{}:{}", self.name(), self.tag),
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "1"));
    host.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !host.contains("..")
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// Lower-case letters and digits, parted by single dots, one or two underscores, or dashes.
fn is_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(plain) && text.bytes().last().is_some_and(plain);
    let all = text.bytes().all(|byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'));
    ends && all && !["..", "___", "._", "_.", "-.", ".-", "-_", "_-"].iter().any(|pair| text.contains(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let cases = [
            ("nginx", Some("docker.io/library/nginx:latest".to_owned())),
            ("nginx:1.25", Some("docker.io/library/nginx:1.25".to_owned())),
            ("stefanprodan/podinfo:1.4.0", Some("docker.io/stefanprodan/podinfo:1.4.0".to_owned())),
            ("ghcr.io/a/b/c:v1", Some("ghcr.io/a/b/c:v1".to_owned())),
            ("host:5000/x", Some("host:5000/x:latest".to_owned())),
            ("localhost/x:1", Some("localhost/x:1".to_owned())),
            (&format!("nginx:1@{digest}"), Some(format!("docker.io/library/nginx@{digest}"))),
            ("", None),
            ("Nginx", None),
            ("nginx:", None),
            ("nginx:a b", None),
            ("a//b", None),
            ("nginx@sha256:abc", None),
            ("-x", None),
            ("../x", None),
            ("a.._b", None),
        ];
        for (image, expected) in cases {
            assert_eq!(Reference::parse(image).map(|reference| reference.full()), expected, "{image}");
        }
    }
}
