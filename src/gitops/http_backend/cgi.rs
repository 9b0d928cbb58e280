//! Requests and answers of smart HTTP as values: what is asked for, who may have it, what git is told and what it says.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path below the place where repositories are served: `/demo.git/info/refs`.
    pub path: &'a str,
    /// What stands behind the `?`.
    pub query: &'a str,
    /// The headers; names in any case.
    pub headers: &'a [(&'a str, &'a str)],
}

impl<'a> Request<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// To clone or fetch.
    Fetch,
    /// To push.
    Push,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The repository's name, without `.git`.
    pub repo: String,
    /// What for.
    pub service: Service,
    /// The path behind the repository.
    pub rest: &'static str,
}

/// Why a request gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// The reason, which git shows.
    pub reason: &'static str,
}

const fn refuse<T>(status: u16, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, reason })
}

/// What a request asks for.
///
/// # Errors
/// When it is none of smart HTTP.
pub fn route(request: &Request<'_>) -> Result<Target, Refusal> {
    let path = request.path.strip_prefix('/').unwrap_or(request.path);
    let Some((repo, rest)) = path.split_once('/') else { return refuse(404, "not found") };
    let repo = repo.strip_suffix(".git").unwrap_or(repo);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if repo.is_empty() || repo.starts_with('.') || !repo.chars().all(plain) {
        return refuse(404, "not found");
    }
    let (method, service, rest) = match rest {
        "info/refs" => {
            let asked = request.query.split('&').find_map(|pair| pair.strip_prefix("service="));
            match asked {
                Some("git-upload-pack") => ("GET", Service::Fetch, "info/refs"),
                Some("git-receive-pack") => ("GET", Service::Push, "info/refs"),
                _ => return refuse(403, "only smart HTTP is spoken here"),
            }
        }
        "git-upload-pack" => ("POST", Service::Fetch, "git-upload-pack"),
        "git-receive-pack" => ("POST", Service::Push, "git-receive-pack"),
        _ => return refuse(404, "not found"),
    };
    if request.method != method {
        return refuse(405, "method not allowed");
    }
    Ok(Target { repo: repo.to_owned(), service, rest })
}

/// Whether a request brings the token, as a password or as a bearer.
pub fn may_push(request: &Request<'_>, token: &str) -> bool {
    let Some((scheme, credentials)) = request.header("authorization").and_then(|value| value.split_once(' ')) else {
        return false;
    };
    if token.is_empty() {
        return false;
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(credentials.trim(), token);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let decoded = BASE64_STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.as_deref().and_then(|text| text.split_once(':')).is_some_and(|(_, password)| same(password, token))
}

/// Compares in a time that does not tell how much is right.
fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differences == 0
}

/// The variables that tell git about a request.
pub(super) fn variables(request: &Request<'_>, target: &Target, file: &str) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("GATEWAY_INTERFACE", "CGI/1.1".to_owned()),
        ("GIT_HTTP_EXPORT_ALL", "1".to_owned()),
        ("REQUEST_METHOD", request.method.to_owned()),
        ("PATH_TRANSLATED", file.to_owned()),
        ("PATH_INFO", format!("/{}.git/{}", target.repo, target.rest)),
        (
            "QUERY_STRING",
            if target.rest == "info/refs" { format!("service={}", target.program()) } else { String::new() },
        ),
        ("REMOTE_USER", if target.service == Service::Push { "learner".to_owned() } else { String::new() }),
        ("REMOTE_ADDR", "127.0.0.1".to_owned()),
    ];
    let headers = [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
        ("accept", "HTTP_ACCEPT"),
    ];
    for (header, variable) in headers {
        if let Some(value) = request.header(header).filter(|value| value.len() < 1000) {
            variables.push((variable, value.to_owned()));
        }
    }
    let length = request.header("content-length").and_then(|length| length.trim().parse::<u64>().ok());
    if let Some(length) = length {
        variables.push(("CONTENT_LENGTH", length.to_string()));
    }
    variables
}

impl Target {
    fn program(&self) -> &'static str {
        match self.service {
            Service::Fetch => "git-upload-pack",
            Service::Push => "git-receive-pack",
        }
    }
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// How many bytes it takes.
    pub(super) length: usize,
}

/// Reads the head of what git says; nothing while it is not complete.
///
/// # Errors
/// When it is none.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>, ()> {
    let mut head = Head { status: 200, headers: Vec::new(), length: 0 };
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        head.length += line.len();
        rest = after;
        let line = std::str::from_utf8(line).map_err(|_| ())?.trim_end();
        if line.is_empty() {
            return Ok(Some(head));
        }
        let (name, value) = line.split_once(':').ok_or(())?;
        if name.eq_ignore_ascii_case("status") {
            head.status = value.trim().split(' ').next().and_then(|code| code.parse().ok()).ok_or(())?;
        } else {
            head.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(method: &'a str, path: &'a str, query: &'a str, headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
        Request { method, path, query, headers }
    }

    #[test]
    fn only_smart_http_is_served() {
        let target = |method, path, query| route(&request(method, path, query, &[]));
        let fetch = |rest| Ok(Target { repo: "demo".to_owned(), service: Service::Fetch, rest });
        assert_eq!(target("GET", "/demo.git/info/refs", "service=git-upload-pack"), fetch("info/refs"));
        assert_eq!(target("POST", "/demo/git-upload-pack", ""), fetch("git-upload-pack"));
        let push = Target { repo: "demo".to_owned(), service: Service::Push, rest: "git-receive-pack" };
        assert_eq!(target("POST", "/demo.git/git-receive-pack", ""), Ok(push));
        for (method, path, query, status) in [
            ("GET", "/demo.git/info/refs", "", 403),
            ("GET", "/demo.git/HEAD", "", 404),
            ("GET", "/demo.git/objects/info/packs", "", 404),
            ("GET", "/../demo.git/info/refs", "service=git-upload-pack", 404),
            ("GET", "/.git/info/refs", "service=git-upload-pack", 404),
            ("GET", "/demo.git/git-upload-pack", "", 405),
            ("POST", "/demo.git/info/refs", "service=git-upload-pack", 405),
            ("GET", "/demo.git", "", 404),
        ] {
            assert_eq!(target(method, path, query).map_err(|r| r.status), Err(status), "{method} {path}?{query}");
        }
    }

    #[test]
    fn the_token_is_a_password_or_a_bearer() {
        let with = |value: &str| may_push(&request("POST", "", "", &[("Authorization", value)]), "secret");
        assert!(with("Basic eDpzZWNyZXQ=") && with("bearer secret"));
        for wrong in ["Basic eDpzZWNyZXQy", "Basic !!", "Basic c2VjcmV0", "Bearer secre", "secret", ""] {
            assert!(!with(wrong), "{wrong}");
        }
        assert!(!may_push(&request("POST", "", "", &[]), "secret"));
        assert!(!may_push(&request("POST", "", "", &[("authorization", "Bearer ")]), ""), "no token, no push");
    }

    #[test]
    fn heads_are_read() {
        let found = head(b"Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nbody").unwrap().unwrap();
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        assert_eq!(found, Head { status: 404, headers, length: 51 });
        assert_eq!(head(b"Content-Type: x\r\n"), Ok(None));
        assert_eq!(head(b"nonsense\n\n"), Err(()));
        assert_eq!(head(b"\xff: a\n\n"), Err(()));
    }
}
