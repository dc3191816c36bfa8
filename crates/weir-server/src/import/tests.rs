use std::io::Cursor;

use super::*;

const NAMESPACE: &str = "http://schemas.microsoft.com/msus/2002/12/Update";

fn kind(bytes: &[u8]) -> Kind {
    recognise::kind(&mut Cursor::new(bytes.to_vec())).expect("read")
}

#[test]
fn files_are_recognised_by_their_content() {
    let document = format!("<?xml version=\"1.0\"?><!-- x > y --><upd:Update xmlns:upd=\"{NAMESPACE}\">");
    assert_eq!(kind(document.as_bytes()), Kind::Document);
    assert_eq!(kind(format!("\u{feff}{document}").as_bytes()), Kind::Document);
    assert_eq!(kind(format!("<Update xmlns=\"{NAMESPACE}\"/>").as_bytes()), Kind::Document);
    // damaged, but meant as an update: rejected later, not skipped
    assert_eq!(kind(b"<upd:Update "), Kind::Document);
    assert_eq!(kind(format!("<!DOCTYPE Update [<!ENTITY a \"b>\">]>{document}").as_bytes()), Kind::Document);
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(document.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(kind(&wide), Kind::Document);
    assert_eq!(kind(b"<UpdateIdentity UpdateID=\"x\"/>"), Kind::Other);
    assert_eq!(kind(b"<Update xmlns=\"urn:other\"/>"), Kind::Other);
    assert_eq!(kind(b"{}"), Kind::Other);
    assert_eq!(kind(b""), Kind::Other);
    assert_eq!(kind(b"<!-- never closed"), Kind::Other);
    assert_eq!(kind(b"MSCF...."), Kind::Package);
    assert_eq!(kind(b"\x1f\x8b.."), Kind::Package);
}

#[test]
fn a_file_that_is_not_an_update_is_skipped_and_a_broken_one_rejected_by_itself() {
    let input = |name: &str, text: &str| Input {
        name: name.to_owned(),
        source: Box::new(Cursor::new(text.as_bytes().to_vec())),
    };
    let batch = Batch::read(
        vec![
            input("note.txt", "hello"),
            input("broken.xml", &format!("<upd:Update xmlns:upd=\"{NAMESPACE}\"><upd:UpdateIdentity")),
        ],
        &|_, _, _| {},
    )
    .expect("read");
    assert_eq!((batch.result.skipped, batch.result.rejected), (1, 1));
    assert!(!batch.failed);
    assert_eq!(batch.result.errors.first().map(|error| error.file.as_str()), Some("broken.xml"));
}

#[test]
fn a_damaged_package_fails_the_whole_import() {
    let input = Input { name: "a.cab".to_owned(), source: Box::new(Cursor::new(b"MSCF\0\0\0\0".to_vec())) };
    let batch = Batch::read(vec![input], &|_, _, _| {}).expect("read");
    assert!(batch.failed);
    assert_eq!(batch.result.rejected, 1);
}
