//! Image automation: which images to look for, what was decided for each container and why, and the commits that come
//! of it.
//!
//! Files and cluster → workloads → the scanner's list of images → what it knows → a decision for each container → a
//! commit. Whatever changes begins this anew; nothing changes by itself, so that it comes to rest.

mod gather;
mod keys;
mod work;

pub(in crate::sandbox) use gather::workloads as gathered;
pub(in crate::sandbox) use work::note;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::error::Error;
use crate::cluster::embedded::Embedded;
use crate::gitops::api::Objects;
use crate::gitops::image::pattern::Tag;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::image::repository::{Registry as Known, Repository};
use crate::gitops::reconciler::Handle as Reconciler;
use crate::gitops::release::automation::{Decision, Rights};
use crate::gitops::workloads::Running;
use crate::registry::credentials::Keyring;
use crate::registry::local::Local;
use crate::registry::remote::{Options, Remote};
use crate::registry::scan::scanner::{self, Scanner, Settings};
use crate::registry::scan::{Scan, Scans};
use crate::registry::{Image, Registry};

/// Commits that are remembered.
const MOST_COMMITS: usize = 50;
/// How long the cluster may take for an answer.
const REQUEST: Duration = Duration::from_secs(15);

/// A commit of new images.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Committed {
    /// The commit.
    pub revision: String,
    /// When.
    pub time: Timestamp,
    /// The first line of its message.
    pub subject: String,
}

/// What can be seen of it at any time.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// What is known of every image.
    pub scans: Arc<Scans>,
    /// What was decided for every container of an automated workload.
    pub decisions: Arc<Vec<Decision>>,
    /// What the cluster runs.
    pub running: Arc<Running>,
    /// When files and cluster were looked at last.
    pub looked: Option<Timestamp>,
    /// When they are looked at again, unless something happens before.
    pub next: Option<Timestamp>,
    /// Why no image is changed at all.
    pub refusal: Option<&'static str>,
    /// What went wrong last; nothing when all is well.
    pub problem: Option<String>,
    /// Files that were left out, since they cannot be read.
    pub unreadable: Arc<Vec<String>>,
    /// The last commits, newest last.
    pub commits: VecDeque<Committed>,
}

impl View {
    /// What is known of all images, in the form in which choices are made.
    pub fn known(&self) -> Known {
        let mut known = Known::default();
        for (name, scan) in self.scans.iter() {
            if let Ok(image) = ImageRef::parse(name) {
                known.insert(&image, repository(scan));
            }
        }
        known
    }

    fn remember(&mut self, commit: Committed) {
        self.commits.push_back(commit);
        if self.commits.len() > MOST_COMMITS {
            self.commits.pop_front();
        }
    }
}

/// What a scan found; tags without an image for our platform are as if they were not there.
fn repository(scan: &Scan) -> Repository {
    let knowledge = &scan.knowledge;
    let left_out = |tag: &String| knowledge.tags.get(tag).is_some_and(|known| known.excluded.is_some());
    let listed = knowledge.listed.iter().filter(|tag| !left_out(tag)).cloned().collect();
    let known = knowledge.tags.iter().filter(|(_, known)| known.excluded.is_none());
    let known = known.map(|(tag, known)| Tag { tag: tag.clone(), created: known.created }).collect();
    Repository { listed, known }
}

/// How others see it and ask it to look.
#[derive(Debug, Clone)]
pub struct Handle {
    view: watch::Receiver<View>,
    asked: Arc<Notify>,
}

impl Handle {
    /// What can be seen of it, now and whenever it changes.
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Looks at files, cluster and images now.
    pub fn ask(&self) {
        self.asked.notify_one();
    }
}

/// What automation is to work with.
pub(super) struct Plan<'a> {
    pub(super) embedded: Option<&'a Embedded>,
    pub(super) client: &'a kube::Client,
    pub(super) reconciler: &'a Reconciler,
    pub(super) rights: Rights,
    /// How often workloads are looked at when nothing happens.
    pub(super) every: Duration,
    /// Where to keep what is known of images.
    pub(super) folder: &'a Path,
    /// The user's home, with Docker's configuration.
    pub(super) home: Option<&'a Path>,
}

/// The part that has to be run.
#[derive(Debug)]
pub(super) struct Automation {
    scanner: Scanner,
    work: work::Work,
}

impl Automation {
    pub(super) fn new(plan: &Plan<'_>) -> Result<(Self, Handle), Error> {
        let (registries, changes, file) = match plan.embedded {
            // What the simulated nodes can pull is all there is; nobody waits for a network on stage.
            Some(embedded) => {
                let local = near(embedded);
                let changes = vec![local.changes()];
                (vec![Arc::new(local) as Arc<dyn Registry>], changes, None)
            }
            None => {
                let remote = Remote::new(Options::default()).map_err(Error::Registries)?;
                (vec![Arc::new(remote) as Arc<dyn Registry>], Vec::new(), Some(plan.folder.join("images.json")))
            }
        };
        let (scanner, scans) = Scanner::new(registries, changes, Settings { file, ..Settings::default() });
        let (view, seen) = watch::channel(View { refusal: plan.rights.refusal(), ..View::default() });
        let asked = Arc::new(Notify::new());
        let work = work::Work::new(work::Parts {
            reconciler: plan.reconciler.clone(),
            objects: Objects::new(plan.client.clone(), REQUEST),
            docker: plan.embedded.map_or_else(|| keys::docker(plan.home), |_| Keyring::default()),
            rights: plan.rights,
            every: plan.every,
            scans,
            view,
            asked: asked.clone(),
        });
        Ok((Self { scanner, work }, Handle { view: seen, asked }))
    }

    /// Works until stopped.
    pub(super) async fn run(self, stop: CancellationToken) {
        tokio::join!(self.scanner.run(stop.clone()), self.work.run(stop));
    }
}

/// The images of an embedded cluster as a registry.
fn near(embedded: &Embedded) -> Local {
    let images = embedded.images().clone();
    let (tags, tagged) = (images.clone(), images.clone());
    Local::new(
        true,
        images.follow(),
        move |name| {
            let images = tags.look();
            let repository = images.repository(&name.to_string())?;
            Some(repository.tags.iter().map(|tag| tag.name.clone()).collect())
        },
        move |name, wanted| {
            let images = tagged.look();
            let repository = images.repository(&name.to_string())?;
            let tag = repository.tags.iter().find(|tag| tag.name == wanted)?;
            let (digest, created) = (tag.pushed.clone(), Some(tag.created));
            let manifest = images.manifest(&name.to_string(), wanted)?;
            let digest = digest.unwrap_or(manifest.digest);
            Some(Image { digest, id: manifest.config_digest, created, ..Image::default() })
        },
    )
}

/// The handle of the scanner, for the work.
type Scanning = scanner::Handle;
