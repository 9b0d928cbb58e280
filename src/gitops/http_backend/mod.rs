//! Repositories over smart HTTP: a request → `git http-backend` → an answer, whatever server stands before it.

mod cgi;
mod serve;

pub use cgi::{Refusal, Request, Service, Target, may_push, route};
pub use serve::{Answer, Backend, Body};

#[cfg(test)]
mod tests;
