//! The console in a real browser: headless Chromium, driven by the modules in `tests/console`, against servers of this program.
//!
//! What the modules keep goes to `target/console-screens`: lists of screens, and with the test that is left out by default
//! their pictures and `measured.json`. Nothing here judges a time.

mod browser;
mod furnish;

use std::{fs, path::PathBuf, process::Command};

use serde_json::json as value;
use weir_model::update::CategoryKind;
use weir_testkit::{Computer, Document, Payload, WeirProcess};

use self::{
    browser::{Module, Site, installed},
    furnish::furnish,
};
use super::{agent, alone, id, json, lab::Lab, run, server, write_documents};

/// Computers of the lab: enough for every state.
const COMPUTERS: &str = "30";
/// Updates of the lab, the fewest that it makes.
const UPDATES: &str = "400";
/// What the story is about.
const UPDATE: &str = "Harbour security update 10";
/// What nobody deploys in it, and the computer does not need.
const OTHER: &str = "Lighthouse update 11";

/// Where pictures and figures go.
fn pictures(name: &str) -> PathBuf {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    let folder = target.join("console-screens").join(name);
    // those of an earlier run would be taken for those of this one
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder.canonicalize().expect("it exists")
}

/// A server that others synchronize from, with a catalogue of its own and all its files.
fn upstream() -> WeirProcess {
    let server =
        WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), None, &["--downstream"]).expect("an upstream server");
    let payload = Payload::random("harbour.cab", 40_000, 1);
    let of = |document: Document| document.in_category(id(2)).in_category(id(3));
    let documents = [
        Document::category(id(1), 1, CategoryKind::ProductFamily).title("Harbour family"),
        Document::category(id(2), 1, CategoryKind::Product).title("Harbour product").in_category(id(1)),
        Document::category(id(3), 1, CategoryKind::UpdateClassification).title("Harbour security"),
        of(Document::software(id(10), 1).title(UPDATE).file(&payload)),
        of(Document::software(id(11), 1).title(OTHER)),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    write_documents(&folder.path().join("documents"), &documents);
    payload.write_to(&folder.path().join("content")).expect("a file");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    json(&server, &["settings", "set", "downstream.policy", "open"]);
    let imported = json(&server, &["import", &path("documents")]);
    assert_eq!(imported["added"], documents.len(), "{imported}");
    let added = json(&server, &["content", "add", &path("content")]);
    assert_eq!(added["added"], 1, "{added}");
    server
}

#[test]
fn an_administrator_gets_from_the_first_link_to_a_compliant_computer() {
    let _turn = alone();
    let upstream = upstream();
    let server = server();
    let site = Site::new(server.data());
    let mut played = Computer::numbered(1);
    played.not_applicable.insert(id(11));
    let mut computer = agent(&server, played);
    let name = computer.computer.dns_name.clone();
    let source = upstream.client_url();
    let folder = pictures("story");
    let story = Module::new("story", &site, &folder)
        .link(&site.first_link(|| server.log()))
        .variable("WEIR_SOURCE", &source)
        .variable("WEIR_COMPUTER", &name)
        .variable("WEIR_UPDATE", UPDATE)
        .variable("WEIR_PRODUCT", "Harbour product")
        .variable("WEIR_CLASSIFICATION", "Harbour security")
        .run(|asked| {
            run(async {
                computer.scan().await?;
                if asked == "install" {
                    let installed = computer.install_offered().await?;
                    anyhow::ensure!(!installed.is_empty(), "nothing is offered to the computer");
                    computer.scan().await?;
                }
                computer.report_scan().await
            })
        });
    story.unwrap_or_else(|findings| panic!("{findings}\n{}", server.log()));
    let summary = json(&server, &["compliance", "summary"]);
    assert_eq!((&summary["computers"], &summary["compliant"]), (&value!(1), &value!(1)), "{summary}");

    let noscript = Module::new("noscript", &site, &folder)
        .variable("WEIR_COMPUTER", &name)
        .variable("WEIR_OTHER", OTHER)
        .run(browser::nothing);
    noscript.unwrap_or_else(|findings| panic!("{findings}\n{}", server.log()));
}

/// A lab that rests, with something for every screen.
struct Furnished {
    site: Site,
    /// Texts that would do harm, for the module `escape`.
    hostile: String,
    folder: PathBuf,
    /// Dropped last: the servers end with it.
    _lab: Lab,
}

impl Furnished {
    fn new(folder: &str) -> Self {
        let mut lab = Lab::start(&["--json", "--computers", COMPUTERS, "--updates", UPDATES]);
        lab.wait("installations", |lab| lab.written("story").contains("installations").then_some(()));
        // the fleet rests while pages are looked at: its servers stay as they are
        lab.pause();
        let hostile = furnish(&lab).to_string();
        Self { site: Site::new(&lab.data("CEN")), hostile, folder: pictures(folder), _lab: lab }
    }

    /// Runs a module, with more that it is told; what it found is the error.
    fn module(&self, name: &str, variables: &[(&str, &str)]) -> Result<(), String> {
        let module = Module::new(name, &self.site, &self.folder).variable("WEIR_HOSTILE", &self.hostile);
        let module = variables.iter().fold(module, |module, (name, value)| module.variable(name, value));
        module.link(&self.site.link()).run(browser::nothing)
    }
}

/// All findings are told, not only the first.
fn none_found(outcomes: impl IntoIterator<Item = Result<(), String>>) {
    let findings: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn every_screen_of_a_lab_opens_is_accessible_and_keeps_strange_texts_as_texts() {
    let _turn = alone();
    let lab = Furnished::new("walk");
    let outcomes = std::thread::scope(|scope| {
        let others = scope.spawn(|| ["keyboard", "escape"].map(|name| lab.module(name, &[])));
        let walked = lab.module("walk", &[]);
        others.join().expect("its findings are told, not thrown").into_iter().chain([walked]).collect::<Vec<_>>()
    });
    // these begin with the screens that the walk found
    none_found(outcomes.into_iter().chain(["dutch", "questions"].map(|name| lab.module(name, &[]))));
}

#[test]
#[ignore = "takes nine minutes, for people who look at pictures and figures: every screen light, dark and as a phone opens it"]
fn every_screen_of_a_lab_has_a_picture_and_figures() {
    let _turn = alone();
    let lab = Furnished::new("screens");
    let walked = lab.module("walk", &[("WEIR_PICTURES", "1")]);
    // figures are taken when nothing else is under way
    none_found([walked, lab.module("measure", &[("WEIR_LOADS", "1")])]);
}

#[test]
fn the_script_of_the_pages_is_typed() {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/console/jsconfig.json");
    let output = Command::new("node")
        .arg("node_modules/typescript/bin/tsc")
        .arg("--project")
        .arg(fs::canonicalize(project).expect("tests/console/jsconfig.json"))
        .current_dir(installed())
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The first row of a list of which something holds.
fn value_at(list: &serde_json::Value, is_it: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let rows = list["items"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    rows.iter().find(|row| is_it(row)).unwrap_or_else(|| panic!("no such row: {list}")).clone()
}
