//! The wrapper against the real git.

use std::time::Duration;

use super::command::{SigningKey, Trust};
use super::commit::{Draft, NewFile};
use super::history::Range;
use super::signature::{Distrust, Signature, VerifyMode};
use super::testing::Forge;
use super::tree::{Blob, EntryKind};
use super::{Error, Failure, Mirror, Person, Program, Remote};

const LIMIT: Duration = Duration::from_secs(20);

fn flux() -> Person {
    Person::parse("Weave Flux <support@weave.works>")
}

async fn fetched(forge: &Forge) -> Mirror {
    let mirror = forge.mirror().await;
    mirror.fetch(LIMIT).await.unwrap();
    mirror
}

#[tokio::test]
async fn a_mirror_follows_the_remote() {
    let forge = Forge::new();
    let mirror = fetched(&forge).await;
    let missing = mirror.head().await.unwrap_err();
    assert_eq!(missing.to_string(), "configured branch 'master' does not exist");
    let first = forge.push("a.yaml", "a: 1\n");
    mirror.fetch(LIMIT).await.unwrap();
    assert_eq!(mirror.head().await.unwrap(), first);
    forge.git(&forge.work(), &["commit", "-q", "--amend", "-m", "other"]);
    forge.git(&forge.work(), &["push", "-q", "--force", "origin", "HEAD:master"]);
    mirror.fetch(LIMIT).await.unwrap();
    let second = mirror.head().await.unwrap();
    assert_ne!(second, first, "a force push is followed");
    let again = forge.mirror().await;
    assert_eq!(again.head().await.unwrap(), second, "what was fetched is still there");
    assert_eq!(mirror.resolve("refs/tags/nope").await.unwrap(), None);
    assert_eq!(mirror.resolve("--help").await.unwrap(), None);
    forge.git(&forge.remote(), &["update-ref", "-d", "refs/heads/master"]);
    mirror.fetch(LIMIT).await.unwrap();
    assert!(matches!(mirror.head().await, Err(Error::Branch(_))), "a branch that is gone is gone here too");
}

#[tokio::test]
async fn files_are_listed_and_read() {
    let forge = Forge::new();
    forge.write("b c.yaml", "b: 1\n");
    forge.write("deep/ä.yaml", "c: 1\n");
    forge.write("large.bin", &"x".repeat(9 << 20));
    std::os::unix::fs::symlink("b c.yaml", forge.work().join("link.yaml")).unwrap();
    let head = forge.push("a.yaml", "a: 1\n");
    let mirror = fetched(&forge).await;
    let entries = mirror.list(&head).await.unwrap();
    let names: Vec<(&str, EntryKind)> = entries.iter().map(|e| (e.path.as_str(), e.kind)).collect();
    assert_eq!(
        names,
        [
            ("a.yaml", EntryKind::File),
            ("b c.yaml", EntryKind::File),
            ("deep/ä.yaml", EntryKind::File),
            ("large.bin", EntryKind::File),
            ("link.yaml", EntryKind::Link),
        ]
    );
    let blobs: Vec<String> = entries.iter().map(|entry| entry.blob.clone()).collect();
    let contents = mirror.read(&blobs).await.unwrap();
    assert_eq!(contents[&blobs[1]], Blob::Bytes(b"b: 1\n".as_slice().into()));
    assert_eq!(contents[&blobs[3]], Blob::TooLarge(9 << 20));
    assert!(mirror.read(&["0".repeat(40)]).await.is_err());
    assert!(mirror.list("nope").await.is_err());
    let out = forge.path("out");
    mirror.export(&entries, &out).await.unwrap();
    assert_eq!(std::fs::read_to_string(out.join("link.yaml")).unwrap(), "b: 1\n");
    assert!(!out.join("large.bin").exists());
}

