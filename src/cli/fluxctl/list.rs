//! `list-workloads` and `list-images`.

use super::client::{Client, Error};
use super::{Report, Stop, said};
use crate::gitops::fluxctl::{ImageScope, Listing, wire};
use crate::gitops::table;

const NONSENSE: &str = "the daemon's answer is no list";

pub(super) async fn workloads(
    client: &Client,
    namespace: Option<&str>,
    container: Option<&str>,
    listing: Listing,
) -> Result<Report, Stop> {
    let answer = client.get("v11/services", &[("namespace", namespace.unwrap_or_default())]).await?;
    let found = wire::workloads(&answer).ok_or_else(|| Error::Other(NONSENSE.to_owned()))?;
    let listed = table::workloads::listed(found, container);
    Ok(said(match listing.json {
        true => table::workloads::to_json(&listed),
        false => table::workloads::table(&listed, listing.headers),
    }))
}

pub(super) async fn images(
    client: &Client,
    scope: &ImageScope,
    limit: usize,
    listing: Listing,
) -> Result<Report, Stop> {
    let answer = match scope {
        ImageScope::Namespace(namespace) => {
            client.get("v10/images", &[("service", "<all>"), ("namespace", namespace)]).await?
        }
        ImageScope::Workload(id) => client.get("v10/images", &[("service", &id.to_string())]).await?,
    };
    let found = wire::images(&answer).ok_or_else(|| Error::Other(NONSENSE.to_owned()))?;
    let listed = table::images::listed(found);
    Ok(said(match listing.json {
        true => table::images::to_json(&listed, limit),
        false => table::images::table(&listed, limit, listing.headers),
    }))
}
