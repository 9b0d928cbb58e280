//! The `foredeck` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    foredeck::cli::run(std::env::args_os())
}
