//! Checklist 1 to 18 of the export format, as far as they concern the package itself.

use std::{
    collections::BTreeSet,
    error::Error as _,
    fs::File,
    io::{Cursor, Write as _},
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;
use crate::cab::{self, MemberHead};
use weir_model::ids::{ContentDigest, UpdateId, UpdateIdentity};

const ONE: &str = "e6cf1350-c01b-414d-a61f-263d14d133b4";
const TWO: &str = "56309036-4c77-4dd9-951a-99ee9c246a94";
const DIGEST: &str = "hlQslyYcRtWzeaQ+yJX5fq9Am6I=";

fn genuine() -> PathBuf {
    let folder = std::env::var_os("WEIR_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("data/wsusutil-export-2020-04.cab");
    assert!(
        path.is_file(),
        "the genuine package {} is absent; set WEIR_SHARED to the folder that holds data/",
        path.display()
    );
    path
}

fn identity(id: &str, revision: u32) -> UpdateIdentity {
    UpdateIdentity::new(id.parse().expect("GUID"), revision)
}

fn cabinet(members: &[(&str, &[u8])]) -> Vec<u8> {
    let members: Vec<_> = members
        .iter()
        .map(|(name, data)| (MemberHead { name: (*name).into(), ..MemberHead::default() }, *data))
        .collect();
    cab::write_mszip(&members).expect("fits")
}

/// A small description with these `Update` elements.
fn description(updates: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><ExportPackage ServerID=\"{TWO}\" CreationTime=\"2020-04-21T23:50:06Z\" \
         FormatVersion=\"1.0\" ProtocolVersion=\"1.20\"><Languages><Language Id=\"1033\" ShortName=\"en\" LongName=\"English\" \
         Enabled=\"1\" /></Languages><Files><File Digest=\"{DIGEST}\" MUUrl=\"http://a/b?c=1&amp;d\" Name=\"b.cab\" /></Files>\
         <Updates>{updates}</Updates></ExportPackage>"
    )
}

fn row(id: &str, revision: u32) -> String {
    format!(
        "<Update UpdateId=\"{id}\" RevisionNumber=\"{revision}\"><Files /><Categories /><Classifications /></Update>"
    )
}

fn framed(id: &str, revision: u32, text: &str) -> String {
    format!("{id},{revision:08x},{:08x},{text}\r\n", text.encode_utf16().count())
}

/// Reads a package of these two members to its end.
fn read(description: &str, metadata: &[u8]) -> Result<(Package, Vec<Record>), PackageError> {
    let cab = cabinet(&[("metadata.txt", metadata), ("package.xml", description.as_bytes())]);
    let mut reader = Reader::open(Cursor::new(cab), &Limits::default())?;
    let package = reader.package().clone();
    let records = reader.records()?.collect::<Result<_, _>>()?;
    Ok((package, records))
}

fn read_one(metadata: &[u8]) -> Result<String, PackageError> {
    read(&description(&row(ONE, 200)), metadata).map(|(_, mut records)| records.remove(0).text)
}

#[test]
fn checklist_1_and_14_to_16_the_genuine_package_is_read_and_rebuilt_byte_for_byte() {
    let mut original =
        cab::Reader::open(File::open(genuine()).expect("readable"), &cab::Limits::default()).expect("valid");
    let names: Vec<_> = original.members().iter().map(|member| member.name.clone()).collect();
    assert_eq!(names, ["package.xml", "metadata.txt"]);
    let (description, metadata) = (
        original.read("package.xml", u64::MAX).expect("valid"),
        original.read("metadata.txt", u64::MAX).expect("valid"),
    );
    assert_eq!((description.len(), metadata.len()), (475_236, 13_795_267));

    let mut reader = Reader::open(File::open(genuine()).expect("readable"), &Limits::default()).expect("valid");
    assert_eq!(reader.metadata_bytes(), 13_795_267);
    let package = reader.package().clone();
    assert_eq!((package.updates.len(), package.files.len(), package.protocol.minor), (3690, 0, 20));
    let languages = package.languages.iter();
    assert!(languages.map(|row| (row.id, &*row.short_name, &*row.long_name)).eq(LANGUAGES));
    let enabled: Vec<_> = package.languages.iter().filter(|row| row.enabled).map(|row| row.id).collect();
    assert_eq!(enabled, [1033]);

    let records: Vec<_> = reader.records().expect("there").collect::<Result<_, _>>().expect("valid");
    assert_eq!(records.len(), 3690);
    assert_eq!(records.iter().filter(|record| record.text.contains("UpdateType=\"Category\"")).count(), 399);
    assert_eq!(records.iter().filter(|record| record.text.contains("UpdateType=\"Detectoid\"")).count(), 3291);
    assert_eq!(records.iter().map(|record| record.identity.update_id).collect::<BTreeSet<_>>().len(), 3633);
    assert!(records.iter().map(|record| record.identity).eq(package.updates.iter().map(|update| update.identity)));

    let bytes: usize = records.iter().map(|record| record.text.len()).sum();
    assert_eq!(metadata_size(3690, bytes as u64), 13_795_267);
    let mut writer = Writer::create(Cursor::new(Vec::new()), &package, bytes as u64).expect("fits");
    for record in &records {
        writer.record(record.identity, &record.text).expect("in order");
    }
    let written = writer.finish().expect("complete").into_inner();
    let mut written = cab::Reader::open(Cursor::new(written), &cab::Limits::default()).expect("valid");
    assert!(written.members().iter().map(|member| &member.name).eq(&names));
    assert_eq!(written.members()[0].date, 0x5095, "21 April 2020");
    assert!(written.read("package.xml", u64::MAX).expect("valid") == description, "package.xml differs");
    assert!(written.read("metadata.txt", u64::MAX).expect("valid") == metadata, "metadata.txt differs");
}

#[test]
fn checklist_2_a_cut_or_changed_genuine_package_is_refused() {
    let bytes = std::fs::read(genuine()).expect("readable");
    let open = |bytes: Vec<u8>| -> Result<usize, PackageError> {
        let mut reader = Reader::open(Cursor::new(bytes), &Limits::default())?;
        reader.records()?.try_fold(0, |count, record| record.map(|_| count + 1))
    };
    for cut in [0, 1, 100, 6200, 100_000, bytes.len() - 1] {
        assert!(matches!(open(bytes[..cut].to_vec()), Err(PackageError::Cabinet(_))), "{cut}");
    }
    let mut flipped = bytes;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let error = open(flipped).expect_err("damaged");
    assert!(matches!(error, PackageError::Cabinet(cab::CabError::Checksum { .. })), "{error}");
}

#[test]
fn checklist_1_and_3_a_package_in_the_other_layout_is_read() {
    let updates = row(ONE, 1) + &row(TWO, 200);
    let metadata = framed(TWO, 200, "<b/>") + &framed(ONE, 1, "<a/>");
    for start in ["", "\u{feff}"] {
        let (package, records) =
            read(&(start.to_owned() + &description(&updates)), metadata.as_bytes()).expect("valid");
        assert_eq!(package.files[0].mu_url, "http://a/b?c=1&d");
        assert_eq!(package.languages[0].long_name, "English");
        assert_eq!(records[1], Record { number: 2, identity: identity(ONE, 1), text: "<a/>".into() });
    }
}

#[test]
fn checklist_3_dtds_and_other_damage_of_the_description_are_refused() {
    let good = description(&row(ONE, 200));
    let metadata = framed(ONE, 200, "<a/>");
    let wrong = |description: &str| read(description, metadata.as_bytes()).expect_err("damaged");
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        wrong(&good.replacen(from, to, 1))
    };
    assert!(matches!(
        replaced("<ExportPackage ", "<!DOCTYPE x [<!ENTITY e \"f\">]><ExportPackage "),
        PackageError::Xml { .. }
    ));
    assert!(matches!(replaced("</ExportPackage>", ""), PackageError::Xml { .. }));
    assert!(matches!(replaced("</Updates>", "</Update>"), PackageError::Xml { .. }));
    assert!(matches!(replaced("&amp;", "&nothing;"), PackageError::Xml { .. }));
    assert!(matches!(replaced("</ExportPackage>", "</ExportPackage><ExportPackage/>"), PackageError::Xml { .. }));
    assert!(matches!(replaced("2020-04-21T23:50:06Z", "yesterday"), PackageError::Xml { .. }));
    assert!(matches!(replaced("\"1.0\" Prot", "\"2.0\" Prot"), PackageError::Version { what: "FormatVersion", .. }));
    for version in ["2.0", "1", "x.1", "1.x", ""] {
        assert!(matches!(
            replaced("\"1.20\"", &format!("\"{version}\"")),
            PackageError::Version { what: "ProtocolVersion", .. }
        ));
    }
    assert!(matches!(wrong(""), PackageError::Xml { .. }));
    assert!(matches!(wrong("<Other/>"), PackageError::Xml { .. }));
    assert!(matches!(wrong(&"<ExportPackage>".repeat(100)), PackageError::Xml { .. }));
    let deep = good.replace("<Languages>", &format!("<Languages>{}", "<x>".repeat(100)));
    assert!(matches!(wrong(&deep), PackageError::Xml { .. }));
    assert!(matches!(
        replaced("RevisionNumber=\"200\"", "RevisionNumber=\"+200\""),
        PackageError::Row { row: "Update", record: 1, .. }
    ));
    assert!(matches!(
        replaced("RevisionNumber=\"200\"", "RevisionNumber=\"c8\""),
        PackageError::Row { row: "Update", record: 1, .. }
    ));
    assert!(matches!(replaced("Id=\"1033\"", "Id=\"en\""), PackageError::Row { row: "Language", record: 1, .. }));
    assert!(matches!(replaced(&row(ONE, 200), &row(ONE, 200).repeat(2)), PackageError::Duplicate { record: 2, .. }));
}

