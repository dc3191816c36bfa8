use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    ErrorCode, Layout, Source, all, explain, facility, find, find_name, find_server, parse, server_codes, table, text,
};

#[test]
fn the_table_is_sorted_and_has_no_code_twice() {
    let mut seen: BTreeMap<u32, &ErrorCode> = BTreeMap::new();
    for list in table::lists() {
        assert!(list.is_sorted_by_key(|entry| entry.code), "a list that begins with {:?}", list.first());
        for entry in *list {
            if let Some(other) = seen.insert(entry.code, entry) {
                panic!("{} is twice: {} and {}", text(entry.code), other.name, entry.name);
            }
            assert_eq!(find(entry.code), Some(entry));
        }
    }
    assert!(seen.len() >= 700, "{} codes", seen.len());
}

#[test]
fn every_entry_has_all_fields_within_bounds() {
    for entry in all() {
        let code = text(entry.code);
        for (field, shortest) in [(entry.meaning, 10), (entry.cause, 5), (entry.next_step, 10)] {
            assert!((shortest..=400).contains(&field.len()), "{code}: {field:?}");
            assert!(field.trim() == field && !field.contains("  "), "{code}: {field:?}");
            assert!(field.ends_with(['.', ')']), "{code}: a sentence ends with a stop: {field:?}");
        }
        assert!(entry.name.len() <= 80, "{code}");
        assert!(entry.source.document().len() > 20, "{code}");
    }
    let unnamed: Vec<u32> = all().filter(|entry| entry.name.is_empty()).map(|entry| entry.code).collect();
    assert_eq!(unnamed, [0xC190_0101], "only where no name is published");
}

#[test]
fn every_code_is_of_the_facility_of_its_source() {
    for entry in all() {
        let layout = Layout::of(entry.code);
        let fits = match entry.source {
            Source::Agent => layout.facility == 36,
            Source::Bits => matches!(layout.facility, 25 | 32),
            Source::Database => entry.code >> 16 == 0xC800,
            Source::DeliveryOptimization => layout.facility == 208,
            Source::Hresult => matches!(layout.facility, 0 | 1 | 4 | 8),
            Source::Security => matches!(layout.facility, 9 | 11),
            Source::Servicing => layout.facility == 15,
            Source::Setup => entry.code >> 16 == 0xC190,
            Source::WebServices => layout.facility == 61,
            Source::Win32 => layout.facility == 7 && !(12_000..13_000).contains(&layout.number),
            Source::WinHttp => layout.facility == 7 && (12_000..13_000).contains(&layout.number),
        };
        assert!(fits, "{} {}", text(entry.code), entry.name);
        assert_eq!(layout.failed, !entry.name.starts_with("WU_S_"), "{} {}", text(entry.code), entry.name);
    }
}

#[test]
fn codes_of_servers_are_found_by_name() {
    assert!(server_codes().is_sorted_by_key(|code| code.name));
    for code in server_codes() {
        for field in [code.meaning, code.cause, code.next_step] {
            assert!((10..=400).contains(&field.len()) && field.ends_with('.') && !field.contains("  "), "{field:?}");
        }
        assert_eq!(find_server(&format!(" {} ", code.name.to_lowercase())), Some(code));
        assert!(find_name(code.name).is_none() && parse(code.name).is_err(), "{} is no number", code.name);
    }
    assert_eq!(find_server("FileLocationsChanged").map(|code| code.name), Some("FileLocationChanged"));
    assert_eq!(find_server(""), None);
}

/// What agents try again for (features 11.1), what this server's own code speaks of, and what support articles name most.
#[test]
fn codes_that_genuinely_occur_are_there() {
    let retried = [
        0x8007_2EFD,
        0x8007_2EFE,
        0x8024_001A,
        0x8024_001E,
        0x8024_4004,
        0x8024_4005,
        0x8024_4006,
        0x8024_4007,
        0x8024_4008,
        0x8024_4009,
        0x8024_400A,
        0x8024_400B,
        0x8024_400C,
        0x8024_400D,
        0x8024_400E,
        0x8024_4010,
        0x8024_4015,
        0x8024_4016,
        0x8024_4018,
        0x8024_4019,
        0x8024_401A,
        0x8024_401C,
        0x8024_401D,
        0x8024_401E,
        0x8024_401F,
        0x8024_4020,
        0x8024_4021,
        0x8024_4022,
        0x8024_4023,
        0x8024_4024,
        0x8024_4026,
        0x8024_4027,
        0x8024_402B,
        0x8024_402C,
        0x8024_F004,
    ];
    let others = [
        0x8007_0005,
        0x8007_000D,
        0x8007_0020,
        0x8007_0070,
        0x8007_0422,
        0x8007_0643,
        0x8007_0BC2,
        0x8007_0BC9,
        0x8007_2EE2,
        0x8007_2F8F,
        0x8007_3701,
        0x8007_3712,
        0x8007_371B,
        0x8000_4005,
        0x8009_0326,
        0x800B_0100,
        0x800B_0109,
        0x800F_0805,
        0x800F_081F,
        0x800F_0823,
        0x800F_0831,
        0x800F_0922,
        0x800F_0954,
        0x800F_0984,
        0x8020_0010,
        0x8020_0053,
        0x8019_0194,
        0x8024_0022,
        0x8024_0438,
        0x8024_200B,
        0x8024_2016,
        0x8024_2017,
        0x8024_6002,
        0x8024_6007,
        0x8024_8007,
        0x8024_8014,
        0x80D0_2002,
        0x80D0_3805,
        0x803D_0013,
        0xC190_0208,
    ];
    for code in retried.into_iter().chain(others) {
        assert!(find(code).is_some(), "{}", text(code));
    }
}

