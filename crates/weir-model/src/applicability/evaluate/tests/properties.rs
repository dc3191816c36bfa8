//! Laws that hold for every expression and every computer.

use proptest::prelude::*;

use crate::{
    applicability::{
        Bounds, Context, Facts, Truth, evaluate, generate,
        memory::{Memory, Uncollected},
    },
    document::rules::Expr,
};

fn answer(expr: &Expr, facts: &dyn Facts) -> Truth {
    evaluate(expr, facts, &Context::default(), &Bounds::default())
}

fn known(expr: &Expr, facts: &dyn Facts) -> Option<bool> {
    answer(expr, facts).known()
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

/// Kleene's tables.
fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn connectives_follow_kleene(a in generate::expr(), b in generate::expr(), changes in generate::changes(), all: bool) {
        let whole = generate::known(&changes);
        let partial = partial(&changes);
        let facts: &dyn Facts = if all { &whole } else { &partial };
        let (left, right) = (known(&a, facts), known(&b, facts));
        let contrary = |answer: Option<bool>| answer.map(|answer| !answer);
        prop_assert_eq!(known(&Expr::And(vec![a.clone(), b.clone()]), facts), and(left, right));
        prop_assert_eq!(known(&Expr::Or(vec![a.clone(), b.clone()]), facts), contrary(and(contrary(left), contrary(right))));
        prop_assert_eq!(known(&not(a.clone()), facts), contrary(left));
        // De Morgan, double negation, and the order of the parts.
        let either = Expr::Or(vec![a.clone(), b.clone()]);
        let neither = Expr::And(vec![not(a.clone()), not(b.clone())]);
        prop_assert_eq!(known(&not(either), facts), known(&neither, facts));
        prop_assert_eq!(known(&not(not(a.clone())), facts), left);
        prop_assert_eq!(
            known(&Expr::And(vec![b.clone(), a.clone()]), facts),
            known(&Expr::And(vec![a.clone(), b.clone()]), facts)
        );
        prop_assert_eq!(known(&Expr::Or(vec![b.clone(), a.clone()]), facts), known(&Expr::Or(vec![a, b]), facts));
    }

    /// What is true or false with some facts stays so when more are known: learning a fact turns no answer round.
    #[test]
    fn learning_turns_no_answer_round(
        expr in generate::expr(),
        changes in generate::changes(),
        more in generate::changes(),
    ) {
        let before = known(&expr, &partial(&changes));
        let beneath = generate::known(&more);
        let mut after = Memory::over(&beneath);
        after.apply_all(&changes).expect("no devices");
        if let Some(before) = before {
            prop_assert_eq!(known(&expr, &after), Some(before));
        }
    }

    /// Unknown answers have reasons, known ones have none, and the same question has the same answer.
    #[test]
    fn reasons_go_with_unknown_answers(expr in generate::expr(), changes in generate::changes()) {
        for facts in [&generate::known(&changes) as &dyn Facts, &partial(&changes)] {
            let answer = answer(&expr, facts);
            prop_assert_eq!(answer.known().is_none(), !answer.gaps().is_empty());
            prop_assert!(answer.gaps().len() <= Bounds::default().gaps);
            prop_assert_eq!(self::answer(&expr, facts), answer);
        }
    }

    /// A tighter bound makes an answer unknown, never another one.
    #[test]
    fn bounds_only_take_answers_away(expr in generate::expr(), changes in generate::changes(), steps in 0..40_usize) {
        let facts = generate::known(&changes);
        let bounded = evaluate(&expr, &facts, &Context::default(), &Bounds { steps, subkeys: 1, ..Bounds::default() });
        if let Some(bounded) = bounded.known() {
            prop_assert_eq!(known(&expr, &facts), Some(bounded));
        }
    }
}

/// A computer of which only these changes and its system are known.
fn partial(changes: &[crate::applicability::Change]) -> Memory<&'static Uncollected> {
    let mut computer = Memory::over(&Uncollected);
    *computer.system_mut() = generate::system();
    computer.apply_all(changes).expect("no devices");
    computer
}
