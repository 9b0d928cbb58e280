//! A shell that reaches its own folder and the system's programs, and nothing else, where the system can do that.
//!
//! Linux does it by Landlock, for a thread and all that it starts. It keeps learners out of each other's files and of
//! those of the machine's owner; the network and the machine's power are shared all the same.

use std::path::{Path, PathBuf};

/// What programs and their libraries need to be read.
#[cfg(target_os = "linux")]
const SYSTEM: [&str; 14] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc",
    "/opt",
    "/nix",
    "/snap",
    "/proc",
    "/sys",
    "/run/systemd/resolve",
    "/run/current-system",
];
/// Devices that may be written; not the memory that all programs share.
#[cfg(target_os = "linux")]
const DEVICES: [&str; 8] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/random", "/dev/urandom"];

/// What a shell can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confine {
    /// The folder that is its own.
    pub own: PathBuf,
    /// What else it may read and run.
    pub readable: Vec<PathBuf>,
}

impl Confine {
    /// A shell of its own folder among others in `around`, which nothing that it may read leads to. `None` where this
    /// cannot be kept up: the system has no means, or its own folders lie around the others.
    pub fn new(own: &Path, around: &Path, readable: Vec<PathBuf>) -> Option<Self> {
        if !is_possible() || system().iter().any(|path| around.starts_with(path)) {
            return None;
        }
        let readable = readable.into_iter().filter(|path| path.is_absolute() && !around.starts_with(path)).collect();
        Some(Self { own: own.to_path_buf(), readable })
    }
}

#[cfg(target_os = "linux")]
fn system() -> &'static [&'static str] {
    &SYSTEM
}

#[cfg(not(target_os = "linux"))]
fn system() -> &'static [&'static str] {
    &[]
}

/// Does something, such as starting a program, in a thread that reaches no more than `confine` says; all that it starts
/// is bound by that, too.
///
/// # Errors
/// When the system does not do it; then nothing was started.
pub fn within<T: Send>(confine: Option<&Confine>, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    let Some(confine) = confine else { return Ok(work()) };
    let done = std::thread::scope(|scope| scope.spawn(|| linux::enter(confine).map(|()| work())).join());
    done.unwrap_or_else(|_| Err("a bug while it was confined".to_owned()))
}

/// Whether the system can do it at all.
pub fn is_possible() -> bool {
    let probe = std::thread::spawn(|| linux::enter(&Confine { own: PathBuf::from("/"), readable: Vec::new() }).is_ok());
    probe.join().unwrap_or(false)
}

#[cfg(target_os = "linux")]
mod linux {
    use landlock::{
        ABI, Access as _, AccessFs, CompatLevel, Compatible as _, RestrictionStatus, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
    };

    use super::{Confine, DEVICES, SYSTEM};

    /// Older ones cannot let files be moved from folder to folder, which git and editors do.
    const LEAST: ABI = ABI::V2;
    const BEST: ABI = ABI::V6;

    pub(super) fn enter(confine: &Confine) -> Result<(), String> {
        let entered = restrict(confine).map_err(|error| error.to_string())?;
        match entered.ruleset {
            RulesetStatus::NotEnforced => Err("this system cannot confine a shell".to_owned()),
            _ => Ok(()),
        }
    }

    fn restrict(confine: &Confine) -> Result<RestrictionStatus, RulesetError> {
        let all = AccessFs::from_all(BEST);
        let read = AccessFs::from_read(BEST);
        let devices = read | AccessFs::WriteFile | AccessFs::IoctlDev;
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(LEAST))?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all)?
            .scope(Scope::from_all(BEST))?
            .create()?
            .add_rules(path_beneath_rules(SYSTEM, read))?
            .add_rules(path_beneath_rules(&confine.readable, read))?
            .add_rules(path_beneath_rules(DEVICES, devices))?
            .add_rules(path_beneath_rules([&confine.own], all))?
            .restrict_self()
    }
}

#[cfg(not(target_os = "linux"))]
mod linux {
    pub(super) fn enter(_: &super::Confine) -> Result<(), String> {
        Err("this system cannot confine a shell".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(confine: &Confine, script: &str) -> (bool, String) {
        let run = || std::process::Command::new("/bin/sh").args(["-c", script]).current_dir(&confine.own).output();
        let output = within(Some(confine), run).expect("confined").expect("sh starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    #[test]
    fn a_confined_shell_reaches_its_own_files_and_no_others() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["ada/work", "bob"] {
            std::fs::create_dir_all(folder.path().join(name)).expect("made");
        }
        std::fs::write(folder.path().join("bob/secret"), "his").expect("written");
        std::fs::write(folder.path().join("ada/own"), "hers").expect("written");
        let Some(confine) = Confine::new(&folder.path().join("ada"), folder.path(), Vec::new()) else {
            eprintln!("skipped: this system cannot confine a shell");
            return;
        };
        assert_eq!(sh(&confine, "cat own; echo new > work/new; mv work/new own; cat own"), (true, "hersnew\n".into()));
        for script in ["cat ../bob/secret", "ls ..", "echo x > ../bob/new", "mv own ../bob/", "cat ~root/.profile"] {
            let (good, text) = sh(&confine, script);
            assert!(!good, "{script}: {text}");
        }
        assert!(!folder.path().join("bob/new").exists() && folder.path().join("ada/own").exists());
        // Only that thread was confined.
        assert_eq!(std::fs::read_to_string(folder.path().join("bob/secret")).expect("read"), "his");
    }

    #[test]
    fn what_lies_around_the_others_is_not_given() {
        let readable = vec![PathBuf::from("/srv"), PathBuf::from("/srv/tools"), PathBuf::from("bin")];
        if let Some(confine) = Confine::new(Path::new("/srv/room/ada"), Path::new("/srv/room"), readable) {
            assert_eq!(confine.readable, [PathBuf::from("/srv/tools")]);
        }
        assert_eq!(Confine::new(Path::new("/usr/room/ada"), Path::new("/usr/room"), Vec::new()), None);
    }
}
