//! How the simulated cloud behaves.

use std::time::Duration;

/// How long things take, and what decides over what looks random.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Names and jitter follow from it: the same seed gives the same run.
    pub seed: u64,
    /// How long things take.
    pub timings: Timings,
    /// Whether a cluster without control plane object becomes available with its control plane machines. The real
    /// core reports an internal error for such a cluster for ever.
    pub standalone_control_plane: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 0, timings: Timings::default(), standalone_control_plane: true }
    }
}

/// How long the stages of the simulated infrastructure take; those of the in-memory provider's own templates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timings {
    /// Network and load balancer.
    pub network: Duration,
    /// A virtual machine.
    pub vm: Duration,
    /// A node, once its machine is up.
    pub node: Duration,
    /// A member of etcd, once its node is there.
    pub etcd: Duration,
    /// An API server, once its node is there.
    pub api_server: Duration,
    /// Moving the pods off a node.
    pub drain: Duration,
    /// Taking a virtual machine down.
    pub delete: Duration,
    /// How much longer a stage may take, as a part of its duration.
    pub jitter: f64,
}

impl Default for Timings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            network: seconds(0),
            vm: seconds(10),
            node: seconds(2),
            etcd: seconds(2),
            api_server: seconds(2),
            drain: seconds(2),
            delete: seconds(0),
            jitter: 0.2,
        }
    }
}

impl Timings {
    /// Quick enough to watch: a cluster in about ten seconds.
    pub const STAGE: Self = Self {
        network: Duration::from_millis(500),
        vm: Duration::from_secs(3),
        node: Duration::from_secs(1),
        etcd: Duration::from_secs(1),
        api_server: Duration::from_secs(1),
        drain: Duration::from_secs(1),
        delete: Duration::from_millis(500),
        jitter: 0.3,
    };
}
