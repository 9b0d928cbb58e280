//! Which resource of a registry a path names.

use percent_encoding::percent_decode_str;

use super::refusal::{Code, Refusal};
use crate::cluster::sim::image::reference::Reference;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// `/v2/`: is this a registry?
    Version,
    /// `/token`: who asks, and for what?
    Token,
    /// The names of all repositories.
    Catalog,
    /// The tags of a repository.
    Tags { name: String },
    /// A manifest by tag or digest.
    Manifest { name: String, reference: String },
    /// A blob by digest.
    Blob { name: String, digest: String },
    /// Where uploads begin.
    Uploads { name: String },
    /// An upload.
    Upload { name: String, id: String },
}

/// Reads a path as it stands in a request.
pub(super) fn route(path: &str) -> Result<Route, Refusal> {
    let unknown = || Refusal::new(404, Code::Unsupported, "there is nothing at this path");
    let path = percent_decode_str(path).decode_utf8().map_err(|_| unknown())?;
    let Some(rest) = path.strip_prefix("/v2") else {
        return if path == "/token" { Ok(Route::Token) } else { Err(unknown()) };
    };
    match rest {
        "" | "/" => return Ok(Route::Version),
        "/_catalog" => return Ok(Route::Catalog),
        _ => {}
    }
    let rest = rest.strip_prefix('/').ok_or_else(unknown)?;
    if let Some(name) = rest.strip_suffix("/tags/list") {
        return Ok(Route::Tags { name: valid(name)? });
    }
    if let Some((name, id)) = rest.rsplit_once("/blobs/uploads") {
        let name = valid(name)?;
        return match id.strip_prefix('/') {
            None if id.is_empty() => Ok(Route::Uploads { name }),
            Some("") => Ok(Route::Uploads { name }),
            Some(id) if !id.contains('/') => Ok(Route::Upload { name, id: id.to_owned() }),
            _ => Err(unknown()),
        };
    }
    let (rest, last) = rest.rsplit_once('/').ok_or_else(unknown)?;
    if let Some(name) = rest.strip_suffix("/manifests") {
        return Ok(Route::Manifest { name: valid(name)?, reference: last.to_owned() });
    }
    if let Some(name) = rest.strip_suffix("/blobs") {
        return Ok(Route::Blob { name: valid(name)?, digest: last.to_owned() });
    }
    Err(unknown())
}

/// The name of a repository, if it is one.
pub(super) fn valid(name: &str) -> Result<String, Refusal> {
    let fine = !name.contains([':', '@']) && Reference::parse(name).is_some();
    if fine { Ok(name.to_owned()) } else { Err(Refusal::new(400, Code::NameInvalid, "invalid repository name")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let name = || "team/app".to_owned();
        let digest = format!("sha256:{}", "0".repeat(64));
        for (path, expected) in [
            ("/v2", Ok(Route::Version)),
            ("/v2/", Ok(Route::Version)),
            ("/token", Ok(Route::Token)),
            ("/v2/_catalog", Ok(Route::Catalog)),
            ("/v2/team/app/tags/list", Ok(Route::Tags { name: name() })),
            ("/v2/team/app/manifests/v1", Ok(Route::Manifest { name: name(), reference: "v1".into() })),
            (
                "/v2/a/manifests/tags/manifests/list",
                Ok(Route::Manifest { name: "a/manifests/tags".into(), reference: "list".into() }),
            ),
            (&format!("/v2/team/app/blobs/{digest}"), Ok(Route::Blob { name: name(), digest: digest.clone() })),
            (
                &format!("/v2/team/app/blobs/{}", digest.replace(':', "%3A")),
                Ok(Route::Blob { name: name(), digest: digest.clone() }),
            ),
            ("/v2/team/app/blobs/uploads", Ok(Route::Uploads { name: name() })),
            ("/v2/team/app/blobs/uploads/", Ok(Route::Uploads { name: name() })),
            ("/v2/team/app/blobs/uploads/7", Ok(Route::Upload { name: name(), id: "7".into() })),
            ("/", Err(404)),
            ("/v2x", Err(404)),
            ("/v2/team", Err(404)),
            ("/v2/team/app/other/v1", Err(404)),
            ("/v2/%ff/tags/list", Err(404)),
            ("/v2/Team/tags/list", Err(400)),
            ("/v2/a//b/tags/list", Err(400)),
            ("/v2/../x/tags/list", Err(400)),
            ("/v2/a:b/manifests/v1", Err(400)),
        ] {
            assert_eq!(route(path).map_err(|refusal| refusal.status), expected, "{path}");
        }
    }
}
