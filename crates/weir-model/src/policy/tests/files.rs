use proptest::prelude::*;

use super::rendering::{address, settings};
use crate::policy::{
    Options,
    file::{
        MOST_BYTES, PolError, RegError, Setting, is_pol, profile, read_pol, read_reg, script, write_pol, write_reg,
    },
    registry::{Change, Data, Entry, Root},
    render,
};

fn entry(key: &str, change: Change) -> Entry {
    Entry::new(Root::LocalMachine, key, change).expect("an entry")
}

fn set(key: &str, name: &str, data: Data) -> Entry {
    entry(key, Change::Set(name.to_owned(), data))
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16_file(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend(wide(text));
    bytes
}

/// Each byte as [MS-GPREG] 2.2.1 lays it out.
#[test]
fn a_registry_pol_has_the_published_layout() {
    let entries = [
        set("A\\B", "N", Data::Dword(0x0102_0304)),
        set("A", "T", Data::Text("x".to_owned())),
        entry("A", Change::DeleteValue("N".to_owned())),
        entry("A", Change::DeleteValues),
        entry("A\\B", Change::DeleteKey),
        entry("A", Change::CreateKey),
    ];
    #[rustfmt::skip]
    let expected: Vec<u8> = [
        &b"PReg\x01\0\0\0"[..],
        b"[\0", b"A\0\\\0B\0\0\0", b";\0", b"N\0\0\0", b";\0", b"\x04\0\0\0", b";\0", b"\x04\0\0\0", b";\0", b"\x04\x03\x02\x01", b"]\0",
        b"[\0", b"A\0\0\0", b";\0", b"T\0\0\0", b";\0", b"\x01\0\0\0", b";\0", b"\x04\0\0\0", b";\0", b"x\0\0\0", b"]\0",
        b"[\0", b"A\0\0\0", b";\0", b"*\0*\0d\0e\0l\0.\0N\0\0\0", b";\0", b"\x01\0\0\0", b";\0", b"\x04\0\0\0", b";\0", b" \0\0\0", b"]\0",
        b"[\0", b"A\0\0\0", b";\0", b"*\0*\0d\0e\0l\0v\0a\0l\0s\0.\0\0\0", b";\0", b"\x01\0\0\0", b";\0", b"\x04\0\0\0", b";\0", b" \0\0\0", b"]\0",
        b"[\0", b"A\0\0\0", b";\0", b"*\0*\0D\0e\0l\0e\0t\0e\0K\0e\0y\0s\0\0\0", b";\0", b"\x01\0\0\0", b";\0", b"\x04\0\0\0", b";\0", b"B\0\0\0", b"]\0",
        b"[\0", b"A\0\0\0", b";\0", b"\0\0", b";\0", b"\0\0\0\0", b";\0", b"\0\0\0\0", b";\0", b"]\0",
    ]
    .concat();
    let written = write_pol(&entries, Root::LocalMachine).expect("writes");
    assert_eq!(written, expected);
    assert!(is_pol(&written) && !is_pol(b"REGEDIT4"));
    assert_eq!(read_pol(&written, Root::LocalMachine).expect("reads"), entries);
}

fn pol(key: &str, name: &str, kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"PReg\x01\0\0\0".to_vec();
    for part in [
        wide("["),
        wide(&format!("{key}\0")),
        wide(";"),
        wide(&format!("{name}\0")),
        wide(";"),
        kind.to_le_bytes().to_vec(),
        wide(";"),
        (data.len() as u32).to_le_bytes().to_vec(),
        wide(";"),
        data.to_vec(),
        wide("]"),
    ] {
        bytes.extend(part);
    }
    bytes
}

#[test]
fn special_values_of_a_registry_pol_are_understood() {
    let read = |name: &str, data: &str| read_pol(&pol("K", name, 1, &wide(&format!("{data}\0"))), Root::LocalMachine);
    assert_eq!(read("**DEL.x", " ").expect("reads"), [entry("K", Change::DeleteValue("x".to_owned()))]);
    assert_eq!(read("**DelVals", " ").expect("reads"), [entry("K", Change::DeleteValues)]);
    assert_eq!(
        read("**DeleteValues", "a; b;").expect("reads"),
        [entry("K", Change::DeleteValue("a".to_owned())), entry("K", Change::DeleteValue("b".to_owned()))]
    );
    assert_eq!(read("**DeleteKeys", "L").expect("reads"), [entry("K\\L", Change::DeleteKey)]);
    assert_eq!(read("**soft.x", "1").expect("reads"), [set("K", "x", Data::Text("1".to_owned()))]);
    assert_eq!(read("**SecureKey", "1").expect("reads"), []);
    assert_eq!(read("**Comment:gpo", "1").expect("reads"), []);
}

#[test]
fn a_registry_pol_that_is_none_is_refused_with_its_place() {
    assert_eq!(read_pol(b"", Root::LocalMachine), Err(PolError::Header));
    assert_eq!(read_pol(b"PReg\x02\0\0\0", Root::LocalMachine), Err(PolError::Header));
    assert_eq!(read_pol(b"Preg\x01\0\0\0", Root::LocalMachine), Err(PolError::Header));
    assert_eq!(read_pol(b"PReg\x01\0\0\0", Root::LocalMachine), Ok(Vec::new()));
    let whole = pol("K", "v", 4, b"\x01\0\0\0");
    for length in 9..whole.len() {
        let cut = read_pol(&whole[..length], Root::LocalMachine);
        assert!(matches!(cut, Err(PolError::Syntax { at, .. }) if at <= length), "{length}: {cut:?}");
    }
    let mut long = pol("K", "v", 4, b"\x01\0\0\0");
    let size = long.len() - 2 - 4 - 2 - 4;
    long[size..size + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(
        read_pol(&long, Root::LocalMachine),
        Err(PolError::Syntax { expected: "a size of at most 1 MiB", .. })
    ));
    assert!(matches!(read_pol(&pol("", "v", 4, b""), Root::LocalMachine), Err(PolError::Entry { at: 8, .. })));
    assert!(matches!(read_pol(&pol("K\\\\L", "v", 4, b""), Root::LocalMachine), Err(PolError::Entry { .. })));
    assert_eq!(read_pol(&vec![0; MOST_BYTES + 1], Root::LocalMachine), Err(PolError::Long));
}

#[test]
fn what_a_registry_pol_cannot_hold_is_refused() {
    for entry in [
        Entry::new(Root::CurrentUser, "K", Change::CreateKey).expect("an entry"),
        entry("Top", Change::DeleteKey),
        entry("K\\a;b", Change::DeleteKey),
        set("K", "**del.x", Data::Dword(1)),
        set("K", "v", Data::Binary(vec![0; 0x1_0000])),
        set("K", "", Data::Raw { kind: 0, bytes: Vec::new() }),
    ] {
        let refused = write_pol(std::slice::from_ref(&entry), Root::LocalMachine);
        assert!(matches!(refused, Err(PolError::Unwritable { .. })), "{entry:?}");
    }
    assert!(write_pol(&[set("K", "v", Data::Binary(vec![0; 0xFFFF]))], Root::LocalMachine).is_ok());
}

#[test]
fn a_reg_file_is_as_the_registry_editor_exports_it() {
    let entries = [
        set("SOFTWARE\\Weir", "Text", Data::Text("C:\\a \"b\"".to_owned())),
        set("SOFTWARE\\Weir", "a\"\\", Data::Dword(0x1f)),
        set("SOFTWARE\\Weir", "", Data::Text(String::new())),
        set("SOFTWARE\\Weir", "Expand", Data::Expand("%A%".to_owned())),
        set("SOFTWARE\\Weir", "Multi", Data::Multi(vec!["a".to_owned()])),
        set("SOFTWARE\\Weir", "Qword", Data::Qword(1)),
        set("SOFTWARE\\Weir", "Lines", Data::Text("a\r\n\"b".to_owned())),
        set("SOFTWARE\\Weir", "Binary", Data::Binary((0..30).collect())),
        set("SOFTWARE\\Weir", "Kind", Data::Raw { kind: 0x1234, bytes: vec![1] }),
        entry("SOFTWARE\\Weir", Change::DeleteValue("Gone".to_owned())),
        entry("SOFTWARE\\Old", Change::DeleteKey),
        entry("SOFTWARE\\Weir", Change::DeleteValue(String::new())),
        entry("SOFTWARE\\Empty", Change::CreateKey),
    ];
    let expected = "Windows Registry Editor Version 5.00\r\n\
        \r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Weir]\r\n\
        \"Text\"=\"C:\\\\a \\\"b\\\"\"\r\n\
        \"a\\\"\\\\\"=dword:0000001f\r\n\
        @=\"\"\r\n\
        \"Expand\"=hex(2):25,00,41,00,25,00,00,00\r\n\
        \"Multi\"=hex(7):61,00,00,00,00,00\r\n\
        \"Qword\"=hex(b):01,00,00,00,00,00,00,00\r\n\
        \"Lines\"=hex(1):61,00,0d,00,0a,00,22,00,62,00,00,00\r\n\
        \"Binary\"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,\\\r\n  16,17,18,19,1a,1b,1c,1d\r\n\
        \"Kind\"=hex(1234):01\r\n\
        \"Gone\"=-\r\n\
        \r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Old]\r\n\
        \r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Weir]\r\n\
        @=-\r\n\
        \r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Empty]\r\n\r\n";
    let written = write_reg(&entries).expect("writes");
    assert_eq!(&written[..2], [0xFF, 0xFE]);
    let text = String::from_utf16(
        &written[2..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect::<Vec<_>>(),
    );
    assert_eq!(text.expect("UTF-16"), expected);
    assert_eq!(read_reg(&written).expect("reads"), entries);
    assert!(matches!(write_reg(&[entry("K", Change::DeleteValues)]), Err(RegError::Unwritable { .. })));
}

#[test]
fn reg_files_of_every_form_are_read() {
    let text = "Windows Registry Editor Version 5.00\r\n\r\n; a comment\r\n[HKLM\\Software\\A]\r\n  \"v\" = dword:1 ; why\r\n\
                \"two\"=\"line one\r\nline two\"\r\n\"b\"=hex:01,\\\r\n  02,\\\r\n  03\r\n\"e\"=hex:\r\n[HKEY_CURRENT_USER\\B]\r\n";
    let expected = [
        set("Software\\A", "v", Data::Dword(1)),
        set("Software\\A", "two", Data::Text("line one\r\nline two".to_owned())),
        set("Software\\A", "b", Data::Binary(vec![1, 2, 3])),
        set("Software\\A", "e", Data::Binary(Vec::new())),
        Entry::new(Root::CurrentUser, "B", Change::CreateKey).expect("an entry"),
    ];
    let big_endian: Vec<u8> = [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let marked: Vec<u8> = [0xEF, 0xBB, 0xBF].into_iter().chain(text.bytes()).collect();
    for bytes in [
        utf16_file(text),
        wide(text),
        big_endian,
        marked,
        text.as_bytes().to_vec(),
        text.replace("\r\n", "\n").replace("line one\n", "line one\r\n").into_bytes(),
    ] {
        assert_eq!(read_reg(&bytes).expect("reads"), expected);
    }
    let four = b"REGEDIT4\n[HKEY_LOCAL_MACHINE\\A]\n\"\xe4\"=hex(2):25,41,25,00\n\"m\"=hex(7):61,00,62,00,00\n[-HKEY_LOCAL_MACHINE\\B]\n";
    assert_eq!(
        read_reg(four).expect("reads"),
        [
            set("A", "\u{e4}", Data::Expand("%A%".to_owned())),
            set("A", "m", Data::Multi(vec!["a".to_owned(), "b".to_owned()])),
            entry("B", Change::DeleteKey),
        ]
    );
}

#[test]
fn reg_files_that_are_none_are_refused_with_their_line() {
    let file = |body: &str| format!("REGEDIT4\n{body}").into_bytes();
    for (body, line) in [
        ("\"v\"=dword:1", 2),
        ("[HKEY_LOCAL_MACHINE\\A", 2),
        ("[NOWHERE\\A]", 2),
        ("[HKEY_LOCAL_MACHINE]", 2),
        ("[HKEY_LOCAL_MACHINE\\]", 2),
        ("[HKEY_LOCAL_MACHINE\\A]\nv=1", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=1", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=dword:123456789", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=dword:+1", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=dword:", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=hex:0g", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=hex:00,,00", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=hex:00,\\", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=hex(x):00", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=\"open", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=\"a\" b", 3),
        ("[HKEY_LOCAL_MACHINE\\A]\n\"v\"=-1", 3),
        ("[-HKEY_LOCAL_MACHINE\\A]\n\"v\"=-", 3),
        ("[HKEY_LOCAL_MACHINE\\A\\\\B]\n\"v\"=-", 3),
    ] {
        let error = read_reg(&file(body)).expect_err(body);
        let at = match &error {
            RegError::Entry { line, .. } | RegError::Syntax { line, .. } => *line,
            other => panic!("{body}: {other}"),
        };
        assert_eq!(at, line, "{body}: {error}");
    }
    assert_eq!(read_reg(b""), Err(RegError::Header));
    assert_eq!(read_reg(b"Windows Registry Editor Version 6.00\n"), Err(RegError::Header));
    assert_eq!(read_reg(&[0xFF, 0xFE, 0x00, 0xD8, 0x41, 0x00]), Err(RegError::Text));
    assert_eq!(read_reg(&vec![b' '; MOST_BYTES + 1]), Err(RegError::Long));
}

#[test]
fn a_script_sets_and_removes_and_quotes_whatever_text_there_is() {
    let entries = [
        set("SOFTWARE\\It's", "T", Data::Text("a'; Remove-Item C:\\ # $(x) `n".to_owned())),
        set("K", "Curly", Data::Text("\u{2019}".to_owned())),
        set("K", "Lines", Data::Text("a\r\nb".to_owned())),
        set("K", "Least", Data::Dword(0x8000_0000)),
        set("K", "Most", Data::Dword(u32::MAX)),
        set("K", "Long", Data::Qword(0x0807_0605_0403_0201)),
        set("K", "Multi", Data::Multi(vec!["a".to_owned(), "b'".to_owned()])),
        set("K", "Bytes", Data::Binary(vec![1, 255])),
        entry("K", Change::DeleteValue("Gone".to_owned())),
        entry("K", Change::DeleteValues),
        entry("K", Change::DeleteKey),
        entry("K", Change::CreateKey),
    ];
    let script = script(&entries, "Weir\r\nRemove-Item C:\\");
    assert!(script.is_ascii());
    assert!(script.starts_with(
        "# Weir??Remove-Item C:\\\r\n#Requires -Version 5.1\r\n[CmdletBinding(SupportsShouldProcess = $true)]\r\n"
    ));
    assert_eq!(script.matches('\n').count(), script.matches("\r\n").count());
    let calls: Vec<&str> = script.lines().filter(|line| line.contains(" -Root LocalMachine ")).collect();
    assert_eq!(
        calls,
        [
            "Set-Value -Root LocalMachine -Key 'SOFTWARE\\It''s' -Name 'T' -Kind String -Data 'a''; Remove-Item C:\\ # $(x) `n'",
            "Set-Value -Root LocalMachine -Key 'K' -Name 'Curly' -Kind String -Data ([string]::new([char[]] @(0x2019)))",
            "Set-Value -Root LocalMachine -Key 'K' -Name 'Lines' -Kind String -Data ([string]::new([char[]] @(0x61, 0xd, 0xa, 0x62)))",
            "Set-Value -Root LocalMachine -Key 'K' -Name 'Least' -Kind DWord -Data ([int] -2147483648)",
            "Set-Value -Root LocalMachine -Key 'K' -Name 'Most' -Kind DWord -Data ([int] -1)",
            "Set-Value -Root LocalMachine -Key 'K' -Name 'Long' -Kind QWord -Data ([BitConverter]::ToInt64([byte[]] @(0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08), 0))",
            "Set-Value -Root LocalMachine -Key 'K' -Name 'Multi' -Kind MultiString -Data ([string[]] @('a', 'b'''))",
            "Set-Value -Root LocalMachine -Key 'K' -Name 'Bytes' -Kind Binary -Data ([byte[]] @(0x01, 0xff))",
            "Remove-Value -Root LocalMachine -Key 'K' -Name 'Gone' -All $false",
            "Remove-Value -Root LocalMachine -Key 'K' -Name '' -All $true",
            "Remove-Key -Root LocalMachine -Key 'K'",
            "Add-Key -Root LocalMachine -Key 'K'",
        ]
    );
    // every function that writes asks first
    let writes = ["SetValue(", "DeleteValue(", "DeleteSubKeyTree(", "CreateSubKey("];
    let mut asked = false;
    for line in script.lines() {
        asked = (asked || line.contains("ShouldProcess(")) && !line.starts_with("function");
        assert!(asked || !writes.iter().any(|write| line.contains(write)), "{line}");
    }
}

#[test]
fn a_profile_of_intune_has_the_settings_of_the_csp_and_says_what_has_none() {
    let mut options = Options::new(address("https://wsus.example.org:8531"));
    options.set = [
        ("AUOptions", Some("4")),
        ("ScheduledInstallTime", Some("3")),
        ("TargetReleaseVersionInfo", Some("24H2")),
        ("DisableDualScan", None),
    ]
    .map(|(name, text)| (name.to_owned(), text.map(str::to_owned)))
    .to_vec();
    let policy = render(&options, &settings(&[])).expect("renders");
    let (profile, left_out) = profile(&policy, "Weir");
    assert_eq!(
        (profile.kind, profile.display_name.as_str()),
        ("#microsoft.graph.windows10CustomConfiguration", "Weir")
    );
    // the address, then the number or the text
    let settings: Vec<(&str, Option<i32>, &str)> = profile
        .oma_settings
        .iter()
        .map(|one| match one {
            Setting::Number { oma_uri, value, .. } => (oma_uri.as_str(), Some(*value), ""),
            Setting::Text { oma_uri, value, .. } => (oma_uri.as_str(), None, value.as_str()),
        })
        .collect();
    let find = |name: &str| {
        let uri = format!("./Device/Vendor/MSFT/Policy/Config/Update/{name}");
        settings.iter().find(|(known, ..)| *known == uri).map(|(_, number, text)| (*number, *text))
    };
    for (name, number, text) in [
        ("UpdateServiceUrl", None, "https://wsus.example.org:8531"),
        ("DetectionFrequency", Some(22), ""),
        ("AllowAutoUpdate", Some(3), ""),
        ("ScheduledInstallTime", Some(3), ""),
        ("TargetReleaseVersion", None, "24H2"),
        ("SetPolicyDrivenUpdateSourceForDriverUpdates", Some(1), ""),
    ] {
        assert_eq!(find(name), Some((number, text)), "{name}");
    }
    assert_eq!(find("DisableDualScan"), None);
    for name in ["WUStatusServer", "UseWUServer", "UseUpdateClassPolicySource", "DisableDualScan", "NoAutoUpdate"] {
        assert!(left_out.iter().any(|text| text.starts_with(&format!("{name}: "))), "{name}: {left_out:?}");
        assert!(profile.description.contains(name));
    }
}

fn datas() -> impl Strategy<Value = Data> {
    prop_oneof![
        any::<u32>().prop_map(Data::Dword),
        any::<u64>().prop_map(Data::Qword),
        "[^\0]{0,60}".prop_map(Data::Text),
        "\\PC{0,60}".prop_map(Data::Text),
        "[^\0]{0,20}".prop_map(Data::Expand),
        prop::collection::vec("[^\0]{1,10}", 0..4).prop_map(Data::Multi),
        (0u32..20, prop::collection::vec(any::<u8>(), 0..80)).prop_map(|(kind, bytes)| Data::from_bytes(kind, &bytes)),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    let name = "[^\\p{Cc}*]{0,20}";
    prop_oneof![
        1 => Just(Change::DeleteKey),
        1 => name.prop_map(Change::DeleteValue),
        6 => (name, datas()).prop_map(|(name, data)| Change::Set(name, data)),
    ]
}

fn entries(root: impl Strategy<Value = Root>) -> impl Strategy<Value = Vec<Entry>> {
    let key = "[^\\p{Cc}\\\\;\\]]{1,10}(\\\\[^\\p{Cc}\\\\;\\]]{1,10}){1,3}";
    prop::collection::vec((root, key, changes()), 0..12).prop_map(|all| {
        all.into_iter().map(|(root, key, change)| Entry::new(root, key, change).expect("an entry")).collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_as_reg_is_read_again(
        entries in entries(prop_oneof![Just(Root::LocalMachine), Just(Root::CurrentUser), Just(Root::Users)])
    ) {
        let written = write_reg(&entries).expect("writes");
        prop_assert_eq!(read_reg(&written), Ok(entries));
    }

    #[test]
    fn what_is_written_as_pol_is_read_again(entries in entries(Just(Root::LocalMachine))) {
        // an empty default value without a kind is told as what it is
        if let Ok(written) = write_pol(&entries, Root::LocalMachine) {
            prop_assert_eq!(read_pol(&written, Root::LocalMachine), Ok(entries));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,200}") {
        let _ = (read_reg(&bytes), read_pol(&bytes, Root::LocalMachine));
        let pol: Vec<u8> = b"PReg\x01\0\0\0".iter().copied().chain(bytes).collect();
        let _ = read_pol(&pol, Root::LocalMachine);
        let _ = read_reg(format!("REGEDIT4\r\n[HKLM\\A]\r\n{text}").as_bytes());
    }

    #[test]
    fn damage_to_a_file_is_no_crash(at in 0usize..2_000, byte: u8) {
        let policy = render(&Options::new(address("https://wsus.example.org:8531")), &settings(&[])).expect("renders");
        let files = [write_reg(&policy.entries()).expect("writes"), write_pol(&policy.entries(), Root::LocalMachine).expect("writes")];
        for mut file in files {
            let length = file.len();
            file[at % length] = byte;
            let _ = (read_reg(&file), read_pol(&file, Root::LocalMachine));
        }
    }
}
