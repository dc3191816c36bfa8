//! Documents in cabinets.

use crate::{
    cab::{self, MemberHead},
    wsss::blob::{BlobError, compress, decompress},
};

const DOCUMENT: &str = "<upd:Update xmlns:upd=\"x\">\r\n\u{e9}\u{4e16}\u{1F600}</upd:Update>";

fn head(name: &str) -> MemberHead {
    MemberHead { name: name.to_owned(), ..MemberHead::default() }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A cabinet with one stored folder, of which the cabinet module has no writer.
fn stored(plain: &[u8]) -> Vec<u8> {
    let mut out = b"MSCF\0\0\0\0".to_vec();
    let size = 36 + 8 + 16 + 5 + 8 + plain.len();
    for value in [size as u32, 0, 44, 0] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(&[3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&65_u32.to_le_bytes());
    out.extend_from_slice(&[1, 0, 0, 0]);
    out.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    out.extend_from_slice(&[0; 12]);
    out.extend_from_slice(b"blob\0");
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(plain.len() as u16).to_le_bytes());
    out.extend_from_slice(&(plain.len() as u16).to_le_bytes());
    out.extend_from_slice(plain);
    out
}

#[test]
fn what_is_packed_is_unpacked() {
    let long = DOCUMENT.repeat(5_000);
    for document in ["<", DOCUMENT, &long] {
        let cabinet = compress(document).expect("packed");
        assert_eq!(decompress(&cabinet, document.len() as u64).expect("unpacked"), document);
        assert!(matches!(
            decompress(&cabinet, document.len() as u64 / 5).expect_err("too large"),
            BlobError::TooLarge { .. }
        ));
    }
}

#[test]
fn a_document_must_fit_as_utf8_too() {
    // 1 unit of UTF-16 each, 3 bytes of UTF-8.
    let document = format!("<{}", "\u{4e16}".repeat(100));
    let cabinet = compress(&document).expect("packed");
    assert!(matches!(decompress(&cabinet, 300), Err(BlobError::TooLarge { limit: 300 })));
    assert!(decompress(&cabinet, 301).is_ok());
}

#[test]
fn other_encodings_and_compressions_are_read() {
    let mut with_mark = vec![0xFF, 0xFE];
    with_mark.extend(utf16(DOCUMENT));
    let marked_utf8 = format!("\u{FEFF}{DOCUMENT}").into_bytes();
    for plain in [utf16(DOCUMENT), with_mark, DOCUMENT.as_bytes().to_vec(), marked_utf8] {
        assert_eq!(decompress(&stored(&plain), 1_000).expect("stored"), DOCUMENT);
        let packed = cab::write_mszip(&[(head("blob"), &plain)]).expect("packed");
        assert_eq!(decompress(&packed, 1_000).expect("packed"), DOCUMENT);
    }
    // Another name, and other members besides.
    let other = cab::write_mszip(&[(head("document.xml"), DOCUMENT.as_bytes())]).expect("packed");
    assert_eq!(decompress(&other, 1_000).expect("the only member"), DOCUMENT);
    let two = [(head("a"), &b"x"[..]), (head("blob"), DOCUMENT.as_bytes())];
    assert_eq!(decompress(&cab::write_mszip(&two).expect("packed"), 1_000).expect("by name"), DOCUMENT);
    let two = [(head("a"), &b"x"[..]), (head("b"), DOCUMENT.as_bytes())];
    assert!(matches!(decompress(&cab::write_mszip(&two).expect("packed"), 1_000), Err(BlobError::Members)));
}

#[test]
fn broken_documents_are_refused() {
    let lone = [b'<', 0, 0x00, 0xD8, b'>', 0];
    let odd = [b'<', 0, b'>'];
    for plain in [&lone[..], &odd[..], &b"<\xFF>"[..]] {
        let cabinet = cab::write_mszip(&[(head("blob"), plain)]).expect("packed");
        assert!(matches!(decompress(&cabinet, 100), Err(BlobError::Text)), "{plain:?}");
    }
    let cabinet = compress(DOCUMENT).expect("packed");
    for cut in 0..cabinet.len() {
        assert!(decompress(&cabinet[..cut], 1_000).is_err(), "{cut} bytes");
    }
    assert!(matches!(decompress(b"no cabinet", 100), Err(BlobError::Cabinet(_))));
}

#[test]
fn an_announced_size_is_not_believed() {
    let mut cabinet = compress(DOCUMENT).expect("packed");
    // The plain size of the member, in its entry.
    cabinet[44..48].copy_from_slice(&0x7FFF_0000_u32.to_le_bytes());
    assert!(matches!(decompress(&cabinet, 1 << 20), Err(BlobError::TooLarge { .. })));
}

#[test]
fn cabextract_opens_what_is_written() {
    let folder = std::env::temp_dir().join(format!("weir-blob-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let long = DOCUMENT.repeat(5_000);
    std::fs::write(folder.join("x.cab"), compress(&long).expect("packed")).expect("written");
    let status = std::process::Command::new("cabextract")
        .args(["-q", "-d"])
        .args([&folder, &folder.join("x.cab")])
        .status()
        .expect("this test needs cabextract, from the package of that name");
    assert!(status.success());
    assert!(std::fs::read(folder.join("blob")).expect("extracted") == utf16(&long));
    std::fs::remove_dir_all(&folder).expect("removed");
}
