//! Addresses as markdown-it writes them: refused schemes, percent-encoding, internationalised hosts.

/// The scheme of an address, without the colon and in the case it is written in (RFC 3986, section 3.1).
pub fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    valid.then_some(scheme)
}

/// Whether an address may be used; the rest stays literal text.
pub fn is_allowed(url: &str) -> bool {
    let lower = url.trim().to_ascii_lowercase();
    if let Some(data) = lower.strip_prefix("data:") {
        return ["image/gif;", "image/png;", "image/jpeg;", "image/webp;"].iter().any(|kind| data.starts_with(kind));
    }
    !["javascript:", "vbscript:", "file:"].iter().any(|scheme| lower.starts_with(scheme))
}

/// No host name is longer, in any encoding; a longer one stays percent-encoded.
const MAX_HOST: usize = 1024;

/// The address with everything but URL characters percent-encoded; valid escapes stay.
pub fn normalize(url: &str) -> String {
    let url = match split_host(url) {
        Some((before, host, after)) if !host.is_ascii() && host.len() <= MAX_HOST => {
            format!("{before}{}{after}", to_ascii(host))
        }
        _ => url.to_owned(),
    };
    if url.bytes().all(|b| is_url_byte(b) && b != b'%') { url } else { encode(&url) }
}

fn encode(url: &str) -> String {
    let bytes = url.as_bytes();
    let mut out = String::with_capacity(url.len() + 8);
    for (i, &byte) in bytes.iter().enumerate() {
        let escaped = byte == b'%'
            && matches!(bytes.get(i + 1..i + 3), Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
        if escaped || is_url_byte(byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b";/?:@&=+$,-_.!~*'()#%".contains(&byte)
}

/// `scheme://user@`, `host`, `:port/path` of an address whose host may be internationalised.
fn split_host(url: &str) -> Option<(&str, &str, &str)> {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let start = if lower.starts_with("http://") {
        7
    } else if lower.starts_with("https://") {
        8
    } else if lower.starts_with("mailto:") {
        url.rfind('@')? + 1
    } else if lower.starts_with("//") {
        2
    } else {
        return None;
    };
    let rest = &url[start..];
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host_start = authority.rfind('@').map_or(0, |i| i + 1);
    let host = authority[host_start..].split(':').next()?;
    let from = start + host_start;
    Some((&url[..from], host, &url[from + host.len()..]))
}

fn to_ascii(host: &str) -> String {
    let labels: Vec<String> = host
        .split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
        .map(
            |label| {
                if label.is_ascii() { label.to_owned() } else { format!("xn--{}", punycode(&label.to_lowercase())) }
            },
        )
        .collect();
    labels.join(".")
}

/// RFC 3492, section 6.3.
fn punycode(label: &str) -> String {
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u32;
    if basic > 0 {
        out.push('-');
    }
    let chars: Vec<u32> = label.chars().map(u32::from).collect();
    let (mut n, mut delta, mut bias, mut handled) = (128u32, 0u32, 72u32, basic);
    while (handled as usize) < chars.len() {
        let Some(next) = chars.iter().copied().filter(|c| *c >= n).min() else { break };
        delta = delta.wrapping_add((next - n).wrapping_mul(handled + 1));
        n = next;
        for &c in &chars {
            if c < n {
                delta = delta.wrapping_add(1);
            }
            if c == n {
                push_variable_length(&mut out, delta, bias);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.wrapping_add(1);
        n += 1;
    }
    out
}

fn push_variable_length(out: &mut String, delta: u32, bias: u32) {
    let digit = |d: u32| char::from(if d < 26 { b'a' + d as u8 } else { b'0' + (d - 26) as u8 });
    let mut q = delta;
    let mut k = 36u32;
    loop {
        let t = k.saturating_sub(bias).clamp(1, 26);
        if q < t {
            break;
        }
        out.push(digit(t + (q - t) % (36 - t)));
        q = (q - t) / (36 - t);
        k += 36;
    }
    out.push(digit(q));
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_schemes_are_refused() {
        for url in ["javascript:x", "VBScript:x", "file:///a", "data:image/svg+xml;base64,AA", "data:text/html,x"] {
            assert!(!is_allowed(url), "{url}");
        }
        for url in ["a.png", "https://x.y", "mailto:a@b.c", "data:image/png;base64,AA", "#x", ""] {
            assert!(is_allowed(url), "{url}");
        }
    }

    #[test]
    fn addresses_are_encoded() {
        for (url, expected) in [
            ("https://a.b/c%2", "https://a.b/c%252"),
            ("a%20b c", "a%20b%20c"),
            ("https://日本語.jp/パス", "https://xn--wgv71a119e.jp/%E3%83%91%E3%82%B9"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("a\"b", "a%22b"),
            ("x[1]", "x%5B1%5D"),
        ] {
            assert_eq!(normalize(url), expected);
        }
    }
}
