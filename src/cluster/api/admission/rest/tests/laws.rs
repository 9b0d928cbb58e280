//! What holds for every kind and any object.

use super::super::{FAMILIES, generation_changes, warnings};
use super::*;
use proptest::prelude::*;

/// Names that kinds have for their members, so that random objects get somewhere.
const MEMBERS: [&str; 40] = [
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "spec",
    "status",
    "type",
    "data",
    "stringData",
    "ports",
    "port",
    "targetPort",
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "limits",
    "max",
    "min",
    "default",
    "hard",
    "scopes",
    "rules",
    "http",
    "paths",
    "backend",
    "service",
    "ingress",
    "from",
    "ipBlock",
    "cidr",
    "except",
    "metrics",
    "resource",
    "target",
    "behavior",
    "subsets",
    "endpoints",
];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..70_000_i64).prop_map(Value::from),
        "(|None|x|Bad_|-|10\\.0\\.0\\.1(/8)?|1Gi|50%|ClusterIP|NodePort|Container|Resource|\\PC{0,6})"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((0..MEMBERS.len(), inner), 0..8).prop_map(|members| {
                members.into_iter().map(|(index, value)| (MEMBERS[index].to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_object_is_too_strange(object in anything(), old in anything()) {
        for known in FAMILIES.iter().copied().flatten() {
            let kind = GroupKind::new(known.group, known.kind);
            let mut errors = Vec::new();
            let mut new = object.clone();
            defaults(&kind, &mut new);
            let mut again = new.clone();
            defaults(&kind, &mut again);
            prop_assert_eq!(&again, &new, "{}: defaults twice", kind);
            let _ = super::super::allocate(&mut again, None, &|_| false, &|_| false, 1);
            let _ = super::super::allocate(&mut again, Some(&old), &|_| true, &|_| true, 2);
            before_create(&kind, &mut again);
            validate(&kind, &again, None, &mut errors);
            before_update(&kind, &mut new, &old);
            validate(&kind, &new, Some(&old), &mut errors);
            let _ = (warnings(&kind, &new, Some(&old)), generation_changes(&kind, &new, &old));
            prop_assert_eq!(generation_changes(&kind, &new, &new), Some(false));
        }
    }

    #[test]
    fn events_keep_what_they_say(object in anything()) {
        let mut event = object;
        defaults(&kind("Event"), &mut event);
        prop_assert_eq!(super::super::event::to_core(super::super::event::to_events(event.clone())), event);
    }
}
