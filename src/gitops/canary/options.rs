//! How the controller of canaries is to behave.

use std::time::Duration;

use super::machine::Oddities;

/// Who measures where a Canary does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Metrics {
    /// The counters of the simulated requests.
    #[default]
    BuiltIn,
    /// The Prometheus at this address.
    Prometheus(String),
}

/// How the controller is to behave.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Who moves traffic where a Canary does not say; `kubernetes` for nobody.
    pub provider: String,
    /// Who measures.
    pub metrics: Metrics,
    /// The shortest time between two ticks.
    pub shortest_interval: Duration,
    /// Which oddities of the original are kept.
    pub oddities: Oddities,
    /// Which of all possible fleets of followers there is.
    pub seed: u64,
    /// How many requests per second they send.
    pub followers: f64,
    /// Whether hooks of load testers in the cluster are answered here.
    pub load_tester: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            provider: "istio".to_owned(),
            metrics: Metrics::BuiltIn,
            shortest_interval: Duration::from_secs(10),
            oddities: Oddities::Mended,
            seed: 1,
            followers: 40.0,
            load_tester: true,
        }
    }
}
