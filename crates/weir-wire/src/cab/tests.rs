use std::io::{Cursor, Read};

use proptest::prelude::*;

use super::{checksum::block_checksum, *};

/// A folder of a cabinet spelled by hand: compression, bytes reserved for it, and its blocks (packed, plain size).
struct RawFolder {
    compression: u16,
    blocks: Vec<(Vec<u8>, u16)>,
}

/// What differs from a plain cabinet.
#[derive(Default)]
struct Raw {
    header_reserve: Option<u16>,
    folder_reserve: u8,
    block_reserve: u8,
    zero_checksums: bool,
    /// name, folder, offset, size
    members: Vec<(&'static [u8], u16, u32, u32)>,
    folders: Vec<RawFolder>,
    attributes: u16,
    flags: u16,
}

impl Raw {
    fn build(&self) -> Vec<u8> {
        let reserved = self.header_reserve.is_some() || self.folder_reserve > 0 || self.block_reserve > 0;
        let mut cab = b"MSCF\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\x01".to_vec();
        cab.extend_from_slice(&(self.folders.len() as u16).to_le_bytes());
        cab.extend_from_slice(&(self.members.len() as u16).to_le_bytes());
        cab.extend_from_slice(&(self.flags | if reserved { 4 } else { 0 }).to_le_bytes());
        cab.extend_from_slice(&[7, 0, 0, 0]);
        if reserved {
            let header = self.header_reserve.unwrap_or(0);
            cab.extend_from_slice(&header.to_le_bytes());
            cab.extend_from_slice(&[self.folder_reserve, self.block_reserve]);
            cab.resize(cab.len() + usize::from(header), 0xee);
        }
        let mut data_fields = Vec::new();
        for folder in &self.folders {
            data_fields.push(cab.len());
            cab.extend_from_slice(&[0; 4]);
            cab.extend_from_slice(&(folder.blocks.len() as u16).to_le_bytes());
            cab.extend_from_slice(&folder.compression.to_le_bytes());
            cab.resize(cab.len() + usize::from(self.folder_reserve), 0xee);
        }
        let members_at = cab.len() as u32;
        cab[16..20].copy_from_slice(&members_at.to_le_bytes());
        for (name, folder, offset, size) in &self.members {
            cab.extend_from_slice(&size.to_le_bytes());
            cab.extend_from_slice(&offset.to_le_bytes());
            cab.extend_from_slice(&folder.to_le_bytes());
            cab.extend_from_slice(&[0x21, 0x50, 0, 0]);
            cab.extend_from_slice(&self.attributes.to_le_bytes());
            cab.extend_from_slice(name);
            cab.push(0);
        }
        for (folder, field) in self.folders.iter().zip(data_fields) {
            let at = cab.len() as u32;
            cab[field..field + 4].copy_from_slice(&at.to_le_bytes());
            for (packed, plain) in &folder.blocks {
                let sizes = [(packed.len() as u16).to_le_bytes(), plain.to_le_bytes()].concat();
                let sum = if self.zero_checksums { 0 } else { block_checksum(packed, &sizes) };
                cab.extend_from_slice(&sum.to_le_bytes());
                cab.extend_from_slice(&sizes);
                cab.resize(cab.len() + usize::from(self.block_reserve), 0xee);
                cab.extend_from_slice(packed);
            }
        }
        let size = cab.len() as u32;
        cab[8..12].copy_from_slice(&size.to_le_bytes());
        cab
    }
}

fn stored(text: &[u8]) -> RawFolder {
    RawFolder {
        compression: STORED,
        blocks: text.chunks(BLOCK).map(|block| (block.to_vec(), block.len() as u16)).collect(),
    }
}

fn head(name: &str) -> MemberHead {
    MemberHead { name: name.into(), date: 0x5095, time: 0xbe43 }
}

fn open(cab: &[u8]) -> Result<Reader<Cursor<&[u8]>>, CabError> {
    Reader::open(Cursor::new(cab), &Limits::default())
}

fn all(cab: &[u8]) -> Result<Vec<(String, Vec<u8>)>, CabError> {
    let mut reader = open(cab)?;
    let names: Vec<_> = reader.members().iter().map(|member| member.name.clone()).collect();
    names.into_iter().map(|name| reader.read(&name, u64::MAX).map(|bytes| (name, bytes))).collect()
}

fn noise(length: usize) -> Vec<u8> {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    (0..length)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 32) as u8
        })
        .collect()
}

