//! Command lines and what they ask for.

use super::super::Report;
use super::*;

fn parse_with(line: &[&str], env: &[(&str, &str)]) -> Result<Invocation, Refusal> {
    let words: Vec<String> = std::iter::once("fluxctl").chain(line.iter().copied()).map(str::to_owned).collect();
    let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let namespace = |context: Option<&str>| context.map(|context| format!("{context}-ns"));
    parse(&words, &Surroundings { env: &env, namespace: &namespace, author: "Git User <git@example.com>" })
}

fn read(line: &[&str]) -> Invocation {
    parse_with(line, &[]).unwrap_or_else(|refusal| panic!("{}", refusal.report().stderr))
}

fn refused(line: &[&str]) -> Report {
    parse_with(line, &[]).map(|read| panic!("{read:?}")).unwrap_or_else(|refusal| refusal.report())
}

#[test]
fn checks_have_fluxctls_words() {
    let cases: [(&[&str], &str); 26] = [
        (&["sync", "now"], "expected no (non-flag) arguments"),
        (&["list-workloads", "x"], "expected no (non-flag) arguments"),
        (&["policy", "x"], "expected no (non-flag) arguments"),
        (&["version", "x"], "expected no (non-flag) arguments"),
        (&["automate"], "-w, --workload is required"),
        (&["policy", "--automate"], "-w, --workload is required"),
        (&["policy", "-w", "d/x", "--automate", "--deautomate"], "automate and deautomate both specified"),
        (&["policy", "-w", "d/x", "--lock", "--unlock"], "lock and unlock both specified"),
        (&["policy", "-w", "d/x", "-c", "d/y"], "can't specify both the controller and workload"),
        (&["lock", "-w", "d/x", "-c", "d/y"], "can't specify both the controller and workload"),
        (&["lock", "-w", "d&x"], "parsing d&x: invalid service ID"),
        (&["release", "--all"], "please supply exactly one of --update-image=<image> or --update-all-images"),
        (
            &["release", "--all", "-i", "a:1", "--update-all-images"],
            "please supply only one of --update-image=<image> or --update-all-images",
        ),
        (&["release", "-i", "a:1"], "please supply either --all, or at least one --workload=<workload>"),
        (&["release", "--all", "-i", "a:1", "-w", "--dry-run"], "cannot use --watch with --dry-run"),
        (
            &["release", "--all", "--update-all-images", "--force"],
            "--force has no effect when used with --all and --update-all-images",
        ),
        (
            &["release", "--all", "-i", "example/web"],
            "blank tag (if you want latest, explicitly state the tag :latest): invalid image ID",
        ),
        (&["list-workloads", "-o", "yaml"], "invalid output format specified"),
        (&["list-images", "-o", "xml"], "invalid output format specified"),
        (&["list-images", "-o", "json", "-l", "-1"], "opts.limit cannot be less than 0"),
        (&["install", "--git-email=a@b.c"], "please supply a valid --git-url argument"),
        (&["install", "--git-url=x"], "please supply a valid --git-email argument"),
        (&["completion"], "please specify a shell"),
        (&["completion", "foo"], "unsupported shell type \"foo\""),
        (&["completion", "bash", "zsh"], "please specify one of the following shells: bash fish zsh"),
        (
            &["policy", "-w", "d/x", "--tag", "c=semver:>=1"],
            "invalid container/tag pair: \"c=semver:>=1\". Expected format is 'container=filter'",
        ),
    ];
    for (line, text) in cases {
        let wanted = format!("Error: {text}\nRun 'fluxctl {} --help' for usage.\n", line[0]);
        assert_eq!(refused(line), Report { stdout: String::new(), stderr: wanted, exit: 1 });
    }
}

#[test]
fn flags_that_are_none_are_refused_with_one() {
    for line in [&["sync", "--nothing"][..], &["nonsense"], &["list-images", "-l", "many"]] {
        let report = refused(line);
        assert!(report.exit == 1 && report.stderr.starts_with("Error: ") && report.stdout.is_empty(), "{report:?}");
    }
    let help = refused(&["release", "--help"]);
    assert!(help.exit == 0 && help.stderr.is_empty() && help.stdout.contains("--update-image"), "{help:?}");
    assert_eq!(read(&[]).request, Request::Help);
}

