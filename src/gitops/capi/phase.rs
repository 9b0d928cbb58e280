//! The phases of clusters, machines and machine deployments, from what is known of them.

/// Which release's rules count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Those of v1alpha3.
    V1Alpha3,
    /// Those of v1beta2.
    V1Beta2,
}

/// What a cluster's phase depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClusterFacts {
    /// It names its infrastructure.
    pub infrastructure_ref: bool,
    /// It names its control plane.
    pub control_plane_ref: bool,
    /// The infrastructure is there.
    pub infrastructure_provisioned: bool,
    /// Host and port of the control plane are known.
    pub endpoint: bool,
    /// Something failed for good.
    pub failed: bool,
    /// It is being deleted.
    pub deleting: bool,
}

/// The phase of a cluster after another one. Later rules win.
pub fn cluster(rules: Rules, before: &str, facts: ClusterFacts) -> &str {
    let mut phase = if before.is_empty() { "Pending" } else { before };
    if facts.infrastructure_ref || (rules == Rules::V1Beta2 && facts.control_plane_ref) {
        phase = "Provisioning";
    }
    if facts.infrastructure_provisioned && facts.endpoint {
        phase = "Provisioned";
    }
    if rules == Rules::V1Alpha3 && facts.failed {
        phase = "Failed";
    }
    if facts.deleting {
        phase = "Deleting";
    }
    phase
}

/// What a machine's phase depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MachineFacts {
    /// Its bootstrap data is there.
    pub bootstrap_ready: bool,
    /// Its virtual machine is there.
    pub infrastructure_ready: bool,
    /// The virtual machine has told its id.
    pub provider_id: bool,
    /// Its node is known.
    pub node_ref: bool,
    /// It is updated in place.
    pub updating: bool,
    /// Something failed for good.
    pub failed: bool,
    /// It is being deleted.
    pub deleting: bool,
}

/// The phase of a machine after another one. Later rules win.
pub fn machine(rules: Rules, before: &str, facts: MachineFacts) -> &str {
    let new = rules == Rules::V1Beta2;
    let mut phase = if before.is_empty() { "Pending" } else { before };
    if facts.bootstrap_ready && !facts.infrastructure_ready {
        phase = "Provisioning";
    }
    if if new { facts.provider_id } else { facts.node_ref } {
        phase = "Provisioned";
    }
    if facts.node_ref && facts.infrastructure_ready {
        phase = "Running";
    }
    if new && facts.updating {
        phase = "Updating";
    }
    if !new && facts.failed {
        phase = "Failed";
    }
    if facts.deleting {
        phase = "Deleting";
    }
    phase
}

/// The phase of a machine deployment. During a surge it reads `ScalingDown`, as the real one does.
pub fn deployment(wanted: Option<i64>, machines: i64, deleting: bool) -> &'static str {
    match wanted {
        None => "Unknown",
        Some(_) if deleting => "ScalingDown",
        Some(wanted) if machines > wanted => "ScalingDown",
        Some(wanted) if machines < wanted => "ScalingUp",
        Some(_) => "Running",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_show_in_the_old_rules_alone() {
        let facts = ClusterFacts { failed: true, infrastructure_ref: true, ..ClusterFacts::default() };
        assert_eq!(cluster(Rules::V1Alpha3, "", facts), "Failed");
        assert_eq!(cluster(Rules::V1Beta2, "", facts), "Provisioning");
        let facts = MachineFacts { failed: true, bootstrap_ready: true, ..MachineFacts::default() };
        assert_eq!(machine(Rules::V1Alpha3, "", facts), "Failed");
        assert_eq!(machine(Rules::V1Beta2, "", facts), "Provisioning");
        assert_eq!(deployment(None, 2, true), "Unknown");
        assert_eq!(deployment(Some(2), 3, false), "ScalingDown");
    }
}
