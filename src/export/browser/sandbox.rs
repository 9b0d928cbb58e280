//! Whether the browser's own sandbox can work here, and why not.

/// What the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Whether this is Linux, where it may not work.
    pub linux: bool,
    /// Whether this process is root's.
    pub root: bool,
    /// Whether this process is in a container.
    pub container: bool,
    /// Whether the kernel keeps ordinary users from making namespaces.
    pub no_namespaces: bool,
    /// Whether the user said so: Marp's `CHROME_NO_SANDBOX`.
    pub told: bool,
}

/// The sandbox is on, or off for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandbox {
    /// As the browser comes.
    On,
    /// Off: the browser would not start with it.
    Off(&'static str),
}

/// Decides. The page that is shown is one that foredeck made, and it reaches no network.
pub fn decide(facts: Facts) -> Sandbox {
    match facts {
        Facts { told: true, .. } => Sandbox::Off("CHROME_NO_SANDBOX says so"),
        Facts { linux: true, root: true, .. } => Sandbox::Off("Chromium does not start with it as root"),
        Facts { linux: true, container: true, .. } => {
            Sandbox::Off("containers seldom allow the namespaces that it needs")
        }
        Facts { linux: true, no_namespaces: true, .. } => {
            Sandbox::Off("this kernel keeps users from making the namespaces that it needs")
        }
        _ => Sandbox::On,
    }
}

/// What holds on this machine.
pub fn facts() -> Facts {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let told = std::env::var("CHROME_NO_SANDBOX").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    let says = |path: &str, value: &str| std::fs::read_to_string(path).is_ok_and(|text| text.trim() == value);
    let there = |path: &str| std::path::Path::new(path).exists();
    Facts {
        linux: cfg!(target_os = "linux"),
        root: is_root(),
        container: set("container")
            || set("KUBERNETES_SERVICE_HOST")
            || there("/.dockerenv")
            || there("/run/.containerenv"),
        no_namespaces: says("/proc/sys/kernel/unprivileged_userns_clone", "0")
            || says("/proc/sys/user/max_user_namespaces", "0"),
        told,
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_only_where_it_cannot_work() {
        let linux = Facts { linux: true, ..Facts::default() };
        for (facts, off) in [
            (linux, false),
            (Facts::default(), false),
            (Facts { root: true, ..Facts::default() }, false),
            (Facts { root: true, ..linux }, true),
            (Facts { container: true, ..linux }, true),
            (Facts { no_namespaces: true, ..linux }, true),
            (Facts { told: true, ..Facts::default() }, true),
        ] {
            assert_eq!(decide(facts) != Sandbox::On, off, "{facts:?}");
        }
    }
}
