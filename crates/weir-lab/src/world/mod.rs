//! A synthetic catalogue that looks like what a company sees: two years of monthly releases for clients and servers with
//! their supersedence, bundles with members, Office, a browser, definitions, drivers, licences, previews, expired and odd
//! ones, in five languages.
//!
//! Everything is a function of the [`Shape`]: the same shape gives the same documents and files, byte by byte. Names of
//! Windows, its builds and its registry are those of the real products, so that rules ask what they ask in life. Texts,
//! article numbers, versions and files are made up; a file has about a ten-thousandth of the bytes that its like has in life.
//!
//! *Invariant:* pure. No I/O, clock or randomness besides the seed.

mod applications;
pub mod calendar;
mod drivers;
mod malware;
mod products;
mod release;
mod rules;
mod texts;
mod windows;

use jiff::civil::Date;
use weir_model::ids::UpdateId;
use weir_testkit::{Document, Payload};

use self::{calendar::Month, products::Products, release::Maker};

/// The fewest updates that make a world: what is left out below it would be whole products.
pub const FEWEST: usize = 400;
/// The most updates of a world; documents and files are all in memory.
pub const MOST: usize = 20_000;

/// What to make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// Updates that administrators see, about; from [`FEWEST`] to [`MOST`]. Members of bundles, categories and detectoids
    /// come on top: about twice as many documents. What is beyond the monthly releases is drivers and definitions, as in life.
    pub updates: usize,
    /// Decides ids, versions and the bytes of files.
    pub seed: u64,
    /// Nothing is released after this day.
    pub until: Date,
}

/// What an update is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Part of an application: Office, the browser, a database, a runtime.
    Application,
    /// A cumulative update of Windows.
    Cumulative,
    /// Definitions and the engine of the malware scanner.
    Definition,
    /// A driver.
    Driver,
    /// A new release of Windows that is switched on.
    Feature,
    /// A cumulative update of the .NET Framework.
    Framework,
    /// For processors or systems that the company has none of.
    Junk,
    /// A cumulative update that comes two weeks early.
    Preview,
    /// A servicing stack update.
    ServicingStack,
    /// The removal tool for malware.
    Tool,
}

/// One update that administrators see.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Update {
    /// Its id.
    pub id: UpdateId,
    /// Its English title.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// The day of its release.
    pub released: Date,
    /// A newer one replaces it.
    pub superseded: bool,
    /// Its publisher withdrew it.
    pub expired: bool,
    /// It, or one of its members, has a licence to accept.
    pub has_licence: bool,
}

impl Update {
    /// Whether a careful administrator would deploy it: the newest of its line, and no preview or oddity.
    pub fn is_current(&self) -> bool {
        !self.superseded && !self.expired && !matches!(self.kind, Kind::Junk | Kind::Preview)
    }
}

/// A catalogue with its files.
#[derive(Clone, Debug)]
pub struct World {
    /// The updates that administrators see, oldest first within a line.
    pub updates: Vec<Update>,
    /// The newest month.
    pub month: Month,
    /// The text of the licence that some have.
    pub licence: Payload,
    documents: Vec<Document>,
}

impl World {
    /// Makes a world.
    pub fn generate(shape: Shape) -> Self {
        let shape = Shape { updates: shape.updates.clamp(FEWEST, MOST), ..shape };
        let mut maker = Maker::new(shape);
        let products = Products::add(&mut maker);
        windows::add(&mut maker, &products);
        applications::add(&mut maker, &products);
        malware::add(&mut maker, &products);
        let left = shape.updates.saturating_sub(maker.updates.len());
        malware::add_definitions(&mut maker, &products, (left * 2 / 5).max(20));
        let left = shape.updates.saturating_sub(maker.updates.len());
        drivers::add(&mut maker, &products, left.max(20));
        maker.finish()
    }

    /// The documents, prerequisites and members before their users.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.iter()
    }

    /// Every content and licence file; some are in several documents.
    pub fn payloads(&self) -> impl Iterator<Item = &Payload> {
        self.documents.iter().flat_map(Document::payloads)
    }

    /// What a careful administrator would deploy in this month.
    pub fn current(&self) -> impl Iterator<Item = &Update> {
        self.updates.iter().filter(|update| update.is_current())
    }
}

#[cfg(test)]
mod tests;
