//! `trust`: shows the commands of a deck and keeps that they may be run.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::project::Compiled;
use crate::runbook::tail::plain;
use crate::runbook::trust::Commands;
use crate::runbook::trusted::{Agreed, Error, Trusted};
use crate::theme::Container;

use super::Inputs;
use super::args::Trust;
use super::console::{Code, Console, Failure};
use super::settings::{self, Asked};

pub(super) fn run(args: Trust, console: Console) -> Result<Code, Failure> {
    let store = store();
    if args.list {
        return list(&store, console);
    }
    if args.revoke {
        return revoke(&store, &args, console);
    }
    let inputs = Inputs::sort(args.input.into_iter().collect()).or_default()?;
    let asked = Asked { render: args.render, input: inputs.first(), ..Asked::default() };
    let settings = settings::resolve(asked, inputs.themes.clone(), Container::Marpit)?;
    console.configuration(&settings.findings);
    let project = inputs.open(settings.project)?;
    let mut told = Vec::new();
    let mut refused = false;
    for entry in &project.decks {
        let compiled = project.compile(entry)?;
        let commands = commands_of(&compiled);
        if commands.is_empty() {
            console.say(&format!("{}: runs nothing", entry.path.display()));
            continue;
        }
        let deck = compiled.place().display().to_string();
        let known = store.has(&commands.hash());
        show(&deck, &commands, console);
        let agreed = known || args.yes || ask(&deck, console)?;
        if agreed && !known {
            store.add(agreed_now(&deck, &commands)).map_err(failed)?;
        }
        refused |= !agreed;
        console.say(match (known, agreed) {
            (true, _) => "It was trusted already.",
            (false, true) => "It is trusted now.",
            (false, false) => "It is not trusted.",
        });
        told.push(json!({ "deck": deck, "hash": commands.hash(), "trusted": agreed, "commands": commands }));
    }
    if console.json {
        console.document(&json!({ "schema": "foredeck.trust/1", "decks": told }))?;
    }
    Ok(if refused { Code::Refused } else { Code::Done })
}

/// What somebody agreed to, in this user's folder for state.
pub(super) fn store() -> Trusted {
    Trusted::new(state_folder().as_deref())
}

/// `$XDG_STATE_HOME/foredeck`, or where this system keeps such things. Never in a project.
fn state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || std::env::home_dir().filter(|home| home.is_absolute());
    let folder = absolute("XDG_STATE_HOME").or_else(|| {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home().map(|home| home.join("Library").join("Application Support"))
        } else {
            home().map(|home| home.join(".local").join("state"))
        }
    });
    folder.map(|folder| folder.join("foredeck"))
}

/// All commands of a deck.
pub(super) fn commands_of(compiled: &Compiled) -> Commands {
    let slides = compiled.rendered.slides.iter();
    Commands::of(slides.map(|slide| (slide.steps.as_slice(), slide.panels.as_slice())))
}

pub(super) fn agreed_now(deck: &str, commands: &Commands) -> Agreed {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Agreed {
        hash: commands.hash(),
        deck: deck.to_owned(),
        commands: commands.0.len(),
        at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Shows all commands; nothing in them can steer the terminal.
fn show(deck: &str, commands: &Commands, console: Console) {
    console.say(&format!("{} would run:", console.strong(deck)));
    for command in &commands.0 {
        let typed = command.terminal.as_deref().map_or_else(String::new, |name| format!(", typed into `{name}`"));
        console.say(&format!("\n  slide {}, {} {}{}", command.slide + 1, command.kind, command.name, plain(&typed)));
        for line in plain(&command.script).lines() {
            console.say(&format!("    {line}"));
        }
    }
    console.say("");
}

fn ask(deck: &str, console: Console) -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || console.json {
        return Err(Failure::new(
            Code::Refused,
            anyhow::Error::msg(format!("nobody is there to agree to the commands of `{deck}`")),
        )
        .hint("read them, then say `foredeck trust --yes`"));
    }
    console.say("Trust these commands to run with your rights? [y/N]");
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
    read.map_err(|error| Failure::new(Code::Environment, error))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn list(store: &Trusted, console: Console) -> Result<Code, Failure> {
    let list = store.list().map_err(failed)?;
    if console.json {
        console.document(&json!({ "schema": "foredeck.trust/1", "trusted": list }))?;
    } else if list.is_empty() {
        console.say("Nothing is trusted.");
    } else {
        for agreed in &list {
            let hash = agreed.hash.get(..12).unwrap_or(&agreed.hash);
            super::console::data(&format!("{hash}  {:>3} commands  {}\n", agreed.commands, plain(&agreed.deck)))?;
        }
    }
    Ok(Code::Done)
}

fn revoke(store: &Trusted, args: &Trust, console: Console) -> Result<Code, Failure> {
    let input = args.input.as_deref().ok_or_else(|| {
        Failure::usage("`--revoke` needs a deck or a hash").hint("`foredeck trust --list` shows both")
    })?;
    let word = input.to_string_lossy();
    let real = std::fs::canonicalize(input).unwrap_or_else(|_| Path::new(input).to_path_buf());
    let mut gone = store.revoke(&real.to_string_lossy()).map_err(failed)?;
    if gone == 0 {
        gone = store.revoke(&word).map_err(failed)?;
    }
    if console.json {
        console.document(&json!({ "schema": "foredeck.trust/1", "revoked": gone }))?;
    }
    if gone == 0 {
        return Err(Failure::input(format!("`{word}` was not trusted")).hint("`foredeck trust --list` shows what is"));
    }
    console.say(&format!("`{word}` is not trusted any more."));
    Ok(Code::Done)
}

fn failed(error: Error) -> Failure {
    Failure::new(Code::Environment, error)
}
