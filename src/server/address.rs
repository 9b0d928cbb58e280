//! The addresses people are given: the bound one, the machine's own in the network, QR codes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use qrcode::QrCode;
use qrcode::render::{svg, unicode};

use super::role::Tokens;

/// Addresses to print, in full. Those of the speaker carry a token: not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Urls {
    /// The list of decks.
    pub index: String,
    /// For the audience, following the speaker.
    pub audience: String,
    /// For the speaker.
    pub presenter: String,
    /// For the speaker's phone.
    pub remote: String,
}

impl Urls {
    /// The addresses of a server that listens on `bound`, or is reached by `public`.
    pub fn new(bound: SocketAddr, public: Option<&str>, tokens: &Tokens) -> Self {
        let here = origin(bound, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let outside = public.map_or_else(
            || origin(bound, own_address(bound.ip()).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))),
            |public| public.trim_end_matches('/').to_owned(),
        );
        Self {
            index: format!("{here}/"),
            audience: format!("{outside}/a"),
            presenter: format!("{here}/p?t={}", tokens.presenter.reveal()),
            remote: format!("{outside}/r?t={}", tokens.remote.reveal()),
        }
    }
}

fn origin(bound: SocketAddr, instead_of_any: IpAddr) -> String {
    let ip = if bound.ip().is_unspecified() { instead_of_any } else { bound.ip() };
    format!("http://{}", SocketAddr::new(ip, bound.port()))
}

/// The address other machines of the network see. No packet is sent: the system only says which
/// of its addresses it would send from (to an address that is reserved for documentation).
fn own_address(bound: IpAddr) -> Option<IpAddr> {
    if !bound.is_unspecified() {
        return Some(bound);
    }
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

/// A QR code as an SVG picture; `None` when the text is too long for one.
pub fn qr_svg(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    Some(code.render::<svg::Color<'_>>().min_dimensions(256, 256).quiet_zone(true).build())
}

/// A QR code for a terminal, light on dark.
pub fn qr_text(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let (dark, light) = (unicode::Dense1x2::Light, unicode::Dense1x2::Dark);
    Some(code.render::<unicode::Dense1x2>().dark_color(dark).light_color(light).build())
}

#[cfg(test)]
mod tests {
    use super::super::role::Token;
    use super::*;

    fn urls(bound: &str, public: Option<&str>) -> [String; 4] {
        let token = |letter: &str| Token::known(&letter.repeat(24)).expect("a token");
        let tokens = Tokens { presenter: token("p"), remote: token("r"), port: 3939 };
        let urls = Urls::new(bound.parse().expect("an address"), public, &tokens);
        [urls.index, urls.audience, urls.presenter, urls.remote]
    }

    #[test]
    fn addresses_are_complete() {
        let (p, r) = ("p".repeat(24), "r".repeat(24));
        assert_eq!(
            urls("[::1]:4000", None),
            [
                "http://[::1]:4000/".to_owned(),
                "http://[::1]:4000/a".to_owned(),
                format!("http://[::1]:4000/p?t={p}"),
                format!("http://[::1]:4000/r?t={r}"),
            ]
        );
        assert_eq!(
            urls("0.0.0.0:80", Some("https://talk.example/")),
            [
                "http://127.0.0.1:80/".to_owned(),
                "https://talk.example/a".to_owned(),
                format!("http://127.0.0.1:80/p?t={p}"),
                format!("https://talk.example/r?t={r}"),
            ]
        );
    }

    #[test]
    fn codes_are_drawn_and_too_long_texts_are_not() {
        assert!(qr_svg("http://127.0.0.1:3939/a").is_some_and(|svg| svg.contains("<svg")));
        assert!(qr_text("http://127.0.0.1:3939/a").is_some_and(|text| text.lines().count() > 10));
        assert_eq!(qr_svg(&"x".repeat(5000)), None);
    }
}
