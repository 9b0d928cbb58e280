//! What extends the API: APIService, webhooks, admission policies, CertificateSigningRequest. Checked lightly.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::check::{Check, same, texts};
use super::kind::{Blank, Generation, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, entry, int, list, set_default, text};

const ADMISSION: &str = "admissionregistration.k8s.io";

const WEBHOOKS: Kind = Kind {
    group: ADMISSION,
    kind: "ValidatingWebhookConfiguration",
    generation: Generation::Member("webhooks"),
    versioned: true,
    defaults: |hooks| each(hooks, "webhooks", &webhook_defaults),
    validate: webhooks,
    ..Kind::CLUSTER
};
const POLICY: Kind = Kind {
    group: ADMISSION,
    kind: "ValidatingAdmissionPolicy",
    generation: Generation::Member("spec"),
    versioned: true,
    status: Status::Separate,
    always: &[(&["spec"], Blank::Object), (&["status"], Blank::Object)],
    defaults: |policy| {
        set_default(policy, &["spec", "failurePolicy"], "Fail");
        match_defaults(policy, &["spec", "matchConstraints"]);
    },
    ..Kind::CLUSTER
};
const POLICY_BINDING: Kind = Kind {
    group: ADMISSION,
    kind: "ValidatingAdmissionPolicyBinding",
    generation: Generation::Member("spec"),
    versioned: true,
    always: &[(&["spec"], Blank::Object)],
    defaults: |binding| match_defaults(binding, &["spec", "matchResources"]),
    validate: |check, new, old| {
        check.metadata(new, old);
        check.required_name("spec.policyName", text(new, &["spec", "policyName"]), names::dns_subdomain);
    },
    ..Kind::CLUSTER
};

pub(super) const KINDS: &[Kind] = &[
    WEBHOOKS,
    Kind {
        kind: "MutatingWebhookConfiguration",
        defaults: |hooks| {
            each(hooks, "webhooks", &|hook| {
                webhook_defaults(hook);
                set_default(hook, &["reinvocationPolicy"], "Never");
            });
        },
        ..WEBHOOKS
    },
    POLICY,
    Kind { kind: "MutatingAdmissionPolicy", status: Status::Free, always: &[(&["spec"], Blank::Object)], ..POLICY },
    POLICY_BINDING,
    Kind { kind: "MutatingAdmissionPolicyBinding", ..POLICY_BINDING },
    Kind {
        group: "apiregistration.k8s.io",
        kind: "APIService",
        names: names::segment_names,
        status: Status::Separate,
        always: &[(&["spec"], Blank::Object), (&["status"], Blank::Object)],
        defaults: |service| {
            if at(service, &["spec", "service"]).is_some_and(Value::is_object) {
                set_default(service, &["spec", "service", "port"], 443);
            }
        },
        validate: api_service,
        ..Kind::CLUSTER
    },
    Kind {
        group: "certificates.k8s.io",
        kind: "CertificateSigningRequest",
        names: names::segment_names,
        status: Status::Separate,
        always: &[(&["spec"], Blank::Object), (&["status"], Blank::Object)],
        update: |new, old| {
            if let Some(spec) = at(old, &["spec"]) {
                *entry(new, &["spec"]) = spec.clone();
            }
        },
        validate: signing_request,
        ..Kind::CLUSTER
    },
    Kind { group: "certificates.k8s.io", kind: "ClusterTrustBundle", ..Kind::CLUSTER },
];

fn each(object: &mut Value, member: &str, change: &dyn Fn(&mut Value)) {
    object.get_mut(member).and_then(Value::as_array_mut).into_iter().flatten().for_each(change);
}

fn webhook_defaults(hook: &mut Value) {
    set_default(hook, &["failurePolicy"], "Fail");
    set_default(hook, &["matchPolicy"], "Equivalent");
    set_default(hook, &["namespaceSelector"], json!({}));
    set_default(hook, &["objectSelector"], json!({}));
    set_default(hook, &["timeoutSeconds"], 10);
    if at(hook, &["clientConfig", "service"]).is_some_and(Value::is_object) {
        set_default(hook, &["clientConfig", "service", "port"], 443);
    }
    each(hook, "rules", &|rule| set_default(rule, &["scope"], "*"));
}

fn match_defaults(object: &mut Value, path: &[&str]) {
    if !at(object, path).is_some_and(Value::is_object) {
        return;
    }
    let constraints = entry(object, path);
    set_default(constraints, &["matchPolicy"], "Equivalent");
    set_default(constraints, &["namespaceSelector"], json!({}));
    set_default(constraints, &["objectSelector"], json!({}));
    for member in ["resourceRules", "excludeResourceRules"] {
        each(constraints, member, &|rule| set_default(rule, &["scope"], "*"));
    }
}

