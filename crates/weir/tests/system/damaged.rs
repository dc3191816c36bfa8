//! Damaged packages through the command line: exit code 1, the record is named, and the catalogue is as it was, also after
//! a restart. (`genuine` packages with a flipped bit are in `bad_input`.)

use std::{fs, path::Path};

use serde_json::{Value, json as value};
use weir_model::ids::UpdateIdentity;
use weir_testkit::{Document, Payload, WeirProcess};
use weir_wire::cab::{MemberHead, write_mszip};

use super::{id, json, server, sqlite_server};

/// A package in the making: the two members, so that a test can spoil either.
#[derive(Clone)]
struct Package {
    description: String,
    records: Vec<String>,
}

/// Files of the second document, which `package.xml` lists.
fn payload() -> Payload {
    Payload::random("update.exe", 2_000, 1)
}

/// Three documents; the second has a file.
fn documents() -> [Document; 3] {
    [
        Document::detectoid(id(1), 1).title("First"),
        Document::software(id(2), 1).title("Second").requires(id(1)).file(&payload()),
        Document::software(id(3), 1).title("Third").requires(id(1)).rules_of_size(100_000),
    ]
}

/// `metadata.txt` frames a document by its identity and its length in UTF-16 units.
fn record(identity: UpdateIdentity, text: &str, units: usize) -> String {
    format!("{},{:08x},{units:08x},{text}\r\n", identity.update_id, identity.revision.0)
}

fn sound(document: &Document) -> String {
    let text = document.to_xml();
    record(document.identity(), &text, text.encode_utf16().count())
}

impl Package {
    fn of(documents: &[Document]) -> Self {
        let digest = payload().sha1().to_base64();
        let row = |document: &Document| {
            let file = format!("<File Digest=\"{digest}\" />");
            let files = if document.payloads().count() > 0 { &file } else { "" };
            let UpdateIdentity { update_id, revision } = document.identity();
            format!(
                "<Update UpdateId=\"{update_id}\" RevisionNumber=\"{revision}\"><Files>{files}</Files><Categories />\
                 <Classifications /></Update>"
            )
        };
        let rows: String = documents.iter().map(row).collect();
        let description = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><ExportPackage ServerID=\"56309036-4c77-4dd9-951a-99ee9c246a94\" \
             CreationTime=\"2020-04-21T23:50:06Z\" FormatVersion=\"1.0\" ProtocolVersion=\"1.20\"><Languages><Language \
             Id=\"1033\" ShortName=\"en\" LongName=\"English\" Enabled=\"1\" /></Languages><Files><File Digest=\"{digest}\" \
             MUUrl=\"http://127.0.0.1/update.exe\" Name=\"update.exe\" /></Files><Updates>{rows}</Updates></ExportPackage>"
        );
        Self { description, records: documents.iter().map(sound).collect() }
    }

    /// The package with its second record replaced.
    fn with_second(&self, text: String) -> Self {
        let mut package = self.clone();
        package.records[1] = text;
        package
    }

    fn cabinet(&self) -> Vec<u8> {
        let metadata = self.records.concat();
        let member = |name: &str| MemberHead { name: name.into(), ..MemberHead::default() };
        let members =
            [(member("package.xml"), self.description.as_bytes()), (member("metadata.txt"), metadata.as_bytes())];
        write_mszip(&members).expect("it fits")
    }
}

fn import(server: &WeirProcess, folder: &Path, files: &[(&str, Vec<u8>)], more: &[&str]) -> (i32, Value) {
    let mut arguments = vec!["import".to_owned()];
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a file");
        arguments.push(path.to_str().expect("UTF-8").to_owned());
    }
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    server.json_with_code(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).expect("an answer")
}

/// Everything the catalogue tells, less what cannot be compared.
fn catalogue(server: &WeirProcess) -> [Value; 4] {
    [
        &["updates", "list", "--facets"][..],
        &["products", "list"],
        &["content", "status", "--state", "present"],
        &["languages", "list"],
    ]
    .map(|arguments| json(server, arguments))
}

