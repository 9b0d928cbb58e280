//! Service: cluster IPs, IP families and node ports, handed out or taken as asked for.

use core::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::address::{contains, family};
use super::check::{Check, same, texts};
use super::service::{KINDS, kind, needs_cluster_ip, needs_health_check, needs_node_ports, node_ports};
use crate::cluster::api::status::FieldError;
use crate::cluster::object::{self, at, int, list, map, set, text};

/// The range of cluster IPs.
const RANGE: (IpAddr, u8) = (IpAddr::V4(Ipv4Addr::new(10, 96, 0, 0)), 16);
/// Addresses and ports are first handed out above the part that people like to choose from.
const CHOSEN_ADDRESSES: u64 = 256;
const ADDRESSES: u64 = 1 << 16;
const FIRST_PORT: i64 = 30000;
const LAST_PORT: i64 = 32767;
const CHOSEN_PORTS: u64 = 86;

/// What asks whether an address is taken.
type TakenAddress<'a> = &'a dyn Fn(&str) -> bool;
/// What asks whether a port is taken.
type TakenPort<'a> = &'a dyn Fn(i64) -> bool;

/// Gives a service the cluster IPs, IP families and node ports that it needs and does not have, after defaults and
/// before validation. What an update leaves out is carried over from `old`. Addresses and ports of `old` itself do not
/// count as taken. Some place to begin is chosen by `random`.
pub fn allocate(
    service: &mut Value,
    old: Option<&Value>,
    taken_ip: TakenAddress<'_>,
    taken_port: TakenPort<'_>,
    random: u64,
) -> Result<(), Vec<FieldError>> {
    if let Some(old) = old {
        carry_over(service, old);
    }
    level_addresses(service, old);
    if kind(service) != "ExternalName" {
        families(service, old)?;
        addresses(service, old, taken_ip, random)?;
    }
    ports(service, old, taken_port, random)
}

/// Fills in what the writer left out and the server had given.
fn carry_over(new: &mut Value, old: &Value) {
    if needs_cluster_ip(old) && needs_cluster_ip(new) {
        if text(new, &["spec", "clusterIP"]).is_empty() {
            copy(new, old, &["spec", "clusterIP"]);
        }
        let unchanged = text(new, &["spec", "clusterIP"]) == text(old, &["spec", "clusterIP"]);
        if list(new, &["spec", "clusterIPs"]).is_empty() && unchanged {
            copy(new, old, &["spec", "clusterIPs"]);
        }
    }
    if needs_node_ports(old) && needs_node_ports(new) {
        carry_node_ports(new, old);
    }
    if needs_health_check(old) && needs_health_check(new) && number(new, &["spec", "healthCheckNodePort"]) == 0 {
        copy(new, old, &["spec", "healthCheckNodePort"]);
    }
}

/// Ports of the same name keep their node port, unless another port asks for it.
fn carry_node_ports(new: &mut Value, old: &Value) {
    let mut used: Vec<i64> = node_ports(new).filter(|port| *port != 0).collect();
    for port in new.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if number(port, &["nodePort"]) != 0 {
            continue;
        }
        let name = text(port, &["name"]);
        let before = list(old, &["spec", "ports"]).iter().rfind(|before| text(before, &["name"]) == name);
        let node_port = before.map_or(0, |before| number(before, &["nodePort"]));
        if node_port != 0 && !used.contains(&node_port) {
            set(port, &["nodePort"], node_port);
            used.push(node_port);
        }
    }
}

/// Makes `clusterIP` and `clusterIPs` say the same when the writer touched only one of them.
fn level_addresses(new: &mut Value, old: Option<&Value>) {
    let (one, all) = (["spec", "clusterIP"], ["spec", "clusterIPs"]);
    let single = text(new, &one).to_owned();
    let Some(old) = old else {
        if !single.is_empty() && list(new, &all).is_empty() {
            set(new, &all, json!([single]));
        }
        return;
    };
    let one_kept = text(old, &one) == single;
    let all_kept = same(at(new, &all), at(old, &all));
    let first = texts(new, &all).next().map(str::to_owned);
    match (one_kept, all_kept) {
        (false, true) if single.is_empty() => drop(object::remove(new, &all)),
        (false, _) if all_kept || list(new, &all).is_empty() => set(new, &all, json!([single])),
        (true, false) => match first {
            Some(first) => set(new, &one, first),
            None => drop(object::remove(new, &one)),
        },
        _ => {}
    }
}

const FAMILIES: [&str; 2] = ["spec", "ipFamilies"];
const POLICY: [&str; 2] = ["spec", "ipFamilyPolicy"];

