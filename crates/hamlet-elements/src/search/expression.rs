//! AdvancedCriteria (csp-access 9.3): numbers of pairs with NOT, AND, OR and parentheses, in
//! this precedence. Pure.

/// Longest expression, octets.
pub(crate) const MAX_LENGTH: usize = 1024;

/// Most parentheses and negations inside each other.
pub(crate) const MAX_DEPTH: usize = 32;

/// How pairs are combined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    Pair(u32),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    TooLong,
    TooDeep,
    /// It ends too early.
    Ends,
    /// What stands there is not expected.
    At(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(f, "AdvancedCriteria is longer than {MAX_LENGTH} octets"),
            Self::TooDeep => write!(f, "AdvancedCriteria is nested more than {MAX_DEPTH} deep"),
            Self::Ends => f.write_str("AdvancedCriteria ends too early"),
            Self::At(what) => write!(f, "AdvancedCriteria cannot be understood at `{what}`"),
        }
    }
}

/// Reads an expression. `&`, `|` and `!` stand for the words, which may be in any case.
pub(crate) fn parse(text: &str) -> Result<Expression, Fault> {
    if text.len() > MAX_LENGTH {
        return Err(Fault::TooLong);
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
    };
    let expression = parser.either(0)?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(Fault::At(token.to_string())),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Pair(u32),
    And,
    Or,
    Not,
    Open,
    Close,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pair(id) => write!(f, "{id}"),
            Self::And => f.write_str("AND"),
            Self::Or => f.write_str("OR"),
            Self::Not => f.write_str("NOT"),
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let sign = match first {
            '&' => Some(Token::And),
            '|' => Some(Token::Or),
            '!' => Some(Token::Not),
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            _ => None,
        };
        let length = match sign {
            // Doubled as programmers write them.
            Some(Token::And | Token::Or) if rest[1..].starts_with(first) => 2,
            Some(_) => 1,
            None => {
                let is_digit = first.is_ascii_digit();
                let ends = |c: char| match is_digit {
                    true => !c.is_ascii_digit(),
                    false => !c.is_ascii_alphabetic(),
                };
                rest.find(ends).unwrap_or(rest.len())
            }
        };
        let (word, after) = rest.split_at(length);
        let token = sign.or_else(|| match word.to_ascii_uppercase().as_str() {
            "AND" => Some(Token::And),
            "OR" => Some(Token::Or),
            "NOT" => Some(Token::Not),
            number => number.parse().ok().map(Token::Pair),
        });
        let seen = || rest.chars().take(10).collect();
        tokens.push(token.ok_or_else(|| Fault::At(seen()))?);
        rest = after.trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self, token: Token) -> bool {
        let is_next = self.peek() == Some(token);
        self.next += usize::from(is_next);
        is_next
    }

    fn either(&mut self, depth: usize) -> Result<Expression, Fault> {
        let mut parts = vec![self.both(depth)?];
        while self.take(Token::Or) {
            parts.push(self.both(depth)?);
        }
        Ok(alone(parts).unwrap_or_else(Expression::Or))
    }

    fn both(&mut self, depth: usize) -> Result<Expression, Fault> {
        let mut parts = vec![self.one(depth)?];
        while self.take(Token::And) {
            parts.push(self.one(depth)?);
        }
        Ok(alone(parts).unwrap_or_else(Expression::And))
    }

    fn one(&mut self, depth: usize) -> Result<Expression, Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        let token = self.peek().ok_or(Fault::Ends)?;
        self.next += 1;
        match token {
            Token::Pair(id) => Ok(Expression::Pair(id)),
            Token::Not => Ok(Expression::Not(Box::new(self.one(depth + 1)?))),
            Token::Open => {
                let inner = self.either(depth + 1)?;
                match self.peek() {
                    Some(Token::Close) => self.next += 1,
                    Some(other) => return Err(Fault::At(other.to_string())),
                    None => return Err(Fault::Ends),
                }
                Ok(inner)
            }
            other => Err(Fault::At(other.to_string())),
        }
    }
}

/// The only part, else all of them.
fn alone(mut parts: Vec<Expression>) -> Result<Expression, Vec<Expression>> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => Ok(only),
        (_, Some(last)) => {
            parts.push(last);
            Err(parts)
        }
        (_, None) => Err(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With every parenthesis.
    fn shown(expression: &Expression) -> String {
        let all = |parts: &[Expression]| parts.iter().map(shown).collect::<Vec<_>>();
        match expression {
            Expression::Pair(id) => id.to_string(),
            Expression::Not(inner) => format!("!{}", shown(inner)),
            Expression::And(parts) => format!("({})", all(parts).join("&")),
            Expression::Or(parts) => format!("({})", all(parts).join("|")),
        }
    }

    #[test]
    fn expressions_are_read_with_their_precedence() {
        for (text, expected) in [
            ("1", "1"),
            ("1 AND (2 OR 3)", "(1&(2|3))"),
            ("1 AND (2 OR 3) AND NOT 4", "(1&(2|3)&!4)"),
            ("1 OR 2 AND 3", "(1|(2&3))"),
            ("NOT 1 AND 2", "(!1&2)"),
            ("NOT (1 AND 2)", "!(1&2)"),
            ("1 or 2 Or not 3", "(1|2|!3)"),
            ("1&2|!3", "((1&2)|!3)"),
            ("1 && 2 || 3", "((1&2)|3)"),
            ("!!1", "!!1"),
            ("((1))", "1"),
            ("1AND2", "(1&2)"),
            (" 12\n AND\t007 ", "(12&7)"),
            ("4294967295", "4294967295"),
        ] {
            let read = parse(text).map(|expression| shown(&expression));
            assert_eq!(read.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let at = |what: &str| Fault::At(what.to_owned());
        for (text, fault) in [
            ("", Fault::Ends),
            ("()", at(")")),
            ("1 AND", Fault::Ends),
            ("AND 1", at("AND")),
            ("1 2", at("2")),
            ("1 OR OR 2", at("OR")),
            ("(1", Fault::Ends),
            ("1)", at(")")),
            ("(1 2)", at("2")),
            ("1 XOR 2", at("XOR 2")),
            ("NOT", Fault::Ends),
            ("1 &&& 2", at("AND")),
            ("-1", at("-1")),
            ("1 = 2", at("= 2")),
            ("ä", at("ä")),
            ("4294967296", at("4294967296")),
            ("1; DROP TABLE profile", at("; DROP TAB")),
        ] {
            assert_eq!(parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let deep = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&deep(MAX_DEPTH + 1)), Err(Fault::TooDeep));
        assert_eq!(parse(&"!".repeat(100)), Err(Fault::TooDeep));
        assert_eq!(parse(&"1".repeat(MAX_LENGTH + 1)), Err(Fault::TooLong));
        let long = vec!["1"; 200].join(" OR ");
        assert!(parse(&long).is_ok());
    }
}
