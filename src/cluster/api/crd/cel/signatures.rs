//! Which functions there are, and for which types: CEL's own and those that Kubernetes adds.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::types::Type;

/// `name(arguments) -> result`, or `target.name(arguments) -> result`.
const SIGNATURES: &str = "
!_(bool) -> bool
-_(int) -> int
-_(double) -> double
_==_(A, A) -> bool
_!=_(A, A) -> bool
_<_(A, A) -> bool
_<=_(A, A) -> bool
_>_(A, A) -> bool
_>=_(A, A) -> bool
@in(A, list<A>) -> bool
@in(A, map<A,B>) -> bool
_+_(int, int) -> int
_+_(uint, uint) -> uint
_+_(double, double) -> double
_+_(string, string) -> string
_+_(bytes, bytes) -> bytes
_+_(list<A>, list<A>) -> list<A>
_+_(duration, duration) -> duration
_+_(timestamp, duration) -> timestamp
_+_(duration, timestamp) -> timestamp
_-_(int, int) -> int
_-_(uint, uint) -> uint
_-_(double, double) -> double
_-_(duration, duration) -> duration
_-_(timestamp, timestamp) -> duration
_-_(timestamp, duration) -> timestamp
_*_(int, int) -> int
_*_(uint, uint) -> uint
_*_(double, double) -> double
_/_(int, int) -> int
_/_(uint, uint) -> uint
_/_(double, double) -> double
_%_(int, int) -> int
_%_(uint, uint) -> uint
size(string) -> int
size(bytes) -> int
size(list<A>) -> int
size(map<A,B>) -> int
string.size() -> int
bytes.size() -> int
list<A>.size() -> int
map<A,B>.size() -> int
type(A) -> type
dyn(A) -> dyn
bool(bool) -> bool
bool(string) -> bool
int(int) -> int
int(uint) -> int
int(double) -> int
int(string) -> int
int(timestamp) -> int
uint(uint) -> uint
uint(int) -> uint
uint(double) -> uint
uint(string) -> uint
double(double) -> double
double(int) -> double
double(uint) -> double
double(string) -> double
string(string) -> string
string(bool) -> string
string(int) -> string
string(uint) -> string
string(double) -> string
string(bytes) -> string
string(timestamp) -> string
string(duration) -> string
bytes(bytes) -> bytes
bytes(string) -> bytes
duration(string) -> duration
duration(duration) -> duration
timestamp(string) -> timestamp
timestamp(timestamp) -> timestamp
timestamp(int) -> timestamp
matches(string, string) -> bool
string.matches(string) -> bool
string.contains(string) -> bool
string.startsWith(string) -> bool
string.endsWith(string) -> bool
string.charAt(int) -> string
string.indexOf(string) -> int
string.indexOf(string, int) -> int
string.lastIndexOf(string) -> int
string.lastIndexOf(string, int) -> int
string.lowerAscii() -> string
string.upperAscii() -> string
string.replace(string, string) -> string
string.replace(string, string, int) -> string
string.split(string) -> list<string>
string.split(string, int) -> list<string>
string.substring(int) -> string
string.substring(int, int) -> string
string.trim() -> string
list<string>.join() -> string
list<string>.join(string) -> string
string.find(string) -> string
string.findAll(string) -> list<string>
string.findAll(string, int) -> list<string>
list<A>.isSorted() -> bool
list<int>.sum() -> int
list<uint>.sum() -> uint
list<double>.sum() -> double
list<duration>.sum() -> duration
list<A>.min() -> A
list<A>.max() -> A
list<A>.indexOf(A) -> int
list<A>.lastIndexOf(A) -> int
list<A>.distinct() -> list<A>
list<A>.reverse() -> list<A>
list<A>.sort() -> list<A>
list<A>.slice(int, int) -> list<A>
sets.contains(list<A>, list<A>) -> bool
sets.equivalent(list<A>, list<A>) -> bool
sets.intersects(list<A>, list<A>) -> bool
timestamp.getFullYear() -> int
timestamp.getMonth() -> int
timestamp.getDate() -> int
timestamp.getDayOfMonth() -> int
timestamp.getDayOfWeek() -> int
timestamp.getDayOfYear() -> int
timestamp.getHours() -> int
timestamp.getMinutes() -> int
timestamp.getSeconds() -> int
timestamp.getMilliseconds() -> int
duration.getHours() -> int
duration.getMinutes() -> int
duration.getSeconds() -> int
duration.getMilliseconds() -> int
optional.of(A) -> optional<A>
optional.ofNonZeroValue(A) -> optional<A>
optional.none() -> optional<A>
optional<A>.hasValue() -> bool
optional<A>.value() -> A
optional<A>.or(optional<A>) -> optional<A>
optional<A>.orValue(A) -> A
quantity(string) -> quantity
isQuantity(string) -> bool
quantity.sign() -> int
quantity.isInteger() -> bool
quantity.asInteger() -> int
quantity.asApproximateFloat() -> double
quantity.add(quantity) -> quantity
quantity.add(int) -> quantity
quantity.sub(quantity) -> quantity
quantity.sub(int) -> quantity
quantity.isGreaterThan(quantity) -> bool
quantity.isLessThan(quantity) -> bool
quantity.compareTo(quantity) -> int
string.format(list<dyn>) -> string
ip(string) -> ip
isIP(string) -> bool
ip.isCanonical(string) -> bool
ip.family() -> int
ip.isUnspecified() -> bool
ip.isLoopback() -> bool
ip.isLinkLocalMulticast() -> bool
ip.isLinkLocalUnicast() -> bool
ip.isGlobalUnicast() -> bool
string(ip) -> string
cidr(string) -> cidr
isCIDR(string) -> bool
cidr.containsIP(ip) -> bool
cidr.containsIP(string) -> bool
cidr.containsCIDR(cidr) -> bool
cidr.containsCIDR(string) -> bool
cidr.ip() -> ip
cidr.masked() -> cidr
cidr.prefixLength() -> int
string(cidr) -> string
url(string) -> url
isURL(string) -> bool
url.getScheme() -> string
url.getHost() -> string
url.getHostname() -> string
url.getPort() -> string
url.getEscapedPath() -> string
url.getQuery() -> map<string,list<string>>
format.named(string) -> optional<format>
format.dns1123Label() -> format
format.dns1123Subdomain() -> format
format.dns1035Label() -> format
format.dns1123LabelPrefix() -> format
format.dns1123SubdomainPrefix() -> format
format.dns1035LabelPrefix() -> format
format.qualifiedName() -> format
format.labelValue() -> format
format.uri() -> format
format.uuid() -> format
format.byte() -> format
format.date() -> format
format.datetime() -> format
format.validate(string) -> optional<list<string>>
";

