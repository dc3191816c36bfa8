//! A cluster of PostgreSQL for one run: on a free port of loopback, with a password that nobody else knows, durable as one of an
//! administrator's own.
//!
//! A shell stands between the run and the cluster and holds the end of a pipe: when the run's process is gone, however it ended, the
//! shell ends the cluster and removes its files.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    machine,
    measure::{family_cpu_seconds, has_ended, process},
};

/// Where Debian has the programs, a folder for each release.
pub(super) const DEBIAN: &str = "/usr/lib/postgresql";
/// The oldest release that Weir uses.
const OLDEST: u32 = 15;
/// Who runs the programs in place of root, as whom they refuse to run: Debian's package makes this user.
const USER: &str = "postgres";
/// The database that a new cluster has, and its first user.
const FIRST: &str = "postgres";
/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often to look.
const GLANCE: Duration = Duration::from_millis(20);
/// Another process may take the port between two steps of a start.
const STARTS: usize = 5;

/// What is not as a new cluster has it. Nothing here makes it quicker at the price of what was acknowledged: `fsync`,
/// `synchronous_commit` and `full_page_writes` are on. The last two and [`shared_buffers`] are what `docs/postgresql.md` recommends
/// to everybody.
const SETTINGS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "timezone=UTC",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
];

/// Says who the server is, and waits for a word or the end of whoever would say it. Then it ends the server, if that runs, and removes
/// the files, unless the word is `keep`.
const GUARD: &str = r#"
folder=$1
shift
trap '' HUP INT TERM
"$@" </dev/null >>"$folder/log" 2>&1 &
server=$!
echo "$server"
read -r word
kill -QUIT "$server" 2>/dev/null
wait "$server"
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// The cluster. It ends, and its files go, when this is dropped.
pub(super) struct Cluster {
    // Fields drop in this order: the server, then its files.
    server: Server,
    #[cfg_attr(not(test), expect(dead_code, reason = "files go when it is dropped"))]
    folder: TempDir,
    port: u16,
    password: String,
}

impl Cluster {
    /// Makes one below `scratch` and starts it.
    pub(super) fn start(scratch: &Path) -> anyhow::Result<Self> {
        let programs = programs(Path::new(DEBIAN))?;
        let user = User::in_place_of_root()?;
        if let Some(user) = user {
            user.may_enter(scratch)?;
        }
        let folder = tempfile::Builder::new().prefix("weir-bench-postgres-").tempdir_in(scratch)?;
        let password = Uuid::new_v4().simple().to_string();
        let new = New { programs: &programs, user, folder: folder.path() };
        new.make(&password)?;
        for _ in 1..STARTS {
            let port = free_port()?;
            if let Ok(server) = new.launch(port) {
                return Ok(Self { server, folder, port, password });
            }
        }
        let port = free_port()?;
        Ok(Self { server: new.launch(port)?, folder, port, password })
    }

    /// The address of its first database, which is empty.
    pub(super) fn url(&self) -> String {
        format!("postgres://{FIRST}:{}@127.0.0.1:{}/{FIRST}?sslmode=disable", self.password, self.port)
    }

    /// Processor seconds of all its processes.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        family_cpu_seconds(self.server.id)
    }

    /// Its files.
    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A server, and the shell that guards it.
struct Server {
    guard: Child,
    id: u32,
}

impl Server {
    /// Ends the server, and waits for that; its files stay if the word is `keep`.
    fn end(&mut self, word: &[u8]) {
        if let Some(mut input) = self.guard.stdin.take() {
            // one that is gone needs no word
            let _ = input.write_all(word);
        }
        let _ = self.guard.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(b"end\n");
    }
}

/// What it takes to start a cluster.
struct New<'a> {
    programs: &'a Path,
    user: Option<User>,
    folder: &'a Path,
}

impl New<'_> {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program that the right user runs, with nothing of this process's environment.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir(self.folder);
        if let Some(User { id, group }) = self.user {
            // groups of root are left behind, too
            command.uid(id).gid(group);
        }
        command
    }

    /// Makes the files.
    fn make(&self, password: &str) -> anyhow::Result<()> {
        let secret = self.folder.join("password");
        fs::write(&secret, password)?;
        if let Some(User { id, group }) = self.user {
            chown(&secret, Some(id), Some(group))?;
            chown(self.folder, Some(id), Some(group))?;
        }
        let made = self
            .command(&self.programs.join("initdb"))
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"])
            .arg(format!("--username={FIRST}"))
            .arg("--pwfile")
            .arg(&secret)
            .arg("--pgdata")
            .arg(self.data())
            .stdin(Stdio::null())
            .output()
            .context("initdb")?;
        fs::remove_file(&secret)?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr).trim());
        Ok(())
    }

    /// Starts the server on a port, and waits until it answers.
    fn launch(&self, port: u16) -> anyhow::Result<Server> {
        let mut guard = self.command(Path::new("/bin/sh"));
        guard.args(["-c", GUARD, "guard"]).arg(self.folder);
        guard.arg(self.programs.join("postgres")).arg("-D").arg(self.data()).args(["-p", &port.to_string()]);
        for setting in SETTINGS {
            guard.args(["-c", setting]);
        }
        guard.args(["-c", &shared_buffers(machine::memory_mb())]);
        // Ctrl+C is for the run, whose end it notices
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = guard.spawn().context("a shell")?;
        let mut said = String::new();
        let read = guard.stdout.take().context("no standard output")?;
        BufReader::new(read).read_line(&mut said)?;
        let id = said.trim().parse::<u32>().with_context(|| format!("the shell said {said:?}"))?;
        let mut server = Server { guard, id };
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(&fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default(), id) {
            if process(id).is_none_or(|line| has_ended(&line)) || Instant::now() > deadline {
                server.end(b"keep\n");
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("PostgreSQL did not start: {}", log.trim());
            }
            thread::sleep(GLANCE);
        }
        Ok(server)
    }
}

