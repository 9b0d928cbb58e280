//! `/charts/index.yaml` and archives: the charts of the demo side as a repository, for `helm repo add`.

use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::sandbox::charts::shelf;
use crate::server::error::Problem;

/// The index, or an archive that it names.
pub async fn charts(Path(file): Path<String>) -> Result<Response, Problem> {
    let shelf = shelf();
    if file == "index.yaml" {
        return Ok(([(CONTENT_TYPE, "application/yaml")], shelf.index()).into_response());
    }
    match shelf.archive(&file) {
        Some(archive) => Ok(([(CONTENT_TYPE, "application/gzip")], archive.to_vec()).into_response()),
        None => Err(Problem::not_found("There is no such chart.").hint("What there is stands in /charts/index.yaml.")),
    }
}
