//! The load tester that stands beside canaries, as far as it is answered for in this process.

use std::time::Duration;

use super::go;
use super::spec::Webhook;

/// What a request to the load tester comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Yes or no, with words.
    Say(u16, String),
    /// Start so many requests per second for so long, to the canary itself or not, and say yes.
    Load(f64, Duration, bool),
    /// Yes when this gate is open.
    Check,
    /// Open the gate, or close it, and say yes.
    Turn(bool),
}

/// The path of a request that goes to a load tester in the cluster; none when it goes elsewhere.
pub fn path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    let service = host.split('.').next().unwrap_or(host);
    let is_one = matches!(service, "load-tester" | "loadtester" | "flagger-loadtester");
    is_one.then(|| path.split(['?', '#']).next().unwrap_or(path))
}

/// What the load tester does.
pub fn answer(path: &str, hook: &Webhook) -> Answer {
    match path.trim_end_matches('/') {
        "" => run(hook),
        "gate/approve" => Answer::Say(200, "OK".to_owned()),
        "gate/halt" => Answer::Say(403, "Forbidden".to_owned()),
        "gate/check" | "rollback/check" => Answer::Check,
        "gate/open" | "rollback/open" => Answer::Turn(true),
        "gate/close" | "rollback/close" => Answer::Turn(false),
        _ => Answer::Say(404, "404 page not found".to_owned()),
    }
}

fn run(hook: &Webhook) -> Answer {
    if hook.metadata.is_empty() {
        return Answer::Say(400, "metadata is required".to_owned());
    }
    let kind = hook.meta("type").unwrap_or("cmd");
    if kind != "cmd" {
        return Answer::Say(500, format!("tests of type {kind} are not run here: nothing is executed"));
    }
    match hook.meta("cmd").map(load) {
        Some(Some((rate, lasts, direct))) => Answer::Load(rate, lasts, direct),
        // Other programs would run beside the release; what they do is nobody's business here.
        Some(None) => Answer::Say(202, String::new()),
        None => Answer::Say(400, "cmd not found in metadata".to_owned()),
    }
}

/// Requests per second and duration of a call of `hey`, and whether they go to the canary itself.
fn load(command: &str) -> Option<(f64, Duration, bool)> {
    let mut words = command.split_ascii_whitespace();
    let program = words.next()?;
    if program.rsplit('/').next() != Some("hey") {
        return None;
    }
    let (mut lasts, mut each, mut workers) = (Duration::from_secs(10), 50.0, 50.0);
    let mut direct = false;
    while let Some(word) = words.next() {
        let place = match word {
            "-z" => {
                let seconds = go::seconds(words.next()?)?;
                lasts = Duration::try_from_secs_f64(seconds).ok()?;
                continue;
            }
            "-q" => &mut each,
            "-c" => &mut workers,
            url => {
                let host = url.split_once("://").map_or("", |(_, rest)| rest);
                direct |= host.split([':', '/', '.']).next().is_some_and(|name| name.ends_with("-canary"));
                continue;
            }
        };
        *place = words.next()?.parse::<f64>().ok()?;
    }
    Some((each * workers, lasts, direct))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::canary::spec::HookType;

    fn hook(metadata: &[(&str, &str)]) -> Webhook {
        Webhook {
            name: "h".to_owned(),
            when: HookType::Rollout,
            url: String::new(),
            timeout: Duration::from_secs(1),
            retries: 0,
            disable_tls: false,
            mute_alert: false,
            metadata: metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn load_testers_are_known_by_their_names() {
        for (url, expected) in [
            ("http://load-tester.prod/", Some("")),
            ("http://flagger-loadtester.test:80/gate/check", Some("gate/check")),
            ("http://load-tester", Some("")),
            ("http://load-tester.prod.svc.cluster.local/rollback/check?x", Some("rollback/check")),
            ("http://example.com/load-tester", None),
            ("https://load-tester.prod/", None),
            ("", None),
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
    }

    #[test]
    fn the_load_of_the_talk_is_understood() {
        let command = "hey -z 2m -q 10 -c 2 http://podinfo:9898/";
        assert_eq!(answer("", &hook(&[("cmd", command)])), Answer::Load(20.0, Duration::from_mins(2), false));
        let direct = "hey -z 1m -q 1 -c 2 http://podinfo-canary.prod:9898/";
        assert_eq!(answer("", &hook(&[("cmd", direct)])), Answer::Load(2.0, Duration::from_mins(1), true));
        assert_eq!(answer("/", &hook(&[("cmd", "curl x")])), Answer::Say(202, String::new()));
        assert_eq!(answer("", &hook(&[("cmd", "hey -z")])), Answer::Say(202, String::new()));
    }

    #[test]
    fn it_answers_as_its_contract_says() {
        assert_eq!(answer("", &hook(&[])), Answer::Say(400, "metadata is required".to_owned()));
        assert!(matches!(answer("", &hook(&[("type", "bash"), ("cmd", "rm")])), Answer::Say(500, _)));
        assert_eq!(answer("gate/halt", &hook(&[])), Answer::Say(403, "Forbidden".to_owned()));
        assert_eq!(answer("gate/check", &hook(&[])), Answer::Check);
        assert_eq!(answer("rollback/close", &hook(&[])), Answer::Turn(false));
        assert_eq!(answer("nothing", &hook(&[])), Answer::Say(404, "404 page not found".to_owned()));
    }
}
