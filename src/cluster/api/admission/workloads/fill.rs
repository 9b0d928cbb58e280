//! Fills members of JSON objects in where Go would see a zero value.

use serde_json::Value;

use crate::cluster::object::Map;

/// The members of a place, which is made an object unless it is one.
pub(super) fn object(place: &mut Value) -> &mut Map {
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    match place {
        Value::Object(members) => members,
        _ => unreachable!("it was made an object just above"),
    }
}

/// The member of a name, made an object unless it is one.
pub(super) fn child<'a>(members: &'a mut Map, name: &str) -> &'a mut Map {
    if !members.contains_key(name) {
        members.insert(name.to_owned(), Value::Null);
    }
    match members.get_mut(name) {
        Some(place) => object(place),
        None => unreachable!("it was put in just above"),
    }
}

/// The member of a name, when it is an object.
pub(super) fn there<'a>(members: &'a mut Map, name: &str) -> Option<&'a mut Map> {
    members.get_mut(name).and_then(Value::as_object_mut)
}

/// The objects of a list; none when there is no list.
pub(super) fn each<'a>(members: &'a mut Map, name: &str) -> impl Iterator<Item = &'a mut Map> {
    let items = members.get_mut(name).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Fills in what is absent or null.
pub(super) fn absent(members: &mut Map, name: &str, value: impl Into<Value>) {
    if members.get(name).is_none_or(Value::is_null) {
        members.insert(name.to_owned(), value.into());
    }
}

/// Fills in what is absent, null, or an empty text.
pub(super) fn text(members: &mut Map, name: &str, value: &str) {
    if members.get(name).is_none_or(|old| old.is_null() || old == "") {
        members.insert(name.to_owned(), value.into());
    }
}

/// Fills in what is absent, null, or zero.
pub(super) fn number(members: &mut Map, name: &str, value: i64) {
    if members.get(name).is_none_or(|old| old.is_null() || old.as_i64() == Some(0)) {
        members.insert(name.to_owned(), value.into());
    }
}

/// Fills in an empty object where there is none.
pub(super) fn empty(members: &mut Map, name: &str) {
    absent(members, name, Map::new());
}
