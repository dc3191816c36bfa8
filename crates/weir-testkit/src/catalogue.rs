//! A synthetic catalogue of realistic shape: how many categories, detectoids, bundles and members, how they depend on
//! each other, and how large their documents are.

use weir_model::ids::UpdateId;

use crate::Document;

/// How large the documents' rules are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sizes {
    /// The distribution of a genuine product: median 563 bytes, 99th percentile 413 kB, largest 47 MB.
    Genuine,
    /// As `Genuine`, cut at 20 kB.
    Small,
}

/// What to generate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// Revisions in all.
    pub revisions: usize,
    /// Document sizes.
    pub sizes: Sizes,
    /// The same seed and shape give the same catalogue.
    pub seed: u64,
}

/// A generated catalogue. Documents are built one at a time, since all together may be gigabytes.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The classifications.
    pub classifications: Vec<UpdateId>,
    /// The products.
    pub products: Vec<UpdateId>,
    /// The detectoids.
    pub detectoids: Vec<UpdateId>,
    /// The updates that administrators see.
    pub deployable: Vec<UpdateId>,
}

impl Catalogue {
    /// Plans a catalogue.
    pub fn generate(shape: Shape) -> Self {
        let _ = shape;
        unimplemented!()
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        unimplemented!()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The documents, prerequisites and members before their users.
    pub fn documents(&self) -> impl Iterator<Item = Document> + '_ {
        (0..self.len()).map(|_| unimplemented!())
    }
}
