//! The words of a `verify` fence → a [`Fact`].

use regex::RegexBuilder;

use super::check::{
    CommitFact, Compare, CountFact, Fact, FileFact, HttpFact, HttpTarget, KindName, ObjectFact, PolicyFact, Wants,
};
use crate::cluster::api::jsonpath::JsonPath;
use crate::deck::words::Word;
use crate::diagnostic::{Span, closest};

/// What is wrong with a check, where, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) span: Option<Span>,
    pub(super) hint: Option<String>,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, hint: None }
    }

    fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a subject takes besides the comparisons.
const SUBJECTS: [(&str, &[&str]); 7] = [
    ("git/commit", &["path", "by", "subject", "since"]),
    ("git/file", &["path"]),
    ("sync/applied", &[]),
    ("policy/", &["workload"]),
    ("http/get", &["url", "service", "namespace", "port", "path", "status"]),
    ("object", &["namespace", "condition", "jsonpath", "since"]),
    ("count", &["namespace", "selector", "condition"]),
];
const COMPARISONS: [&str; 7] = ["equals", "not", "atleast", "atmost", "contains", "matches", "count"];

/// Options of the fence, with those that are taken away as they are read.
struct Options<'a> {
    words: &'a [Word],
    taken: Vec<bool>,
}

impl<'a> Options<'a> {
    fn take(&mut self, key: &str) -> Option<&'a Word> {
        let mut found = None;
        for (word, taken) in self.words.iter().zip(&mut self.taken) {
            if word.key.as_deref() == Some(key) {
                *taken = true;
                found = Some(word);
            }
        }
        found
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(|word| word.value.clone())
    }

    fn flag(&mut self, name: &str) -> bool {
        let mut found = false;
        for (word, taken) in self.words.iter().zip(&mut self.taken) {
            if word.key.is_none() && word.value == name {
                *taken = true;
                found = true;
            }
        }
        found
    }

    /// What nobody asked for.
    fn rest(self) -> Option<&'a Word> {
        self.words.iter().zip(&self.taken).find(|(_, taken)| !**taken).map(|(word, _)| word)
    }
}

/// Reads the words behind `verify`; the first one says what is looked at.
pub(super) fn fact(words: &[Word]) -> Result<Fact, Wrong> {
    let Some((subject, options)) = words.split_first().filter(|(first, _)| first.key.is_none()) else {
        let message = "this check does not say what it looks at";
        return Err(Wrong::new(message).hint("write `verify KIND/NAME …`, or a script in the fence's body"));
    };
    let mut options = Options { words: options, taken: vec![false; options.len()] };
    let (fact, known) = match subject.value.split_once('/') {
        Some(("git", "commit")) => (commit(&mut options)?, "git/commit"),
        Some(("git", "file")) => (file(&mut options, subject)?, "git/file"),
        Some(("sync", "applied")) => (Fact::Applied, "sync/applied"),
        Some(("policy", policy)) if !policy.is_empty() => (self::policy(policy, &mut options, subject)?, "policy/"),
        Some(("http", "get")) => (http(&mut options, subject)?, "http/get"),
        Some((area @ ("git" | "sync" | "http" | "policy"), _)) => {
            let names = SUBJECTS.iter().map(|(name, _)| *name).filter(|name| name.starts_with(area));
            let known: Vec<&str> = names.collect();
            let message = format!("`{}` is nothing that can be checked", subject.value);
            return Err(Wrong::new(message).at(subject.span).hint(format!("there is {}", known.join(", "))));
        }
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => (object(kind, name, &mut options)?, "object"),
        _ => (count(&mut options, subject)?, "count"),
    };
    match options.rest() {
        None => Ok(fact),
        Some(word) => Err(unknown(word, known)),
    }
}

fn unknown(word: &Word, subject: &str) -> Wrong {
    let own = SUBJECTS.iter().find(|(name, _)| *name == subject).map_or(&[][..], |(_, keys)| keys);
    let known = own.iter().chain(&COMPARISONS).copied().chain(["absent", "timeout"]);
    let name = word.key.as_deref().unwrap_or(&word.value);
    let wrong = Wrong::new(format!("`{name}` means nothing in this check")).at(word.span);
    match closest(name, known) {
        Some(near) => wrong.hint(format!("did you mean `{near}`?")),
        None if own.is_empty() => wrong,
        None => wrong.hint(format!("it takes {}", own.join(", "))),
    }
}

