//! Expressions with their results, and with what is wrong with them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn schema() -> Schema {
    Schema::of(&json!({"type": "object", "properties": {
        "size": {"type": "integer"},
        "ratio": {"type": "number"},
        "name": {"type": "string"},
        "on": {"type": "boolean"},
        "port": {"x-kubernetes-int-or-string": true},
        "at": {"type": "string", "format": "date-time"},
        "wait": {"type": "string", "format": "duration"},
        "raw": {"type": "string", "format": "byte"},
        "words": {"type": "array", "items": {"type": "string"}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "items": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
            "items": {"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "gone": {"type": "string", "nullable": true},
        "x-dash.dot/slash__": {"type": "integer"},
        "namespace": {"type": "integer"},
        "free": {"x-kubernetes-preserve-unknown-fields": true},
        "inner": {"type": "object", "properties": {"a": {"type": "integer"}}}
    }}))
}

fn object() -> Value {
    json!({
        "apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "thing", "labels": {"a": "b"}},
        "size": 3, "ratio": 2, "name": "héllo", "on": true, "port": "80", "at": "2026-03-01T10:20:30.5Z",
        "wait": "1h30m", "raw": "YWJj", "words": ["b", "a", "c"], "set": ["x", "y"],
        "items": [{"id": "one", "n": 1}, {"id": "two", "n": 2}], "labels": {"k": "v", "a.b/c": "d"}, "gone": null,
        "x-dash.dot/slash__": 7, "namespace": 9, "free": {"any": 1}, "inner": {"a": 1}
    })
}

fn run(text: &str) -> Outcome {
    let schema = schema();
    match Program::compile(text, &schema, false, Wanted::Bool) {
        Ok(program) => program.run(&schema, &object(), None, &mut 10_000_000),
        Err(why) => Outcome::Error(why),
    }
}

#[test]
fn true_expressions() {
    for text in [
        "self.size == 3 && self.ratio == 2.0 && self.on",
        "self.size + 4 * 2 - 1 == 10 && (1 + 2) * 3 == 9 && 7 % 4 == 3 && -7 / 2 == -3",
        "1 < 1.5 && 2u > 1 && 3 >= 3.0 && -1 < 0u",
        "self.size in [1, 2, 3] && !(4 in [1, 2, 3])",
        "self.name.size() == 5 && size(self.name) == 5 && size(self.words) == 3 && self.labels.size() == 2",
        "self.name.startsWith('hé') && self.name.endsWith('lo') && self.name.contains(\"éll\")",
        "self.name.matches('^h.l+o$') && matches(self.name, r'\\S+') && !self.name.matches('^[a-z]+$')",
        "self.kind == 'Thing' && self.metadata.name == 'thing' && self.apiVersion.startsWith('example.com/')",
        "has(self.size) && !has(self.inner.a) == false && !has(self.gone) == false",
        "dyn(self.gone) == null && self.inner != null && !(self.at == null)",
        "has(self.labels.k) && !has(self.labels.nope) && self.labels['a.b/c'] == 'd' && 'k' in self.labels",
        "self.labels.all(key, key.size() > 0) && self.labels.exists(key, self.labels[key] == 'v')",
        "self.labels.all(key, value, key != value)",
        "self.words.all(w, w.size() == 1) && self.words.exists(w, w == 'a') && self.words.exists_one(w, w == 'b')",
        "self.words.map(w, w + '!') == ['b!', 'a!', 'c!'] && self.words.filter(w, w != 'a') == ['b', 'c']",
        "self.words.map(w, w != 'a', w + w) == ['bb', 'cc']",
        "self.words.transformList(i, w, i > 0, w) == ['a', 'c']",
        "self.words.transformMap(i, w, w)[1] == 'a'",
        "!self.words.isSorted() && ['a', 'b'].isSorted() && [].isSorted() && self.words.sort() == ['a', 'b', 'c']",
        "[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0 && [3, 1, 2].min() == 1 && [3, 1, 2].max() == 3",
        "self.words.indexOf('a') == 1 && ['a', 'a'].lastIndexOf('a') == 1 && [1].indexOf(2) == -1",
        "[1, 1, 2].distinct() == [1, 2] && [1, 2].reverse() == [2, 1] && [1, 2, 3].slice(1, 3) == [2, 3]",
        "self.set == ['y', 'x'] && self.words != ['a', 'b', 'c']",
        "self.set + ['y', 'z'] == ['x', 'y', 'z'] && self.words + ['d'] == ['b', 'a', 'c', 'd']",
        "self.items == self.items && size(self.items + self.items) == 2",
        "self.items.filter(i, i.id == 'two')[0].n == 2 && self.items[0].id == 'one'",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b']",
        "self.words.join('-') == 'b-a-c' && self.words.join() == 'bac'",
        "'Äb'.lowerAscii() == 'Äb' && 'aB'.upperAscii() == 'AB' && ' x '.trim() == 'x'",
        "'héllo'.indexOf('l') == 2 && 'héllo'.indexOf('l', 3) == 3 && 'hello'.lastIndexOf('l') == 3",
        "'hello'.lastIndexOf('l', 2) == 2 && 'a'.indexOf('z') == -1 && 'héllo'.charAt(1) == 'é' && 'a'.charAt(1) == ''",
        "'héllo'.substring(1) == 'éllo' && 'héllo'.substring(1, 3) == 'él'",
        "'aaa'.replace('a', 'b') == 'bbb' && 'aaa'.replace('a', 'b', 2) == 'bba'",
        "'abc 123 45'.find('[0-9]+') == '123' && 'abc 123 45'.findAll('[0-9]+') == ['123', '45']",
        "'1 2'.findAll('[0-9]', 1) == ['1'] && 'x'.find('y') == ''",
        "self.at.getFullYear() == 2026 && self.at.getMonth() == 2 && self.at.getDate() == 1 && self.at.getHours() == 10",
        "self.at.getDayOfWeek() == 0 && self.at.getDayOfYear() == 59 && self.at.getMilliseconds() == 500",
        "self.at > timestamp('2026-01-01T00:00:00Z') && self.at - duration('1h') < self.at",
        "self.at - timestamp('2026-03-01T10:20:30Z') == duration('500ms')",
        "self.wait == duration('90m') && self.wait.getMinutes() == 90 && self.wait + duration('30m') == duration('2h')",
        "self.raw == b'abc' && string(self.raw) == 'abc' && size(self.raw) == 3",
        "type(self.port) == string && type(self.size) == int && type(1) != string && int(self.port) == 80",
        "type(self.port) == int ? self.port < 5 : self.port == '80'",
        "int('4') == 4 && double('2.5') == 2.5 && string(4) == '4' && string(2.0) == '2' && uint(3) == 3u && bool('true')",
        "int(2.9) == 2 && string(true) == 'true' && string(b'a') == 'a' && int(timestamp('1970-01-01T00:00:05Z')) == 5",
        "quantity('500m').isLessThan(quantity('1')) && quantity('1Gi').isGreaterThan(quantity('1G'))",
        "quantity('50k').add(quantity('20k')) == quantity('70k') && quantity('50k').sub(20000).asInteger() == 30000",
        "isQuantity('1.3Gi') && !isQuantity('200K') && quantity('1').compareTo(quantity('2')) == -1",
        "quantity('-1').sign() == -1 && !quantity('1m').isInteger() && quantity('1').asApproximateFloat() == 1.0",
        "sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])",
        "self.?size.hasValue() && self.?size.value() == 3 && self.labels[?'nope'].orValue('x') == 'x'",
        "self.?inner.?a.orValue(0) == 1 && optional.of(1).or(optional.none()).value() == 1",
        "optional.of(2).optMap(x, x * 2).value() == 4 && !optional.none().optMap(x, x).hasValue()",
        "optional.of(2).optFlatMap(x, optional.of(x + 1)) == optional.of(3) && !optional.ofNonZeroValue('').hasValue()",
        "[?optional.none(), ?optional.of(1), 2] == [1, 2] && {?'a': optional.of(1)} == {'a': 1}",
        "{'a': 1, 'b': 2}['b'] == 2 && {'a': 1}.a == 1 && {1: 'x'}[1] == 'x' && {} == {} && dyn({'a': 1}) == {'a': 1.0}",
        "self.x__dash__dash__dot__dot__slash__slash__underscores__ == 7 && self.__namespace__ == 9",
        "(true ? 1 : 2) == 1 && (false ? 1 : true ? 3 : 4) == 3",
        "false && (1 / 0 == 1) || true || (1 / 0 == 1)",
        "!((1 / 0 == 1) && false)",
        "[1, 0].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)",
        "'a' + \"b\" + 'c' == 'abc' && '''x'y''' == \"x'y\" && r'\\n' == '\\\\n' && '\\x41\\u00e9\\101' == 'AéA'",
        "b'\\xff'.size() == 1 && 0x1F == 31 && 1e3 == 1000.0 && .5 == 0.5 && 5u == uint('5')",
        "// a comment\ntrue // another",
        "- -1 == 1 && !!true && -self.size == -3 && 9223372036854775807 > 0 && -9223372036854775808 < 0",
        "type(self.at) == google.protobuf.Timestamp && type(null) == null_type && type([]) == list && type({}) == map",
        "dyn(self.size) == 3 && self.inner == self.inner && dyn(1) != dyn('a')",
        "isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4') && !isIP('1.2.3')",
        "ip('127.0.0.1').family() == 4 && ip('2001:db8::1').family() == 6 && string(ip('2001:DB8::1')) == '2001:db8::1'",
        "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1') && ip('::1') == ip('0:0::1')",
        "ip('127.0.0.1').isLoopback() && ip('::').isUnspecified() && ip('169.254.1.1').isLinkLocalUnicast()",
        "ip('224.0.0.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()",
        "ip('8.8.8.8').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast() && !ip('fe80::1').isGlobalUnicast()",
        "type(ip('1.1.1.1')) == net.IP && type(cidr('1.1.1.0/24')) == net.CIDR && ['a'].all(ip, ip.size() == 1)",
        "isCIDR('10.0.0.0/8') && isCIDR('::/0') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/33') && !isCIDR('1.1.1.1/')",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.0'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
        "cidr('::/0').containsIP('::1') && !cidr('::/0').containsIP('1.1.1.1') && cidr('::/64').prefixLength() == 64",
        "string(cidr('10.0.0.0/8')) == '10.0.0.0/8' && cidr('0.0.0.0/0').containsCIDR('255.255.255.255/32')",
        "isURL('https://example.com:80/a b?x=1') && isURL('/path') && !isURL('../relative') && !isURL('')",
        "url('https://u@[::1]:80/a b').getHost() == '[::1]:80' && url('https://[::1]:80/').getHostname() == '::1'",
        "url('https://a:80/x y').getPort() == '80' && url('https://a:80/x y').getEscapedPath() == '/x%20y'",
        "url('https://a/?k=a&l=b&k=c%20d').getQuery() == {'k': ['a', 'c d'], 'l': ['b']} && url('/p').getScheme() == ''",
        "format.dns1123Label().validate('a-1') == optional.none() && format.dns1123Label().validate('A').hasValue()",
        "format.dns1123Label().validate('a.b').value() == ['must not contain dots']",
        "format.dns1123LabelPrefix().validate('a-').hasValue() == false && format.labelValue().validate('') == optional.none()",
        "format.named('uuid').value().validate('x').value()[0] == 'does not match the UUID format'",
        "format.named('nope') == optional.none() && format.qualifiedName().validate('a.b/C').hasValue() == false",
        "format.datetime().validate(self.name).hasValue() && !format.date().validate('2026-01-31').hasValue()",
        "format.byte().validate('é').value() == ['invalid base64'] && !format.uri().validate('https://a').hasValue()",
        "'%s is %d%%'.format([dyn('a'), 3]) == 'a is 3%' && '%.2f'.format([2.5]) == '2.50' && '%f'.format([1]) == '1.000000'",
        "'%x %X %o %b'.format([dyn(255), 'é', 8, true]) == 'ff C3A9 10 1' && '%x'.format([-1]) == '-1'",
        "'%s'.format([[dyn('a'), 1, 2.5, null]]) == '[a, 1, 2.5, null]' && '%s'.format([{'b': 1, 'a': 2}]) == '{a: 2, b: 1}'",
        "'%.1e'.format([1234.5]) == '1.2e+03' && '%s'.format([self.at]) == '2026-03-01T10:20:30.5Z'",
    ] {
        assert_eq!(run(text), Outcome::Bool(true), "{text}");
    }
}

#[test]
fn failing_evaluations() {
    for (text, why) in [
        ("1 / (self.size - 3) == 1", "division by zero"),
        ("1 % (self.size - 3) == 1", "modulus by zero"),
        ("self.labels.nope == 'x'", "no such key: nope"),
        ("self.labels['nope'] == 'x'", "no such key: nope"),
        ("self.words[7] == 'x'", "index out of bounds: 7"),
        ("self.words[-1] == 'x'", "index out of bounds: -1"),
        ("9223372036854775807 + self.size > 0", "return error for overflow"),
        ("-9223372036854775808 - self.size > 0", "return error for overflow"),
        ("self.port + 1 == 2", "no such overload"),
        ("int(self.name) == 1", "type conversion error from 'string' to 'int': héllo"),
        ("self.words.filter(w, w == 'z').min() == 'a'", "min called on empty list"),
        ("optional.none().value() == 1", "optional.none() dereference"),
        ("'abc'.substring(2, 1) == ''", "invalid substring range. start: 2, end: 1"),
        ("'abc'.charAt(4) == ''", "index out of range: 4"),
        ("'x'.matches(self.name + '(')", "error parsing regexp: unclosed group: `héllo(`"),
        ("{self.name: 1, 'héllo': 2}.size() == 1", "Failed with repeated key"),
        (
            "ip(self.name).family() == 4",
            "IP Address \"héllo\" parse error during conversion from string: ParseAddr(\"héllo\"): unable to parse IP",
        ),
        (
            "cidr(self.name).ip() == ip('::')",
            "network address parse error during conversion from string: netip.ParsePrefix(\"héllo\"): no '/'",
        ),
        (
            "url(self.name).getHost() == ''",
            "URL parse error during conversion from string: parse \"héllo\": invalid URI for request",
        ),
        ("'%s %s'.format(['a']) == ''", "index out of range: not enough arguments for format"),
        ("'%q'.format(['a']) == ''", "could not parse formatting clause: unrecognized formatting clause \"q\""),
        ("'%d'.format(['a']) == ''", "error during formatting: no such verb d for string"),
        ("'%.999f'.format([1.0]) == ''", "error while parsing precision"),
        (
            "timestamp(self.name) == self.at",
            "type conversion error from 'string' to 'google.protobuf.Timestamp': héllo",
        ),
        (
            "duration(self.name) == self.wait",
            "type conversion error from 'string' to 'google.protobuf.Duration': héllo",
        ),
    ] {
        assert_eq!(run(text), Outcome::Error(why.to_owned()), "{text}");
    }
}

#[test]
fn faults_are_found_when_compiling() {
    for (text, why) in [
        ("self.nope == 1", "1:5: undefined field 'nope'\n | self.nope == 1\n | ....^"),
        ("self.free == 1", "1:5: undefined field 'free'\n | self.free == 1\n | ....^"),
        ("self.inner.b == 1", "1:11: undefined field 'b'\n | self.inner.b == 1\n | ..........^"),
        ("size == 1", "1:1: undeclared reference to 'size' (in container '')\n | size == 1\n | ^"),
        ("semver('1')", "1:1: undeclared reference to 'semver' (in container '')\n | semver('1')\n | ^"),
        (
            "self.size == 'a'",
            "1:11: found no matching overload for '_==_' applied to '(int, string)'\n | self.size == 'a'\n | ..........^",
        ),
        (
            "self.size + 'a' == 1",
            "1:11: found no matching overload for '_+_' applied to '(int, string)'\n | self.size + 'a' == 1\n | ..........^",
        ),
        (
            "self.size == 1.0",
            "1:11: found no matching overload for '_==_' applied to '(int, double)'\n | self.size == 1.0\n | ..........^",
        ),
        (
            "self.size.startsWith('a')",
            "1:10: found no matching overload for 'startsWith' applied to 'int.(string)'\n | self.size.startsWith('a')\n | .........^",
        ),
        (
            "self.words < ['a']",
            "1:12: found no matching overload for '_<_' applied to '(list(string), list(string))'\n | self.words < ['a']\n | ...........^",
        ),
        (
            "self.size && true",
            "1:11: found no matching overload for '_&&_' applied to '(int, bool)'\n | self.size && true\n | ..........^",
        ),
        ("!self.size", "1:1: found no matching overload for '!_' applied to '(int)'\n | !self.size\n | ^"),
        (
            "self.name.size.x == 1",
            "1:10: type 'string' does not support field selection\n | self.name.size.x == 1\n | .........^",
        ),
        (
            "self.size.all(x, true)",
            "1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.size.all(x, true)\n | ....^",
        ),
        (
            "self.words.all(w, w.size())",
            "1:20: expected type 'bool' but found 'int'\n | self.words.all(w, w.size())\n | ...................^",
        ),
        (
            "self.words.all(1, true)",
            "1:16: argument must be a simple name\n | self.words.all(1, true)\n | ...............^",
        ),
        ("[1, 'a'].size() == 2", "1:5: expected type 'int' but found 'string'\n | [1, 'a'].size() == 2\n | ....^"),
        ("has(self)", "1:1: invalid argument to has() macro\n | has(self)\n | ^"),
        (
            "self.name == null",
            "1:11: found no matching overload for '_==_' applied to '(string, null)'\n | self.name == null\n | ..........^",
        ),
        ("self.name.matches('(')", "1:10: invalid matches argument\n | self.name.matches('(')\n | .........^"),
        (
            "self.x >",
            "1:9: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self.x >\n | ........^",
        ),
        ("self.all(x, x.y", "1:16: Syntax error: missing ')' at '<EOF>'\n | self.all(x, x.y\n | ...............^"),
        ("1 +\n 2 2", "2:4: Syntax error: mismatched input '2' expecting <EOF>\n |  2 2\n | ...^"),
        ("'abc", "1:1: Syntax error: token recognition error at: ''abc'\n | 'abc\n | ^"),
        ("a # b", "1:3: Syntax error: token recognition error at: '#'\n | a # b\n | ..^"),
        ("99999999999999999999 > 1", "1:1: invalid int literal\n | 99999999999999999999 > 1\n | ^"),
        ("self.for == 1 && for", "1:18: reserved identifier: for\n | self.for == 1 && for\n | .................^"),
    ] {
        let expected = format!("compilation failed: ERROR: <input>:{why}");
        assert_eq!(run(text), Outcome::Error(expected), "{text}");
    }
    assert_eq!(run("self.size"), Outcome::Error("cel expression must evaluate to a bool".to_owned()));
    let message = Program::compile("self.size", &schema(), false, Wanted::Text).unwrap_err();
    assert_eq!(message, "messageExpression must evaluate to a string");
}

#[test]
fn the_value_before() {
    let schema = Schema::of(&json!({"type": "object", "properties": {"n": {"type": "integer"}}}));
    let run = |text: &str, optional: bool, old: Option<Value>| {
        let program = Program::compile(text, &schema, optional, Wanted::Bool).unwrap();
        assert!(program.uses_old());
        program.run(&schema, &json!({"n": 2}), old.as_ref(), &mut 1_000_000)
    };
    assert_eq!(run("self.n >= oldSelf.n", false, Some(json!({"n": 1}))), Outcome::Bool(true));
    assert_eq!(run("self.n >= oldSelf.n", false, Some(json!({"n": 3}))), Outcome::Bool(false));
    let optional = "oldSelf.hasValue() ? oldSelf.value().n < self.n : self.n == 2";
    assert_eq!(run(optional, true, Some(json!({"n": 3}))), Outcome::Bool(false));
    assert_eq!(run(optional, true, None), Outcome::Bool(true));
    assert_eq!(run("!oldSelf.?n.hasValue()", true, None), Outcome::Bool(true));
}

#[test]
fn work_is_bounded() {
    let schema = Schema::of(&json!({"type": "object", "properties": {
        "list": {"type": "array", "items": {"type": "integer"}}, "text": {"type": "string"}
    }}));
    let object = json!({"list": (0..2_000).collect::<Vec<_>>(), "text": "x".repeat(100_000)});
    let doubling = ["[self.text]".to_owned(), ".map(s, s + s)".repeat(40), ".size() == 1".to_owned()].concat();
    for text in [
        "self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))",
        "self.list.map(a, self.list).size() == 2000 && self.list.all(a, self.list.map(b, b) == self.list)",
        doubling.as_str(),
        "self.text.replace('', self.text).size() > 0",
        "self.list.all(a, !self.text.matches('(x+x+)+y'))",
        "self.list.map(a, self.text).join(self.text).size() > 0",
        "self.list.all(a, self.text.split('').size() > 0)",
        "self.list.all(a, self.list == self.list)",
        "self.list.all(a, self.list.distinct().size() > 0)",
    ] {
        let program =
            Program::compile(text, &schema, false, Wanted::Bool).unwrap_or_else(|why| panic!("{text}: {why}"));
        let mut budget = 10_000_000;
        assert_eq!(program.run(&schema, &object, None, &mut budget), Outcome::TooCostly, "{text}");
        assert_eq!(budget, 9_000_000, "one expression costs at most its own share");
    }
}

#[test]
fn depth_is_bounded() {
    for text in [
        "(".repeat(100_000),
        format!("{}true{}", "(".repeat(60), ")".repeat(60)),
        format!("{}true", "!".repeat(99_999)),
        vec!["1"; 400].join("+"),
        format!("self{}", ".a".repeat(40_000)),
        format!("self{}", "[0]".repeat(30_000)),
        "true ? true : ".repeat(7_000) + "true",
        "[".repeat(90_000),
        "{'a':".repeat(20_000),
        "a".repeat(100_001),
        format!("{} == 1", "-".repeat(90_000)),
    ] {
        assert!(matches!(run(&text), Outcome::Error(_)), "{}…", &text[..20]);
    }
    assert_eq!(run(&vec!["true"; 5_000].join("&&")), Outcome::Bool(true));
    assert_eq!(run(&format!("{}true{}", "(".repeat(40), ")".repeat(40))), Outcome::Bool(true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_text_makes_a_panic(words in prop::collection::vec(prop::sample::select(vec![
        "self", ".", "size", "words", "items", "name", "(", ")", "[", "]", "{", "}", ",", ":", "?", "+", "-", "*", "/", "%",
        "==", "<", "in", "&&", "||", "!", "1", "0", "2.5", "3u", "'a'", "b'c'", "null", "true", "x", ".all(x,", ".map(x,",
        ".filter(x,", "has(", ".matches(", ".split(", ".substring(", ".indexOf(", ".slice(", "optional.of(", ".optMap(x,",
        "quantity(", "duration(", "timestamp(", "type(", "int(", "é", "\n", "\"", "'", "\\", "`", "#", " ",
    ]), 0..24)) {
        run(&words.concat());
    }

    #[test]
    fn no_characters_make_a_panic(text in ".{0,40}") {
        run(&text);
    }

    #[test]
    fn no_arguments_make_a_panic(name in prop::sample::select(signatures::names()), target in arguments(),
        first in arguments(), second in arguments()) {
        for call in [
            format!("dyn({target}).{name}(dyn({first}), dyn({second})) == dyn(1)"),
            format!("dyn({target}).{name}(dyn({first})) == dyn(1)"),
            format!("dyn({target}).{name}() == dyn(1)"),
            format!("{name}(dyn({first}), dyn({second})) == dyn(1)"),
            format!("{name}(dyn({first})) == dyn(1)"),
        ] {
            run(&call);
        }
    }
}

/// Values of all kinds, odd ones among them.
fn arguments() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "1",
        "-1",
        "0",
        "9223372036854775807",
        "-9223372036854775808",
        "7u",
        "2.5",
        "-1e300",
        "1e308",
        "true",
        "null",
        "''",
        "'é'",
        "'abc'",
        "'1h'",
        "'2026-01-01T00:00:00Z'",
        "'('",
        "b''",
        "b'\\xff'",
        "[]",
        "[1, 2]",
        "['a', 'é']",
        "[1.5]",
        "{}",
        "{'a': 1}",
        "self",
        "self.items",
        "self.words",
        "self.at",
        "self.wait",
        "timestamp('9999-12-31T23:59:59Z')",
        "duration('-2562047h')",
        "quantity('1Gi')",
        "quantity('-99999999999999999999')",
        "optional.none()",
        "optional.of(1)",
        "ip('::1')",
        "cidr('10.0.0.1/0')",
        "cidr('::/128')",
        "url('https://[::1]:80/%20?a=%')",
        "format.labelValue()",
        "'%s %.3f %x %e'",
        "self.labels",
        "int",
        "self.set",
    ])
}