fn webhooks(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    let mut seen = BTreeSet::new();
    check.items(new, &["webhooks"], |check, field, hook| {
        let name = text(hook, &["name"]);
        if !seen.insert(name) {
            check.duplicate(format!("{field}.name"), name);
        }
        if name.split('.').count() < 3 {
            check.invalid(
                format!("{field}.name"),
                name,
                "should be a domain with at least three segments separated by dots",
            );
        }
        check.sentences(&format!("{field}.name"), name, names::dns_subdomain(name));
        for (index, rule) in list(hook, &["rules"]).iter().enumerate() {
            for member in ["apiGroups", "apiVersions", "operations", "resources"] {
                if list(rule, &[member]).is_empty() {
                    check.required(format!("{field}.rules[{index}].{member}"), "");
                }
            }
        }
        check.one_of(&format!("{field}.failurePolicy"), text(hook, &["failurePolicy"]), &["Fail", "Ignore"]);
        check.one_of(&format!("{field}.matchPolicy"), text(hook, &["matchPolicy"]), &["Equivalent", "Exact"]);
        match text(hook, &["sideEffects"]) {
            "" => check.required(format!("{field}.sideEffects"), "must specify one of None, NoneOnDryRun"),
            effects => check.one_of(&format!("{field}.sideEffects"), effects, &["None", "NoneOnDryRun"]),
        }
        if let Some(seconds) = int(hook, &["timeoutSeconds"]).filter(|seconds| !(1..=30).contains(seconds)) {
            let hint = "the timeout value must be between 1 and 30 seconds";
            check.invalid(format!("{field}.timeoutSeconds"), seconds, hint);
        }
        check.selector(&format!("{field}.namespaceSelector"), at(hook, &["namespaceSelector"]));
        check.selector(&format!("{field}.objectSelector"), at(hook, &["objectSelector"]));
        let there = |member| at(hook, &["clientConfig", member]).is_some_and(|value| !value.is_null());
        if there("url") == there("service") {
            check.required(format!("{field}.clientConfig"), "exactly one of url or service is required");
        }
        if list(hook, &["admissionReviewVersions"]).is_empty() {
            let hint = "must specify one of v1, v1beta1";
            check.required(format!("{field}.admissionReviewVersions"), hint);
        }
    });
}

fn api_service(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    let (group, version) = (text(new, &["spec", "group"]), text(new, &["spec", "version"]));
    let name = text(new, &["metadata", "name"]);
    let expected = format!("{version}.{group}");
    // the core group has no name, but its dot
    if name != expected {
        let hint = format!("must be `spec.version+\".\"+spec.group`: \"{expected}\"");
        check.invalid("metadata.name", name, hint);
    }
    let service = at(new, &["spec", "service"]).filter(|service| !service.is_null());
    if group.is_empty() && service.is_some() {
        let hint = "only v1 may have an empty group and it better be legacy kube";
        check.required("spec.group", hint);
    }
    if version.is_empty() {
        check.required("spec.version", "");
    } else {
        check.sentences("spec.version", version, names::dns_1035_label(version));
    }
    for (member, most) in [("groupPriorityMinimum", 20_000), ("versionPriority", 1000)] {
        let priority = int(new, &["spec", member]).unwrap_or(0);
        if priority <= 0 || priority > most {
            let hint = format!("must be positive and less than {most}");
            check.invalid(format!("spec.{member}"), priority, hint);
        }
    }
    if let Some(service) = service {
        for member in ["namespace", "name"] {
            if text(service, &[member]).is_empty() {
                check.required(format!("spec.service.{member}"), "");
            }
        }
    }
}

/// What certificates may be used for.
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

fn signing_request(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    if let Some(old) = old
        && same(new.get("spec"), old.get("spec"))
    {
        return;
    }
    let request = STANDARD.decode(text(new, &["spec", "request"])).unwrap_or_default();
    if !request.starts_with(b"-----BEGIN CERTIFICATE REQUEST-----") {
        // the server shows the bytes in base64
        let shown = STANDARD.encode(&request);
        check.invalid("spec.request", shown, "PEM block type must be CERTIFICATE REQUEST");
    }
    if list(new, &["spec", "usages"]).is_empty() {
        check.required("spec.usages", "usages must not be empty");
    }
    let mut seen = BTreeSet::new();
    for (index, usage) in texts(new, &["spec", "usages"]).enumerate() {
        let field = format!("spec.usages[{index}]");
        check.one_of(&field, usage, &USAGES);
        if !seen.insert(usage) {
            check.duplicate(field, usage);
        }
    }
    let signer = text(new, &["spec", "signerName"]);
    if signer.is_empty() {
        check.required("spec.signerName", "");
    } else if signer.split('/').count() != 2 || !signer.split('/').next().is_some_and(|domain| domain.contains('.')) {
        let hint = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        check.invalid("spec.signerName", signer, hint);
    }
    if let Some(seconds) = int(new, &["spec", "expirationSeconds"]).filter(|seconds| *seconds < 600) {
        let hint = "may not specify a duration less than 600 seconds (10 minutes)";
        check.invalid("spec.expirationSeconds", seconds, hint);
    }
}
