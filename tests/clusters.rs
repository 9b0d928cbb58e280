//! `cluster` and the choice of a cluster for `kubectl`: standard output, standard error and exit code together.
#![cfg(unix)]

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;

use crate::harness::tool::{Run, Tool};

fn run(code: i32, out: &str, err: &str) -> Run {
    Run { code, out: out.to_owned(), err: err.to_owned() }
}

/// A kind that keeps its clusters in a folder, and notes its calls.
const KIND: &str = r#"
here=$(dirname "$0")/..
echo "kind $*" >> "$here/calls"
case "$1 $2" in
'get clusters') ls "$here/kinds" 2>/dev/null || true;;
'create cluster') mkdir -p "$here/kinds"; n=${3#--name=}; : > "$here/kinds/$n"
  printf 'Creating cluster "%s" ...\n • Preparing nodes 📦  ...\n ✓ Preparing nodes 📦 \n' "$n" >&2;;
'get kubeconfig') n=${3#--name=}; cat "$here/$n.kubeconfig";;
'delete cluster') n=${3#--name=}; rm -f "$here/kinds/$n";;
esac
"#;

fn kubeconfig(name: &str, server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\nclusters:\n- name: {name}\n  cluster: {{server: '{server}', \
         certificate-authority-data: QQ==}}\ncontexts:\n- name: {name}\n  context: {{cluster: {name}, user: {name}}}\nusers:\n\
         - name: {name}\n  user: {{token: secret}}\n"
    )
}

/// A server that answers what is asked of a cluster with one ready node, in a thread of its own.
fn server(provider_id: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, provider_id));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: std::net::TcpStream, provider_id: &str) {
    use std::io::Write as _;

    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read) = stream.read(&mut buffer) {
        if read == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..read]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&request).into_owned();
        request.clear();
        let path = head.split(' ').nth(1).unwrap_or("").split('?').next().unwrap_or("");
        let node = format!(
            r#"{{"spec":{{"providerID":"{provider_id}"}},"status":{{"conditions":[{{"type":"Ready","status":"True"}}]}}}}"#
        );
        let body = match path {
            "/api/v1/namespaces/kube-system" => r#"{"metadata":{"uid":"u"}}"#.to_owned(),
            "/api/v1/nodes" => format!(r#"{{"items":[{node}]}}"#),
            "/version" => r#"{"gitVersion":"v1.36.2"}"#.to_owned(),
            _ => "{}".to_owned(),
        };
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// A project with the scripts on the PATH.
struct Bench {
    tool: Tool,
    path: String,
}

impl Bench {
    fn new() -> Self {
        let tool = Tool::new().with("foredeck.toml", "").with_program("kind", KIND).with_program("docker", "exit 0");
        let path = format!("{}:/bin:/usr/bin", tool.path("bin").display());
        Self { tool, path }
    }

    fn with(mut self, path: &str, content: &str) -> Self {
        self.tool = self.tool.with(path, content);
        self
    }

    fn run(&self, line: &str) -> Run {
        self.tool.run_in(line, &[("PATH", &self.path), ("FOREDECK_KUBECTL", "builtin")])
    }

    /// The calls of kind, without what changes.
    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.tool.path("calls")).unwrap_or_default();
        let short = |line: &str| line.split(" --kubeconfig=").next().unwrap_or("").to_owned();
        text.lines().map(short).collect()
    }

    fn forget_calls(&self) {
        std::fs::write(self.tool.path("calls"), "").expect("a file");
    }
}