/// The comparison that is given, if one is.
fn compare(options: &mut Options<'_>) -> Result<Option<Compare>, Wrong> {
    let mut found: Option<Compare> = None;
    for key in &COMPARISONS[..6] {
        let Some(word) = options.take(key) else { continue };
        if found.is_some() {
            return Err(Wrong::new(format!("`{key}` is one comparison too many")).at(word.span));
        }
        let value = word.value.clone();
        found = Some(match *key {
            "equals" => Compare::Equals(value),
            "not" => Compare::Differs(value),
            "atleast" => Compare::AtLeast(number(word)?),
            "atmost" => Compare::AtMost(number(word)?),
            "contains" => Compare::Contains(value),
            _ => {
                let pattern = RegexBuilder::new(&value).multi_line(true).size_limit(1 << 20).build();
                let wrong = |_| Wrong::new(format!("`{value}` is no regular expression")).at(word.span);
                Compare::Matches(pattern.map_err(wrong)?)
            }
        });
    }
    Ok(found)
}

fn number(word: &Word) -> Result<f64, Wrong> {
    let number = word.value.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| Wrong::new(format!("`{}` is no number", word.value)).at(word.span))
}

fn since(options: &mut Options<'_>) -> Result<bool, Wrong> {
    match options.take("since") {
        None => Ok(false),
        Some(word) if word.value == "step" => Ok(true),
        Some(word) => Err(Wrong::new("`since` takes `step` alone").at(word.span)),
    }
}

fn kind_name(text: &str) -> KindName {
    match text.split_once('.') {
        Some((kind, group)) => KindName { kind: kind.to_owned(), group: Some(group.to_owned()) },
        None => KindName { kind: text.to_owned(), group: None },
    }
}

/// `Available`, `Ready=False`.
fn condition(word: &Word) -> Result<(String, String), Wrong> {
    let (kind, status) = word.value.split_once('=').unwrap_or((&word.value, "True"));
    let status = match status.to_ascii_lowercase().as_str() {
        "true" => "True",
        "false" => "False",
        "unknown" => "Unknown",
        _ => return Err(Wrong::new("a condition is True, False or Unknown").at(word.span)),
    };
    if kind.is_empty() {
        return Err(Wrong::new("the condition has no name").at(word.span));
    }
    Ok((kind.to_owned(), status.to_owned()))
}

fn object(kind: &str, name: &str, options: &mut Options<'_>) -> Result<Fact, Wrong> {
    let namespace = options.text("namespace");
    let new = since(options)?;
    let absent = options.flag("absent");
    let asked = options.take("condition");
    let path = options.take("jsonpath");
    let compare = compare(options)?;
    let wants = match (absent, asked, path) {
        (true, None, None) => Wants::Absent,
        (true, ..) => return Err(Wrong::new("what is absent has neither conditions nor fields")),
        (false, Some(word), None) => {
            let (kind, status) = condition(word)?;
            Wants::Condition { kind, status }
        }
        (false, Some(word), Some(_)) => {
            let wrong = Wrong::new("a check has a condition or a field, not both").at(word.span);
            return Err(wrong.hint("write two checks"));
        }
        (false, None, Some(word)) => {
            let text = word.value.trim().trim_start_matches('{').trim_end_matches('}').to_owned();
            let path = JsonPath::parse(&text);
            let path = path.map_err(|why| Wrong::new(format!("the path is wrong: {why}")).at(word.span))?;
            return Ok(Fact::Object(ObjectFact {
                kind: kind_name(kind),
                name: name.to_owned(),
                namespace,
                wants: Wants::Field { text, path, compare: compare.unwrap_or(Compare::Present) },
                new,
            }));
        }
        (false, None, None) => Wants::There,
    };
    if compare.is_some() {
        return Err(Wrong::new("there is nothing to compare").hint("name a field: `jsonpath='{.spec.replicas}'`"));
    }
    Ok(Fact::Object(ObjectFact { kind: kind_name(kind), name: name.to_owned(), namespace, wants, new }))
}