#[test]
fn a_damaged_package_changes_nothing_and_the_record_is_named() {
    let mut server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let package = Package::of(&documents());
    // something is there before, and part of it is in the package again
    let before = Package::of(&[documents()[0].clone(), Document::detectoid(id(9), 1).title("There before")]);
    assert_eq!(import(&server, folder.path(), &[("before.cab", before.cabinet())], &[]).0, 0);
    let present = catalogue(&server);
    assert_eq!(present[0]["total"], 2);

    let second = documents()[1].identity();
    let text = documents()[1].to_xml();
    let units = text.encode_utf16().count();
    let spoiled = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in the document");
        let text = text.replacen(from, to, 1);
        package.with_second(record(second, &text, text.encode_utf16().count()))
    };
    let digest = payload().sha1().to_base64();
    let mut cut = package.clone();
    cut.records.truncate(2);
    cut.records[1].truncate(200);
    let mut twice = package.clone();
    twice.records[1] = twice.records[0].clone();
    let mut missing = package.clone();
    missing.records.remove(1);
    let mut row = package.clone();
    row.description = row.description.replacen(&digest, "no digest", 1);

    let cases: [(&str, Package, Option<u64>); 14] = [
        ("metadata that ends within a record", cut, Some(2)),
        ("a length one short", package.with_second(record(second, &text, units - 1)), Some(2)),
        ("a length one long", package.with_second(record(second, &text, units + 1)), Some(2)),
        ("a length beyond the end", package.with_second(record(second, &text, 0x7fff_ffff)), Some(2)),
        ("no length", package.with_second(format!("{},00000001,,{text}\r\n", second.update_id)), Some(2)),
        ("XML that is not well-formed", spoiled("</upd:Update>", "</upd:Updata>"), Some(2)),
        ("XML that is no update", spoiled("UpdateType=\"Software\"", "UpdateType=\"Hardware\""), Some(2)),
        ("a document type declaration", spoiled("<upd:Update ", "<!DOCTYPE a><upd:Update "), Some(2)),
        ("a digest that is not base64", spoiled(&digest, "no digest"), Some(2)),
        ("a digest that is too short", spoiled(&digest, "QUJD"), Some(2)),
        ("another identity inside", spoiled(&id(2).to_string(), &id(4).to_string()), Some(2)),
        ("a record that repeats", twice, Some(2)),
        ("a record that package.xml announces and that is missing", missing, None),
        ("a digest in package.xml that does not parse", row, Some(1)),
    ];
    for (what, package, record) in cases {
        let (code, answer) = import(&server, folder.path(), &[("damaged.cab", package.cabinet())], &[]);
        assert_eq!(code, 1, "{what}: {answer}");
        assert_eq!((&answer["added"], &answer["unchanged"]), (&value!(0), &value!(0)), "{what}: {answer}");
        let error = &answer["errors"][0];
        assert_eq!((&error["record"], &error["file"]), (&value!(record), &value!("damaged.cab")), "{what}: {answer}");
        let message = error["message"].as_str().expect("a message");
        let names = if what.contains("package.xml that") {
            "File 1".to_owned()
        } else {
            format!("record {}", record.unwrap_or(0))
        };
        assert!(record.is_none() || message.contains(&names), "{what}: {message}");
        assert_eq!(catalogue(&server), present, "{what} changed the catalogue");
    }

    // cabinets that end early, at any place
    let sound = package.cabinet();
    for share in 0..8 {
        let (code, answer) =
            import(&server, folder.path(), &[("cut.cab", sound[..4 + sound.len() * share / 8].to_vec())], &[]);
        assert_eq!((code, &answer["errors"][0]["file"]), (1, &value!("cut.cab")), "{share}/8: {answer}");
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
        assert_eq!(catalogue(&server), present, "{share}/8 of a cabinet changed the catalogue");
    }

    // damage within the data, which the checksum of its block shows
    let mut flipped = sound.clone();
    let place = sound.len() - 1_000;
    flipped[place] ^= 0x10;
    let (code, answer) = import(&server, folder.path(), &[("flipped.cab", flipped)], &[]);
    assert_eq!((code, &answer["errors"][0]["record"]), (1, &value!(3)), "{answer}");
    assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains("record 3")), "{answer}");
    assert_eq!(catalogue(&server), present);

    // one damaged package refuses the whole import
    let damaged = spoiled("</upd:Update>", "</upd:Updata>").cabinet();
    let files = [("sound.cab", sound.clone()), ("damaged.cab", damaged)];
    let (code, answer) = import(&server, folder.path(), &files, &[]);
    assert_eq!((code, &answer["added"]), (1, &value!(0)), "{answer}");
    assert_eq!(catalogue(&server), present);
    assert!(server.stop().expect("it stops"));
    server.restart().expect("it starts");
    assert_eq!(catalogue(&server), present, "after a restart");

    // and the sound one is welcome
    let (code, answer) = import(&server, folder.path(), &[("sound.cab", sound)], &[]);
    assert_eq!((code, &answer["added"], &answer["unchanged"]), (0, &value!(2), &value!(1)), "{answer}");
    assert_eq!(answer["errors"], value!([]));
    assert_eq!(json(&server, &["updates", "list", "--facets"])["total"], 4);
}

