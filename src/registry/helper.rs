//! Logins from the programs that Docker keeps them with.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::credentials::Login;
use super::document::short;
use super::error::Why;

/// How long such a program may take.
const LIMIT: Duration = Duration::from_secs(15);
/// How much it may say.
const MOST: u64 = 64 * 1024;

/// Asks `docker-credential-NAME` for the login of a server; none when it has none.
pub(super) async fn ask(name: &str, server: &str) -> Result<Option<Login>, Why> {
    let program = format!("docker-credential-{name}");
    let failed = |what: String| Why::Helper { program: program.clone(), what };
    let mut command = Command::new(&program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(format!("cannot be run: {error}")))?;
    let talk = async {
        if let Some(mut input) = child.stdin.take() {
            // One that does not listen may still answer.
            let _ = input.write_all(server.as_bytes()).await;
        }
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            output.take(MOST).read_to_string(&mut said).await?;
        }
        Ok::<_, std::io::Error>((child.wait().await?, said))
    };
    let (status, said) = match tokio::time::timeout(LIMIT, talk).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => return Err(failed(format!("failed: {error}"))),
        Err(_) => return Err(failed("took too long".to_owned())),
    };
    if !status.success() {
        // It says so on its standard output, by custom.
        let none = said.contains("credentials not found");
        return if none { Ok(None) } else { Err(failed(format!("failed: {}", short(said.trim())))) };
    }
    login(&said).map(Some).ok_or_else(|| failed("said what cannot be understood".to_owned()))
}

fn login(said: &str) -> Option<Login> {
    let value: Value = serde_json::from_str(said).ok()?;
    let user = value.get("Username")?.as_str()?.to_owned();
    let secret = value.get("Secret")?.as_str()?.to_owned();
    Some(match user.as_str() {
        "<token>" => Login { user: String::new(), password: String::new(), identity: Some(secret) },
        _ => Login { user, password: secret, identity: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helpers_say() {
        let said = login(r#"{"ServerURL":"x","Username":"u","Secret":"s"}"#).unwrap();
        assert_eq!((said.user.as_str(), said.password.as_str(), said.identity), ("u", "s", None));
        assert_eq!(login(r#"{"Username":"<token>","Secret":"s"}"#).unwrap().identity.as_deref(), Some("s"));
        assert!(login("{}").is_none() && login("").is_none());
    }

    #[tokio::test]
    async fn one_that_is_not_there() {
        let error = ask("foredeck-has-no-such-helper", "x").await.unwrap_err();
        assert!(error.to_string().starts_with("the credential helper `docker-credential-foredeck-has-no"), "{error}");
    }
}