/// Finds the IP families that go with the addresses, for a cluster that has IPv4 alone.
fn families(service: &mut Value, old: Option<&Value>) -> Result<(), Vec<FieldError>> {
    let headless = text(service, &["spec", "clusterIP"]) == "None";
    // without addresses and pods there is nothing that the cluster has to be able to do
    let free = headless && map(service, &["spec", "selector"]).is_none_or(serde_json::Map::is_empty);
    if text(service, &POLICY).is_empty() {
        let before = old.map_or("", |old| text(old, &POLICY));
        let first = if free { "RequireDualStack" } else { "SingleStack" };
        set(service, &POLICY, if before.is_empty() { first } else { before });
    }
    let mut errors = Vec::new();
    Check { kind: &KINDS[0], errors: &mut errors }.cluster_ips(service);
    settled(errors)?;
    let known = inferred_families(service)?;
    let known = if free { both_families(service, known) } else { configured_families(service, known)? };
    set(service, &FAMILIES, known);
    Ok(())
}

/// The families asked for, and those of the addresses asked for.
fn inferred_families(service: &Value) -> Result<Vec<String>, Vec<FieldError>> {
    let mut errors = Vec::new();
    if text(service, &POLICY) == "SingleStack" {
        let several = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
        for (member, what) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
            if list(service, &["spec", member]).len() == 2 {
                let hint = format!("{several} {what} are specified");
                errors.push(FieldError::invalid("spec.ipFamilyPolicy", "SingleStack", hint));
            }
        }
    }
    let mut known: Vec<String> = texts(service, &FAMILIES).map(str::to_owned).collect();
    for (index, address) in texts(service, &["spec", "clusterIPs"]).enumerate().skip(known.len()) {
        match address.parse::<IpAddr>().map(family) {
            Ok("IPv4") => known.push("IPv4".to_owned()),
            Ok(other) => {
                let all = at(service, &["spec", "clusterIPs"]).cloned().unwrap_or_default();
                let hint = format!("{other} is not configured on this cluster");
                errors.push(FieldError::invalid(format!("spec.clusterIPs[{index}]"), all, hint));
            }
            Err(_) => break,
        }
    }
    settled(errors).map(|()| known)
}

fn both_families(service: &Value, mut known: Vec<String>) -> Vec<String> {
    if known.is_empty() {
        known.push("IPv4".to_owned());
    }
    if let [only] = known.as_slice()
        && text(service, &POLICY) != "SingleStack"
    {
        known.push(if only == "IPv4" { "IPv6" } else { "IPv4" }.to_owned());
    }
    known
}

fn configured_families(service: &Value, mut known: Vec<String>) -> Result<Vec<String>, Vec<FieldError>> {
    let mut errors = Vec::new();
    if text(service, &POLICY) == "RequireDualStack" {
        let hint = "this cluster is not configured for dual-stack services";
        errors.push(FieldError::invalid("spec.ipFamilyPolicy", "RequireDualStack", hint));
    }
    for (index, name) in known.iter().enumerate().filter(|(_, name)| *name != "IPv4") {
        let hint = "not configured on this cluster";
        errors.push(FieldError::invalid(format!("spec.ipFamilies[{index}]"), name.as_str(), hint));
    }
    if known.is_empty() {
        known.push("IPv4".to_owned());
    }
    settled(errors).map(|()| known)
}

/// Hands an address out, or takes the one asked for, when the service begins to have one.
fn addresses(
    service: &mut Value,
    old: Option<&Value>,
    taken: TakenAddress<'_>,
    random: u64,
) -> Result<(), Vec<FieldError>> {
    let wanted: Vec<String> = texts(service, &["spec", "clusterIPs"]).map(str::to_owned).collect();
    let first = wanted.first().map_or("", String::as_str);
    if first == "None" || old.is_some_and(needs_cluster_ip) {
        return Ok(());
    }
    let refused = |hint: &str| Err(vec![FieldError::invalid("spec.clusterIPs", json!(wanted), hint)]);
    if first.is_empty() {
        let place = free_place(ADDRESSES - 2, CHOSEN_ADDRESSES, random, |place| taken(&nth_address(place + 1)));
        let Some(place) = place else { return refused("failed to allocate a serviceIP: range is full") };
        let address = nth_address(place + 1);
        set(service, &["spec", "clusterIP"], address.as_str());
        set(service, &["spec", "clusterIPs"], json!([address]));
        return Ok(());
    }
    let inside = first.parse::<IpAddr>().is_ok_and(|address| contains(RANGE, address));
    let edge = [nth_address(0), nth_address(ADDRESSES - 1)].iter().any(|edge| edge == first);
    let hint = match (inside, edge) {
        (false, _) => "the provided network does not match the current range",
        (true, true) => "provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/16",
        (true, false) if taken(first) => "provided IP is already allocated",
        (true, false) => return Ok(()),
    };
    refused(&format!("failed to allocate IP {first}: {hint}"))
}

fn nth_address(place: u64) -> String {
    Ipv4Addr::new(10, 96, (place >> 8) as u8, place as u8).to_string()
}

