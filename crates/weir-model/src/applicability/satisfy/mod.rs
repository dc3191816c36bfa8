//! Which changes of facts make a rule hold: what installing an update does to a modelled computer.
//!
//! The expression is gone through once for each way to decide it. Of several alternatives the first is taken that can be
//! made true. Every step is checked with the evaluator on a computer that has the changes so far, so what is returned does
//! what it promises, or nothing is returned.

mod files;
mod leaf;
mod msi;
mod system;
#[cfg(test)]
mod tests;
mod values;

use super::{
    Bounds, Change, Context, Facts, Gap, GapKind, Truth,
    evaluate::{Target, cut, evaluate_within, resolve, too_much, unsupported},
    memory::Memory,
};
use crate::document::rules::{
    Expr,
    base::{BaseRule, LoopLogic, RegistryKey},
};

/// How deep an expression may be nested here.
const DEPTH: usize = 128;

/// The changes, to be made in their order, after which an expression holds; none if it holds already. An error if none are
/// known: the rule is not understood, asks for what no update can change (hardware, language), contradicts itself, or
/// more than [`Bounds`] allow would be needed.
///
/// Property: after [`Memory::apply_all`] on `Memory::over(facts)`, [`evaluate`](super::evaluate()) says true.
pub fn satisfy(expr: &Expr, facts: &dyn Facts, context: &Context<'_>, bounds: &Bounds) -> Result<Vec<Change>, Gap> {
    solve(expr, true, facts, context, bounds)
}

/// The same for the contrary: what removing an update does.
pub fn refute(expr: &Expr, facts: &dyn Facts, context: &Context<'_>, bounds: &Bounds) -> Result<Vec<Change>, Gap> {
    solve(expr, false, facts, context, bounds)
}

fn solve(
    expr: &Expr,
    wanted: bool,
    facts: &dyn Facts,
    context: &Context<'_>,
    bounds: &Bounds,
) -> Result<Vec<Change>, Gap> {
    let state = State { computer: Memory::over(facts), changes: Vec::new() };
    let mut solver = Solver { context, bounds, steps: bounds.steps, targets: Vec::new(), state };
    solver.expr(expr, wanted, 0)?;
    // What was made true early may have been undone later.
    if solver.is(expr, wanted) { Ok(solver.state.changes) } else { Err(conflict()) }
}

/// A computer with the changes so far.
#[derive(Clone)]
struct State<'a> {
    computer: Memory<&'a dyn Facts>,
    changes: Vec<Change>,
}

struct Solver<'a> {
    context: &'a Context<'a>,
    bounds: &'a Bounds,
    /// Steps of evaluation that are left, in all.
    steps: usize,
    /// The keys that the loops around stand at, the innermost last.
    targets: Vec<Target>,
    state: State<'a>,
}

