//! All integration tests, in one binary.

mod theme;
mod vectors {
    pub(crate) mod css;
}