fn small() -> Raw {
    Raw {
        members: vec![(b"One.txt", 0, 0, 5), (b"two", 0, 5, 6), (b"three", 1, 2, 3)],
        folders: vec![stored(b"first second"), stored(b"..abc..")],
        ..Raw::default()
    }
}

#[test]
fn stored_members_of_several_folders_are_read_in_any_order_and_case() {
    let cab = small().build();
    let mut reader = open(&cab).expect("valid");
    for name in ["three", "TWO", "one.TXT", "two", "three"] {
        let expected: &[u8] = match name.to_ascii_lowercase().as_str() {
            "one.txt" => b"first",
            "two" => b" secon",
            _ => b"abc",
        };
        assert_eq!(reader.read(name, 100).expect(name), expected, "{name}");
    }
    assert!(matches!(reader.read("four", 9), Err(CabError::NoMember(name)) if name == "four"));
    assert!(matches!(reader.read("two", 5), Err(CabError::Limit { limit: 5, .. })));
    let member = &reader.members()[0];
    assert_eq!((member.name.as_str(), member.size, member.date, member.time), ("One.txt", 5, 0x5021, 0));
}

#[test]
fn reserves_are_skipped_by_the_sizes_of_the_header() {
    for (header, folder, block) in [(Some(6144), 0, 0), (Some(0), 3, 5), (None, 0, 255), (Some(20), 255, 1)] {
        let raw = Raw { header_reserve: header, folder_reserve: folder, block_reserve: block, ..small() };
        let members = all(&raw.build()).expect("valid");
        assert_eq!(members[2], ("three".into(), b"abc".to_vec()), "{header:?} {folder} {block}");
    }
}

#[test]
fn what_is_written_is_read() {
    let texts: [&[u8]; 5] =
        [b"", b"short", &b"0123456789".repeat(20_000), &noise(100_000), &[noise(40_000), noise(40_000)].concat()];
    let members: Vec<_> = texts.iter().enumerate().map(|(i, text)| (head(&format!("member-{i}")), *text)).collect();
    let cab = write_mszip(&members).expect("fits");
    let read = all(&cab).expect("valid");
    for ((head, text), (name, bytes)) in members.iter().zip(read) {
        assert_eq!((&head.name, *text), (&name, &bytes[..]));
    }
    // The repetition 40,000 bytes back is beyond the 32 KiB history: all the noise is there.
    assert!(cab.len() < 182_000, "{}", cab.len());
}

#[test]
fn history_runs_on_from_block_to_block() {
    // Without history each of the three blocks would hold the 20,000 bytes of noise afresh.
    let text = noise(20_000).repeat(4);
    let cab = write_mszip(&[(head("a"), &text)]).expect("fits");
    assert!(cab.len() < 23_000, "blocks do not refer to the one before: {}", cab.len());
    assert_eq!(all(&cab).expect("valid")[0].1, text);
}

#[test]
fn members_are_read_as_a_stream_in_small_pieces() {
    let text = b"some text that goes on ".repeat(10_000);
    let cab = write_mszip(&[(head("skip"), b"xyz"), (head("a"), &text), (head("b"), b"tail")]).expect("fits");
    let mut reader = open(&cab).expect("valid");
    let mut member = reader.member("a").expect("there");
    let mut read = Vec::new();
    let mut piece = [0; 777];
    loop {
        let count = member.read(&mut piece).expect("valid");
        if count == 0 {
            break;
        }
        read.extend_from_slice(&piece[..count]);
    }
    assert_eq!(read, text);
    assert_eq!(member.remaining(), 0);
    let mut tail = String::new();
    reader.member("b").expect("there").read_to_string(&mut tail).expect("valid");
    assert_eq!(tail, "tail");
}

#[test]
fn many_members_cost_one_pass() {
    let members: Vec<_> = (0..20_000).map(|i| (head(&format!("{i:05}")), &b"twelve bytes"[..])).collect();
    let cab = write_mszip(&members).expect("fits");
    let mut reader = open(&cab).expect("valid");
    for (head, text) in &members {
        assert_eq!(reader.read(&head.name, 100).expect("valid"), *text);
    }
}

#[test]
fn any_flipped_byte_of_a_block_is_noticed() {
    let text = b"abcdefgh".repeat(50);
    let cab = write_mszip(&[(head("a"), &text)]).expect("fits");
    let data_at = 36 + 8 + 16 + 2;
    for at in data_at..cab.len() {
        let mut broken = cab.clone();
        broken[at] ^= 0x10;
        let error = all(&broken).expect_err("damaged");
        assert!(
            matches!(error, CabError::Checksum { block: 0 } | CabError::Data { .. } | CabError::Malformed(_)),
            "{at} {error}"
        );
    }
}

