//! What a vocabulary says of its fields.

use std::{fmt::Debug, hash::Hash};

use crate::nearest::nearest;

/// An enumeration of the fields of one kind of thing.
pub trait Field: Copy + Debug + Eq + Hash + Ord + Send + Sync + 'static {
    /// Every field, by name.
    fn all() -> &'static [Self];
    /// What is to be known of this one.
    fn spec(self) -> &'static Spec;

    /// The field of that name or by-name, in any case.
    fn named(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        Self::all().iter().copied().find(|field| {
            let spec = field.spec();
            is(spec.name) || spec.aliases.iter().any(|alias| is(alias))
        })
    }

    /// The name that looks most like this one.
    fn nearest(name: &str) -> Option<String> {
        nearest(
            name,
            Self::all().iter().flat_map(|field| {
                let spec = field.spec();
                std::iter::once(spec.name).chain(spec.aliases.iter().copied())
            }),
        )
    }
}

/// A field, for parsers, help and documentation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spec {
    /// How it is written.
    pub name: &'static str,
    /// Other ways to write it.
    pub aliases: &'static [&'static str],
    /// Type.
    pub kind: Kind,
    /// What moves its value.
    pub source: Source,
    /// One sentence.
    pub meaning: &'static str,
    /// The feature it is there for, such as `ADR-2`; empty if none.
    pub feature: &'static str,
}

/// Type of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Network addresses, compared with addresses and ranges.
    Address,
    /// Numbers of articles; `KB` before them does not count.
    Article,
    /// Yes or no.
    Flag,
    /// A moment, compared with instants, days and ages.
    Instant,
    /// A whole number.
    Number(Unit),
    /// Other things, by id or name.
    Reference(Target),
    /// Texts.
    Text,
    /// A version of up to four parts.
    Version,
    /// Words out of a list of at most 32.
    Words {
        /// The words, in their order.
        words: &'static [&'static str],
        /// Other ways to write them: that, and the word meant.
        also: &'static [(&'static str, &'static str)],
        /// `<` and `>` mean something.
        ordered: bool,
    },
}

/// What a number counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Bytes; values may have a unit (`10 MB` is 10,000,000, `1 MiB` is 1,048,576).
    Bytes,
    /// Minutes; values may be written in minutes or hours.
    Minutes,
    /// Things.
    Plain,
}

/// What a reference may be written as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// A GUID or the number of an article.
    Article,
    /// A GUID only.
    Guid,
    /// A GUID or a name. Names are replaced by ids when something is saved ([`super::Expression::resolve`]).
    Name,
}

/// What moves the value of a field.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// Documents of updates: moves with imports and synchronizations.
    Catalogue,
    /// When a computer called last: moves with every call.
    Contact,
    /// Declines, accepted licences, custom severity, run times.
    Decisions,
    /// Deployments.
    Deployments,
    /// Update groups.
    Groups,
    /// What a computer registered with: moves seldom.
    Inventory,
    /// Members of collections.
    Membership,
    /// What computers reported of updates.
    Status,
}

/// What an expression depends on: only if one of these moved can its value have changed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Depends {
    /// Time alone; [`super::Expression::next_change`] says when.
    pub time: bool,
    /// See [`Source::Catalogue`].
    pub catalogue: bool,
    /// See [`Source::Contact`].
    pub contact: bool,
    /// See [`Source::Decisions`].
    pub decisions: bool,
    /// See [`Source::Deployments`].
    pub deployments: bool,
    /// See [`Source::Groups`].
    pub groups: bool,
    /// See [`Source::Inventory`].
    pub inventory: bool,
    /// See [`Source::Membership`].
    pub membership: bool,
    /// See [`Source::Status`].
    pub status: bool,
}

impl Depends {
    pub(super) fn add(&mut self, source: Source) {
        let which = match source {
            Source::Catalogue => &mut self.catalogue,
            Source::Contact => &mut self.contact,
            Source::Decisions => &mut self.decisions,
            Source::Deployments => &mut self.deployments,
            Source::Groups => &mut self.groups,
            Source::Inventory => &mut self.inventory,
            Source::Membership => &mut self.membership,
            Source::Status => &mut self.status,
        };
        *which = true;
    }
}

impl Kind {
    /// The type in words, for help and documentation.
    pub fn words(self) -> String {
        match self {
            Self::Address => "address".to_owned(),
            Self::Article => "article number".to_owned(),
            Self::Flag => "yes or no".to_owned(),
            Self::Instant => "time, day or age".to_owned(),
            Self::Number(Unit::Bytes) => "size".to_owned(),
            Self::Number(Unit::Minutes) => "minutes".to_owned(),
            Self::Number(Unit::Plain) => "number".to_owned(),
            Self::Reference(Target::Article) => "id or article number".to_owned(),
            Self::Reference(Target::Guid) => "id".to_owned(),
            Self::Reference(Target::Name) => "name or id".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Version => "version".to_owned(),
            Self::Words { words, .. } => words.join(", "),
        }
    }

    /// The comparisons that it takes, for help and documentation.
    pub fn operators(self) -> &'static str {
        match self {
            Self::Address => "= != in",
            Self::Flag => "(alone) = !=",
            Self::Instant | Self::Number(_) | Self::Version => "= != < <= > >= in",
            Self::Words { ordered: true, .. } => "= != ~ !~ < <= > >= in",
            Self::Article | Self::Reference(_) | Self::Text | Self::Words { .. } => "= != ~ !~ in",
        }
    }

    /// A value as an example.
    pub fn example(self) -> &'static str {
        match self {
            Self::Address => "10.1.0.0/16",
            Self::Article => "KB5005112",
            Self::Flag => "true",
            Self::Instant => "30 days",
            Self::Number(Unit::Bytes) => "10 MB",
            Self::Number(Unit::Minutes) => "90 minutes",
            Self::Number(Unit::Plain) => "10",
            Self::Reference(Target::Article) => "KB5005112",
            Self::Reference(Target::Guid) => "5cc25303-143f-40f3-a2ff-803a1db69955",
            Self::Reference(Target::Name) | Self::Text => "\"...\"",
            Self::Version => "10.0.19045",
            Self::Words { words, .. } => words.first().copied().unwrap_or_default(),
        }
    }
}

/// Makes an enumeration of fields of a table: documentation (one line, which is also the meaning), variant = name and
/// by-names: kind, source, feature.
macro_rules! vocabulary {
    (
        $(#[$outer:meta])*
        pub enum $enum:ident {
            $(
                #[doc = $meaning:literal]
                $variant:ident = $name:literal $(| $alias:literal)* : $kind:expr, $source:ident, $feature:literal;
            )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $enum {
            $(
                #[doc = $meaning]
                $variant,
            )+
        }

        impl $crate::expression::Field for $enum {
            fn all() -> &'static [Self] {
                &[$(Self::$variant),+]
            }

            fn spec(self) -> &'static $crate::expression::Spec {
                match self {
                    $(
                        Self::$variant => const {
                            &$crate::expression::Spec {
                                name: $name,
                                aliases: &[$($alias),*],
                                kind: $kind,
                                source: $crate::expression::Source::$source,
                                meaning: $meaning.trim_ascii(),
                                feature: $feature,
                            }
                        },
                    )+
                }
            }
        }
    };
}
pub(super) use vocabulary;
