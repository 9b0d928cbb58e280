//! Builders and readers that tests share.

pub(crate) mod dom;
