/// `CFDATA.csum` (MS-CAB 3.1): the exclusive or of all little-endian words, a rest of up to three bytes taken big-endian.
pub(super) fn checksum(bytes: &[u8], seed: u32) -> u32 {
    let words = bytes.chunks_exact(4);
    let rest = words.remainder().iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    words.fold(seed, |sum, chunk| sum ^ word(chunk)) ^ rest
}

/// The sum over a whole block: its data, then its two size fields.
pub(super) fn block_checksum(data: &[u8], sizes: &[u8]) -> u32 {
    checksum(sizes, checksum(data, 0))
}
