//! `demo`: a new talk with its live system, in a folder that goes afterwards.

use super::args::{Demo, Present};
use super::console::{Code, Console, Failure};
use super::passing::Passing;
use super::{new, present};

pub(super) fn run(args: Demo, console: Console) -> Result<Code, Failure> {
    let passing = Passing::new("foredeck-demo")?;
    new::make(passing.path())?;
    console.say("  A talk to try things with; it goes when foredeck ends. `foredeck new DIR` makes one that stays.");
    let Demo { serve, render, demo, console: console_args } = args;
    let inputs = vec![passing.path().to_path_buf()];
    present::run(Present { inputs, serve, render, meta: Default::default(), demo, console: console_args }, console)
}
