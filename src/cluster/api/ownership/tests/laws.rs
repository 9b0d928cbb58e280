//! What holds for all objects.

use proptest::prelude::*;

use super::*;
use crate::cluster::api::ownership::extract::fields;

proptest! {
    #[test]
    fn applying_twice_changes_nothing(spec in any_spec(), other in any_spec()) {
        let mut server = Server::of_custom();
        server.create("c", json!({"metadata": {"name": "x"}, "spec": other}));
        let _ = server.try_apply("a", json!({"spec": spec}), true);
        let once = server.live.clone();
        server.apply("a", json!({"spec": spec}));
        prop_assert_eq!(server.live, once);
    }

    #[test]
    fn what_is_applied_is_there_and_owned(spec in any_spec(), other in any_spec()) {
        let mut server = Server::of_custom();
        server.apply("b", json!({"spec": other}));
        prop_assert_eq!(server.try_apply("a", json!({"spec": spec}), true), Ok(()));
        let wanted = fields(&server.kind, &json!({"spec": spec}));
        prop_assert_eq!(Set::parse(&server.fields("a")).unwrap_or_default(), wanted.clone());
        let live = fields(&server.kind, server.live.as_ref().unwrap());
        prop_assert!(wanted.difference(&live).is_empty(), "{wanted:?} {live:?}");
    }

    #[test]
    fn applying_and_letting_go_gives_back(spec in any_spec(), other in any_spec()) {
        let mut server = Server::of_custom();
        server.apply("b", json!({"spec": other}));
        let before = server.live.clone();
        if server.try_apply("a", json!({"spec": spec}), false).is_ok() {
            server.apply("a", json!({}));
            let same = |live: &Option<Value>| {
                let mut live = live.clone().unwrap_or_default();
                remove(&mut live, &["metadata"]);
                fields(&server.kind, &live)
            };
            prop_assert_eq!(same(&server.live), same(&before));
            prop_assert_eq!(server.fields("b"), Server { live: before, ..Server::of_custom() }.fields("b"));
        }
    }

    #[test]
    fn a_disjoint_application_leaves_the_set_of_the_first(spec in any_spec()) {
        let mut server = Server::of_custom();
        server.apply("a", json!({"spec": spec}));
        let (fields, before) = (server.fields("a"), server.at("/spec"));
        server.apply("b", json!({"metadata": {"labels": {"b": "1"}}}));
        prop_assert_eq!(server.fields("a"), fields);
        prop_assert_eq!(server.at("/spec"), before);
    }

    #[test]
    fn everything_belongs_to_whoever_wrote_it_last(first in any_spec(), second in any_spec()) {
        let mut server = Server::of_custom();
        server.create("a", json!({"metadata": {"name": "x"}, "spec": first}));
        server.update("b", |new| new["spec"] = second);
        let (a, b) = (server.fields("a"), server.fields("b"));
        let (a, b) = (Set::parse(&a).unwrap_or_default(), Set::parse(&b).unwrap_or_default());
        if server.fields("a") != Value::Null && server.fields("b") != Value::Null {
            prop_assert!(a.intersection(&b).is_empty());
        }
    }

    #[test]
    fn random_objects_never_panic(old in any_value(), new in any_value(), applied in any_value(), force in any::<bool>()) {
        let ignored = Set::default();
        for kind in [custom(), built_in("v1/Pod")] {
            let manager = Manager { name: "kubectl", api_version: "v1", subresource: "", ignored: &ignored };
            let object = |spec: &Value| json!({"apiVersion": "v1", "metadata": spec, "spec": spec});
            let mut written = object(&new);
            update(&kind, Some(&object(&old)), &mut written, &manager, "now");
            for (live, applied) in [(&object(&old), &object(&applied)), (&old, &applied)] {
                let _ = apply(&kind, Some(live), applied, &manager, force, "now");
            }
        }
    }
}
