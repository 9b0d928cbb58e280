//! Who asks: tokens in links, cookies after that.

use std::fmt;
use std::hint::black_box;

use axum::http::{HeaderMap, HeaderValue, header};

/// What a visitor may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// See.
    Viewer,
    /// See the notes and drive, on the speaker's machine.
    Presenter,
    /// The same, from a phone.
    Remote,
}

impl Role {
    /// The word pages know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Presenter => "presenter",
            Self::Remote => "remote",
        }
    }

    /// Whether notes are shown and commands taken.
    pub fn speaks(self) -> bool {
        self != Self::Viewer
    }
}

/// Whether a secret is this one; takes as long for a near miss as for a far one.
pub fn is_same(ours: &str, given: &str) -> bool {
    let (ours, given) = (ours.as_bytes(), given.as_bytes());
    let differing = ours.iter().zip(given).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
    ours.len() == given.len() && black_box(differing) == 0
}

/// A secret in a link: 144 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn random() -> Result<Self, getrandom::Error> {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut bytes = [0_u8; 18];
        getrandom::fill(&mut bytes)?;
        let text = bytes.chunks_exact(3).flat_map(|three| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift) as usize & 63]))
        });
        Ok(Self(text.collect()))
    }

    /// One that an earlier server made; anything that cannot be one is refused.
    pub fn known(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (text.len() == 24 && plain).then(|| Self(text.to_owned()))
    }

    /// Whether `given` is this token; takes as long for a near miss as for a far one.
    pub fn matches(&self, given: &str) -> bool {
        is_same(&self.0, given)
    }

    /// The text, for the link and the cookie alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The tokens of a server, and the cookies they become.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The speaker's.
    pub presenter: Token,
    /// The phone's.
    pub remote: Token,
    /// Browsers share cookies among the ports of a host, so the names carry ours.
    pub port: u16,
}

impl Tokens {
    /// The role of a request, by its cookies.
    pub fn role(&self, headers: &HeaderMap) -> Role {
        let mut role = Role::Viewer;
        for (name, value) in cookies(headers) {
            if name == self.name(Role::Presenter) && self.presenter.matches(value) {
                return Role::Presenter;
            }
            if name == self.name(Role::Remote) && self.remote.matches(value) {
                role = Role::Remote;
            }
        }
        role
    }

    /// The `Set-Cookie` of a role; `None` for those without a token.
    pub fn cookie(&self, role: Role) -> Option<HeaderValue> {
        let token = self.token(role)?;
        let text = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.name(role), token.reveal());
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// By which a browser that has voted before is known again.
    pub fn voter(&self, headers: &HeaderMap) -> Option<Token> {
        let name = self.voter_name();
        cookies(headers).filter(|(given, _)| *given == name).find_map(|(_, value)| Token::known(value))
    }

    /// The `Set-Cookie` by which a voter is known again.
    pub fn voter_cookie(&self, voter: &Token) -> Option<HeaderValue> {
        let text = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.voter_name(), voter.reveal());
        HeaderValue::from_str(&text).ok()
    }

    fn voter_name(&self) -> String {
        format!("foredeck-voter-{}", self.port)
    }

    /// The token of a role.
    pub fn token(&self, role: Role) -> Option<&Token> {
        match role {
            Role::Viewer => None,
            Role::Presenter => Some(&self.presenter),
            Role::Remote => Some(&self.remote),
        }
    }

    fn name(&self, role: Role) -> String {
        format!("foredeck-{}-{}", role.as_str(), self.port)
    }
}

/// The cookies of a request.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        let random = || Token::random().expect("the system has random numbers");
        Tokens { presenter: random(), remote: random(), port: 3939 }
    }

    fn role(tokens: &Tokens, cookie: &str) -> Role {
        let value = HeaderValue::from_str(cookie).expect("a header value");
        tokens.role(&HeaderMap::from_iter([(header::COOKIE, value)]))
    }

    #[test]
    fn tokens_differ_and_match_only_themselves() {
        let (a, b) = (tokens().presenter, tokens().presenter);
        let text = a.reveal().to_owned();
        assert_eq!(text.len(), 24);
        assert!(a.matches(&text) && !b.matches(&text));
        for wrong in ["", &text[..23], &format!("{text}A"), &text.to_lowercase().replace('a', "b")] {
            assert!(!a.matches(wrong), "{wrong}");
        }
        assert_eq!(format!("{a:?}"), "Token(…)");
        assert_eq!(Token::known(&text), Some(a));
        assert_eq!(Token::known("short"), None);
    }

    #[test]
    fn the_cookie_decides_the_role() {
        let tokens = tokens();
        let (presenter, remote) = (tokens.presenter.reveal(), tokens.remote.reveal());
        for (cookie, expected) in [
            (format!("foredeck-presenter-3939={presenter}"), Role::Presenter),
            (format!("foredeck-remote-3939={remote}"), Role::Remote),
            (format!("a=b; foredeck-remote-3939={remote}; foredeck-presenter-3939={presenter}"), Role::Presenter),
            (format!("foredeck-presenter-3939=x; foredeck-presenter-3939={presenter}"), Role::Presenter),
            (format!("foredeck-presenter-3939={remote}"), Role::Viewer),
            (format!("foredeck-presenter-4000={presenter}"), Role::Viewer),
            ("foredeck-presenter-3939=".to_owned(), Role::Viewer),
            (";;=;".to_owned(), Role::Viewer),
        ] {
            assert_eq!(role(&tokens, &cookie), expected, "{cookie}");
        }
    }
}
