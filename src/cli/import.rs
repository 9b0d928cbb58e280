//! `import`: another tool's slides → a Marp deck; its scenario → a workshop.

use std::path::Path;

use crate::deck::reveal;
use crate::diagnostic::{Severity, SourceFile};
use crate::export::write::write;
use crate::project::{Error, files};

use super::args::{Import, ImportFrom};
use super::console::{self, Code, Console, Failure};
use super::workshop::{self, import::Wanted};

pub(super) fn run(args: &Import, console: Console) -> Result<Code, Failure> {
    if args.from == ImportFrom::Killercoda {
        let wanted = Wanted { input: &args.input, output: args.output.as_deref(), force: args.force };
        return workshop::import::killercoda(&wanted, console);
    }
    let source = read(&args.input)?;
    let converted = reveal::to_marp(&source);
    let has_front_matter = converted.value.text.starts_with("---\n");
    let head = if has_front_matter { "" } else { "---\nmarp: true\n---\n\n" };
    let text = format!("{head}{}", converted.value.text);
    console.findings(&converted.diagnostics, &source, Severity::Warning);
    match &args.output {
        Some(output) if output != Path::new("-") => {
            write(output, text.as_bytes())?;
            console.say(&format!("{} => {}", args.input.display(), output.display()));
        }
        _ => console::data(&text)?,
    }
    Ok(Code::Done)
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<SourceFile, Failure> {
    use crate::project::files::Files as _;

    let (name, bytes) = if path == Path::new("-") {
        (Path::new("<stdin>"), standard_input()?)
    } else {
        let bytes = files::Disk.read(path);
        (path, bytes.map_err(|source| Error::Read { path: path.into(), source })?.to_vec())
    };
    let text = files::text(&bytes).map_err(|source| Error::Text { path: name.into(), source })?;
    Ok(SourceFile::new(name, text))
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;

    let failed = |source| Error::Read { path: "<stdin>".into(), source };
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(files::SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > files::SIZE_LIMIT {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()).into());
    }
    Ok(bytes)
}
