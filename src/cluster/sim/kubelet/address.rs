//! Addresses for pods.

use core::net::Ipv4Addr;
use std::collections::HashMap;

use crate::cluster::api::store::Store;
use crate::cluster::object::Key;
use crate::cluster::sim::view::{Pod, view};

/// Who has which address.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    taken: HashMap<Ipv4Addr, Key>,
    /// Where the search goes on, by the third byte.
    next: HashMap<u8, u8>,
    /// How many are taken, by the third byte.
    count: HashMap<u8, u8>,
    begun: bool,
}

impl Addresses {
    /// An address for a pod, in the range of its node as long as that has one left.
    pub(super) fn take(&mut self, store: &Store, range: &str, pod: &Key) -> Option<Ipv4Addr> {
        self.begin(store);
        let third = range.split('.').nth(2).and_then(|part| part.parse::<u8>().ok()).unwrap_or(0);
        // The nodes' own ranges come first, then what lies behind all of them.
        let block = std::iter::once(third)
            .chain(128..=255)
            .find(|block| self.count.get(block).is_none_or(|count| *count < 253))?;
        let next = self.next.entry(block).or_insert(2);
        // Addresses are used again late, so that nobody mistakes a new pod for an old one.
        for _ in 0..253 {
            let address = Ipv4Addr::new(10, 244, block, *next);
            *next = if *next >= 254 { 2 } else { *next + 1 };
            if !self.taken.contains_key(&address) {
                self.keep(address, pod);
                return Some(address);
            }
        }
        None
    }

    /// Notes that a pod has an address.
    pub(super) fn keep(&mut self, address: Ipv4Addr, pod: &Key) {
        if self.taken.insert(address, pod.clone()).is_none() {
            let count = self.count.entry(address.octets()[2]).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Takes an address back.
    pub(super) fn give_back(&mut self, address: Ipv4Addr, pod: &Key) {
        if self.taken.get(&address) == Some(pod) {
            self.taken.remove(&address);
            if let Some(count) = self.count.get_mut(&address.octets()[2]) {
                *count = count.saturating_sub(1);
            }
        }
    }

    /// Reads who has what already, the first time.
    fn begin(&mut self, store: &Store) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        for stored in store.list("pods", "") {
            let pod: Pod = view(stored).unwrap_or_default();
            if let Ok(address) = pod.status.pod_ip.parse() {
                self.keep(address, &stored.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_unique_and_come_back_late() {
        let store = Store::default();
        let mut addresses = Addresses::default();
        let mut take = |name: &str| addresses.take(&store, "10.244.1.0/24", &Key::new("n", name));
        assert_eq!(take("a"), Some(Ipv4Addr::new(10, 244, 1, 2)));
        assert_eq!(take("b"), Some(Ipv4Addr::new(10, 244, 1, 3)));
        addresses.give_back(Ipv4Addr::new(10, 244, 1, 2), &Key::new("n", "somebody else"));
        addresses.give_back(Ipv4Addr::new(10, 244, 1, 3), &Key::new("n", "b"));
        let mut take = |name: &str| addresses.take(&store, "10.244.1.0/24", &Key::new("n", name));
        assert_eq!(take("c"), Some(Ipv4Addr::new(10, 244, 1, 4)));
        let many: std::collections::HashSet<_> = (0..600).map(|number| take(&number.to_string())).collect();
        assert_eq!(many.len(), 600);
        assert!(!many.contains(&None));
    }
}
