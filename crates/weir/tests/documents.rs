//! Guides and examples say what is so: links lead somewhere, settings, codes and tests that they name exist.

#[path = "documents/proof.rs"]
mod proof;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use weir_server::{
    config::{self, Options, Settings, VARIABLES},
    telemetry::{CATALOGUE, Kind, Metric},
};
use weir_wire::soap;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the workspace, by its path below the root.
fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files below a folder of the workspace, by their paths below the root.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                walk(&path, extension, found);
            } else if path.extension() == Some(OsStr::new(extension)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(folder), extension, &mut found);
    found.sort();
    found
}

fn guides() -> Vec<PathBuf> {
    files("docs", "md")
}

fn documents() -> Vec<PathBuf> {
    let above = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"];
    above.into_iter().map(PathBuf::from).chain(guides()).collect()
}

/// The lines of a document outside of its blocks of code.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// The prose and the code within it, apart.
fn apart(text: &str) -> (String, Vec<String>) {
    let (mut prose, mut code, mut open) = (String::new(), Vec::new(), None::<String>);
    for line in lines(text) {
        // code within prose ends with the paragraph at the latest
        if line.is_empty() {
            open = None;
        }
        for character in line.chars().chain(['\n']) {
            if character == '`' {
                match open.take() {
                    Some(span) => code.push(span),
                    None => open = Some(String::new()),
                }
            } else {
                open.as_mut().unwrap_or(&mut prose).push(character);
            }
        }
    }
    (prose, code)
}

/// Where the links of a document lead that stay in the repository.
fn links(text: &str) -> Vec<String> {
    let (prose, _) = apart(text);
    let targets = prose.match_indices("](").filter_map(|(at, mark)| prose[at + mark.len()..].split(')').next());
    targets.filter(|target| !target.contains(':')).map(str::to_owned).collect()
}

/// What links may name in a document: its headings, as they are turned into addresses.
fn anchors(text: &str) -> BTreeSet<String> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeMap::<String, u32>::new());
    for heading in lines(text).filter(|line| line.starts_with('#')) {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
        let name = kept.collect::<String>().replace(' ', "-");
        let count = seen.entry(name.clone()).or_default();
        found.insert(if *count == 0 { name } else { format!("{name}-{count}") });
        *count += 1;
    }
    found
}

/// The file that a link of a document leads to, and the part of it.
fn target(document: &Path, link: &str) -> (PathBuf, Option<String>) {
    let (path, part) = link.split_once('#').map_or((link, None), |(path, part)| (path, Some(part.to_owned())));
    let folder = document.parent().unwrap_or(Path::new(""));
    (if path.is_empty() { document.to_owned() } else { folder.join(path) }, part)
}

#[test]
fn every_link_leads_somewhere() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in documents() {
        for link in links(&text(&document)) {
            count += 1;
            let (path, part) = target(&document, &link);
            let is_there = root().join(&path).exists();
            if !is_there || part.is_some_and(|part| !anchors(&text(&path)).contains(&part)) {
                wrong.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 100, "only {count} links were found");
}

#[test]
fn every_guide_is_reached_from_the_list_of_guides() {
    let whole = |path: &Path| root().join(path).canonicalize().expect("a file");
    let (mut reached, mut open) = (BTreeSet::new(), vec![PathBuf::from("docs/README.md")]);
    while let Some(document) = open.pop() {
        if !reached.insert(whole(&document)) {
            continue;
        }
        let found = links(&text(&document)).into_iter().map(|link| target(&document, &link).0);
        open.extend(found.filter(|path| path.extension() == Some(OsStr::new("md"))));
    }
    for guide in guides() {
        assert!(reached.contains(&whole(&guide)), "{} is reached from nowhere", guide.display());
    }
}

/// The console shows the guides: what is between angle brackets would vanish there, or be taken for a tag.
#[test]
fn guides_have_no_tags() {
    for document in guides().into_iter().chain([PathBuf::from("README.md")]) {
        let (prose, _) = apart(&text(&document));
        for (at, _) in prose.match_indices('<') {
            let begins = prose[at + 1..].starts_with(|next: char| next.is_ascii_alphabetic() || "/!?".contains(next));
            let line = prose[..at].rsplit('\n').next().unwrap_or_default();
            assert!(!begins, "{}: {line}<", document.display());
        }
    }
}

const EXAMPLE: &str = "packaging/weir.toml";

/// A line of the example that is switched off: the key and the line as it is when it is switched on.
fn switched_off(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix('#')?;
    let (key, _) = rest.split_once(" = ")?;
    key.chars().all(|character| character.is_ascii_lowercase() || character == '_').then_some((key, rest))
}

/// The settings of a data folder.
fn loaded(data: &Path) -> Settings {
    let options = Options { data: Some(data.to_owned()), ..Options::default() };
    config::load(&options, &|_| None).unwrap_or_else(|error| panic!("{EXAMPLE}: {error}"))
}

#[test]
fn the_example_of_the_process_settings_is_complete() {
    let example = text(EXAMPLE);
    let (mut table, mut named, mut on) = (String::new(), BTreeSet::new(), String::new());
    for line in example.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            table = format!("{name}.");
        }
        let setting = switched_off(line);
        if let Some((key, _)) = setting {
            assert!(named.insert(format!("{table}{key}")), "{key} is there twice");
        }
        on.extend([setting.map_or(line, |(_, line)| line), "\n"]);
    }
    let keys = VARIABLES.iter().map(|variable| variable.key.to_owned());
    let known: BTreeSet<String> = keys.filter(|key| !key.is_empty()).collect();
    assert_eq!(named, known);

    // as it is installed it changes nothing
    let data = tempfile::tempdir().expect("folder");
    let defaults = loaded(data.path());
    let file = data.path().join("weir.toml");
    fs::write(&file, &example).expect("written");
    assert_eq!(loaded(data.path()), defaults);
    // and what it gives as defaults are the defaults
    fs::write(&file, on).expect("written");
    let all = loaded(data.path());
    assert_eq!((all.limits, &all.log), (defaults.limits, &defaults.log));
    let addresses = |settings: &Settings| {
        let listen = settings.listen.clone();
        (listen.client_http, listen.client_https, listen.admin)
    };
    assert_eq!(addresses(&all), addresses(&defaults));
    assert!(all.tls.is_some() && all.listen.server.is_some() && all.self_update.is_some());
}

