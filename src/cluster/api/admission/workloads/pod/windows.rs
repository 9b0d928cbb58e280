//! What only pods on Windows have, and what they may not have.

use serde_json::Value;

use super::super::check::Errors;
use super::super::read::Read;
use super::each_container;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

const NOT_ON_WINDOWS: &str = "cannot be set for a windows pod";
const POD_MEMBERS: [&str; 15] = [
    "securityContext.appArmorProfile",
    "securityContext.seLinuxOptions",
    "hostUsers",
    "hostPID",
    "hostIPC",
    "securityContext.seccompProfile",
    "securityContext.fsGroup",
    "securityContext.fsGroupChangePolicy",
    "securityContext.sysctls",
    "shareProcessNamespace",
    "securityContext.runAsUser",
    "securityContext.runAsGroup",
    "securityContext.supplementalGroups",
    "securityContext.supplementalGroupsPolicy",
    "securityContext.seLinuxChangePolicy",
];
const CONTAINER_MEMBERS: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

/// `os`, and what does not go with it.
pub(super) fn operating_system(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let Some(os) = spec.part("os") else { return };
    let at_os = at.child("os");
    match os.text("name") {
        "" => errors.push(FieldError::required(at_os.child("name"), "cannot be empty")),
        "linux" => linux(spec, at, errors),
        "windows" => windows(spec, at, errors),
        name => errors.push(FieldError::not_supported(at_os, name, &["linux", "windows"])),
    }
}

fn linux(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    const HINT: &str = "windows options cannot be set for a linux pod";
    if spec.part("securityContext").part("windowsOptions").is_some() {
        errors.push(FieldError::forbidden(at.child("securityContext").child("windowsOptions"), HINT));
    }
    each_container(spec, at, |container, at| {
        if container.part("securityContext").part("windowsOptions").is_some() {
            errors.push(FieldError::forbidden(at.child("securityContext").child("windowsOptions"), HINT));
        }
    });
}

fn windows(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    for member in POD_MEMBERS {
        let value = match member.split_once('.') {
            Some((context, member)) => spec.part(context).part(member),
            None => spec.part(member),
        };
        let is_set = match member {
            "hostPID" | "hostIPC" => value == Some(&Value::Bool(true)),
            _ => value.is_some(),
        };
        if is_set {
            errors.push(FieldError::forbidden(at.child(member), NOT_ON_WINDOWS));
        }
    }
    each_container(spec, at, |container, at| {
        let context = container.part("securityContext");
        for member in CONTAINER_MEMBERS.into_iter().filter(|member| context.part(member).is_some()) {
            errors.push(FieldError::forbidden(at.child("securityContext").child(member), NOT_ON_WINDOWS));
        }
    });
}

/// Containers that run as processes of the host: all of a pod or none.
pub(super) fn host_processes(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let of = |holder: &Value| holder.part("securityContext").part("windowsOptions").flag("hostProcess");
    let of_pod = of(spec);
    let (mut all, mut on_host) = (0, 0);
    each_container(spec, at, |container, at| {
        let own = of(container);
        all += 1;
        on_host += usize::from(own.or(of_pod) == Some(true));
        if let (Some(pod), Some(own)) = (of_pod, own)
            && pod != own
        {
            let hint = format!("pod hostProcess value must be identical if both are specified, was {pod}");
            let at = at.child("securityContext");
            errors.push(FieldError::invalid(at.child("windowsOptions").child("hostProcess"), own, hint));
        }
    });
    if on_host == 0 {
        return;
    }
    if on_host != all {
        let hint = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(FieldError::invalid(at, "", hint));
    }
    if !spec.is_on("hostNetwork") {
        let hint = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(FieldError::invalid(at.child("hostNetwork"), false, hint));
    }
}

/// `windowsOptions` of a security context.
pub(super) fn options(options: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let Some(options) = options else { return };
    if options.has_text("gmsaCredentialSpecName") {
        let name = options.text("gmsaCredentialSpecName");
        invalid(&at.child("gmsaCredentialSpecName"), name, text::dns1123_subdomain(name), errors);
    }
    if options.has_text("gmsaCredentialSpec") {
        let spec = options.text("gmsaCredentialSpec");
        let hint = match spec.len() {
            0 => Some("gmsaCredentialSpec cannot be an empty string"),
            len if len > 64 << 10 => Some("gmsaCredentialSpec size must be under 64 KiB"),
            _ => None,
        };
        errors.extend(hint.map(|hint| FieldError::invalid(at.child("gmsaCredentialSpec"), spec, hint)));
    }
    if options.has_text("runAsUserName") {
        let name = options.text("runAsUserName");
        let hints = user_name(name).into_iter();
        errors.extend(hints.map(|hint| FieldError::invalid(at.child("runAsUserName"), name, hint)));
    }
}

/// What is wrong with `DOMAIN\user`.
fn user_name(name: &str) -> Vec<&'static str> {
    if name.is_empty() {
        return vec!["runAsUserName cannot be an empty string"];
    }
    if name.bytes().any(|byte| byte.is_ascii_control()) {
        return vec!["runAsUserName cannot contain control characters"];
    }
    if name.matches('\\').count() > 1 {
        return vec!["runAsUserName cannot contain more than one backslash"];
    }
    let (domain, user) = name.split_once('\\').map_or((None, name), |(domain, user)| (Some(domain), user));
    let rules = [
        (
            domain.is_some_and(|domain| domain.len() >= 256),
            "runAsUserName's Domain length must be under 256 characters",
        ),
        (
            domain.is_some_and(|domain| !is_domain(domain)),
            "runAsUserName's Domain doesn't match the NetBios nor the DNS format",
        ),
        (user.is_empty(), "runAsUserName's User cannot be empty"),
        (user.len() > 104, "runAsUserName's User length must not be longer than 104 characters"),
        (
            !user.is_empty() && user.chars().all(|c| c == '.' || c == ' '),
            "runAsUserName's User cannot contain only periods or spaces",
        ),
        (
            user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']),
            "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]",
        ),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, hint)| hint).collect()
}

fn is_domain(domain: &str) -> bool {
    let len = domain.chars().count();
    let net_bios = (1..=15).contains(&len)
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|']);
    let label = |part: &str| {
        part.len() <= 63
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    net_bios || domain.split('.').all(label)
}
