//! From the text of a rule to rows, where rows can say it. What is not read here is left to REST, which says what is wrong.

use super::rule::{Group, Join, Operator, Row, Rows, listed};

/// Nesting that is followed.
const DEEPEST: u8 = 32;

/// A rule, as far as rows matter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Term(Row),
    /// A comparison whose negation has no row of its own.
    Negated(Row),
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Sign(&'static str),
    Text(String),
    Word(String),
}

/// Reads a text; none if it is not one of the language.
pub(super) fn parse(text: &str) -> Option<Node> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let node = parser.expression(0)?;
    (parser.at == parser.tokens.len()).then_some(node)
}

impl Node {
    /// The same in rows: conditions, or groups of conditions, and no more.
    pub(super) fn rows(self) -> Option<Rows> {
        match self {
            Self::Term(row) => Some(Rows { join: Join::All, groups: vec![Group { join: Join::All, rows: vec![row] }] }),
            Self::All(parts) => grouped(Join::All, parts),
            Self::Any(parts) => grouped(Join::Any, parts),
            Self::Not(_) | Self::Negated(_) => None,
        }
    }

    fn terms(parts: Vec<Self>) -> Option<Vec<Row>> {
        parts.into_iter().map(|part| if let Self::Term(row) = part { Some(row) } else { None }).collect()
    }
}

/// Conditions that stand alone are one group, at the place of the first of them.
fn grouped(join: Join, parts: Vec<Node>) -> Option<Rows> {
    let mut groups: Vec<Group> = Vec::new();
    let mut alone: Option<usize> = None;
    for part in parts {
        let group = match part {
            Node::Term(row) => {
                match alone.and_then(|at| groups.get_mut(at)) {
                    Some(group) => group.rows.push(row),
                    None => {
                        alone = Some(groups.len());
                        groups.push(Group { join, rows: vec![row] });
                    }
                }
                continue;
            }
            Node::All(parts) => Group { join: Join::All, rows: Node::terms(parts)? },
            Node::Any(parts) => Group { join: Join::Any, rows: Node::terms(parts)? },
            Node::Not(_) | Node::Negated(_) => return None,
        };
        groups.push(group);
    }
    Some(Rows { join, groups })
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn take(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is);
        is
    }

    fn expression(&mut self, depth: u8) -> Option<Node> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.keyword("or") {
            parts.push(self.conjunction(depth)?);
        }
        Some(flat(parts, Node::Any, |part| if let Node::Any(inner) = part { Ok(inner) } else { Err(part) }))
    }

    fn conjunction(&mut self, depth: u8) -> Option<Node> {
        let mut parts = vec![self.factor(depth)?];
        while self.keyword("and") {
            parts.push(self.factor(depth)?);
        }
        Some(flat(parts, Node::All, |part| if let Node::All(inner) = part { Ok(inner) } else { Err(part) }))
    }

    fn factor(&mut self, depth: u8) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        if self.keyword("not") {
            return Some(not(self.factor(depth + 1)?));
        }
        match self.next()? {
            Token::Open => {
                let inner = self.expression(depth + 1)?;
                self.take(&Token::Close).then_some(inner)
            }
            Token::Word(field) => self.term(field).map(Node::Term),
            _ => None,
        }
    }

    fn term(&mut self, field: String) -> Option<Row> {
        let row = |operator: Operator, value: String| Some(Row { field: field.clone(), operator, value });
        if self.keyword("is") {
            let operator = if self.keyword("not") { Operator::NotEmpty } else { Operator::Empty };
            return if self.keyword("empty") { row(operator, String::new()) } else { None };
        }
        let negated = self.keyword("not");
        if self.keyword("in") {
            let values = self.list()?;
            return row(if negated { Operator::NotIn } else { Operator::In }, listed(&values));
        }
        if negated {
            return None;
        }
        let Some(Token::Sign(sign)) = self.peek().cloned() else { return row(Operator::Yes, String::new()) };
        self.at += 1;
        let value = self.value()?;
        let operator = match sign {
            "=" => Operator::Equal,
            "!=" => Operator::Other,
            "~" => Operator::Contains,
            "!~" => Operator::Lacks,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            _ => Operator::GreaterOrEqual,
        };
        row(operator, value)
    }

    fn list(&mut self) -> Option<Vec<String>> {
        if !self.take(&Token::Open) {
            return Some(vec![self.value()?]);
        }
        let mut values = vec![self.value()?];
        while self.take(&Token::Comma) {
            values.push(self.value()?);
        }
        self.take(&Token::Close).then_some(values)
    }

    /// A value, with the unit that follows a number: `30 days`.
    fn value(&mut self) -> Option<String> {
        match self.next()? {
            Token::Text(text) => Some(text),
            Token::Word(word) => match self.peek() {
                Some(Token::Word(unit))
                    if word.bytes().all(|byte| byte.is_ascii_digit())
                        && !["and", "or"].iter().any(|keyword| keyword.eq_ignore_ascii_case(unit)) =>
                {
                    let joined = format!("{word} {unit}");
                    self.at += 1;
                    Some(joined)
                }
                _ => Some(word),
            },
            _ => None,
        }
    }
}

