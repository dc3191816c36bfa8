use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;
use uuid::Uuid;

use super::{schedule::SoFar, *};

fn at(text: &str) -> Timestamp {
    text.parse().expect("RFC 3339")
}

#[test]
fn the_registry_has_the_reports_of_the_field() {
    let numbers: Vec<&str> = REPORTS.iter().map(|report| report.number).collect();
    let mut wanted = Vec::new();
    for (letter, last) in [("A", 9), ("B", 8), ("C", 6), ("D", 4), ("E", 4), ("F", 4)] {
        wanted.extend((1..=last).map(|number| format!("{letter}{number}")));
    }
    assert_eq!(numbers, wanted);
    assert!(REPORTS.is_sorted_by_key(|report| report.group));
    assert_eq!(named(" Compliance-Overall ").map(|report| report.number), Some("A1"));
}

#[test]
fn ids_and_columns_are_words_and_each_is_there_once() {
    let word = |text: &str, between: u8| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == between)
    };
    let mut ids = BTreeSet::new();
    for report in REPORTS {
        assert!(ids.insert(report.id) && word(report.id, b'-'), "{}", report.id);
        assert!(!report.title.is_empty() && report.description.ends_with('.'), "{}", report.id);
        let columns: BTreeSet<&str> = report.columns.iter().map(|column| column.id).collect();
        assert_eq!(columns.len(), report.columns.len(), "{}", report.id);
        assert!(columns.iter().all(|id| word(id, b'_')), "{}", report.id);
        let names: BTreeSet<&str> = report.parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(names.len(), report.parameters.len(), "{}", report.id);
        // these are what every report takes
        assert!(!names.contains("format") && !names.contains("limit"), "{}", report.id);
        for parameter in report.parameters {
            assert!(!(parameter.required && parameter.default.is_some()), "{} {}", report.id, parameter.name);
            assert!(word(parameter.name, b'_') && !parameter.description.is_empty(), "{}", report.id);
        }
    }
}

#[test]
fn whatever_goes_into_detail_exists_and_can_be_asked_from_a_row() {
    for report in REPORTS {
        for drill in report.drill {
            let target = named(drill.report).unwrap_or_else(|| panic!("{}: {}", report.id, drill.report));
            for (parameter, column) in drill.from {
                assert!(target.parameter(parameter).is_some(), "{}: {parameter} of {}", report.id, target.id);
                assert!(report.columns.iter().any(|known| known.id == *column), "{}: {column}", report.id);
            }
            for parameter in target.parameters.iter().filter(|parameter| parameter.required) {
                let taken = drill.from.iter().any(|(name, _)| *name == parameter.name);
                let shared = report.parameter(parameter.name).is_some();
                let asked = matches!(parameter.kind, ParameterKind::Choice(_));
                assert!(taken || shared || asked, "{} to {}: {}", report.id, target.id, parameter.name);
            }
        }
    }
}

/// docs/reports.md has a part for each report, `### NUMBER ID`, with its parameters and an example that can be asked.
#[test]
fn the_document_has_every_report_with_its_parameters_and_an_example() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reports.md");
    let text = std::fs::read_to_string(path).expect("docs/reports.md");
    let parts: Vec<&str> = text.split("\n### ").skip(1).collect();
    let heads: Vec<&str> = parts.iter().filter_map(|part| part.lines().next()).collect();
    let wanted: Vec<String> = REPORTS.iter().map(|report| format!("{} {}", report.number, report.id)).collect();
    assert_eq!(heads, wanted);
    for (part, report) in parts.iter().zip(REPORTS) {
        let listed: Vec<&str> =
            part.lines().filter_map(|line| line.strip_prefix("* `")?.split_once('`')).map(|(name, _)| name).collect();
        let names: Vec<&str> = report.parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(listed, names, "{}", report.id);
        let words = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("{}. {}", report.title, report.description)), "{}", report.id);
        for parameter in report.parameters {
            assert!(words.contains(parameter.description), "{} {}", report.id, parameter.name);
        }
        let command = format!("weir reports run {}", report.id);
        let example = part.lines().find(|line| line.starts_with(&command)).expect(report.id);
        let given = example.split(" --param ").skip(1).map(|pair| {
            let (name, value) = pair.split_once('=').expect("NAME=VALUE");
            (name, value.trim_matches('"'))
        });
        Arguments::read(report, given).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

