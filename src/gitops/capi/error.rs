//! Why the controllers do not run.

/// Why the controllers do not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The built-in definitions are wrong.
    #[error("the built-in table of kinds cannot be read: {0}")]
    Definitions(String),
    /// The API server does not take a definition.
    #[error("cannot install the definition of {name}; is the client allowed to make custom resource definitions?")]
    Install {
        /// The definition.
        name: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// The API server does not serve a kind that was defined.
    #[error("{name} was defined, but the API server did not start to serve it within {seconds} s")]
    NotServed {
        /// The definition.
        name: String,
        /// How long it had.
        seconds: u64,
    },
}
