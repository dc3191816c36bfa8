//! Power cuts and a full disk in the middle of a synchronization, against a scripted upstream server.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::Value;
use weir_model::update::CategoryKind;
use weir_testkit::{
    Document, Random, WeirProcess,
    upstream::{Served, Upstream},
};

use super::{id, json, server, sqlite_server_in};

const UPDATES: u128 = 120;

/// Many updates, few in an answer; their titles do not pack.
fn served() -> Served {
    let mut random = Random::new(7);
    let mut title = || (0..40).map(|_| format!("{:x}", random.bits())).collect::<Vec<_>>().concat();
    let mut served = Served::new().with([
        Document::category(id(1), 1, CategoryKind::Company).title("Company"),
        Document::category(id(2), 1, CategoryKind::Product).title("Product").in_category(id(1)),
        Document::category(id(3), 1, CategoryKind::UpdateClassification).title("Security"),
    ]);
    for number in 0..UPDATES {
        let document = Document::software(id(100 + number), 1).localized("en", &title(), Some(&title().repeat(10)));
        served.add(&document.in_category(id(2)).in_category(id(3)));
    }
    served.config.max_number_of_updates_per_request = 2;
    served
}

/// It takes whatever the upstream server has.
fn follow(server: &WeirProcess, upstream: &Upstream) {
    json(server, &["settings", "set", "source", &upstream.url()]);
    json(server, &["settings", "set", "sync.replica", "true"]);
}

fn revisions(server: &WeirProcess) -> u64 {
    json(server, &["updates", "list", "--facets", "--limit", "1"])["total"].as_u64().expect("a number")
}

#[test]
fn power_cuts_in_a_synchronization_lose_nothing() {
    let upstream = Upstream::start(served());
    let all = upstream.change(|served| served.revisions.len()) as u64;
    let begun = Instant::now();
    {
        let uncut = server();
        follow(&uncut, &upstream);
        json(&uncut, &["sync", "now", "--wait"]);
        assert_eq!(revisions(&uncut), all);
    }
    let lasts = begun.elapsed();
    let mut random = Random::new(28);
    let mut server = server();
    follow(&server, &upstream);
    for round in 0..6 {
        let mut sync = server.command(&["sync", "now", "--wait"]);
        let mut sync = sync.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a command");
        std::thread::sleep(lasts.mul_f64(random.fraction()));
        server.kill().expect("killed");
        sync.wait().expect("ended");
        server.restart().expect("it starts again");
        let there = revisions(&server);
        assert!(there == 0 || there == all, "round {round}: {there} of {all}: nothing half");
    }
    json(&server, &["sync", "now", "--wait"]);
    assert_eq!(revisions(&server), all);
    upstream.clear_log();
    json(&server, &["sync", "now", "--wait"]);
    let again = upstream.operations().into_iter().filter(|operation| operation.name() == "GetUpdateData").count();
    assert_eq!(again, 0, "all of it is here");
}

/// A small file system in memory, unmounted at the end.
pub(super) struct Small(PathBuf);

impl Small {
    pub(super) fn mount(at: &Path) -> Self {
        fs::create_dir_all(at).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=32m", "tmpfs"]).arg(at).output();
        let mounted = mounted.expect("the mount command");
        let why = String::from_utf8_lossy(&mounted.stderr);
        assert!(mounted.status.success(), "this test mounts a small file system, for which it needs root: {why}");
        Self(at.to_owned())
    }

    /// Leaves so many bytes.
    pub(super) fn fill(&self, left: u64) {
        let mut ballast = fs::File::create(self.0.join("ballast")).expect("a file");
        let block = vec![0x5a; 64 << 10];
        while ballast.write_all(&block).is_ok() {}
        let size = ballast.metadata().expect("a size").len();
        ballast.set_len(size.saturating_sub(left)).expect("shortened");
    }

    pub(super) fn free(&self) {
        fs::remove_file(self.0.join("ballast")).expect("removed");
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Lets it hold so many files and folders, its own folder among them.
    pub(super) fn limit_files(&self, files: u32) {
        self.remount(&format!("nr_inodes={files}"));
    }

    /// Lets nobody write to it, or everybody again. Nothing on it may be open for writing.
    pub(super) fn writable(&self, writable: bool) {
        self.remount(if writable { "rw" } else { "ro" });
    }

    fn remount(&self, option: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.0).output();
        let done = done.expect("the mount command");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // the folder is temporary anyway
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_ends_a_synchronization_clearly_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = Small::mount(&folder.path().join("small"));
    let data = small.0.join("data");
    let upstream = Upstream::start(served());
    let all = upstream.change(|served| served.revisions.len()) as u64;
    let server = sqlite_server_in(Some(&data));
    follow(&server, &upstream);
    json(&server, &["settings", "set", "sync.retry_minutes", "0"]);
    small.fill(700 << 10);
    let (code, said) = server.json_with_code(&["sync", "now", "--wait"]).expect("it answers");
    assert_eq!(code, 1, "{said}");
    let status = json(&server, &["sync", "status"]);
    assert_eq!(status["last"]["error"]["code"], "disk_full", "told while it cannot be stored: {status}");
    assert!(status["current"].is_null(), "{status}");
    small.free();
    let last: Value = json(&server, &["sync", "history", "--limit", "1"])["items"][0].clone();
    assert_eq!(last["error"]["code"], "disk_full", "{last}\n{}", server.log());
    assert!(last["error"]["next_step"].as_str().expect("advice").contains("free some space"), "{last}");
    assert_eq!(revisions(&server), 0, "nothing half");
    json(&server, &["sync", "now", "--wait"]);
    assert_eq!(revisions(&server), all);
    drop(server);
}

#[test]
fn a_server_on_a_full_disk_starts_again_and_serves_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = Small::mount(&folder.path().join("small"));
    let data = small.0.join("data");
    let mut server = sqlite_server_in(Some(&data));
    let upstream = Upstream::start(served());
    let all = upstream.change(|served| served.revisions.len()) as u64;
    follow(&server, &upstream);
    json(&server, &["sync", "now", "--wait"]);
    // as a server ends that the full disk took down
    server.kill().expect("killed");
    small.fill(0);
    server.restart().unwrap_or_else(|error| panic!("{error:#}\n{}", server.log()));
    assert_eq!(revisions(&server), all);
    small.free();
    json(&server, &["settings", "set", "server.name", "later.example"]);
    drop(server);
}