#[test]
fn digests_must_parse_and_the_error_names_the_row() {
    let bad = description(&row(ONE, 200)).replacen("</Files>", "<File Digest=\"AAAA\" /></Files>", 1);
    let error = read(&bad, b"").expect_err("damaged");
    assert!(matches!(error, PackageError::Row { row: "File", record: 2, .. }), "{error}");
    assert_eq!(error.to_string(), "package.xml: File 2 is wrong: \"AAAA\" is not a SHA-1 digest of 20 bytes");

    let update = row(TWO, 7).replace("<Files />", "<Files><File Digest=\"///\" /></Files>");
    let error = read(&description(&(row(ONE, 200) + &update)), b"").expect_err("damaged");
    assert_eq!(
        error.to_string(),
        format!("package.xml: Update 2 is wrong: {TWO}@7: \"///\" is not a SHA-1 digest of 20 bytes")
    );
}

#[test]
fn rows_of_an_update_are_read_and_object_names_passed_over() {
    let update = row(ONE, 200)
        .replace("<Files />", &format!("<Files><File Digest=\"{DIGEST}\" /></Files>"))
        .replace(
            "<Categories />",
            &format!("<Categories><Category Value=\"{TWO}\" /><Category Value=\"Some.Type\" /></Categories>"),
        )
        .replace(
            "<Classifications />",
            &format!("<Classifications><Classification Value=\"{ONE}\" /></Classifications>"),
        );
    let (package, _) = read(&description(&update), framed(ONE, 200, "<a/>").as_bytes()).expect("valid");
    let update = &package.updates[0];
    assert_eq!(update.files, [ContentDigest::from_base64(DIGEST).expect("digest")]);
    assert_eq!(update.categories, [TWO.parse::<UpdateId>().expect("GUID")]);
    assert_eq!(update.classifications, [ONE.parse::<UpdateId>().expect("GUID")]);
}

