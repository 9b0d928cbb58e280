//! Which images are looked at.

/// Which images are looked at; the names are whole ones, as `index.docker.io/library/nginx`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Those that are; all when empty.
    pub include: Vec<String>,
    /// Those that are not, whatever the others say.
    pub exclude: Vec<String>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { include: Vec::new(), exclude: vec!["k8s.gcr.io/*".to_owned()] }
    }
}

impl Filter {
    /// Whether an image is looked at.
    pub fn takes(&self, name: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| glob(pattern, name));
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
    }
}

/// Whether a whole text fits a pattern in which `*` stands for anything, slashes too.
pub(in crate::registry) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut matched) = (0, 0);
    // Where the last star was, and how much of the text it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while matched < text.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, matched));
                at += 1;
            }
            (Some(byte), _) if text.get(matched) == Some(byte) => {
                at += 1;
                matched += 1;
            }
            (_, Some((place, eaten))) => {
                star = Some((place, eaten + 1));
                at = place + 1;
                matched = eaten + 1;
            }
            (_, None) => return false,
        }
    }
    pattern.get(at..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("k8s.gcr.io/*", "k8s.gcr.io/a/b", true),
            ("k8s.gcr.io/*", "k8s-gcr-io/a", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("a", "ab", false),
            ("ab", "a", false),
            ("", "", true),
            ("a?", "ab", false),
            ("*é*", "café au lait", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn exclusion_comes_first() {
        let filter = Filter { include: vec!["a/*".into()], exclude: vec!["*/x".into()] };
        assert!(filter.takes("a/b") && !filter.takes("a/x") && !filter.takes("b/b"));
        assert!(Filter::default().takes("ghcr.io/a") && !Filter::default().takes("k8s.gcr.io/pause"));
    }
}
