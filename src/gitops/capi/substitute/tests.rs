//! Tests of the substitution beyond the vectors.

use proptest::prelude::*;

use super::*;

fn with<'a>(values: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<&'a str> {
    move |name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

#[test]
fn functions_work_on_values() {
    let values = [("V", "a-b-c"), ("U", "été"), ("E", "")];
    let cases = [
        ("${V:1:2}", "-b"),
        ("${V:-2}", "a-b-c"),
        ("${V: -2}", "a-b-c"),
        ("${V:9}", ""),
        ("${V:1:99}", "-b-c"),
        ("${V%-*}", "a-b"),
        ("${V%%-*}", "a"),
        ("${V#[ab]-}", "b-c"),
        ("${V//-/+}", "a+b+c"),
        ("${V/-/}", "ab-c"),
        ("${V/#a/X}", "X-b-c"),
        ("${V/%c/X}", "a-b-X"),
        ("${V//\\//x}", "a-b-c"),
        ("${U^}", "Été"),
        ("${#U}", "5"),
        ("${E:=${V}}", "a-b-c"),
        ("\\${V}", "\\a-b-c"),
        ("{{ ds.meta_data[\"local_hostname\"] }}", "{{ ds.meta_data[\"local_hostname\"] }}"),
        ("# ${V} in a comment", "# a-b-c in a comment"),
    ];
    for (template, expected) in cases {
        assert_eq!(substitute(template, with(&values)).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn mistakes_are_told() {
    let cases = [
        ("${V:}", Error::Argument),
        ("${V:=x", Error::Argument),
        ("${V^", Error::Bad),
        ("${#}", Error::Bad),
        ("${V/a}", Error::Bad),
        ("${V:1", Error::Bad),
        ("${B} # ${A} ${B}", Error::Missing(vec!["A".to_owned(), "B".to_owned()])),
    ];
    for (template, expected) in cases {
        assert_eq!(substitute(template, |_| None), Err(expected), "{template}");
    }
    let deep = "${A:=".repeat(5000);
    assert_eq!(substitute(&deep, |_| None), Err(Error::Deep(100)));
}

#[test]
fn what_identifies_an_account_is_masked() {
    let masked: Vec<&str> = DEMO_VALUES.iter().map(|(name, _)| *name).filter(|name| is_sensitive(name)).collect();
    let expected = ["AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
    assert_eq!(masked, expected);
}

proptest! {
    #[test]
    fn nothing_panics(template in "[${}:=#%/,^*\\[\\]\\\\a-c\u{e9} -]{0,40}", value in "[a-c\u{e9}-]{0,8}") {
        let _ = substitute(&template, |_| Some(&value));
        let _ = variables(&template);
    }

    #[test]
    fn text_without_dollars_stays(text in "[^$]{0,60}") {
        prop_assert_eq!(substitute(&text, |_| None), Ok(text));
    }
}