#[test]
fn a_kind_cluster_is_made_found_again_and_deleted() {
    let server = server("kind://docker/demo/demo-control-plane");
    let bench = Bench::new().with("demo.kubeconfig", &kubeconfig("kind-demo", &server));
    let up = format!(
        "made: kind:demo at {server}\n  kubeconfig  .foredeck/kind-demo.kubeconfig\n  \
         in a shell  eval \"$(foredeck cluster kubeconfig --cluster kind:demo)\"\n"
    );
    let steps = "  Making the kind cluster `demo` …\n  Preparing nodes …\n  Waiting for the nodes …\n";
    assert_eq!(bench.run("cluster up --cluster kind:demo"), run(0, "", &format!("{steps}{up}")));
    assert_eq!(
        bench.calls(),
        ["kind get clusters", "kind create cluster --name=demo", "kind get kubeconfig --name=demo"]
    );
    let again = up.replace("made:", "running:");
    assert_eq!(bench.run("cluster up --cluster kind:demo"), run(0, "", &format!("  Waiting for the nodes …\n{again}")));
    let file = bench.tool.path(".foredeck/kind-demo.kubeconfig");
    let shown = file.canonicalize().expect("the file is there");
    assert_eq!(
        bench.run("cluster kubeconfig --cluster kind:demo"),
        run(0, &format!("export KUBECONFIG='{}'\n", shown.display()), "")
    );
    let status = bench.run("cluster status");
    assert!(status.out.contains("kind:demo   running       v1.36.2   1       http://127.0.0.1:"), "{}", status.out);
    assert!(!bench.tool.path("home/.kube").exists());
    bench.forget_calls();
    assert_eq!(
        bench.run("cluster down --cluster kind:demo"),
        run(0, "", "  Deleting the kind cluster `demo` …\ndeleted kind:demo\n")
    );
    assert_eq!(
        bench.calls(),
        ["kind get clusters", "kind get kubeconfig --name=demo", "kind delete cluster --name=demo"]
    );
    assert!(!file.exists());
    assert_eq!(bench.run("cluster down --cluster kind:demo"), run(0, "", "kind:demo is not running\n"));
}

#[test]
fn a_kind_cluster_of_somebody_else_is_adopted_and_left_alone() {
    let server = server("kind://docker/mine/mine-control-plane");
    let bench = Bench::new().with("mine.kubeconfig", &kubeconfig("kind-mine", &server)).with("kinds/mine", "");
    let up = bench.run("cluster up --cluster kind:mine --json");
    assert_eq!(up.code, 0, "{}", up.err);
    assert!(up.out.contains("\"state\": \"adopted\""), "{}", up.out);
    assert_eq!(
        bench.run("cluster reset --cluster kind:mine"),
        run(
            6,
            "",
            "error[cluster/not-ours]: the kind cluster `mine` was not made by foredeck\n  \
             help: delete it with the tool that made it, or give `--force`\n"
        )
    );
    assert_eq!(
        bench.run("cluster down --cluster kind:mine"),
        run(0, "", "left kind:mine running: foredeck did not make it; `--force` deletes it all the same\n")
    );
    assert!(bench.tool.path("kinds/mine").exists());
    assert_eq!(bench.run("cluster down --cluster kind:mine --force").code, 0);
    assert!(!bench.tool.path("kinds/mine").exists());
}

#[test]
fn what_is_missing_is_named_with_the_way_on() {
    let tool = Tool::new();
    let missing = "error[cluster/kind-missing]: kind is not installed, or not on the PATH\n  \
                   help: install kind (https://kind.sigs.k8s.io), or go on without: `--cluster embedded` needs nothing installed\n";
    assert_eq!(tool.run("cluster up --cluster kind"), run(4, "", missing));
    let tool = Tool::new().with_program("kind", "exit 0");
    let path = tool.path("bin").display().to_string();
    let missing = "error[cluster/no-container-runtime]: docker is not installed, or not on the PATH\n  \
                   help: kind needs docker or podman; `--cluster embedded` needs nothing installed\n";
    assert_eq!(tool.run_in("cluster up --cluster kind", &[("PATH", &path)]), run(4, "", missing));
    let tool = tool.with_program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    let silent = "error[cluster/no-container-runtime]: docker does not answer: Cannot connect to the Docker daemon\n  \
                  help: start docker, or go on without: `--cluster embedded` needs nothing installed\n";
    assert_eq!(tool.run_in("cluster up --cluster kind", &[("PATH", &path)]), run(4, "", silent));
    let unknown =
        "error[cluster/unknown]: `knd:x` is no cluster: nothing is called that\n  help: did you mean `kind:x`?\n";
    assert_eq!(tool.run("cluster up --cluster knd:x"), run(2, "", unknown));
    assert_eq!(tool.run_in("cluster status", &[("FOREDECK_CLUSTER", "knd:x")]).code, 0);
    assert_eq!(tool.run_in("cluster up", &[("FOREDECK_CLUSTER", "knd:x")]), run(2, "", unknown));
}

