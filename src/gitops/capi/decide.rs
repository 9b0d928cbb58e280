//! One look at everything: what each object's controller wants done.

use serde_json::Value;

use super::action::Pass;
use super::kind::Kind;
use super::world::Id;
use super::{azure, bootstrap, cluster, control_plane, health_check, machine, machine_deployment, machine_set};

/// A controller, as a function.
type Reconcile = for<'a> fn(&mut Pass<'a>, &'a Id, &'a Value);

/// Asks the controllers about all objects, always in the same order.
pub fn decide(pass: &mut Pass<'_>) {
    for kind in Kind::ALL {
        let reconcile: Reconcile = match kind {
            Kind::Cluster => cluster::reconcile,
            Kind::AzureCluster => azure::cluster,
            Kind::KubeadmControlPlane => control_plane::reconcile,
            Kind::MachineDeployment => machine_deployment::reconcile,
            Kind::MachineSet => machine_set::reconcile,
            Kind::MachineHealthCheck => health_check::reconcile,
            Kind::Machine => machine::reconcile,
            Kind::KubeadmConfig => bootstrap::config,
            Kind::AzureMachine => azure::machine,
            Kind::KubeadmConfigTemplate | Kind::AzureMachineTemplate | Kind::Secret => continue,
        };
        let objects: Vec<_> = pass.world.all(kind).collect();
        for (id, object) in objects {
            reconcile(pass, id, object);
        }
    }
}
