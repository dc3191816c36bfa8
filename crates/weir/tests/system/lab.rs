//! `weir lab`: the whole product in one command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use weir_testkit::process::{load, tail};

use super::alone;

/// How long a lab may take on a busy machine, from its start to its end: more than it gives itself.
const PATIENCE: Duration = Duration::from_mins(20);
/// How often to look.
const GLANCE: Duration = Duration::from_millis(100);

/// A running lab; killed when dropped, upon which its servers end, too.
pub(super) struct Lab {
    child: Child,
    folder: PathBuf,
    _outer: tempfile::TempDir,
}

impl Lab {
    pub(super) fn start(arguments: &[&str]) -> Self {
        let outer = tempfile::Builder::new().prefix("weir-test-lab-").tempdir().expect("a folder");
        let folder = outer.path().join("lab");
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.arg("lab").arg("--dir").arg(&folder).args(arguments);
        let output = fs::File::create(outer.path().join("output")).expect("a file");
        let story = fs::File::create(outer.path().join("story")).expect("a file");
        command.stdin(Stdio::null()).stdout(output).stderr(story);
        Self { child: command.spawn().expect("it starts"), folder, _outer: outer }
    }

    pub(super) fn written(&self, name: &str) -> String {
        fs::read_to_string(self.folder.with_file_name(name)).unwrap_or_default()
    }

    /// The data folder of a server.
    pub(super) fn data(&self, site: &str) -> PathBuf {
        self.folder.join(site)
    }

    /// Waits for something that comes while it runs, or with its end.
    pub(super) fn wait<T>(&mut self, what: &str, mut is_it: impl FnMut(&mut Self) -> Option<T>) -> T {
        self.wait_beyond(what, |lab| {
            let ended = lab.child.try_wait().expect("it is ours");
            let value = is_it(lab);
            assert!(value.is_some() || ended.is_none(), "{what} did not come, and the lab ended: {ended:?}");
            value
        })
    }

    /// The same, of what may come later.
    fn wait_beyond<T>(&mut self, what: &str, mut is_it: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = is_it(self) {
                return value;
            }
            assert!(Instant::now() < deadline, "{what} did not come ({})", load());
            std::thread::sleep(GLANCE);
        }
    }

    /// Asks a server of it; none if that does not answer (yet).
    fn ask(&self, site: &str, arguments: &[&str]) -> Option<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(arguments).arg("--json").arg("--data").arg(self.data(site)).stdin(Stdio::null());
        let output = command.output().expect("it runs");
        output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    /// Stops the fleet and what the lab does by itself. Its servers serve on; it ends as ever when dropped.
    pub(super) fn pause(&self) {
        self.send("-STOP");
    }

    /// Lets it go on.
    fn go_on(&self) {
        self.send("-CONT");
    }

    fn send(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("it runs");
        assert!(status.success());
    }

    /// Tells its story and what its servers said last.
    #[expect(clippy::print_stderr, reason = "who reads of a test that failed wants to know how it came to that")]
    fn tell(&self) {
        eprintln!("--- the story ({}):\n{}{}", load(), self.written("story"), self.written("output"));
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                eprintln!("--- {}:\n{}", path.display(), tail(&fs::read_to_string(&path).unwrap_or_default()));
            }
        }
    }

    /// Processes that work in its folder, itself aside.
    fn servers(&self) -> Vec<u32> {
        processes_with(&self.folder).into_iter().filter(|id| *id != self.child.id()).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processes that have a folder among their arguments; those that ended and were not waited for have none.
fn processes_with(folder: &Path) -> Vec<u32> {
    let wanted = folder.to_str().expect("UTF-8").as_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("processes").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if arguments.windows(wanted.len()).any(|window| window == wanted) {
            found.push(id);
        }
    }
    found
}

