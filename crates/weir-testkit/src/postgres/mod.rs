//! A PostgreSQL server that is not ours (Debian's), as a cluster in a scratch folder, on loopback and on a Unix socket in that folder.
//!
//! A shell stands between the test and the cluster and holds the end of a pipe: when the test's process is gone, however it ended,
//! the shell ends the cluster and removes its folder. So the one that all tests of a process share needs nobody to end it.

mod database;
mod link;
mod older;
mod program;
mod schema;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub(crate) use self::link::{Link, hexadecimal};
use self::program::User;
pub use self::{database::Database, older::OlderServer};

/// A user who has to give the password that a test made for it; everybody else is believed.
pub const GUARDED: &str = "guarded";

/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often to look.
const GLANCE: Duration = Duration::from_millis(20);
/// Another process may take the port between two steps of a start.
const STARTS: usize = 5;

/// Who is believed.
const ACCESS: &str = "local all all trust\n\
                      host all guarded 127.0.0.1/32 scram-sha-256\n\
                      host all all 127.0.0.1/32 trust\n";

/// Small, and quick rather than safe: nobody cuts the power of the machine that the tests run on. What a killed server had written
/// is there all the same.
const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "max_connections=300",
    "shared_buffers=64MB",
    "max_wal_size=512MB",
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "timezone=UTC",
];

/// Says who the server is, and waits for a word or the end of whoever would say it. Then it ends the server: in order if its data
/// are kept, and otherwise with its folder.
const GUARD: &str = r#"
folder=$1
shift
trap '' HUP INT TERM
"$@" </dev/null >>"$folder/log" 2>&1 &
server=$!
echo "$server"
read -r word
if [ "$word" = keep ]; then
    kill -INT "$server" 2>/dev/null
    wait "$server"
else
    kill -QUIT "$server" 2>/dev/null
    wait "$server"
    rm -rf "$folder"
fi
"#;

/// A cluster of a test's own. It ends, and its folder goes, when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    user: Option<User>,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    running: Option<Running>,
}

/// A server, and the shell that guards it.
#[derive(Debug)]
struct Running {
    guard: Child,
    id: u32,
}

impl Cluster {
    /// Makes one with an empty database `postgres` and starts it.
    ///
    /// # Panics
    ///
    /// If it does not start, or PostgreSQL is absent; `cargo xtask test` installs it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings of its own, such as `fsync=on`.
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn start_with(settings: &[&str]) -> Self {
        let (programs, user) = (program::server(), User::find());
        let folder = program::scratch(user);
        make(&programs, user, &folder);
        let settings = SETTINGS.into_iter().chain(settings.iter().copied()).map(str::to_owned).collect();
        let mut cluster = Self { programs, user, folder, port: 0, settings, running: None };
        for _ in 1..STARTS {
            cluster.port = free_port();
            if cluster.launch().is_ok() {
                return cluster;
            }
        }
        cluster.port = free_port();
        cluster.launch().unwrap_or_else(|log| panic!("PostgreSQL does not start: {log}"));
        cluster
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its folder, with the Unix socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of a database, there or not: `postgres://postgres@127.0.0.1:PORT/NAME`.
    pub fn url(&self, name: &str) -> String {
        self.url_as("postgres", name)
    }

    /// The same as another user, `USER` or `USER:PASSWORD`.
    pub fn url_as(&self, user: &str, name: &str) -> String {
        format!("postgres://{user}@{}/{name}", self.address())
    }

    /// Makes an empty database and gives its address. `options` are those of `CREATE DATABASE`, such as
    /// `ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`.
    ///
    /// # Panics
    ///
    /// If the server does not.
    pub fn create(&self, name: &str, options: &str) -> String {
        self.execute(&format!("CREATE DATABASE \"{name}\" {options}"));
        self.url(name)
    }

    /// Runs statements in the database `postgres`.
    ///
    /// # Panics
    ///
    /// If one fails.
    pub fn execute(&self, sql: &str) {
        let run = Link::open(&self.url("postgres")).and_then(|link| link.batch(sql));
        run.unwrap_or_else(|error| panic!("{sql}: {error:#}"));
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends it in order: connections are closed, and everything is written to its files.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn stop(&mut self) {
        self.running.take().expect("it is running").end(true);
    }

    /// Kills every process of it, as a power cut does.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn stop_immediate(&mut self) {
        let running = self.running.take().expect("it is running");
        // it starts no other process from here on
        kill("STOP", &[running.id]);
        let mut family = children(running.id);
        family.push(running.id);
        kill("KILL", &family);
        running.end(true);
    }

    /// Holds every process of it up, as a server or a network does that hangs, until [`Cluster::go_on`].
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn hang(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.running.as_ref().expect("it is running").id;
        kill(signal, &[id]);
        kill(signal, &children(id));
    }

    /// Starts it again at the same address, after [`Cluster::stop`] or [`Cluster::stop_immediate`].
    ///
    /// # Panics
    ///
    /// If it runs, or does not start.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "it is running");
        self.launch().unwrap_or_else(|log| panic!("PostgreSQL does not start again: {log}"));
    }