fn change(line: &[&str]) -> (String, PolicyChange) {
    match read(line).request {
        Request::Policy { changes, .. } => {
            let (id, change) = changes.into_iter().next().unwrap();
            (id.to_string(), change)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn policies_are_spelt_out() {
    let none = PolicyChange::default;
    let cases: [(&[&str], PolicyChange); 9] = [
        (&["automate", "-w", "d/x"], none().with("automated", "true")),
        (&["deautomate", "-c", "d/x"], none().without("automated")),
        (
            &["lock", "-w", "d/x", "-m", "freeze"],
            none()
                .with("locked", "true")
                .with("locked_user", "Git User <git@example.com>")
                .with("locked_msg", "freeze"),
        ),
        (&["lock", "-w", "d/x", "--user="], none().with("locked", "true")),
        (&["unlock", "--workload=d/x"], none().without("locked").without("locked_user").without("locked_msg")),
        (&["policy", "-w", "d/x", "--tag=a=1.*"], none().with("tag.a", "glob:1.*")),
        (&["policy", "-w", "d/x", "--tag", "a=*,b=regex:^x"], none().without("tag.a").with("tag.b", "regexp:^x")),
        (&["policy", "-w", "d/x", "--tag-all", "semver:~1"], none().with("tag_all", "semver:~1")),
        (
            &["policy", "-w", "d/x", "--tag", "a=glob:b", "--tag", "c=d", "--automate", "--unlock"],
            none()
                .with("tag.a", "glob:b")
                .with("tag.c", "glob:d")
                .with("automated", "true")
                .without("locked")
                .without("locked_user")
                .without("locked_msg"),
        ),
    ];
    for (line, wanted) in cases {
        assert_eq!(change(line), ("default:d/x".to_owned(), wanted), "{line:?}");
    }
}

#[test]
fn namespaces_come_from_flag_or_context() {
    let id = |line: &[&str]| change(line).0;
    assert_eq!(id(&["automate", "-n", "test", "-w", "deployment/podinfo"]), "test:deployment/podinfo");
    assert_eq!(id(&["automate", "-n", "test", "-w", "demo:Deployment/podinfo"]), "demo:deployment/podinfo");
    assert_eq!(id(&["--context", "east", "automate", "-w", "deployment/podinfo"]), "east-ns:deployment/podinfo");
    assert_eq!(id(&["automate", "--context=east", "-w", "deployment/podinfo"]), "east-ns:deployment/podinfo");
    let listed = |line: &[&str]| match read(line).request {
        Request::ListWorkloads { namespace, .. } => namespace,
        other => panic!("{other:?}"),
    };
    assert_eq!(listed(&["list-controllers"]), Some("default".to_owned()));
    assert_eq!(listed(&["list-workloads", "-n", "demo"]), Some("demo".to_owned()));
    assert_eq!(listed(&["list-workloads", "-n", "demo", "-a"]), None);
}

#[test]
fn lists_know_how_to_look() {
    let found = read(&["list-images", "-n", "demo", "-w", "deployment/x", "-l", "0", "--no-headers", "-o", "json"]);
    let scope = ImageScope::Workload(ResourceId::new("demo", "deployment", "x"));
    let listing = Listing { headers: false, json: true };
    assert_eq!(found.request, Request::ListImages { scope, limit: 0, listing });
    let usual = read(&["list-images", "-l", "-3"]).request;
    let scope = ImageScope::Namespace("default".to_owned());
    assert_eq!(usual, Request::ListImages { scope, limit: 0, listing: Listing { headers: true, json: false } });
    let visual = Request::Identity { regenerate: true, fingerprint: true, visual: true };
    assert_eq!(read(&["identity", "-rv"]).request, visual);
    assert_eq!(read(&["save", "-o", "-"]).request, Request::Save { out: "-".to_owned() });
}

fn release(line: &[&str]) -> (Release, Vec<String>) {
    let read = read(line);
    match read.request {
        Request::Release(release) => (*release, read.warnings),
        other => panic!("{other:?}"),
    }
}

#[test]
fn releases_are_read_whole() {
    let (found, warnings) = release(&[
        "release",
        "-n",
        "demo",
        "--workload=deployment/a,b:daemonset/c",
        "-c",
        "deployment/d",
        "--update-image=e/f:1",
        "--exclude",
        "deployment/a",
        "-fwvv",
        "-m",
        "-dash",
        "--user",
        "Ann",
    ]);
    let ids: Vec<_> = [("demo", "deployment", "a"), ("b", "daemonset", "c"), ("demo", "deployment", "d")]
        .into_iter()
        .map(|(namespace, kind, name)| ResourceId::new(namespace, kind, name))
        .collect();
    let wanted = Release {
        release: ImageRelease {
            exclude: vec![ids[0].clone()],
            workloads: Which::These(ids),
            image: NewImage::One(ImageRef::parse("e/f:1").unwrap()),
            force: true,
        },
        dry_run: false,
        interactive: false,
        watch: true,
        cause: Cause { user: "Ann".to_owned(), message: "-dash".to_owned() },
        verbosity: 2,
    };
    assert_eq!(found, wanted);
    assert_eq!(warnings, ["Flag --controller has been deprecated, changed to --workload, use that instead"]);
    let (all, warnings) = release(&["release", "--all", "-i", "<all latest>", "--force", "--interactive"]);
    assert_eq!((all.release.workloads, all.release.image, all.interactive), (Which::All, NewImage::Latest, true));
    assert_eq!(warnings, ["Warning: --force will not ignore locked workloads when used with --all"]);
    let (_, warnings) = release(&["release", "--workload=d/x", "--update-all-images", "-f"]);
    assert_eq!(warnings, ["Warning: --force will not ignore container image tags when used with --update-all-images"]);
}

#[test]
fn connections_are_flags_then_environment() {
    let of = |line: &[&str], env: &[(&str, &str)]| {
        parse_with(line, env).map_err(|refusal| refusal.report().stderr).map(|read| read.connection)
    };
    let usual = of(&["sync"], &[]).unwrap().unwrap();
    let shown = (usual.namespace.as_str(), usual.url, usual.token, usual.timeout.as_secs());
    assert_eq!(shown, ("default", None, None, 60));
    assert_eq!(usual.labels, BTreeMap::from([("app".to_owned(), "flux".to_owned())]));
    let env = [
        ("FLUX_FORWARD_NAMESPACE", "flux"),
        ("FLUX_FORWARD_LABELS", "name=fluxd,x=y"),
        ("FLUX_TIMEOUT", "2m"),
        ("FLUX_SERVICE_TOKEN", "abc"),
    ];
    let found = of(&["identity"], &env).unwrap().unwrap();
    assert_eq!((found.namespace.as_str(), found.labels.len(), found.timeout.as_secs()), ("flux", 2, 120));
    assert_eq!(found.url.as_deref(), Some("https://cloud.weave.works/api/flux"));
    let flag = of(&["identity", "--k8s-fwd-ns=other", "-u", "http://here", "--timeout", "5s"], &env).unwrap().unwrap();
    assert_eq!(
        (flag.namespace.as_str(), flag.url.as_deref(), flag.timeout.as_secs()),
        ("other", Some("http://here"), 5)
    );
    assert_eq!(of(&["sync"], &[("FLUX_TIMEOUT", "soon")]).unwrap().unwrap().timeout.as_secs(), 60);
    assert!(of(&["sync", "--timeout", "soon"], &[]).unwrap_err().contains("invalid duration \"soon\""));
    assert!(of(&["sync", "--k8s-fwd-labels", "a"], &[]).unwrap_err().contains("key=value"));
    assert_eq!(of(&["version"], &env), Ok(None));
}

#[test]
fn installations_have_defaults() {
    let read = read(&[
        "install",
        "--git-url",
        "git@x:y",
        "--git-email=a@b.c",
        "--git-paths=a,b",
        "--add-security-context=false",
    ]);
    let Request::Install(install) = read.request else { panic!("{:?}", read.request) };
    assert_eq!(
        (install.git_branch.as_str(), install.git_label.as_str(), install.git_user.as_str()),
        ("master", "flux", "Flux")
    );
    assert_eq!(
        (install.git_path.join(" "), install.namespace.as_deref(), install.add_security_context),
        ("a b".to_owned(), Some("default"), false)
    );
    assert_eq!(read.connection, None);
}

#[test]
fn the_flags_are_consistent() {
    use clap::CommandFactory as _;
    Arguments::command().debug_assert();
}
