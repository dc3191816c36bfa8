//! A synthetic catalogue of realistic shape: how many categories, detectoids, bundles and members, how they depend on
//! each other, and how large their documents are.
//!
//! Proportions follow a genuine catalogue: 18 % categories and detectoids, few detectoids without prerequisites, most with
//! one clause; bundles of 1 to 12 members with classification, product and 1 to 4 detectoid clauses; members with the
//! detectoid clauses. Sizes follow one product of a genuine catalogue: median 563 bytes, 99th percentile 413 kB, largest
//! 47 MB.

use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    update::CategoryKind,
};

use crate::{Document, Random};

/// How large the documents' rules are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sizes {
    /// The distribution of a genuine product, at most 42 giants.
    Genuine,
    /// The same without what is above 20 kB.
    Small,
}

/// What to generate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// Revisions in all; at least 50.
    pub revisions: usize,
    /// Document sizes.
    pub sizes: Sizes,
    /// The same seed and shape give the same catalogue.
    pub seed: u64,
}

/// Size of Core fragments in bytes at these quantiles, linear in the logarithm between them.
const QUANTILES: [(f64, f64); 7] = [
    (0.0, 300.0),
    (0.5, 563.0),
    (0.75, 1_500.0),
    (0.9, 9_000.0),
    (0.99, 413_000.0),
    (0.998, 4_000_000.0),
    (1.0, 47_000_000.0),
];
/// A size from here on is a giant.
const GIANT: f64 = 4_000_000.0;
/// Most giants in a catalogue of any size.
const GIANTS: usize = 42;
/// Largest size of [`Sizes::Small`].
const SMALL: f64 = 20_000.0;

#[derive(Clone, Debug)]
enum Plan {
    Bundle {
        classification: UpdateId,
        product: UpdateId,
        needs: Vec<UpdateId>,
        members: Vec<UpdateId>,
        supersedes: Option<UpdateId>,
    },
    Category {
        kind: CategoryKind,
        parent: Option<UpdateId>,
    },
    Detectoid {
        needs: Vec<UpdateId>,
    },
    Member {
        needs: Vec<UpdateId>,
    },
}

#[derive(Clone, Debug)]
struct Entry {
    id: UpdateId,
    plan: Plan,
    size: usize,
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
    /// The updates that administrators see: the bundles.
    pub deployable: Vec<UpdateId>,
    entries: Vec<Entry>,
}

impl Catalogue {
    /// Plans a catalogue.
    pub fn generate(shape: Shape) -> Self {
        let mut generator = Generator {
            ids: Random::new(shape.seed ^ 1),
            edges: Random::new(shape.seed ^ 2),
            sizes: Random::new(shape.seed ^ 3),
            small: shape.sizes == Sizes::Small,
            giants: 0,
            catalogue: Self {
                classifications: Vec::new(),
                products: Vec::new(),
                detectoids: Vec::new(),
                deployable: Vec::new(),
                entries: Vec::with_capacity(shape.revisions),
            },
        };
        generator.pseudo_updates(shape.revisions.max(50) * 18 / 100);
        generator.bundles(shape.revisions.max(50));
        generator.catalogue
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The documents, prerequisites and members before their users.
    pub fn documents(&self) -> impl Iterator<Item = Document> + '_ {
        self.entries.iter().map(Entry::document)
    }
}

impl Entry {
    fn document(&self) -> Document {
        let title = |what: &str| format!("{what} {}", &self.id.to_string()[..8]);
        match &self.plan {
            Plan::Category { kind, parent } => {
                let document = Document::category(self.id, 1, *kind).title(&title("Category"));
                parent.iter().fold(document, |document, parent| document.in_category(*parent))
            }
            Plan::Detectoid { needs } => {
                let document = Document::detectoid(self.id, 1).title(&title("Detectoid")).rules_of_size(self.size);
                needs.iter().fold(document, |document, id| document.requires(*id))
            }
            Plan::Member { needs } => {
                let document = Document::member(self.id, 1).title(&title("Member")).rules_of_size(self.size);
                needs.iter().fold(document, |document, id| document.requires(*id))
            }
            Plan::Bundle { classification, product, needs, members, supersedes } => {
                let mut document = Document::software(self.id, 1).title(&title("Update"));
                for id in needs {
                    document = document.requires(*id);
                }
                document = document.in_category(*classification).in_category(*product);
                if let Some(old) = supersedes {
                    document = document.supersedes(*old);
                }
                for member in members {
                    document = document.bundles([UpdateIdentity::new(*member, 1)]);
                }
                document
            }
        }
    }
}

struct Generator {
    ids: Random,
    edges: Random,
    sizes: Random,
    small: bool,
    giants: usize,
    catalogue: Catalogue,
}

impl Generator {
    fn add(&mut self, plan: Plan, size: usize) -> UpdateId {
        let id = UpdateId(self.ids.guid());
        self.catalogue.entries.push(Entry { id, plan, size });
        id
    }

