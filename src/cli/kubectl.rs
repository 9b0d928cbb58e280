//! `kubectl`
use super::console::{Code, Console, Failure};
use std::ffi::OsString;
pub(super) fn run(_arguments: Vec<OsString>, _console: Console) -> Result<Code, Failure> {
    Ok(Code::Done)
}
