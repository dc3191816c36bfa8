//! Writes inputs that no editor can write into the corpora: `cargo run -p weir-fuzz --example inputs`. Those that are there stay:
//! they are of the formats of their time, which must be read still.

use std::{fs, io::Cursor, path::Path};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    catalogue::Decided,
    enrolment::EnrolmentCode,
    history::{Day, Series},
    ids::{ChangeNumber, ContentDigest, Sha256Digest, UpdateIdentity},
    policy::{
        file::{write_pol, write_reg},
        registry::{Change, Data, Entry, Root},
    },
    status::{ComputerStatus, Counts, SyncResult},
};
use weir_server::client::cookie::{Anchor, Anchors, AuthorizationCookie, Cookie, ProtocolVersion, TimedAnchor};
use weir_testkit::{Certificate, windows};
use weir_wire::{
    bundle::{self, Document, FileHead, Issuer, Manifest, Part, PartWriter, Section, Signature, Source, write_record},
    cab::{MemberHead, write_mszip},
    package::{self, Language, Package, PackageFile, PackageUpdate},
    wsss::blob,
    xpress::compress_greedy,
};

const DOCUMENT: &str = include_str!("../corpus/document/small");
const ID: u128 = 0x1111_1111_2222_3333_4444_5555_5555_5555;

fn at() -> Timestamp {
    "2031-01-02T03:04:05Z".parse().expect("a time")
}

fn id() -> Uuid {
    Uuid::from_u128(ID)
}

fn identity() -> UpdateIdentity {
    UpdateIdentity::new(weir_model::ids::UpdateId(id()), 7)
}

fn write(target: &str, name: &str, bytes: impl AsRef<[u8]>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    if !path.exists() {
        fs::write(path, bytes).expect("written");
    }
}

fn head(name: &str) -> MemberHead {
    MemberHead { name: name.to_owned(), ..MemberHead::default() }
}

fn main() {
    cabinets();
    bundles();
    cookies();
    stored();
    windows_files();
    write("xpress", "blocks", compress_greedy(DOCUMENT.repeat(3).as_bytes()));
    write("blob", "document", blob::compress(DOCUMENT).expect("a cabinet"));
    let code =
        EnrolmentCode { fingerprint: [1; 32], secret: [2; 32], addresses: vec!["https://a.example:8531".to_owned()] };
    write("enrolment", "code", code.encode());
}

fn cabinets() {
    let members = [(head("a.txt"), &b"one"[..]), (head("b/c.txt"), DOCUMENT.as_bytes()), (head("empty"), &b""[..])];
    write("cab", "three-members", write_mszip(&members).expect("a cabinet"));

    let digest = ContentDigest([7; 20]);
    let package = Package {
        server_id: id(),
        created: at(),
        protocol: package::ProtocolVersion { major: 1, minor: 20 },
        languages: vec![Language { id: 1033, short_name: "en".into(), long_name: "English".into(), enabled: true }],
        files: vec![PackageFile { digest, mu_url: "http://a.example/b.cab".into(), name: "b.cab".into() }],
        updates: vec![PackageUpdate {
            identity: identity(),
            files: vec![digest],
            categories: Vec::new(),
            classifications: Vec::new(),
        }],
    };
    let mut writer = package::Writer::create(Cursor::new(Vec::new()), &package, DOCUMENT.len() as u64).expect("begun");
    writer.record(identity(), DOCUMENT).expect("in order");
    let cabinet = writer.finish().expect("complete").into_inner();
    let limits = weir_wire::cab::Limits { members: 10, folder_bytes: 1 << 20 };
    let mut reader = weir_wire::cab::Reader::open(Cursor::new(&cabinet), &limits).expect("own cabinet");
    let mut parts = reader.read("package.xml", 1 << 20).expect("a member");
    parts.push(0);
    parts.extend(reader.read("metadata.txt", 1 << 20).expect("a member"));
    write("package", "members", parts);
    write("package", "cabinet", &cabinet);
    write("import", "package", cabinet);
}