fn count(options: &mut Options<'_>, subject: &Word) -> Result<Fact, Wrong> {
    let given = options.take("count");
    let compared = compare(options)?;
    let absent = options.flag("absent");
    let compare = match (given, compared, absent) {
        (Some(word), None, false) => {
            number(word)?;
            Compare::Equals(word.value.clone())
        }
        (None, Some(compare @ (Compare::AtLeast(_) | Compare::AtMost(_))), false) => compare,
        (None, None, true) => Compare::Equals("0".to_owned()),
        _ => {
            let wrong = Wrong::new(format!("`{}` names no object", subject.value)).at(subject.span);
            return Err(wrong.hint("write `KIND/NAME`, or say how many: `count=3`, `atleast=1`, `absent`"));
        }
    };
    Ok(Fact::Count(CountFact {
        kind: kind_name(&subject.value),
        namespace: options.text("namespace"),
        selector: options.text("selector"),
        condition: options.take("condition").map(condition).transpose()?,
        compare,
    }))
}

fn commit(options: &mut Options<'_>) -> Result<Fact, Wrong> {
    let since_step = since(options)?;
    let (path, by, subject) = (options.text("path"), options.text("by"), options.text("subject"));
    Ok(Fact::Commit(CommitFact { path, by, subject, since_step }))
}

fn file(options: &mut Options<'_>, subject: &Word) -> Result<Fact, Wrong> {
    let Some(path) = options.text("path").filter(|path| !path.is_empty()) else {
        return Err(Wrong::new("`git/file` needs `path=FILE`").at(subject.span));
    };
    let absent = options.flag("absent");
    let compare = compare(options)?;
    if absent && compare.is_some() {
        return Err(Wrong::new("what is absent has no content").at(subject.span));
    }
    let compare = (!absent).then(|| compare.unwrap_or(Compare::Present));
    Ok(Fact::File(FileFact { path, compare }))
}

fn policy(policy: &str, options: &mut Options<'_>, subject: &Word) -> Result<Fact, Wrong> {
    let Some(word) = options.take("workload") else {
        let wrong = Wrong::new("a policy needs `workload=NAMESPACE:KIND/NAME`").at(subject.span);
        return Err(wrong.hint("for example `workload=demo:deployment/podinfo`"));
    };
    let parts = word.value.split_once(':').and_then(|(namespace, rest)| {
        let (kind, name) = rest.split_once('/')?;
        let whole = !namespace.is_empty() && !kind.is_empty() && !name.is_empty();
        whole.then(|| (namespace.to_owned(), kind.to_ascii_lowercase(), name.to_owned()))
    });
    let Some(workload) = parts else {
        let wrong = Wrong::new(format!("`{}` is no workload", word.value)).at(word.span);
        return Err(wrong.hint("write it as `demo:deployment/podinfo`"));
    };
    let absent = options.flag("absent");
    let given = compare(options)?;
    let compare = match (absent, given) {
        (true, None) => None,
        (true, Some(_)) => return Err(Wrong::new("what is absent has no value").at(subject.span)),
        (false, Some(compare)) => Some(compare),
        (false, None) if policy.starts_with("tag.") => Some(Compare::Present),
        (false, None) => Some(Compare::Equals("true".to_owned())),
    };
    Ok(Fact::Policy(PolicyFact { policy: policy.to_owned(), workload, compare }))
}

fn http(options: &mut Options<'_>, subject: &Word) -> Result<Fact, Wrong> {
    let status = match options.take("status") {
        None => 200,
        Some(word) => {
            let status = word.value.parse::<u16>().ok().filter(|status| (100..600).contains(status));
            status.ok_or_else(|| Wrong::new(format!("`{}` is no status", word.value)).at(word.span))?
        }
    };
    let target = match (options.take("url"), options.text("service")) {
        (Some(word), None) => {
            if !word.value.starts_with("http://") && !word.value.starts_with("https://") {
                return Err(Wrong::new("an address begins with http:// or https://").at(word.span));
            }
            HttpTarget::Url(word.value.clone())
        }
        (None, Some(name)) => {
            let path = options.text("path").unwrap_or_default();
            HttpTarget::Service {
                namespace: options.text("namespace").unwrap_or_else(|| "default".to_owned()),
                name,
                port: options.text("port").unwrap_or_else(|| "80".to_owned()),
                path: format!("/{}", path.trim_start_matches('/')),
            }
        }
        _ => return Err(Wrong::new("`http/get` needs `url=…` or `service=NAME`").at(subject.span)),
    };
    Ok(Fact::Http(HttpFact { target, status, body: compare(options)? }))
}

#[cfg(test)]
#[path = "check_words_tests.rs"]
mod tests;
