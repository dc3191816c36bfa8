use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;
use weir_model::ids::{ContentDigest, Sha256Digest, UpdateId, UpdateIdentity};

use super::*;

fn manifest() -> Manifest {
    Manifest::new(
        Uuid::from_u128(1),
        Issuer { server: Uuid::from_u128(2), software: "weir 0.2.0".into() },
        3,
        Timestamp::UNIX_EPOCH,
        Some(Base::Bundle { id: Uuid::from_u128(4), sequence: 2 }),
        99,
        Counts { revisions: 5, ..Counts::default() },
        vec![Section { kind: section::DOCUMENTS.into(), version: 1, records: 5, bytes: 500 }],
        vec![Part { size: 400, sha256: "ab".repeat(32) }],
    )
}

/// A change to a manifest.
type Damage<'d> = &'d dyn Fn(&mut Manifest);

#[test]
fn manifests_come_back() {
    let mut manifest = manifest();
    let bytes = manifest.to_bytes().expect("written");
    assert_eq!(Manifest::parse(&bytes).expect("read"), manifest);
    for base in [None, Some(Base::Inventory { server: Uuid::from_u128(7), change: 12 })] {
        manifest.base = base;
        let bytes = manifest.to_bytes().expect("written");
        assert_eq!(Manifest::parse(&bytes).expect("read"), manifest);
    }
    assert_eq!(manifest.size(), 400);
}

