//! From tokens to an expression.

use super::{
    DEEPEST, Expression, Field, LONGEST, MOST, Node, Order, Term, Test, Text, Value, all, any, not,
    token::{self, Token, tokens},
    value::is_unit,
    vocabulary::Kind,
};

/// Why a text is not an expression.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("wrong at character {}: {message}", position + 1)]
pub struct ParseError {
    /// Characters before the place.
    pub position: usize,
    /// What was expected there, or what is wrong.
    pub message: String,
}

impl ParseError {
    pub(super) fn new(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

pub(super) fn parse<F: Field>(text: &str) -> Result<Expression<F>, ParseError> {
    let too_long = || ParseError::new(LONGEST, format!("an expression has at most {LONGEST} characters"));
    if text.chars().count() > LONGEST {
        return Err(too_long());
    }
    let root = Parser::new(text)?.whole()?;
    let expression = Expression { root };
    // what is kept is the canonical text, and it must be readable again
    if expression.to_string().chars().count() > LONGEST {
        return Err(too_long());
    }
    Ok(expression)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    end: usize,
    terms: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Self, ParseError> {
        Ok(Self { tokens: tokens(text)?.into_iter().peekable(), end: text.chars().count(), terms: 0 })
    }

    fn whole<F: Field>(mut self) -> Result<Node<F>, ParseError> {
        let node = self.expression(0)?;
        match self.tokens.next() {
            None => Ok(node),
            Some(token) => Err(ParseError::new(token.position, "expected \"and\", \"or\" or the end")),
        }
    }

    fn expression<F: Field>(&mut self, depth: usize) -> Result<Node<F>, ParseError> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.keyword("or") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(any(parts))
    }

    fn conjunction<F: Field>(&mut self, depth: usize) -> Result<Node<F>, ParseError> {
        let mut parts = vec![self.factor(depth)?];
        while self.keyword("and") {
            parts.push(self.factor(depth)?);
        }
        Ok(all(parts))
    }

    fn factor<F: Field>(&mut self, depth: usize) -> Result<Node<F>, ParseError> {
        let position = self.position();
        if depth > DEEPEST {
            return Err(ParseError::new(position, "nested too deeply"));
        }
        if self.keyword("not") {
            return Ok(not(self.factor(depth + 1)?));
        }
        match self.tokens.next() {
            Some(Token { kind: token::Kind::Open, .. }) => {
                let inner = self.expression(depth + 1)?;
                self.close()?;
                Ok(inner)
            }
            Some(Token { kind: token::Kind::Word(name), position }) => self.term(&name, position).map(Node::Term),
            other => Err(self.wrong(other.as_ref(), "expected a field, \"not\" or \"(\"")),
        }
    }

    fn term<F: Field>(&mut self, name: &str, position: usize) -> Result<Term<F>, ParseError> {
        let Some(field) = F::named(name) else {
            let tail = F::nearest(name).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(ParseError::new(position, format!("there is no field {name:?}{tail}")));
        };
        self.count(position)?;
        let kind = field.spec().kind;
        if kind == Kind::Flag {
            return self.flag(field, name, position);
        }
        if self.keyword("is") {
            let negated = self.keyword("not");
            return if self.keyword("empty") {
                Ok(Term { field, negated, test: Test::Empty })
            } else {
                Err(ParseError::new(self.position(), "expected \"empty\""))
            };
        }
        let negated = self.keyword("not");
        if self.keyword("in") {
            return Ok(Term { field, negated, test: Test::In(self.list(name, kind)?) });
        }
        if negated {
            return Err(ParseError::new(self.position(), "expected \"in\""));
        }
        let Some(Token { kind: token::Kind::Sign(sign), .. }) =
            self.tokens.next_if(|token| matches!(token.kind, token::Kind::Sign(_)))
        else {
            let message = format!("expected a comparison of {name}, such as {name} = ...");
            return Err(ParseError::new(self.position(), message));
        };
        let negated = sign.starts_with('!');
        let test = match sign {
            "=" | "!=" => Test::In(vec![self.value(name, kind, true)?]),
            "~" | "!~" => {
                if !kind.operators().contains('~') {
                    let message = format!("{name} is {} and cannot be searched with {sign}", noun(kind));
                    return Err(ParseError::new(position, message));
                }
                let (text, _) = self.text()?;
                Test::Contains(Text::part(kind, &text))
            }
            _ => {
                let order = match sign {
                    ">" => Order::Greater,
                    ">=" => Order::GreaterOrEqual,
                    "<" => Order::Less,
                    _ => Order::LessOrEqual,
                };
                if !kind.operators().contains('<') {
                    let message = format!("{name} is {} and cannot be compared with {sign}", noun(kind));
                    return Err(ParseError::new(position, message));
                }
                Test::Compare(order, self.value(name, kind, false)?)
            }
        };
        Ok(Term { field, negated, test })
    }

    fn flag<F: Field>(&mut self, field: F, name: &str, position: usize) -> Result<Term<F>, ParseError> {
        let sign = self.tokens.next_if(|token| matches!(token.kind, token::Kind::Sign(_)));
        let negated = match sign {
            None => false,
            Some(Token { kind: token::Kind::Sign(sign @ ("=" | "!=")), .. }) => {
                let (value, at) = self.text()?;
                let wanted = match value.trim().to_ascii_lowercase().as_str() {
                    "true" | "yes" => true,
                    "false" | "no" => false,
                    _ => return Err(ParseError::new(at, format!("{name} is true or false"))),
                };
                wanted != (sign == "=")
            }
            Some(Token { kind: token::Kind::Sign(sign), .. }) => {
                return Err(ParseError::new(position, format!("{name} cannot be compared with {sign}")));
            }
            Some(other) => return Err(self.wrong(Some(&other), "expected \"=\"")),
        };
        Ok(Term { field, negated, test: Test::Flag })
    }

    fn list(&mut self, name: &str, kind: Kind) -> Result<Vec<Value>, ParseError> {
        if self.tokens.next_if(|token| token.kind == token::Kind::Open).is_none() {
            return Ok(vec![self.value(name, kind, true)?]);
        }
        let mut values = vec![self.value(name, kind, true)?];
        while self.tokens.next_if(|token| token.kind == token::Kind::Comma).is_some() {
            let position = self.position();
            let value = self.value(name, kind, true)?;
            if !values.contains(&value) {
                self.count(position)?;
                values.push(value);
            }
        }
        match self.tokens.next() {
            Some(Token { kind: token::Kind::Close, .. }) => Ok(values),
            other => Err(self.wrong(other.as_ref(), "expected \",\" or \")\"")),
        }
    }

    /// A value; `equal` if it is for equality, which ages are not made for.
    fn value(&mut self, name: &str, kind: Kind, equal: bool) -> Result<Value, ParseError> {
        let quoted = matches!(self.tokens.peek(), Some(Token { kind: token::Kind::Text(_), .. }));
        let (mut text, at) = self.text()?;
        if !quoted {
            self.join(kind, &mut text);
        }
        let value = Value::read(kind, &text).map_err(|expected| match kind {
            Kind::Number(_) => ParseError::new(at, expected),
            Kind::Words { .. } => ParseError::new(at, format!("{name} is one of {expected}")),
            _ => ParseError::new(at, format!("{text:?} is not what {name} is compared with: expected {expected}")),
        })?;
        match &value {
            Value::Instant(super::When::Age(_)) if equal => {
                Err(ParseError::new(at, format!("an age is compared with < or >, such as {name} < {text}")))
            }
            Value::Reference(super::Reference::Name(name_text)) if name_text.folded().is_empty() => {
                Err(ParseError::new(at, format!("{name} is compared with a name or an id; use \"is empty\" for none")))
            }
            _ => Ok(value),
        }
    }

    /// Takes the unit behind a number, and the other end of a range of addresses.
    fn join(&mut self, kind: Kind, text: &mut String) {
        let number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if number {
            let unit = |token: &Token| matches!(&token.kind, token::Kind::Word(word) if is_unit(kind, word));
            if let Some(Token { kind: token::Kind::Word(unit), .. }) = self.tokens.next_if(unit) {
                text.push(' ');
                text.push_str(&unit);
            }
        }
        if kind == Kind::Address {
            let dash = |token: &Token| matches!(&token.kind, token::Kind::Word(word) if word.starts_with('-'));
            let continues = |token: &Token| matches!(token.kind, token::Kind::Word(_));
            while text.ends_with('-') || self.tokens.peek().is_some_and(dash) {
                match self.tokens.next_if(continues) {
                    Some(Token { kind: token::Kind::Word(next), .. }) => text.push_str(&next),
                    _ => return,
                }
            }
        }
    }

    fn text(&mut self) -> Result<(String, usize), ParseError> {
        match self.tokens.next() {
            Some(Token { kind: token::Kind::Text(value) | token::Kind::Word(value), position }) => {
                Ok((value, position))
            }
            other => Err(self.wrong(other.as_ref(), "expected a value")),
        }
    }

    fn close(&mut self) -> Result<(), ParseError> {
        match self.tokens.next() {
            Some(Token { kind: token::Kind::Close, .. }) => Ok(()),
            other => Err(self.wrong(other.as_ref(), "expected \")\"")),
        }
    }

    fn count(&mut self, position: usize) -> Result<(), ParseError> {
        self.terms += 1;
        if self.terms > MOST {
            return Err(ParseError::new(position, format!("more than {MOST} terms")));
        }
        Ok(())
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is = |token: &Token| matches!(&token.kind, token::Kind::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.tokens.next_if(is).is_some()
    }

    fn position(&mut self) -> usize {
        self.tokens.peek().map_or(self.end, |token| token.position)
    }

    fn wrong(&self, token: Option<&Token>, message: &str) -> ParseError {
        ParseError::new(token.map_or(self.end, |token| token.position), message)
    }
}

/// A type as sentences name it.
fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Address => "an address",
        Kind::Flag => "yes or no",
        Kind::Instant => "a time",
        Kind::Number(_) => "a number",
        Kind::Version => "a version",
        Kind::Words { .. } => "one of several words",
        Kind::Article | Kind::Reference(_) | Kind::Text => "a text",
    }
}