fn read(id: &str, given: &[(&str, &str)]) -> Result<Arguments, ParameterError> {
    Arguments::read(named(id).expect("a report"), given.iter().copied())
}

#[test]
fn arguments_are_checked_against_parameters() {
    let update = "6f2a9a40-0000-4000-8000-000000000001";
    let asked = read("compliance-update-computers", &[("update", update), ("state", "FAILED"), ("site", " ")]);
    let asked = asked.expect("valid");
    assert_eq!(
        (asked.choice("state"), asked.text("collection"), asked.text("site")),
        (Some("failed"), Some("All Computers"), None)
    );
    assert_eq!(asked.update("update").map(|id| id.to_string()).as_deref(), Some(update));
    let shown: Vec<&str> = asked.shown().iter().map(|(name, _)| *name).collect();
    assert_eq!(shown, ["update", "state", "collection"]);
    assert_eq!(
        read("scan-error-computers", &[("code", "0x80240022")]).expect("valid").code("code"),
        Some(-2_145_124_318)
    );
    assert_eq!(
        read("scan-error-computers", &[("code", "-2145124318")]).expect("valid").code("code"),
        Some(-2_145_124_318)
    );
    assert_eq!(read("clients-silent", &[]).expect("valid").count("days"), Some(30));

    let missing = read("compliance-update", &[]).expect_err("no update");
    assert!(matches!(missing, ParameterError::Missing { name: "update", .. }), "{missing}");
    let unknown = read("compliance-update", &[("updaet", update)]).expect_err("unknown");
    assert_eq!(
        unknown.to_string(),
        "the report compliance-update has no parameter \"updaet\"; did you mean \"update\"?"
    );
    assert_eq!(read("clients-silent", &[("days", "3"), ("days", "4")]), Err(ParameterError::Twice("days")));
    let long = "x".repeat(LONGEST_VALUE + 1);
    for (id, name, value) in [
        ("clients-silent", "days", "0"),
        ("clients-silent", "days", "-3"),
        ("clients-silent", "collection", long.as_str()),
        ("clients-silent", "collection", "a\nb"),
        ("compliance-update-computers", "state", "broken"),
        ("compliance-computer", "computer", "../x"),
        ("compliance-update", "update", "KB5"),
        ("scan-error-computers", "code", "0x1ffffffff"),
    ] {
        // what else must be given
        let report = named(id).expect("a report");
        let rest = [("update", update), ("state", "failed")];
        let rest = rest.into_iter().filter(|(other, _)| *other != name && report.parameter(other).is_some());
        let given: Vec<(&str, &str)> = rest.chain([(name, value)]).collect();
        let wrong = read(id, &given).expect_err(value);
        assert!(matches!(&wrong, ParameterError::Value { name: known, .. } if *known == name), "{wrong}");
    }
}

fn table(rows: Vec<Row>) -> Table {
    let total = rows.len() as u64;
    Table {
        report: named("scan-error-computers").expect("a report"),
        asked: vec![("code", "0x80240022".to_owned())],
        server: "up.example.org".to_owned(),
        as_of: at("2026-11-30T12:00:00.5Z"),
        rolled_up: None,
        notes: Vec::new(),
        rows,
        total,
    }
}

fn row(name: &str) -> Row {
    vec![
        Cell::Id("pc-1".to_owned()),
        Cell::text(name),
        Cell::Absent,
        Cell::Time(at("2026-11-29T08:00:00.123Z")),
        Cell::time(None),
    ]
}

#[test]
fn cells_are_written_as_their_kind_has_it() {
    let cases = [
        (Cell::Absent, ""),
        (Cell::Bytes(5), "5"),
        (Cell::Count(7), "7"),
        (Cell::Duration(SignedDuration::from_mins(2)), "120"),
        (Cell::share(1, 3), "33.3"),
        (Cell::share(0, 0), ""),
        (Cell::Percent(f64::NAN), "0.0"),
        (Cell::code(Some(-2_145_124_318)), "0x80240022"),
        (Cell::State("failed"), "failed"),
        (Cell::Time(at("2026-11-29T08:00:00.123Z")), "2026-11-29T08:00:00Z"),
    ];
    for (cell, text) in cases {
        assert_eq!(cell.to_string(), text);
    }
}

