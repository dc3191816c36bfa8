//! What the command line prints of history and errors.

use jiff::Zoned;
use weir_model::ids::UpdateIdentity;
use weir_testkit::{Computer, Document, WeirProcess};

use super::{a_day_that_lasts, agent, id, json, run, server, write_documents};

/// What a command prints without `--json`; it must succeed.
fn printed(server: &WeirProcess, arguments: &[&str]) -> String {
    let output = server.weir(arguments).expect("it ends");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn history_and_errors_are_printed() {
    a_day_that_lasts();
    let server = server();
    let empty = printed(&server, &["compliance", "errors"]);
    assert!(empty.contains("No errors. Next: weir compliance summary"), "{empty}");
    let folder = server.data().join("documents");
    write_documents(&folder, &[Document::software(id(1), 1).localized("en", "=Fix, one", None)]);
    json(&server, &["import", folder.to_str().expect("UTF-8")]);
    let mut computer = agent(&server, Computer::numbered(1));
    let code = 0x8024_0022_u32.cast_signed();
    run(async {
        computer.scan().await.expect("scan");
        computer.report_scan().await.expect("reported");
        let failed = computer.event(182, Some(UpdateIdentity::new(id(1), 1)), code, Vec::new(), Vec::new());
        computer.report(vec![failed]).await.expect("reported");
    });

    let recorded = printed(&server, &["compliance", "record"]);
    assert!(recorded.contains("have another record than before"), "{recorded}");
    let history = printed(&server, &["compliance", "history"]);
    let today = Zoned::now().date().to_string();
    assert!(history.contains("collection: All Computers") && history.contains("no record"), "{history}");
    let line = history.lines().find(|line| line.starts_with(&today)).expect("today");
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), [&today, "1", "0.0", "0", "0", "0", "0", "1", "0"]);
    let table = printed(&server, &["compliance", "history", "--csv"]);
    assert_eq!(table.lines().count(), 31, "a header and thirty days: {table}");
    assert!(table.lines().last().expect("today").starts_with(&format!("{today},1,0,0,0,0,0,0,1,0")), "{table}");
    let subjects = printed(&server, &["compliance", "subjects", "--kind", "site"]);
    assert!(subjects.contains("this server"), "{subjects}");
    let reached = printed(&server, &["compliance", "time-to", "--collection", "All Computers", "--since", "30d"]);
    assert!(reached.contains("as given") && reached.contains("not reached"), "{reached}");

    let errors = printed(&server, &["compliance", "errors", "--since", "1d"]);
    assert!(errors.contains("0x80240022") && errors.contains("WU_E_ALL_UPDATES_FAILED"), "{errors}");
    let table = printed(&server, &["compliance", "errors", "--by", "update", "--csv"]);
    assert!(table.contains("\r\n\"'=Fix, one\",,1,1,0,"), "a title is no formula: {table}");
    for two in
        [&["compliance", "errors", "--csv", "--json"][..], &["--json", "reports", "run", "A1", "--format", "csv"]]
    {
        let output = server.weir(two).expect("it ends");
        assert_eq!(output.status.code(), Some(2), "{two:?} is wrong usage: {output:?}");
    }
    for written in ["0x80240022", "-2145124318", "WU_E_ALL_UPDATES_FAILED"] {
        let told = printed(&server, &["compliance", "explain-error", written]);
        for part in ["0x80240022 (-2145124318)", "likely cause", "next step", "1 computer: 1 with a failed update"] {
            assert!(told.contains(part), "{written}: {part} is not in {told}");
        }
    }
    let told = printed(&server, &["compliance", "explain-error", "ServerBusy"]);
    assert!(told.contains("[MS-WUSP] 2.2.2.4") && told.contains("A server answers with it"), "{told}");
    let told = printed(&server, &["compliance", "explain-error", "0"]);
    assert!(told.contains("Success") && !told.contains("Unknown"), "{told}");
    let shown = printed(&server, &["computers", "show", &computer.computer.client_id]);
    assert!(shown.contains("0x80240022  WU_E_ALL_UPDATES_FAILED: "), "{shown}");
    assert!(shown.contains("What to do: weir compliance explain-error 0x80240022"), "{shown}");
}
