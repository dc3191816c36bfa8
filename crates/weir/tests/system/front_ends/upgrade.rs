//! Front ends of two releases on one database, and a server of an earlier release that becomes one of this.
//!
//! `PREVIOUS_WEIR` names the program of an earlier release; `cargo xtask upgrade` builds one and runs this with it. Without it these
//! tests only have this program, and say what that shows: it starts on a database that a newer one has changed, as an older front end
//! does in the middle of an upgrade, and on what every release left.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use weir_model::ids::UpdateIdentity;
use weir_testkit::{Balancer, WeirProcess, engine::Direct};

use super::{
    super::{agent, alone, computer, crash::small_catalogue, json, run, soak},
    approve,
    load::{Acknowledged, COUNT, DEPLOYED, Simulation, computers, import, quiet},
    revisions,
    site::{Site, program, start},
};

/// What a later release may do to a database: it adds.
const LATER: &str = "
    ALTER TABLE computer ADD COLUMN later BIGINT NOT NULL DEFAULT 7;
    ALTER TABLE deployment ADD COLUMN later TEXT COLLATE \"C\";
    CREATE TABLE later (later_no BIGINT PRIMARY KEY, computer_no BIGINT REFERENCES computer (computer_no) ON DELETE CASCADE);
    CREATE INDEX later_by_computer ON later (computer_no);
    INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
        VALUES (9999, 'later', '2030-01-01T00:00:00Z', '1')";

/// The program of an earlier release, if there is one.
fn previous() -> Option<PathBuf> {
    env::var_os("PREVIOUS_WEIR").map(PathBuf::from)
}

/// Whether a program can be one of several front ends.
fn shares(program: &Path) -> bool {
    let help = Command::new(program).args(["serve", "--help"]).output().expect("it starts");
    String::from_utf8_lossy(&help.stdout).contains("--database")
}

/// A balancer in front of all that are there.
fn balance(site: &Site) -> Balancer {
    let balancer = Balancer::over(COUNT);
    for (number, front) in site.fronts.iter().enumerate() {
        balancer.set(number, Some(&front.client_url()));
    }
    balancer
}

/// Lets computers work while front ends are changed one after the other, and looks at all of it afterwards.
fn changed_under_load(site: &mut Site, mut change: impl FnMut(&mut Site, usize)) {
    let _turn = alone();
    let (computers, mut acknowledged) = (computers(), Acknowledged::default());
    for update in &import(&site.fronts[0])[..DEPLOYED] {
        approve(&site.fronts[1], &update.to_string());
    }
    let balancer = balance(site);
    let mut simulation = Simulation::start(&balancer.url(), computers, soak::seed());
    for number in 0..COUNT {
        thread::sleep(Duration::from_secs(8));
        if !simulation.is_running() {
            // the machine took its time; computers are at work whatever is changed
            acknowledged.add(&simulation.end(computers));
            simulation = Simulation::start(&balancer.url(), computers, soak::seed());
            thread::sleep(Duration::from_secs(8));
        }
        balancer.set(number, None);
        change(site, number);
        balancer.set(number, Some(&site.fronts[number].client_url()));
    }
    acknowledged.add(&simulation.end(computers));
    quiet(site, computers, &acknowledged, &std::collections::BTreeSet::new());
}

#[test]
fn front_ends_go_on_while_a_newer_one_changes_the_database() {
    let mut site = Site::new(COUNT);
    changed_under_load(&mut site, |site, number| {
        assert!(site.fronts[number].stop().expect("it stops"), "{}", site.fronts[number].log());
        if number == 0 {
            let changed = Direct::at(site.database.url()).try_batch(LATER);
            changed.unwrap_or_else(|error| panic!("{error:#}"));
        }
        site.fronts[number].restart().unwrap_or_else(|error| panic!("{error:#}"));
        let log = site.fronts[number].log();
        assert!(log.contains("a newer release has changed the database"), "{log}");
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever reads the output should know what was not shown")]
fn front_ends_of_two_releases_serve_side_by_side() {
    let Some(previous) = previous().filter(|program| shares(program)) else {
        eprintln!("there is no earlier release here that knows several front ends: cargo xtask upgrade");
        return;
    };
    let mut site = Site::of(&previous, COUNT);
    changed_under_load(&mut site, |site, number| {
        let front = &mut site.fronts[number];
        assert!(front.stop().expect("it stops"), "{}", front.log());
        site.fronts[number] = start(program(), site.fronts[number].data(), site.database.url());
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever reads the output should know what was not shown")]
fn a_server_of_an_earlier_release_becomes_one_of_this() {
    let Some(previous) = previous() else {
        eprintln!("there is no program of an earlier release here: cargo xtask upgrade");
        return;
    };
    for is_killed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let mut old =
            WeirProcess::start_on_sqlite(&previous, Some(&data), &[]).unwrap_or_else(|error| panic!("{error:#}"));
        let (shelf, updates) = small_catalogue(&old, 12);
        approve(&old, &updates[0].to_string());
        let mut player = agent(&old, computer(1, &shelf));
        let wanted = UpdateIdentity::new(updates[0], 1);
        run(async {
            assert!(player.scan().await.expect("a scan").offered.contains(&wanted));
            player.report_scan().await.expect("a report");
        });
        if is_killed {
            old.kill().expect("killed");
        } else {
            assert!(old.stop().expect("it stops"), "{}", old.log());
        }
        let new = WeirProcess::start_on_sqlite(program(), Some(&data), &[]).unwrap_or_else(|error| panic!("{error:#}"));
        player.move_to(&new.client_url()).expect("an address");
        run(async {
            let again = player.scan().await.expect("a scan");
            assert!(again.recovered.is_empty() && super::is_quiet(&again), "{again:?}");
            assert!(again.offered.contains(&wanted));
            player.report_scan().await.expect("a report");
        });
        assert_eq!(json(&new, &["compliance", "summary"])["computers"], 1);
    }
}

#[test]
fn what_every_release_left_is_served() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemas");
    let list = fs::read_to_string(schemas.join("releases")).expect("tests/schemas/releases");
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let database = line.split(' ').nth(3).unwrap_or_else(|| panic!("not four fields: {line}"));
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("a folder");
        fs::copy(schemas.join(database), data.join("weir.db")).expect("copied");
        let server = WeirProcess::start_on_sqlite(program(), Some(&data), &[]);
        let server = server.unwrap_or_else(|error| panic!("{line}: {error:#}"));
        assert!(revisions(&server) > 0, "{line}: the sample has a catalogue");
        // the documents of samples are made for the store alone, and no agent could read them
        let known = json(&server, &["computers", "list"]);
        assert!(known["items"].as_array().is_some_and(|known| !known.is_empty()), "{line}: {known}");
        assert!(!server.log().contains(" ERROR "), "{line}: {}", server.log());
    }
}
