//! One object, followed until something about it is so.

use std::time::Duration;

use futures::TryStreamExt as _;
use serde_json::Value;

use super::problem::Problem;
use super::resources::{Resource, query};
use super::session::{As, Session};
use crate::cluster::object;

/// How long a watch that ended rests before the next look.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a server keeps one watch open, in seconds.
const WATCH: &str = "300";

/// What is seen of an object.
pub(super) enum Seen {
    /// It is so.
    There(Value),
    /// The server says that there is none.
    Missing(Problem),
    /// It went while it was watched.
    Deleted,
}

/// Looks at an object, and at each of its changes, until `judge` has seen enough. A watch that the server ends, or that
/// breaks off, begins anew with another look.
pub(super) async fn follow<T>(
    session: &mut Session<'_>,
    resource: &Resource,
    namespace: &str,
    name: &str,
    mut judge: impl FnMut(&mut Session<'_>, Seen) -> Result<Option<T>, Problem>,
) -> Result<T, Problem> {
    loop {
        match session.object(resource, namespace, name, As::Json).await {
            Ok(there) => {
                let version = object::text(&there, &["metadata", "resourceVersion"]).to_owned();
                if let Some(done) = judge(session, Seen::There(there))? {
                    return Ok(done);
                }
                if let Some(done) = changes(session, resource, namespace, name, &version, &mut judge).await? {
                    return Ok(done);
                }
            }
            Err(problem) if problem.is_not_found() => {
                if let Some(done) = judge(session, Seen::Missing(problem))? {
                    return Ok(done);
                }
            }
            Err(problem) => return Err(problem),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The changes after a version, as long as the server tells them.
async fn changes<T>(
    session: &mut Session<'_>,
    resource: &Resource,
    namespace: &str,
    name: &str,
    version: &str,
    judge: &mut impl FnMut(&mut Session<'_>, Seen) -> Result<Option<T>, Problem>,
) -> Result<Option<T>, Problem> {
    let fields = format!("metadata.name={name}");
    let parameters = [
        ("fieldSelector", fields.as_str()),
        ("resourceVersion", version),
        ("timeoutSeconds", WATCH),
        ("watch", "true"),
    ];
    let path = query(&resource.path(namespace, ""), &parameters);
    let Ok(mut events) = session.watch(&path, As::Json).await else { return Ok(None) };
    while let Ok(Some(event)) = events.try_next().await {
        let seen = match event.kind.as_str() {
            "BOOKMARK" => continue,
            "DELETED" => Seen::Deleted,
            _ => Seen::There(event.object),
        };
        if let Some(done) = judge(session, seen)? {
            return Ok(Some(done));
        }
    }
    Ok(None)
}
