//! `doctor`: what foredeck needs on this machine, and whether it is there.

pub mod args;
mod compare;
mod finding;
mod look;
mod today;

use serde_json::json;

use crate::export::browser::find::System;
use crate::export::browser::sandbox;
use crate::server;

use super::console::{Code, Console, Failure};
use args::{Area, Doctor};
use finding::{Finding, Level};

const ALL: [Area; 6] = [Area::Browser, Area::Git, Area::Kubectl, Area::Port, Area::Decks, Area::Rehearsal];

pub(super) fn run(args: &Doctor, console: Console) -> Result<Code, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let areas = if args.areas.is_empty() { &ALL[..] } else { &args.areas };
    let mut findings = Vec::new();
    for area in areas {
        let found = runtime.block_on(examined(*area, args, console));
        if !console.json {
            found.iter().for_each(|finding| show(finding, console));
        }
        findings.extend(found);
    }
    let (go, verdict) = finding::verdict(&findings);
    if console.json {
        let list = findings.iter().map(|finding| {
            json!({
                "area": finding.area.name(), "level": finding.level.name(),
                "message": finding.text, "fix": finding.fix,
            })
        });
        let list: Vec<_> = list.collect();
        console.document(&json!({
            "schema": "foredeck.doctor/1", "findings": list, "go": go, "verdict": verdict,
        }))?;
    } else {
        console.say(&console.strong(&verdict));
    }
    Ok(if go { Code::Done } else { Code::Findings })
}

async fn examined(area: Area, args: &Doctor, console: Console) -> Vec<Finding> {
    match area {
        Area::Browser => {
            let (search, trial) = look::browser(args.browser_path.clone()).await;
            finding::browser(&search, trial.as_ref(), sandbox::decide(sandbox::facts()), System::here())
        }
        Area::Git => finding::git(look::git().await.as_ref()),
        Area::Kubectl => {
            let found = look::kubectl().await;
            finding::kubectl(found.as_ref().map(|(path, version)| (path.as_str(), version.as_deref())))
        }
        Area::Port => {
            let port = args.port.unwrap_or(server::PORT);
            finding::port(port, look::port(port).as_deref())
        }
        Area::Decks => {
            let input = args.decks.clone().map_or_else(super::default_input, Ok);
            let looked = input.map_err(|failure| failure.error.to_string()).and_then(|input| look::decks(&input));
            finding::decks(&looked)
        }
        Area::Rehearsal => {
            let input = args.decks.clone().map_or_else(super::default_input, Ok);
            let looked = match input.map_err(|failure| failure.error.to_string()) {
                Ok(input) => today::look(&input, console).await,
                Err(why) => Err(why),
            };
            match looked {
                Ok((decks, today)) => compare::compared(&decks, &today),
                Err(why) => compare::no_decks(&why),
            }
        }
    }
}

fn show(finding: &Finding, console: Console) {
    let Finding { area, level, text, fix } = finding;
    let line = format!("{:<8} {:<8} {text}", area.name(), level.name());
    match (level, fix) {
        (Level::Ok, _) | (_, None) => console.say(&line),
        (_, Some(fix)) => console.say(&format!("{line}; {fix}")),
    }
}