#[test]
fn the_story_holds_within_its_time_and_leaves_nothing_behind() {
    let _turn = alone();
    let mut lab = Lab::start(&["--for", "120s", "--json"]);

    // what it says is what anybody may ask its servers
    let sites = lab.wait("the tree", |lab| {
        let sites = lab.ask("CEN", &["sites", "list"])?;
        let rows = sites["items"].as_array().expect("rows");
        let done =
            rows.len() == 3 && rows.iter().all(|row| row["behind"] == false && row["configuration"] != "invited");
        done.then_some(sites)
    });
    let kinds: Vec<&Value> = sites["items"].as_array().expect("rows").iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["central", "primary", "secondary"]);
    // it stands still while it is asked: on a slow machine it might be over before it has answered
    lab.wait("a first figure", |lab| lab.written("story").contains("compliance: ").then_some(()));
    lab.pause();
    let needs = lab.wait("needs of all computers", |lab| {
        let summary = lab.ask("CEN", &["compliance", "summary"])?;
        (summary["computers"] == 200 && summary["counts"]["unknown"] == 0).then_some(summary)
    });
    lab.go_on();
    assert!(needs["counts"]["required"].as_u64() > Some(0), "{needs}");

    let status = lab.wait("its end", |lab| lab.child.try_wait().expect("it is ours"));
    let (output, story) = (lab.written("output"), lab.written("story"));
    let outcome: Value = serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}\n{story}"));
    assert!(status.success(), "{outcome:#}\n{story}");
    assert_eq!((&outcome["held"], &outcome["sites"]), (&Value::Bool(true), &Value::from(3)), "{outcome:#}\n{story}");
    assert_eq!((&outcome["computers"], &outcome["scanned"]), (&Value::from(200), &Value::from(200)), "{outcome:#}");
    let number = |name: &str| outcome[name].as_f64().unwrap_or_else(|| panic!("no {name}: {outcome:#}"));
    assert!(number("required") > 0.0 && number("installed") > 0.0, "{outcome:#}");
    assert!(number("percent_after") > number("percent_before"), "{outcome:#}");
    assert!(number("failed") < number("installed"), "{outcome:#}");
    assert_eq!((number("groups"), number("windows")), (1.0, 1.0), "{outcome:#}");
    // that of the group, and that of the feature update if somebody needs it
    assert!([1.0, 2.0].contains(&number("deployments")), "{outcome:#}");
    assert_eq!(outcome["failure"], Value::Null);
    assert!(story.contains("compliance: ") && story.contains("SEC1"), "{story}");
    assert_eq!(lab.servers(), Vec::<u32>::new(), "a server stayed");
}

#[test]
fn servers_end_with_a_lab_that_is_killed() {
    let _turn = alone();
    let mut lab = Lab::start(&["--computers", "3"]);
    let servers = lab.wait("its servers", |lab| {
        let servers = lab.servers();
        let all = ["upstream", "CEN", "PRI1", "SEC1"].iter().all(|site| lab.data(site).join("endpoints.json").exists());
        (servers.len() == 4 && all).then_some(servers)
    });
    lab.child.kill().expect("it runs");
    lab.child.wait().expect("it ends");
    lab.wait_beyond("the end of its servers", |lab| lab.servers().is_empty().then_some(()));
    assert_eq!(servers.len(), 4);
}

#[test]
fn an_interrupted_lab_stops_in_order() {
    let mut lab = Lab::start(&["--computers", "3", "--sites", "1"]);
    lab.wait("its servers", |lab| {
        (lab.servers().len() == 2 && lab.data("HQ").join("endpoints.json").exists()).then_some(())
    });
    let asked = Command::new("kill").args(["-INT", &lab.child.id().to_string()]).status().expect("it runs");
    assert!(asked.success());
    let status = lab.wait("its end", |lab| lab.child.try_wait().expect("it is ours"));
    assert!(status.success(), "{}{}", lab.written("output"), lab.written("story"));
    assert!(!lab.data("HQ").join("endpoints.json").exists(), "a server that ends well takes it away");
    assert_eq!(lab.servers(), Vec::<u32>::new());
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("precious"), "data").expect("a file");
    let directory = folder.path().to_str().expect("UTF-8");
    for (arguments, code, wanted) in [
        (vec!["--dir", directory], 1, "is not empty"),
        (vec!["--for", "soon"], 2, "no time such as 60s"),
        (vec!["--sites", "0"], 2, "from 1 to 9"),
        (vec!["--computers", "0"], 2, "1..="),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_weir")).arg("lab").args(&arguments).output().expect("it runs");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        assert!(message.contains(wanted), "{arguments:?}: {message}");
    }
    assert!(folder.path().join("precious").exists());
}
