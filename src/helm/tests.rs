//! Charts from files to manifests.
