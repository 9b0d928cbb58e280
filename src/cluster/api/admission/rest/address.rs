//! IP addresses and ranges of them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::check::Check;

/// A range of addresses as written: the address with all its bits, and the length of the prefix.
pub(super) type Cidr = (IpAddr, u8);

/// Reads a range.
pub(super) fn cidr(value: &str) -> Option<Cidr> {
    let (address, length) = value.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let plain = length.bytes().all(|byte| byte.is_ascii_digit()) && (length.len() == 1 || !length.starts_with('0'));
    let length = length.parse::<u8>().ok().filter(|length| plain && *length <= most)?;
    Some((address, length))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn prefix_bits(address: IpAddr, length: u8) -> u128 {
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    bits(address) & mask
}

/// Whether a range holds an address.
pub(super) fn contains((start, length): Cidr, address: IpAddr) -> bool {
    start.is_ipv4() == address.is_ipv4() && prefix_bits(start, length) == prefix_bits(address, length)
}

/// The first address of a range, written as a range.
pub(super) fn network((start, length): Cidr) -> String {
    let first = prefix_bits(start, length);
    let first = match start {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits((first >> 96) as u32)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(first)),
    };
    format!("{first}/{length}")
}

/// The family of an address, as services name it.
pub(super) fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

impl Check<'_> {
    /// An IP address; gives it back when it is one.
    pub(super) fn ip(&mut self, field: &str, value: &str) -> Option<IpAddr> {
        let parsed: Option<IpAddr> = value.parse().ok();
        match parsed {
            None if has_leading_zero(value) => self.invalid(field, value, "must not have leading 0s"),
            None => self.invalid(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
            Some(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
                self.invalid(field, value, "must not be an IPv4-mapped IPv6 address");
            }
            Some(_) => {}
        }
        parsed
    }

    /// A range of addresses.
    pub(super) fn cidr(&mut self, field: &str, value: &str) -> Option<Cidr> {
        let parsed = cidr(value);
        let (address, length) = value.split_once('/').unwrap_or((value, ""));
        match parsed {
            None if has_leading_zero(address) || length.len() > 1 && length.starts_with('0') => {
                self.invalid(field, value, "must not have leading 0s in IP or prefix length");
            }
            None => self.invalid(field, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
            Some((IpAddr::V6(address), _)) if address.to_ipv4_mapped().is_some() => {
                self.invalid(field, value, "must not have an IPv4-mapped IPv6 address");
            }
            Some(range) if prefix_bits(range.0, range.1) != bits(range.0) => {
                self.invalid(field, value, "must not have bits set beyond the prefix length");
            }
            Some(_) => {}
        }
        parsed
    }

    /// An address that endpoints and external addresses may not be.
    pub(super) fn not_special(&mut self, field: &str, value: &str) {
        let Ok(address) = value.parse::<IpAddr>() else { return };
        let (link_local, multicast) = match address {
            IpAddr::V4(address) => (address.is_link_local(), address.octets().starts_with(&[224, 0, 0])),
            IpAddr::V6(address) => (address.is_unicast_link_local(), address.segments()[0] & 0xff0f == 0xff02),
        };
        if address.is_unspecified() {
            self.invalid(field, value, format!("may not be unspecified ({value})"));
        }
        if address.is_loopback() {
            self.invalid(field, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
        }
        if link_local {
            self.invalid(field, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
        }
        if multicast {
            self.invalid(field, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
        }
    }
}

fn has_leading_zero(value: &str) -> bool {
    let parts = || value.split('.');
    parts().count() == 4
        && parts().all(|part| part.parse::<u8>().is_ok())
        && parts().any(|part| part.len() > 1 && part.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let range = |text| cidr(text).unwrap();
        assert!(contains(range("10.96.0.0/16"), "10.96.255.1".parse().unwrap()));
        assert!(!contains(range("10.96.0.0/16"), "10.97.0.1".parse().unwrap()));
        assert!(!contains(range("::/0"), "10.97.0.1".parse().unwrap()));
        assert!(contains(range("0.0.0.0/0"), "10.97.0.1".parse().unwrap()));
        assert_eq!(network(range("10.9.8.7/24")), "10.9.8.0/24");
        assert_eq!(network(range("2001:db8::1/64")), "2001:db8::/64");
        for bad in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "x/8", "::/129", "10.0.0.0/+8"] {
            assert_eq!(cidr(bad), None, "{bad}");
        }
    }
}