#[test]
fn checklist_4_documents_are_framed_by_utf16_length() {
    for text in ["<ä/>", "<a>\u{1f600}\u{1f600}</a>", "<a>\r\n<!-- x\r\n -->\n</a>", "<a>€\r\n€</a>", "", "\r\n\r\n"]
    {
        assert_eq!(read_one(framed(ONE, 200, text).as_bytes()).expect(text), text);
    }
    let long = "<a>ü\u{1f600}\r\n</a>".repeat(20_000);
    assert_eq!(read_one(framed(ONE, 200, &long).as_bytes()).expect("valid"), long);
}

#[test]
fn checklist_4_a_length_in_code_points_is_understood() {
    for text in ["<a>\u{1f600}</a>", "\u{1f600}", "<a>\u{1f600}\u{1f600}\u{1f600}\r\n</a>"] {
        let metadata = format!("{ONE},000000c8,{:08x},{text}\r\n", text.chars().count());
        assert_eq!(read_one(metadata.as_bytes()).expect(text), text);
    }
}

#[test]
fn checklist_4_broken_framing_names_the_record() {
    let first = framed(TWO, 1, "<b/>");
    let read = |second: &[u8]| {
        let error = read(&description(&(row(TWO, 1) + &row(ONE, 200))), &[first.as_bytes(), second].concat())
            .expect_err("damaged");
        let PackageError::Frame { record: 2, identity, .. } = error else { panic!("{error}") };
        identity
    };
    let with = |length: &str| format!("{ONE},000000c8,{length},<a/>\r\n").into_bytes();
    let known = Some(identity(ONE, 200));
    assert_eq!(read(&with("00000003")), known, "too short");
    assert_eq!(read(&with("00000005")), known, "too long");
    assert_eq!(read(&with("00001000")), known, "behind the end");
    assert_eq!(read(format!("{ONE},000000c8,00000004,<a/>\n").as_bytes()), known, "no CR");
    assert_eq!(read(format!("{ONE},000000c8,00000004,<a/>").as_bytes()), known, "no line end");
    assert_eq!(read(format!("{ONE},000000c8,00000004,<a").as_bytes()), known, "cut");
    assert_eq!(read(format!("{ONE},000000c8,").as_bytes()), None, "cut in the header");
    assert_eq!(read(&with("+0000004")), None);
    assert_eq!(read(&with("0000 004")), None);
    assert_eq!(read(format!("{ONE};000000c8,00000004,<a/>\r\n").as_bytes()), None);
    assert_eq!(read(&[&format!("{ONE},000000c8,00000004,<").into_bytes()[..], b"\xff/>\r\n"].concat()), known);
    assert_eq!(read(&[0x80; 3000]), None, "no header");
    let endless = [&format!("{ONE},000000c8,00000004,<").into_bytes()[..], &vec![0x80; 100_000]].concat();
    assert_eq!(read(&endless), known, "continuation bytes without end");
}