    /// Categories (one in nine, as in the genuine export) and detectoids, `count` in all.
    fn pseudo_updates(&mut self, count: usize) {
        let categories = (count / 9).max(6);
        let company = self.add(Plan::Category { kind: CategoryKind::Company, parent: None }, 0);
        for _ in 0..(categories / 8).clamp(1, 12) {
            let id = self.add(Plan::Category { kind: CategoryKind::UpdateClassification, parent: None }, 0);
            self.catalogue.classifications.push(id);
        }
        let mut families = Vec::new();
        for _ in 0..(categories / 7).max(1) {
            families.push(self.add(Plan::Category { kind: CategoryKind::ProductFamily, parent: Some(company) }, 0));
        }
        while self.catalogue.entries.len() < categories {
            let parent = Some(*self.edges.pick(&families));
            let id = self.add(Plan::Category { kind: CategoryKind::Product, parent }, 0);
            self.catalogue.products.push(id);
        }
        while self.catalogue.entries.len() < count {
            let needs = match self.edges.fraction() {
                free if free < 0.017 => Vec::new(),
                // four in five name their product, the others another detectoid
                one if one < 0.95 => vec![self.product_or_detectoid(0.8)],
                _ => vec![self.product_or_detectoid(1.0), self.product_or_detectoid(0.0)],
            };
            let size = self.size();
            let id = self.add(Plan::Detectoid { needs }, size.min(800_000));
            self.catalogue.detectoids.push(id);
        }
    }

    fn product_or_detectoid(&mut self, product: f64) -> UpdateId {
        let detectoids = &self.catalogue.detectoids;
        if detectoids.is_empty() || self.edges.chance(product) {
            *self.edges.pick(&self.catalogue.products)
        } else {
            // mostly an early one, so that chains stay short
            let range = (detectoids.len() / 4).max(1);
            detectoids[self.edges.below(range)]
        }
    }

    fn bundles(&mut self, count: usize) {
        while self.catalogue.entries.len() < count {
            let left = count - self.catalogue.entries.len();
            let mut needs: Vec<UpdateId> = Vec::new();
            for _ in 0..self.edges.between(1, 4) {
                let id = *self.edges.pick(&self.catalogue.detectoids);
                if !needs.contains(&id) {
                    needs.push(id);
                }
            }
            let members = self.edges.between(1, 12).min(left.saturating_sub(1));
            let members = (0..members)
                .map(|_| {
                    let size = self.size();
                    self.add(Plan::Member { needs: needs.clone() }, size)
                })
                .collect();
            let supersedes = self.catalogue.deployable.last().copied().filter(|_| self.edges.chance(0.3));
            let classification = *self.edges.pick(&self.catalogue.classifications);
            let product = *self.edges.pick(&self.catalogue.products);
            let id = self.add(Plan::Bundle { classification, product, needs, members, supersedes }, 0);
            self.catalogue.deployable.push(id);
        }
    }

    /// A size of the distribution, less the part of a document that is there anyway.
    fn size(&mut self) -> usize {
        loop {
            let size = quantile(self.sizes.fraction());
            if self.small && size > SMALL || size >= GIANT && self.giants == GIANTS {
                continue;
            }
            self.giants += usize::from(size >= GIANT);
            return (size as usize).saturating_sub(300).max(1);
        }
    }
}

fn quantile(at: f64) -> f64 {
    let upper = QUANTILES.iter().position(|(share, _)| at <= *share).unwrap_or(QUANTILES.len() - 1).max(1);
    let ((low_share, low), (high_share, high)) = (QUANTILES[upper - 1], QUANTILES[upper]);
    let part = (at - low_share) / (high_share - low_share);
    (low.ln() + part * (high.ln() - low.ln())).exp()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_documents() {
        let shape = Shape { revisions: 200, sizes: Sizes::Small, seed: 5 };
        let texts =
            |shape| Catalogue::generate(shape).documents().map(|document| document.to_xml()).collect::<Vec<_>>();
        assert_eq!(texts(shape), texts(shape));
        assert_ne!(texts(shape), texts(Shape { seed: 6, ..shape }));
        assert_eq!(texts(shape).len(), 200);
    }

    #[test]
    fn everything_needed_comes_before_its_user() {
        let catalogue = Catalogue::generate(Shape { revisions: 2_000, sizes: Sizes::Genuine, seed: 1 });
        let mut known = BTreeSet::new();
        for entry in &catalogue.entries {
            let needs: Vec<UpdateId> = match &entry.plan {
                Plan::Bundle { classification, product, needs, members, .. } => {
                    needs.iter().chain(members).chain([classification, product]).copied().collect()
                }
                Plan::Category { parent, .. } => parent.iter().copied().collect(),
                Plan::Detectoid { needs } | Plan::Member { needs } => needs.clone(),
            };
            assert!(needs.iter().all(|id| known.contains(id)), "{entry:?}");
            assert!(known.insert(entry.id));
        }
        assert_eq!(catalogue.len(), 2_000);
        let pseudo = catalogue.detectoids.len() + catalogue.products.len();
        assert!((280..=360).contains(&pseudo), "{pseudo}");
    }

    #[test]
    fn sizes_have_the_genuine_quantiles() {
        let catalogue = Catalogue::generate(Shape { revisions: 20_000, sizes: Sizes::Genuine, seed: 1 });
        let mut sizes: Vec<_> = catalogue
            .entries
            .iter()
            .filter(|entry| matches!(entry.plan, Plan::Member { .. }))
            .map(|entry| entry.size + 300)
            .collect();
        sizes.sort_unstable();
        let at = |share: f64| sizes[(sizes.len() as f64 * share) as usize];
        assert!((500..=620).contains(&at(0.5)), "median {}", at(0.5));
        assert!((250_000..=700_000).contains(&at(0.99)), "99th percentile {}", at(0.99));
        let giants = sizes.iter().filter(|size| **size as f64 >= GIANT).count();
        assert!((10..=GIANTS).contains(&giants), "{giants} giants");
        assert!(sizes.last().is_some_and(|size| (20_000_000..=47_000_000).contains(size)), "{:?}", sizes.last());
        let small = Catalogue::generate(Shape { revisions: 5_000, sizes: Sizes::Small, seed: 1 });
        assert!(small.entries.iter().all(|entry| entry.size <= 20_000));
    }
}
