//! The `helm` program as a renderer: `helm template` on a copy of the chart, with a home of its own, without the user's
//! environment, kubeconfig or network, and with limits on time and output.
//!
//! It knows no cluster but what it is told of one: `lookup` finds nothing there, and no notes are printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::cluster::yaml;
use crate::gitops::process::{Bounds, Output, run};
use crate::helm::values::coalesce;
use crate::helm::{Capabilities, Chart, Release, Rendered, definitions, manifest};

/// How long rendering may take, and how much may come of it.
const BOUNDS: Bounds = Bounds { limit: Duration::from_secs(60), most: 32 << 20 };
/// The same for the question which one it is.
const SHORT: Bounds = Bounds { limit: Duration::from_secs(10), most: 4096 };

/// A `helm` program.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    /// Where its files are.
    home: PathBuf,
    version: Arc<OnceCell<String>>,
}

impl Program {
    /// The program at a path, which gets a folder for its files.
    pub fn new(path: PathBuf, home: PathBuf) -> Self {
        Self { path, home, version: Arc::default() }
    }

    /// Its name and version, for people.
    pub(super) async fn name(&self) -> String {
        let ask = || async {
            let mut command = self.command(&self.home);
            command.args(["version", "--short"]);
            match run(command, None, SHORT).await {
                Ok(Output { status, out, .. }) if status.success() => {
                    format!("helm {}", String::from_utf8_lossy(&out).trim())
                }
                _ => "helm".to_owned(),
            }
        };
        self.version.get_or_init(ask).await.clone()
    }

    /// Renders a chart.
    pub(super) async fn render(
        &self,
        chart: &Chart,
        config: &Map<String, Value>,
        release: &Release,
        capabilities: &Capabilities,
    ) -> Result<Rendered, String> {
        let failed = |error: std::io::Error| format!("the chart cannot be laid out for helm: {error}");
        let folder = Copy::new(&self.home).map_err(failed)?;
        let (place, values) = (folder.0.join("chart"), folder.0.join("values.yaml"));
        lay_out(&place, chart).map_err(failed)?;
        std::fs::write(&values, yaml::text(&Value::Object(config.clone()))).map_err(failed)?;
        let mut command = self.command(&folder.0);
        command.arg("template").arg(&release.name).arg(&place).arg("--namespace").arg(&release.namespace);
        command.arg("--values").arg(&values).arg("--kube-version").arg(&capabilities.version);
        for version in &capabilities.api_versions {
            command.arg("--api-versions").arg(version);
        }
        if release.upgrade {
            command.arg("--is-upgrade");
        }
        let output = run(command, None, BOUNDS).await.map_err(|error| format!("helm: {error}"))?;
        if !output.status.success() {
            let said = output.err.trim();
            return Err(format!("helm: {}", said.strip_prefix("Error: ").unwrap_or(said)));
        }
        let (made, hooks) = manifest::read(&String::from_utf8_lossy(&output.out)).map_err(|error| error.to_string())?;
        let mut crds = Vec::new();
        definitions(chart, &mut crds).map_err(|error| error.to_string())?;
        let values = coalesce(chart, config).map_err(|error| error.to_string())?;
        Ok(Rendered { made, hooks, notes: String::new(), crds, values })
    }

    /// The program, with nothing of the user's around it.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().current_dir(if folder.is_dir() { folder } else { Path::new("/") });
        for name in ["HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"] {
            command.env(name, self.home.join(name.to_ascii_lowercase()));
        }
        // There is no such file, so that no context is found.
        command.env("KUBECONFIG", self.home.join("no-kubeconfig"));
        command
    }
}

/// A folder that is gone when it is no longer needed.
struct Copy(PathBuf);

impl Copy {
    fn new(home: &Path) -> std::io::Result<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let folder = home.join(format!("chart-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "a copy of a chart stays behind");
        }
    }
}

/// Writes a chart's files; their paths come from the chart and stay below the folder.
fn lay_out(folder: &Path, chart: &Chart) -> std::io::Result<()> {
    for (path, bytes) in chart.files() {
        let is_below = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if !is_below || path.contains('\\') {
            return Err(std::io::Error::other(format!("{path:?} leads out of the chart")));
        }
        let file = folder.join(&path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(file, bytes)?;
    }
    Ok(())
}
