//! Commits that nobody vouches for are not applied.

use foredeck::gitops::git::signature::VerifyMode;
use foredeck::gitops::reconciler::Error;

use crate::harness::gitops::{Forge, GitopsTest, config, signed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsigned_commit_stops_the_sync_before_itself() {
    let forge = Forge::new();
    let (key, trust) = signed(&forge).await;
    forge.write("a.yaml", &config("a", "1"));
    let first = forge.commit_and_push(&["-S"]);
    let test = GitopsTest::with(forge, |settings| {
        settings.verify = VerifyMode::All;
        settings.program.trust = trust;
        settings.program.signing = Some(key);
    })
    .await;
    test.synced(&first).await;
    test.forge.write("a.yaml", &config("a", "2"));
    let second = test.forge.commit_and_push(&["-S"]);
    test.forge.write("a.yaml", &config("a", "3"));
    let bad = test.forge.commit_and_push(&[]);
    test.forge.write("a.yaml", &config("a", "4"));
    test.forge.commit_and_push(&["-S"]);
    test.handle.pushed();
    test.synced(&second).await;
    let found = test.get("v1", "ConfigMap", "a").await.unwrap();
    assert_eq!(found.pointer("/data/x").and_then(|x| x.as_str()), Some("2"));
    assert_eq!(test.forge.tag().as_deref(), Some(second.as_str()));
    let status = test.until("it is told", |status| status.unverified.is_some()).await;
    let unverified = status.unverified.unwrap();
    assert_eq!(unverified.commit.as_deref(), Some(bad.as_str()));
    let words = format!("found invalid GPG signature for commit {}: it is not signed", &bad[..7]);
    assert_eq!(unverified.why, words);
    assert_eq!(test.handle.sync().await.unwrap().revision.as_deref(), Some(second.as_str()));
    let refused = test.handle.commit(|_| Ok(None)).await;
    assert_eq!(refused, Err(Error::Refused("HEAD revision is unsigned".to_owned())));
    // Somebody deletes the tag: it comes back where it was.
    test.forge.git(&test.forge.remote(), &["tag", "-d", "flux-sync"]);
    test.handle.sync().await.unwrap();
    assert_eq!(test.forge.tag().as_deref(), Some(second.as_str()));
    test.stop().await;
}
