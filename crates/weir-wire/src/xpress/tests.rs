//! Checklist 5 and 6 of the client-server protocol.

use proptest::prelude::*;

use super::*;

/// A pseudo-random sequence (xorshift), the same in every run.
fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    (0..length)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 32) as u8
        })
        .collect()
}

fn round_trip(plain: &[u8]) -> Vec<u8> {
    let body = compress_greedy(plain);
    assert_eq!(decompress(&body, plain.len()).as_deref(), Ok(plain), "{} bytes", plain.len());
    body
}

fn payload_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex")).collect()
}

fn decode(payload: &[u8], original: usize) -> Result<Vec<u8>, XpressError> {
    let mut out = Vec::new();
    decode_payload(payload, original, &mut out).map(|()| out)
}

#[test]
fn checklist_6_published_vectors_decode() {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz";
    let mut payload = payload_of("3f000000");
    payload.extend_from_slice(alphabet);
    assert_eq!(decode(&payload, 26).as_deref(), Ok(&alphabet[..]));
    assert_eq!(decode(&payload_of("ffffff1f61626317000fff2601"), 300), Ok(b"abc".repeat(100)));
    assert_eq!(decode(&payload_of("ffffff114142431000444546"), 9), Ok(b"ABCABCDEF".to_vec()));
}

#[test]
fn checklist_6_published_vector_is_what_we_write() {
    let body = compress_greedy(&b"abc".repeat(100));
    assert_eq!(body[..8], [44, 1, 0, 0, 13, 0, 0, 0]);
    assert_eq!(body[8..], payload_of("ffffff1f61626317000fff2601"));
}

#[test]
fn checklist_6_each_form_of_length_is_written_and_read() {
    // Noise, then a repetition of exactly so many bytes, then a byte that ends it.
    for length in [4, 9, 10, 11, 24, 25, 26, 278, 279, 280, 281, 8000] {
        let mut plain = noise(8100, length as u64 + 1);
        let (first, rest) = (plain[..length].to_vec(), plain[length]);
        plain.extend_from_slice(&first);
        plain.push(!rest);
        let body = round_trip(&plain);
        assert!(body.len() > 8, "{length}");
    }
    // 60,000 in one match: a run.
    for length in [3_usize, 9, 10, 24, 25, 279, 280, 60_000] {
        let mut plain = vec![b'x'; length + 1];
        plain.extend_from_slice(b"end of the run, which is long enough to be compressed");
        round_trip(&plain);
    }
}

/// One literal `x`, then a match of `length` at offset 1, spelled by hand as the specification says.
fn run_payload(length: usize) -> Vec<u8> {
    let mut payload = 0x7fff_ffff_u32.to_le_bytes().to_vec();
    payload.push(b'x');
    match length {
        3..=9 => payload.extend_from_slice(&[(length - 3) as u8, 0]),
        10..=24 => payload.extend_from_slice(&[7, 0, (length - 10) as u8]),
        25..=279 => payload.extend_from_slice(&[7, 0, 15, (length - 25) as u8]),
        _ => {
            payload.extend_from_slice(&[7, 0, 15, 255]);
            payload.extend_from_slice(&((length - 3) as u16).to_le_bytes());
        }
    }
    payload
}

#[test]
fn checklist_6_lengths_spelled_by_hand_decode() {
    for length in [3, 4, 9, 10, 24, 25, 279, 280, 281, 60_000, 65_534] {
        assert_eq!(decode(&run_payload(length), length + 1), Ok(vec![b'x'; length + 1]), "{length}");
    }
    assert_eq!(run_payload(280)[5..], [7, 0, 15, 255, 0x15, 0x01]);
}

#[test]
fn checklist_6_our_runs_are_the_hand_spelled_ones() {
    for length in [10, 24, 25, 279, 280, 60_000] {
        let body = compress_greedy(&vec![b'x'; length + 1]);
        assert_eq!(body[8..], run_payload(length), "{length}");
    }
}

#[test]
fn checklist_6_second_long_match_uses_the_high_nibble() {
    // x, 12 of them, y, 24 of them: nibbles 2 and 14 share the byte 0xe2.
    let mut plain = vec![b'x'; 13];
    plain.extend_from_slice(&[b'y'; 25]);
    let body = compress_greedy(&plain);
    // Flags: literal, match, literal, match, then ones.
    assert_eq!(body[8..], [0xff, 0xff, 0xff, 0x5f, b'x', 7, 0, 0xe2, b'y', 7, 0]);
    assert_eq!(decompress(&body, 100), Ok(plain));
    // A third one opens a new shared byte.
    let mut three = vec![b'x'; 13];
    three.extend_from_slice(&[b'y'; 25]);
    three.extend_from_slice(&[b'z'; 300]);
    let body = round_trip(&three);
    assert_eq!(body[8 + 11..], [b'z', 7, 0, 15, 255, 40, 1]);
}

#[test]
fn flag_word_of_its_own_for_the_end_mark() {
    // 30 distinct literals, one literal that starts a run, and its match fill the 32 flags exactly.
    let mut plain: Vec<u8> = (0..31).collect();
    plain.extend_from_slice(&[30; 40]);
    let body = round_trip(&plain);
    assert_eq!(body[body.len() - 4..], [0xff; 4]);
    assert_eq!(body[8..12], 1_u32.to_le_bytes());
}

