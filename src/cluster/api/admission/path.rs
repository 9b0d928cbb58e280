//! Where a field is: a path that costs nothing until somebody reads it.

use std::fmt;

/// A place in an object, as `spec.containers[0].image`. It borrows from the path it extends and is written out only
/// when an error names it.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    up: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Nothing,
    Member(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// The object itself.
    pub const ROOT: Path<'static> = Path { up: None, step: Step::Nothing };

    /// A member of the object itself.
    pub fn new(name: &'a str) -> Self {
        Self { up: None, step: Step::Member(name) }
    }

    /// A member.
    pub fn child<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path { up: Some(self), step: Step::Member(name) }
    }

    /// An item of a list.
    pub fn index<'b>(&'b self, index: usize) -> Path<'b> {
        Path { up: Some(self), step: Step::Index(index) }
    }

    /// An entry of a map.
    pub fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path { up: Some(self), step: Step::Key(key) }
    }
}

impl Path<'_> {
    /// Writes the path and tells whether anything was written.
    fn write(&self, out: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let begun = match self.up {
            Some(up) => up.write(out)?,
            None => false,
        };
        match self.step {
            Step::Nothing => return Ok(begun),
            Step::Member(name) if begun => write!(out, ".{name}")?,
            Step::Member(name) => out.write_str(name)?,
            Step::Index(index) => write!(out, "[{index}]")?,
            Step::Key(key) => write!(out, "[{key}]")?,
        }
        Ok(true)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(out).map(|_| ())
    }
}

impl From<Path<'_>> for String {
    fn from(path: Path<'_>) -> Self {
        path.to_string()
    }
}

impl From<&Path<'_>> for String {
    fn from(path: &Path<'_>) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_in_go() {
        let spec = Path::new("spec");
        let containers = spec.child("containers");
        assert_eq!(containers.index(0).child("image").to_string(), "spec.containers[0].image");
        assert_eq!(Path::ROOT.child("spec").child("nodeSelector").key("a/b").to_string(), "spec.nodeSelector[a/b]");
    }
}
