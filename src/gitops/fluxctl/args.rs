//! The flags of fluxctl's commands.

use clap::{Args, CommandFactory as _, Parser, Subcommand};

/// The command line as a whole, for help and completions.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// fluxctl helps you deploy your code.
#[derive(Debug, Parser)]
#[command(name = "fluxctl", args_override_self = true, disable_version_flag = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// How to reach the daemon.
#[derive(Debug, Args)]
pub(super) struct ConnectionArgs {
    /// The kubeconfig context to use instead of the current one.
    #[arg(long, global = true)]
    pub(super) context: Option<String>,
    /// The namespace of the daemon, also `FLUX_FORWARD_NAMESPACE`.
    #[arg(long = "k8s-fwd-ns", global = true, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
    /// The labels of the daemon's pod, also `FLUX_FORWARD_LABELS`.
    #[arg(long = "k8s-fwd-labels", global = true, value_name = "KEY=VALUE,…")]
    pub(super) labels: Option<String>,
    /// The address of the Flux API, also `FLUX_URL`.
    #[arg(short, long, global = true)]
    pub(super) url: Option<String>,
    /// A token for that address, also `FLUX_SERVICE_TOKEN` and `WEAVE_CLOUD_TOKEN`.
    #[arg(short, long, global = true)]
    pub(super) token: Option<String>,
    /// How long to wait, also `FLUX_TIMEOUT`.
    #[arg(long, global = true, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List workloads currently running in the cluster.
    #[command(alias = "list-controllers", args_override_self = true)]
    ListWorkloads(ListWorkloadsArgs),
    /// Show deployed and available images.
    #[command(args_override_self = true)]
    ListImages(ListImagesArgs),
    /// Release a new version of a workload.
    #[command(args_override_self = true)]
    Release(ReleaseArgs),
    /// Turn on automatic deployment for a workload.
    #[command(args_override_self = true)]
    Automate(WorkloadArgs),
    /// Turn off automatic deployment for a workload.
    #[command(args_override_self = true)]
    Deautomate(WorkloadArgs),
    /// Lock a workload, so it cannot be deployed.
    #[command(args_override_self = true)]
    Lock(WorkloadArgs),
    /// Unlock a workload, so it can be deployed.
    #[command(args_override_self = true)]
    Unlock(WorkloadArgs),
    /// Manage policies for a workload.
    #[command(args_override_self = true)]
    Policy(PolicyArgs),
    /// Save workload definitions to local files.
    #[command(args_override_self = true)]
    Save(SaveArgs),
    /// Display the SSH public key.
    #[command(args_override_self = true)]
    Identity(IdentityArgs),
    /// Synchronize the cluster with the git repository, now.
    Sync(NoArgs),
    /// Print manifests that install Flux in a cluster.
    #[command(args_override_self = true)]
    Install(InstallArgs),
    /// Output the version.
    Version(NoArgs),
    /// Output shell completions.
    Completion(CompletionArgs),
}

