//! Any package.xml and metadata.txt are read within bounds or refused. What is read whole can be written and read again.

use std::io::Cursor;

use weir_wire::{
    cab::{MemberHead, write_mszip},
    package::{Limits, Reader, Record, Writer},
};

// `package.xml`, a zero byte, `metadata.txt`.
pub(super) fn run(data: &[u8]) -> bool {
    let limits = Limits { package_xml: 1 << 20, metadata: 1 << 22, document: 1 << 20, updates: 1000 };
    let _ = Reader::open(Cursor::new(data), &limits);
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (description, metadata) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let head = |name: &str| MemberHead { name: name.into(), ..MemberHead::default() };
    let Ok(cab) = write_mszip(&[(head("package.xml"), description), (head("metadata.txt"), metadata)]) else {
        return false;
    };
    let Ok(mut reader) = Reader::open(Cursor::new(cab), &limits) else { return false };
    let mut package = reader.package().clone();
    let Ok(records) = reader.records().expect("there").collect::<Result<Vec<Record>, _>>() else { return false };

    package.updates.sort_by_key(|update| records.iter().position(|record| record.identity == update.identity));
    let bytes = records.iter().map(|record| record.text.len() as u64).sum();
    let mut writer = Writer::create(Cursor::new(Vec::new()), &package, bytes).expect("fits");
    for record in &records {
        writer.record(record.identity, &record.text).expect("in order");
    }
    let mut again = Reader::open(writer.finish().expect("complete"), &limits).expect("own package");
    assert_eq!(again.package().updates, package.updates);
    assert_eq!(again.package().files, package.files);
    let read: Vec<Record> = again.records().expect("there").map(|record| record.expect("own record")).collect();
    assert_eq!(read, records);
    true
}
