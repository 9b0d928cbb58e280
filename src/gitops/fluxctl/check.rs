//! From flags to requests, with fluxctl's checks in fluxctl's order and words.

use std::collections::BTreeMap;

use clap::Parser as _;

use super::args::{
    Arguments, CauseArgs, Command, CompletionArgs, InstallArgs, ListImagesArgs, ListWorkloadsArgs, ListingArgs,
    PolicyArgs, ReleaseArgs, WantedPolicies, WorkloadArgs,
};
use super::connect::Connection;
use super::{ImageScope, Invocation, Listing, Refusal, Release, Request, Shell, Surroundings};
use crate::gitops::id::ResourceId;
use crate::gitops::image::pattern::Pattern;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::policy::{AUTOMATED, LOCKED, LOCKED_MESSAGE, LOCKED_USER, PolicyChange, TAG_ALL, tag_policy};
use crate::gitops::release::Cause;
use crate::gitops::release::images::{ImageRelease, NewImage, Which};

const NO_ARGUMENTS: &str = "expected no (non-flag) arguments";
const ONE_IMAGE: &str = "--update-image=<image> or --update-all-images";

/// Reads a command line; the first argument is the program's name.
///
/// # Errors
/// When it asks for help, or for nothing that can be done.
pub fn parse(arguments: &[String], surroundings: &Surroundings<'_>) -> Result<Invocation, Refusal> {
    let arguments = Arguments::try_parse_from(arguments).map_err(|error| Refusal::Flags(Box::new(error)))?;
    let Some(command) = arguments.command else {
        return Ok(Invocation { request: Request::Help, connection: None, warnings: Vec::new() });
    };
    let (name, connects) = described(&command);
    let fail = |text| Refusal::Usage { command: name.to_owned(), text };
    let connection = match connects {
        true => Some(Connection::new(&arguments.connection, surroundings).map_err(fail)?),
        false => None,
    };
    let context = arguments.connection.context.as_deref();
    let mut check = Check { surroundings, context, warnings: Vec::new() };
    let request = check.request(command).map_err(fail)?;
    Ok(Invocation { request, connection, warnings: check.warnings })
}

/// A command's name, and whether it needs the daemon.
fn described(command: &Command) -> (&'static str, bool) {
    match command {
        Command::ListWorkloads(_) => ("list-workloads", true),
        Command::ListImages(_) => ("list-images", true),
        Command::Release(_) => ("release", true),
        Command::Automate(_) => ("automate", true),
        Command::Deautomate(_) => ("deautomate", true),
        Command::Lock(_) => ("lock", true),
        Command::Unlock(_) => ("unlock", true),
        Command::Policy(_) => ("policy", true),
        Command::Save(_) => ("save", true),
        Command::Identity(_) => ("identity", true),
        Command::Sync(_) => ("sync", true),
        Command::Install(_) => ("install", false),
        Command::Version(_) => ("version", false),
        Command::Completion(_) => ("completion", false),
    }
}

struct Check<'a> {
    surroundings: &'a Surroundings<'a>,
    context: Option<&'a str>,
    warnings: Vec<String>,
}

fn none(rest: &[String]) -> Result<(), String> {
    if rest.is_empty() { Ok(()) } else { Err(NO_ARGUMENTS.to_owned()) }
}