/// No flags.
#[derive(Debug, Args)]
pub(super) struct NoArgs {
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct ListWorkloadsArgs {
    /// Confine the query to a namespace.
    #[arg(short, long)]
    pub(super) namespace: Option<String>,
    /// Query across all namespaces.
    #[arg(short, long)]
    pub(super) all_namespaces: bool,
    /// Only workloads with a container of this name.
    #[arg(short, long)]
    pub(super) container: Option<String>,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
}

#[derive(Debug, Args)]
pub(super) struct ListImagesArgs {
    /// Namespace.
    #[arg(short, long)]
    pub(super) namespace: Option<String>,
    /// Show images for this workload.
    #[arg(short, long)]
    pub(super) workload: Option<String>,
    /// How many images to show (0 for all).
    #[arg(short, long, default_value_t = 10, allow_negative_numbers = true)]
    pub(super) limit: i64,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
    /// The old name of `--workload`.
    #[arg(short, long, hide = true)]
    pub(super) controller: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ListingArgs {
    /// Don't print headings.
    #[arg(long)]
    pub(super) no_headers: bool,
    /// `tab` or `json`.
    #[arg(short, long, default_value = "tab")]
    pub(super) output_format: String,
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}

/// Who and why, and how much to tell.
#[derive(Debug, Clone, Args)]
pub(super) struct CauseArgs {
    /// Attach a message to the update.
    #[arg(short, long, allow_hyphen_values = true)]
    pub(super) message: Option<String>,
    /// Who is reported as initiating the update.
    #[arg(long, allow_hyphen_values = true)]
    pub(super) user: Option<String>,
    /// Include skipped (and ignored, with -vv) workloads in the output.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Clone, Args)]
pub(super) struct WorkloadArgs {
    /// The workload's namespace.
    #[arg(short, long)]
    pub(super) namespace: Option<String>,
    /// The workload.
    #[arg(short, long)]
    pub(super) workload: Option<String>,
    /// The old name of `--workload`.
    #[arg(short, long, hide = true)]
    pub(super) controller: Option<String>,
    #[command(flatten)]
    pub(super) cause: CauseArgs,
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}

/// What `policy` can do to a workload; the other commands are shorthands.
#[derive(Debug, Clone, Args)]
pub(super) struct PolicyArgs {
    #[command(flatten)]
    pub(super) workload: WorkloadArgs,
    #[command(flatten)]
    pub(super) wanted: WantedPolicies,
}

#[derive(Debug, Clone, Default, Args)]
pub(super) struct WantedPolicies {
    /// A filter of tags for all containers that have none of their own.
    #[arg(long, allow_hyphen_values = true)]
    pub(super) tag_all: Option<String>,
    /// A filter of tags, as `container=filter`.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    pub(super) tag: Vec<String>,
    /// Automate the workload.
    #[arg(long)]
    pub(super) automate: bool,
    /// Deautomate the workload.
    #[arg(long)]
    pub(super) deautomate: bool,
    /// Lock the workload.
    #[arg(long)]
    pub(super) lock: bool,
    /// Unlock the workload.
    #[arg(long)]
    pub(super) unlock: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// The workloads' namespace.
    #[arg(short, long)]
    pub(super) namespace: Option<String>,
    /// A workload to release, as `<namespace>:<kind>/<name>`.
    #[arg(long, value_delimiter = ',')]
    pub(super) workload: Vec<String>,
    /// Release all workloads.
    #[arg(long)]
    pub(super) all: bool,
    /// Update a specific image.
    #[arg(short = 'i', long)]
    pub(super) update_image: Option<String>,
    /// Update all images to their latest versions.
    #[arg(long)]
    pub(super) update_all_images: bool,
    /// A workload to leave out.
    #[arg(long, value_delimiter = ',')]
    pub(super) exclude: Vec<String>,
    /// Only report what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Choose the containers to update.
    #[arg(long)]
    pub(super) interactive: bool,
    /// Disregard locks and filters of tags (has no effect with --all or --update-all-images).
    #[arg(short, long)]
    pub(super) force: bool,
    /// Watch the roll-out.
    #[arg(short, long)]
    pub(super) watch: bool,
    /// The old name of `--workload`.
    #[arg(short, long, value_delimiter = ',', hide = true)]
    pub(super) controller: Vec<String>,
    #[command(flatten)]
    pub(super) cause: CauseArgs,
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct SaveArgs {
    /// The folder to write to; `-` is the output.
    #[arg(short, long, default_value = "-", allow_hyphen_values = true)]
    pub(super) out: String,
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct IdentityArgs {
    /// Generate a new identity.
    #[arg(short, long)]
    pub(super) regenerate: bool,
    /// Show the fingerprint of the public key.
    #[arg(short = 'l', long)]
    pub(super) fingerprint: bool,
    /// Show a picture with the fingerprint.
    #[arg(short, long)]
    pub(super) visual: bool,
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}

/// How Flux is to be installed.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct InstallArgs {
    /// URL of the Git repository.
    #[arg(long, default_value = "")]
    pub git_url: String,
    /// Its branch.
    #[arg(long, default_value = "master")]
    pub git_branch: String,
    /// Paths in it that hold manifests.
    #[arg(long, alias = "git-paths", value_delimiter = ',')]
    pub git_path: Vec<String>,
    /// The label that tracks what is synchronised.
    #[arg(long, default_value = "flux")]
    pub git_label: String,
    /// The name of who commits.
    #[arg(long, default_value = "Flux")]
    pub git_user: String,
    /// The address of who commits.
    #[arg(long, default_value = "")]
    pub git_email: String,
    /// Nothing is written to the repository.
    #[arg(long)]
    pub git_readonly: bool,
    /// Manifests may be generated.
    #[arg(long)]
    pub manifest_generation: bool,
    /// Where to install.
    #[arg(long)]
    pub namespace: Option<String>,
    /// Registries are not looked at.
    #[arg(long)]
    pub registry_disable_scanning: bool,
    /// The folder to write to instead of the output.
    #[arg(short, long)]
    pub output_dir: Option<String>,
    /// Pods say what they may do.
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub add_security_context: bool,
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct CompletionArgs {
    #[arg(hide = true)]
    pub(super) rest: Vec<String>,
}
