//! Tests of names, labels and keys, with the sentences of the real server.

use super::*;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                         must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation \
                         is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                     and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
                     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                   alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                   '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
                     start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
                     for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
                          'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

#[test]
fn sentences_are_those_of_the_server() {
    type Check = fn(&str) -> Faults;
    let long = "a".repeat(64);
    let cases: &[(Check, &str, &[&str])] = &[
        (dns1123_subdomain, "a.b-c.0", &[]),
        (dns1123_subdomain, "Web_", &[SUBDOMAIN]),
        (dns1123_subdomain, "", &[SUBDOMAIN]),
        (dns1123_subdomain, "a..b", &[SUBDOMAIN]),
        (dns1123_label, "web-1", &[]),
        (dns1123_label, "Web_", &[LABEL]),
        (dns1123_label, "a.b", &["must not contain dots"]),
        (dns1123_label, "a.", &[LABEL]),
        (dns1123_label, &long, &["must be no more than 63 characters"]),
        (label_key, "app.kubernetes.io/name", &[]),
        (label_key, "bad key!", &[KEY]),
        (label_key, "", &["name part must be non-empty", KEY]),
        (label_key, "/a", &["prefix part must be non-empty"]),
        (label_key, &long, &["name part must be no more than 63 bytes"]),
        (label_value, "", &[]),
        (label_value, "b c", &[VALUE]),
        (label_value, &long, &["must be no more than 63 bytes"]),
        (config_map_key, "bad key!", &[CONFIG_KEY]),
        (config_map_key, "..", &["must not be '..'"]),
        (config_map_key, "..a", &["must not start with '..'"]),
        (env_name, "A B-1", &[]),
        (
            env_name,
            "A=B",
            &["a valid environment variable name must consist only of printable ASCII characters other than '='"],
        ),
        (port_name, "http-1", &[]),
        (port_name, "80", &["must contain at least one letter (a-z)"]),
        (
            port_name,
            "-Web--",
            &[
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                "must not contain consecutive hyphens",
                "must not begin or end with a hyphen",
            ],
        ),
        (percent, "25%", &[]),
        (
            percent,
            "25",
            &[
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used \
               for validation is '[0-9]+%')",
            ],
        ),
        (ip_address, "10.0.0.1", &[]),
        (ip_address, "010.0.0.1", &["must not have leading 0s"]),
        (ip_address, "::ffff:1.2.3.4", &["must not be an IPv4-mapped IPv6 address"]),
        (ip_address, "1.2.3", &["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]),
    ];
    for (check, value, faults) in cases {
        assert_eq!(check(value), *faults, "{value:?}");
    }
}

#[test]
fn a_wrong_prefix_of_a_label_key_is_told() {
    assert_eq!(label_key("x~y/z"), [format!("prefix part {SUBDOMAIN}")]);
    let slashes = label_key("a/b/c");
    assert_eq!(slashes.len(), 1);
    assert!(slashes[0].ends_with(" with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"));
}

#[test]
fn a_generated_name_may_end_in_a_hyphen_before_its_ending() {
    assert_eq!(NameRule::Subdomain.check("web-", true), Faults::new());
    assert_eq!(NameRule::Subdomain.check("web-", false), [SUBDOMAIN]);
    assert_eq!(NameRule::Subdomain.check("Bad_", true), [SUBDOMAIN]);
    assert_eq!(NameRule::PathSegment.check("system:node", false), Faults::new());
    assert_eq!(NameRule::PathSegment.check("..", false), ["may not be '..'"]);
    assert_eq!(NameRule::PathSegment.check("a/b%", true), ["may not contain '/'", "may not contain '%'"]);
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn checks_take_any_text(text in "\\PC*", is_prefix: bool) {
            for check in [dns1123_label, dns1123_subdomain, dns1035_label, label_key, label_value, config_map_key, env_name] {
                check(&text);
            }
            NameRule::Subdomain.check(&text, is_prefix);
            ip_address(&text);
            port_name(&text);
        }

        #[test]
        fn a_label_is_a_subdomain(text in "[a-z0-9.-]{0,20}") {
            if dns1123_label(&text).is_empty() {
                prop_assert!(dns1123_subdomain(&text).is_empty());
            }
        }
    }
}
