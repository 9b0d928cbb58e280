//! Addresses, networks and URLs.

use std::net::IpAddr;
use std::rc::Rc;

use super::super::eval::{Answer, Fail};
use super::super::url::Url;
use super::super::value::{Map, Text, Val};
use super::{Functions, no_overload};

pub(super) const FUNCTIONS: Functions = &[
    ("ip", |arguments, _| match arguments {
        [Val::Text(text)] => address_or_error(text).map(Val::Ip),
        [Val::Cidr(address, _)] => Ok(Val::Ip(*address)),
        _ => no_overload(),
    }),
    ("isIP", |arguments, _| test_text(arguments, |text| address(text).is_some())),
    ("ip.isCanonical", |arguments, _| match arguments {
        [Val::Text(text)] => Ok(Val::Bool(address_or_error(text)?.to_string() == **text)),
        _ => no_overload(),
    }),
    ("family", |arguments, _| match arguments {
        [Val::Ip(IpAddr::V4(_))] => Ok(Val::Int(4)),
        [Val::Ip(IpAddr::V6(_))] => Ok(Val::Int(6)),
        _ => no_overload(),
    }),
    ("isUnspecified", |arguments, _| test_address(arguments, IpAddr::is_unspecified)),
    ("isLoopback", |arguments, _| test_address(arguments, IpAddr::is_loopback)),
    ("isLinkLocalMulticast", |arguments, _| {
        test_address(arguments, |address| match address {
            IpAddr::V4(address) => address.octets().starts_with(&[224, 0, 0]),
            IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
        })
    }),
    ("isLinkLocalUnicast", |arguments, _| test_address(arguments, is_link_local)),
    ("isGlobalUnicast", |arguments, _| {
        test_address(arguments, |address| {
            let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
            let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
            !broadcast && !special && !is_link_local(address)
        })
    }),
    ("cidr", |arguments, _| match arguments {
        [Val::Text(text)] => network_or_error(text).map(|(address, bits)| Val::Cidr(address, bits)),
        _ => no_overload(),
    }),
    ("isCIDR", |arguments, _| test_text(arguments, |text| network(text).is_some())),
    ("containsIP", |arguments, _| match arguments {
        [Val::Cidr(own, bits), Val::Ip(address)] => Ok(Val::Bool(contains(*own, *bits, *address))),
        [Val::Cidr(own, bits), Val::Text(text)] => Ok(Val::Bool(contains(*own, *bits, address_or_error(text)?))),
        _ => no_overload(),
    }),
    ("containsCIDR", |arguments, _| {
        let (own, bits, (address, other)) = match arguments {
            [Val::Cidr(own, bits), Val::Cidr(address, other)] => (*own, *bits, (*address, *other)),
            [Val::Cidr(own, bits), Val::Text(text)] => (*own, *bits, network_or_error(text)?),
            _ => return no_overload(),
        };
        Ok(Val::Bool(bits <= other && contains(own, bits, address)))
    }),
    ("masked", |arguments, _| match arguments {
        [Val::Cidr(address, bits)] => Ok(Val::Cidr(masked(*address, *bits), *bits)),
        _ => no_overload(),
    }),
    ("prefixLength", |arguments, _| match arguments {
        [Val::Cidr(_, bits)] => Ok(Val::Int((*bits).into())),
        _ => no_overload(),
    }),
    ("url", |arguments, budget| match arguments {
        [Val::Text(text)] => {
            budget.spend_text(text.len())?;
            match Url::parse(text) {
                Some(url) => Ok(Val::Url(Rc::new(url))),
                None => Err(format!(
                    "URL parse error during conversion from string: parse {:?}: invalid URI for request",
                    &**text
                )
                .into()),
            }
        }
        _ => no_overload(),
    }),
    ("isURL", |arguments, budget| match arguments {
        [Val::Text(text)] => {
            budget.spend_text(text.len())?;
            Ok(Val::Bool(Url::parse(text).is_some()))
        }
        _ => no_overload(),
    }),
    ("getScheme", |arguments, _| part(arguments, |url| url.scheme.clone())),
    ("getHost", |arguments, _| part(arguments, |url| url.host.clone())),
    ("getHostname", |arguments, _| part(arguments, |url| url.hostname().to_owned())),
    ("getPort", |arguments, _| part(arguments, |url| url.port().to_owned())),
    ("getEscapedPath", |arguments, _| part(arguments, Url::escaped_path)),
    ("getQuery", |arguments, budget| match arguments {
        [Val::Url(url)] => {
            let pairs = url.query();
            budget.spend(pairs.len().saturating_mul(pairs.len()))?;
            let mut values: Vec<(String, Vec<Val<'_>>)> = Vec::new();
            for (name, value) in pairs {
                match values.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, values)) => values.push(Val::text(value)),
                    None => values.push((name, vec![Val::text(value)])),
                }
            }
            let entries = values.into_iter().map(|(name, values)| (Val::text(name), Val::list(values)));
            Ok(Val::Map(Map::Made(Rc::new(entries.collect()))))
        }
        _ => no_overload(),
    }),
];

fn part<'a>(arguments: &[Val<'a>], part: fn(&Url) -> String) -> Answer<'a> {
    match arguments {
        [Val::Url(url)] => Ok(Val::Text(Text::Owned(part(url).into()))),
        _ => no_overload(),
    }
}

fn test_text<'a>(arguments: &[Val<'a>], test: fn(&str) -> bool) -> Answer<'a> {
    match arguments {
        [Val::Text(text)] => Ok(Val::Bool(test(text))),
        _ => no_overload(),
    }
}

fn test_address<'a>(arguments: &[Val<'a>], test: fn(&IpAddr) -> bool) -> Answer<'a> {
    match arguments {
        [Val::Ip(address)] => Ok(Val::Bool(test(address))),
        _ => no_overload(),
    }
}

/// An address; not an IPv4 one written as IPv6.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|address| !matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()))
}

fn address_or_error(text: &str) -> Result<IpAddr, Fail> {
    let given = text.parse::<IpAddr>().is_ok();
    address(text).ok_or_else(|| {
        Fail::Error(if given {
            format!("IPv4-mapped IPv6 address {text:?} is not allowed")
        } else {
            format!(
                "IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"
            )
        })
    })
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (text, length) = text.split_once('/')?;
    let address = address(text)?;
    let plain = length == "0" || !length.starts_with(['0', '+']);
    let bits = length.parse().ok().filter(|bits| plain && *bits <= width(address))?;
    Some((address, bits))
}

fn network_or_error(text: &str) -> Result<(IpAddr, u8), Fail> {
    network(text).ok_or_else(|| {
        let why = match text.split_once('/') {
            None => "no '/'".to_owned(),
            Some((own, _)) if address(own).is_none() => format!("ParseAddr({own:?}): unable to parse IP"),
            Some((_, length)) => format!("bad bits after slash: {length:?}"),
        };
        let what = "network address parse error during conversion from string";
        Fail::Error(format!("{what}: netip.ParsePrefix({text:?}): {why}"))
    })
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with only the first bits kept.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

fn contains(own: IpAddr, bits: u8, address: IpAddr) -> bool {
    own.is_ipv4() == address.is_ipv4() && masked(own, bits) == masked(address, bits)
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
