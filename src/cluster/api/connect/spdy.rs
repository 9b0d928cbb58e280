//! SPDY/3.1, as much of it as port-forward speaks: streams opened by the client, data both ways.
//!
//! The format is the SPDY/3.1 draft's. `kubectl` tunnels it through the binary messages of a WebSocket.

use std::sync::LazyLock;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The largest frame that is taken.
const LARGEST: usize = 1 << 20;
/// The most that a block of headers may unpack to.
const MOST_HEADERS: usize = 16 * 1024;

/// Header names and words that both sides know before the first byte (SPDY/3 §2.6.10.1).
static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const NAMES: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language \
        accept-ranges age allow authorization cache-control connection content-base content-encoding content-language \
        content-length content-location content-md5 content-range content-type date etag expect expires from host \
        if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
        proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
        user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie \
        keep-alive origin";
    const CODES: &str = "100 101 201 202 205 206 300 302 303 304 305 306 307 402 405 406 407 408 409 410 411 412 413 414 \
        415 416 417 502 504 505";
    const WORDS: [&str; 32] = [
        "203 Non-Authoritative Information",
        "204 No Content",
        "301 Moved Permanently",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "500 Internal Server Error",
        "501 Not Implemented",
        "503 Service Unavailable",
        "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 ",
        "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
        "chunked,",
        "text/html,",
        "image/png,",
        "image/jpg,",
        "image/gif,",
        "application/xml,",
        "application/xhtml+xml,",
        "text/plain,",
        "text/javascript,",
        "public",
        "private",
        "max-age=",
        "gzip,deflate,",
        "sdch",
        "charset=utf-8",
        "charset=iso-8859-1,",
        "utf-,",
        "*,",
        "enq=0.",
        "",
    ];
    let mut bytes = Vec::with_capacity(1423);
    for name in NAMES.split_whitespace() {
        let name = name.replace('_', " ");
        bytes.extend(u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
        bytes.extend(name.as_bytes());
    }
    bytes.extend(CODES.split_whitespace().collect::<String>().as_bytes());
    bytes.extend(WORDS.concat().as_bytes());
    bytes
});

