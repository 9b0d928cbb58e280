//! A ZIP archive: parts that were compressed already are stored, texts are deflated.

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// 1980-01-01, the first day that the format knows: the same input gives the same archive.
const DAY: u16 = 1 << 5 | 1;
const VERSION: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;

/// An archive being written.
#[derive(Default)]
pub(super) struct Archive {
    out: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

/// More, or larger, parts than the format has numbers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file would be larger than 4 GB, or have more than 65,535 parts")]
pub struct TooLarge;

impl Archive {
    /// A part that is stored as it is.
    pub(super) fn stored(&mut self, name: &str, content: &[u8]) -> Result<(), TooLarge> {
        self.part(name, 0, content, content)
    }

    /// A part that is made smaller.
    pub(super) fn deflated(&mut self, name: &str, content: &[u8]) -> Result<(), TooLarge> {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(content.len() / 2), Compression::default());
        let packed = encoder.write_all(content).and_then(|()| encoder.finish());
        match packed {
            Ok(packed) if packed.len() < content.len() => self.part(name, 8, content, &packed),
            _ => self.stored(name, content),
        }
    }

    fn part(&mut self, name: &str, method: u16, content: &[u8], packed: &[u8]) -> Result<(), TooLarge> {
        let size = |length: usize| u32::try_from(length).map_err(|_| TooLarge);
        let mut crc = Crc::new();
        crc.update(content);
        let mut facts = Vec::with_capacity(26);
        for number in [VERSION, FLAGS, method, 0, DAY] {
            facts.extend_from_slice(&number.to_le_bytes());
        }
        for number in [crc.sum(), size(packed.len())?, size(content.len())?] {
            facts.extend_from_slice(&number.to_le_bytes());
        }
        facts.extend_from_slice(&u16::try_from(name.len()).map_err(|_| TooLarge)?.to_le_bytes());
        facts.extend_from_slice(&[0; 2]);
        let place = size(self.out.len())?;
        self.out.extend_from_slice(b"PK\x03\x04");
        self.out.extend_from_slice(&facts);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(packed);
        self.directory.extend_from_slice(b"PK\x01\x02");
        self.directory.extend_from_slice(&VERSION.to_le_bytes());
        self.directory.extend_from_slice(&facts);
        // No remark, first disk, no attributes.
        self.directory.extend_from_slice(&[0; 10]);
        self.directory.extend_from_slice(&place.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        self.count = self.count.checked_add(1).ok_or(TooLarge)?;
        Ok(())
    }

    /// The whole archive.
    pub(super) fn finish(self) -> Result<Vec<u8>, TooLarge> {
        let Self { mut out, directory, count } = self;
        let place = u32::try_from(out.len()).map_err(|_| TooLarge)?;
        let length = u32::try_from(directory.len()).map_err(|_| TooLarge)?;
        out.extend_from_slice(&directory);
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&place.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        Ok(out)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read as _;

    use super::*;

    /// The parts of an archive, by way of its directory.
    pub(in crate::export) fn parts(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
        let number = |at: usize, size: usize| {
            archive[at..at + size].iter().rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let end = archive.len() - 22;
        assert_eq!(&archive[end..end + 4], b"PK\x05\x06");
        let mut at = number(end + 16, 4);
        let mut parts = Vec::new();
        for _ in 0..number(end + 10, 2) {
            assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
            let (method, packed, name) = (number(at + 10, 2), number(at + 20, 4), number(at + 28, 2));
            let place = number(at + 42, 4);
            assert_eq!(&archive[place..place + 4], b"PK\x03\x04");
            let start = place + 30 + name;
            let raw = &archive[start..start + packed];
            let mut content = Vec::new();
            match method {
                0 => content.extend_from_slice(raw),
                _ => drop(flate2::read::DeflateDecoder::new(raw).read_to_end(&mut content).unwrap()),
            }
            let mut crc = Crc::new();
            crc.update(&content);
            assert_eq!((crc.sum() as usize, content.len()), (number(at + 16, 4), number(at + 24, 4)));
            parts.push((String::from_utf8(archive[at + 46..at + 46 + name].to_vec()).unwrap(), content));
            at += 46 + name;
        }
        assert_eq!(at, end);
        parts
    }

    #[test]
    fn parts_come_out_as_they_went_in() {
        let mut archive = Archive::default();
        let text = "<a/>".repeat(100);
        archive.stored("a.png", b"\x89PNG").unwrap();
        archive.deflated("ü/b.xml", text.as_bytes()).unwrap();
        archive.deflated("empty", b"").unwrap();
        let bytes = archive.finish().unwrap();
        assert!(bytes.len() < 400);
        let expected = [("a.png", b"\x89PNG".to_vec()), ("ü/b.xml", text.into_bytes()), ("empty", Vec::new())]
            .map(|(a, b)| (a.to_owned(), b));
        assert_eq!(parts(&bytes), expected);
    }
}
