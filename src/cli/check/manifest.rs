//! Rules about Kubernetes objects on slides: versions that are gone, kinds and fields that are not there. Pure.

use std::collections::HashSet;

use serde_json::Value;

use super::served::{Archived, Served, Standing};
use crate::cluster::api::schema::decode::prune;
use crate::cluster::api::schema::yaml::parse_yaml;
use crate::cluster::api::schema::{Struct, Type, builtin::builtin};
use crate::deck::Deck;
use crate::deck::code::{self, CodeFence};
use crate::diagnostic::{Code, Diagnostic, Fix, Span, closest};

/// Languages in which objects are written.
const LANGUAGES: [&str; 2] = ["yaml", "yml"];
/// The largest block that is read, in bytes.
const MOST: usize = 64 * 1024;
/// Kinds whose newer version means something else by the same members.
const NOT_DROP_IN: [&str; 2] = ["PodDisruptionBudget", "EndpointSlice"];

/// What is wrong with the objects on a deck's slides; each version of a kind is told once.
pub(super) fn findings(source: &str, deck: &Deck, served: &Served) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut told = HashSet::new();
    for slide in &deck.slides {
        let fences = code::fences(source, slide).into_iter();
        for fence in fences.filter(|fence| LANGUAGES.contains(&fence.language) && fence.text.len() <= MOST) {
            for document in documents(fence.text) {
                let block = Block { source, fence: &fence, document };
                for mention in block.mentions() {
                    let given_up = matches!(served.standing(mention.version, mention.kind), Standing::GivenUp(_));
                    if !given_up || told.insert((mention.version.to_owned(), mention.kind.to_owned())) {
                        found.extend(block.version(&mention, served));
                    }
                }
                found.extend(block.unknown_fields());
            }
        }
    }
    found
}

/// The documents of a YAML text: their first lines, from 0, and their lines.
fn documents(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut documents = vec![(0, Vec::new())];
    for (number, line) in text.lines().enumerate() {
        if line.trim_end() == "---" {
            documents.push((number + 1, Vec::new()));
        } else if let Some((_, lines)) = documents.last_mut() {
            lines.push(line);
        }
    }
    documents
}

/// One document of a code block.
struct Block<'a> {
    source: &'a str,
    fence: &'a CodeFence<'a>,
    document: (usize, Vec<&'a str>),
}

/// A place where a version and a kind are named together: of the object itself, or of one that it refers to.
struct Mention<'a> {
    version: &'a str,
    kind: &'a str,
    /// The line in the document, and where in it the version and the kind stand.
    version_at: (usize, std::ops::Range<usize>),
    kind_at: (usize, std::ops::Range<usize>),
    /// Whether it is the object itself.
    whole: bool,
}

