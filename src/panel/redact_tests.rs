//! Which secrets are found, wherever chunks and escape sequences cut them.

use proptest::prelude::*;

use super::*;

const KNOWN: &str = "Zq8xT_token-of-this-run9";

fn secrets() -> Secrets {
    Secrets::with([KNOWN, "short", "with white space"])
}

#[test]
fn secrets_are_masked_and_their_lengths_stay() {
    for (text, expected) in [
        ("push with Zq8xT_token-of-this-run9 now", "push with Zq8x******************** now"),
        (
            "http://git:Zq8xT_token-of-this-run9@127.0.0.1:3939/git",
            "http://git:************************@127.0.0.1:3939/git",
        ),
        ("http://127.0.0.1:3939/git/demo.git", "http://127.0.0.1:3939/git/demo.git"),
        ("ghp_abcdefghij0123456789", "ghp_********************"),
        ("export GH=ghp_abcdefghij0123456789;", "export GH=ghp_********************;"),
        ("ghp_short is fine", "ghp_short is fine"),
        ("xghp_abcdefghij0123456789", "xghp_abcdefghij0123456789"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA****************"),
        ("AKIA is a prefix", "AKIA is a prefix"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = *********************"),
        ("-H 'Authorization: Basic Z2l0OnNlY3JldA==' http://x", "-H 'Authorization:***********************' http://x"),
        ("authorization: Bearer abc\r\nnext: x", "authorization:***********\r\nnext: x"),
        ("Bearer abcdefgh1234 is it", "Bearer ************ is it"),
        ("the bearer of news", "the bearer of news"),
        ("    token: aaaaaaaaaaaaaaaaaaaa\n    name: x", "    token: ********************\n    name: x"),
        ("{\"token\": \"aaaaaaaaaaaaaaaaaaaa\"}", "{\"token\": \"********************\"}"),
        ("token: none", "token: none"),
        ("PASSWORD=hunter22 x", "PASSWORD=******** x"),
        ("password: größeres", "password: ********"),
        ("client-key-data: LS0tLS1CRUdJTiBSU0E=", "client-key-data: ********************"),
        ("imagePullSecrets: [name]", "imagePullSecrets: [name]"),
        ("short", "short"),
        ("", ""),
    ] {
        let mut redactor = Redactor::new(&secrets());
        let mut bytes = redactor.push(text.as_bytes());
        bytes.extend(redactor.push(b"\n"));
        assert_eq!(String::from_utf8(bytes).expect("text"), format!("{expected}\n"), "{text}");
    }
}

#[test]
fn private_keys_are_masked_line_by_line() {
    let text =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\nAAAA\n-----END OPENSSH PRIVATE KEY-----\nssh-ed25519 AAAA public\n";
    let expected =
        "-----BEGIN OPENSSH PRIVATE KEY-----\n****\n****\n****-END OPENSSH PRIVATE KEY-----\nssh-ed25519 AAAA public\n";
    assert_eq!(secrets().redact(text), expected);
    let unended = "-----BEGIN RSA PRIVATE KEY-----\nAAAA";
    assert_eq!(secrets().redact(unended), "-----BEGIN RSA PRIVATE KEY-----\n****");
}

#[test]
fn escape_sequences_do_not_cut_a_secret() {
    let text = format!("{}\x1b[32m{}\x1b]0;title\x07{} end", &KNOWN[..2], &KNOWN[2..9], &KNOWN[9..]);
    let expected = "Zq\x1b[32m8x*****\x1b]0;title\x07*************** end";
    assert_eq!(secrets().redact(&text), expected);
}

#[test]
fn what_is_typed_slowly_is_not_held_for_long_and_not_shown() {
    let mut redactor = Redactor::new(&secrets());
    let mut shown = Vec::new();
    for byte in KNOWN.bytes().chain(*b" ok ghp_abcdefghij0123456789xyz http://host:8080/") {
        shown.extend(redactor.push(&[byte]));
        shown.extend(redactor.flush());
    }
    let shown = String::from_utf8(shown).expect("text");
    assert_eq!(shown, "Zq8x******************** ok ghp_*********************** http://host:8080/");
    assert!(!redactor.holds());
}

#[test]
fn ordinary_text_is_never_held() {
    let mut redactor = Redactor::new(&secrets());
    for byte in *b"kubectl -n demo get pods -w\r\n" {
        assert_eq!(redactor.push(&[byte]), [byte]);
    }
}

#[test]
fn a_flood_of_escape_sequences_is_not_piled_up() {
    let mut redactor = Redactor::new(&secrets());
    let mut total = redactor.push(b"ghp_abc").len();
    for _ in 0..2000 {
        total += redactor.push(b"\x1b[1;31m").len();
        assert!(redactor.held.len() <= MOST_HELD + 1);
    }
    total += redactor.flush().len();
    assert_eq!(total, 7 + 2000 * 7);
}

fn chunks(bytes: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut redactor = Redactor::new(&secrets());
    let mut out = Vec::new();
    let mut rest = bytes;
    for cut in cuts {
        let (now, later) = rest.split_at((*cut).min(rest.len()));
        out.extend(redactor.push(now));
        rest = later;
    }
    out.extend(redactor.push(rest));
    out.extend(redactor.flush());
    out
}

proptest! {
    #[test]
    fn chunks_change_nothing(before in "[ -~\\n]{0,30}", after in "[ -~\\n]{0,30}", which in 0..5_usize, cuts in prop::collection::vec(0..20_usize, 0..12)) {
        let secret = ["ghp_abcdefghij0123456789", KNOWN, "token: abcdefghijklmnopqrst", "Authorization: Basic abc", "://u:pass@"][which];
        let text = format!("{before}{secret}{after}");
        prop_assert_eq!(chunks(text.as_bytes(), &cuts), chunks(text.as_bytes(), &[]));
    }

    #[test]
    fn a_known_secret_is_never_shown_whole(before in "\\PC{0,30}", after in "\\PC{0,30}", cuts in prop::collection::vec(0..20_usize, 0..12)) {
        let text = format!("{before}{KNOWN}{after}");
        let shown = chunks(text.as_bytes(), &cuts);
        prop_assert!(!shown.windows(SHOWN + 5).any(|part| part == &KNOWN.as_bytes()[..SHOWN + 5]));
    }

    #[test]
    fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..300), cuts in prop::collection::vec(0..40_usize, 0..12)) {
        let shown = chunks(&bytes, &cuts);
        prop_assert!(shown.len() <= bytes.len());
    }
}