/// Whether the server that writes this file takes connections: its number is in the first line, and how it is in the eighth.
fn is_ready(file: &str, server: u32) -> bool {
    let is = |line: usize, wanted: &str| file.lines().nth(line).is_some_and(|line| line.trim() == wanted);
    is(0, &server.to_string()) && is(7, "ready")
}

/// The memory that the server keeps pages in: a quarter of the machine's, at most 2 GB.
fn shared_buffers(memory_mb: u64) -> String {
    format!("shared_buffers={}MB", (memory_mb / 4).clamp(128, 2_048))
}

/// The programs of the newest release below a folder.
pub(super) fn programs(below: &Path) -> anyhow::Result<PathBuf> {
    let releases = fs::read_dir(below).into_iter().flatten().flatten().filter_map(|entry| {
        let release: u32 = entry.file_name().to_str()?.parse().ok()?;
        let programs = entry.path().join("bin");
        let is_whole = ["initdb", "postgres"].iter().all(|program| programs.join(program).is_file());
        (release >= OLDEST && is_whole).then_some((release, programs))
    });
    let newest = releases.max().map(|(_, programs)| programs);
    newest.with_context(|| {
        format!(
            "PostgreSQL {OLDEST} or later is not in {}; `apt-get install postgresql` brings it, or name an empty database with --database",
            below.display()
        )
    })
}

/// A user of the system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct User {
    id: u32,
    group: u32,
}

impl User {
    /// The one who runs the programs; none if that is whoever runs this.
    fn in_place_of_root() -> anyhow::Result<Option<Self>> {
        if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
            return Ok(None);
        }
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = Self::find(&known, USER);
        ensure!(found.is_some(), "PostgreSQL does not run as root, and there is no user {USER} on this system");
        Ok(found)
    }

    /// One of a list of users, as `/etc/passwd` is.
    fn find(known: &str, name: &str) -> Option<Self> {
        let rest = known.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let mut fields = rest.split(':').skip(1);
        Some(Self { id: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    }

    /// Refuses a folder that this user cannot enter.
    fn may_enter(self, folder: &Path) -> anyhow::Result<()> {
        let whole = fs::canonicalize(folder).with_context(|| folder.display().to_string())?;
        for above in whole.ancestors() {
            let there = fs::metadata(above)?;
            let mode = match there.mode() {
                mode if there.uid() == self.id => mode >> 6,
                mode if there.gid() == self.group => mode >> 3,
                mode => mode,
            };
            ensure!(
                mode & 1 == 1,
                "the user {USER}, who runs PostgreSQL in place of root, may not enter {}; allow that with chmod o+x, or name another \
                 folder with --scratch",
                above.display()
            );
        }
        Ok(())
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_newest_whole_release_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(programs(&folder.path().join("none")).expect_err("none").to_string().contains("apt-get install"));
        for release in ["9.6", "13", "15", "16"] {
            let bin = folder.path().join(release).join("bin");
            fs::create_dir_all(&bin).expect("made");
            for program in ["initdb", "postgres"] {
                fs::write(bin.join(program), "").expect("written");
            }
        }
        // clients alone do not start a server
        fs::create_dir_all(folder.path().join("17/bin")).expect("made");
        fs::write(folder.path().join("17/bin/psql"), "").expect("written");
        assert_eq!(programs(folder.path()).expect("programs"), folder.path().join("16/bin"));
    }

    #[test]
    fn users_are_found_by_their_whole_name() {
        let known =
            "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:/bin/sh\npostgres:x:101:103:a:/var:/bin/bash\n";
        assert_eq!(User::find(known, "postgres"), Some(User { id: 101, group: 103 }));
        assert_eq!(User::find(known, "nobody"), None);
    }

    #[test]
    fn a_folder_of_others_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).expect("made");
        let stranger = User { id: u32::MAX - 7, group: u32::MAX - 7 };
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).expect("closed to others");
        let refused = stranger.may_enter(&inner).expect_err("closed").to_string();
        assert!(refused.contains("--scratch") && refused.contains("chmod"), "{refused}");
        let owner = fs::metadata(&inner).expect("there");
        let own = User { id: owner.uid(), group: owner.gid() };
        own.may_enter(&inner).expect("its own");
    }

    #[test]
    fn a_server_is_ready_when_its_own_file_says_so() {
        let file = |state: &str| format!("17\n/data\n1764590000\n5999\n\n127.0.0.1\n  1 2\n{state}   \n");
        assert!(is_ready(&file("ready"), 17));
        assert!(!is_ready(&file("starting"), 17) && !is_ready(&file("ready"), 18) && !is_ready("17\n", 17));
    }

    #[test]
    fn memory_is_a_share_of_the_machines() {
        let all = [0, 4_000, 64_000].map(shared_buffers);
        assert_eq!(all, ["shared_buffers=128MB", "shared_buffers=1000MB", "shared_buffers=2048MB"]);
    }
}
