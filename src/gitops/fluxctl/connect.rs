//! How fluxctl reaches the daemon: flags, then the environment, then what is usual.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Surroundings;
use super::args::ConnectionArgs;
use crate::cluster::goduration;

/// The address that goes with a token alone.
const HOSTED: &str = "https://cloud.weave.works/api/flux";
const USUAL_TIMEOUT: Duration = Duration::from_secs(60);

/// How to reach the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The kubeconfig context; the current one when there is none.
    pub context: Option<String>,
    /// The address; through the cluster when there is none.
    pub url: Option<String>,
    /// The token.
    pub token: Option<String>,
    /// The daemon's namespace.
    pub namespace: String,
    /// The labels of the daemon's pod.
    pub labels: BTreeMap<String, String>,
    /// How long to wait.
    pub timeout: Duration,
}

impl Connection {
    /// Reads flags and environment.
    ///
    /// # Errors
    /// When a flag's value makes no sense. Of the environment such a value is not heard.
    pub(super) fn new(args: &ConnectionArgs, surroundings: &Surroundings<'_>) -> Result<Self, String> {
        let env =
            |names: &[&str]| names.iter().rev().find_map(|name| (surroundings.env)(name).filter(|v| !v.is_empty()));
        let text =
            |flag: &Option<String>, names: &[&str]| flag.clone().or_else(|| env(names)).filter(|v| !v.is_empty());
        let token = text(&args.token, &["FLUX_SERVICE_TOKEN", "WEAVE_CLOUD_TOKEN"]);
        let url = text(&args.url, &["FLUX_URL"]).or_else(|| token.as_ref().map(|_| HOSTED.to_owned()));
        let labels = match &args.labels {
            Some(text) => Some(labels(text).ok_or_else(|| {
                format!(
                    "invalid argument \"{text}\" for \"--k8s-fwd-labels\" flag: {text} must be formatted as key=value"
                )
            })?),
            None => env(&["FLUX_FORWARD_LABELS"]).and_then(|text| labels(&text)),
        };
        let timeout = match &args.timeout {
            Some(text) => Some(
                goduration::length(text)
                    .map_err(|why| format!("invalid argument {text:?} for \"--timeout\" flag: time: {why} {text:?}"))?,
            ),
            None => env(&["FLUX_TIMEOUT"]).and_then(|text| goduration::length(&text).ok()),
        };
        Ok(Self {
            context: args.context.clone().filter(|context| !context.is_empty()),
            url,
            token,
            namespace: args
                .namespace
                .clone()
                .or_else(|| env(&["FLUX_FORWARD_NAMESPACE"]))
                .unwrap_or("default".to_owned()),
            labels: labels.unwrap_or_else(|| BTreeMap::from([("app".to_owned(), "flux".to_owned())])),
            timeout: timeout.unwrap_or(USUAL_TIMEOUT),
        })
    }
}

fn labels(text: &str) -> Option<BTreeMap<String, String>> {
    let pairs = text.split(',').map(|pair| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())));
    pairs.collect()
}

/// Who the user is according to Git's `user.name` and `user.email`.
pub fn author(name: &str, email: &str) -> String {
    match (name, email) {
        ("", email) => email.to_owned(),
        (name, "") => name.to_owned(),
        (name, email) => format!("{name} <{email}>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_have_a_name_or_an_address() {
        assert_eq!(author("Ann", "a@b.c"), "Ann <a@b.c>");
        assert_eq!(
            (author("Ann", ""), author("", "a@b.c"), author("", "")),
            ("Ann".into(), "a@b.c".into(), String::new())
        );
    }
}
