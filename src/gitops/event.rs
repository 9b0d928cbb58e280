//! The words for what happened, as Flux v1 writes them.

use super::git::signature::short;
use super::id::ResourceId;

/// The text of a sync: its commits, newest first, and the objects that are new or changed.
pub fn sync_text(commits: &[&str], objects: &[ResourceId]) -> String {
    let range = match commits {
        [] => "<no revision>".to_owned(),
        [newest] | [newest, _] => short(newest),
        [newest, .., oldest] => format!("{}..{}", short(oldest), short(newest)),
    };
    let names = if objects.is_empty() { "no workloads changed".to_owned() } else { joined(objects) };
    format!("Sync: {range}, {names}")
}

/// The text of a commit that we made.
pub fn commit_text(revision: &str, objects: &[ResourceId]) -> String {
    let names = if objects.is_empty() { "<no changes>".to_owned() } else { joined(objects) };
    format!("Commit: {}, {names}", short(revision))
}

fn joined(objects: &[ResourceId]) -> String {
    objects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syncs_are_told_in_flux_words() {
        let x = [ResourceId::new("d", "Deployment", "x"), ResourceId::new("d", "Service", "y")];
        assert_eq!(sync_text(&["bbbbbbb2", "aaaaaaa1"], &x[..1]), "Sync: bbbbbbb, d:deployment/x");
        assert_eq!(
            sync_text(&["ccccccc3", "b", "aaaaaaa1"], &x),
            "Sync: aaaaaaa..ccccccc, d:deployment/x, d:service/y"
        );
        assert_eq!(sync_text(&["aaaaaaa1"], &[]), "Sync: aaaaaaa, no workloads changed");
        assert_eq!(sync_text(&[], &[]), "Sync: <no revision>, no workloads changed");
        assert_eq!(commit_text("aaaaaaa1", &[]), "Commit: aaaaaaa, <no changes>");
    }
}
