//! The whole program: a server of its own for each test, the command line, and computers that scan.
//!
//! Tests come in through the public doors only: the command line, the client plane and signals. Servers are on the engine that
//! `WEIR_TEST_ENGINE` names, but for tests that are about the file of the embedded database: when its disk fails or fills, when the
//! power goes while it is written, when it is backed up, restored or damaged.

mod agent;
mod bad_input;
mod bench;
mod clocks;
mod compliance;
mod console;
mod content;
mod crash;
mod damaged;
mod disconnected;
mod disk;
mod durability;
mod first_day;
mod front_ends;
mod lab;
mod lifecycle;
mod migration;
mod month;
mod native_scan;
mod new_user;
mod object_store;
mod postgres;
mod recorded_devices;
mod reporter;
mod rest;
mod scan_life;
mod secrets;
mod simulate;
mod sites;
mod soak;
mod sync_faults;
mod synchronize;
mod telemetry;
mod tls;
mod unprivileged;
mod validated;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::Duration,
};

use jiff::{Zoned, tz::TimeZone};
use serde_json::Value;
use uuid::Uuid;
use weir_model::ids::UpdateId;
use weir_store::{Options, Store};
use weir_testkit::{Computer, Document, ScriptedAgent, WeirProcess, engine, shared};

/// A server on free ports.
fn server() -> WeirProcess {
    WeirProcess::start(env!("CARGO_BIN_EXE_weir")).expect("a server")
}

/// Waits for the turn of a test that takes all of a machine for a while: a browser, a fleet, a benchmark. Two at once would keep each
/// other, and a third test beside them, from what they wait for.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // the turn of one that failed is over, too
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits while the day is about to end, here or in UTC: for tests of what is kept by day.
fn a_day_that_lasts() {
    let ends = |now: &Zoned| now.hour() == 23 && now.minute() >= 50;
    loop {
        let now = Zoned::now();
        if !ends(&now) && !ends(&now.with_time_zone(TimeZone::UTC)) {
            return;
        }
        sleep(Duration::from_secs(5));
    }
}

/// One on the embedded database whatever engine was chosen, for what is about its file.
fn sqlite_server() -> WeirProcess {
    sqlite_server_in(None)
}

/// The same with a data folder that outlives it.
fn sqlite_server_in(data: Option<&Path>) -> WeirProcess {
    WeirProcess::start_on_sqlite(env!("CARGO_BIN_EXE_weir"), data, &[]).expect("a server")
}

/// The store of a server that does not run.
fn store(data: &Path) -> Store {
    let options = Options { database: engine::database(data), ..Options::default() };
    Store::open(data, &options).expect("the store")
}

/// Runs async parts of a test.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// The genuine catalogue export.
fn genuine_package() -> String {
    shared("data/wsusutil-export-2020-04.cab").to_str().expect("UTF-8").to_owned()
}

/// Runs a command that must succeed, and gives its JSON.
fn json(server: &WeirProcess, arguments: &[&str]) -> Value {
    server.json(arguments).unwrap_or_else(|error| panic!("{error:#}\n{}", server.log()))
}

/// An update of our own making.
fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(0x0b5e_55ed_0000_4000_8000_0000_0000_0000 | number))
}

/// Writes documents into `folder` for `weir import`.
fn write_documents<'d>(folder: &Path, documents: impl IntoIterator<Item = &'d Document>) {
    fs::create_dir_all(folder).expect("a folder");
    for document in documents {
        fs::write(folder.join(format!("{}.xml", document.id())), document.to_xml()).expect("a document");
    }
}

/// A product of the genuine catalogue, with everything above it and a classification: what a computer with that product
/// evaluates to installed.
struct Shelf {
    classification: UpdateId,
    product: UpdateId,
    chain: BTreeSet<UpdateId>,
}

/// "Security Updates" and "Windows 10" (export of April 2020).
fn shelf(server: &WeirProcess) -> Shelf {
    fn find(nodes: &Value, wanted: &str, above: &mut Vec<UpdateId>) -> bool {
        for node in nodes.as_array().into_iter().flatten() {
            above.push(node["id"].as_str().expect("an id").parse().expect("a GUID"));
            if node["id"] == wanted || find(&node["children"], wanted, above) {
                return true;
            }
            above.pop();
        }
        false
    }
    let classification: UpdateId = "0fa1201d-4330-4fa8-8ae9-b877473b6441".parse().expect("a GUID");
    let product = "a3c2375d-0c8a-42f9-bce0-28333e198407";
    let mut chain = Vec::new();
    assert!(find(&json(server, &["products", "list"])["items"], product, &mut chain), "Windows 10 is not in the tree");
    let mut chain: BTreeSet<_> = chain.into_iter().collect();
    chain.insert(classification);
    Shelf { classification, product: product.parse().expect("a GUID"), chain }
}

/// A computer on which exactly the shelf's categories are true.
fn computer(number: u64, shelf: &Shelf) -> Computer {
    let mut computer = Computer::numbered(number);
    computer.everything_applies = false;
    computer.installed.clone_from(&shelf.chain);
    computer
}

/// An agent of `computer` against the server.
fn agent(server: &WeirProcess, computer: Computer) -> ScriptedAgent {
    ScriptedAgent::new(&server.client_url(), computer).expect("an agent")
}