#[test]
fn a_table_says_how_much_of_it_is_there_and_how_old_it_is() {
    let mut cut = table(vec![row("a"), row("b")]);
    assert_eq!((cut.extent().as_str(), cut.is_cut()), ("2 rows.", false));
    cut.total = 9;
    assert_eq!(cut.extent(), "The first 2 of 9 rows; ask for more with limit.");
    assert_eq!(cut.age(), "As of 2026-11-30T12:00:01Z.");
    cut.rolled_up = Some(at("2026-11-30T09:00:00Z"));
    assert!(
        cut.age().ends_with("Data of servers below are up to 3 hours old (received 2026-11-30T09:00:00Z)."),
        "{}",
        cut.age()
    );
    let mut page = String::new();
    html::write(&cut, &mut page).expect("a string takes it");
    for part in ["The first 2 of 9 rows", "up to 3 hours old", "0x80240022", "thead{display:table-header-group}"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && !page.contains("http"), "nothing runs, nothing is fetched");
}

#[test]
fn a_page_says_where_and_when_it_is_from_and_fits_its_paper() {
    let page_of = |table: &Table| {
        let mut page = String::new();
        html::write(table, &mut page).expect("a string takes it");
        page
    };
    let narrow = page_of(&table(vec![row("a"), row("b")]));
    assert!(
        narrow.contains(" - 2026-11-30 12:00 UTC</title>") && narrow.contains(", 2026-11-30 12:00 UTC</p>"),
        "{narrow}"
    );
    assert!(narrow.contains("<td class=\"s\">2026-11-29 08:00</td>"), "times are as people write them: {narrow}");
    assert!(narrow.contains("<tfoot>\n<tr><td colspan=\"5\">2 rows.</td></tr>"), "{narrow}");
    assert!(narrow.contains("<body>"), "it is printed upright");
    // many columns are printed across, and their GUIDs are left out there
    let report = REPORTS.iter().copied().find(|report| report.number == "F1").expect("is there");
    let id = Uuid::from_u128(7).to_string();
    let cells = report.columns.iter().map(|column| match (column.kind, column.id) {
        (ColumnKind::Id, "update") => Cell::Id(id.clone()),
        (_, "title") => Cell::Text("A title that is as long as titles of updates are".to_owned()),
        (ColumnKind::Count, _) => Cell::Count(12_345),
        (ColumnKind::State, _) => Cell::State("pending_restart"),
        _ => Cell::Absent,
    });
    let wide = page_of(&Table { report, rows: vec![cells.collect()], total: 1, ..table(Vec::new()) });
    for part in [
        "<body class=\"wide\">".to_owned(),
        format!("<td class=\"i g\">{id}</td>"),
        "<td class=\"w\">A title".to_owned(),
        "<td class=\"n\">12,345</td>".to_owned(),
        "<td class=\"s\">pending restart</td>".to_owned(),
    ] {
        assert!(wide.contains(&part), "{part}: {wide}");
    }
    for part in ["@page wide{size:A4 landscape", "body.wide .g{display:none}"] {
        assert!(html::STYLE.contains(part), "{part}");
    }
}

#[test]
fn text_is_aligned_and_cannot_steer_a_terminal() {
    let mut out = String::new();
    text::write(&table(vec![row("a\u{1b}[2J"), row("longer")]), &mut out).expect("a string takes it");
    let lines: Vec<&str> = out.lines().skip_while(|line| !line.starts_with("COMPUTER")).collect();
    assert_eq!(lines[0], "COMPUTER  NAME    SITE  LAST SCAN          LAST CONTACT");
    assert_eq!(lines[1], "pc-1      a\u{fffd}[2J         2026-11-29 08:00Z");
    assert_eq!(lines[2], "pc-1      longer        2026-11-29 08:00Z");
    assert!(out.ends_with("2 rows.\n"), "{out}");
}