#[tokio::test]
async fn history_is_read() {
    let forge = Forge::new();
    let first = forge.push("a.yaml", "a: 1\n");
    let second = forge.push("docs/README.md", "hello\n");
    let third = forge.push("a.yaml", "a: 2\n");
    let mirror = fetched(&forge).await;
    let ids = async |range: Range<'_>| -> Vec<String> {
        mirror.commits(range).await.unwrap().into_iter().map(|commit| commit.id).collect()
    };
    assert_eq!(ids(Range::up_to(&third)).await, [third.as_str(), &second, &first]);
    assert_eq!(ids(Range { after: Some(&first), ..Range::up_to(&third) }).await, [third.as_str(), &second]);
    let docs = ["docs".to_owned()];
    assert_eq!(ids(Range { paths: &docs, ..Range::up_to(&third) }).await, [second.as_str()]);
    let commit = mirror.commits(Range { most: 1, ..Range::up_to(&third) }).await.unwrap().remove(0);
    assert_eq!((commit.subject.as_str(), commit.author), ("change a.yaml", Person::parse("Ann <ann@example.com>")));
    let touched = mirror.last_touched(Range::up_to(&third)).await.unwrap();
    assert_eq!((touched["a.yaml"].id.as_str(), touched["docs/README.md"].id.as_str()), (&*third, &*second));
}

