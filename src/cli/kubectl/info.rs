//! `version`, `api-resources` and `api-versions`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::flags::Arguments;
use super::problem::Problem;
use super::session::Session;
use super::table::Tabs;
use crate::cluster::{object, yaml};

/// What `version` says the client is.
const CLIENT: &str = concat!("foredeck ", env!("CARGO_PKG_VERSION"));

/// Runs `version`.
pub(super) async fn version(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let client_only = arguments.on("client");
    let server = if client_only { Ok(Value::Null) } else { session.get("/version").await };
    let known = server.as_ref().ok().filter(|server| !server.is_null());
    let mut document = json!({ "clientVersion": { "gitVersion": CLIENT } });
    if let Some(server) = known {
        object::set(&mut document, &["serverVersion"], server.clone());
    }
    match arguments.text("output").unwrap_or("") {
        "" => {
            session.line(&format!("Client Version: {CLIENT}"))?;
            if let Some(server) = known {
                session.line(&format!("Server Version: {}", object::text(server, &["gitVersion"])))?;
            }
        }
        "json" => session.print(&format!("{document:#}\n"))?,
        "yaml" => session.print(&yaml::text(&document))?,
        _ => return Err(Problem::said("--output must be 'yaml' or 'json'")),
    }
    server.map(drop)
}

/// Runs `api-versions`.
pub(super) async fn api_versions(session: &mut Session<'_>) -> Result<(), Problem> {
    let resources = &session.resources().await?.all;
    let versions: BTreeSet<String> = resources.iter().map(super::resources::Resource::api_version).collect();
    let lines: String = versions.iter().map(|version| format!("{version}\n")).collect();
    session.print(&lines)
}

/// Runs `api-resources`.
pub(super) async fn api_resources(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    if !arguments.words.is_empty() {
        return Err(Problem::said(format!(
            "unexpected arguments: [{}]\nSee 'kubectl api-resources -h' for help and examples",
            arguments.words.join(" ")
        )));
    }
    let output = arguments.text("output").unwrap_or("");
    if !matches!(output, "" | "name" | "wide") {
        return Err(Problem::said(format!("--output {output} is not available")));
    }
    let verbs: Vec<&str> = arguments.all("verbs").into_iter().flat_map(|verbs| verbs.split(',')).collect();
    let categories: Vec<&str> = arguments.all("categories").into_iter().flat_map(|names| names.split(',')).collect();
    let group = arguments.text("api-group").map(str::to_owned);
    let namespaced = arguments.text("namespaced").map(|_| arguments.on("namespaced"));
    let mut found: Vec<_> = session.resources().await?.all.clone();
    found.retain(|resource| {
        group.as_ref().is_none_or(|group| resource.group == *group)
            && namespaced.is_none_or(|namespaced| resource.namespaced == namespaced)
            && verbs.iter().all(|verb| resource.can(verb))
            && categories.iter().all(|name| resource.categories.iter().any(|known| known == name))
            && !resource.verbs.is_empty()
    });
    // Of several versions the first is the preferred one.
    let mut seen = BTreeSet::new();
    found.retain(|resource| seen.insert((resource.group.clone(), resource.plural.clone())));
    // The core group first, then groups by name; kinds by name within.
    found.sort_by(|one, other| (&one.group, &one.plural).cmp(&(&other.group, &other.plural)));
    if output == "name" {
        let lines: String = found.iter().map(|resource| format!("{}\n", resource.qualified())).collect();
        return session.print(&lines);
    }
    let wide = output == "wide";
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !arguments.on("no-headers") {
        let mut header = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
        if wide {
            header.extend(["VERBS", "CATEGORIES"]);
        }
        rows.push(header.into_iter().map(str::to_owned).collect());
    }
    rows.extend(found.iter().map(|resource| {
        let mut row = vec![
            resource.plural.clone(),
            resource.short_names.join(","),
            resource.api_version(),
            resource.namespaced.to_string(),
            resource.kind.clone(),
        ];
        if wide {
            row.extend([resource.verbs.join(","), resource.categories.join(",")]);
        }
        row
    }));
    session.print(&Tabs::default().lay(&rows))
}