#[test]
fn a_zero_checksum_is_none() {
    let mut raw = Raw { zero_checksums: true, ..small() };
    assert!(all(&raw.build()).is_ok());
    raw.folders[0].blocks[0].0[0] = b'F';
    assert_eq!(all(&raw.build()).expect("not checked")[0].1, b"First");
}

#[test]
fn checklist_2_length_of_the_file_is_compared_first() {
    let cab = small().build();
    for cut in 12..cab.len() {
        assert!(matches!(open(&cab[..cut]), Err(CabError::Length { .. })), "{cut}");
    }
    let mut longer = cab.clone();
    longer.extend_from_slice(b"\r\n");
    let length = cab.len() as u64;
    assert!(
        matches!(open(&longer), Err(CabError::Length { announced, actual }) if announced == length && actual == length + 2)
    );
}

#[test]
fn truncated_structures_are_errors_even_if_the_size_field_agrees() {
    let cab = write_mszip(&[(head("a"), &b"abc".repeat(100)), (head("b"), b"x")]).expect("fits");
    for cut in 0..cab.len() {
        let mut broken = cab[..cut].to_vec();
        if cut >= 12 {
            broken[8..12].copy_from_slice(&(cut as u32).to_le_bytes());
        }
        assert!(all(&broken).is_err(), "{cut}");
    }
}

#[test]
fn checksums_follow_the_published_rule() {
    // Words are little-endian, the rest of three, two or one bytes big-endian.
    assert_eq!(checksum::checksum(&[1, 2, 3, 4], 0), 0x0403_0201);
    assert_eq!(checksum::checksum(&[1, 2, 3, 4, 5, 6, 7], 0), 0x0403_0201 ^ 0x0005_0607);
    assert_eq!(checksum::checksum(&[5, 6], 1), 0x0506 ^ 1);
    assert_eq!(checksum::checksum(&[5], 0), 5);
}

#[test]
fn lying_entries_are_errors() {
    let bad = |change: &dyn Fn(&mut Raw)| {
        let mut raw = small();
        change(&mut raw);
        all(&raw.build()).expect_err("damaged")
    };
    assert!(matches!(bad(&|raw| raw.members[0].3 = 40_000), CabError::Malformed(_)));
    assert!(matches!(bad(&|raw| raw.members[0].3 = 13), CabError::Malformed(_)));
    assert!(matches!(bad(&|raw| raw.members[0].2 = u32::MAX), CabError::Limit { .. }));
    assert!(matches!(bad(&|raw| raw.members[0].1 = 2), CabError::Malformed(_)));
    assert!(matches!(bad(&|raw| raw.members[0].1 = 0xfffd), CabError::Unsupported(_)));
    assert!(matches!(bad(&|raw| raw.members[0].0 = b""), CabError::Malformed(_)));
    assert!(matches!(bad(&|raw| raw.members[0].0 = &[b'a'; 300]), CabError::Malformed(_)));
    assert!(matches!(bad(&|raw| raw.flags = 1), CabError::Unsupported(_)));
    assert!(matches!(bad(&|raw| raw.flags = 2), CabError::Unsupported(_)));
    assert!(matches!(bad(&|raw| raw.folders[0].compression = QUANTUM), CabError::Unsupported(_)));
    assert!(matches!(bad(&|raw| raw.folders[0].compression = LZX | 14 << 8), CabError::Unsupported(_)));
    assert!(matches!(bad(&|raw| raw.folders[0].compression = MSZIP), CabError::Data { .. }));
    assert!(matches!(bad(&|raw| raw.folders[0].compression = LZX | 15 << 8), CabError::Data { .. }));
    assert!(matches!(bad(&|raw| raw.folders[0].blocks[0].1 = 11), CabError::Data { .. }));
    assert!(matches!(bad(&|raw| raw.folders[0].blocks[0].1 = 0), CabError::Data { .. }));
    assert!(matches!(bad(&|raw| raw.folders[0].blocks.clear()), CabError::Malformed(_)));
    let two = |raw: &mut Raw| raw.folders[0].blocks = vec![(b"first".to_vec(), 5), (b" secon".to_vec(), 6)];
    assert!(matches!(bad(&two), CabError::Data { .. }));
    assert!(matches!(open(b"MZ"), Err(CabError::NotCabinet)));
    assert!(matches!(open(b""), Err(CabError::NotCabinet)));
    let limits = Limits { members: 2, ..Limits::default() };
    let cab = small().build();
    assert!(matches!(Reader::open(Cursor::new(&cab[..]), &limits), Err(CabError::Limit { limit: 2, .. })));
}