/// Parts of one kind in each other are parts of one; one part stands for itself.
fn flat(parts: Vec<Node>, several: fn(Vec<Node>) -> Node, open: fn(Node) -> Result<Vec<Node>, Node>) -> Node {
    let mut all: Vec<Node> = parts.into_iter().flat_map(|part| open(part).unwrap_or_else(|part| vec![part])).collect();
    match (all.len(), all.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            all.extend(last);
            several(all)
        }
    }
}

fn not(node: Node) -> Node {
    match node {
        Node::Not(inner) => *inner,
        Node::Negated(row) => Node::Term(row),
        Node::Term(row) => match row.operator.negated() {
            Some(operator) => Node::Term(Row { operator, ..row }),
            None => Node::Negated(row),
        },
        other => Node::Not(Box::new(other)),
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    const SIGNS: [(&str, &str); 9] = [
        ("!=", "!="),
        ("!~", "!~"),
        ("<=", "<="),
        (">=", ">="),
        ("==", "="),
        ("=", "="),
        ("~", "~"),
        ("<", "<"),
        (">", ">"),
    ];
    let mut tokens: Vec<Token> = Vec::new();
    let mut in_list = false;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let sign = SIGNS.iter().find_map(|(written, sign)| Some((*sign, rest.strip_prefix(written)?)));
        let (token, tail) = match (first, sign) {
            ('(', _) => {
                in_list = matches!(tokens.last(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("in"));
                (Token::Open, after)
            }
            (')', _) => {
                in_list = false;
                (Token::Close, after)
            }
            (',', _) if in_list => (Token::Comma, after),
            (_, Some((sign, tail))) => (Token::Sign(sign), tail),
            ('"', _) => {
                let (value, tail) = quoted(after)?;
                (Token::Text(value), tail)
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || "()=!~<>\"".contains(c) || (in_list && c == ',');
                let (word, tail) = rest.split_at_checked(rest.find(ends).unwrap_or(rest.len()))?;
                if word.is_empty() {
                    return None;
                }
                (Token::Word(word.to_owned()), tail)
            }
        };
        tokens.push(token);
        rest = tail.trim_start();
    }
    Some(tokens)
}

/// What is in quotes, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> Option<String> {
        Rows::of(text)?.text().ok()
    }

    #[test]
    fn what_rows_can_say_is_said_the_same() {
        for text in [
            "server",
            "not server",
            "os ~ \"server 2022\" and ip in (10.0.0.0/8, 192.168.0.0/16)",
            "(name = a or name = b) and last_contact < 30 days and scan_error is not empty",
            "name = a and server or name = b and workstation",
            "collection not in (\"Ring 0\", \"a, b\") and build >= 19045",
        ] {
            assert_eq!(again(text).as_deref(), Some(text));
        }
        assert_eq!(again(" NOT not server AND (name==x)").as_deref(), Some("server and name = x"));
        assert_eq!(again("ip in 10.0.0.0/8").as_deref(), Some("ip in (10.0.0.0/8)"));
        assert_eq!(again("not name in (a)").as_deref(), Some("name not in (a)"));
    }

    #[test]
    fn what_rows_cannot_say_stays_text() {
        for text in [
            "not (server or name = x)",
            "not build < 19041",
            "server and (name = a or (name = b and workstation))",
            "name = ",
            "name = \"a",
            "(server",
            "server or",
            "name ! x",
            ") server",
        ] {
            assert_eq!(Rows::of(text), None, "{text}");
        }
        assert!(Rows::of(&"(".repeat(10_000)).is_none() && Rows::of(&"not ".repeat(10_000)).is_none());
    }

    #[test]
    fn alternatives_and_conditions_that_stand_alone_are_groups() {
        let rows = Rows::of("server and (name = a or name = b) and ip = 10.0.0.1").unwrap();
        let sizes: Vec<(Join, usize)> = rows.groups.iter().map(|group| (group.join, group.rows.len())).collect();
        assert_eq!((rows.join, sizes), (Join::All, vec![(Join::All, 2), (Join::Any, 2)]));
    }
}
