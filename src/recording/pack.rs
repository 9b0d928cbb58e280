//! Deflate, in pieces that can each be unpacked when they are there. Pure.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// A segment never unpacks to more.
const MOST: usize = 64 * 1024 * 1024;

/// Packs texts one after the other.
pub(super) struct Packer(Compress);

impl Packer {
    pub(super) fn new() -> Self {
        Self(Compress::new(Compression::default(), false))
    }

    /// The packed bytes of a text; with those before, they can be unpacked.
    pub(super) fn pack(&mut self, text: &[u8]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(text.len() / 4 + 256);
        let mut rest = text;
        loop {
            let before = self.0.total_in();
            // Packing into memory that is there does not fail.
            let _ = self.0.compress_vec(rest, &mut packed, FlushCompress::Sync);
            rest = rest.get(usize::try_from(self.0.total_in() - before).unwrap_or(usize::MAX)..).unwrap_or_default();
            if rest.is_empty() && packed.len() < packed.capacity() {
                return packed;
            }
            packed.reserve(rest.len() / 2 + 1024);
        }
    }
}

/// Packs a text alone.
pub(super) fn whole(text: &[u8]) -> Vec<u8> {
    Packer::new().pack(text)
}

/// The text of packed pieces, as far as it can be unpacked.
pub(super) fn unpack<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut inflate = Decompress::new(false);
    let mut text = Vec::with_capacity(64 * 1024);
    for piece in pieces {
        let mut rest = piece;
        loop {
            let before = inflate.total_in();
            let status = inflate.decompress_vec(rest, &mut text, FlushDecompress::Sync);
            rest = rest.get(usize::try_from(inflate.total_in() - before).unwrap_or(usize::MAX)..).unwrap_or_default();
            let room = text.len() < text.capacity();
            match status {
                Err(_) | Ok(Status::StreamEnd) => return text,
                Ok(_) if rest.is_empty() && room => break,
                Ok(Status::BufError) if room => return text,
                Ok(_) => {}
            }
            if text.len() >= MOST {
                return text;
            }
            text.reserve(text.len().max(64 * 1024));
        }
    }
    text
}