#[test]
fn a_strict_import_refuses_what_lacks_something() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second, _] = documents();
    let missing = Document::software(id(5), 1).title("Needs what nobody has").requires(id(99));
    let package = Package::of(&[first, second, missing.clone()]).cabinet();
    let (code, answer) = import(&server, folder.path(), &[("lacking.cab", package.clone())], &["--strict"]);
    assert_eq!((code, &answer["errors"][0]["record"]), (1, &value!(3)), "{answer}");
    assert!(answer["errors"][0]["message"].as_str().expect("a message").contains(&id(99).to_string()), "{answer}");
    assert_eq!(json(&server, &["updates", "list"])["total"], 0);

    let (code, answer) = import(&server, folder.path(), &[("lacking.cab", package)], &[]);
    assert_eq!((code, &answer["added"], &answer["unresolved"]), (0, &value!(3), &value!(1)), "{answer}");
    let lacks = json(&server, &["updates", "show", &missing.id().to_string()])["lacks"].clone();
    assert_eq!((&lacks[0]["kind"], &lacks[0]["any_of"]), (&value!("prerequisite"), &value!([id(99).to_string()])));
    // what it lacks arrives
    let provider = Package::of(&[Document::detectoid(id(99), 1)]).cabinet();
    assert_eq!(import(&server, folder.path(), &[("rest.cab", provider)], &["--strict"]).0, 0);
    assert_eq!(json(&server, &["updates", "show", &missing.id().to_string()])["lacks"], value!([]));
}

#[test]
fn an_emptied_database_is_not_taken_for_a_new_site() {
    let mut server = sqlite_server();
    json(&server, &["collections", "create", "Precious"]);
    assert!(server.stop().expect("it stops"));
    let database = server.data().join("weir.db");
    let kept = fs::read(&database).expect("the database");
    fs::write(&database, b"").expect("emptied");
    let token = server.token().expect("a token");
    let message = format!("{:#}", server.restart().expect_err("it must not start"));
    assert!(message.contains("is empty") && message.contains("Restore the database"), "{message}");
    assert_eq!(fs::metadata(&database).expect("there").len(), 0, "nothing was changed");
    assert_eq!(server.token().expect("a token"), token);
    fs::write(&database, kept).expect("restored");
    server.restart().expect("it starts");
    assert!(json(&server, &["collections", "list"]).to_string().contains("Precious"));
}