    /// Starts the server and waits until it answers; what it logged if it does not.
    fn launch(&mut self) -> Result<(), String> {
        let mut guard = program::command("/bin/sh", self.user);
        guard.args(["-c", GUARD, "guard"]).arg(&self.folder).arg(self.programs.join("postgres"));
        guard.arg("-D").arg(self.folder.join("data")).args(["-p", &self.port.to_string()]).arg("-k").arg(&self.folder);
        for setting in &self.settings {
            guard.args(["-c", setting]);
        }
        // Ctrl+C is for the tests, whose end it notices
        guard.process_group(0).current_dir(&self.folder);
        guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = guard.spawn().expect("a shell");
        let mut said = String::new();
        BufReader::new(guard.stdout.take().expect("it is piped")).read_line(&mut said).expect("it can be read");
        let id = said.trim().parse::<u32>().unwrap_or_else(|_| panic!("the shell said {said:?}"));
        let running = Running { guard, id };
        let deadline = Instant::now() + PATIENCE;
        while Link::open(&self.url("postgres")).is_err() {
            if has_ended(id) || Instant::now() > deadline {
                running.end(true);
                return Err(self.log());
            }
            thread::sleep(GLANCE);
        }
        self.running = Some(running);
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end(false);
        }
        // that of one which was stopped, and what its own user may not remove
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    /// Ends the server, if it runs, and waits for that.
    fn end(mut self, keep: bool) {
        if let Some(mut word) = self.guard.stdin.take() {
            let said = if keep { "keep\n" } else { "end\n" };
            // one that is gone needs no word
            let _ = word.write_all(said.as_bytes());
        }
        let _ = self.guard.wait();
    }
}

/// Makes the files of a cluster.
fn make(programs: &Path, user: Option<User>, folder: &Path) {
    let initdb = |locale: &str| {
        let mut initdb = program::command(programs.join("initdb"), user);
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--lc-messages=C"]);
        initdb.arg(format!("--locale={locale}")).arg("--pgdata").arg(folder.join("data"));
        initdb.current_dir(folder).stdin(Stdio::null()).output().expect("initdb starts")
    };
    // another order of texts than that of bytes where there is one: statements must not rely on the database's own
    let mut made = initdb("C.UTF-8");
    if !made.status.success() {
        made = initdb("C");
    }
    assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    fs::write(folder.join("data/pg_hba.conf"), ACCESS).expect("it can be written");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Sends a signal to processes. Those that are gone already do not matter.
fn kill(signal: &str, processes: &[u32]) {
    if processes.is_empty() {
        return;
    }
    let mut kill = Command::new("kill");
    kill.arg(format!("-{signal}")).args(processes.iter().map(u32::to_string)).stderr(Stdio::null());
    kill.status().expect("kill starts");
}

/// State and parent of a process; none if it is gone.
fn state(process: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // its name, in parentheses, may have any character
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Whether a process has ended, waited for or not.
fn has_ended(process: u32) -> bool {
    state(process).is_none_or(|(state, _)| state == "Z" || state == "X")
}

fn children(of: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.filter(|process| state(*process).is_some_and(|(_, parent)| parent == of)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_cluster_has_what_it_acknowledged() {
        let mut cluster = Cluster::start();
        let url = cluster.create("kept", "");
        let link = Link::open(&url).expect("a connection");
        link.batch("CREATE TABLE t (n BIGINT); INSERT INTO t SELECT generate_series(1, 1000)").expect("stored");
        cluster.stop_immediate();
        assert!(link.query("SELECT 1").is_err(), "nobody answers");
        assert!(Link::open(&url).is_err());
        cluster.start_again();
        let (columns, rows) =
            Link::open(&url).and_then(|link| link.query("SELECT count(*) AS n FROM t")).expect("rows");
        assert_eq!((columns, rows), (vec!["n".to_owned()], vec![vec!["1000".to_owned()]]));
        cluster.stop();
        cluster.start_again();
        Link::open(&url).expect("a connection");
        let folder = cluster.folder().to_owned();
        drop(cluster);
        assert!(!folder.exists(), "{}", folder.display());
    }

    #[test]
    fn a_guarded_user_needs_a_password() {
        let cluster = Cluster::start();
        cluster.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'");
        Link::open(&cluster.url_as("guarded:right", "postgres")).expect("a connection");
        assert!(Link::open(&cluster.url_as("guarded:wrong", "postgres")).is_err());
    }

    /// What the next test starts and kills.
    #[test]
    #[ignore = "another test starts it as a process of its own"]
    #[expect(clippy::print_stdout, reason = "its parent reads it")]
    fn child() {
        let cluster = Cluster::start();
        println!("\ncluster {} {}", cluster.running.as_ref().expect("it runs").id, cluster.folder().display());
        loop {
            thread::park();
        }
    }

    #[test]
    fn a_cluster_ends_with_the_process_that_started_it() {
        let mut process = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "postgres::tests::child", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let told = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("cluster ").map(str::to_owned));
        let told = told.expect("a cluster");
        let (id, folder) = told.split_once(' ').expect("two words");
        let id = id.parse::<u32>().expect("a number");
        assert!(!has_ended(id));
        process.kill().expect("killed");
        process.wait().expect("it ends");
        let deadline = Instant::now() + PATIENCE;
        while !has_ended(id) || Path::new(folder).exists() {
            assert!(Instant::now() < deadline, "{folder} is left");
            thread::sleep(GLANCE);
        }
    }
}