#[test]
fn limits_are_kept() {
    let description = description(&row(ONE, 200));
    let metadata = framed(ONE, 200, &"<a/>".repeat(100));
    let cab = cabinet(&[("package.xml", description.as_bytes()), ("metadata.txt", metadata.as_bytes())]);
    let read = |limits: Limits| -> Result<usize, PackageError> {
        let mut reader = Reader::open(Cursor::new(&cab[..]), &limits)?;
        reader.records()?.try_fold(0, |count, record| record.map(|_| count + 1))
    };
    let limits = Limits::default();
    assert!(matches!(read(Limits { document: 400, ..limits }), Ok(1)));
    assert!(matches!(read(Limits { document: 399, ..limits }), Err(PackageError::Frame { record: 1, .. })));
    assert!(matches!(read(Limits { metadata: 400, ..limits }), Err(PackageError::Limit { limit: 400, .. })));
    assert!(matches!(read(Limits { updates: 0, ..limits }), Err(PackageError::Limit { limit: 0, .. })));
    assert!(read(Limits { package_xml: 100, ..limits }).is_err());
}

#[test]
fn checklist_5_the_inner_identity_is_compared() {
    let record = Record { number: 9, identity: identity(ONE, 200), text: String::new() };
    // Identifiers are values: their case is gone once they are parsed.
    assert!(record.check(identity(&ONE.to_uppercase(), 200)).is_ok());
    let error = record.check(identity(ONE, 201)).expect_err("differs");
    assert_eq!(
        error.to_string(),
        format!("record 9 of metadata.txt is headed {ONE}@200 and its document says {ONE}@201")
    );
    let error = record.invalid(std::io::Error::other("bad XML"));
    assert_eq!(error.to_string(), format!("record 9 of metadata.txt, {ONE}@200, is not a valid update document"));
    assert_eq!(error.source().expect("kept").to_string(), "bad XML");
}

#[test]
fn checklist_5_documents_are_read_and_errors_name_the_record() {
    let limits = weir_model::document::Limits::default();
    let text = |id: &str, revision: u32, rest: &str| {
        format!(
            "<upd:Update xmlns:upd=\"http://schemas.microsoft.com/msus/2002/12/Update\"><upd:UpdateIdentity UpdateID=\"{id}\" \
             RevisionNumber=\"{revision}\" /><upd:Properties DefaultPropertiesLanguage=\"en\" UpdateType=\"Software\" \
             CreationDate=\"2020-01-01T00:00:00Z\" PublisherID=\"{TWO}\" />{rest}</upd:Update>"
        )
    };
    let record = |text: String| Record { number: 9, identity: identity(ONE, 200), text };
    let (document, _) = record(text(&ONE.to_uppercase(), 200, "")).document(&limits).expect("valid");
    assert_eq!(document.identity, identity(ONE, 200));
    let error = record(text(ONE, 201, "")).document(&limits).expect_err("another revision");
    assert!(matches!(error, PackageError::Identity { record: 9, .. }), "{error}");
    let file = "<upd:Files><upd:File Digest=\"AAAA\" DigestAlgorithm=\"SHA1\" FileName=\"a\" Size=\"1\" \
                Modified=\"2020-01-01T00:00:00Z\" /></upd:Files>";
    for damaged in [text(ONE, 200, file), text(ONE, 200, "<upd:open>"), "<!DOCTYPE a>".to_owned() + &text(ONE, 200, "")]
    {
        let error = record(damaged).document(&limits).expect_err("damaged");
        assert!(matches!(error, PackageError::Document { record: 9, .. }), "{error}");
    }
}