#[test]
fn the_embedded_cluster_has_no_life_of_its_own() {
    let tool = Tool::new();
    assert_eq!(
        tool.run("cluster up"),
        run(
            2,
            "",
            "error: the embedded cluster runs inside `foredeck present` and `foredeck cluster serve`, not on its own\n  \
             help: run `foredeck cluster serve` in another terminal, or just `foredeck DECK`\n"
        )
    );
    let down =
        "error[cluster/not-running]: the embedded cluster is not up\n  help: start it with `foredeck cluster serve`\n";
    assert_eq!(tool.run("cluster kubeconfig"), run(4, "", down));
    assert_eq!(tool.run("kubectl get pods"), run(4, "", down));
    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("an address").port();
    let served = tool.run(&format!("cluster serve --port {port}"));
    assert_eq!(served.code, 4);
    assert!(
        served.err.starts_with(&format!("error[cluster/port-in-use]: cannot listen on 127.0.0.1:{port}\n")),
        "{}",
        served.err
    );
}

#[test]
fn kubectls_own_file_is_not_written_by_any_way() {
    let tool = Tool::new().with("home/.kube/config", "mine").with("linked/x", "");
    std::os::unix::fs::symlink(tool.path("home/.kube"), tool.path("folder")).expect("a link");
    std::os::unix::fs::symlink(tool.path("home/.kube/config"), tool.path("file")).expect("a link");
    for path in ["home/.kube/config", "folder/config", "file", "linked/../home/.kube/config"] {
        let run = tool.run(&format!("cluster serve --kubeconfig {path}"));
        assert_eq!(run.code, 6, "{path}: {}", run.err);
        assert!(run.err.starts_with("error[cluster/protected-kubeconfig]: "), "{path}: {}", run.err);
    }
    assert_eq!(tool.read("home/.kube/config"), "mine");
}

const FOREIGN: &str = "error[cluster/foreign-context]: the context `dev` is not touched: it may be any cluster: its name is that of \
                       no local product\n  help: if you mean it, write `allow-contexts = [\"dev\"]` into `";

#[test]
fn a_context_is_touched_only_when_the_users_own_configuration_names_it() {
    let server = server("");
    let both = kubeconfig("dev", &server);
    // Whatever the project says, it does not count.
    let tool = Tool::new().with("home/.kube/config", &both).with("foredeck.toml", "allow-contexts = [\"dev\"]\n");
    for line in [
        "cluster up --cluster context:dev",
        "kubectl --context dev get pods",
        "cluster kubeconfig --cluster context:dev",
    ] {
        let run = tool.run(line);
        assert_eq!(run.code, 6, "{line}: {}", run.err);
        assert!(run.err.starts_with(FOREIGN), "{line}: {}", run.err);
    }
    assert_eq!(tool.run_in("kubectl get pods", &[("FOREDECK_CLUSTER", "context:dev")]).code, 6);
    let tool = tool.with("home/.config/foredeck/config.toml", "allow-contexts = [\"dev\"]\n");
    let up = tool.run("cluster up --cluster context:dev");
    assert_eq!(up.code, 0, "{}", up.err);
    assert!(up.err.starts_with(&format!("running: context:dev at {server}\n")), "{}", up.err);
    // No secret was copied: a small file says which context is meant.
    let pointer = tool.read(".foredeck/context-dev.kubeconfig");
    assert_eq!(pointer, "# Written by foredeck.\napiVersion: v1\nkind: Config\ncurrent-context: \"dev\"\n");
    let reach = tool.run("cluster kubeconfig --cluster context:dev");
    assert!(reach.out.ends_with(&format!(":{}'\n", tool.path("home/.kube/config").display())), "{}", reach.out);
    let status = tool.run("cluster status");
    assert!(status.out.contains("context:dev   allowed"), "{}", status.out);
    assert_eq!(tool.run("cluster down --cluster context:dev").code, 6);
}

