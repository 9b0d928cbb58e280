//! A revision → the objects it wants: files read, kustomizations built, generators run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha1::{Digest as _, Sha1};

use super::files::load::{Input, Source};
use super::files::scan::{FileRef, Root, needed};
use super::files::{Generation, Loaded, Loader, Rules, folder_of, scan};
use super::finding::{Code, Finding, Level, Place};
use super::generate::{self, Config};
use super::git::identity::Scratch;
use super::git::tree::{Blob, Entry};
use super::git::{Error, Mirror};
use super::kinds::Kinds;
use super::kustomize::{self, Builder};
use super::mark::SyncSet;

/// How things are built.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What counts.
    pub rules: Rules,
    /// Whose objects they become.
    pub set: SyncSet,
    /// Where files are put for programs.
    pub scratch: PathBuf,
    /// `kubectl`, if there is one.
    pub kubectl: Option<PathBuf>,
    /// How long one build may take.
    pub limit: Duration,
}

/// Loads revisions one after the other.
#[derive(Debug)]
pub struct Build {
    settings: Settings,
    loader: Loader,
    /// What was built, by the fingerprint of what it was built from.
    built: HashMap<String, (String, Arc<[u8]>)>,
    last: Option<(String, Arc<Kinds>, Arc<Loaded>)>,
}

/// What is loaded besides files.
#[derive(Debug, Default)]
struct Made {
    sources: Vec<Source>,
    contents: HashMap<String, Blob>,
    findings: Vec<Finding>,
    unread: Vec<String>,
    /// Whether the same revision may give something else the next time.
    fleeting: bool,
}

impl Build {
    /// A builder that has built nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, loader: Loader::default(), built: HashMap::new(), last: None }
    }

    /// What a revision wants.
    ///
    /// # Errors
    /// When git cannot read it.
    pub async fn load(&mut self, mirror: &Mirror, revision: &str, kinds: &Arc<Kinds>) -> Result<Arc<Loaded>, Error> {
        if let Some((last, with, loaded)) = &self.last
            && last == revision
            && (Arc::ptr_eq(with, kinds) || with == kinds)
        {
            return Ok(loaded.clone());
        }
        let entries = mirror.list(revision).await?;
        let first = mirror.read(&needed(&entries, &self.settings.rules)).await?;
        let scan = scan(&entries, &first, &self.settings.rules);
        let mut made = Made { findings: scan.findings, ..Made::default() };
        if scan.unread {
            let links = made.findings.iter().filter(|finding| finding.level == Level::Error);
            made.unread = links.filter_map(|finding| finding.place.as_ref()).map(|place| place.file.clone()).collect();
        }
        for path in &scan.missing {
            let message = format!("git path \"{path}\" not found: unable to read root path \"{path}\"");
            let finding = Finding::new(Level::Error, Code::PathMissing, place(path), message);
            made.findings.push(finding.hint("nothing is deleted until it is there again, or not asked for any more"));
            made.unread.push(path.clone());
        }
        let mut tree = Tree { mirror, entries: &entries, scratch: None, folder: self.settings.scratch.clone() };
        for root in &scan.roots {
            self.make(root, &first, &mut tree, &mut made).await?;
        }
        drop(tree);
        let loaded = self.read(mirror, &made, kinds).await?;
        self.built.retain(|name, _| made.sources.iter().any(|source| source.built && source.file.path == *name));
        self.last = (!made.fleeting).then(|| (revision.to_owned(), kinds.clone(), loaded.clone()));
        Ok(loaded)
    }

    async fn read(&mut self, mirror: &Mirror, made: &Made, kinds: &Kinds) -> Result<Arc<Loaded>, Error> {
        let mut contents = made.contents.clone();
        loop {
            let input = Input {
                sources: &made.sources,
                contents: &contents,
                findings: &made.findings,
                unread: &made.unread,
                kinds,
                rules: &self.settings.rules,
                set: &self.settings.set,
            };
            match self.loader.load(input) {
                Ok(loaded) => return Ok(Arc::new(loaded)),
                Err(missing) => contents.extend(mirror.read(&missing).await?),
            }
        }
    }

    /// Takes in what is below a path.
    async fn make(
        &mut self,
        root: &Root,
        first: &HashMap<String, Blob>,
        tree: &mut Tree<'_>,
        made: &mut Made,
    ) -> Result<(), Error> {
        if let Some(file) = &root.generator {
            let Some(Blob::Bytes(bytes)) = first.get(&file.blob) else { return Ok(()) };
            match generate::parse(bytes) {
                Ok(Config::Scan) => {}
                Ok(config) => return self.generate(root, file, &config, tree, made).await,
                Err(why) => {
                    made.fail(Code::Generator, &file.path, format!("this .flux.yaml cannot be used: {why}"), None);
                    return Ok(());
                }
            }
        }
        made.sources.extend(root.files.iter().map(|file| Source { file: file.clone(), built: false }));
        for kustomization in &root.kustomizations {
            let path = &kustomization.file;
            let fingerprint = kustomize::fingerprint(tree.entries, kustomization);
            made.fleeting |= kustomization.remote;
            let known = self.built.get(path).filter(|(of, _)| *of == fingerprint && !kustomization.remote);
            if let Some((_, bytes)) = known {
                made.take(path, bytes.clone());
                continue;
            }
            let builder = Builder { kubectl: self.settings.kubectl.clone(), limit: self.settings.limit };
            let around = tree.export().await?;
            match builder.build(around, kustomization).await {
                Ok(bytes) => {
                    let bytes: Arc<[u8]> = bytes.into();
                    made.take(path, bytes.clone());
                    self.built.insert(path.clone(), (fingerprint, bytes));
                }
                Err(why) => {
                    made.fleeting = true;
                    let folder = Some(folder_of(path)).filter(|folder| !folder.is_empty()).unwrap_or(".");
                    made.fail(Code::Kustomize, path, format!("the folder {folder} cannot be built: {why}"), None);
                }
            }
        }
        Ok(())
    }

    async fn generate(
        &self,
        root: &Root,
        file: &FileRef,
        config: &Config,
        tree: &mut Tree<'_>,
        made: &mut Made,
    ) -> Result<(), Error> {
        made.fleeting = true;
        if self.settings.rules.generation != Generation::Trusted {
            let message = "the commands of this .flux.yaml are not run, so nothing of its folder is applied";
            made.fail(
                Code::Generator,
                &file.path,
                message.to_owned(),
                Some("they run as you; trust the repository first"),
            );
            return Ok(());
        }
        let folder = tree.export().await?.join("tree").join(&root.path);
        match generate::generate(config, &folder, self.settings.limit).await {
            Ok(bytes) => made.take(&file.path, bytes.into()),
            Err(why) => made.fail(Code::Generator, &file.path, why, None),
        }
        Ok(())
    }
}

