//! What is known of images, kept in a file for the next start.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Knowledge, Scan, Scans, State};

/// Nobody has a larger one.
const MOST: u64 = 256 << 20;
const SCHEMA: &str = "foredeck.images/1";

#[derive(Debug, Serialize, Deserialize)]
struct File<K> {
    schema: String,
    images: BTreeMap<String, K>,
}

/// Reads the file. One that is not there, or not ours, is nothing lost: everything is asked again.
pub(super) fn read(path: &Path) -> Scans {
    let text = std::fs::File::open(path).and_then(|file| {
        let mut text = String::new();
        file.take(MOST).read_to_string(&mut text)?;
        Ok(text)
    });
    let text = match text {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Scans::new(),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "cannot read what is known of images");
            return Scans::new();
        }
    };
    match serde_json::from_str::<File<Knowledge>>(&text) {
        Ok(file) if file.schema == SCHEMA => {
            let scan = |knowledge| Scan { state: State::NotScanned, knowledge: Arc::new(knowledge) };
            file.images.into_iter().map(|(name, knowledge)| (name, scan(knowledge))).collect()
        }
        _ => {
            tracing::warn!(path = %path.display(), "this is no file of images of ours");
            Scans::new()
        }
    }
}

/// Writes the file, whole or not at all.
pub(super) fn write(path: &Path, scans: &Scans) -> io::Result<()> {
    let images = scans.iter().map(|(name, scan)| (name.clone(), &*scan.knowledge)).collect();
    let text = serde_json::to_string(&File::<&Knowledge> { schema: SCHEMA.to_owned(), images })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = folder.join(format!(".images-{}.tmp", std::process::id()));
    let written = std::fs::File::create(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
    let done = written.and_then(|()| std::fs::rename(&beside, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::scan::Known;
    use crate::registry::scan::schedule::Refresh;
    use jiff::Timestamp;

    #[test]
    fn what_was_known_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.json");
        assert_eq!(read(&path), Scans::new());
        let known = Known {
            digest: "sha256:0".into(),
            id: "sha256:1".into(),
            created: Some(Timestamp::UNIX_EPOCH),
            excluded: None,
            refresh: Refresh::first(Timestamp::UNIX_EPOCH),
        };
        let tags = BTreeMap::from([("v1".to_owned(), known)]);
        let knowledge = Arc::new(Knowledge { listed: vec!["v1".into()], tags });
        let scans = Scans::from([("a".to_owned(), Scan { state: State::NotScanned, knowledge })]);
        write(&path, &scans).unwrap();
        assert_eq!(read(&path), scans);
        for nonsense in ["", "{}", r#"{"schema":"other","images":{}}"#, "\u{0}"] {
            std::fs::write(&path, nonsense).unwrap();
            assert_eq!(read(&path), Scans::new(), "{nonsense}");
        }
        assert!(write(folder.path(), &scans).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
