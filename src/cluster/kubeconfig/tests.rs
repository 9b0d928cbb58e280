//! Tests of reading kubeconfig files: merging, choosing, and files that are wrong.

use std::fmt::Write as _;

use super::*;

/// A kubeconfig with contexts `NAME → CLUSTER at SERVER`.
fn config(contexts: &[(&str, &str, &str)], current: &str) -> String {
    let mut text = format!("apiVersion: v1\nkind: Config\ncurrent-context: {current:?}\n");
    for (list, member) in [("contexts", "context"), ("clusters", "cluster"), ("users", "user")] {
        let _ = writeln!(text, "{list}:");
        for (context, cluster, server) in contexts {
            let _ = match member {
                "context" => {
                    writeln!(text, "- {{name: {context:?}, context: {{cluster: {cluster:?}, user: u-{context}}}}}")
                }
                "cluster" => writeln!(text, "- {{name: {cluster:?}, cluster: {{server: {server:?}}}}}"),
                _ => writeln!(text, "- {{name: u-{context}, user: {{token: secret-{context}}}}}"),
            };
        }
    }
    text
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn said(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

#[test]
fn the_standard_places_are_those_of_kubectl() {
    let home = Path::new("/home/me");
    let list = std::env::join_paths(["a", "", "/b"]).unwrap();
    let files = |kubeconfig: Option<&OsStr>, home| Search::standard(kubeconfig, home).files;
    assert_eq!(files(Some(&list), Some(home)), [PathBuf::from("a"), PathBuf::from("/b")]);
    assert_eq!(files(Some(OsStr::new("")), Some(home)), [home.join(".kube/config")]);
    assert_eq!(files(None, Some(home)), [home.join(".kube/config")]);
    assert_eq!(files(None, None), Vec::<PathBuf>::new());
}

#[test]
fn the_first_file_that_has_a_name_wins() {
    let folder = Folder::new();
    let one = folder.file("one", config(&[("a", "ca", "https://one")], "a"));
    let two = folder.file("two", config(&[("a", "ca", "https://two"), ("b", "cb", "https://b")], "b"));
    let gone = folder.0.path().join("gone");
    let search = Search { files: vec![gone, one, two], required: false };
    let merged = read(&search).unwrap();
    assert_eq!(merged.names(), ["a", "b"]);
    assert_eq!(merged.choose(Some("a")).unwrap().server, "https://one");
    assert_eq!(merged.choose(Some("b")).unwrap().server, "https://b");
    assert_eq!(merged.config.current_context.as_deref(), Some("a"));
}

#[test]
fn a_current_context_is_never_taken_for_granted() {
    let folder = Folder::new();
    let two = folder.file("two", config(&[("a", "a", "https://a"), ("prod", "p", "https://p")], "prod"));
    let merged = read(&Search::file(&two)).unwrap();
    let error = merged.choose(None).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` holds several contexts", two.display()));
    assert_eq!(error.hint().as_deref(), Some("name one with `--context`: `a`, `prod`"));
    let one = folder.file("one", config(&[("a", "a", "https://a")], "elsewhere"));
    assert_eq!(read(&Search::file(&one)).unwrap().choose(None).unwrap().context, "a");
    let missed = merged.choose(Some("prd")).unwrap_err();
    assert_eq!(missed.hint().as_deref(), Some("did you mean `prod`?"));
}

#[test]
fn what_stands_between_is_seen() {
    let detour = |cluster: &str| {
        let text = format!(
            "contexts: [{{name: c, context: {{cluster: kind-a, namespace: demo}}}}]\n\
             clusters: [{{name: kind-a, cluster: {{server: 'https://127.0.0.1:1', {cluster}}}}}]\n"
        );
        let merged = Merged { config: parse(&text).unwrap(), places: String::new() };
        merged.choose(Some("c")).unwrap()
    };
    assert!(!detour("proxy-url: ''").detour);
    assert!(!detour("tls-server-name: localhost").detour);
    assert!(detour("proxy-url: 'socks5://127.0.0.1:1080'").detour);
    assert!(detour("tls-server-name: api.prod.example").detour);
    assert_eq!(detour("tls-server-name: ''").namespace, "demo");
}

#[test]
fn what_is_wrong_is_named_and_secrets_are_not() {
    let folder = Folder::new();
    let secret = "users:\n- name: u\n  user: {token: hunter2, token: hunter2}\n";
    for (content, expected) in [
        (&b"\x80\x81"[..], "it is no text"),
        (b"a: b: c", "line 1 column 5: mapping values are not allowed in this context"),
        (b"contexts: [{name: a}, {name: a}]", "there are two contexts called `a`"),
        (b"users: [{name: a}, {name: b}, {name: a}]", "there are two users called `a`"),
    ] {
        let path = folder.file("config", content);
        let error = read(&Search::file(&path)).unwrap_err();
        assert_eq!(said(&error), format!("cannot read the kubeconfig `{}`: {expected}", path.display()));
    }
    for content in [secret, "a: b: c", "- 1\n- 2\n", "contexts: 3", "{", "contexts: {name: [[[["] {
        let path = folder.file("config", content);
        let error = said(&read(&Search::file(&path)).unwrap_err());
        assert!(!error.contains("hunter2") && !error.contains('\n'), "{error}");
    }
    assert!(matches!(read(&Search::file(folder.0.path())), Err(Error::Read { .. })));
    assert!(matches!(read(&Search::file("/no/such")), Err(Error::Read { .. })));
    let none = Search { files: vec!["/no/such".into()], required: false };
    assert_eq!(said(&read(&none).unwrap_err()), "there is no kubeconfig: `/no/such` does not exist");
    let nothing = read(&Search::standard(None, None)).unwrap_err();
    assert_eq!(said(&nothing), "there is no kubeconfig: neither KUBECONFIG nor a home folder is set");
    let huge = folder.file("huge", vec![b' '; (8 << 20) + 1]);
    assert!(said(&read(&Search::file(huge)).unwrap_err()).ends_with("it is larger than 8 MiB"));
}

#[test]
fn incomplete_contexts_say_what_is_missing() {
    for (text, expected) in [
        ("contexts: [{name: a}]", "it is empty"),
        ("contexts: [{name: a, context: {cluster: c}}]", "there is no cluster `c`"),
        ("contexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c}]", "there is no cluster `c`"),
        (
            "contexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]",
            "the cluster `c` has no server",
        ),
        (
            "contexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: x}}]",
            "there is no user `u`",
        ),
    ] {
        let merged = Merged { config: parse(text).unwrap(), places: "`f`".to_owned() };
        let error = merged.choose(Some("a")).unwrap_err();
        assert_eq!(error.to_string(), format!("the context `a` is not complete: {expected}"), "{text}");
    }
    let empty = Merged { config: parse("").unwrap(), places: "`f`".to_owned() };
    assert_eq!(empty.choose(None).unwrap_err().to_string(), "there is no kubeconfig: `f` holds no context");
}

#[test]
fn wide_text_and_relative_paths_are_understood() {
    let folder = Folder::new();
    let text = "contexts: [{name: a, context: {cluster: c}}]\n\
                clusters: [{name: c, cluster: {server: 'https://x', certificate-authority: ca.crt}}]\n";
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for content in [text.as_bytes().to_vec(), wide, format!("\u{feff}{text}").into_bytes()] {
        let path = folder.file("sub/config", content);
        let merged = read(&Search::file(&path)).unwrap();
        let cluster = merged.config.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority.as_deref(), path.with_file_name("ca.crt").to_str());
    }
}
