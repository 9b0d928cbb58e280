//! Tests of the table beyond the vectors.

use super::*;

fn said(status: &str, reason: &str, message: &str) -> Said {
    let since = Timestamp::from_second(0).ok();
    Said { status: status.into(), reason: reason.into(), message: message.into(), since, ..Said::default() }
}

fn item(kind: &str, name: &str, conditions: &[(&str, Said)]) -> Item {
    let conditions = conditions.iter().map(|(kind, said)| ((*kind).to_owned(), said.clone())).collect();
    Item { kind: kind.into(), name: name.into(), conditions, ..Item::default() }
}

fn example() -> Snapshot {
    let long = "* InfrastructureReady: AzureMachine status.initialization.provisioned is false and so it goes on and on for a while";
    let machine = |name: &str| Machine {
        item: item("Machine", name, &[("Ready", said("False", "NotReady", long))]),
        owner: "md".into(),
        ..Machine::default()
    };
    Snapshot {
        namespace: "default".into(),
        cluster: item("Cluster", "demo", &[("Available", said("True", "Available", ""))]),
        infrastructure: Some(item("AzureCluster", "demo", &[])),
        deployments: vec![item("MachineDeployment", "md", &[])],
        machines: vec![machine("a")],
        ..Snapshot::default()
    }
}

#[test]
fn long_messages_are_wrapped_beside_the_tree() {
    let now = Timestamp::from_second(90).unwrap();
    let text = text(&rows(&example(), &Options::default()), now);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "NAME                              REPLICAS  AVAILABLE  READY  UP TO DATE  STATUS  REASON     SINCE  MESSAGE",
            "Cluster default/demo                                                      True    Available  90s",
            "├─AzureCluster default/demo",
            "└─Workers",
            "  └─MachineDeployment default/md",
            "    └─Machine default/a           1         0          0      0           False   NotReady   90s    * InfrastructureReady: AzureMachine status.initialization.provisioned is false and so it goes on and",
            "                                                                                                      on for a while",
        ]
    );
}

#[test]
fn conditions_are_shown_when_asked_for() {
    let options = Options { conditions: vec!["Cluster".into()], ..Options::default() };
    let rows = rows(&example(), &options);
    let shown: Vec<String> =
        rows.iter().take(3).map(|row| format!("{}{} {}", row.prefix, row.name, row.status)).collect();
    assert_eq!(shown, ["Cluster default/demo ", "│           └─Available True", "├─AzureCluster default/demo "]);
}