#[test]
fn manifests_that_contradict_themselves_are_refused() {
    let wrong: [(&str, Damage<'_>); 9] = [
        ("sequence", &|manifest| manifest.sequence = 0),
        ("builds on", &|manifest| manifest.sequence = 2),
        ("digest", &|manifest| manifest.parts[0].sha256 = "AB".repeat(32)),
        ("digest", &|manifest| manifest.parts[0].sha256.truncate(63)),
        ("size", &|manifest| manifest.parts[0].size = 0),
        ("twice", &|manifest| manifest.sections.push(manifest.sections[0].clone())),
        ("no parts", &|manifest| manifest.parts.clear()),
        ("kind", &|manifest| manifest.sections[0].kind.clear()),
        ("limit", &|manifest| manifest.issuer.software = "x".repeat(256)),
    ];
    for (what, change) in wrong {
        let mut manifest = manifest();
        change(&mut manifest);
        let text = serde_json::to_vec(&manifest).expect("JSON");
        let error = Manifest::parse(&text).expect_err(what).to_string();
        assert!(error.contains(what), "{what}: {error}");
        assert!(manifest.to_bytes().is_err(), "{what}");
    }
}

#[test]
fn another_version_is_named_whatever_else_it_says() {
    let text = br#"{"format": "weir-bundle", "version": 2, "anything": []}"#;
    assert!(matches!(Manifest::parse(text), Err(BundleError::Version { found, wanted: 1 }) if found == "2"));
    for text in [&b"{}"[..], b"", b"[1]", br#"{"format": "x", "version": 1}"#, br#"{"format": "weir-bundle"}"#] {
        assert!(matches!(Manifest::parse(text), Err(BundleError::Manifest(_))), "{text:?}");
    }
    let mut unknown = serde_json::to_value(manifest()).expect("JSON");
    unknown["condition"] = "only on Mondays".into();
    let text = serde_json::to_vec(&unknown).expect("JSON");
    assert!(
        matches!(Manifest::parse(&text), Err(BundleError::Manifest(_))),
        "what is not understood is not passed over"
    );
    assert!(matches!(Manifest::parse(&vec![b' '; 9 << 20]), Err(BundleError::Limit { .. })));
}

#[test]
fn signatures_are_exact() {
    let signature = Signature { key: [1; 32], signature: [2; 64] };
    let bytes = signature.to_bytes();
    assert_eq!(bytes.len(), Signature::LENGTH);
    assert_eq!(Signature::parse(&bytes).expect("read"), signature);
    for wrong in [&bytes[..103], &bytes[1..], &[&bytes[..], b"\n"].concat(), b""] {
        assert!(Signature::parse(wrong).is_err());
    }
    assert_ne!(signed(b"a"), signed(b"b"));
    assert!(signed(b"{}").ends_with(b"{}") && signed(b"{}").len() > 2);
}

fn part(number: u32, frames: &[(u16, Vec<u8>, bool)]) -> Vec<u8> {
    let mut writer = PartWriter::new(Vec::new(), number).expect("begun");
    for (section, plain, compress) in frames {
        let before = writer.size();
        writer.frame(*section, plain, *compress).expect("written");
        assert!(writer.size() - before <= PartWriter::<Vec<u8>>::frame_size(plain.len()));
    }
    let size = writer.size();
    let bytes = writer.finish().expect("ended");
    assert_eq!(size, bytes.len() as u64);
    bytes
}

fn frames(bytes: &[u8], number: u32) -> Result<Vec<(u16, Vec<u8>)>, BundleError> {
    let mut reader = PartReader::new(bytes, number)?;
    let mut frames = Vec::new();
    while let Some(frame) = reader.frame()? {
        frames.push((frame.section, frame.plain.to_vec()));
    }
    assert!(reader.frame()?.is_none());
    Ok(frames)
}

#[test]
fn a_part_is_what_was_written_and_nothing_else() {
    let content = [(0, vec![7; 100_000], true), (1, vec![1, 2, 3], false), (1, vec![9; FRAME], true)];
    let bytes = part(3, &content);
    assert!(bytes.len() < 10_000, "it is compressed: {}", bytes.len());
    let plain: Vec<_> = content.iter().map(|(section, plain, _)| (*section, plain.clone())).collect();
    assert_eq!(frames(&bytes, 3).expect("read"), plain);
    assert!(matches!(frames(&bytes, 4), Err(BundleError::Part { part: 4, .. })));
    for length in 0..bytes.len() {
        assert!(frames(&bytes[..length], 3).is_err(), "cut at {length}");
    }
    assert!(frames(&[&bytes[..], b"x"].concat(), 3).is_err());
    let mut newer = bytes;
    newer[8] = 2;
    assert!(matches!(frames(&newer, 3), Err(BundleError::Version { .. })));
}

#[test]
fn frames_are_bounded() {
    let mut writer = PartWriter::new(Vec::new(), 1).expect("begun");
    assert!(writer.frame(0, &vec![0; FRAME + 1], true).is_err());
    assert!(writer.frame(0, &[], true).is_err());
    assert!(writer.frame(u16::MAX, &[1], true).is_err());
    // a small frame that claims to become large
    let mut bomb = part(1, &[(0, vec![0; FRAME], true)]);
    bomb[20..24].copy_from_slice(&(2 * FRAME as u32).to_le_bytes());
    assert!(matches!(frames(&bomb, 1), Err(BundleError::Frame { .. })));
    bomb[20..24].copy_from_slice(&1000_u32.to_le_bytes());
    assert!(matches!(frames(&bomb, 1), Err(BundleError::Frame { .. })), "or becomes larger than it claims");
}

fn records(stream: &[u8], pieces: usize, longest: usize) -> Result<Vec<Vec<u8>>, BundleError> {
    let mut records = Records::new(longest);
    let mut found = Vec::new();
    for piece in stream.chunks(pieces.max(1)) {
        records.push(piece);
        while let Some(record) = records.next_record()? {
            found.push(record.to_vec());
        }
    }
    records.end()?;
    assert_eq!(records.count(), found.len() as u64);
    Ok(found)
}

#[test]
fn records_are_bounded_and_whole() {
    let mut stream = Vec::new();
    write_record(&mut stream, b"abcdef");
    assert!(records(&stream, 3, 5).is_err());
    assert_eq!(records(&stream, 3, 6).expect("read"), [b"abcdef"]);
    assert!(records(&stream[..stream.len() - 1], 3, 6).is_err());
    assert!(records(b"\x01", 3, 6).is_err());
}

type File = (FileHead, Vec<u8>);

fn files(stream: &[u8], pieces: usize) -> Result<Vec<File>, BundleError> {
    let mut files = Files::default();
    let (mut found, mut open): (Vec<File>, Option<File>) = (Vec::new(), None);
    for piece in stream.chunks(pieces.max(1)) {
        files.push::<BundleError>(piece, &mut |event| {
            match event {
                FileEvent::Begin(head) => assert!(open.replace((head, Vec::new())).is_none()),
                FileEvent::Data(bytes) => open.as_mut().expect("open").1.extend_from_slice(bytes),
                FileEvent::End => found.push(open.take().expect("open")),
            }
            Ok(())
        })?;
        assert_eq!(files.is_open(), files.end().is_err());
    }
    files.end()?;
    assert_eq!(files.count(), found.len() as u64);
    Ok(found)
}

fn head(size: u64, extension: &str) -> FileHead {
    FileHead { digest: ContentDigest([3; 20]), sha256: Sha256Digest([4; 32]), size, extension: extension.to_owned() }
}

#[test]
fn files_are_named_by_their_digests_alone() {
    for extension in ["/../x", ".A", "cab", ".", ".a.b", ".veryverylong"] {
        let mut stream = Vec::new();
        head(0, extension).write(&mut stream);
        assert!(files(&stream, 100).is_err(), "{extension}");
    }
    let mut stream = Vec::new();
    head(u64::MAX, ".cab").write(&mut stream);
    stream.extend_from_slice(b"few");
    assert!(files(&stream, 2).is_err(), "it ends inside the file");
}

#[test]
fn documents_and_sources_must_be_text() {
    let identity = UpdateIdentity::new(UpdateId(Uuid::from_u128(5)), 200);
    let mut stream = Vec::new();
    Document { identity, text: "<a>ä\r\n</a>" }.write(&mut stream);
    let record = records(&stream, 7, Document::LONGEST).expect("read").remove(0);
    assert_eq!(Document::read(&record), Some(Document { identity, text: "<a>ä\r\n</a>" }));
    assert_eq!(Document::read(&record[..19]), None);
    assert_eq!(Document::read(&[&record[..20], b"\xff"].concat()), None);
    let source = Source { digest: ContentDigest([9; 20]), url: "http://example/é" };
    let mut stream = Vec::new();
    source.write(&mut stream);
    let record = records(&stream, 7, Source::LONGEST).expect("read").remove(0);
    assert_eq!(Source::read(&record), Some(source));
    assert_eq!(Source::read(b"short"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read_within_bounds(bytes: Vec<u8>, pieces in 1..64_usize) {
        let _ = Manifest::parse(&bytes);
        let _ = Signature::parse(&bytes);
        let _ = frames(&bytes, 1);
        let _ = records(&bytes, pieces, 100);
        let _ = files(&bytes, pieces);
        let _ = Document::read(&bytes);
        let _ = Source::read(&bytes);
    }

    #[test]
    fn a_changed_bit_of_a_part_never_passes_for_something_else(
        plain in proptest::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bit in 0..8_u32,
    ) {
        let mut bytes = part(1, &[(0, plain, true)]);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // digests tell what is inside a frame; here it is enough that nothing goes out of bounds
        let _ = frames(&bytes, 1);
    }

    #[test]
    fn streams_may_be_cut_anywhere(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..8), pieces in 1..40_usize,
    ) {
        let mut stream = Vec::new();
        for payload in &payloads {
            write_record(&mut stream, payload);
        }
        prop_assert_eq!(records(&stream, pieces, 50).expect("read"), payloads.clone());
        let mut stream = Vec::new();
        let wanted: Vec<_> =
            payloads.into_iter().map(|payload| (head(payload.len() as u64, ".cab"), payload)).collect();
        for (head, payload) in &wanted {
            head.write(&mut stream);
            stream.extend_from_slice(payload);
        }
        prop_assert_eq!(files(&stream, pieces).expect("read"), wanted);
    }

    #[test]
    fn parts_come_back(
        content in proptest::collection::vec((0..5_u16, proptest::collection::vec(any::<u8>(), 1..3000), any::<bool>()), 0..6),
        number: u32,
    ) {
        let bytes = part(number, &content);
        let plain: Vec<_> = content.into_iter().map(|(section, plain, _)| (section, plain)).collect();
        prop_assert_eq!(frames(&bytes, number).expect("read"), plain);
    }
}
