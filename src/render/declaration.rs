//! Inline style declarations whose values come from the author.

/// Appends `property:value;` when the value is a whole CSS value; what follows a top-level `;` is cut off,
/// and a value that would break out of the declaration is dropped.
pub(super) fn push(style: &mut String, property: &str, value: &str) {
    let custom = property.starts_with("--");
    if let Some(value) = value_of(value, custom) {
        style.push_str(property);
        style.push(':');
        style.push_str(value);
        style.push(';');
    }
}

/// The part of `value` before the first top-level `;`; `None` when brackets or quotes do not match.
fn value_of(value: &str, custom: bool) -> Option<&str> {
    let mut open: Vec<char> = Vec::new();
    let mut end = value.len();
    let mut chars = value.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' | '\'' => loop {
                match chars.next()?.1 {
                    '\\' => {
                        chars.next();
                    }
                    d if d == c => break,
                    _ => {}
                }
            },
            '/' if value[i..].starts_with("/*") => {
                let close = value[i + 2..].find("*/")?;
                let target = i + 2 + close + 1;
                while chars.next()?.0 < target {}
            }
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' if custom => open.push('}'),
            '{' => return None,
            ')' | ']' | '}' if open.pop() != Some(c) => return None,
            ';' if open.is_empty() && end == value.len() => end = i,
            _ => {}
        }
    }
    let value = if custom { &value[..end] } else { value[..end].trim() };
    (open.is_empty() && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(property: &str, value: &str) -> String {
        let mut style = String::new();
        push(&mut style, property, value);
        style
    }

    #[test]
    fn values_stay_inside_their_declaration() {
        assert_eq!(declared("color", "red; font-size: 99px"), "color:red;");
        assert_eq!(declared("color", "red; } body { display: none"), "");
        assert_eq!(declared("color", "rgb(1, 2"), "");
        assert_eq!(declared("background-image", "url(a;b.png)"), "background-image:url(a;b.png);");
        assert_eq!(declared("--style", "h1 { color: red; }"), "--style:h1 { color: red; };");
        assert_eq!(declared("color", "'a"), "");
        assert_eq!(declared("color", "red /* ; } */"), "color:red /* ; } */;");
    }
}
