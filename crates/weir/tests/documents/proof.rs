//! What guides claim is shown by tests, and the tests that they name exist.

use std::{collections::BTreeSet, ffi::OsStr};

use super::{apart, files, guides, is_name, section, text};

/// The tests that a text names by their file: `file::test`.
fn named_tests(text: &str) -> Vec<(String, String)> {
    let named = apart(text).1.into_iter().filter_map(|span| {
        let (file, test) = span.split_once("::")?;
        (is_name(file) && is_name(test)).then(|| (file.to_owned(), test.to_owned()))
    });
    named.collect()
}

/// Every test that is named this way is in a file of that name, here or there.
fn they_exist(named: &[(String, String)]) {
    let sources: Vec<_> = ["crates", "fuzz"].iter().flat_map(|folder| files(folder, "rs")).collect();
    for (file, test) in named {
        let wanted = format!("fn {test}(");
        let of_that_name = sources.iter().filter(|path| path.file_stem() == Some(OsStr::new(file)));
        let is_there = of_that_name.map(text).any(|source| source.contains(&wanted));
        assert!(is_there, "there is no test {file}::{test}");
    }
}

#[test]
fn tests_that_the_security_guide_names_exist() {
    let named = named_tests(&text("docs/security.md"));
    assert!(named.len() > 40, "only {} tests were found", named.len());
    they_exist(&named);
}

/// A rule without a test is a wish.
#[test]
fn each_rule_of_the_security_guide_names_its_tests() {
    let guide = text("docs/security.md");
    let rules: Vec<&str> =
        section(&guide, "The rules, and what shows that they hold").split("\n### ").skip(1).collect();
    let numbered = rules.iter().filter(|rule| rule.starts_with(|first: char| first.is_ascii_digit()));
    assert!(numbered.count() >= 8, "the rules of the design");
    for rule in rules {
        let heading = rule.lines().next().unwrap_or_default();
        let has_targets = heading == "Fuzz targets" || heading == "In the code";
        assert!(has_targets || !named_tests(rule).is_empty(), "{heading} names no test");
    }
}

#[test]
fn each_promise_about_faults_names_its_tests() {
    let guide = text("docs/operations.md");
    let rows = section(&guide, "What is promised, and how it is tested").lines();
    let rows: Vec<&str> = rows.filter(|line| line.starts_with("| ") && !line.starts_with("| Fault ")).collect();
    assert!(rows.len() > 20, "only {} promises were found", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, promise, tests] = cells.as_slice() else { panic!("{row}") };
        let named = named_tests(tests);
        assert!(!promise.is_empty() && !named.is_empty(), "{row}");
        they_exist(&named);
    }
}

/// What the unit takes away from a server, which has to do without it (rule 8).
#[test]
fn the_unit_leaves_a_server_no_privilege() {
    let unit = text("packaging/weir.service");
    let lines: BTreeSet<&str> = unit.lines().collect();
    for line in [
        "User=weir",
        "UMask=0077",
        "StateDirectoryMode=0700",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectControlGroups=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictNamespaces=yes",
        "RestrictSUIDSGID=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged",
    ] {
        assert!(lines.contains(line), "{line} is not in the unit");
    }
    assert!(!lines.iter().any(|line| line.starts_with("ReadWritePaths=")), "one folder is written to");
    let container = text("packaging/Containerfile");
    assert!(container.lines().any(|line| line == "USER 8530:8530"), "the container runs as a user of its own");
}

#[test]
fn the_security_guide_names_all_fuzz_targets() {
    let guide = text("docs/security.md");
    let (_, rest) = guide.split_once("\n### Fuzz targets\n").expect("the section");
    let rows = rest.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.filter_map(|row| row.rsplit(" | ").next());
    let named: Vec<String> = cells.flat_map(|cell| apart(cell).1).collect();
    let modules = files("fuzz/src/targets", "rs");
    let targets: BTreeSet<&str> = modules.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
    let targets: BTreeSet<&str> = targets.into_iter().filter(|name| *name != "mod").collect();
    assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), targets);
    assert_eq!(named.len(), targets.len(), "a target is named twice");
}

/// A claim that names a test by a long name alone means one that is there.
#[test]
fn tests_that_guides_name_exist() {
    let sources: Vec<String> =
        ["crates", "fuzz", "xtask"].iter().flat_map(|folder| files(folder, "rs")).map(text).collect();
    let mut count = 0;
    for guide in guides() {
        let (_, code) = apart(&text(&guide));
        for span in code {
            let name = span.rsplit("::").next().unwrap_or_default();
            // metrics have long names, too
            if name.split('_').count() < 5 || !is_name(name) || name.starts_with("weir_") {
                continue;
            }
            count += 1;
            let wanted = format!("fn {name}(");
            let is_there = sources.iter().any(|source| source.contains(&wanted));
            assert!(is_there, "{}: there is no test {name}", guide.display());
        }
    }
    assert!(count > 40, "only {count} tests were found");
}