/// Reads RFC 4180.
fn parsed(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut characters) = (false, text.chars().peekable());
    while let Some(character) = characters.next() {
        match (character, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\r', false) => {
                assert_eq!(characters.next(), Some('\n'), "lines end with CR LF");
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (other, _) => cell.push(other),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the file is whole");
    rows
}

fn csv_of(rows: Vec<Row>) -> String {
    let mut out = String::new();
    csv::write(&table(rows), &mut out).expect("a string takes it");
    out
}

#[test]
fn formulas_are_defused() {
    for evil in [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r\n=1",
        " =1",
        "\u{feff}=1",
        "\u{ff1d}1",
        "'=1",
        " '@",
        "=cmd|'/c calc'!A0",
    ] {
        let safe = csv::defused(evil);
        assert!(safe.starts_with('\''), "{evil:?}");
        assert_eq!(csv::undefused(&safe), evil);
    }
    for plain in ["", "PC-1", "a=b", "'s-Hertogenbosch", "1-2", "x@y", "''"] {
        assert_eq!(csv::defused(plain), plain);
        assert_eq!(csv::undefused(plain), plain);
    }
    assert_eq!(csv::defused("a\u{0}b"), "a\u{fffd}b");
    let out = csv_of(vec![row("=HYPERLINK(\"http://x\",\"y\")")]);
    assert_eq!(
        out,
        "computer,name,site,last_scan,last_contact\r\n\
         pc-1,\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",,2026-11-29T08:00:00Z,\r\n"
    );
}

/// Takes tags and entities away, as a browser does, and gives the cells of the table.
fn cells(page: &str) -> Vec<String> {
    let body = page.split_once("<tbody>").and_then(|(_, rest)| rest.split_once("</tbody>")).expect("a table").0;
    let mut found = Vec::new();
    let mut rest = body;
    while let Some((_, after)) = rest.split_once("<td") {
        let (_, after) = after.split_once('>').expect("a tag");
        let (cell, after) = after.split_once('<').expect("its end");
        assert!(after.starts_with("/td>"), "a cell holds no tag: {after}");
        found.push(unescaped(cell));
        rest = after;
    }
    found
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

proptest! {
    #[test]
    fn csv_comes_back_as_it_was(names in proptest::collection::vec(any::<String>(), 0..6)) {
        let out = csv_of(names.iter().map(|name| row(name)).collect());
        let rows = parsed(&out);
        prop_assert_eq!(rows.len(), names.len() + 1);
        for (read, name) in rows.iter().skip(1).zip(&names) {
            prop_assert_eq!(read.len(), 5);
            let kept: String = name.chars()
                .map(|c| if c.is_control() && !matches!(c, '\t' | '\r' | '\n') { '\u{fffd}' } else { c })
                .collect();
            prop_assert_eq!(csv::undefused(&read[1]), kept.as_str());
            prop_assert!(!read[1].starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
        }
    }

    #[test]
    fn formulas_never_begin_a_cell(prefix in "[ \t'\u{feff}\u{200b}]{0,3}", sign in "[=+@-]", rest in ".{0,10}") {
        let evil = format!("{prefix}{sign}{rest}");
        let safe = csv::defused(&evil);
        prop_assert!(safe.starts_with('\''), "{:?}", safe);
        prop_assert_eq!(csv::undefused(&safe), evil.chars()
            .map(|c| if c.is_control() && !matches!(c, '\t' | '\r' | '\n') { '\u{fffd}' } else { c }).collect::<String>());
    }

    #[test]
    fn whatever_is_in_a_page_is_text(name in any::<String>(), asked in any::<String>()) {
        let mut table = table(vec![row(&name)]);
        table.asked.push(("code", asked.clone()));
        table.notes.push(asked);
        let mut page = String::new();
        html::write(&table, &mut page).expect("a string takes it");
        let shown: String = name.chars()
            .map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { harmless(c) })
            .collect();
        prop_assert_eq!(&cells(&page)[1], &shown);
        prop_assert_eq!(page.matches('<').count(), page.matches('>').count());
        let frame = { let mut empty = String::new(); html::write(&self::table(vec![row("x")]), &mut empty).expect("a string"); empty };
        // the same elements as without foreign text, and the two entries that were added
        prop_assert_eq!(page.matches('<').count(), frame.matches('<').count() + 8);
    }

    #[test]
    fn the_first_rows_are_those_of_a_whole_sort(keys in proptest::collection::btree_set(0_u32..500, 0..200), limit in 1_u32..30, seed in any::<u64>()) {
        // in an order that has nothing to do with the keys
        let mut mixed: Vec<u32> = keys.iter().copied().collect();
        mixed.sort_by_key(|key| u64::from(*key).wrapping_mul(seed | 1).rotate_left(17));
        let mut best = Best::new(limit);
        for key in &mixed {
            best.offer(*key, || vec![Cell::Count(u64::from(*key))]);
        }
        let (rows, total) = best.finish();
        prop_assert_eq!(total, keys.len() as u64);
        let wanted: Vec<Row> = keys.iter().take(limit as usize).map(|key| vec![Cell::Count(u64::from(*key))]).collect();
        prop_assert_eq!(rows, wanted);
    }

    #[test]
    fn no_name_of_a_file_leaves_its_folder(name in any::<String>(), id in any::<u128>(), folder in "[a-z./\\\\ ~-]{0,20}") {
        let stem = file::stem(&name, Uuid::from_u128(id));
        let file = file::name(&stem, at("2026-11-30T14:05:00Z"), Format::Csv);
        prop_assert!(file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)), "{}", file);
        prop_assert!(!file.starts_with(['.', '-']) && file.len() < 120 && file.ends_with("-20261130T140500000Z.csv"));
        if let Ok(folder) = folder.parse::<file::Folder>() {
            for part in folder.parts() {
                prop_assert!(!part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\\', '~', '\0']));
            }
        }
    }
}

#[test]
fn folders_stay_below_and_old_files_of_a_schedule_go() {
    for good in ["", "monthly", "a/b c/d_e.2", " x "] {
        assert!(good.parse::<file::Folder>().is_ok(), "{good:?}");
    }
    for wrong in ["/etc", "..", "a/../b", "a//b", "a/", ".hidden", "a\\b", "c:", "a/b/c/d/e/f", "x.", "\u{fc}"] {
        assert!(wrong.parse::<file::Folder>().is_err(), "{wrong:?}");
    }
    let id = Uuid::from_u128(0xabcd_ef01 << 96);
    assert_eq!(file::stem("Weekly: A & B", id), "weekly-a-b-abcdef01");
    assert_eq!(file::stem("\u{fc}", Uuid::nil()), "report-00000000");
    let names = [
        "weekly-a-b-abcdef01-20260103T000000000Z.csv",
        "daily-abcdef01-20260101T000000000Z.html",
        "weekly-a-b-abcdef01-20260102T000000000Z.csv",
        "weekly-a-b-abcdef01-20260101.csv",
        "weekly-a-b-abcdef01-20260101T000000000Z.exe",
        "-abcdef01-20260101T000000000Z.csv",
        "abcdef01-20260101T000000000Z.csv",
        "weekly-a-b-abcdef01-notes.txt",
        "weekly-a-b-abcdef02-20250101T000000000Z.csv",
    ];
    let gone = file::surplus(id, names, 1);
    assert_eq!(gone, ["daily-abcdef01-20260101T000000000Z.html", "weekly-a-b-abcdef01-20260102T000000000Z.csv"]);
    assert!(file::surplus(id, names, 3).is_empty());
}

#[test]
fn a_missed_report_is_made_once_and_a_failed_one_is_tried_again() {
    let daily = "daily at 06:00 UTC".parse().expect("a schedule");
    let due = |since: &str, again_at: Option<&str>, now: &str| {
        schedule::due(&daily, SoFar { since: at(since), again_at: again_at.map(at) }, at(now), &TimeZone::UTC)
    };
    use schedule::Decision::{Run, Wait};
    let next = Some(at("2026-03-11T06:00:00Z"));
    assert_eq!(due("2026-03-10T06:00:00Z", None, "2026-03-10T12:00:00Z"), Wait { until: next });
    assert_eq!(due("2026-03-01T06:00:00Z", None, "2026-03-10T12:00:00Z"), Run { base: at("2026-03-10T06:00:00Z") });
    let done = "2026-03-10T06:00:00Z";
    assert_eq!(
        due(done, Some("2026-03-10T12:30:00Z"), "2026-03-10T12:00:00Z"),
        Wait { until: Some(at("2026-03-10T12:30:00Z")) }
    );
    assert_eq!(due(done, Some("2026-03-10T11:30:00Z"), "2026-03-10T12:00:00Z"), Run { base: at(done) });
    // noted by a clock that was set back since
    assert_eq!(due("2027-01-01T00:00:00Z", None, "2026-03-10T12:00:00Z"), Wait { until: next });
    let now = at("2026-03-10T12:00:00Z");
    assert_eq!(schedule::again(1, now), Some(at("2026-03-10T12:05:00Z")));
    assert_eq!(schedule::again(3, now), Some(at("2026-03-10T14:00:00Z")));
    assert_eq!((schedule::again(0, now), schedule::again(4, now)), (None, None));
}