#[test]
fn checklist_6_and_7_both_members_name_the_same_revisions() {
    let both = row(ONE, 200) + &row(TWO, 1);
    let metadata = framed(ONE, 200, "<a/>") + &framed(TWO, 1, "<b/>");
    assert!(read(&description(&both), metadata.as_bytes()).is_ok(), "000000c8 is 200");
    let error = read(&description(&both), framed(ONE, 200, "<a/>").as_bytes()).expect_err("one missing");
    assert!(
        matches!(error, PackageError::Difference { identity: id, member: "package.xml" } if id == identity(TWO, 1)),
        "{error}"
    );
    let error = read(&description(&row(ONE, 200)), metadata.as_bytes()).expect_err("one too many");
    assert!(
        matches!(error, PackageError::Difference { identity: id, member: "metadata.txt" } if id == identity(TWO, 1)),
        "{error}"
    );
    let error = read(&description(&both), framed(ONE, 200, "<a/>").repeat(2).as_bytes()).expect_err("twice");
    assert!(matches!(error, PackageError::Duplicate { record: 2, member: "metadata.txt", .. }), "{error}");
    let error = read(&description(&both), (framed(ONE, 200, "<a/>") + &framed(TWO, 2, "<b/>")).as_bytes())
        .expect_err("revision");
    assert!(matches!(error, PackageError::Difference { identity: id, .. } if id == identity(TWO, 2)), "{error}");
}

#[test]
fn checklist_7_members_are_both_required() {
    for members in [&[("package.xml", &b"<a/>"[..])][..], &[("metadata.txt", b"")]] {
        let cab = cabinet(members);
        let error = Reader::open(Cursor::new(cab), &Limits::default()).expect_err("one is missing");
        assert!(matches!(error, PackageError::Cabinet(cab::CabError::NoMember(_))), "{error}");
    }
}

#[test]
fn checklist_13_gzip_is_recognised_by_its_first_bytes() {
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let root = |bytes: Vec<u8>| match Reader::open(Cursor::new(bytes), &Limits::default()) {
        Err(PackageError::Gzip { root }) => root,
        other => panic!("{other:?}"),
    };
    assert_eq!(root(gzip("\u{feff}<?xml version=\"1.0\"?><!-- c --><Export a=\"b\">")).as_deref(), Some("Export"));
    let behind = |bytes: usize| root(gzip(&format!("<!-- {} <Not /> --><ns:Export", "-".repeat(bytes))));
    assert_eq!(behind(20_000).as_deref(), Some("ns:Export"));
    assert_eq!(behind(200_000), None, "only the beginning is inflated");
    assert_eq!(root(gzip("no markup")), None);
    assert_eq!(root(vec![0x1f, 0x8b]), None);
    assert!(matches!(
        Reader::open(Cursor::new(b"PK"), &Limits::default()),
        Err(PackageError::Cabinet(cab::CabError::NotCabinet))
    ));
}

fn package(updates: Vec<PackageUpdate>) -> Package {
    Package {
        server_id: ONE.parse::<UpdateId>().expect("GUID").0,
        created: "2024-02-29T12:34:56.789Z".parse().expect("time"),
        protocol: ProtocolVersion { major: 1, minor: 20 },
        languages: LANGUAGES
            .map(|(id, short, long)| Language {
                id,
                short_name: short.into(),
                long_name: long.into(),
                enabled: id == 0,
            })
            .to_vec(),
        files: vec![PackageFile {
            digest: ContentDigest::from_base64(DIGEST).expect("digest"),
            mu_url: "http://a/b?c=\"1\"&d=<e>".into(),
            name: "b\n.cab".into(),
        }],
        updates,
    }
}

