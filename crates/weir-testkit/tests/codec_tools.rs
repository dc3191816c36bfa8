//! What Weir writes is read by tools that others made.

use std::{fs, io::Cursor, process::Command};

use weir_testkit::shared;
use weir_wire::{cab, package};

/// Extracts with cabextract, an independent reader of cabinets, and gives the bytes of one member.
fn extract(cabinet: &[u8], member: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("written.cab");
    fs::write(&path, cabinet).expect("writable");
    let output = Command::new("cabextract")
        .args(["--quiet", "--directory"])
        .arg(folder.path())
        .arg(&path)
        .output()
        .expect("this test needs cabextract; on Debian: apt-get install cabextract");
    assert!(output.status.success(), "cabextract refuses it: {}", String::from_utf8_lossy(&output.stderr));
    fs::read(folder.path().join(member)).expect("extracted")
}

#[test]
fn cabextract_reads_a_package_that_we_write() {
    let source = fs::File::open(shared("data/wsusutil-export-2020-04.cab")).expect("readable");
    let mut reader = package::Reader::open(source, &package::Limits::default()).expect("genuine");
    let description = reader.package().clone();
    let records: Vec<_> = reader.records().expect("there").collect::<Result<_, _>>().expect("genuine");
    let bytes = records.iter().map(|record| record.text.len() as u64).sum();
    let mut writer = package::Writer::create(Cursor::new(Vec::new()), &description, bytes).expect("fits");
    for record in &records {
        writer.record(record.identity, &record.text).expect("in order");
    }
    let written = writer.finish().expect("complete").into_inner();

    let metadata = extract(&written, "metadata.txt");
    let mut own = cab::Reader::open(Cursor::new(written), &cab::Limits::default()).expect("own");
    assert!(metadata == own.read("metadata.txt", u64::MAX).expect("own"), "cabextract and Weir read different bytes");
}

#[test]
fn cabextract_reads_incompressible_members() {
    let mut random = weir_testkit::Random::new(5);
    let noise: Vec<u8> = (0..100_000).map(|_| random.below(256) as u8).collect();
    let head = cab::MemberHead { name: "noise.bin".into(), date: 0x5095, time: 0 };
    let written = cab::write_mszip(&[(head, &noise)]).expect("fits");
    assert_eq!(extract(&written, "noise.bin"), noise);
}
