//! Charts as archives: `.tgz` with one folder in it.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::Error;

/// A chart is no larger than this, unpacked.
const MOST_BYTES: u64 = 32 << 20;
/// A chart has no more files than this.
const MOST_FILES: usize = 5000;

/// The files of an archive, without the folder that they are in.
///
/// # Errors
/// When it is no archive, or too large.
pub fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let wrong = |error: std::io::Error| Error::Chart(format!("the chart's archive cannot be read: {error}"));
    let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(MOST_BYTES));
    let mut files = BTreeMap::new();
    for entry in archive.entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().map_err(wrong)?.to_string_lossy().replace('\\', "/");
        let Some((_, path)) = path.trim_start_matches("./").split_once('/') else { continue };
        if path.split('/').any(|part| part == "..") || files.len() >= MOST_FILES {
            return Err(Error::Chart(
                "the chart's archive has paths that lead out of it, or too many files".to_owned(),
            ));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(wrong)?;
        files.insert(path.to_owned(), content);
    }
    Ok(files)
}

/// An archive with these files below a folder; the same files give the same bytes.
///
/// # Errors
/// When a path is too long for an archive.
pub fn pack(folder: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let wrong = |error: std::io::Error| Error::Chart(format!("the chart cannot be packed: {error}"));
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap_or(0));
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{folder}/{path}"), content.as_slice()).map_err(wrong)?;
    }
    archive.into_inner().and_then(GzEncoder::finish).map_err(wrong)
}
