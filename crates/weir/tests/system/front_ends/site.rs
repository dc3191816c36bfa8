//! A site of several front ends, and how one of them is looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use reqwest::{Certificate, Client};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use weir_testkit::{
    Computer, S3, ScanOutcome, ScriptedAgent, WeirProcess,
    agent::{AgentState, Cached},
    http::Connection,
    postgres::Database,
    process::load,
};

/// How late a front end may be with what another one did.
const LATEST: Duration = Duration::from_secs(2);
/// A front end that died had its duties for so long at most: a lease, and until another one looks, which takes 18 seconds where there is
/// time for it.
pub(super) const TAKEOVER: Duration = Duration::from_secs(60);
/// How long anything else may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);
/// What one front end does at a time.
const DUTIES: usize = 14;

/// Front ends on one database and one object store, with certificates of one authority.
pub(super) struct Site {
    pub(super) fronts: Vec<WeirProcess>,
    pub(super) runtime: Runtime,
    pub(super) database: Database,
    pub(super) s3: S3,
    _folder: TempDir,
}

/// This program.
pub(super) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_weir"))
}

/// Starts a front end.
pub(super) fn start(program: &Path, data: &Path, url: &str) -> WeirProcess {
    let started = WeirProcess::start_with(program, Some(data), &["--database", url]);
    started.unwrap_or_else(|error| panic!("{error:#}"))
}

/// Starts a front end on each folder, all at once.
pub(super) fn start_all(program: &Path, folders: &[PathBuf], url: &str) -> Vec<WeirProcess> {
    thread::scope(|scope| {
        let starting: Vec<_> = folders.iter().map(|data| scope.spawn(move || start(program, data, url))).collect();
        starting.into_iter().map(|front| front.join().expect("it started")).collect()
    })
}

/// Copies the files of a folder into another one.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
}

impl Site {
    /// A new site of so many front ends.
    pub(super) fn new(count: usize) -> Self {
        Self::of(program(), count)
    }

    /// The same of another program.
    pub(super) fn of(program: &Path, count: usize) -> Self {
        let (database, s3, folder) = (Database::fresh(), S3::start(), tempfile::tempdir().expect("a folder"));
        let folders: Vec<PathBuf> = (0..count).map(|number| folder.path().join(format!("front{number}"))).collect();
        let (first, others) = folders.split_first().expect("one front end at least");
        for data in &folders {
            s3.configure(data, "");
        }
        let mut fronts = vec![start(program, first, database.url())];
        for data in others {
            copy(&first.join("tls"), &data.join("tls"));
        }
        fronts.extend(start_all(program, others, database.url()));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let site = Self { fronts, runtime, database, s3, _folder: folder };
        eventually("all of them know each other", PATIENCE, || {
            site.fronts.iter().all(|front| names(&site.health(front)).len() == count)
        });
        site
    }

