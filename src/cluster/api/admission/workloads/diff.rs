//! The unified difference of two texts, line for line as Python's `difflib` and its Go port make it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Longer texts are not compared: it would take too long, and nobody would read the result.
const LINES_MOST: usize = 20_000;

/// A run of lines that both texts have.
#[derive(Clone, Copy)]
struct Match {
    a: usize,
    b: usize,
    len: usize,
}

/// What becomes of a range of lines: the same, or replaced (by nothing, or instead of nothing).
#[derive(Clone)]
struct Step {
    same: bool,
    a: Range<usize>,
    b: Range<usize>,
}

/// `@@ -1,4 +1,4 @@` and the lines, for each group of changes; empty when nothing differs.
pub(super) fn unified(a: &str, b: &str) -> String {
    let (a, b): (Vec<_>, Vec<_>) = (a.split('\n').collect(), b.split('\n').collect());
    let mut out = String::new();
    if a.len() > LINES_MOST || b.len() > LINES_MOST {
        return out;
    }
    for group in groups(&steps(&a, &b)) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        // Writing to a text cannot fail.
        let _ = writeln!(out, "@@ -{} +{} @@", shown(first.a.start..last.a.end), shown(first.b.start..last.b.end));
        for step in &group {
            let old = if step.same { ' ' } else { '-' };
            step.a.clone().for_each(|line| push(&mut out, old, a.get(line)));
            if !step.same {
                step.b.clone().for_each(|line| push(&mut out, '+', b.get(line)));
            }
        }
    }
    out
}

fn push(out: &mut String, sign: char, line: Option<&&str>) {
    out.push(sign);
    out.push_str(line.copied().unwrap_or(""));
    out.push('\n');
}

fn shown(lines: Range<usize>) -> String {
    match lines.len() {
        1 => format!("{}", lines.start + 1),
        0 => format!("{},0", lines.start),
        len => format!("{},{len}", lines.start + 1),
    }
}

/// Groups of changes with their context, apart from each other by more than twice the context.
fn groups(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut steps = steps.to_vec();
    if let Some(first) = steps.first_mut().filter(|step| step.same) {
        *first = tail(first);
    }
    if let Some(last) = steps.last_mut().filter(|step| step.same) {
        *last = head(last);
    }
    let mut groups = Vec::new();
    let mut group = Vec::new();
    for step in steps {
        if step.same && step.a.len() > 2 * CONTEXT {
            group.push(head(&step));
            groups.push(std::mem::take(&mut group));
            group.push(tail(&step));
        } else {
            group.push(step);
        }
    }
    groups.push(group);
    groups.retain(|group| group.iter().any(|step| !step.same));
    groups
}

fn head(step: &Step) -> Step {
    let end = |range: &Range<usize>| range.start..range.end.min(range.start + CONTEXT);
    Step { same: true, a: end(&step.a), b: end(&step.b) }
}

fn tail(step: &Step) -> Step {
    let start = |range: &Range<usize>| range.start.max(range.end.saturating_sub(CONTEXT))..range.end;
    Step { same: true, a: start(&step.a), b: start(&step.b) }
}

fn steps(a: &[&str], b: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut i, mut j) = (0, 0);
    let end = Match { a: a.len(), b: b.len(), len: 0 };
    for found in matches(a, b).into_iter().chain([end]) {
        if i < found.a || j < found.b {
            steps.push(Step { same: false, a: i..found.a, b: j..found.b });
        }
        (i, j) = (found.a + found.len, found.b + found.len);
        if found.len > 0 {
            steps.push(Step { same: true, a: found.a..i, b: found.b..j });
        }
    }
    steps
}