#[test]
fn nodes_of_a_cloud_give_a_local_address_away() {
    let server = server("gce://project/zone/node");
    let tool = Tool::new()
        .with("home/.kube/config", kubeconfig("kind-x", &server))
        .with("home/.config/foredeck/config.toml", "allow-contexts = [\"kind-x\"]\n");
    let run = tool.run("kubectl --context kind-x get pods");
    assert_eq!(run.code, 6);
    assert!(run.err.starts_with("error[cluster/foreign-context]: the context `kind-x` is not touched: it has nodes that a cloud provider runs\n"), "{}", run.err);
}

/// A kubectl that says how it was called.
const KUBECTL: &str = "echo \"KUBECONFIG=$KUBECONFIG\"; for word in \"$@\"; do echo \"<$word>\"; done; exit 7";

#[test]
fn a_real_kubectl_gets_all_arguments_and_the_right_kubeconfig() {
    let server = server("kind://docker/demo/demo-control-plane");
    let tool = Tool::new()
        .with_program("kubectl", KUBECTL)
        .with("foredeck.toml", "")
        .with(".foredeck/kubeconfig", format!("# Written by foredeck.\n{}", kubeconfig("foredeck", &server)));
    let path = tool.path("bin").display().to_string();
    let ours = tool.path(".foredeck/kubeconfig").canonicalize().expect("the file is there");
    let with_path = |line: &str| tool.run_in(line, &[("PATH", &path)]);
    assert_eq!(
        with_path("kubectl -n demo exec pod -- sh -c --context"),
        run(
            7,
            &format!("KUBECONFIG={}\n<-n>\n<demo>\n<exec>\n<pod>\n<-->\n<sh>\n<-c>\n<--context>\n", ours.display()),
            ""
        )
    );
    assert_eq!(with_path("kubectl --help"), run(7, "KUBECONFIG=\n<--help>\n", ""));
    for line in [
        "kubectl get pods --server https://10.0.0.1",
        "kubectl get pods -shttps://10.0.0.1",
        "kubectl --user=x get pods",
    ] {
        assert_eq!(with_path(line).code, 6, "{line}");
    }
    let tool = tool.with("home/.kube/config", kubeconfig("dev", "https://203.0.113.1"));
    assert!(tool.run_in("kubectl get --context=dev pods", &[("PATH", &path)]).err.starts_with(FOREIGN));
    // Whoever calls this program kubectl does not start it for ever.
    let this = std::fs::canonicalize(env!("CARGO_BIN_EXE_foredeck")).expect("the program");
    std::fs::create_dir_all(tool.path("shim")).expect("a folder");
    std::os::unix::fs::symlink(&this, tool.path("shim/kubectl")).expect("a link");
    let shim = tool.path("shim").display().to_string();
    let builtin = tool.run_in("kubectl version --client", &[("PATH", &shim)]);
    assert!(builtin.out.starts_with("Client Version: foredeck "), "{builtin:?}");
}

#[test]
fn a_kubeconfig_that_came_with_the_project_runs_nothing() {
    let evil = "# Written by foredeck.\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n\
                clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
                users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./evil}}}]\n";
    let tool =
        Tool::new().with(".foredeck/kubeconfig", evil).with_program("kubectl", "touch \"$(dirname \"$0\")/ran\"");
    let path = tool.path("bin").display().to_string();
    for variables in
        [[("PATH", path.as_str()), ("FOREDECK_KUBECTL", "")], [("PATH", ""), ("FOREDECK_KUBECTL", "builtin")]]
    {
        let run = tool.run_in("kubectl get pods", &variables);
        assert_eq!(run.code, 6, "{}", run.err);
        assert!(run.err.contains("was not written by foredeck: it runs a program"), "{}", run.err);
    }
    assert!(!tool.path("bin/ran").exists());
    assert!(!Path::new("evil").exists());
}