impl Made {
    /// Takes in what was made; it is named after its content, so that it is read again when that changes.
    fn take(&mut self, path: &str, bytes: Arc<[u8]>) {
        let blob: String = Sha1::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = FileRef { path: path.to_owned(), blob: format!("made:{blob}") };
        self.contents.insert(file.blob.clone(), Blob::Bytes(bytes));
        self.sources.push(Source { file, built: true });
    }

    fn fail(&mut self, code: Code, path: &str, message: String, hint: Option<&str>) {
        let finding = Finding::new(Level::Error, code, place(path), message);
        self.findings.push(match hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        });
        self.unread.push(path.to_owned());
    }
}

fn place(path: &str) -> Place {
    Place { file: path.to_owned(), line: 0 }
}

/// A revision's files, written out when the first program wants them and gone afterwards.
struct Tree<'a> {
    mirror: &'a Mirror,
    entries: &'a [Entry],
    scratch: Option<(Scratch, PathBuf)>,
    folder: PathBuf,
}

impl Tree<'_> {
    /// A folder with the files below `tree`.
    async fn export(&mut self) -> Result<&Path, Error> {
        if self.scratch.is_none() {
            let failed = |error: super::git::identity::Error| Error::Io {
                command: "export".to_owned(),
                source: std::io::Error::other(error),
            };
            let scratch = Scratch::new(&self.folder).map_err(failed)?;
            let around = scratch.path("").components().collect::<PathBuf>();
            self.mirror.export(self.entries, &around.join("tree")).await?;
            self.scratch = Some((scratch, around));
        }
        Ok(self.scratch.as_ref().map_or(Path::new(""), |(_, path)| path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::git::testing::Forge;
    use crate::gitops::kinds::usual;

    const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n";

    fn kubectl() -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file())
    }

    async fn load(forge: &Forge, rules: Rules) -> (Vec<String>, Vec<String>, Vec<String>) {
        forge.commit("all", &[]);
        forge.git(&forge.work(), &["push", "-q", "--force", "origin", "HEAD:master"]);
        let mirror = forge.mirror().await;
        mirror.fetch(Duration::from_secs(20)).await.unwrap();
        let head = mirror.head().await.unwrap();
        let settings = Settings {
            rules,
            set: SyncSet::new("u", "b", &[]),
            scratch: forge.path("scratch"),
            kubectl: kubectl(),
            limit: Duration::from_secs(20),
        };
        let mut build = Build::new(settings);
        let kinds = Arc::new(usual());
        let loaded = build.load(&mirror, &head, &kinds).await.unwrap();
        let again = build.load(&mirror, &head, &kinds).await.unwrap();
        assert_eq!(loaded, again);
        assert_eq!(std::fs::read_dir(forge.path("scratch")).map_or(0, Iterator::count), 0, "nothing is left behind");
        let ids = loaded.manifests.iter().map(|manifest| format!("{} {}", manifest.place, manifest.id)).collect();
        let findings = loaded.findings.iter().map(ToString::to_string).collect();
        (ids, findings, loaded.unread.clone())
    }

    #[tokio::test]
    async fn kustomizations_are_built() {
        if kubectl().is_none() {
            eprintln!("skipped: there is no kubectl");
            return;
        }
        let forge = Forge::new();
        forge.write("base/d.yaml", &CONFIG.replace("NAME", "a"));
        forge.write("base/kustomization.yaml", "resources: [d.yaml]\n");
        forge.write("over/kustomization.yaml", "resources: [../base]\nnamePrefix: p-\nnamespace: demo\n");
        forge.write("plain.yaml", &CONFIG.replace("NAME", "plain"));
        let (ids, findings, unread) = load(&forge, Rules::default()).await;
        assert_eq!(ids, ["plain.yaml:1 default:configmap/plain", "base/d.yaml demo:configmap/p-a"]);
        assert_eq!((findings, unread), (vec![], vec![]));
        forge.write("over/kustomization.yaml", "resources: [../base, nope.yaml]\n");
        let (ids, findings, unread) = load(&forge, Rules::default()).await;
        assert_eq!(ids, ["plain.yaml:1 default:configmap/plain"]);
        assert_eq!(unread, ["over/kustomization.yaml"]);
        assert!(findings[0].starts_with("over/kustomization.yaml: the folder over cannot be built: "), "{findings:?}");
        assert!(findings[0].contains("over/nope.yaml") && !findings[0].contains("scratch"), "{findings:?}");
    }

    #[tokio::test]
    async fn generators_replace_files_when_they_are_trusted() {
        let forge = Forge::new();
        forge.write("prod/patch.yaml", &CONFIG.replace("NAME", "file"));
        forge.write("base/d.yaml", &CONFIG.replace("NAME", "made"));
        let flux = "version: 1\ncommandUpdated: {generators: [{command: cat ../base/d.yaml}]}\n";
        forge.write("prod/.flux.yaml", flux);
        let rules = |generation| Rules { paths: vec!["prod".to_owned()], generation, ..Rules::default() };
        let (ids, _, unread) = load(&forge, rules(Generation::Trusted)).await;
        assert_eq!((ids, unread), (vec!["prod/.flux.yaml default:configmap/made".to_owned()], vec![]));
        let (ids, findings, unread) = load(&forge, rules(Generation::Untrusted)).await;
        assert_eq!((ids, unread), (vec![], vec!["prod/.flux.yaml".to_owned()]));
        assert!(findings[0].contains("are not run"), "{findings:?}");
        let (ids, _, _) = load(&forge, rules(Generation::Off)).await;
        assert_eq!(ids, ["prod/patch.yaml:1 default:configmap/file"]);
        forge.write("prod/.flux.yaml", "version: 1\nscanForFiles: {}\n");
        let (ids, _, _) = load(&forge, rules(Generation::Trusted)).await;
        assert_eq!(ids, ["prod/patch.yaml:1 default:configmap/file"]);
    }

    #[tokio::test]
    async fn missing_paths_and_links_out_are_told() {
        let forge = Forge::new();
        forge.write("a.yaml", &CONFIG.replace("NAME", "a"));
        std::os::unix::fs::symlink("/etc/passwd", forge.work().join("passwd.yaml")).unwrap();
        std::os::unix::fs::symlink("a.yaml", forge.work().join("link.yaml")).unwrap();
        let rules = Rules { paths: vec!["nope".to_owned(), ".".to_owned()], ..Rules::default() };
        let (ids, findings, unread) = load(&forge, rules).await;
        assert_eq!(ids, ["a.yaml:1 default:configmap/a"]);
        assert_eq!(unread, ["passwd.yaml", "nope"]);
        assert_eq!(
            findings,
            [
                "passwd.yaml: this symbolic link leaves the repository (to `/etc/passwd`)",
                "nope: git path \"nope\" not found: unable to read root path \"nope\"",
                "a.yaml:1: duplicate definition of 'default:configmap/a' (in a.yaml:1 and link.yaml:1)",
            ]
        );
    }
}