/// A place below `places` that is free: first of those from `chosen` on, beginning somewhere; then of the others.
fn free_place(places: u64, chosen: u64, random: u64, taken: impl Fn(u64) -> bool) -> Option<u64> {
    let around = |start: u64, count: u64| (0..count).map(move |step| start + (random % count + step) % count);
    around(chosen, places - chosen).chain(around(0, chosen)).find(|place| !taken(*place))
}

fn ports(service: &mut Value, old: Option<&Value>, taken: TakenPort<'_>, random: u64) -> Result<(), Vec<FieldError>> {
    let before: Vec<i64> = old
        .into_iter()
        .flat_map(|old| {
            node_ports(old)
                .chain([number(old, &["spec", "healthCheckNodePort"])])
                .filter(|port| *port != 0)
                .collect::<Vec<_>>()
        })
        .collect();
    let mut pool = Ports { before, handed_out: Vec::new(), taken, random };
    if matches!(kind(service), "NodePort" | "LoadBalancer") {
        node_ports_for(service, &mut pool)?;
    }
    if needs_health_check(service) {
        let asked = number(service, &["spec", "healthCheckNodePort"]);
        let port = if asked == 0 { pool.any() } else { pool.claim(asked) };
        let field = "spec.healthCheckNodePort";
        let port = port.map_err(|hint| vec![FieldError::invalid(field, asked, hint)])?;
        set(service, &["spec", "healthCheckNodePort"], port);
    }
    Ok(())
}

fn node_ports_for(service: &mut Value, pool: &mut Ports<'_>) -> Result<(), Vec<FieldError>> {
    let fill = needs_node_ports(service);
    // one number serves a port in several protocols
    let mut by_port: Vec<(i64, i64)> = Vec::new();
    let asked: Vec<(i64, i64)> = list(service, &["spec", "ports"])
        .iter()
        .map(|port| (number(port, &["port"]), number(port, &["nodePort"])))
        .collect();
    for (index, (port, wanted)) in asked.iter().copied().enumerate() {
        if wanted == 0 && !fill {
            continue;
        }
        let shared = by_port.iter().find(|(known, _)| *known == port).map(|(_, node_port)| *node_port);
        let named = asked.iter().find(|(known, node_port)| *known == port && *node_port != 0);
        let node_port = match (wanted, shared, named) {
            (0, Some(shared), _) => Ok(shared),
            (0, None, Some((_, later))) => pool.claim(*later),
            (0, None, None) => pool.any(),
            (wanted, Some(shared), _) if wanted == shared => Ok(wanted),
            (wanted, ..) => pool.claim(wanted),
        };
        let field = || format!("spec.ports[{index}].nodePort");
        let node_port = node_port.map_err(|hint| vec![FieldError::invalid(field(), wanted, hint)])?;
        by_port.push((port, node_port));
        if let Some(port) = service.pointer_mut("/spec/ports").and_then(|ports| ports.get_mut(index)) {
            set(port, &["nodePort"], node_port);
        }
    }
    Ok(())
}

/// The node ports of the cluster, as one service sees them.
struct Ports<'a> {
    before: Vec<i64>,
    handed_out: Vec<i64>,
    taken: TakenPort<'a>,
    random: u64,
}

impl Ports<'_> {
    fn is_taken(&self, port: i64) -> bool {
        self.handed_out.contains(&port) || (self.taken)(port) && !self.before.contains(&port)
    }

    fn claim(&mut self, port: i64) -> Result<i64, String> {
        if self.before.contains(&port) && !self.handed_out.contains(&port) {
            self.handed_out.push(port);
            return Ok(port);
        }
        if !(FIRST_PORT..=LAST_PORT).contains(&port) {
            let range = format!("The range of valid ports is {FIRST_PORT}-{LAST_PORT}");
            return Err(format!("provided port is not in the valid range. {range}"));
        }
        if self.is_taken(port) {
            return Err("provided port is already allocated".to_owned());
        }
        self.handed_out.push(port);
        Ok(port)
    }

    fn any(&mut self) -> Result<i64, String> {
        let places = (LAST_PORT - FIRST_PORT + 1).unsigned_abs();
        let place = |place: u64| FIRST_PORT + i64::try_from(place).unwrap_or(0);
        let start = self.random.wrapping_add(self.handed_out.len() as u64 * 977);
        let found =
            free_place(places, CHOSEN_PORTS, start, |at| self.is_taken(place(at)) || self.before.contains(&place(at)));
        let port = found.map(place).ok_or_else(|| "failed to allocate a nodePort: range is full".to_owned())?;
        self.handed_out.push(port);
        Ok(port)
    }
}

fn number(value: &Value, path: &[&str]) -> i64 {
    int(value, path).unwrap_or(0)
}

fn copy(new: &mut Value, old: &Value, path: &[&str]) {
    if let Some(value) = at(old, path) {
        set(new, path, value.clone());
    }
}

fn settled(errors: Vec<FieldError>) -> Result<(), Vec<FieldError>> {
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