    /// What a front end says of how it is.
    pub(super) fn health(&self, front: &WeirProcess) -> Value {
        let (status, text) = self.get(front, "health-report", &front.token().expect("a token"));
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Status and text of what REST of a front end answers to this token.
    pub(super) fn get(&self, front: &WeirProcess, path: &str, token: &str) -> (u16, String) {
        // another test of this process may have been first
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let authority = fs::read(front.data().join("tls/ca.pem")).expect("ca.pem");
        let authority = Certificate::from_pem(&authority).expect("a certificate");
        let http = Client::builder().tls_certs_only([authority]).no_proxy().build().expect("a client");
        self.runtime.block_on(async {
            let request = http.get(format!("{}/api/v1/{path}", front.admin_url())).bearer_auth(token);
            let answer = request.send().await.unwrap_or_else(|error| panic!("{error:?}\n{}", front.log()));
            (answer.status().as_u16(), answer.text().await.expect("a body"))
        })
    }

    /// Status and body of what a front end answers to a computer that asks for a file.
    pub(super) fn file(&self, front: &WeirProcess, path: &str) -> (u16, Vec<u8>) {
        self.runtime.block_on(async {
            let mut connection = Connection::to(&front.client_url()).expect("an address");
            let answer = connection.send("GET", &format!("/Content/{path}"), &[], b"").await.expect("an answer");
            (answer.status, answer.body)
        })
    }

    /// One scan.
    pub(super) fn scan(&self, agent: &mut ScriptedAgent) -> ScanOutcome {
        self.runtime.block_on(agent.scan()).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// What a computer in this state is told by a front end, and what it knows afterwards.
    fn told(
        &self,
        front: &WeirProcess,
        computer: &Computer,
        state: &AgentState,
    ) -> (ScanOutcome, BTreeMap<i32, Cached>) {
        let mut agent = ScriptedAgent::new(&front.client_url(), computer.clone()).expect("an agent");
        agent.state = state.clone();
        let outcome = self.scan(&mut agent);
        // sealed cookies are as long as what is packed into them
        (ScanOutcome { bytes: 0, largest: 0, ..outcome }, agent.state.cache)
    }

    /// Every front end tells a computer in this state the same, without a fault; gives what that is.
    pub(super) fn same_everywhere(&self, computer: &Computer, state: &AgentState) -> ScanOutcome {
        let mut told = self.fronts.iter().map(|front| self.told(front, computer, state));
        let first = told.next().expect("a front end");
        for (number, other) in told.enumerate() {
            assert_eq!(other, first, "front end {} and the first", number + 1);
        }
        assert!(first.0.recovered.is_empty(), "{:?}", first.0.recovered);
        first.0
    }

    /// The number of the front end that has a duty.
    pub(super) fn holder(&self, duty: &str) -> usize {
        let health = self.health(&self.fronts[0]);
        let holder = duties(&health).remove(duty).unwrap_or_else(|| panic!("nobody has {duty}: {health}"));
        let port = |text: &str| text.rsplit(':').next().map(str::to_owned);
        let mut ports = self.fronts.iter().map(|front| port(&front.client_https_url()));
        ports.position(|of| of == port(&holder)).unwrap_or_else(|| panic!("{holder} is none of them"))
    }

    /// Nothing went wrong in any of them that they know of.
    pub(super) fn check_logs(&self) {
        for front in &self.fronts {
            let log = front.log();
            let wrong: Vec<&str> =
                log.lines().filter(|line| line.contains(" ERROR ") || line.contains("panicked at")).collect();
            assert!(wrong.is_empty(), "{}: {wrong:#?}", front.data().display());
        }
    }
}

/// The names of the front ends that are there.
pub(super) fn names(health: &Value) -> BTreeSet<String> {
    let rows = health["front_ends"].as_array().expect("front ends").iter();
    let heard = rows.filter(|row| row["silent_seconds"].as_u64().is_some_and(|seconds| seconds < 15));
    heard.map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

/// Who has which duty; nobody has one that another one has.
pub(super) fn duties(health: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for row in health["front_ends"].as_array().expect("front ends") {
        for duty in row["duties"].as_array().expect("duties") {
            let (duty, name) = (duty.as_str().expect("a name").to_owned(), row["name"].as_str().expect("a name"));
            assert!(all.insert(duty, name.to_owned()).is_none(), "two have one: {health}");
        }
    }
    all
}

/// Whether every duty is had by a front end that is there.
pub(super) fn all_had(health: &Value, there: &BTreeSet<String>) -> bool {
    let duties = duties(health);
    duties.len() == DUTIES && duties.values().all(|name| there.contains(name))
}

/// How often something was to be seen on another front end in time, and what came late. A machine that others work on may lose a second
/// now and then, so that what is late by itself is known by being late again and again.
#[derive(Debug, Default)]
pub(super) struct Timely {
    asked: usize,
    late: Vec<String>,
}

impl Timely {
    /// Waits until what one front end did just now is so on another one. It is late if it was not yet so in a look that began when it
    /// should have been.
    pub(super) fn wait(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let done = Instant::now();
        let mut is_late = false;
        loop {
            let is_due = done.elapsed() > LATEST;
            if is_so() {
                break;
            }
            is_late |= is_due;
            assert!(done.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?} ({})", load());
            thread::sleep(Duration::from_millis(50));
        }
        self.asked += 1;
        if is_late {
            self.late.push(format!("{what} after {:?}", done.elapsed()));
        }
    }

    /// Most of it came in time.
    pub(super) fn check(&self) {
        assert!(self.asked > 0 && self.late.len() * 2 <= self.asked, "{self:?} ({})", load());
    }
}

/// Waits until something is so, for so long at most.
pub(super) fn eventually(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {limit:?} ({})", load());
        thread::sleep(Duration::from_millis(100));
    }
}
