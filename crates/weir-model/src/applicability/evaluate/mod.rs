//! Evaluates rules.
//!
//! One file per vocabulary. The walk over the connectives keeps its own stack, since their depth comes from outside.

mod cbs;
mod drivers;
mod files;
mod msi;
mod registry;
mod system;
#[cfg(test)]
mod tests;
mod text;

use std::slice;

pub(super) use self::{
    drivers::standings,
    files::{FileName, file_name},
    registry::{Target, resolve},
};
use super::{
    Bounds, Facts, Gap, GapKind, Truth,
    facts::{Fact, KeyPath},
    truth::Gaps,
    wql,
};
use crate::{
    document::{
        CoreFragment, UpdateDocument,
        rules::{
            Expr, Metadata, Unknown, Version,
            base::{BaseRule, LoopLogic},
            logic::ProductReleaseVersion,
        },
    },
    ids::UpdateId,
    update::DriverMetadata,
};

/// What rules refer to beside the computer: the update that they belong to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The update, for `InstalledOnce`.
    pub update: Option<UpdateId>,
    /// `ApplicabilityRules/Metadata`, for rules of packages, patches and applications without fields of their own.
    pub metadata: &'a [Metadata],
    /// The hardware ids that the update serves, for rules of drivers.
    pub drivers: &'a [DriverMetadata],
}

impl<'a> From<&'a UpdateDocument> for Context<'a> {
    fn from(document: &'a UpdateDocument) -> Self {
        Self {
            update: Some(document.identity.update_id),
            metadata: &document.rules.metadata,
            drivers: &document.drivers,
        }
    }
}

impl<'a> From<&'a CoreFragment> for Context<'a> {
    fn from(core: &'a CoreFragment) -> Self {
        Self { update: Some(core.identity.update_id), metadata: &core.rules.metadata, drivers: &core.drivers }
    }
}

/// Whether an expression holds on a computer.
///
/// And, Or, Not and loops are those of Kleene's strong logic: an answer that is decided by what is known is given, whatever
/// is not known. What would exceed a bound is unknown ([`GapKind::TooMuch`]).
pub fn evaluate(expr: &Expr, facts: &dyn Facts, context: &Context<'_>, bounds: &Bounds) -> Truth {
    evaluate_within(expr, facts, context, bounds, Vec::new(), &mut { bounds.steps })
}

/// The same for an expression that stands inside loops, of which `targets` are the keys, with these steps left.
pub(super) fn evaluate_within(
    expr: &Expr,
    facts: &dyn Facts,
    context: &Context<'_>,
    bounds: &Bounds,
    targets: Vec<Target>,
    steps: &mut usize,
) -> Truth {
    let mut evaluation = Evaluation { facts, context, bounds, steps: *steps, frames: Vec::new(), targets };
    let answer = evaluation.run(expr);
    *steps = evaluation.steps;
    answer
}

/// An evaluation under way.
struct Evaluation<'a> {
    facts: &'a dyn Facts,
    context: &'a Context<'a>,
    bounds: &'a Bounds,
    /// Steps that are left.
    steps: usize,
    /// Expressions that were entered and not left.
    frames: Vec<Frame<'a>>,
    /// The keys that the loops around stand at, the innermost last.
    targets: Vec<Target>,
}

/// An expression that waits for those inside it.
enum Frame<'a> {
    Not,
    /// One of many: a child with the answer `decisive` decides.
    Many {
        rest: slice::Iter<'a, Expr>,
        decisive: bool,
        gaps: Option<Gaps>,
    },
    /// The same over subkeys. The names of those that are left, in reverse.
    Loop {
        rest: Vec<String>,
        parent: Target,
        body: &'a Expr,
        decisive: bool,
        negate: bool,
        gaps: Option<Gaps>,
    },
}

/// What to do next.
enum Next<'a> {
    Enter(&'a Expr),
    Leave(Truth),
}

