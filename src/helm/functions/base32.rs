//! Base32 with its usual letters and padding.

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let bits = (0..5).fold(0_u64, |bits, at| (bits << 8) | u64::from(chunk.get(at).copied().unwrap_or(0)));
        let used = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let letter = usize::try_from((bits >> (35 - at * 5)) & 31).ok().and_then(|at| LETTERS.get(at));
            out.push(if at < used { char::from(letter.copied().unwrap_or(b'=')) } else { '=' });
        }
    }
    out
}

/// The bytes, or where the text is none.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(8) {
        let wrong = digits.bytes().position(|byte| !LETTERS.contains(&byte));
        return Err(wrong.unwrap_or(text.len()));
    }
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u64, 0);
    for (at, byte) in digits.bytes().enumerate() {
        let digit = LETTERS.iter().position(|letter| *letter == byte).ok_or(at)?;
        bits = (bits << 5) | u64::try_from(digit).unwrap_or(0);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).unwrap_or(0));
        }
    }
    Ok(out)
}