/// Part of a document from a heading to the next of its rank.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("there is no {heading}"));
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// The code within the first cells of the tables of a text.
fn first_cells(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    cells.flat_map(|cell| apart(cell).1).collect()
}

/// What of a source is not a test.
fn without_tests(source: &str) -> &str {
    source.split_once("#[cfg(test)]").map_or(source, |(source, _)| source)
}

/// Texts in quotes that stand directly behind a mark, blanks aside.
fn quoted<'a>(source: &'a str, mark: &'a str, between: &'a str) -> impl Iterator<Item = &'a str> {
    source.match_indices(mark).filter_map(move |(at, mark)| {
        let name = |character: char| character.is_ascii_uppercase() || character == '_';
        let rest = source[at + mark.len()..].trim_start_matches(name).trim_start().strip_prefix(between)?;
        rest.trim_start().strip_prefix('"')?.split('"').next()
    })
}

/// Codes of refusals that are no names of fields stand in the guide, and the guide invents none.
#[test]
fn codes_of_refusals_are_explained() {
    let guide = text("docs/troubleshooting.md");
    let explained = first_cells(section(&guide, "Codes of the REST interface"));
    let sources: Vec<(PathBuf, String)> =
        files("crates/weir-server/src", "rs").into_iter().map(|path| (path.clone(), text(path))).collect();
    let mut given = BTreeSet::new();
    for (path, source) in &sources {
        given.extend(quoted(without_tests(source), "Conflict {", "code:"));
        if path.ends_with("admin/error.rs") {
            given.extend(quoted(without_tests(source), "StatusCode::", ","));
        }
    }
    assert!(given.len() > 50, "{given:?}");
    let missing: Vec<_> = given.iter().filter(|code| !explained.contains(**code)).collect();
    assert!(missing.is_empty(), "not in docs/troubleshooting.md: {missing:?}");
    for code in &explained {
        let quoted = format!("{code:?}");
        assert!(sources.iter().any(|(_, source)| source.contains(&quoted)), "no refusal has the code {code}");
    }
}

/// Codes of backups, of a move to PostgreSQL and of the doctor stand in the guide, and the guide invents none.
#[test]
fn codes_of_backups_and_findings_are_explained() {
    let guide = text("docs/troubleshooting.md");
    let known = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(first_cells(section(&guide, "Backups and restores")), known(&weir_server::backup::CODES));
    assert_eq!(first_cells(section(&guide, "Moving to PostgreSQL")), known(&weir_server::transfer::CODES));
    assert_eq!(first_cells(section(&guide, "Findings of the doctor")), known(weir_server::doctor::CODES));
}

#[test]
fn faults_are_explained() {
    let guide = text("docs/troubleshooting.md");
    let explained = first_cells(section(&guide, "Faults"));
    let known: BTreeSet<String> = soap::ErrorCode::ALL.iter().map(|code| code.name().to_owned()).collect();
    assert_eq!(explained, known);
}

#[test]
fn codes_of_agents_have_their_names() {
    let guide = text("docs/troubleshooting.md");
    let mut count = 0;
    for line in section(&guide, "Codes of update agents").lines().filter(|line| line.starts_with("| `0x")) {
        let (_, code) = apart(line);
        let number = u32::from_str_radix(code[0].trim_start_matches("0x"), 16).expect("a number");
        let known = weir_model::error_code::find(number).unwrap_or_else(|| panic!("{line}: the code is not known"));
        assert_eq!(known.name, code[1], "{line}");
        count += 1;
    }
    assert!(count > 20, "only {count} codes were found");
}