impl<'a> Evaluation<'a> {
    fn run(&mut self, root: &'a Expr) -> Truth {
        let mut next = Next::Enter(root);
        loop {
            next = match next {
                Next::Enter(expr) => {
                    let Some(steps) = self.steps.checked_sub(1) else { return Truth::gap(too_much("rule")) };
                    self.steps = steps;
                    self.enter(expr)
                }
                Next::Leave(answer) => match self.frames.pop() {
                    Some(frame) => self.resume(frame, answer),
                    None => return answer,
                },
            };
        }
    }

    fn enter(&mut self, expr: &'a Expr) -> Next<'a> {
        match expr {
            Expr::And(inside) => self.many(inside, false),
            Expr::Or(inside) => self.many(inside, true),
            Expr::Not(inside) => {
                self.frames.push(Frame::Not);
                Next::Enter(inside)
            }
            Expr::Base(rule) => match &**rule {
                BaseRule::RegKeyLoop { key, true_if, body } => {
                    let target = resolve(key, self.targets.last());
                    let answer = target.and_then(|target| self.enter_loop(target, *true_if, body));
                    answer.unwrap_or_else(|gap| Next::Leave(Truth::gap(gap)))
                }
                rule => Next::Leave(self.base(rule)),
            },
            Expr::Cbs(rule) => Next::Leave(cbs::evaluate(rule, self.facts, self.context)),
            Expr::Driver(rule) => Next::Leave(drivers::evaluate(*rule, self.facts, self.context)),
            Expr::Msi(rule) => Next::Leave(msi::evaluate(rule, self.facts, self.context)),
            Expr::ProductReleaseVersion(rule) => Next::Leave(release(rule, self.facts).into()),
            Expr::False => Next::Leave(Truth::False),
            Expr::True => Next::Leave(Truth::True),
            Expr::Unknown(unknown) => Next::Leave(Truth::gap(unknown_rule(unknown))),
        }
    }

    /// Enters a connective. Its schema wants children: without any it is not understood.
    fn many(&mut self, inside: &'a [Expr], decisive: bool) -> Next<'a> {
        let mut rest = inside.iter();
        match rest.next() {
            Some(first) => {
                self.frames.push(Frame::Many { rest, decisive, gaps: None });
                Next::Enter(first)
            }
            None => Next::Leave(Truth::gap(Gap::new(GapKind::Misfit, if decisive { "Or" } else { "And" }))),
        }
    }

    /// Enters a loop. A key without subkeys, or that does not exist, has none for which the expression holds, and none for
    /// which it does not.
    fn enter_loop(&mut self, parent: Target, true_if: LoopLogic, body: &'a Expr) -> Fact<Next<'a>> {
        let mut rest = self.facts.registry_subkeys(parent.path())?.unwrap_or_default();
        if rest.len() > self.bounds.subkeys {
            return Err(too_much("RegKeyLoop"));
        }
        // Names are kept while a loop runs, so loops inside loops must not have more of them than steps.
        self.steps = self.steps.checked_sub(rest.len()).ok_or_else(|| too_much("RegKeyLoop"))?;
        rest.reverse();
        let (decisive, negate) = match true_if {
            LoopLogic::All => (false, false),
            LoopLogic::Any => (true, false),
            LoopLogic::None => (true, true),
        };
        Ok(self.turn(rest, parent, body, decisive, negate, None))
    }

    /// The next subkey of a loop, or its answer.
    fn turn(
        &mut self,
        mut rest: Vec<String>,
        parent: Target,
        body: &'a Expr,
        decisive: bool,
        negate: bool,
        gaps: Option<Gaps>,
    ) -> Next<'a> {
        if let Some(name) = rest.pop() {
            self.targets.push(parent.subkey(&name));
            self.frames.push(Frame::Loop { rest, parent, body, decisive, negate, gaps });
            return Next::Enter(body);
        }
        let answer = gaps.map_or(Truth::from(!decisive), Truth::Unknown);
        Next::Leave(if negate { !answer } else { answer })
    }

    fn resume(&mut self, frame: Frame<'a>, answer: Truth) -> Next<'a> {
        match frame {
            Frame::Not => Next::Leave(!answer),
            Frame::Many { mut rest, decisive, gaps } => {
                if answer.known() == Some(decisive) {
                    return Next::Leave(answer);
                }
                let gaps = self.collect(gaps, answer);
                match rest.next() {
                    Some(following) => {
                        self.frames.push(Frame::Many { rest, decisive, gaps });
                        Next::Enter(following)
                    }
                    None => Next::Leave(gaps.map_or(Truth::from(!decisive), Truth::Unknown)),
                }
            }
            Frame::Loop { rest, parent, body, decisive, negate, gaps } => {
                self.targets.pop();
                if answer.known() == Some(decisive) {
                    return Next::Leave(if negate { !answer } else { answer });
                }
                let gaps = self.collect(gaps, answer);
                self.turn(rest, parent, body, decisive, negate, gaps)
            }
        }
    }

    fn collect(&self, gaps: Option<Gaps>, answer: Truth) -> Option<Gaps> {
        match (gaps, answer) {
            (None, Truth::Unknown(new)) => Some(new),
            (Some(gaps), Truth::Unknown(new)) => Some(gaps.with(new, self.bounds.gaps)),
            (gaps, _) => gaps,
        }
    }

    fn base(&mut self, rule: &BaseRule) -> Truth {
        let target = self.targets.last();
        match rule {
            BaseRule::WmiQuery { namespace, query } => {
                let namespace = namespace.as_deref().unwrap_or(wql::DEFAULT_NAMESPACE);
                wql::evaluate(namespace, query, self.facts, &mut self.steps)
            }
            BaseRule::InstalledOnce => match self.context.update {
                Some(update) => self.facts.installed_once(update).into(),
                None => Truth::gap(unsupported("InstalledOnce without an update")),
            },
            _ => system::evaluate(rule, self.facts)
                .or_else(|| registry::evaluate(rule, self.facts, target))
                .or_else(|| files::evaluate(rule, self.facts, target))
                .unwrap_or_else(|| Truth::gap(unsupported("base rule"))),
        }
    }
}

/// `upd:ProductReleaseVersion`: the release of an installed product (no published schema; the attributes are those that
/// occur in genuine documents, and it is read like the other comparisons of versions). A product that is not installed
/// has no release.
fn release(rule: &ProductReleaseVersion, facts: &dyn Facts) -> Fact<bool> {
    let stated: Version =
        rule.version.parse().map_err(|_| misfit(format!("ProductReleaseVersion, Version {:?}", cut(&rule.version))))?;
    Ok(facts.product_release(&rule.name)?.is_some_and(|found| rule.comparison.admits(found.cmp(&stated))))
}

fn unknown_rule(unknown: &Unknown) -> Gap {
    let name = cut(&unknown.name);
    match &unknown.misfit {
        Some(misfit) => Gap::new(GapKind::Misfit, format!("{name}, {}", cut(misfit))),
        None => Gap::new(GapKind::UnknownRule, name),
    }
}

fn misfit(subject: String) -> Gap {
    Gap::new(GapKind::Misfit, subject)
}

pub(super) fn unsupported(subject: &'static str) -> Gap {
    Gap::new(GapKind::Unsupported, subject)
}

pub(super) fn too_much(subject: &'static str) -> Gap {
    Gap::new(GapKind::TooMuch, subject)
}

/// What a source does not know of something that it has.
fn not_collected(subject: impl Into<std::borrow::Cow<'static, str>>) -> Gap {
    Gap::new(GapKind::NotCollected, subject)
}

/// A key for people, at most 200 characters.
fn shown(key: KeyPath<'_>) -> String {
    let root = match key.hive {
        crate::document::rules::base::Hive::ClassesRoot => "HKEY_CLASSES_ROOT",
        crate::document::rules::base::Hive::CurrentUser => "HKEY_CURRENT_USER",
        crate::document::rules::base::Hive::LocalMachine => "HKEY_LOCAL_MACHINE",
        crate::document::rules::base::Hive::LoopTarget => "HKEY_LOOP_TARGET",
        crate::document::rules::base::Hive::Users => "HKEY_USERS",
    };
    format!("{root}\\{}", cut(key.path))
}

/// At most 160 characters, for subjects of gaps.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(160).collect()
}