fn update(id: &str, revision: u32) -> PackageUpdate {
    PackageUpdate { identity: identity(id, revision), files: vec![], categories: vec![], classifications: vec![] }
}

#[test]
fn checklist_14_15_and_17_what_is_written_is_read() {
    let mut full = update(TWO, 4_000_000_000);
    full.files = vec![ContentDigest::from_base64(DIGEST).expect("digest"); 2];
    full.categories = vec![ONE.parse().expect("GUID")];
    full.classifications = vec![TWO.parse().expect("GUID")];
    let package = package(vec![update(ONE, 200), full]);
    let texts = ["<a>\u{1f600}\r\n</a>", "<b>é</b>"];
    let bytes = texts.iter().map(|text| text.len() as u64).sum();
    let mut writer = Writer::create(Cursor::new(Vec::new()), &package, bytes).expect("fits");
    for (update, text) in package.updates.iter().zip(texts) {
        writer.record(update.identity, text).expect("in order");
    }
    let sink = writer.finish().expect("complete");
    let mut reader = Reader::open(sink, &Limits::default()).expect("valid");
    assert_eq!(reader.metadata_bytes(), metadata_size(2, bytes));
    // Fractions of seconds have no place in a package.
    let kept = Package { created: "2024-02-29T12:34:56Z".parse().expect("time"), ..package };
    assert_eq!(reader.package(), &kept);
    for _ in 0..2 {
        let read: Vec<_> = reader.records().expect("there").map(|record| record.expect("valid").text).collect();
        assert_eq!(read, texts, "again, from the start");
    }
}

#[test]
fn checklist_15_no_list_is_left_out() {
    let mut package = package(vec![]);
    package.files.clear();
    let sink = Writer::create(Cursor::new(Vec::new()), &package, 0).expect("fits").finish().expect("complete");
    let mut cabinet = cab::Reader::open(sink, &cab::Limits::default()).expect("valid");
    let text = String::from_utf8(cabinet.read("package.xml", u64::MAX).expect("there")).expect("UTF-8");
    assert!(text.starts_with("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><ExportPackage ServerID=\""));
    assert!(text.ends_with("<Files /><Updates /></ExportPackage>"), "{text}");
    assert_eq!(text.matches("<Language ").count(), 39);
}

#[test]
fn checklist_16_records_come_in_the_announced_order() {
    let package = package(vec![update(ONE, 1), update(TWO, 1)]);
    let writer = || Writer::create(Cursor::new(Vec::new()), &package, 8).expect("fits");
    assert!(matches!(writer().record(identity(TWO, 1), "<a/>"), Err(PackageError::Write(_))));
    assert!(matches!(writer().finish(), Err(PackageError::Write(_))));
    let mut writer = writer();
    writer.record(identity(ONE, 1), "<a/>").expect("first");
    writer.record(identity(TWO, 1), "<a/>").expect("second");
    assert!(matches!(writer.record(identity(TWO, 1), "<a/>"), Err(PackageError::Write(_))));
}

proptest! {
    #[test]
    fn checklist_4_any_text_survives(texts in proptest::collection::vec("(?s).{0,40}", 1..6)) {
        let updates = (1..).zip(&texts).map(|(revision, _)| update(ONE, revision)).collect();
        let package = package(updates);
        let bytes = texts.iter().map(|text| text.len() as u64).sum();
        let mut writer = Writer::create(Cursor::new(Vec::new()), &package, bytes).expect("fits");
        for (update, text) in package.updates.iter().zip(&texts) {
            writer.record(update.identity, text).expect("in order");
        }
        let mut reader = Reader::open(writer.finish().expect("complete"), &Limits::default()).expect("valid");
        let read: Vec<_> = reader.records().expect("there").map(|record| record.expect("valid").text).collect();
        prop_assert_eq!(read, texts);
    }
}

#[test]
fn checklist_18_a_catalogue_beyond_a_cabinet_is_refused_before_anything_is_written() {
    let package = package(vec![update(ONE, 1)]);
    let mut sink = Cursor::new(Vec::new());
    let error = Writer::create(&mut sink, &package, cab::MAX_FOLDER).expect_err("too large");
    assert!(matches!(error, PackageError::TooLarge { limit: cab::MAX_FOLDER, .. }), "{error}");
    assert!(sink.get_ref().is_empty());
    assert!(matches!(Writer::create(&mut sink, &package, u64::MAX), Err(PackageError::TooLarge { .. })));
}
