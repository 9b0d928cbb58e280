//! `workshop export`: the whole workshop as one text to take home.

use std::path::Path;

use super::args::ExportWorkshop;
use super::sound;
use crate::cli::console::{self, Code, Console, Failure};
use crate::render::{notes, template};
use crate::workshop::export;

pub(super) fn run(args: &ExportWorkshop, console: Console) -> Result<Code, Failure> {
    let loaded = sound(&args.which, console)?;
    let to_stdout = args.output == Path::new("-");
    let extension = args.output.extension().and_then(|extension| extension.to_str());
    let html = match (args.to.as_deref(), extension) {
        (Some(format), _) => format == "html",
        (None, Some("html" | "htm")) => true,
        (None, Some("md")) => false,
        (None, _) if to_stdout => false,
        (None, _) => {
            let failure = Failure::usage(format!("`{}` does not say what to make", args.output.display()));
            return Err(failure.hint("name a file that ends in .md or .html, or give `--to md|html`"));
        }
    };
    let text = export::markdown(&loaded.workshop, !args.no_solutions);
    let text = if html { page(&loaded.workshop.name, &text)? } else { text };
    if to_stdout {
        console::data(&text)?;
        return Ok(Code::Done);
    }
    let failed = |error: std::io::Error| {
        let what = format!("cannot write `{}`", args.output.display());
        Failure::new(Code::Environment, anyhow::Error::new(error).context(what))
    };
    // Beside it first: never half a file.
    let beside = args.output.with_extension("part");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &args.output)).map_err(failed)?;
    console.say(&format!("{} steps written to {}", loaded.workshop.steps.len(), args.output.display()));
    Ok(Code::Done)
}

fn page(name: &str, markdown: &str) -> Result<String, Failure> {
    let styles = ["base.css", "workshop.css"].map(|name| {
        let bytes = template::asset(name).unwrap_or_default();
        (name.to_owned(), serde_json::Value::String(String::from_utf8_lossy(&bytes).into_owned()))
    });
    let context = serde_json::json!({
        "title": name,
        "html": notes::prose(markdown),
        "inline": styles.into_iter().collect::<serde_json::Map<_, _>>(),
    });
    template::page("workshop-print.html", &context, |_| None).map_err(|error| Failure::new(Code::Environment, error))
}
