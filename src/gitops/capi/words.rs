//! Labels, annotations, finalizers and fixed words of Cluster API.

/// The label with a cluster's name, on everything of it.
pub const CLUSTER: &str = "cluster.x-k8s.io/cluster-name";
/// The label of control plane machines; being there counts, not the value.
pub const CONTROL_PLANE: &str = "cluster.x-k8s.io/control-plane";
/// The label with a machine deployment's name.
pub const DEPLOYMENT: &str = "cluster.x-k8s.io/deployment-name";
/// The label with a machine set's name.
pub const SET: &str = "cluster.x-k8s.io/set-name";
/// The label with the hash of a template.
pub const TEMPLATE_HASH: &str = "machine-template-hash";
/// The annotation that stops work on an object.
pub const PAUSED: &str = "cluster.x-k8s.io/paused";
/// The annotation that puts a machine first when machines are deleted.
pub const DELETE_FIRST: &str = "cluster.x-k8s.io/delete-machine";
/// The annotation that lets a machine go without draining its node.
pub const NO_DRAIN: &str = "machine.cluster.x-k8s.io/exclude-node-draining";
/// Annotations that hold a deletion before draining begin so.
pub const PRE_DRAIN: &str = "pre-drain.delete.hook.machine.cluster.x-k8s.io";
/// Annotations that hold a deletion after draining begin so.
pub const PRE_TERMINATE: &str = "pre-terminate.delete.hook.machine.cluster.x-k8s.io";
/// The annotation with the name of the template that an object was made from.
pub const CLONED_NAME: &str = "cluster.x-k8s.io/cloned-from-name";
/// The annotation with the kind of that template.
pub const CLONED_KIND: &str = "cluster.x-k8s.io/cloned-from-groupkind";
/// The annotation of a machine deployment's sets with its revision.
pub const REVISION: &str = "machinedeployment.clusters.x-k8s.io/revision";
/// The annotation with the hash of what a control plane wanted of a machine.
pub const CONFIG_HASH: &str = "controlplane.cluster.x-k8s.io/kubeadm-config-hash";
/// The annotation of simulated machines that have started up.
pub const BOOTSTRAPPED: &str = "machine.inmemory.infrastructure.cluster.x-k8s.io/bootstrapped";
/// The annotation that makes a simulated machine fail: `vm` never starts, `node` never appears, or is lost.
pub const FAULT: &str = "machine.inmemory.infrastructure.cluster.x-k8s.io/fault";
/// The annotation that has a machine replaced.
pub const REMEDIATE: &str = "cluster.x-k8s.io/remediate-machine";
/// The annotation that keeps health checks off a machine.
pub const SKIP_REMEDIATION: &str = "cluster.x-k8s.io/skip-remediation";
/// The type of secrets of a cluster.
pub const SECRET: &str = "cluster.x-k8s.io/secret";

/// The finalizer of each kind that has one.
pub const FINALIZERS: [(super::kind::Kind, &str); 7] = {
    use super::kind::Kind;
    [
        (Kind::Cluster, "cluster.cluster.x-k8s.io"),
        (Kind::Machine, "machine.cluster.x-k8s.io"),
        (Kind::MachineDeployment, "cluster.x-k8s.io/machinedeployment"),
        (Kind::MachineSet, "cluster.x-k8s.io/machineset"),
        (Kind::KubeadmControlPlane, "kubeadm.controlplane.cluster.x-k8s.io"),
        (Kind::AzureCluster, "azurecluster.infrastructure.cluster.x-k8s.io"),
        (Kind::AzureMachine, "azuremachine.infrastructure.cluster.x-k8s.io"),
    ]
};