impl Check<'_> {
    fn request(&mut self, command: Command) -> Result<Request, String> {
        let wants = WantedPolicies::default;
        match command {
            Command::ListWorkloads(args) => self.list_workloads(args),
            Command::ListImages(args) => self.list_images(args),
            Command::Release(args) => self.release(args),
            Command::Automate(args) => self.policy(args, &WantedPolicies { automate: true, ..wants() }),
            Command::Deautomate(args) => self.policy(args, &WantedPolicies { deautomate: true, ..wants() }),
            Command::Lock(args) => self.policy(args, &WantedPolicies { lock: true, ..wants() }),
            Command::Unlock(args) => self.policy(args, &WantedPolicies { unlock: true, ..wants() }),
            Command::Policy(PolicyArgs { workload, wanted }) => self.policy(workload, &wanted),
            Command::Save(args) => none(&args.rest).map(|()| Request::Save { out: args.out }),
            Command::Identity(args) => none(&args.rest).map(|()| Request::Identity {
                regenerate: args.regenerate,
                fingerprint: args.fingerprint || args.visual,
                visual: args.visual,
            }),
            Command::Sync(args) => none(&args.rest).map(|()| Request::Sync),
            Command::Install(args) => self.install(args),
            Command::Version(args) => none(&args.rest).map(|()| Request::Version),
            Command::Completion(args) => completion(&args),
        }
    }

    /// The namespace that is meant: the one named, that of the kubeconfig, or the usual one.
    fn namespace(&self, named: Option<String>) -> String {
        let of_context = || (self.surroundings.namespace)(self.context).filter(|namespace| !namespace.is_empty());
        named.filter(|namespace| !namespace.is_empty()).or_else(of_context).unwrap_or_else(|| "default".to_owned())
    }

    /// The workload, which used to be called controller.
    fn one_of(&mut self, workload: Option<String>, controller: Option<String>) -> Result<Option<String>, String> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        match (given(workload), given(controller)) {
            (Some(_), Some(_)) => Err("can't specify both the controller and workload".to_owned()),
            (None, Some(controller)) => {
                self.deprecated();
                Ok(Some(controller))
            }
            (workload, None) => Ok(workload),
        }
    }

    fn deprecated(&mut self) {
        let text = "Flag --controller has been deprecated, changed to --workload, use that instead";
        self.warnings.push(text.to_owned());
    }

    fn cause(&self, args: &CauseArgs) -> Cause {
        Cause {
            user: args.user.clone().unwrap_or_else(|| self.surroundings.author.to_owned()),
            message: args.message.clone().unwrap_or_default(),
        }
    }

    fn list_workloads(&self, args: ListWorkloadsArgs) -> Result<Request, String> {
        let listing = listing(&args.listing)?;
        let namespace = if args.all_namespaces { None } else { Some(self.namespace(args.namespace)) };
        let container = args.container.filter(|name| !name.is_empty());
        Ok(Request::ListWorkloads { namespace, container, listing })
    }

    fn list_images(&mut self, args: ListImagesArgs) -> Result<Request, String> {
        let listing = listing(&args.listing)?;
        let namespace = self.namespace(args.namespace);
        let scope = match self.one_of(args.workload, args.controller)? {
            Some(workload) => ImageScope::Workload(id(&namespace, &workload)?),
            None => ImageScope::Namespace(namespace),
        };
        if listing.json && args.limit < 0 {
            return Err("opts.limit cannot be less than 0".to_owned());
        }
        Ok(Request::ListImages { scope, limit: usize::try_from(args.limit).unwrap_or(0), listing })
    }

    fn policy(&mut self, args: WorkloadArgs, wanted: &WantedPolicies) -> Result<Request, String> {
        none(&args.rest)?;
        let workload = self.one_of(args.workload, args.controller)?;
        let workload = workload.ok_or_else(|| "-w, --workload is required".to_owned())?;
        if wanted.automate && wanted.deautomate {
            return Err("automate and deautomate both specified".to_owned());
        }
        if wanted.lock && wanted.unlock {
            return Err("lock and unlock both specified".to_owned());
        }
        let id = id(&self.namespace(args.namespace), &workload)?;
        let cause = self.cause(&args.cause);
        let change = policy_change(wanted, &cause)?;
        Ok(Request::Policy { changes: BTreeMap::from([(id, change)]), cause, verbosity: args.cause.verbose })
    }

    fn release(&mut self, mut args: ReleaseArgs) -> Result<Request, String> {
        none(&args.rest)?;
        let image = args.update_image.take().filter(|image| !image.is_empty());
        match (&image, args.update_all_images) {
            (Some(_), true) => return Err(format!("please supply only one of {ONE_IMAGE}")),
            (None, false) => return Err(format!("please supply exactly one of {ONE_IMAGE}")),
            _ => {}
        }
        if !args.controller.is_empty() {
            self.deprecated();
            args.workload.append(&mut args.controller);
        }
        self.check_release(&args)?;
        let namespace = self.namespace(args.namespace.take());
        let ids = |texts: &[String]| texts.iter().map(|text| id(&namespace, text)).collect::<Result<Vec<_>, _>>();
        let workloads = if args.all { Which::All } else { Which::These(ids(&args.workload)?) };
        let image = image.map_or(Ok(NewImage::Latest), |image| new_image(&image))?;
        let release = ImageRelease { workloads, image, exclude: ids(&args.exclude)?, force: args.force };
        let cause = self.cause(&args.cause);
        Ok(Request::Release(Box::new(Release {
            release,
            dry_run: args.dry_run,
            interactive: args.interactive,
            watch: args.watch,
            cause,
            verbosity: args.cause.verbose,
        })))
    }

    fn check_release(&mut self, args: &ReleaseArgs) -> Result<(), String> {
        let error = match () {
            () if args.workload.is_empty() && !args.all => {
                "please supply either --all, or at least one --workload=<workload>"
            }
            () if args.watch && args.dry_run => "cannot use --watch with --dry-run",
            () if args.force && args.all && args.update_all_images => {
                "--force has no effect when used with --all and --update-all-images"
            }
            () => {
                let without = match (args.all, args.update_all_images) {
                    (true, _) => "locked workloads when used with --all",
                    (_, true) => "container image tags when used with --update-all-images",
                    _ => return Ok(()),
                };
                if args.force {
                    self.warnings.push(format!("Warning: --force will not ignore {without}"));
                }
                return Ok(());
            }
        };
        Err(error.to_owned())
    }

    fn install(&self, mut args: InstallArgs) -> Result<Request, String> {
        none(&args.rest)?;
        for (value, flag) in [(&args.git_url, "--git-url"), (&args.git_email, "--git-email")] {
            if value.is_empty() {
                return Err(format!("please supply a valid {flag} argument"));
            }
        }
        args.namespace = Some(self.namespace(args.namespace.take()));
        Ok(Request::Install(Box::new(args)))
    }
}