impl Block<'_> {
    /// The places where versions are named. Read line by line: what stands on slides need not be whole.
    fn mentions(&self) -> Vec<Mention<'_>> {
        let lines = &self.document.1;
        let mut mentions = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let Some((indent, version, at)) = member(line, "apiVersion") else { continue };
            let kind = self.beside(number, indent).find_map(|other| {
                let (at_indent, kind, at) = member(lines[other], "kind")?;
                (at_indent == indent).then_some((other, kind, at))
            });
            if let Some((other, kind, kind_at)) = kind {
                mentions.push(Mention {
                    version,
                    kind,
                    version_at: (number, at),
                    kind_at: (other, kind_at),
                    whole: indent == 0,
                });
            }
        }
        mentions
    }

    /// The lines of the mapping that a line with an indentation belongs to, itself left out.
    fn beside(&self, number: usize, indent: usize) -> impl Iterator<Item = usize> {
        let lines = &self.document.1;
        let inside = |line: &str| line.trim().is_empty() || indent_of(line) >= indent;
        // The first member of a list's item stands behind its dash.
        let begins = |line: &str| indent_of(line) == indent && line.trim_start().starts_with('-');
        let mut first = number;
        while first > 0 && !begins(lines[first]) && inside(lines[first - 1]) {
            first -= 1;
        }
        let rest = &lines[number + 1..];
        let last = number + rest.iter().take_while(|line| inside(line) && !begins(line)).count();
        (first..=last).filter(move |other| *other != number)
    }

    fn place(&self, (line, bytes): &(usize, std::ops::Range<usize>)) -> Option<Span> {
        self.fence.place(self.source, self.document.0 + line, bytes.clone())
    }

    /// What is to be said about a version.
    fn version(&self, mention: &Mention<'_>, served: &Served) -> Option<Diagnostic> {
        let Mention { version, kind, .. } = mention;
        let at = |place| self.place(place).unwrap_or(self.fence.span);
        let version_at = at(&mention.version_at);
        Some(match served.standing(version, kind) {
            Standing::Fine => return None,
            Standing::GivenUp(Archived { instead, since }) => {
                let message = format!("`{version}` of {kind} is archived since {since}");
                let finding = Diagnostic::note(Code("kubernetes/archived-version"), message).at(version_at);
                match instead {
                    Some(instead) => finding.hint(format!("today it is `{instead}`")),
                    None => finding,
                }
            }
            Standing::Gone(Archived { instead, since }) => {
                let message = format!("`{version}` of {kind} is gone since {since}");
                let finding = Diagnostic::error(Code("kubernetes/archived-version"), message).at(version_at);
                match instead {
                    Some(instead) => {
                        finding.hint(format!("it is `{instead}` now")).fix(self.replacement(mention, instead))
                    }
                    None => finding.hint("nothing came instead"),
                }
            }
            Standing::Elsewhere(versions) => {
                let message = format!("there is no {kind} in `{version}`");
                let finding = Diagnostic::error(Code("kubernetes/unknown-version"), message).at(version_at);
                finding.hint(format!("it is in {}", listed(&versions)))
            }
            Standing::NoVersion(versions) => {
                let message = format!("there is no `{version}`");
                let finding = Diagnostic::error(Code("kubernetes/unknown-version"), message).at(version_at);
                finding.hint(format!("there is {}", listed(&versions)))
            }
            Standing::NoKind(like) => {
                let message = format!("there is no kind {kind} in `{version}`");
                let finding = Diagnostic::error(Code("kubernetes/unknown-kind"), message).at(at(&mention.kind_at));
                match like {
                    Some(like) => finding.hint(format!("did you mean `{like}`?")),
                    None => finding.hint("`foredeck kubectl api-resources` lists what the embedded cluster has"),
                }
            }
        })
    }

    /// The newer version in the place of the old one, when the object is whole and right in it as it stands.
    fn replacement(&self, mention: &Mention<'_>, instead: &str) -> Option<Fix> {
        if !mention.whole || NOT_DROP_IN.contains(&mention.kind) {
            return None;
        }
        let shape = builtin().kind(instead, mention.kind)?;
        let mut object = self.object()?;
        let fits = prune(&shape, &mut object).is_empty() && is_complete(&shape, &object);
        let span = self.place(&mention.version_at).filter(|_| fits)?;
        Some(Fix { span, text: instead.to_owned() })
    }

    fn object(&self) -> Option<Value> {
        let (object, duplicates) = parse_yaml(self.document.1.join("\n").as_bytes()).ok()?;
        (duplicates.is_empty() && object.is_object()).then_some(object)
    }

    /// Members that the kind does not have. An object that is cut short on the slide cannot be read, and is left alone.
    fn unknown_fields(&self) -> Vec<Diagnostic> {
        let Some(mut object) = self.object() else { return Vec::new() };
        let text = |member: &str| object[member].as_str().unwrap_or("").to_owned();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let Some(shape) = builtin().kind(&version, &kind) else { return Vec::new() };
        let unknown = prune(&shape, &mut object);
        unknown.iter().filter_map(|finding| self.unknown_field(finding, &kind, &shape)).collect()
    }

    fn unknown_field(&self, finding: &str, kind: &str, shape: &Struct) -> Option<Diagnostic> {
        let path = finding.split_once('"')?.1.trim_end_matches('"');
        let place = self.of_path(path).and_then(|place| self.place(&place)).unwrap_or(self.fence.span);
        let message = format!("{kind} has no field `{path}`");
        let finding = Diagnostic::warning(Code("kubernetes/unknown-field"), message).at(place);
        Some(match beside(shape, path) {
            Some(like) => finding.hint(format!("did you mean `{like}`?")),
            None => finding.hint(format!("`foredeck kubectl explain {}` lists the fields", kind.to_lowercase())),
        })
    }

    /// The line of a path such as `spec.template.spec.containers[0].imag`, and the last member's bytes in it.
    fn of_path(&self, path: &str) -> Option<(usize, std::ops::Range<usize>)> {
        let mut from = 0;
        let mut found = None;
        for name in path.split('.').map(|part| part.split('[').next().unwrap_or(part)) {
            let lines = self.document.1.iter().enumerate().skip(from);
            let (number, line) = lines.into_iter().find(|(_, line)| {
                let written = line.trim_start().trim_start_matches("- ").trim_start();
                written.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'))
            })?;
            let start = line.find(name)?;
            found = Some((number, start..start + name.len()));
            from = number + 1;
        }
        found
    }
}

/// Indentation, value and the value's bytes of `key: value`, also behind the dash of a list's item.
fn member<'a>(line: &'a str, key: &str) -> Option<(usize, &'a str, std::ops::Range<usize>)> {
    let indent = indent_of(line);
    let rest = line.get(indent..)?.strip_prefix(key)?.strip_prefix(':')?;
    let value = rest.split(" #").next().unwrap_or(rest).trim();
    let bare = value.trim_matches(['"', '\'']);
    if bare.is_empty() || bare.contains(char::is_whitespace) || !rest.starts_with(' ') {
        return None;
    }
    let start = line.len() - rest.len() + rest.find(bare)?;
    Some((indent, bare, start..start + bare.len()))
}

/// Bytes before the first member of a line.
fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

fn listed(versions: &[String]) -> String {
    versions.iter().map(|version| format!("`{version}`")).collect::<Vec<_>>().join(" and ")
}

/// The member most like the last one of a path that is not there.
fn beside(shape: &Struct, path: &str) -> Option<String> {
    let mut names: Vec<&str> = path.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect();
    let last = names.pop()?;
    let mut at = shape.fields.get()?;
    for name in names {
        let mut shape = &at.get(name)?.shape;
        while let Type::List(item) | Type::Map(item) = shape {
            shape = &item.shape;
        }
        let Type::Struct(inner) = shape else { return None };
        at = inner.fields.get()?;
    }
    closest(last, at.keys().map(String::as_str)).map(str::to_owned)
}

/// Whether all members are there that have to be.
fn is_complete(shape: &Struct, value: &Value) -> bool {
    let Value::Object(members) = value else { return false };
    shape.required.iter().all(|name| members.contains_key(name))
        && members.iter().all(|(name, value)| shape.field(name).is_none_or(|field| is_complete_as(&field.shape, value)))
}

fn is_complete_as(shape: &Type, value: &Value) -> bool {
    match (shape, value) {
        (Type::Struct(shape), value) => is_complete(shape, value),
        (Type::List(item), Value::Array(items)) => items.iter().all(|value| is_complete_as(&item.shape, value)),
        (Type::Map(item), Value::Object(items)) => items.values().all(|value| is_complete_as(&item.shape, value)),
        _ => true,
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