#[test]
fn the_http_codes_of_the_agent_name_their_status() {
    let statuses = [
        (0x8024_4016, 400),
        (0x8024_4017, 401),
        (0x8024_4018, 403),
        (0x8024_4019, 404),
        (0x8024_401A, 405),
        (0x8024_401B, 407),
        (0x8024_401C, 408),
        (0x8024_401D, 409),
        (0x8024_401E, 410),
        (0x8024_401F, 500),
        (0x8024_4020, 501),
        (0x8024_4021, 502),
        (0x8024_4022, 503),
        (0x8024_4023, 504),
        (0x8024_4024, 505),
    ];
    for (code, status) in statuses {
        let meaning = find(code).expect("known").meaning;
        assert!(meaning.starts_with(&format!("HTTP {status}:")), "{} {meaning}", text(code));
    }
    for entry in all().filter(|entry| entry.name.starts_with("BG_E_HTTP_ERROR_")) {
        assert!(entry.meaning.starts_with(&format!("HTTP {}:", entry.code & 0xFFFF)), "{}", entry.name);
        assert!(entry.name.ends_with(&(entry.code & 0xFFFF).to_string()), "{}", entry.name);
    }
}

#[test]
fn unknown_codes_are_said_to_be_unknown_and_taken_apart() {
    let told = |code: u32| explain(code).meaning();
    assert_eq!(
        told(0x8024_7777),
        "Unknown code. By its layout it is an error of FACILITY_WINDOWSUPDATE (the Windows Update Agent): offline scans, \
         number 0x7777."
    );
    assert_eq!(
        told(0x8007_1234),
        "Unknown code. By its layout it is an error of FACILITY_WIN32 (Win32 errors of Windows): Win32 error 4660 (net \
         helpmsg 4660)."
    );
    assert!(told(0x8007_2EFF).contains("WinHTTP or WinINet error 12031"), "{}", told(0x8007_2EFF));
    assert!(told(0x8019_0192).contains("HTTP status 402"));
    assert!(told(0x8123_0001).contains("facility 291, which is not known here"), "{}", told(0x8123_0001));
    assert!(told(0xC800_0999).contains("error -2457 of the agent's database"));
    assert_eq!(told(0x9000_0005), "Unknown code. It is the NTSTATUS 0x80000005, made an HRESULT.");
    assert!(told(0xA007_0001).contains("bit C"));
    assert_eq!(told(0), "Success: nothing failed.");
    assert!(told(0x0000_9999).contains("exit code 39321"));
    let layout = Layout::of(0x8024_0022);
    assert_eq!((layout.failed, layout.customer, layout.ntstatus), (true, false, false));
    assert_eq!((layout.facility, layout.number, layout.severity()), (36, 0x22, "error"));
    assert_eq!(layout.facility().map(|facility| facility.name), Some("FACILITY_WINDOWSUPDATE"));
    assert_eq!(facility(5_000), None);
}

#[test]
fn exit_codes_are_found_as_the_errors_that_they_are() {
    let explanation = explain(1603);
    assert_eq!((explanation.name(), explanation.as_hresult), (Some("ERROR_INSTALL_FAILURE"), Some(0x8007_0643)));
    assert_eq!(explain(3010).name(), Some("ERROR_SUCCESS_REBOOT_REQUIRED"));
    assert_eq!(explain(0x8007_0643).as_hresult, None);
    assert_eq!(explain(0).known, None);
}

#[test]
fn codes_are_read_as_people_write_them() {
    for written in ["0x80240022", "0X80240022", " 80240022 ", "-2145124318", "2149842978", "wu_e_all_updates_failed"] {
        assert_eq!(parse(written), Ok(0x8024_0022), "{written}");
    }
    assert_eq!(parse("1603"), Ok(1603));
    assert_eq!(parse("0x0"), Ok(0));
    assert_eq!(parse("0xc1900208"), Ok(0xC190_0208));
    for wrong in [
        "",
        "-",
        "0x",
        "0x123456789",
        "4294967296",
        "-2147483649",
        "0x-1",
        "+5",
        "WU_E_NOTHING",
        "80240022h",
        "8024 0022",
        "９",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
    assert!(parse(&"9".repeat(10_000)).expect_err("too long").to_string().len() < 300);
    assert_eq!(find_name(""), None);
}

proptest! {
    #[test]
    fn every_form_of_a_code_is_read_as_that_code(code: u32) {
        prop_assert_eq!(parse(&text(code)), Ok(code));
        prop_assert_eq!(parse(&format!("{code:08X}")), Ok(code));
        prop_assert_eq!(parse(&format!("-{}", code.cast_signed().unsigned_abs())), Ok(code.cast_signed().unsigned_abs().wrapping_neg()));
        let unsigned = code.to_string();
        // eight digits are hexadecimal
        prop_assert!(unsigned.len() == 8 || parse(&unsigned) == Ok(code));
    }

    #[test]
    fn something_is_said_of_every_code(code: u32) {
        let explanation = explain(code);
        prop_assert!(explanation.meaning().len() > 10);
        prop_assert_eq!(explanation.known.is_none() && code != 0, explanation.meaning().starts_with("Unknown code."));
    }

    #[test]
    fn no_text_makes_the_parser_fail(written: String) {
        let _ = parse(&written);
    }
}