fn listing(args: &ListingArgs) -> Result<Listing, String> {
    none(&args.rest)?;
    let json = match args.output_format.as_str() {
        "tab" => false,
        "json" => true,
        _ => return Err("invalid output format specified".to_owned()),
    };
    Ok(Listing { headers: !args.no_headers, json })
}

fn id(namespace: &str, text: &str) -> Result<ResourceId, String> {
    ResourceId::parse_in(namespace, text).map_err(|error| error.to_string())
}

fn new_image(text: &str) -> Result<NewImage, String> {
    if text == "<all latest>" {
        return Ok(NewImage::Latest);
    }
    let image = ImageRef::parse(text).map_err(|error| error.to_string())?;
    if image.tag.is_empty() {
        return Err("blank tag (if you want latest, explicitly state the tag :latest): invalid image ID".to_owned());
    }
    Ok(NewImage::One(image))
}

fn policy_change(wanted: &WantedPolicies, cause: &Cause) -> Result<PolicyChange, String> {
    let mut change = PolicyChange::default();
    if wanted.automate {
        change = change.with(AUTOMATED, "true");
    }
    if wanted.lock {
        change = change.with(LOCKED, "true");
        if !cause.user.is_empty() {
            change = change.with(LOCKED_USER, &cause.user).with(LOCKED_MESSAGE, &cause.message);
        }
    }
    if wanted.deautomate {
        change = change.without(AUTOMATED);
    }
    if wanted.unlock {
        change = change.without(LOCKED).without(LOCKED_MESSAGE).without(LOCKED_USER);
    }
    if let Some(filter) = wanted.tag_all.as_deref().filter(|filter| !filter.is_empty()) {
        change = change.with(TAG_ALL, &Pattern::new(filter).to_string());
    }
    for pair in &wanted.tag {
        let parts: Vec<_> = pair.split('=').collect();
        let [container, filter] = parts.as_slice() else {
            return Err(format!("invalid container/tag pair: {pair:?}. Expected format is 'container=filter'"));
        };
        change = match *filter {
            "*" => change.without(&tag_policy(container)),
            filter => change.with(&tag_policy(container), &Pattern::new(filter).to_string()),
        };
    }
    Ok(change)
}

fn completion(args: &CompletionArgs) -> Result<Request, String> {
    match args.rest.as_slice() {
        [] => Err("please specify a shell".to_owned()),
        [shell] => match shell.as_str() {
            "bash" => Ok(Request::Completion(Shell::Bash)),
            "fish" => Ok(Request::Completion(Shell::Fish)),
            "zsh" => Ok(Request::Completion(Shell::Zsh)),
            other => Err(format!("unsupported shell type \"{other}\"")),
        },
        _ => Err("please specify one of the following shells: bash fish zsh".to_owned()),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
