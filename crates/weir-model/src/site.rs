//! The tree of sites: what may stand below what (features TOP-1, TOP-3, TOP-4 and the sizes of section 25).

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Characters of a site's name.
pub const LONGEST_NAME: usize = 64;
/// Update points of a whole tree that this server keeps.
pub const MOST_SITES: usize = 10_000;

/// What a site, or a further update point of one, is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// The top of a tree with several primary sites.
    Central,
    /// Has computers; below the central site, or stand-alone at the top.
    Primary,
    /// A further update point of the site that it stands below.
    Replica,
    /// For thin links; below a primary site, with nothing below itself.
    Secondary,
}

impl SiteKind {
    /// The word that names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Primary => "primary",
            Self::Replica => "replica",
            Self::Secondary => "secondary",
        }
    }

    /// How many of a kind may stand directly below one of this kind; 0 for none at all.
    pub fn room_for(self, below: Self) -> usize {
        match (self, below) {
            (Self::Central, Self::Primary) => 25,
            (Self::Primary, Self::Secondary) => 250,
            // as many as a site may have management points, which know them all
            (Self::Central | Self::Primary, Self::Replica) => 15,
            _ => 0,
        }
    }
}

impl fmt::Display for SiteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A site as the top defines it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SiteNode {
    /// Given once by the top.
    pub id: Uuid,
    /// Unique in the tree without regard to case.
    pub name: String,
    /// What it is.
    pub kind: SiteKind,
    /// The one above; none at the top.
    pub parent: Option<Uuid>,
}

/// Why a site cannot be added or removed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SiteError {
    /// Another site has the name.
    #[error("a site named {0:?} exists already")]
    Exists(String),
    /// There are as many as there may be.
    #[error("{above:?} has {most} {kind} sites, which is the most")]
    Full {
        /// The site above.
        above: String,
        /// What there are enough of.
        kind: SiteKind,
        /// How many.
        most: usize,
    },
    /// Something stands below it.
    #[error("{name:?} has {below} sites below it")]
    InUse {
        /// The site.
        name: String,
        /// How many.
        below: usize,
    },
    /// Not a name.
    #[error("{0:?} cannot name a site: use 1 to 64 letters, digits, and . _ - between them")]
    Name(String),
    /// The kinds do not nest.
    #[error("a {kind} site cannot stand below the {above_kind} site {above:?}")]
    Nesting {
        /// The new one.
        kind: SiteKind,
        /// The site above.
        above: String,
        /// What that is.
        above_kind: SiteKind,
    },
    /// There is a top already.
    #[error("{0:?} is the top already")]
    SecondTop(String),
    /// The site above is unknown.
    #[error("there is no site {0:?}")]
    Unknown(String),
}

/// Checks a name and gives it without blanks around it.
pub fn checked_name(name: &str) -> Result<String, SiteError> {
    let name = name.trim();
    let inner = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let ends = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let fits = name.chars().count() <= LONGEST_NAME
        && name.chars().all(inner)
        && ends(name.chars().next())
        && ends(name.chars().next_back())
        && name.parse::<Uuid>().is_err();
    if fits { Ok(name.to_owned()) } else { Err(SiteError::Name(name.to_owned())) }
}

/// The sites of a tree, in the order in which they are installed: each after the one above it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SiteTree(Vec<SiteNode>);

impl SiteTree {
    /// Puts nodes in order, brothers by name. Nodes that hang on nothing, or on each other, are left out.
    pub fn new(nodes: impl IntoIterator<Item = SiteNode>) -> Self {
        let mut rest: Vec<SiteNode> = nodes.into_iter().collect();
        rest.sort_by_cached_key(|node| (node.name.to_lowercase(), node.id));
        let mut ordered = Vec::with_capacity(rest.len());
        let mut below = std::collections::BTreeMap::<Option<Uuid>, Vec<SiteNode>>::new();
        for node in rest {
            below.entry(node.parent).or_default().push(node);
        }
        let mut open: Vec<SiteNode> = below.remove(&None).unwrap_or_default();
        open.reverse();
        while let Some(node) = open.pop() {
            let children = below.remove(&Some(node.id)).unwrap_or_default();
            open.extend(children.into_iter().rev());
            ordered.push(node);
        }
        Self(ordered)
    }

