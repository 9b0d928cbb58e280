//! Test vectors from the folder that `FOREDECK_VECTORS` names.

mod canary;
mod capi;
pub(crate) mod css;
mod delivery;
mod gitops;
mod gitops_sync;
mod marp;

use std::path::PathBuf;

/// The cases of a vector file; `None` (and a word about it) when there is no such file.
pub(crate) fn cases(file: &str) -> Option<Vec<serde_json::Value>> {
    let value = read(file)?;
    let cases = value.as_array().cloned().or_else(|| value["cases"].as_array().cloned());
    Some(cases.expect("a vector file is a list of cases"))
}

/// The cases of one group of a vector file that has several.
pub(crate) fn group(file: &str, name: &str) -> Option<Vec<serde_json::Value>> {
    let value = read(file)?;
    Some(value[name].as_array().cloned().expect("the group is a list of cases"))
}

fn read(file: &str) -> Option<serde_json::Value> {
    let folder = std::env::var_os("FOREDECK_VECTORS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"), PathBuf::from);
    let path = folder.join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: there is no vector file {file}; name its folder in FOREDECK_VECTORS");
        return None;
    };
    Some(serde_json::from_str(&text).expect("a vector file is JSON"))
}
