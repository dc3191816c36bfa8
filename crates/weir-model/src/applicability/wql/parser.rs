//! Queries.

use super::{
    super::{Gap, GapKind},
    lexer::{Token, tokens},
};

/// How deep conditions may be nested.
pub const MAX_NESTING: usize = 64;

/// Longest query, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The class.
    pub class: String,
    /// The selected properties; none for all of them.
    pub properties: Option<Vec<String>>,
    /// What instances must satisfy.
    pub condition: Option<Condition>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// A property compared with a literal.
    Compare {
        /// The property.
        property: String,
        /// How.
        comparison: Comparison,
        /// With what.
        literal: Literal,
    },
    /// The property is NULL.
    IsNull {
        /// The property.
        property: String,
    },
    /// The property is like a pattern.
    Like {
        /// The property.
        property: String,
        /// The pattern.
        pattern: String,
    },
    /// It does not hold.
    Not(Box<Condition>),
    /// At least one holds.
    Or(Vec<Condition>),
}

/// A comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `=`.
    Equal,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `<>`, `!=`.
    Unequal,
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
}

/// Reads a query; a gap if it is not of the subset.
pub fn parse(query: &str) -> Result<Query, Gap> {
    if query.len() > MAX_BYTES {
        return Err(Gap::new(GapKind::TooMuch, "WQL query"));
    }
    let mut parser = Parser { query, tokens: tokens(query)?.into_iter().peekable() };
    parser.keyword("SELECT")?;
    let properties = if parser.takes_mark("*") { None } else { Some(parser.list()?) };
    parser.keyword("FROM")?;
    let class = parser.name()?;
    let condition = if parser.takes_keyword("WHERE") { Some(parser.disjunction(0)?) } else { None };
    match parser.tokens.next() {
        None => Ok(Query { class, properties, condition }),
        Some(_) => Err(parser.unsupported()),
    }
}

/// Words that are no names.
const KEYWORDS: [&str; 15] = [
    "AND", "FALSE", "FROM", "GROUP", "HAVING", "IS", "ISA", "LIKE", "NOT", "NULL", "OR", "SELECT", "TRUE", "WHERE",
    "WITHIN",
];

struct Parser<'q> {
    query: &'q str,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Parser<'_> {
    fn unsupported(&self) -> Gap {
        unsupported(self.query)
    }

    fn takes_keyword(&mut self, keyword: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.tokens.next_if(is).is_some()
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), Gap> {
        if self.takes_keyword(keyword) { Ok(()) } else { Err(self.unsupported()) }
    }

    fn takes_mark(&mut self, mark: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Mark(found) if *found == mark)).is_some()
    }

    fn name(&mut self) -> Result<String, Gap> {
        match self.tokens.next() {
            Some(Token::Word(word)) if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => Ok(word),
            _ => Err(self.unsupported()),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, Gap> {
        let mut names = vec![self.name()?];
        while self.takes_mark(",") {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn disjunction(&mut self, nesting: usize) -> Result<Condition, Gap> {
        let mut parts = vec![self.conjunction(nesting)?];
        while self.takes_keyword("OR") {
            parts.push(self.conjunction(nesting)?);
        }
        Ok(joined(parts, Condition::Or))
    }

    fn conjunction(&mut self, nesting: usize) -> Result<Condition, Gap> {
        let mut parts = vec![self.negation(nesting)?];
        while self.takes_keyword("AND") {
            parts.push(self.negation(nesting)?);
        }
        Ok(joined(parts, Condition::And))
    }

    fn negation(&mut self, nesting: usize) -> Result<Condition, Gap> {
        let mut negations = 0_usize;
        while self.takes_keyword("NOT") {
            negations += 1;
        }
        let inside = self.comparison(nesting)?;
        Ok(if negations % 2 == 1 { Condition::Not(Box::new(inside)) } else { inside })
    }

    fn comparison(&mut self, nesting: usize) -> Result<Condition, Gap> {
        if self.takes_mark("(") {
            if nesting >= MAX_NESTING {
                return Err(Gap::new(GapKind::TooMuch, "nesting of a WQL query"));
            }
            let inside = self.disjunction(nesting + 1)?;
            return if self.takes_mark(")") { Ok(inside) } else { Err(self.unsupported()) };
        }
        let property = self.name()?;
        if self.takes_keyword("IS") {
            let negated = self.takes_keyword("NOT");
            self.keyword("NULL")?;
            let condition = Condition::IsNull { property };
            return Ok(if negated { Condition::Not(Box::new(condition)) } else { condition });
        }
        let negated = self.takes_keyword("NOT");
        if self.takes_keyword("LIKE") {
            let Some(Token::Text(pattern)) = self.tokens.next() else { return Err(self.unsupported()) };
            let condition = Condition::Like { property, pattern };
            return Ok(if negated { Condition::Not(Box::new(condition)) } else { condition });
        }
        let comparison = match self.tokens.next() {
            _ if negated => return Err(self.unsupported()),
            Some(Token::Mark("=")) => Comparison::Equal,
            Some(Token::Mark("<>" | "!=")) => Comparison::Unequal,
            Some(Token::Mark("<")) => Comparison::Less,
            Some(Token::Mark("<=")) => Comparison::LessOrEqual,
            Some(Token::Mark(">")) => Comparison::Greater,
            Some(Token::Mark(">=")) => Comparison::GreaterOrEqual,
            _ => return Err(self.unsupported()),
        };
        let literal = match self.tokens.next() {
            Some(Token::Text(text)) => Literal::Text(text),
            Some(Token::Integer(number)) => Literal::Integer(number),
            Some(Token::Real(number)) => Literal::Real(number),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("TRUE") => Literal::Boolean(true),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("FALSE") => Literal::Boolean(false),
            _ => return Err(self.unsupported()),
        };
        Ok(Condition::Compare { property, comparison, literal })
    }
}

fn joined(mut parts: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// A query beyond the subset, shown from where it goes beyond.
pub(super) fn unsupported(from: &str) -> Gap {
    Gap::new(GapKind::Unsupported, format!("WQL {:?}", super::super::evaluate::cut(from)))
}
