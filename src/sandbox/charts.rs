//! The charts inside this program, and the addresses that they are found under.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use rust_embed::RustEmbed;

use crate::gitops::helm::Shelf;

#[derive(RustEmbed)]
#[folder = "workshop/charts/"]
struct Charts;

/// Repositories and registries of the world outside: manifests that name them work without a network.
const ADDRESSES: [&str; 6] = [
    "https://kubernetes-charts.storage.googleapis.com",
    "https://charts.helm.sh/stable",
    "https://kubernetes.github.io/ingress-nginx",
    "https://stefanprodan.github.io/podinfo",
    "https://flagger.app",
    "oci://ghcr.io/stefanprodan/charts",
];

/// Further versions of podinfo: the chart is the same, the application newer.
const PODINFO: [&str; 5] = ["6.5.1", "6.5.2", "6.5.4", "6.6.0", "6.7.0"];

/// The charts; read once.
pub fn shelf() -> Arc<Shelf> {
    static SHELF: LazyLock<Arc<Shelf>> = LazyLock::new(|| Arc::new(read()));
    SHELF.clone()
}

fn read() -> Shelf {
    let mut charts: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for path in Charts::iter() {
        if let (Some((name, rest)), Some(file)) = (path.split_once('/'), Charts::get(&path)) {
            charts.entry(name.to_owned()).or_default().insert(rest.to_owned(), file.data.into_owned());
        }
    }
    let mut shelf = Shelf::new(ADDRESSES.map(str::to_owned));
    for (name, files) in charts {
        let newer: &[&str] = if name == "podinfo" { &PODINFO } else { &[] };
        for version in newer {
            put(&mut shelf, &name, of_version(&files, version));
        }
        put(&mut shelf, &name, files);
    }
    shelf
}

fn put(shelf: &mut Shelf, name: &str, files: BTreeMap<String, Vec<u8>>) {
    if let Err(error) = shelf.put(files) {
        tracing::error!(chart = name, %error, "a built-in chart is broken");
    }
}

fn of_version(files: &BTreeMap<String, Vec<u8>>, version: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = files.clone();
    if let Some(about) = files.get_mut("Chart.yaml") {
        *about = String::from_utf8_lossy(about).replace("6.5.0", version).into_bytes();
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_charts_are_found_under_their_old_names() {
        let shelf = shelf();
        let find = |url: &str, name: &str, version: &str| shelf.find(url, name, version).map(|it| it.version.clone());
        let talk = "https://kubernetes-charts.storage.googleapis.com/";
        assert_eq!(find(talk, "nginx-ingress", "1.25.0"), Ok("1.25.0".to_owned()));
        assert_eq!(find("https://stefanprodan.github.io/podinfo", "podinfo", "6.5.x"), Ok("6.5.4".to_owned()));
        assert_eq!(find("oci://ghcr.io/stefanprodan/charts", "podinfo", ""), Ok("6.7.0".to_owned()));
        let wrong = find(talk, "nginx-ingress", "9.9.9").unwrap_err().to_string();
        assert!(wrong.ends_with("there are 1.25.0"), "{wrong}");
        assert!(find("https://example.com", "podinfo", "").is_err());
        let index = crate::cluster::yaml::value(&shelf.index()).unwrap();
        assert_eq!(index["entries"]["podinfo"][5]["urls"][0], "podinfo-6.5.0.tgz");
        let archive = shelf.archive("podinfo-6.5.0.tgz").unwrap();
        assert_eq!(crate::helm::Chart::unpack(archive).unwrap().charts[0].name, "cache");
    }
}