impl Solver<'_> {
    /// Whether an expression is known to be as wanted.
    fn is(&mut self, expr: &Expr, wanted: bool) -> bool {
        self.evaluate(expr).known() == Some(wanted)
    }

    fn evaluate(&mut self, expr: &Expr) -> Truth {
        let targets = self.targets.clone();
        evaluate_within(expr, &self.state.computer, self.context, self.bounds, targets, &mut self.steps)
    }

    fn expr(&mut self, expr: &Expr, wanted: bool, depth: usize) -> Result<(), Gap> {
        if depth > DEPTH {
            return Err(too_much("nesting of a rule"));
        }
        self.steps = self.steps.checked_sub(1).ok_or_else(|| too_much("rule"))?;
        if self.is(expr, wanted) {
            return Ok(());
        }
        match expr {
            Expr::And(inside) if wanted => self.all(inside, wanted, depth),
            Expr::Or(inside) if !wanted => self.all(inside, wanted, depth),
            Expr::And(inside) | Expr::Or(inside) => {
                self.first(inside, |solver, expr| solver.expr(expr, wanted, depth + 1))
            }
            Expr::Not(inside) => self.expr(inside, !wanted, depth + 1),
            Expr::Base(rule) => match &**rule {
                BaseRule::RegKeyLoop { key, true_if, body } => self.each(key, *true_if, body, wanted, depth),
                rule => {
                    let changes = self.base(rule, wanted)?;
                    self.make(expr, wanted, changes)
                }
            },
            Expr::Cbs(rule) => {
                let changes = self.cbs(rule, wanted)?;
                self.make(expr, wanted, changes)
            }
            Expr::Driver(rule) => {
                let changes = self.driver(*rule, wanted)?;
                self.make(expr, wanted, changes)
            }
            Expr::Msi(rule) => {
                let changes = self.msi(rule, wanted)?;
                self.make(expr, wanted, changes)
            }
            Expr::ProductReleaseVersion(rule) => {
                let changes = leaf::release(rule, wanted)?;
                self.make(expr, wanted, changes)
            }
            Expr::False | Expr::True => Err(unsupported("True and False, which nothing changes")),
            Expr::Unknown(unknown) => Err(Gap::new(GapKind::UnknownRule, cut(&unknown.name))),
        }
    }

    /// Makes changes, and checks that a rule is then as wanted.
    fn make(&mut self, expr: &Expr, wanted: bool, changes: Vec<Change>) -> Result<(), Gap> {
        for change in changes {
            self.change(change)?;
        }
        match self.evaluate(expr) {
            answer if answer.known() == Some(wanted) => Ok(()),
            Truth::Unknown(gaps) => Err(gaps.kept().first().cloned().unwrap_or_else(conflict)),
            _ => Err(unsupported("a rule that no known change satisfies")),
        }
    }

    fn change(&mut self, change: Change) -> Result<(), Gap> {
        if self.state.changes.len() >= self.bounds.changes {
            return Err(too_much("changes"));
        }
        self.state.computer.apply(&change)?;
        self.state.changes.push(change);
        Ok(())
    }

    /// All must be as wanted. A second pass repairs what a later one undid.
    fn all(&mut self, inside: &[Expr], wanted: bool, depth: usize) -> Result<(), Gap> {
        if inside.is_empty() {
            return Err(Gap::new(GapKind::Misfit, "And or Or without an expression"));
        }
        for _ in 0..2 {
            for expr in inside {
                self.expr(expr, wanted, depth + 1)?;
            }
            let mut done = true;
            for expr in inside {
                done = done && self.is(expr, wanted);
            }
            if done {
                return Ok(());
            }
        }
        Err(conflict())
    }

    /// The first that can be made as wanted; what the others tried is undone.
    fn first<T>(&mut self, choices: &[T], mut make: impl FnMut(&mut Self, &T) -> Result<(), Gap>) -> Result<(), Gap> {
        let before = self.state.clone();
        let mut why = None;
        for choice in choices {
            match make(self, choice) {
                Ok(()) => return Ok(()),
                Err(gap) => {
                    why.get_or_insert(gap);
                    self.state = before.clone();
                }
            }
        }
        Err(why.unwrap_or_else(|| Gap::new(GapKind::Misfit, "And or Or without an expression")))
    }

    /// A loop over subkeys: one of them is as wanted, or all are.
    fn each(
        &mut self,
        key: &RegistryKey,
        true_if: LoopLogic,
        body: &Expr,
        wanted: bool,
        depth: usize,
    ) -> Result<(), Gap> {
        let parent = resolve(key, self.targets.last())?;
        let mut names = self.state.computer.registry_subkeys(parent.path())?.unwrap_or_default();
        if names.len() > self.bounds.subkeys {
            return Err(too_much("RegKeyLoop"));
        }
        let (one, of_each) = match (true_if, wanted) {
            (LoopLogic::Any, true) => (true, true),
            (LoopLogic::Any, false) | (LoopLogic::None, true) => (false, false),
            (LoopLogic::All, true) => (false, true),
            (LoopLogic::All, false) => (true, false),
            (LoopLogic::None, false) => (true, true),
        };
        if one {
            names.push(NEW_SUBKEY.to_owned());
            return self.first(&names, |solver, name| {
                let subkey = parent.subkey(name);
                if name == NEW_SUBKEY {
                    let subkey = RegistryKey { hive: subkey.hive, subkey: subkey.path.clone(), view32: subkey.view32 };
                    solver.change(Change::AddKey(subkey))?;
                }
                solver.inside(subkey, body, of_each, depth)
            });
        }
        names.iter().try_for_each(|name| self.inside(parent.subkey(name), body, of_each, depth))
    }

    fn inside(&mut self, target: Target, body: &Expr, wanted: bool, depth: usize) -> Result<(), Gap> {
        self.targets.push(target);
        let answer = self.expr(body, wanted, depth + 1);
        self.targets.pop();
        answer
    }

    /// The key that a rule means, as changes name it.
    fn key(&self, key: &RegistryKey) -> Result<RegistryKey, Gap> {
        let target = resolve(key, self.targets.last())?;
        Ok(RegistryKey { hive: target.hive, subkey: target.path, view32: target.view32 })
    }
}

/// The subkey that is made where a loop needs one.
const NEW_SUBKEY: &str = "Weir";

fn conflict() -> Gap {
    unsupported("a rule whose parts contradict each other")
}