/// The runs that both texts have, in order, those that touch each other made one.
fn matches(a: &[&str], b: &[&str]) -> Vec<Match> {
    let places = places(b);
    let mut open = vec![(0..a.len(), 0..b.len())];
    let mut found = Vec::new();
    while let Some((in_a, in_b)) = open.pop() {
        let best = longest(a, b, &places, &in_a, &in_b);
        if best.len == 0 {
            continue;
        }
        let before = (in_a.start..best.a, in_b.start..best.b);
        let behind = (best.a + best.len..in_a.end, best.b + best.len..in_b.end);
        open.extend([before, behind].into_iter().filter(|(a, b)| !a.is_empty() && !b.is_empty()));
        found.push(best);
    }
    found.sort_by_key(|found| found.a);
    let mut joined: Vec<Match> = Vec::new();
    for next in found {
        match joined.last_mut() {
            Some(last) if last.a + last.len == next.a && last.b + last.len == next.b => last.len += next.len,
            _ => joined.push(next),
        }
    }
    joined
}

/// Where each line is; lines that are everywhere in a long text start no match.
fn places<'a>(lines: &[&'a str]) -> HashMap<&'a str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, &line) in lines.iter().enumerate() {
        places.entry(line).or_default().push(index);
    }
    if lines.len() >= 200 {
        places.retain(|_, indices| indices.len() <= lines.len() / 100 + 1);
    }
    places
}

fn longest(
    a: &[&str],
    b: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    in_a: &Range<usize>,
    in_b: &Range<usize>,
) -> Match {
    let mut best = Match { a: in_a.start, b: in_b.start, len: 0 };
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for i in in_a.clone() {
        let mut next = HashMap::new();
        let at = a.get(i).and_then(|line| places.get(line)).into_iter().flatten();
        for &j in at.filter(|j| in_b.contains(j)) {
            let len = j.checked_sub(1).and_then(|before| lengths.get(&before)).unwrap_or(&0) + 1;
            next.insert(j, len);
            if len > best.len {
                best = Match { a: i + 1 - len, b: j + 1 - len, len };
            }
        }
        lengths = next;
    }
    while best.a > in_a.start && best.b > in_b.start && a.get(best.a - 1) == b.get(best.b - 1) {
        best = Match { a: best.a - 1, b: best.b - 1, len: best.len + 1 };
    }
    while best.a + best.len < in_a.end
        && best.b + best.len < in_b.end
        && a.get(best.a + best.len) == b.get(best.b + best.len)
    {
        best.len += 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn changes_are_shown_with_three_lines_around() {
        let lines = |changed: &str| {
            let line = |number: usize| if number == 10 { changed.to_owned() } else { format!("line {number}") };
            (1..=20).map(line).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(
            unified(&lines("old"), &lines("new")),
            "@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-old\n+new\n line 11\n line 12\n line 13\n"
        );
        assert_eq!(unified("a\nb", "a\nb"), "");
        assert_eq!(unified("a", "b"), "@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(unified("a\nb", "a"), "@@ -1,2 +1 @@\n a\n-b\n");
    }

    /// What the difference makes of the first text.
    fn applied(a: &str, diff: &str) -> Option<String> {
        let a: Vec<_> = a.split('\n').collect();
        let (mut out, mut at) = (Vec::new(), 0);
        for line in diff.lines() {
            if let Some(header) = line.strip_prefix("@@ -") {
                let range = header.split(' ').next()?;
                let (start, len) = range.split_once(',').unwrap_or((range, "1"));
                let start = start.parse::<usize>().ok()?.checked_sub(usize::from(len != "0"))?;
                out.extend(a.get(at..start)?);
                at = start;
            } else if let Some(added) = line.strip_prefix('+') {
                out.push(added);
            } else {
                if line.starts_with(' ') {
                    out.push(line.get(1..)?);
                }
                at += 1;
            }
        }
        out.extend(a.get(at..)?);
        Some(out.join("\n"))
    }

    proptest! {
        #[test]
        fn the_difference_leads_from_one_to_the_other(
            a in proptest::collection::vec("[abc]", 1..40),
            b in proptest::collection::vec("[abc]", 1..40),
        ) {
            let (a, b) = (a.join("\n"), b.join("\n"));
            prop_assert_eq!(applied(&a, &unified(&a, &b)), Some(b));
        }
    }
}