#[tokio::test]
async fn commits_are_pushed_or_not_made() {
    let forge = Forge::new();
    forge.write("run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(forge.work().join("run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let head = forge.push("a.yaml", "a: 1\n");
    let mirror = fetched(&forge).await;
    let (ann, flux) = (Person::parse("Ann <ann@example.com>"), flux());
    let draft = Draft {
        message: "Automated: demo:deployment/web",
        author: &ann,
        committer: &flux,
        skip_builds: Some("[ci skip]"),
        note: Some("{\"jobID\":\"1\"}"),
    };
    let file = |path: &str, text: &str| NewFile { path: path.to_owned(), content: Some(text.as_bytes().to_vec()) };
    let gone = NewFile { path: "a.yaml".to_owned(), content: None };
    let files = [file("b/new.yaml", "b: 1\n"), file("run.sh", "#!/bin/sh\ntrue\n"), gone];
    let commit = mirror.commit(&head, &files, &draft).await.unwrap();
    assert_eq!(mirror.head().await.unwrap(), commit);
    let show = |format: &str| forge.git(&forge.remote(), &["log", "-1", &format!("--format={format}"), "master"]);
    assert_eq!(show("%H %an %cn"), format!("{commit} Ann Weave Flux"));
    assert_eq!(show("%B"), "Automated: demo:deployment/web\n\n[ci skip]");
    let listing = forge.git(&forge.remote(), &["ls-tree", "-r", "master"]);
    assert!(listing.contains("100755") && listing.contains("b/new.yaml") && !listing.contains("a.yaml"), "{listing}");
    assert_eq!(mirror.note(&commit).await.unwrap().as_deref(), Some("{\"jobID\":\"1\"}\n"));
    assert_eq!(forge.git(&forge.remote(), &["notes", "--ref=flux", "show", &commit]), "{\"jobID\":\"1\"}");
    assert_eq!(mirror.note(&head).await.unwrap(), None);
    // Somebody else pushes in between.
    forge.git(&forge.work(), &["pull", "-q", "--rebase", "origin", "master"]);
    let other = forge.push("c.yaml", "c: 1\n");
    let raced = mirror.commit(&commit, &[file("d.yaml", "d: 1\n")], &draft).await.unwrap_err();
    assert_eq!(raced.failure(), Failure::Raced, "{raced}");
    assert_eq!(forge.git(&forge.remote(), &["rev-parse", "master"]), other);
    mirror.fetch(LIMIT).await.unwrap();
    assert_eq!(mirror.head().await.unwrap(), other);
    mirror.commit(&other, &[file("d.yaml", "d: 1\n")], &draft).await.unwrap();
    assert!(mirror.commit(&other, &[file("../d.yaml", "")], &draft).await.is_err());
    let left: Vec<_> = std::fs::read_dir(mirror.dir())
        .unwrap()
        .flatten()
        .filter(|f| f.file_name().to_string_lossy().contains("foredeck"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_tag_moves_here_and_there() {
    let forge = Forge::new();
    let first = forge.push("a.yaml", "a: 1\n");
    let second = forge.push("a.yaml", "a: 2\n");
    let mirror = fetched(&forge).await;
    assert_eq!(mirror.synced().await.unwrap(), None);
    mirror.move_tag(&second, &flux()).await.unwrap();
    mirror.move_tag(&first, &flux()).await.unwrap();
    assert_eq!(mirror.synced().await.unwrap().as_deref(), Some(first.as_str()));
    let tag = forge.git(
        &forge.remote(),
        &["for-each-ref", "--format=%(objecttype) %(*objectname) %(contents)", "refs/tags/flux-sync"],
    );
    assert_eq!(tag, format!("tag {first} Sync pointer"));
    assert_eq!(mirror.moved(Some(&second), &first), format!("tag flux-sync old={} new={}", &second[..7], &first[..7]));
    forge.git(&forge.remote(), &["tag", "-d", "flux-sync"]);
    mirror.fetch(LIMIT).await.unwrap();
    assert_eq!(mirror.synced().await.unwrap(), None, "a deleted tag is deleted here too");
}

#[tokio::test]
async fn writing_is_tried() {
    let forge = Forge::new();
    forge.push("a.yaml", "a: 1\n");
    let mirror = fetched(&forge).await;
    mirror.check_write("0123456789").await.unwrap();
    assert_eq!(forge.git(&forge.remote(), &["tag"]), "");
    let hook = forge.remote().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let refused = mirror.check_write("0123456789").await.unwrap_err();
    assert_eq!(refused.failure(), Failure::Refused, "{refused}");
    assert!(mirror.check_write("a b").await.is_err());
}

#[tokio::test]
async fn failures_say_what_is_wrong() {
    let forge = Forge::new();
    let open =
        async |url: &str| Mirror::open(Program::default(), &forge.path("m.git"), Remote::new(url, "master")).await;
    let nowhere = open(&forge.path("nope").display().to_string()).await.unwrap();
    assert_eq!(nowhere.fetch(LIMIT).await.unwrap_err().failure(), Failure::NotFound);
    let refused = open("http://127.0.0.1:1/x.git").await.unwrap().fetch(LIMIT).await.unwrap_err();
    assert_eq!(refused.failure(), Failure::Unreachable, "{refused}");
    let unknown = open("http://me:secret@name.invalid/x.git").await.unwrap().fetch(LIMIT).await.unwrap_err();
    assert_eq!(unknown.failure(), Failure::Unreachable, "{unknown}");
    assert!(!unknown.to_string().contains("secret"), "{unknown}");
    let touch = forge.path("touched");
    let evil = open(&format!("ext::touch {}", touch.display())).await.unwrap();
    evil.fetch(LIMIT).await.unwrap_err();
    assert!(!touch.exists(), "an address runs nothing");
    assert!(matches!(open("--upload-pack=x").await, Err(Error::Name(_))));
    let branch = Mirror::open(Program::default(), &forge.path("m.git"), Remote::new("x", "--force")).await;
    assert!(matches!(branch, Err(Error::Name(_))));
}

async fn with_ssh_keys(forge: &Forge) -> Program {
    let pair = super::identity::generate(
        &super::identity::KeyOptions { kind: Some("ed25519".to_owned()), ..Default::default() },
        &forge.path(""),
    )
    .await
    .unwrap();
    let access = super::identity::install(&pair, &forge.path("keys")).unwrap();
    let key = access.key.unwrap();
    let allowed = forge.path("allowed");
    std::fs::write(&allowed, format!("* {}\n", pair.public)).unwrap();
    std::fs::write(key.with_extension("pub"), &pair.public).unwrap();
    for (name, value) in [("gpg.format", "ssh"), ("user.signingKey", &key.display().to_string())] {
        forge.git(&forge.work(), &["config", name, value]);
    }
    let trust = Trust { gpg_home: None, allowed_signers: Some(allowed) };
    Program { trust, signing: Some(SigningKey::Ssh(key)), ..Program::default() }
}

fn gpg(forge: &Forge, args: &[&str]) -> String {
    let mut command = std::process::Command::new("gpg");
    command.env("GNUPGHOME", forge.path("gpg")).args(["--batch", "--quiet", "--no-tty"]).args(args);
    let output = command.output().unwrap();
    assert!(output.status.success(), "gpg {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn with_gpg_keys(forge: &Forge) -> Program {
    let home = forge.path("gpg");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    gpg(forge, &["--passphrase", "", "--quick-generate-key", "Flux <flux@example.com>", "ed25519", "sign", "0"]);
    let keys = gpg(forge, &["--with-colons", "--list-secret-keys"]);
    let id = keys.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).unwrap().trim_end_matches(':').to_owned();
    forge.git(&forge.work(), &["config", "user.signingKey", &id]);
    let trust = Trust { gpg_home: Some(home), allowed_signers: None };
    Program { trust, signing: Some(SigningKey::Gpg(id)), ..Program::default() }
}

/// Signed commits are applied up to the first that is not, for a kind of key.
async fn signatures(forge: &Forge, program: Program) {
    let commit = |signed: bool| {
        let id = forge.commit("x", if signed { &["-S"] } else { &[] });
        forge.git(&forge.work(), &["push", "-q", "--force", "origin", "HEAD:master"]);
        id
    };
    let first = commit(true);
    let mirror = forge.mirror_with(program.clone()).await;
    mirror.fetch(LIMIT).await.unwrap();
    let verdict = mirror.verify(VerifyMode::All, None, &first).await.unwrap();
    assert_eq!(verdict.valid.as_deref(), Some(first.as_str()));
    mirror.move_tag(&first, &flux()).await.unwrap();
    let second = commit(true);
    let bad = commit(false);
    let last = commit(true);
    mirror.fetch(LIMIT).await.unwrap();
    let verdict = mirror.verify(VerifyMode::All, Some(&first), &last).await.unwrap();
    assert_eq!(verdict.valid.as_deref(), Some(second.as_str()));
    let stopped_by = verdict.stopped_by.unwrap();
    assert_eq!((stopped_by.id, stopped_by.signature), (bad, Some(Signature::None)));
    let anything = mirror.verify(VerifyMode::None, Some(&first), &last).await.unwrap();
    assert_eq!(anything.valid.as_deref(), Some(last.as_str()));
    // Our own commits are signed too.
    let flux = flux();
    let draft = Draft { message: "m", author: &flux, committer: &flux, skip_builds: None, note: None };
    let file = NewFile { path: "x".to_owned(), content: Some(b"x".to_vec()) };
    let ours = mirror.commit(&last, &[file], &draft).await.unwrap();
    let range = Range { signatures: true, most: 1, ..Range::up_to(&ours) };
    assert_eq!(mirror.commits(range).await.unwrap()[0].signature, Some(Signature::Good));
    // A tag that somebody else made is not believed.
    let unsigned = forge.mirror_with(Program { signing: None, ..program }).await;
    unsigned.move_tag(&second, &flux).await.unwrap();
    let distrust = unsigned.verify(VerifyMode::All, Some(&second), &last).await.unwrap_err();
    assert_eq!(distrust.to_string(), "the sync tag `flux-sync` has no signature that is trusted: is not signed");
}

#[tokio::test]
async fn ssh_signatures_are_checked() {
    let forge = Forge::new();
    let program = with_ssh_keys(&forge).await;
    signatures(&forge, program.clone()).await;
    // A key that is not among the allowed ones is not trusted.
    std::fs::write(program.trust.allowed_signers.as_ref().unwrap(), "").unwrap();
    let mirror = forge.mirror_with(program).await;
    let head = mirror.head().await.unwrap();
    let nothing = mirror.verify(VerifyMode::All, None, &head).await.unwrap_err();
    assert!(matches!(nothing, Distrust::Nothing { .. }), "{nothing}");
    assert!(nothing.to_string().ends_with("is signed by a key that is not trusted"), "{nothing}");
}

#[tokio::test]
async fn gpg_signatures_are_checked() {
    let forge = Forge::new();
    let program = with_gpg_keys(&forge);
    signatures(&forge, program).await;
    let missing = Program { signing: Some(SigningKey::Gpg("nobody@example.com".to_owned())), ..with_trust(&forge) };
    let mirror = forge.mirror_with(missing).await;
    let head = mirror.head().await.unwrap();
    let error = mirror.move_tag(&head, &flux()).await.unwrap_err();
    assert_eq!(error.failure(), Failure::SigningKey, "{error}");
}

fn with_trust(forge: &Forge) -> Program {
    Program { trust: Trust { gpg_home: Some(forge.path("gpg")), allowed_signers: None }, ..Program::default() }
}
