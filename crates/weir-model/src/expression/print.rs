//! From an expression to its canonical text.

use std::fmt;

use super::{Expression, Field, Node, Order, Term, Test};

impl<F: Field> fmt::Display for Expression<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(&self.root, false, f)
    }
}

impl<F: Field> fmt::Display for Term<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.field.spec();
        let (name, kind) = (spec.name, spec.kind);
        match (&self.test, self.negated) {
            (Test::Compare(order, value), negated) => {
                write!(f, "{}{name} {order} ", if negated { "not " } else { "" })?;
                value.write(kind, f)
            }
            (Test::Contains(text), negated) => {
                write!(f, "{name} {} ", if negated { "!~" } else { "~" })?;
                text.write(kind, f)
            }
            (Test::Empty, negated) => write!(f, "{name} is {}empty", if negated { "not " } else { "" }),
            (Test::Flag, negated) => write!(f, "{}{name}", if negated { "not " } else { "" }),
            (Test::In(values), negated) => match values.as_slice() {
                [value] => {
                    write!(f, "{name} {} ", if negated { "!=" } else { "=" })?;
                    value.write(kind, f)
                }
                values => {
                    write!(f, "{name} {}in (", if negated { "not " } else { "" })?;
                    for (at, value) in values.iter().enumerate() {
                        f.write_str(if at == 0 { "" } else { ", " })?;
                        value.write(kind, f)?;
                    }
                    f.write_str(")")
                }
            },
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        })
    }
}

/// `inside` a conjunction, where alternatives need parentheses.
fn write<F: Field>(node: &Node<F>, inside: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let join = |parts: &[Node<F>], word: &str, inside: bool, f: &mut fmt::Formatter<'_>| {
        for (at, part) in parts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { word })?;
            write(part, inside, f)?;
        }
        Ok(())
    };
    match node {
        Node::All(parts) => join(parts, " and ", true, f),
        Node::Any(parts) if inside => {
            f.write_str("(")?;
            join(parts, " or ", false, f)?;
            f.write_str(")")
        }
        Node::Any(parts) => join(parts, " or ", false, f),
        Node::Not(inner) => {
            f.write_str("not (")?;
            write(inner, false, f)?;
            f.write_str(")")
        }
        Node::Term(term) => write!(f, "{term}"),
    }
}