#[test]
fn mszip_that_yields_more_or_less_than_announced_is_an_error() {
    let cab = write_mszip(&[(head("a"), &b"abcdefgh".repeat(50))]).expect("fits");
    let block_at = 36 + 8 + 16 + 2;
    let packed = cab[block_at + 8..].to_vec();
    for plain in [399, 401, 1, 32_768] {
        let raw = Raw {
            members: vec![(b"a", 0, 0, 1)],
            folders: vec![RawFolder { compression: MSZIP, blocks: vec![(packed.clone(), plain)] }],
            ..Raw::default()
        };
        assert!(matches!(all(&raw.build()), Err(CabError::Data { block: 0, .. })), "{plain}");
    }
}

#[test]
fn names_are_latin_or_utf8_by_their_attribute() {
    let raw = |name, attributes| {
        let mut raw = Raw { attributes, ..small() };
        raw.members[0].0 = name;
        open(&raw.build()).map(|reader| reader.members()[0].name.clone())
    };
    assert_eq!(raw(b"caf\xe9", 0x20).expect("valid"), "café");
    assert_eq!(raw("café".as_bytes(), 0xa0).expect("valid"), "café");
    assert!(matches!(raw(b"caf\xe9", 0xa0), Err(CabError::Malformed(_))));
    let cab = write_mszip(&[(head("žluť"), b"x")]).expect("fits");
    assert_eq!(all(&cab).expect("valid")[0].0, "žluť");
}

#[test]
fn the_writer_refuses_what_cannot_be_written() {
    assert!(matches!(write_mszip(&[]), Err(CabError::Write(_))));
    assert!(matches!(write_mszip(&[(head(""), b"")]), Err(CabError::Write(_))));
    assert!(matches!(write_mszip(&[(head("a\0b"), b"")]), Err(CabError::Write(_))));
    let mut writer = Writer::new(Cursor::new(Vec::new()), vec![head("a")], 0).expect("valid");
    assert!(matches!(writer.write(&vec![0; MAX_FOLDER as usize + 1]), Err(CabError::Write(_))));
    writer.end_member().expect("one member");
    assert!(matches!(writer.write(b"more"), Err(CabError::Write(_))));
    assert!(matches!(writer.end_member(), Err(CabError::Write(_))));
    let writer = Writer::new(Cursor::new(Vec::new()), vec![head("a")], 0).expect("valid");
    assert!(matches!(writer.finish(), Err(CabError::Write(_))));
}

#[test]
fn a_cabinet_may_start_inside_its_sink() {
    let mut sink = Cursor::new(b"front".to_vec());
    sink.set_position(5);
    let mut writer = Writer::new(sink, vec![head("a")], 6144).expect("valid");
    writer.write(b"text").expect("fits");
    writer.end_member().expect("one");
    let sink = writer.finish().expect("complete");
    assert_eq!(sink.position(), sink.get_ref().len() as u64);
    assert_eq!(&sink.get_ref()[..5], b"front");
    assert_eq!(all(&sink.get_ref()[5..]).expect("valid")[0].1, b"text");
}

#[test]
fn flipped_bits_never_panic() {
    let cab = write_mszip(&[(head("a"), &b"abcdefgh".repeat(500)), (head("b"), &noise(300))]).expect("fits");
    for at in 12..cab.len().min(400) {
        for bit in 0..8 {
            let mut broken = cab.clone();
            broken[at] ^= 1 << bit;
            let _ = all(&broken);
        }
    }
}

proptest! {
    #[test]
    fn any_members_survive(members in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), 0..3000_usize), 1..6)) {
        let texts: Vec<Vec<u8>> = members.iter().map(|(piece, times)| piece.repeat(*times)).collect();
        let heads: Vec<_> = texts.iter().enumerate().map(|(i, text)| (head(&i.to_string()), &text[..])).collect();
        let read = all(&write_mszip(&heads).expect("fits")).expect("valid");
        prop_assert!(read.into_iter().map(|(_, text)| text).eq(texts));
    }
}
