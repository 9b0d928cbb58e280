//! `events`, and the events about an object.

use jiff::Timestamp;
use serde_json::Value;

use super::flags::Arguments;
use super::problem::Problem;
use super::resources::Resource;
use super::select::{self, Narrow, Which};
use super::session::Session;
use super::table::{Tabs, printable};
use crate::cluster::object;

/// Runs `events`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let resource = session.resource("events").await?;
    let everywhere = arguments.on("all-namespaces");
    let namespace = if everywhere { String::new() } else { session.namespace.clone() };
    let mut fields = Vec::new();
    if let Some(about) = arguments.text("for") {
        let which = select::words(session, &[about.to_owned()]).await?;
        let Some(Which::One(of, name)) = which.into_iter().next() else {
            return Err(Problem::said("--for must be in resource/name form"));
        };
        fields.push(format!("involvedObject.kind={}", of.kind));
        fields.push(format!("involvedObject.name={name}"));
    }
    let narrow = Narrow { labels: String::new(), fields: fields.join(",") };
    let mut events = select::objects(session, &resource, &namespace, &narrow).await?;
    if let Some(types) = arguments.text("types") {
        events.retain(|event| types.split(',').any(|kind| kind.eq_ignore_ascii_case(object::text(event, &["type"]))));
    }
    if events.is_empty() {
        let place = if everywhere { String::new() } else { format!(" in {} namespace", session.namespace) };
        session.tell(&format!("No events found{place}."));
        return Ok(());
    }
    events.sort_by_key(last_seen);
    let now = Timestamp::now();
    let mut rows = Vec::new();
    if !arguments.on("no-headers") {
        let mut header = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        if everywhere {
            header.insert(0, "NAMESPACE");
        }
        rows.push(header.into_iter().map(str::to_owned).collect());
    }
    rows.extend(events.iter().map(|event| row(event, everywhere, now)));
    session.print(&Tabs::default().lay(&rows))
}

fn row(event: &Value, everywhere: bool, now: Timestamp) -> Vec<String> {
    let cell = |path: &[&str]| printable(object::text(event, path)).replace('\n', " ");
    let about = format!("{}/{}", cell(&["involvedObject", "kind"]), cell(&["involvedObject", "name"]));
    let mut row =
        vec![age(event, now), cell(&["type"]), cell(&["reason"]), about, cell(&["message"]).trim().to_owned()];
    if everywhere {
        row.insert(0, cell(&["metadata", "namespace"]));
    }
    row
}

/// The events about an object, oldest first.
pub(super) async fn about(session: &mut Session<'_>, about: &Value) -> Result<Vec<Value>, Problem> {
    let text = |path: &[&str]| object::text(about, path).to_owned();
    let parts = [
        ("involvedObject.kind", text(&["kind"])),
        ("involvedObject.name", text(&["metadata", "name"])),
        ("involvedObject.namespace", text(&["metadata", "namespace"])),
        ("involvedObject.uid", text(&["metadata", "uid"])),
    ];
    let fields: Vec<String> =
        parts.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}")).collect();
    let narrow = Narrow { labels: String::new(), fields: fields.join(",") };
    let resource: Resource = session.resource("events").await?;
    let mut events = select::objects(session, &resource, &text(&["metadata", "namespace"]), &narrow).await?;
    events.sort_by_key(last_seen);
    Ok(events)
}

/// When an event was last seen.
fn last_seen(event: &Value) -> Option<Timestamp> {
    let paths: [&[&str]; 4] =
        [&["series", "lastObservedTime"], &["lastTimestamp"], &["eventTime"], &["metadata", "creationTimestamp"]];
    paths.iter().find_map(|path| object::text(event, path).parse().ok())
}

fn first_seen(event: &Value) -> Option<Timestamp> {
    let paths: [&[&str]; 3] = [&["firstTimestamp"], &["eventTime"], &["metadata", "creationTimestamp"]];
    paths.iter().find_map(|path| object::text(event, path).parse().ok())
}

/// How long ago, and how often: `5s`, or `5s (x3 over 2m)`.
pub(super) fn age(event: &Value, now: Timestamp) -> String {
    let since = |time: Option<Timestamp>| time.map_or("<unknown>".to_owned(), |time| duration(time, now));
    let count = object::int(event, &["series", "count"]).or_else(|| object::int(event, &["count"])).unwrap_or(0);
    let last = since(last_seen(event));
    if count > 1 { format!("{last} (x{count} over {})", since(first_seen(event))) } else { last }
}

/// Who tells.
pub(super) fn source(event: &Value) -> String {
    let component = object::text(event, &["source", "component"]);
    let host = object::text(event, &["source", "host"]);
    let component = if component.is_empty() { object::text(event, &["reportingComponent"]) } else { component };
    printable(&if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") })
}

/// A length of time in at most two units, as kubectl writes ages.
fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_second() - from.as_second();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ages_are_short() {
        let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (seconds, expected) in [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (187, "3m7s"),
            (600, "10m"),
            (10_799, "179m"),
            (14_700, "4h5m"),
            (14_400, "4h"),
            (100_000, "27h"),
            (190_800, "2d5h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
            (300_000_000, "9y"),
        ] {
            let to = Timestamp::from_second(from.as_second() + seconds).unwrap();
            assert_eq!(duration(from, to), expected, "{seconds}");
        }
    }

    #[test]
    fn events_say_how_often_and_by_whom() {
        let now: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
        let event = json!({
            "lastTimestamp": "2026-01-01T00:00:55Z", "firstTimestamp": "2026-01-01T00:00:00Z", "count": 3,
            "source": { "component": "kubelet", "host": "node-1" },
        });
        assert_eq!((age(&event, now).as_str(), source(&event).as_str()), ("5s (x3 over 60s)", "kubelet, node-1"));
        let new = json!({ "eventTime": "2026-01-01T00:00:58.5Z", "reportingComponent": "default-scheduler" });
        assert_eq!((age(&new, now).as_str(), source(&new).as_str()), ("2s", "default-scheduler"));
        assert_eq!(age(&json!({}), now), "<unknown>");
    }
}