#[test]
fn checklist_5_blocks_are_bounded_and_raw_when_not_smaller() {
    for plain in [noise(200_000, 7), b"<a b=\"c\"/>".repeat(30_000), noise(65_535, 3), noise(65_536, 3)] {
        let body = round_trip(&plain);
        let mut rest = &body[..];
        let mut total = 0;
        while !rest.is_empty() {
            let original = u32::from_le_bytes(rest[..4].try_into().expect("4")) as usize;
            let size = u32::from_le_bytes(rest[4..8].try_into().expect("4")) as usize;
            assert!((1..=MAX_BLOCK).contains(&original) && size <= original, "{original} {size}");
            if size == original {
                assert_eq!(rest[8..8 + size], plain[total..total + original]);
            }
            total += original;
            rest = &rest[8 + size..];
        }
        assert_eq!(total, plain.len());
    }
    assert_eq!(compress_greedy(b""), b"");
    assert_eq!(decompress(b"", 0), Ok(Vec::new()));
    assert_eq!(compress_greedy(b"a"), [1, 0, 0, 0, 1, 0, 0, 0, b'a']);
}

#[test]
fn every_short_text_survives() {
    for length in 0..600 {
        round_trip(&noise(length, 11));
        round_trip(&vec![b'a'; length]);
        round_trip(&(0..length).map(|i| (i % 7) as u8).collect::<Vec<_>>());
        round_trip(&(0..length).map(|i| (i * i % 11) as u8).collect::<Vec<_>>());
    }
}

#[test]
fn matches_beyond_the_window_are_not_used() {
    for distance in [8191_usize, 8192, 8193, 20_000] {
        let mut plain = b"a phrase that comes twice".to_vec();
        plain.extend_from_slice(&noise(distance - plain.len(), 5));
        plain.extend_from_slice(b"a phrase that comes twice");
        round_trip(&plain);
    }
}

#[test]
fn ready_blocks_concatenate() {
    let (one, two) = (b"first text ".repeat(20_000), b"second text ".repeat(9));
    let mut blocks = Blocks::compress(&one);
    blocks.append(&Blocks::compress(&two));
    let stored = Blocks::from_bytes(blocks.as_bytes().to_vec()).expect("framed");
    assert_eq!(stored, blocks);
    assert_eq!(stored.plain_len(), one.len() + two.len());
    assert_eq!(decompress(stored.as_bytes(), usize::MAX), Ok([one.clone(), two].concat()));
    assert_eq!(super::blocks(&one).collect::<Vec<_>>().concat(), compress_greedy(&one));
}

#[test]
fn checklist_6_lying_sizes_are_errors() {
    let plain = b"abc".repeat(100);
    let body = compress_greedy(&plain);
    let with = |at: usize, value: u32| {
        let mut body = body.clone();
        body[at..at + 4].copy_from_slice(&value.to_le_bytes());
        decompress(&body, 1 << 20)
    };
    for (original, wanted) in [(299, 299), (301, 301), (65_535, 65_535)] {
        assert_eq!(with(0, original), Err(XpressError::Length { block: 0, wanted }), "{original}");
    }
    for size in [0, 65_536, u32::MAX] {
        assert_eq!(with(0, size), Err(XpressError::Size { block: 0, size }));
        assert_eq!(with(4, size), Err(XpressError::Size { block: 0, size }));
    }
    assert_eq!(with(4, 300), Err(XpressError::Truncated { block: 0, wanted: 300, found: 13 }));
    assert_eq!(with(4, 12), Err(XpressError::Truncated { block: 1, wanted: 8, found: 1 }));
    for cut in 1..body.len() {
        assert!(decompress(&body[..cut], 1 << 20).is_err(), "{cut}");
    }
    assert_eq!(decompress(&body, 299), Err(XpressError::Limit { limit: 299 }));
    // An 8-byte block that claims a payload longer than its text is decoded, not taken as raw.
    assert_eq!(decompress(&[1, 0, 0, 0, 2, 0, 0, 0, 1, 2], 10), Err(XpressError::Length { block: 0, wanted: 1 }));
}

#[test]
fn impossible_matches_are_errors() {
    // A match before any literal; an offset of 2 after one; a 16-bit length below 22.
    for payload in ["ffffffff0000", "ffffff7f610800", "ffffff7f6107000fff1500", "ffffff7f6107000fff0000"] {
        assert_eq!(decode(&payload_of(payload), 100), Err(XpressError::Match { block: 0 }), "{payload}");
    }
    // Ends in the middle of an item.
    for payload in
        ["", "ffff", "ffffff7f", "ffffff7f6107", "ffffff7f610700", "ffffff7f6107000f", "ffffff7f6107000fff15"]
    {
        assert_eq!(decode(&payload_of(payload), 100), Err(XpressError::Length { block: 0, wanted: 100 }), "{payload}");
    }
}

#[test]
fn noise_never_panics() {
    for seed in 1..3000 {
        let mut body = noise(64, seed);
        let _ = decompress(&body, 1 << 16);
        body[..8].copy_from_slice(&[200, 0, 0, 0, 56, 0, 0, 0]);
        let _ = decompress(&body, 1 << 16);
    }
}

proptest! {
    #[test]
    fn any_text_survives(pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), 1..200_usize), 0..20)) {
        let plain: Vec<u8> = pieces.iter().flat_map(|(piece, times)| piece.repeat(*times)).collect();
        prop_assert_eq!(decompress(&compress_greedy(&plain), plain.len()), Ok(plain));
    }

    #[test]
    fn decoding_noise_is_bounded(body in proptest::collection::vec(any::<u8>(), 0..300), original in 1..400_usize) {
        let mut out = Vec::new();
        let _ = decode_payload(&body, original, &mut out);
        prop_assert!(out.len() <= original);
    }
}
