//! What is secret of a sandbox.

use super::redact::Secrets;
use crate::sandbox::Sandbox;

/// What of this run is secret: tokens of the repository, of the cluster, and of the caller.
pub fn secrets_of(sandbox: &Sandbox, more: &[String]) -> Secrets {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let mut known: Vec<String> = more.to_vec();
    if let Some(repository) = &sandbox.repository {
        known.push(repository.token().to_owned());
        known.push(STANDARD.encode(format!("git:{}", repository.token())));
    }
    known.extend(sandbox.embedded().and_then(|embedded| embedded.entry().token));
    Secrets::with(known.iter().map(String::as_str))
}
