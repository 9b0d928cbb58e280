//! Tests of kind clusters with small scripts in place of `kind` and `docker`, which record their calls.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use super::*;

/// What kind prints of a cluster whose authority is `ca`.
fn printed(name: &str, ca: &str) -> String {
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: https://127.0.0.1:40123\n  \
         name: kind-{name}\ncontexts:\n- context:\n    cluster: kind-{name}\n    user: kind-{name}\n  name: kind-{name}\n\
         current-context: kind-{name}\nkind: Config\npreferences: {{}}\nusers:\n- name: kind-{name}\n  user:\n    \
         client-certificate-data: Yw==\n    client-key-data: aw==\n"
    )
}

/// A folder with programs on a PATH of its own.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.program("docker", "exit 0");
        bench
    }

    /// A program that notes its arguments, and then does something; `$me` is the folder.
    fn program(&self, name: &str, script: &str) -> &Self {
        let path = self.folder.path().join("bin").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let me = self.folder.path().display();
        let text = format!("#!/bin/sh\nme='{me}'\necho \"{name} $*\" >> '{me}/calls'\n{script}\n");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn tools(&self) -> Tools {
        let path = std::env::join_paths([self.folder.path().join("bin"), "/bin".into(), "/usr/bin".into()]).unwrap();
        Tools { path: Some(path), runtime: None }
    }

    fn kind(&self) -> Kind {
        // Only the programs of the bench are found first; what they call themselves is in /bin.
        Kind::find(&self.tools()).unwrap()
    }

    fn state(&self) -> Folder {
        Folder::of(&self.folder.path().canonicalize().unwrap())
    }

    /// The calls so far, without the names that change.
    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        let scratch = self.state().path().join(".kind-demo.").display().to_string();
        text.lines()
            .map(|line| match line.split_once(&scratch) {
                Some((start, rest)) => format!("{start}SCRATCH{}", rest.split_once(' ').map_or("", |(_, rest)| rest)),
                None => line.to_owned(),
            })
            .collect()
    }
}

const LIMIT: Duration = Duration::from_secs(60);

fn create(limit: Duration) -> Create {
    Create { limit, ..Create::default() }
}

#[tokio::test]
async fn a_cluster_is_made_away_from_the_users_kubeconfig() {
    let bench = Bench::new();
    bench.program(
        "kind",
        "[ -n \"$KIND_CLUSTER_NAME\" ] && exit 9\n\
         echo 'Creating cluster \"demo\" ...' >&2\n\
         printf ' • Ensuring node image (kindest/node:v1.36.1) 🖼  ...\\n ✓ Ensuring node image (kindest/node:v1.36.1) 🖼\\n' >&2\n\
         printf ' • Starting control-plane 🕹️  ...\\n ✗ Starting control-plane 🕹️\\nSet kubectl context to x\\n' >&2",
    );
    let config = PathBuf::from("kind.yaml");
    let asked = Create { image: Some("kindest/node:v1".to_owned()), config: Some(config), limit: LIMIT };
    let mut steps = Vec::new();
    let stop = CancellationToken::new();
    let mut report = |step: Step| steps.push((step.what, step.state));
    bench.kind().create("demo", &asked, &bench.state(), &stop, &mut report).await.unwrap();
    assert_eq!(
        bench.calls(),
        ["kind create cluster --name=demo --kubeconfig=SCRATCH--image=kindest/node:v1 --config=kind.yaml"]
    );
    let expected = [
        ("Creating cluster \"demo\"", State::Done),
        ("Ensuring node image (kindest/node:v1.36.1)", State::Begun),
        ("Ensuring node image (kindest/node:v1.36.1)", State::Done),
        ("Starting control-plane", State::Begun),
        ("Starting control-plane", State::Failed),
    ];
    assert_eq!(steps, expected.map(|(what, state)| (what.to_owned(), state)));
    let left: Vec<_> = std::fs::read_dir(bench.state().path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, [".gitignore"]);
}

#[tokio::test]
async fn what_was_begun_is_taken_away_when_it_takes_too_long() {
    let bench = Bench::new();
    bench.program("kind", "[ $1 = create ] && { echo 'Creating cluster \"demo\" ...' >&2; sleep 50; }; exit 0");
    let started = Instant::now();
    let stop = CancellationToken::new();
    let asked = create(Duration::from_millis(300));
    let error = bench.kind().create("demo", &asked, &bench.state(), &stop, &mut |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "making the kind cluster `demo` took longer than 0 s");
    assert_eq!(error.class(), crate::cluster::error::Class::Cluster);
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(
        bench.calls(),
        [
            "kind create cluster --name=demo --kubeconfig=SCRATCH",
            "kind delete cluster --name=demo --kubeconfig=SCRATCH"
        ]
    );
}

