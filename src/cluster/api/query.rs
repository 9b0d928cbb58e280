//! Query parameters of reads and writes, checked as the real server checks them.

use std::collections::HashMap;

use super::status::{FieldError, Refusal};
use crate::cluster::object::GroupKind;

/// The query of a request. Of a parameter given twice the first counts; empty pairs mean nothing.
#[derive(Debug, Clone, Default)]
pub struct Query {
    values: HashMap<String, Vec<String>>,
}

impl Query {
    /// Reads what stands behind the `?`.
    pub fn parse(text: &str) -> Self {
        let mut values: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| !name.is_empty()) {
            values.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        Self { values }
    }

    /// A parameter; empty when absent.
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a switch is on: `true`, `1` or present without a value.
    pub fn flag(&self, name: &str) -> bool {
        self.has(name) && self.get(name) != "0" && !self.get(name).eq_ignore_ascii_case("false")
    }

    /// Whether a parameter is there, with whatever value.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// A whole number.
    ///
    /// # Errors
    /// 400 with Go's words when it is none.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.get(name) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Refusal::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"))),
        }
    }
}

/// How the versions of a list or the start of a watch are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The newest.
    Newest,
    /// Anything, as `resourceVersion=0`.
    Any,
    /// At least this one.
    NotOlderThan(u64),
    /// This one.
    Exact(u64),
}

/// Parameters of get, list and watch.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Label selector, unparsed.
    pub labels: String,
    /// Field selector, unparsed.
    pub fields: String,
    /// Objects per page; none for all.
    pub limit: Option<usize>,
    /// Where the last page ended.
    pub continued: String,
    /// Which version.
    pub version: Version,
    /// A stream instead of a list.
    pub watch: bool,
    /// Seconds until a watch ends.
    pub timeout: Option<u64>,
    /// Tell the revision now and then.
    pub bookmarks: bool,
    /// Begin a watch with what there is, then say so.
    pub initial_events: bool,
    /// What a table carries of each object.
    pub include: Include,
}

/// What a Table's rows carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Metadata alone.
    Metadata,
    /// The whole object.
    Object,
}

fn refused(field: &str, hint: &str) -> Refusal {
    let kind = GroupKind::new("meta.k8s.io", "ListOptions");
    Refusal::invalid(&kind, "", &[FieldError::forbidden(field, hint)])
}