fn bundles() {
    let mut part = PartWriter::new(Vec::new(), 1).expect("begun");
    let (mut records, mut files) = (Vec::new(), Vec::new());
    Document { identity: identity(), text: DOCUMENT }.write(&mut records);
    Source { digest: ContentDigest([7; 20]), url: "http://a.example/b.cab" }.write(&mut records);
    part.frame(0, &records, true).expect("a frame");
    FileHead { digest: ContentDigest([7; 20]), sha256: Sha256Digest([8; 32]), size: 3, extension: "cab".into() }
        .write(&mut files);
    files.extend(b"abc");
    part.frame(1, &files, false).expect("a frame");
    write("bundle", "part", part.finish().expect("ended"));
    let manifest = Manifest::new(
        id(),
        Issuer { server: id(), software: "weir 0.7.0".into() },
        1,
        at(),
        None,
        5,
        bundle::Counts::default(),
        vec![Section { kind: "documents".into(), version: 1, records: 1, bytes: 10 }],
        vec![Part { size: 100, sha256: "0".repeat(64) }],
    );
    write("bundle", "manifest", manifest.to_bytes().expect("a manifest"));
    write("bundle", "signature", Signature { key: [1; 32], signature: [2; 64] }.to_bytes());

    let mut inventory = PartWriter::new(Vec::new(), 0).expect("begun");
    let head = format!(r#"{{"format":"weir-inventory","version":1,"server":"{}","change":5}}"#, identity().update_id);
    let (mut one, mut two, mut three) = (Vec::new(), Vec::new(), Vec::new());
    write_record(&mut one, head.as_bytes());
    let mut revision = ID.to_be_bytes().to_vec();
    revision.extend(7_u32.to_le_bytes());
    write_record(&mut two, &revision);
    write_record(&mut three, &[7; 20]);
    for (section, records) in [(0, one), (1, two), (2, three)] {
        inventory.frame(section, &records, true).expect("a frame");
    }
    write("inventory", "one-of-each", inventory.finish().expect("ended"));
}

fn cookies() {
    let anchor = |change, timed, decided| Anchor { change: ChangeNumber(change), groups: 9, decided, timed };
    let plain = anchor(5, TimedAnchor::default(), Decided::default());
    let timed = anchor(6, TimedAnchor { mark: 3, at_ms: 4 }, Decided::default());
    let decided = anchor(7, TimedAnchor::default(), Decided { branches: 1, winners: 2 });
    for (name, software) in [("plain", plain), ("timed", timed), ("decided", decided)] {
        let cookie = Cookie {
            server: id(),
            expires_ms: 1_900_000_000_000,
            last_change_ms: 1_800_000_000_000,
            protocol: ProtocolVersion { major: 1, minor: 20 },
            anchors: Anchors { software: Some(software), driver: Some(plain), filter: 1, ..Anchors::default() },
            computer: "abc-1".parse().expect("an id"),
            dns_name: "pc1.example".into(),
            requested_groups: vec!["Pilot".into(), "B\u{fc}ro".into()],
        };
        write("cookie", name, cookie.encode().expect("fits"));
    }
    let authorization = AuthorizationCookie {
        server: id(),
        expires_ms: 1_900_000_000_000,
        computer: "abc-1".parse().expect("an id"),
        dns_name: "pc1.example".into(),
        requested_groups: vec!["Pilot".into()],
    };
    write("cookie", "authorization", authorization.encode().expect("fits"));

    // MS-WSUSSS leaves the layout to the server: version, server, expiry, downstream server, its number
    let mut holder = vec![1];
    holder.extend(ID.to_be_bytes());
    holder.extend(1_900_000_000_000_i64.to_le_bytes());
    holder.extend(ID.to_be_bytes());
    holder.extend(3_u32.to_le_bytes());
    write("downstream_cookie", "authorization", &holder);
    holder.extend(1_u32.to_le_bytes());
    holder.extend(20_u32.to_le_bytes());
    write("downstream_cookie", "cookie", holder);
}

fn stored() {
    let mut series = Series::default();
    for (number, installed) in [(20_000, 1), (20_001, 5), (20_009, 5)] {
        let day = Day::from_number(number).expect("a day");
        series.record(day, Counts { installed, required: 10 - installed, ..Counts::default() });
    }
    write("history", "three-days", series.encode());

    let mut status = ComputerStatus::default();
    write("status", "empty", status.encode());
    status.reported = Some(at());
    status.as_of = Some(at());
    status.anchor = ChangeNumber(5);
    status.last_sync = Some(SyncResult { at: at(), hresult: -2_145_107_924 });
    status.last_reboot = Some(at());
    write("status", "heard-of", status.encode());
}

fn windows_files() {
    write("hive", "software", windows::software_hive().bytes(&[]));
    write("hive", "one-key", windows::HiveFile::new().sz("A\\B", "v", "text").dword("A", "n", 5).bytes(&[]));
    write("pe_version", "one-language", windows::program([10, 0, 20348, 1], 1033));
    write("pe_version", "two-languages", windows::program_with(&[([1, 2, 3, 4], 1033), ([1, 2, 3, 5], 1031)]));

    let key = r"Software\Policies\Microsoft\Windows\WindowsUpdate";
    let set = |name: &str, data| Change::Set(name.to_owned(), data);
    let changes = [
        set("WUServer", Data::Text("http://updates.example:8530".into())),
        set("TargetGroupEnabled", Data::Dword(1)),
        set("List", Data::Multi(vec!["a".into(), "b".into()])),
        set("Raw", Data::Raw { kind: 8, bytes: vec![1, 2, 3] }),
        Change::DeleteValue("Old".into()),
        Change::DeleteValues,
    ];
    let entries: Vec<Entry> =
        changes.into_iter().map(|change| Entry::new(Root::LocalMachine, key, change).expect("an entry")).collect();
    write("policy_file", "pol", write_pol(&entries, Root::LocalMachine).expect("a file"));
    write("policy_file", "reg", write_reg(&entries[..4]).expect("a file"));

    let pem = Certificate::new().authority;
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64).expect("base64");
    write("certificate", "authority", der);
}