#[tokio::test]
async fn ctrl_c_takes_away_only_what_was_begun() {
    let bench = Bench::new();
    bench.program("kind", "[ $1 = create ] && sleep 50; exit 0");
    let stop = CancellationToken::new();
    let kind = bench.kind();
    let state = bench.state();
    let asked = create(LIMIT);
    let mut report = |_| {};
    let made = kind.create("demo", &asked, &state, &stop, &mut report);
    let cancel = async {
        // Until the program runs.
        while bench.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (made, ()) = tokio::join!(made, cancel);
    assert!(matches!(made, Err(Error::Interrupted)));
    assert_eq!(bench.calls(), ["kind create cluster --name=demo --kubeconfig=SCRATCH"]);
}

#[tokio::test]
async fn failures_have_kinds_own_words() {
    let stop = CancellationToken::new();
    for (script, expected, code) in [
        (
            "echo 'ERROR: failed to create cluster: node(s) already exist' >&2; echo more >&2; exit 1",
            "`kind create cluster` failed: failed to create cluster: node(s) already exist",
            "cluster/kind-failed",
        ),
        (
            "echo 'ERROR: failed to create cluster: docker run error' >&2\n\
             echo 'Bind for 127.0.0.1:8080 failed: port is already allocated.' >&2; exit 1",
            "`kind create cluster` failed: failed to create cluster: docker run error",
            "cluster/port-in-use",
        ),
        ("exit 2", "`kind create cluster` failed: exit status: 2", "cluster/kind-failed"),
    ] {
        let bench = Bench::new();
        bench.program("kind", script);
        let made = bench.kind().create("demo", &create(LIMIT), &bench.state(), &stop, &mut |_| {}).await;
        let error = made.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.code().unwrap().0), (expected, code));
        assert_eq!(bench.calls().len(), 1, "kind cleans up after its own failures");
    }
}

#[tokio::test]
async fn a_runtime_that_does_not_answer_is_told_before_kind_is() {
    let stop = CancellationToken::new();
    let bench = Bench::new();
    bench.program("kind", "").program("docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1");
    let error = bench.kind().check_runtime(&stop).await.unwrap_err();
    assert_eq!(error.to_string(), "docker does not answer: Cannot connect to the Docker daemon.");
    assert_eq!(error.code().unwrap().0, "cluster/no-container-runtime");
    assert_eq!(bench.calls(), ["docker version"]);
    bench.program("podman", "exit 0");
    let tools = Tools { runtime: Some("podman".to_owned()), ..bench.tools() };
    Kind::find(&tools).unwrap().check_runtime(&stop).await.unwrap();
    let nothing = Tools { path: Some("/nowhere".into()), runtime: None };
    assert_eq!(Kind::find(&nothing).unwrap_err().code().unwrap().0, "cluster/kind-missing");
    let only_kind = Tools { path: Some("/nowhere".into()), ..bench.tools() };
    let error = Kind { tools: only_kind, ..bench.kind() }.check_runtime(&stop).await.unwrap_err();
    assert_eq!(error.code().unwrap().0, "cluster/no-container-runtime");
}

#[tokio::test]
async fn clusters_nodes_and_images() {
    let bench = Bench::new();
    bench.program(
        "kind",
        "case \"$1 $2\" in\n'get clusters') printf 'a\\nb\\n';;\n'get nodes') echo a-control-plane a-worker;;\n\
         'get kubeconfig') echo \"ERROR: could not locate any control plane nodes\" >&2; exit 1;;\nesac",
    );
    let kind = bench.kind();
    let stop = CancellationToken::new();
    assert_eq!(kind.clusters(&stop).await.unwrap(), ["a", "b"]);
    assert_eq!(kind.nodes("a", &stop).await.unwrap(), ["a-control-plane", "a-worker"]);
    let error = kind.kubeconfig("c", &stop).await.unwrap_err();
    assert_eq!(error.to_string(), "`kind get kubeconfig` failed: could not locate any control plane nodes");
    let images = ["podinfo:1", "--name=b", "all.tar"].map(str::to_owned);
    kind.load("a", &images, LIMIT, &stop).await.unwrap();
    kind.delete("demo", &bench.state(), &stop).await.unwrap();
    assert_eq!(
        bench.calls()[3..],
        [
            "kind load docker-image --name=a -- podinfo:1 --name=b",
            "kind load image-archive --name=a -- all.tar",
            "kind delete cluster --name=demo --kubeconfig=SCRATCH",
        ]
    );
}

#[test]
fn a_cluster_is_ours_by_its_authority_not_by_its_name() {
    let project = tempfile::tempdir().unwrap();
    let folder = Folder::of(project.path());
    assert!(!made_here(&folder, "demo", &printed("demo", "QQ==")));
    keep(&folder, "demo", &printed("demo", "QQ=="), true, None).unwrap();
    assert!(made_here(&folder, "demo", &printed("demo", "QQ==")));
    assert!(!made_here(&folder, "demo", &printed("demo", "Qg==")), "made again by somebody else");
    assert!(!made_here(&folder, "demo", ""));
    keep(&folder, "other", &printed("other", "QQ=="), false, None).unwrap();
    assert!(!made_here(&folder, "other", &printed("other", "QQ==")), "adopted");
    own::open(&folder.kind("demo")).unwrap();
    for wrong in ["", "No kind clusters found.", &printed("other", "QQ==")] {
        assert!(matches!(keep(&folder, "demo", wrong, true, None), Err(Error::Program { .. })), "{wrong}");
    }
}
