//! Forms of names and values that Kubernetes knows (`format.dns1123Label()`).

use std::rc::Rc;

use super::super::eval::Answer;
use super::super::url::Url;
use super::super::value::Val;
use super::{Functions, no_overload};
use crate::cluster::api::crd::names::{
    dns_label_fault, label_fault, label_key_fault, label_value_fault, subdomain_fault,
};
use crate::cluster::api::crd::schema::format::Format;

const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "qualifiedName",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

pub(super) const FUNCTIONS: Functions = &[
    ("format.named", |arguments, _| match arguments {
        [Val::Text(name)] => {
            let known = NAMES.into_iter().find(|known| **known == **name);
            Ok(Val::Optional(known.map(|known| Rc::new(Val::Format(known)))))
        }
        _ => no_overload(),
    }),
    ("format.dns1123Label", |arguments, _| form(arguments, "dns1123Label")),
    ("format.dns1123Subdomain", |arguments, _| form(arguments, "dns1123Subdomain")),
    ("format.dns1035Label", |arguments, _| form(arguments, "dns1035Label")),
    ("format.dns1123LabelPrefix", |arguments, _| form(arguments, "dns1123LabelPrefix")),
    ("format.dns1123SubdomainPrefix", |arguments, _| form(arguments, "dns1123SubdomainPrefix")),
    ("format.dns1035LabelPrefix", |arguments, _| form(arguments, "dns1035LabelPrefix")),
    ("format.qualifiedName", |arguments, _| form(arguments, "qualifiedName")),
    ("format.labelValue", |arguments, _| form(arguments, "labelValue")),
    ("format.uri", |arguments, _| form(arguments, "uri")),
    ("format.uuid", |arguments, _| form(arguments, "uuid")),
    ("format.byte", |arguments, _| form(arguments, "byte")),
    ("format.date", |arguments, _| form(arguments, "date")),
    ("format.datetime", |arguments, _| form(arguments, "datetime")),
    ("validate", |arguments, budget| match arguments {
        [Val::Format(name), Val::Text(text)] => {
            budget.spend_text(text.len())?;
            let fault = fault(name, text);
            Ok(Val::Optional(fault.map(|fault| Rc::new(Val::list(vec![Val::text(fault)])))))
        }
        _ => no_overload(),
    }),
];

fn form<'a>(arguments: &[Val<'a>], name: &'static str) -> Answer<'a> {
    if arguments.is_empty() { Ok(Val::Format(name)) } else { no_overload() }
}

/// What is wrong with a text that should have a form.
fn fault(name: &str, text: &str) -> Option<String> {
    // something is put behind a prefix, so it may end in a dash
    let prefix = text.strip_suffix('-').map_or(text.to_owned(), |text| format!("{text}a"));
    let unless = |format: &str, fault: &str| {
        let fits = Format::of(format, "string").is_some_and(|format| format.fits(text));
        (!fits).then(|| fault.to_owned())
    };
    match name {
        "dns1123Label" => dns_label_fault(text),
        "dns1123Subdomain" => subdomain_fault(text),
        "dns1035Label" => label_fault(text),
        "dns1123LabelPrefix" => dns_label_fault(&prefix),
        "dns1123SubdomainPrefix" => subdomain_fault(&prefix),
        "dns1035LabelPrefix" => label_fault(&prefix),
        "qualifiedName" => label_key_fault(text),
        "labelValue" => label_value_fault(text),
        "uuid" => unless("uuid", "does not match the UUID format"),
        "byte" => unless("byte", "invalid base64"),
        "date" => unless("date", "invalid date"),
        "datetime" => unless("date-time", "invalid datetime"),
        _ => Url::parse(text).is_none().then(|| format!("parse {text:?}: invalid URI for request")),
    }
}
