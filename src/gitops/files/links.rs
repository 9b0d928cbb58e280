//! Symbolic links: where they lead, without ever leaving the repository.

use std::collections::HashMap;

use crate::gitops::git::tree::{Blob, Entry, EntryKind};

use super::{clean_path, folder_of};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To a file with this content.
    File(String),
    /// To a folder: links to folders are not followed.
    Folder,
    /// Out of the repository.
    Outside(String),
    /// To nothing.
    Nowhere(String),
}

/// Links that lead to links are followed so far.
const MOST_HOPS: usize = 8;

/// Where the links of a listing lead; their content has to be among `contents`.
pub fn resolve(entries: &[Entry], contents: &HashMap<String, Blob>) -> HashMap<String, Target> {
    let by_path: HashMap<&str, &Entry> = entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let links = entries.iter().filter(|entry| entry.kind == EntryKind::Link);
    links.map(|link| (link.path.clone(), follow(link, entries, &by_path, contents))).collect()
}

fn follow(
    link: &Entry,
    entries: &[Entry],
    by_path: &HashMap<&str, &Entry>,
    contents: &HashMap<String, Blob>,
) -> Target {
    let mut link = link;
    for _ in 0..MOST_HOPS {
        let Some(Blob::Bytes(bytes)) = contents.get(&link.blob) else { return Target::Nowhere(String::new()) };
        let to = String::from_utf8_lossy(bytes).into_owned();
        if to.starts_with('/') {
            return Target::Outside(to);
        }
        let Ok(path) = clean_path(&format!("./{}/{to}", folder_of(&link.path))) else { return Target::Outside(to) };
        match by_path.get(path.as_str()) {
            Some(entry) if entry.kind == EntryKind::Link => link = entry,
            Some(entry) if entry.kind == EntryKind::File => return Target::File(entry.blob.clone()),
            Some(_) => return Target::Folder,
            None => {
                let folder = format!("{path}/");
                let is_folder = path.is_empty() || entries.iter().any(|entry| entry.path.starts_with(&folder));
                return if is_folder { Target::Folder } else { Target::Nowhere(to) };
            }
        }
    }
    Target::Nowhere("a circle of links".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside() {
        let entry = |path: &str, kind, blob: &str| Entry {
            path: path.to_owned(),
            kind,
            executable: false,
            blob: blob.to_owned(),
        };
        let targets = ["a.yaml", "../c.yaml", "/etc/passwd", "../../x", "one", "two", "gone", "sub"];
        let mut entries = vec![
            entry("a/a.yaml", EntryKind::File, "A"),
            entry("a/sub/x.yaml", EntryKind::File, "X"),
            entry("c.yaml", EntryKind::File, "C"),
        ];
        let mut contents = HashMap::new();
        for (number, target) in targets.iter().enumerate() {
            let name = if number == 4 {
                "two".to_owned()
            } else if number == 5 {
                "one".to_owned()
            } else {
                format!("l{number}")
            };
            entries.push(entry(&format!("a/{name}"), EntryKind::Link, &format!("L{number}")));
            contents.insert(format!("L{number}"), Blob::Bytes(target.as_bytes().into()));
        }
        let found = resolve(&entries, &contents);
        let expected = [
            ("a/l0", Target::File("A".to_owned())),
            ("a/l1", Target::File("C".to_owned())),
            ("a/l2", Target::Outside("/etc/passwd".to_owned())),
            ("a/l3", Target::Outside("../../x".to_owned())),
            ("a/one", Target::Nowhere("a circle of links".to_owned())),
            ("a/l6", Target::Nowhere("gone".to_owned())),
            ("a/l7", Target::Folder),
        ];
        for (path, target) in expected {
            assert_eq!(found.get(path), Some(&target), "{path}");
        }
    }
}