/// What the other side says.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// Opens a stream.
    Open {
        /// Its number.
        stream: u32,
        /// Its headers, names in lower case.
        headers: Vec<(String, String)>,
        /// Whether nothing will be sent on it.
        ended: bool,
    },
    /// Bytes on a stream.
    Data {
        /// Which.
        stream: u32,
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether these were the last.
        ended: bool,
    },
    /// A stream is given up.
    Reset {
        /// Which.
        stream: u32,
    },
    /// Are you there?
    Ping {
        /// To be sent back.
        id: [u8; 4],
    },
    /// The connection ends.
    Goodbye,
    /// Nothing that matters here.
    Other,
}

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("broken SPDY: {0}")]
pub struct Broken(&'static str);

/// Takes frames out of bytes.
#[derive(Debug)]
pub struct Reader {
    pending: Vec<u8>,
    headers: Decompress,
}

impl Default for Reader {
    fn default() -> Self {
        Self { pending: Vec::new(), headers: Decompress::new(true) }
    }
}

impl Reader {
    /// More bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// When what came is no SPDY.
    pub fn frame(&mut self) -> Result<Option<Frame>, Broken> {
        let Some(head) = self.pending.first_chunk::<8>() else { return Ok(None) };
        let [a, b, c, d, flags, length @ ..] = *head;
        let length = u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize;
        if length > LARGEST {
            return Err(Broken("a frame is too large"));
        }
        let Some(body) = self.pending.get(8..8 + length) else { return Ok(None) };
        let body = body.to_vec();
        self.pending.drain(..8 + length);
        let ended = flags & 1 == 1;
        if a & 0x80 == 0 {
            return Ok(Some(Frame::Data { stream: u32::from_be_bytes([a, b, c, d]), bytes: body, ended }));
        }
        self.control(u16::from_be_bytes([c, d]), &body, ended).map(Some)
    }

    fn control(&mut self, kind: u16, body: &[u8], ended: bool) -> Result<Frame, Broken> {
        let number = |at: usize| -> Result<u32, Broken> {
            let bytes = body
                .get(at..at + 4)
                .and_then(|bytes| bytes.first_chunk::<4>())
                .ok_or(Broken("a frame is cut short"))?;
            Ok(u32::from_be_bytes(*bytes) & 0x7fff_ffff)
        };
        Ok(match kind {
            1 => {
                let block = body.get(10..).ok_or(Broken("a frame is cut short"))?;
                Frame::Open { stream: number(0)?, headers: self.headers(block)?, ended }
            }
            3 => Frame::Reset { stream: number(0)? },
            6 => Frame::Ping { id: number(0)?.to_be_bytes() },
            7 => Frame::Goodbye,
            8 => {
                // Nothing in it matters, but the unpacker has to see every block.
                self.headers(body.get(4..).unwrap_or_default())?;
                Frame::Other
            }
            _ => Frame::Other,
        })
    }

    fn headers(&mut self, block: &[u8]) -> Result<Vec<(String, String)>, Broken> {
        let unpacked = unpack(&mut self.headers, block)?;
        let mut rest = unpacked.as_slice();
        let mut length = || -> Result<usize, Broken> {
            let (bytes, after) = rest.split_first_chunk::<4>().ok_or(Broken("headers are cut short"))?;
            rest = after;
            Ok(u32::from_be_bytes(*bytes) as usize)
        };
        let count = length()?;
        let mut headers = Vec::new();
        for _ in 0..count.min(64) {
            let mut text = || -> Result<String, Broken> {
                let (bytes, after) = rest.split_first_chunk::<4>().ok_or(Broken("headers are cut short"))?;
                let length = u32::from_be_bytes(*bytes) as usize;
                let text = after.get(..length).ok_or(Broken("headers are cut short"))?;
                rest = after.get(length..).unwrap_or_default();
                Ok(String::from_utf8_lossy(text).into_owned())
            };
            headers.push((text()?.to_ascii_lowercase(), text()?));
        }
        Ok(headers)
    }
}

fn unpack(unpacker: &mut Decompress, block: &[u8]) -> Result<Vec<u8>, Broken> {
    let mut out = Vec::with_capacity(1024);
    let mut rest = block;
    loop {
        let (read, written) = (unpacker.total_in(), unpacker.total_out());
        let status = unpacker.decompress_vec(rest, &mut out, FlushDecompress::Sync);
        let used = usize::try_from(unpacker.total_in() - read).unwrap_or(usize::MAX);
        rest = rest.get(used..).unwrap_or_default();
        match status {
            Err(error) if error.needs_dictionary().is_some() => {
                unpacker.set_dictionary(&DICTIONARY).map_err(|_| Broken("headers need another dictionary"))?;
            }
            Err(_) => return Err(Broken("headers cannot be unpacked")),
            Ok(Status::StreamEnd) => return Ok(out),
            Ok(_) if rest.is_empty() && out.len() < out.capacity() => return Ok(out),
            Ok(_) if used == 0 && unpacker.total_out() == written => return Ok(out),
            Ok(_) => {}
        }
        if out.len() > MOST_HEADERS {
            return Err(Broken("headers are too long"));
        }
        out.reserve(1024);
    }
}

/// Makes frames.
#[derive(Debug)]
pub struct Writer {
    headers: Compress,
}

impl Default for Writer {
    fn default() -> Self {
        let mut headers = Compress::new(Compression::fast(), true);
        // The dictionary is set before the first byte, when nothing can be wrong with it.
        let _ = headers.set_dictionary(&DICTIONARY);
        Self { headers }
    }
}

impl Writer {
    /// Accepts a stream.
    pub fn accept(&mut self, stream: u32) -> Vec<u8> {
        let mut block = Vec::with_capacity(64);
        let _ = self.headers.compress_vec(&0_u32.to_be_bytes(), &mut block, FlushCompress::Sync);
        let mut body = stream.to_be_bytes().to_vec();
        body.extend(block);
        control(2, &body)
    }

    /// Bytes on a stream.
    pub fn data(stream: u32, bytes: &[u8], ended: bool) -> Vec<u8> {
        let mut frame = stream.to_be_bytes().to_vec();
        frame.push(u8::from(ended));
        frame.extend(length(bytes.len()));
        frame.extend_from_slice(bytes);
        frame
    }

    /// Lets the other side send as many bytes more.
    pub fn window(stream: u32, bytes: usize) -> Vec<u8> {
        let bytes = u32::try_from(bytes).unwrap_or(0x7fff_ffff);
        control(9, &[stream.to_be_bytes(), bytes.to_be_bytes()].concat())
    }

    /// Answers a ping.
    pub fn pong(id: [u8; 4]) -> Vec<u8> {
        control(6, &id)
    }
}

fn length(length: usize) -> [u8; 3] {
    let [_, a, b, c] = u32::try_from(length).unwrap_or(0).to_be_bytes();
    [a, b, c]
}

fn control(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80, 3];
    frame.extend(kind.to_be_bytes());
    frame.push(0);
    frame.extend(length(body.len()));
    frame.extend_from_slice(body);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A client's frame that opens a stream.
    fn open(packer: &mut Compress, stream: u32, headers: &[(&str, &str)]) -> Vec<u8> {
        let mut block = u32::try_from(headers.len()).unwrap().to_be_bytes().to_vec();
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            block.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            block.extend(text.as_bytes());
        }
        let mut packed = Vec::with_capacity(1024);
        packer.compress_vec(&block, &mut packed, FlushCompress::Sync).unwrap();
        let body = [&stream.to_be_bytes()[..], &[0, 0, 0, 0, 0, 0], &packed].concat();
        control(1, &body)
    }

    #[test]
    fn the_dictionary_is_the_drafts() {
        // Its Adler-32 is the id that zlib headers of SPDY/3 carry.
        let (mut a, mut b) = (1_u32, 0_u32);
        for byte in DICTIONARY.iter() {
            a = (a + u32::from(*byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        assert_eq!((DICTIONARY.len(), b << 16 | a), (1423, 0xe3c6_a7c2));
    }

    #[test]
    fn streams_are_opened_one_after_the_other() {
        let mut packer = Compress::new(Compression::default(), true);
        packer.set_dictionary(&DICTIONARY).unwrap();
        let mut reader = Reader::default();
        for (stream, kind) in [(1, "error"), (3, "data")] {
            let frame = open(&mut packer, stream, &[("Streamtype", kind), ("Port", "80"), ("requestid", "0")]);
            let (first, second) = frame.split_at(11);
            reader.push(first);
            assert_eq!(reader.frame(), Ok(None));
            reader.push(second);
            let headers = [("streamtype", kind), ("port", "80"), ("requestid", "0")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
            assert_eq!(reader.frame(), Ok(Some(Frame::Open { stream, headers, ended: false })));
        }
        reader.push(&Writer::data(3, b"hello", true));
        assert_eq!(reader.frame(), Ok(Some(Frame::Data { stream: 3, bytes: b"hello".to_vec(), ended: true })));
        reader.push(&Writer::pong([0, 0, 0, 7]));
        assert_eq!(reader.frame(), Ok(Some(Frame::Ping { id: [0, 0, 0, 7] })));
    }

    #[test]
    fn answers_can_be_read() {
        let mut writer = Writer::default();
        let frame = writer.accept(1);
        let mut unpacker = Decompress::new(true);
        assert_eq!(unpack(&mut unpacker, &frame[12..]), Ok(vec![0, 0, 0, 0]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::default();
            reader.push(&bytes);
            for _ in 0..20 {
                if !matches!(reader.frame(), Ok(Some(_))) {
                    break;
                }
            }
        }
    }
}
