//! From tokens to a filter.

use weir_model::nearest::nearest;

use super::{
    FIELDS, Field, Filter, Match, Order,
    token::{Kind, Token, Wrong, tokens},
    words,
};

/// Nesting of parentheses and `not`.
const DEEPEST: usize = 32;
/// Terms of a filter.
const MOST: usize = 256;

pub(super) struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    end: usize,
    terms: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Result<Self, Wrong> {
        Ok(Self { tokens: tokens(text)?.into_iter().peekable(), end: text.chars().count(), terms: 0 })
    }

    pub(super) fn whole(mut self) -> Result<Filter, Wrong> {
        let filter = self.expression(0)?;
        match self.tokens.next() {
            None => Ok(filter),
            Some(token) => Err(wrong(token.position, "expected \"and\", \"or\" or the end")),
        }
    }

    fn expression(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let first = self.conjunction(depth)?;
        let mut parts = vec![first];
        while self.keyword("or") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(single(parts, Filter::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let first = self.factor(depth)?;
        let mut parts = vec![first];
        while self.keyword("and") {
            parts.push(self.factor(depth)?);
        }
        Ok(single(parts, Filter::And))
    }

    fn factor(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let position = self.position();
        if depth > DEEPEST {
            return Err(wrong(position, "nested too deeply"));
        }
        if self.keyword("not") {
            return Ok(Filter::Not(Box::new(self.factor(depth + 1)?)));
        }
        match self.tokens.next() {
            Some(Token { kind: Kind::Open, .. }) => {
                let inner = self.expression(depth + 1)?;
                match self.tokens.next() {
                    Some(Token { kind: Kind::Close, .. }) => Ok(inner),
                    other => Err(wrong(other.map_or(self.end, |token| token.position), "expected \")\"")),
                }
            }
            Some(Token { kind: Kind::Word(name), position }) => self.term(&name, position),
            other => Err(wrong(other.map_or(self.end, |token| token.position), "expected a field, \"not\" or \"(\"")),
        }
    }

    fn term(&mut self, name: &str, position: usize) -> Result<Filter, Wrong> {
        self.terms += 1;
        if self.terms > MOST {
            return Err(wrong(position, format!("more than {MOST} terms")));
        }
        let lower = name.to_ascii_lowercase();
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == lower) else {
            let near = nearest(&lower, FIELDS.iter().map(|(known, _)| *known));
            let tail = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(wrong(position, format!("there is no field {name:?}{tail}")));
        };
        let sign = match self.tokens.peek() {
            Some(Token { kind: Kind::Sign(sign), .. }) => Some(*sign),
            _ => None,
        };
        if sign.is_some() {
            self.tokens.next();
        }
        match (field, sign) {
            (Field::Flag(flag), None) => Ok(Filter::Flag(*flag)),
            (Field::Flag(flag), Some(sign @ ("=" | "!="))) => {
                let (value, at) = self.value()?;
                let wanted = match value.to_ascii_lowercase().as_str() {
                    "true" | "yes" => true,
                    "false" | "no" => false,
                    _ => return Err(wrong(at, format!("{name} is true or false"))),
                };
                let flag = Filter::Flag(*flag);
                Ok(if wanted == (sign == "=") { flag } else { Filter::Not(Box::new(flag)) })
            }
            (Field::Flag(_), Some(sign)) => Err(wrong(position, format!("{name} cannot be compared with {sign}"))),
            (_, None) => Err(wrong(self.position(), format!("expected a comparison of {name}, such as {name} = ..."))),
            (Field::Number(field), Some(sign)) => {
                let order = match sign {
                    "=" => Order::Equal,
                    "!=" => Order::NotEqual,
                    "<" => Order::Less,
                    "<=" => Order::LessOrEqual,
                    ">" => Order::Greater,
                    ">=" => Order::GreaterOrEqual,
                    _ => return Err(wrong(position, format!("{name} is a number and cannot be searched with {sign}"))),
                };
                let (value, at) = self.value()?;
                let number = value.parse().map_err(|_| wrong(at, format!("{value:?} is not a whole number")))?;
                Ok(Filter::Number(*field, order, number))
            }
            (Field::Text(field), Some(sign)) => {
                let how = match sign {
                    "=" => Match::Equal,
                    "!=" => Match::NotEqual,
                    "~" => Match::Contains,
                    _ => return Err(wrong(position, format!("{name} is a text and cannot be compared with {sign}"))),
                };
                let (value, at) = self.value()?;
                let value = value.trim().to_lowercase();
                if let Some(words) = words(*field).filter(|words| how != Match::Contains && !words.contains(&*value)) {
                    let words = words.into_iter().collect::<Vec<_>>().join(", ");
                    return Err(wrong(at, format!("{name} is one of {words}")));
                }
                let value = match field {
                    // people write KB5005112 and 5005112
                    super::TextField::Kb => value.strip_prefix("kb").map(str::to_owned).unwrap_or(value),
                    _ => value,
                };
                Ok(Filter::Text(*field, how, value))
            }
        }
    }

    fn value(&mut self) -> Result<(String, usize), Wrong> {
        match self.tokens.next() {
            Some(Token { kind: Kind::Text(value) | Kind::Word(value), position }) => Ok((value, position)),
            other => Err(wrong(other.map_or(self.end, |token| token.position), "expected a value")),
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is = |token: &Token| matches!(&token.kind, Kind::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.tokens.next_if(is).is_some()
    }

    fn position(&mut self) -> usize {
        self.tokens.peek().map_or(self.end, |token| token.position)
    }
}

fn single(mut parts: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            several(parts)
        }
        (_, None) => several(parts),
    }
}

fn wrong(position: usize, message: impl Into<String>) -> Wrong {
    Wrong { position, message: message.into() }
}
