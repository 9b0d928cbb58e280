//! Tests of writing kubeconfig files: what they hold, who may read them, and which places are left alone.

use super::*;

fn entry(name: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        server: "https://127.0.0.1:6443".to_owned(),
        authority: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
        token: Some("a\"b".to_owned()),
        namespace: Some("demo".to_owned()),
    }
}

fn why(error: &Error) -> &str {
    match error {
        Error::Protected { why, .. } => why,
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_written_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/kubeconfig");
    let plain = Entry { authority: None, token: None, namespace: None, ..entry("two") };
    write(&path, &text(&[entry("foredeck"), plain]), None).unwrap();
    let (merged, chosen) = open(&path).unwrap();
    assert_eq!(merged.names(), ["foredeck", "two"]);
    let expected = Chosen {
        context: "foredeck".to_owned(),
        cluster: "foredeck".to_owned(),
        server: "https://127.0.0.1:6443".to_owned(),
        detour: false,
        namespace: "demo".to_owned(),
    };
    assert_eq!(chosen, expected);
    let data = merged.config.clusters[0].cluster.as_ref().unwrap().certificate_authority_data.clone().unwrap();
    assert_eq!(STANDARD.decode(data).unwrap(), b"-----BEGIN CERTIFICATE-----\n");
    // Written again, since it is ours; and nothing is left lying about.
    write(&path, &text(&[entry("again")]), None).unwrap();
    assert_eq!(open(&path).unwrap().1.context, "again");
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    write(&path, &text(&[entry("a")]), None).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn kubectls_own_file_is_never_written() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let own = "it is kubectl's own file";
    let refused = |path: PathBuf| why(&write(&path, &text(&[entry("a")]), Some(home)).unwrap_err()).to_owned();
    // Also when it does not exist, and with a detour.
    assert_eq!(refused(home.join(".kube/config")), own);
    assert_eq!(refused(home.join("x/../.kube/config")), own);
    assert!(!home.join(".kube").exists() && !home.join("x").exists());
    std::fs::create_dir_all(home.join(".kube")).unwrap();
    std::fs::write(home.join(".kube/config"), "").unwrap();
    assert_eq!(refused(home.join(".kube/config")), own);
    assert_eq!(refused(home.join(".kube/../.kube/./config")), own);
    // Another user's, or with another HOME.
    assert_eq!(why(&check(&home.join(".kube/config"), None).unwrap_err()), own);
    assert_eq!(std::fs::read_to_string(home.join(".kube/config")).unwrap(), "");
    write(&home.join(".kube/foredeck"), &text(&[entry("a")]), Some(home)).unwrap();
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_there() {
    use std::os::unix::fs::symlink;

    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let refused = |path: PathBuf| why(&write(&path, &text(&[entry("a")]), Some(home)).unwrap_err()).to_owned();
    std::fs::create_dir_all(home.join(".kube")).unwrap();
    symlink(home.join(".kube"), home.join("folder")).unwrap();
    assert_eq!(refused(home.join("folder/config")), "it is kubectl's own file");
    symlink(home.join(".kube/config"), home.join("dangling")).unwrap();
    assert_eq!(refused(home.join("dangling")), "it is a link to another file");
    // The default file may itself be a link into a folder of settings.
    std::fs::create_dir_all(home.join("dotfiles")).unwrap();
    std::fs::write(home.join("dotfiles/kube"), "").unwrap();
    symlink(home.join("dotfiles/kube"), home.join(".kube/config")).unwrap();
    assert_eq!(refused(home.join("dotfiles/kube")), "it is kubectl's own file");
    assert_eq!(std::fs::read_to_string(home.join("dotfiles/kube")).unwrap(), "");
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, "apiVersion: v1\n").unwrap();
    let error = write(&path, &text(&[entry("a")]), None).unwrap_err();
    assert_eq!(why(&error), "it is there already, and foredeck did not make it");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "apiVersion: v1\n");
    assert_eq!(why(&write(folder.path(), "", None).unwrap_err()), "it is no file");
    assert_eq!(why(&write(Path::new("/"), "", None).unwrap_err()), "it is no file");
    assert!(matches!(write(&path.join("below"), "", None), Err(Error::Write { .. })));
}

#[test]
fn a_forged_file_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let base = "contexts: [{name: a, context: {cluster: c, user: u}}]\n";
    for (rest, expected) in [
        ("users: [{name: u, user: {exec: {command: /bin/evil}}}]", "it runs a program"),
        ("users: [{name: u, user: {auth-provider: {name: gcp}}}]", "it runs a program"),
        ("users: [{name: u, user: {tokenFile: /etc/passwd}}]", "it names a file"),
        ("users: [{name: u, user: {client-key: /home/me/.ssh/id}}]", "it names a file"),
        ("users: [{name: u, user: {as: admin}}]", "it has unknown settings"),
        ("users: [{name: u, user: {Exec: {command: /bin/evil}}}]", "it has unknown settings"),
        ("clusters: [{name: c, cluster: {server: x, proxy-url: y}}]", "it goes through another host"),
        ("clusters: [{name: c, cluster: {server: x, insecure-skip-tls-verify: true}}]", "it trusts any server"),
        ("clusters: [{name: c, cluster: {server: x, certificate-authority: /x}}]", "it names a file"),
    ] {
        std::fs::write(&path, format!("{MARK}.\n{base}{rest}\n")).unwrap();
        let error = open(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("`{}` was not written by foredeck: {expected}", path.display()));
    }
}

#[cfg(unix)]
#[test]
fn the_users_own_file_is_not_taken_for_foredecks() {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("config"), folder.path().join("kubeconfig"));
    let plain = text(&[entry("a")]).replace(MARK, "# mine");
    std::fs::write(&theirs, plain).unwrap();
    let why = |path: &Path| match open(path) {
        Err(Error::Forged { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&theirs), "it does not say so");
    std::os::unix::fs::symlink(&theirs, &ours).unwrap();
    assert_eq!(why(&ours), "it is a link to another file");
    // What root owns is of somebody else, unless root runs the tests.
    if let Ok(metadata) = std::fs::metadata("/etc/passwd")
        && !is_mine(&metadata)
    {
        assert_eq!(why(Path::new("/etc/passwd")), "it belongs to another user");
    }
}

#[test]
fn hostile_names_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    for name in ["a\nusers: []", "a: b", "\"", "{{", "é\u{7f}\u{85}", "!!binary x", "yes"] {
        write(&path, &text(&[entry(name)]), None).unwrap();
        assert_eq!(open(&path).unwrap().1.context, name);
        write(&path, &pointer(name), None).unwrap();
        assert_eq!(read(&Search::file(&path)).unwrap().config.current_context.as_deref(), Some(name));
    }
}
