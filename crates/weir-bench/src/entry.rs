//! Pages with one large entry, of sizes up to the largest of the genuine catalogue: time to the first byte, what many at once add to the
//! memory, and the rate against a handler that streams as many bytes from memory.

use std::path::Path;

use anyhow::{Context as _, ensure};
use uuid::Uuid;
use weir_model::ids::{RevisionId, UpdateId};
use weir_testkit::Document;
use weir_wire::wusp::Cookie;

use crate::{
    engine::{Engine, Home},
    fixture,
    handlers::asking,
    load::{Command, write_bodies},
    measure::{Limit, Load, Rounds, Row, median},
    requests,
    row::SizeOf,
    server::Server,
};

/// Megabytes of the Core fragments, before escaping.
const SIZES: [usize; 3] = [1, 8, 47];
/// The size of the budget.
const LARGEST: usize = 47;
/// Answers at once.
const CONNECTIONS: usize = 64;
/// How long one run may take at most.
const PATIENCE: f64 = 600.0;

/// Measures a page of each size, plain and as Xpress.
pub(crate) async fn measure(engine: &Engine, scratch: &Path, tell: &dyn Fn(&str)) -> anyhow::Result<Vec<Row>> {
    tell("pages with one large entry: importing");
    let home = engine.home(scratch.join("entry"))?;
    let ids = import(&home, &SIZES)?;
    let server = Server::start(&home)?;
    let all: Vec<RevisionId> = ids.iter().map(|(_, id)| *id).collect();
    let cookie = requests::enlist(&server.client_url()?, 1, &[], &all).await?;
    let mut rows = Vec::new();
    for (size, id) in ids {
        let others = all.iter().copied().filter(|other| *other != id).collect();
        let bench = Entry { folder: home.data(), server: &server, cookie: &cookie, size, others };
        for xpress in [false, true] {
            tell(&format!("pages with an entry of {size} MB, {}", if xpress { "Xpress" } else { "plain" }));
            rows.extend(bench.rows(xpress)?);
        }
    }
    Ok(rows)
}

/// One update of each size; their sizes and revisions.
fn import(home: &Home, sizes: &[usize]) -> anyhow::Result<Vec<(usize, RevisionId)>> {
    let store = home.open()?;
    let id = |size: usize| UpdateId(Uuid::from_u128(0xe271_0000_0000_4000_8000_0000_0000_0000 | size as u128));
    let document = |size: &usize| {
        let document = Document::software(id(*size), 1).title(&format!("Update with rules of {size} MB"));
        document.rules_of_size(size * 1_000_000)
    };
    fixture::import(&store, sizes.iter().map(document))?;
    let rows = store.read(|tx| tx.catalogue_revisions(RevisionId(0)))?;
    let found = sizes.iter().filter_map(|size| {
        let row = rows.iter().find(|row| row.identity.update_id == id(*size))?;
        Some((*size, row.id))
    });
    let found: Vec<(usize, RevisionId)> = found.collect();
    ensure!(found.len() == sizes.len(), "{} of {} updates were stored", found.len(), sizes.len());
    Ok(found)
}

/// What a page with one entry takes.
struct Entry<'a> {
    folder: &'a Path,
    server: &'a Server,
    cookie: &'a Cookie,
    size: usize,
    others: Vec<RevisionId>,
}

impl Entry<'_> {
    fn rows(&self, xpress: bool) -> anyhow::Result<[Row; 2]> {
        let coding = if xpress { "xpress" } else { "identity" };
        let body = requests::body(&requests::software(self.cookie, Vec::new(), self.others.clone(), 1));
        let bodies = self.folder.join(format!("entry-{}-{coding}.bodies", self.size));
        write_bodies(&bodies, std::slice::from_ref(&body))?;
        let real = Command {
            address: self.server.client()?,
            head: requests::head(requests::PATH, xpress, false),
            bodies,
            connections: CONNECTIONS,
            seconds: PATIENCE,
            requests: Some(CONNECTIONS as u64),
            vary: false,
            rate: None,
            others: Vec::new(),
        };
        let mut load = Load::start()?;
        let alone = load.run(&Command { connections: 1, seconds: 2.0, requests: None, ..real.clone() })?;
        ensure!(alone.errors == 0 && alone.statuses.keys().eq([&200]), "an entry of {} MB: {alone:?}", self.size);
        let answer = alone.bytes / alone.requests.max(1);
        let least = if xpress { 1 } else { self.size as u64 * 1_000_000 };
        ensure!(answer >= least, "a page with an entry of {} MB has {answer} bytes", self.size);
        let before = self.server.resident();
        let watch = self.server.watch();
        let together = load.run(&Command { requests: Some(4 * CONNECTIONS as u64), ..real.clone() })?;
        let grown = watch.peak().saturating_sub(before);
        ensure!(together.errors == 0 && together.statuses.keys().eq([&200]), "{CONNECTIONS} at once: {together:?}");
        let cpu_us = self.server.cost(&mut load, &real)?;
        let asking = asking(body.clone(), answer);
        let null_bodies = self.folder.join(format!("entry-{}-{coding}-null.bodies", self.size));
        write_bodies(&null_bodies, &[asking])?;
        let head = requests::head("/bench/stream", xpress, false);
        let null = Command { head, bodies: null_bodies, ..real.clone() };
        let rounds = Rounds::measure(&mut load, &[real, null]).context("pages with a large entry")?;
        let ratios = rounds.ratios_of(0, 1);
        let row = |case: &str, value: f64, unit| Row {
            case: case.to_owned(),
            revisions: self.size,
            size_of: Some(SizeOf::Megabytes),
            coding: Some(coding),
            value,
            unit,
            answer_bytes: Some(answer as f64),
            ..Row::default()
        };
        let budget = self.size == LARGEST;
        let first = Row {
            baseline: Some("a handler that streams as many bytes from memory, by the rate of whole answers"),
            ratio_null: Some(median(ratios.clone())),
            pairs: ratios.len(),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            cpu_us,
            request_bytes: Some(body.len() as f64),
            budget: format!("{:.0} MB/s, {CONNECTIONS} at once", rounds.rate(0) * answer as f64 / 1e6),
            ..row("giant_entry", alone.first_byte_p50_us / 1e3, "ms to first byte")
        };
        let memory = Row {
            budget: format!("{CONNECTIONS} at once, each four times; {:.0} MB before", before as f64 / 1e6),
            ..row("giant_entry_memory", grown as f64 / 1e6, "MB more")
        };
        Ok([first.within_if(budget, [Limit::most(20.0)]), memory.within_if(budget, [Limit::most(64.0)])])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small ones: the largest takes long to import without optimisation.
    #[test]
    fn every_size_is_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Engine::default().home(folder.path()).expect("made");
        let ids = import(&home, &[1, 2]).expect("imported");
        let sizes: Vec<usize> = ids.iter().map(|(size, _)| *size).collect();
        assert_eq!(sizes, [1, 2]);
        let store = home.open().expect("opens");
        let rows = store.read(|tx| tx.catalogue_revisions(RevisionId(0))).expect("reads");
        for (size, id) in ids {
            let length = rows.iter().find(|row| row.id == id).map(|row| row.core_len).expect("stored");
            assert!(usize::try_from(length).expect("small") >= size * 1_000_000, "{length} bytes for {size} MB");
        }
    }
}
