//! The place of a value in an object, as findings and errors tell it.

use super::Struct;

/// Where a value is: a list of steps that lives on the stack, since it is needed only when something is wrong.
pub(super) enum Place<'a> {
    /// The object itself.
    Root,
    /// A field of a type.
    Field(&'a Place<'a>, &'a str, &'a Struct),
    /// A key of a map.
    Key(&'a Place<'a>, &'a str),
    /// An item of a list.
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    /// The path with map keys and indexes, as `spec.containers[0].name`.
    pub(super) fn path(&self) -> String {
        let (parent, name) = match self {
            Self::Root => return String::new(),
            Self::Item(parent, index) => return format!("{}[{index}]", parent.path()),
            Self::Field(parent, name, _) | Self::Key(parent, name) => (parent.path(), name),
        };
        if parent.is_empty() { (*name).to_owned() } else { format!("{parent}.{name}") }
    }

    /// The finding of a field that is not known here.
    pub(super) fn unknown(&self, name: &str) -> String {
        format!("unknown field {:?}", Place::Key(self, name).path())
    }

    /// The names of struct fields on the way here, without map keys and indexes.
    pub(super) fn fields(&self) -> Vec<&str> {
        match self {
            Self::Root => Vec::new(),
            Self::Key(parent, _) | Self::Item(parent, _) => parent.fields(),
            Self::Field(parent, name, _) => {
                let mut fields = parent.fields();
                fields.push(name);
                fields
            }
        }
    }

    /// The type that the innermost field belongs to.
    pub(super) fn innermost_struct(&self) -> Option<&Struct> {
        match self {
            Self::Root => None,
            Self::Key(parent, _) | Self::Item(parent, _) => parent.innermost_struct(),
            Self::Field(_, _, kind) => Some(kind),
        }
    }
}
