//! Security contexts of pods and containers.

use std::collections::HashSet;

use serde_json::Value;

use super::super::check::{Errors, descending, number, one_of_if_set};
use super::super::go_dump::go_struct;
use super::super::read::Read;
use super::windows;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::{Fault, FieldError};

const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
const SYSCTL_FORM: &str = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

/// The context of a whole pod.
pub(super) fn pod_context(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let Some(context) = spec.part("securityContext") else { return };
    for member in ["fsGroup", "runAsUser", "runAsGroup"] {
        number(context, member, text::user_id, at, errors);
    }
    let at_groups = at.child("supplementalGroups");
    for (index, group) in context.items("supplementalGroups").iter().enumerate() {
        let group = group.as_i64().unwrap_or(0);
        let faults = text::user_id(group).into_iter();
        errors.extend(faults.map(|fault| FieldError::invalid(at_groups.index(index), group, fault)));
    }
    if spec.is_on("shareProcessNamespace") && spec.is_on("hostPID") {
        let hint = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(at.child("shareProcessNamespace"), true, hint));
    }
    sysctls(spec, context, &at.child("sysctls"), errors);
    one_of_if_set(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], at, errors);
    seccomp(context.part("seccompProfile"), &at.child("seccompProfile"), errors);
    windows::options(context.part("windowsOptions"), &at.child("windowsOptions"), errors);
    app_armor(context.part("appArmorProfile"), &at.child("appArmorProfile"), errors);
    one_of_if_set(context, "supplementalGroupsPolicy", &["Merge", "Strict"], at, errors);
    one_of_if_set(context, "seLinuxChangePolicy", &["MountOption", "Recursive"], at, errors);
}

/// The context of one container.
pub(super) fn container_context(container: &Value, host_users: bool, at: &Path<'_>, errors: &mut Errors) {
    let Some(context) = container.part("securityContext") else { return };
    for member in ["runAsUser", "runAsGroup"] {
        number(context, member, text::user_id, at, errors);
    }
    one_of_if_set(context, "procMount", &["Default", "Unmasked"], at, errors);
    if host_users && context.text("procMount") == "Unmasked" {
        let hint = "`hostUsers` must be false to use `Unmasked`";
        errors.push(FieldError::invalid(at.child("procMount"), "Unmasked", hint));
    }
    seccomp(context.part("seccompProfile"), &at.child("seccompProfile"), errors);
    if context.flag("allowPrivilegeEscalation") == Some(false) {
        no_escalation(context, at, errors);
    }
    windows::options(context.part("windowsOptions"), &at.child("windowsOptions"), errors);
    app_armor(context.part("appArmorProfile"), &at.child("appArmorProfile"), errors);
}

fn no_escalation(context: &Value, at: &Path<'_>, errors: &mut Errors) {
    let mut wrong = |hint: &str| errors.push(FieldError::invalid(at, go_struct("SecurityContext", context), hint));
    if context.is_on("privileged") {
        wrong("cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    }
    if context.part("capabilities").strings("add").any(|capability| capability == "CAP_SYS_ADMIN") {
        wrong("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
    }
}

fn seccomp(profile: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let Some(profile) = profile else { return };
    let kind = profile.text("type");
    let at_file = at.child("localhostProfile");
    profile_type(kind, "type is required when seccompProfile is set", at, errors);
    match (kind, profile.has_text("localhostProfile")) {
        ("Localhost", true) => descending(profile.text("localhostProfile"), &at_file, errors),
        ("Localhost", false) => {
            errors.push(FieldError::required(at_file, "must be set when seccomp type is Localhost"));
        }
        (_, true) => {
            let hint = "can only be set when seccomp type is Localhost";
            errors.push(FieldError::invalid(at_file, go_struct("SeccompProfile", profile), hint));
        }
        _ => {}
    }
}

fn profile_type(kind: &str, missing: &str, at: &Path<'_>, errors: &mut Errors) {
    if kind.is_empty() {
        errors.push(FieldError::required(at.child("type"), missing));
    } else if !PROFILES.contains(&kind) {
        errors.push(FieldError::not_supported(at.child("type"), kind, &PROFILES));
    }
}

fn app_armor(profile: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    const MISSING: &str = "must be set when AppArmor type is Localhost";
    let Some(profile) = profile else { return };
    let (kind, file) = (profile.text("type"), profile.text("localhostProfile"));
    let at_file = at.child("localhostProfile");
    match (kind, profile.has_text("localhostProfile")) {
        ("Localhost", false) => errors.push(FieldError::required(at_file, MISSING)),
        ("Localhost", true) => {
            if file.trim() != file {
                errors.push(FieldError::invalid(at_file, file, "must not be padded with whitespace"));
            } else if file.is_empty() {
                errors.push(FieldError::required(at_file, MISSING));
            }
            if file.len() > 4095 {
                let fault = Fault::TooLong("may not be more than 4095 bytes".to_owned());
                errors.push(FieldError { field: at_file.into(), fault });
            }
        }
        ("RuntimeDefault" | "Unconfined", true) => {
            errors.push(FieldError::invalid(at_file, file, "can only be set when AppArmor type is Localhost"));
        }
        _ => profile_type(kind, "type is required when appArmorProfile is set", at, errors),
    }
}

fn sysctls(spec: &Value, context: &Value, at: &Path<'_>, errors: &mut Errors) {
    let mut names = HashSet::new();
    for (index, sysctl) in context.items("sysctls").iter().enumerate() {
        let at = at.index(index);
        let name = sysctl.text("name");
        if name.is_empty() {
            errors.push(FieldError::required(at.child("name"), ""));
        } else if !is_sysctl(name) {
            let hint = format!("must have at most 253 characters and match regex {SYSCTL_FORM}");
            errors.push(FieldError::invalid(at.child("name"), name, hint));
        } else if names.contains(name) {
            errors.push(FieldError::duplicate(at.child("name"), name));
        }
        let dotted = name.replace('/', ".");
        for (host, prefixes) in
            [("hostNetwork", &["net."][..]), ("hostIPC", &["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."])]
        {
            if spec.is_on(host) && prefixes.iter().any(|prefix| dotted.starts_with(prefix)) {
                let hint = format!("may not be specified when '{host}' is true");
                errors.push(FieldError::invalid(at.child("name"), name, hint));
            }
        }
        names.insert(name);
    }
}

fn is_sysctl(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = |part: &str| {
        let bytes = part.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if plain(first) && plain(last))
            && bytes.iter().all(|&byte| plain(byte) || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split(['.', '/']).all(fits)
}