impl ReadOptions {
    /// Reads the parameters; `watch` also when the path says so.
    ///
    /// # Errors
    /// 400 or 422 as the real server gives them.
    pub fn of(query: &Query, watch: bool) -> Result<Self, Refusal> {
        let watch = watch || query.flag("watch");
        let limit = query.int("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|&limit| limit > 0);
        let initial_events = query.values.contains_key("sendInitialEvents").then(|| query.flag("sendInitialEvents"));
        let matching = query.get("resourceVersionMatch");
        let asked = query.get("resourceVersion");
        if !watch && initial_events.is_some() {
            return Err(refused("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }
        if watch && initial_events.is_some() && matching != "NotOlderThan" {
            let hint = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return Err(refused("resourceVersionMatch", hint));
        }
        if watch && initial_events.is_none() && !matching.is_empty() {
            let hint = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            return Err(refused("resourceVersionMatch", hint));
        }
        let version = version(asked, matching, watch, query.get("continue"))?;
        let include = match query.get("includeObject") {
            "" | "Metadata" => Include::Metadata,
            "Object" => Include::Object,
            "None" => Include::None,
            other => {
                let why = "must be 'Metadata', 'Object', 'None', or empty";
                return Err(Refusal::bad_request(format!(
                    "Unable to convert to Table as requested: includeObject: Invalid value: \"{other}\": {why}"
                )));
            }
        };
        Ok(Self {
            labels: query.get("labelSelector").to_owned(),
            fields: query.get("fieldSelector").to_owned(),
            limit,
            continued: query.get("continue").to_owned(),
            version,
            watch,
            timeout: query.int("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok()),
            bookmarks: query.flag("allowWatchBookmarks"),
            initial_events: initial_events.unwrap_or(false),
            include,
        })
    }
}

fn version(asked: &str, matching: &str, watch: bool, continued: &str) -> Result<Version, Refusal> {
    if !matching.is_empty() && !watch {
        if asked.is_empty() {
            let hint = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(refused("resourceVersionMatch", hint));
        }
        if !continued.is_empty() {
            let hint = "resourceVersionMatch is forbidden when continue is provided";
            return Err(refused("resourceVersionMatch", hint));
        }
        if matching == "Exact" && asked == "0" {
            let hint = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            return Err(refused("resourceVersionMatch", hint));
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            let kind = GroupKind::new("meta.k8s.io", "ListOptions");
            let error = FieldError::not_supported("resourceVersionMatch", matching, &["Exact", "NotOlderThan", ""]);
            return Err(Refusal::invalid(&kind, "", &[error]));
        }
    }
    if !continued.is_empty() && !matches!(asked, "" | "0") {
        return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
    }
    let revision = match asked {
        "" => return Ok(Version::Newest),
        "0" => return Ok(Version::Any),
        text => text.parse().map_err(|_| not_a_version(text, watch))?,
    };
    Ok(if matching == "Exact" { Version::Exact(revision) } else { Version::NotOlderThan(revision) })
}

/// A `resourceVersion` that is no number: 400 in a list, 500 in a watch.
fn not_a_version(text: &str, watch: bool) -> Refusal {
    let why =
        format!("resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax");
    if watch { Refusal::new(500, "", why) } else { Refusal::bad_request(format!("invalid resource version: {why}")) }
}

/// What a write does with fields that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Refuse.
    Strict,
    /// Drop them and tell in headers.
    Warn,
    /// Drop them in silence.
    Ignore,
}

/// Parameters of create, update, patch and delete.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// Who owns the fields; the user agent's first word when not given.
    pub manager: String,
    /// Whether `fieldManager` was given.
    pub manager_given: bool,
    /// Go through all of it and keep nothing.
    pub dry_run: bool,
    /// What to do about unknown fields.
    pub unknown: Unknown,
    /// Take fields from other appliers.
    pub force: Option<bool>,
}

impl WriteOptions {
    /// Reads the parameters. `kind` names the options in refusals, as `CreateOptions`.
    ///
    /// # Errors
    /// 422 for values that cannot be.
    pub fn of(query: &Query, user_agent: &str, kind: &str) -> Result<Self, Refusal> {
        let mut errors = Vec::new();
        let given = query.get("fieldManager");
        if given.len() > 128 {
            let hint = "may not be more than 128 bytes".to_owned();
            errors.push(FieldError { field: "fieldManager".to_owned(), fault: super::status::Fault::TooLong(hint) });
        }
        if given.chars().any(char::is_control) {
            errors.push(FieldError::invalid("fieldManager", given, "should only contain printable characters"));
        }
        let dry_run = query.all("dryRun");
        if dry_run.iter().any(|value| value != "All") {
            let values: Vec<_> = dry_run.iter().map(|value| serde_json::Value::from(value.as_str())).collect();
            errors.push(FieldError::not_supported("dryRun", values, &["All"]));
        }
        let unknown = match query.get("fieldValidation") {
            "Strict" => Unknown::Strict,
            "Ignore" => Unknown::Ignore,
            "" | "Warn" => Unknown::Warn,
            other => {
                let supported = ["", "Ignore", "Strict", "Warn"];
                errors.push(FieldError::not_supported("fieldValidation", other, &supported));
                Unknown::Warn
            }
        };
        if !errors.is_empty() {
            return Err(Refusal::invalid(&GroupKind::new("meta.k8s.io", kind), "", &errors));
        }
        let agent = user_agent.split('/').next().unwrap_or_default();
        let agent: String = agent.chars().filter(|c| !c.is_control()).take(128).collect();
        let manager = if !given.is_empty() {
            given.to_owned()
        } else if agent.is_empty() {
            "unknown".to_owned()
        } else {
            agent
        };
        Ok(Self {
            manager,
            manager_given: !given.is_empty(),
            dry_run: !dry_run.is_empty(),
            unknown,
            force: query.values.contains_key("force").then(|| query.flag("force")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_pairs_and_repeats() {
        let query = Query::parse("&limit=5&limit=6&&watch&x=");
        assert_eq!(query.get("limit"), "5");
        assert!(query.flag("watch"));
        assert!(!query.flag("nothing"));
    }

    #[test]
    fn versions_are_checked() {
        let read = |text: &str| ReadOptions::of(&Query::parse(text), false).map(|options| options.version);
        assert_eq!(read(""), Ok(Version::Newest));
        assert_eq!(read("resourceVersion=0"), Ok(Version::Any));
        assert_eq!(read("resourceVersion=7&resourceVersionMatch=Exact"), Ok(Version::Exact(7)));
        let refusal = |text: &str| read(text).map_err(|refusal| (refusal.code, refusal.message));
        assert_eq!(
            refusal("resourceVersion=x"),
            Err((
                400,
                "invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": \
                 invalid syntax"
                    .to_owned()
            ))
        );
        assert_eq!(read("resourceVersionMatch=Exact").map_err(|refusal| refusal.code), Err(422));
        assert_eq!(read("sendInitialEvents=true").map_err(|refusal| refusal.code), Err(422));
    }

    #[test]
    fn the_manager_is_the_agents_first_word() {
        let options = WriteOptions::of(&Query::parse(""), "kubectl/v1.32 (linux)", "CreateOptions");
        assert_eq!(options.map(|options| options.manager), Ok("kubectl".to_owned()));
    }
}
