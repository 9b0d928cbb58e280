//! Whether a loop can be left, as far as can be seen without playing it.

use super::syntax::{Command, Simple};

/// Commands that may end a loop, or of which nobody knows what they do.
const LEAVING: [&str; 9] = ["exit", "break", "return", "exec", "eval", "set", ".", "source", "continue"];

/// Whether a condition holds always.
pub(super) fn always_holds(condition: &[Command]) -> bool {
    let [Command::Simple(simple)] = condition else { return false };
    let words: Option<Vec<String>> = simple.words.iter().map(|word| word.literal()).collect();
    let words = words.unwrap_or_default();
    simple.redirects.is_empty() && matches!(words.as_slice(), [word] if word == "true" || word == ":")
}

/// Whether something in a list may leave the loop that it is the body of.
pub(super) fn may_leave(list: &[Command]) -> bool {
    list.iter().any(command_may_leave)
}

fn command_may_leave(command: &Command) -> bool {
    match command {
        Command::Simple(simple) => simple_may_leave(simple),
        Command::Pipeline { parts, .. } => may_leave(parts),
        Command::Chain { first, links } => {
            command_may_leave(first) || links.iter().any(|(_, command)| command_may_leave(command))
        }
        Command::Background(command) => command_may_leave(command),
        Command::If { branches, otherwise } => {
            branches.iter().any(|(condition, body)| may_leave(condition) || may_leave(body)) || may_leave(otherwise)
        }
        Command::Loop { condition, body, .. } => may_leave(condition) || may_leave(body),
        Command::For { body, .. } => may_leave(body),
        Command::Case { arms, .. } => arms.iter().any(|(_, body)| may_leave(body)),
        Command::Group { body, .. } => may_leave(body),
        Command::Function { .. } => true,
    }
}

fn simple_may_leave(simple: &Simple) -> bool {
    match simple.words.first() {
        None => false,
        Some(word) => word.literal().is_none_or(|name| LEAVING.contains(&name.as_str())),
    }
}