/// Whether a text can be the name of a function.
fn is_name(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_')
}

/// What of a text could be names of metrics.
fn metric_names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("weir_") || word.starts_with("process_")).collect()
}

/// The metric that a query means: histograms are asked for by what ends in `_bucket`, `_sum` or `_count`.
fn queried(name: &str) -> Option<&'static Metric> {
    let of = |end| Metric::find(name.strip_suffix(end)?).filter(|metric| metric.kind == Kind::Histogram);
    let whole = Metric::find(name).filter(|metric| metric.kind != Kind::Histogram);
    whole.or_else(|| ["_bucket", "_sum", "_count"].into_iter().find_map(of))
}

#[test]
fn every_metric_is_in_its_guide_and_no_other() {
    let guide = text("docs/metrics.md");
    let mut told = BTreeMap::new();
    for row in section(&guide, "All metrics").lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, kind, labels, says] = cells.as_slice() else { panic!("{row}") };
        assert!(says.ends_with('.'), "{row}");
        told.insert(apart(name).1.concat(), ((*kind).to_owned(), apart(labels).1));
    }
    let listed = CATALOGUE.iter().map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| label.name.to_owned()).collect();
        (metric.name.to_owned(), (metric.kind.word().to_owned(), labels))
    });
    assert_eq!(told, listed.collect());
}

#[test]
fn metrics_that_guides_name_exist() {
    for guide in guides() {
        for span in apart(&text(&guide)).1 {
            let name = span.split('{').next().unwrap_or_default();
            // facts files have a mark that begins so, and a fuzz target a name
            let is_other = ["process_settings", "weir_facts"].contains(&name);
            let is_metric = is_name(name) && (name.starts_with("weir_") || name.starts_with("process_")) && !is_other;
            assert!(!is_metric || Metric::find(name).is_some(), "{}: there is no metric {name}", guide.display());
        }
    }
}

/// Queries of the dashboard, and expressions of the rules for alerts.
fn queries() -> Vec<String> {
    let dashboard: serde_json::Value = serde_json::from_str(&text("packaging/grafana/weir.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let mut found: Vec<String> = targets.map(|target| target["expr"].as_str().expect("a query").to_owned()).collect();
    let asked = dashboard["templating"]["list"].as_array().expect("variables");
    found.extend(asked.iter().filter_map(|variable| variable["query"]["query"].as_str()).map(str::to_owned));
    let rules = text("packaging/prometheus/weir.rules.yml");
    found.extend(rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned));
    found
}

#[test]
fn the_dashboard_and_the_rules_for_alerts_ask_for_metrics_that_exist() {
    let queries = queries();
    assert!(queries.len() > 80, "only {} queries were found", queries.len());
    let mut labels: BTreeSet<&str> =
        CATALOGUE.iter().flat_map(|metric| metric.labels).map(|label| label.name).collect();
    // those of Prometheus itself
    labels.extend(["instance", "job", "le"]);
    for query in &queries {
        for name in metric_names(query) {
            assert!(queried(name).is_some(), "{query}: there is no metric {name}");
        }
        let of = |mark: &'static str| query.split(mark).skip(1).filter_map(|rest| rest.split(')').next());
        for label in of(" by (").chain(of(" on (")).flat_map(|listed| listed.split(',')) {
            assert!(labels.contains(label.trim()), "{query}: no metric has the label {label}");
        }
    }
}

/// Who counts something new has to say what it is; what is listed is counted somewhere.
#[test]
fn the_sources_count_what_is_listed_and_nothing_else() {
    let list = Path::new("crates/weir-server/src/telemetry/catalogue.rs");
    let folders = files("crates", "rs").into_iter();
    let paths = folders.filter(|path| path.components().any(|part| part.as_os_str() == "src") && path != list);
    let sources: Vec<(PathBuf, String)> = paths.map(|path| (path.clone(), text(path))).collect();
    let mut counted = 0;
    for (path, source) in &sources {
        for (mark, kind) in [
            ("metrics::counter!(", Kind::Counter),
            ("metrics::gauge!(", Kind::Gauge),
            ("metrics::histogram!(", Kind::Histogram),
        ] {
            for name in quoted(without_tests(source), mark, "") {
                counted += 1;
                let known = Metric::find(name).is_some_and(|metric| metric.kind == kind);
                assert!(known, "{}: {name} is not in {}", path.display(), list.display());
            }
        }
    }
    assert!(counted > 10, "only {counted} places were found");
    for Metric { name, .. } in CATALOGUE {
        let quoted = format!("{name:?}");
        let is_counted = sources.iter().any(|(_, source)| without_tests(source).contains(&quoted));
        assert!(is_counted, "{name} is counted nowhere");
    }
}