    /// All of them, top down.
    pub fn nodes(&self) -> &[SiteNode] {
        &self.0
    }

    /// The top.
    pub fn top(&self) -> Option<&SiteNode> {
        self.0.first()
    }

    /// By id.
    pub fn site(&self, id: Uuid) -> Option<&SiteNode> {
        self.0.iter().find(|node| node.id == id)
    }

    /// By id or name, without regard to case.
    pub fn find(&self, text: &str) -> Option<&SiteNode> {
        let text = text.trim();
        let (id, lower) = (text.parse::<Uuid>().ok(), text.to_lowercase());
        self.0.iter().find(|node| Some(node.id) == id || node.name.to_lowercase() == lower)
    }

    /// Those directly below a site, by name.
    pub fn children(&self, id: Uuid) -> impl Iterator<Item = &SiteNode> {
        self.0.iter().filter(move |node| node.parent == Some(id))
    }

    /// How many sites stand above this one.
    pub fn depth(&self, id: Uuid) -> usize {
        let mut next = self.site(id).and_then(|node| node.parent);
        let mut depth = 0;
        while let (Some(above), true) = (next, depth <= self.0.len()) {
            depth += 1;
            next = self.site(above).and_then(|node| node.parent);
        }
        depth
    }

    /// Whether `inner` is `outer` or stands below it.
    pub fn is_within(&self, inner: Uuid, outer: Uuid) -> bool {
        let mut next = Some(inner);
        for _ in 0..=self.0.len() {
            match next {
                Some(id) if id == outer => return true,
                Some(id) => next = self.site(id).and_then(|node| node.parent),
                None => return false,
            }
        }
        false
    }

    /// Adds a site, or says why it cannot be there.
    pub fn add(&mut self, node: SiteNode) -> Result<(), SiteError> {
        checked_name(&node.name)?;
        if self.find(&node.name).is_some() || self.site(node.id).is_some() {
            return Err(SiteError::Exists(node.name));
        }
        match node.parent {
            None => {
                if let Some(top) = self.top() {
                    return Err(SiteError::SecondTop(top.name.clone()));
                }
            }
            Some(parent) => {
                let above = self.site(parent).ok_or_else(|| SiteError::Unknown(parent.to_string()))?;
                let most = above.kind.room_for(node.kind);
                if most == 0 {
                    let (above, above_kind) = (above.name.clone(), above.kind);
                    return Err(SiteError::Nesting { kind: node.kind, above, above_kind });
                }
                let have = self.children(parent).filter(|child| child.kind == node.kind).count();
                if have >= most || self.0.len() >= MOST_SITES {
                    return Err(SiteError::Full { above: above.name.clone(), kind: node.kind, most });
                }
            }
        }
        let nodes = std::mem::take(&mut self.0);
        *self = Self::new(nodes.into_iter().chain([node]));
        Ok(())
    }