/// One way to call a function.
pub(super) struct Overload {
    pub(super) member: bool,
    pub(super) arguments: Vec<Type<'static>>,
    pub(super) result: Type<'static>,
}

type Table = BTreeMap<&'static str, Vec<(bool, Vec<&'static str>, &'static str)>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::new();
    for (name, member, arguments, result) in SIGNATURES.lines().filter_map(read) {
        table.entry(name).or_default().push((member, arguments, result));
    }
    table
});

fn read(line: &'static str) -> Option<(&'static str, bool, Vec<&'static str>, &'static str)> {
    let (call, result) = line.split_once(" -> ")?;
    let (head, arguments) = call.split_once('(')?;
    let arguments = arguments.strip_suffix(')')?;
    let target = head.rsplit_once('.').filter(|(target, _)| Type::parse(target).is_some() && !is_qualified(head));
    let (name, target) = target.map_or((head, None), |(target, name)| (name, Some(target)));
    let arguments = split(arguments).into_iter().filter(|argument| !argument.is_empty());
    Some((name, target.is_some(), target.into_iter().chain(arguments).collect(), result))
}

/// Functions whose qualifier is not a target though it is the name of a type.
pub(super) fn is_qualified(name: &str) -> bool {
    match name.split_once('.') {
        Some(("optional" | "sets", _)) | Some(("ip", "isCanonical")) => true,
        Some(("format", function)) => function != "validate",
        _ => false,
    }
}

/// Arguments are split at commas that are not inside `<>`.
fn split(arguments: &str) -> Vec<&str> {
    let mut depth = 0;
    arguments
        .split(|c| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            c == ',' && depth == 0
        })
        .map(str::trim)
        .collect()
}

/// The ways to call a function; none when there is no such function.
pub(super) fn overloads(name: &str) -> Option<Vec<Overload>> {
    let overload = |(member, arguments, result): &(bool, Vec<&'static str>, &'static str)| {
        Some(Overload {
            member: *member,
            arguments: arguments.iter().map(|argument| Type::parse(argument)).collect::<Option<_>>()?,
            result: Type::parse(result)?,
        })
    };
    TABLE.get(name).map(|overloads| overloads.iter().filter_map(overload).collect())
}

/// All names, to hold the implementations against.
#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    TABLE.keys().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let lines = SIGNATURES.lines().filter(|line| !line.is_empty()).count();
        let read: usize = names().iter().filter_map(|name| overloads(name)).map(|overloads| overloads.len()).sum();
        assert_eq!(read, lines);
        let of = &overloads("optional.of").unwrap()[0];
        assert!(!of.member);
        let value = &overloads("orValue").unwrap()[0];
        assert!(value.member && value.arguments.len() == 2);
        assert_eq!(overloads("@in").unwrap()[1].arguments[1].name(), "map(dyn, dyn)");
    }
}