    /// Takes out a site that nothing stands below.
    pub fn remove(&mut self, id: Uuid) -> Result<SiteNode, SiteError> {
        let node = self.site(id).ok_or_else(|| SiteError::Unknown(id.to_string()))?;
        let below = self.children(id).count();
        if below > 0 {
            return Err(SiteError::InUse { name: node.name.clone(), below });
        }
        let node = node.clone();
        self.0.retain(|other| other.id != id);
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn node(number: u128, name: &str, kind: SiteKind, parent: Option<u128>) -> SiteNode {
        SiteNode { id: Uuid::from_u128(number), name: name.to_owned(), kind, parent: parent.map(Uuid::from_u128) }
    }

    fn tree() -> SiteTree {
        SiteTree::new([
            node(4, "SEC1", SiteKind::Secondary, Some(2)),
            node(3, "PRI2", SiteKind::Primary, Some(1)),
            node(2, "PRI1", SiteKind::Primary, Some(1)),
            node(1, "CEN", SiteKind::Central, None),
        ])
    }

    #[test]
    fn the_order_is_top_down() {
        let tree = tree();
        let names: Vec<_> = tree.nodes().iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["CEN", "PRI1", "SEC1", "PRI2"]);
        assert_eq!(tree.depth(Uuid::from_u128(4)), 2);
        assert!(tree.is_within(Uuid::from_u128(4), Uuid::from_u128(1)));
        assert!(!tree.is_within(Uuid::from_u128(4), Uuid::from_u128(3)));
    }

    #[test]
    fn kinds_nest_as_they_must() {
        use SiteKind::{Central, Primary, Replica, Secondary};
        let allowed = [(1, Primary), (1, Replica), (2, Secondary), (2, Replica), (3, Secondary), (3, Replica)];
        for above in 1..=4 {
            for kind in [Central, Primary, Replica, Secondary] {
                let added = tree().add(node(9, "NEW", kind, Some(above)));
                assert_eq!(added.is_ok(), allowed.contains(&(above, kind)), "{kind} below {above}: {added:?}");
            }
        }
        assert_eq!(tree().add(node(9, "NEW", Central, None)), Err(SiteError::SecondTop("CEN".to_owned())));
    }

    #[test]
    fn names_are_unique_and_plain() {
        let error = tree().add(node(9, "pri2", SiteKind::Primary, Some(1))).expect_err("taken");
        assert_eq!(error, SiteError::Exists("pri2".to_owned()));
        for name in ["", " ", "a b", "-a", "a-", "a/b", "b3f0a1de-0000-4000-8000-000000000001", &"x".repeat(65)] {
            assert!(checked_name(name).is_err(), "{name:?}");
        }
        for name in ["A", " PRI1 ", "münchen-2", "a.b_c"] {
            assert!(checked_name(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn only_so_many_stand_below_one() {
        let mut tree = SiteTree::new([node(1, "CEN", SiteKind::Central, None)]);
        for number in 0..25 {
            tree.add(node(100 + number, &format!("P{number}"), SiteKind::Primary, Some(1))).expect("room");
        }
        let full = tree.add(node(200, "P25", SiteKind::Primary, Some(1)));
        assert!(matches!(full, Err(SiteError::Full { most: 25, .. })), "{full:?}");
    }

    #[test]
    fn a_site_with_others_below_it_stays() {
        let mut tree = tree();
        assert_eq!(tree.remove(Uuid::from_u128(2)), Err(SiteError::InUse { name: "PRI1".to_owned(), below: 1 }));
        tree.remove(Uuid::from_u128(4)).expect("nothing below");
        tree.remove(Uuid::from_u128(2)).expect("nothing below any more");
    }

    proptest! {
        /// Whatever a parent sends: no endless walk, no node twice, each after the one above it.
        #[test]
        fn any_nodes_become_a_tree(links in prop::collection::vec((0_u128..12, prop::option::of(0_u128..12)), 0..30)) {
            let mut seen = std::collections::BTreeSet::new();
            let nodes = links.into_iter().filter(|(id, _)| seen.insert(*id));
            let tree = SiteTree::new(nodes.map(|(id, parent)| node(id, &format!("S{id}"), SiteKind::Primary, parent)));
            let mut known = std::collections::BTreeSet::new();
            for node in tree.nodes() {
                prop_assert!(node.parent.is_none_or(|parent| known.contains(&parent)));
                prop_assert!(known.insert(node.id));
                prop_assert!(tree.depth(node.id) < tree.nodes().len());
            }
        }
    }
}
