//! Reading an expression into a tree. Macros such as `all` become nodes of their own.

use super::ast::{Each, Expr, Item, Literal, Node, Quantifier};
use super::lex::{Fault, Token, tokens};
use super::signatures::is_qualified;

/// Characters that an expression may have, as in Kubernetes.
const MAX_LENGTH: usize = 100_000;
/// Brackets in brackets.
const MAX_NESTING: usize = 48;
/// Levels of the tree: it is walked recursively.
const MAX_DEPTH: usize = 160;

/// Words that are kept for later.
pub(super) const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Operators with their function and how strongly they bind.
const OPERATORS: [(&str, &str, u8); 12] = [
    ("<", "_<_", 3),
    ("<=", "_<=_", 3),
    (">", "_>_", 3),
    (">=", "_>=_", 3),
    ("==", "_==_", 3),
    ("!=", "_!=_", 3),
    ("in", "@in", 3),
    ("+", "_+_", 4),
    ("-", "_-_", 4),
    ("*", "_*_", 5),
    ("/", "_/_", 5),
    ("%", "_%_", 5),
];

/// Reads an expression; a fault is said as Kubernetes' compiler says it.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let length = text.chars().count();
    if length > MAX_LENGTH {
        return Err(format!(
            "ERROR: <input>:-1:0: expression code point size exceeds limit: size: {length}, limit {MAX_LENGTH}"
        ));
    }
    let parse = || {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, next: 0, nesting: 0 };
        let node = parser.expression()?;
        match parser.token() {
            Token::End => Ok(node),
            other => Err(parser.fault(format!("Syntax error: mismatched input '{}' expecting <EOF>", shown(other)))),
        }
    };
    parse().map_err(|(at, why)| located(text, at, &why))
}

/// A fault with its place in the text.
pub(super) fn located(text: &str, at: usize, why: &str) -> String {
    let mut left = at;
    for (number, line) in text.split('\n').enumerate() {
        let length = line.chars().count();
        if left <= length {
            return format!("ERROR: <input>:{}:{}: {why}\n | {line}\n | {}^", number + 1, left + 1, ".".repeat(left));
        }
        left -= length + 1;
    }
    format!("ERROR: <input>:1:1: {why}")
}

fn shown(token: &Token) -> String {
    match token {
        Token::End => "<EOF>".to_owned(),
        Token::Name(name) | Token::Quoted(name) => name.to_string(),
        Token::Sign(sign) => (*sign).to_owned(),
        Token::TooBig(number) => number.to_string(),
        Token::Literal(literal) => match literal {
            Literal::Null => "null".to_owned(),
            Literal::Bool(value) => value.to_string(),
            Literal::Int(value) => value.to_string(),
            Literal::Uint(value) => format!("{value}u"),
            Literal::Double(value) => value.to_string(),
            Literal::Text(text) => format!("'{text}'"),
            Literal::Bytes(_) => "b''".to_owned(),
        },
    }
}

struct Parser<'t> {
    tokens: &'t [(usize, Token)],
    next: usize,
    nesting: usize,
}

impl<'t> Parser<'t> {
    fn token(&self) -> &'t Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(at, _)| *at)
    }

    fn fault(&self, why: impl Into<String>) -> Fault {
        (self.at(), why.into())
    }

    fn takes(&mut self, sign: &str) -> bool {
        let takes = matches!(self.token(), Token::Sign(found) if *found == sign);
        self.next += usize::from(takes);
        takes
    }

    fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.takes(sign) {
            return Ok(());
        }
        let found = shown(self.token());
        Err(self.fault(match self.token() {
            Token::End => format!("Syntax error: missing '{sign}' at '{found}'"),
            _ => format!("Syntax error: mismatched input '{found}' expecting '{sign}'"),
        }))
    }

    fn node(&self, at: usize, expr: Expr) -> Result<Node, Fault> {
        let node = Node::new(at, expr);
        if node.depth > MAX_DEPTH {
            return Err((at, format!("expression recursion limit exceeded: {MAX_DEPTH}")));
        }
        Ok(node)
    }

    fn expression(&mut self) -> Result<Node, Fault> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.fault(format!("expression recursion limit exceeded: {MAX_NESTING}")));
        }
        let condition = self.logical("||")?;
        let at = self.at();
        let node = if self.takes("?") {
            let yes = self.logical("||")?;
            self.expect(":")?;
            let no = self.expression()?;
            self.node(at, Expr::Choice(Box::new([condition, yes, no])))?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(node)
    }

    /// Terms joined by `||`, each of terms joined by `&&`.
    fn logical(&mut self, sign: &str) -> Result<Node, Fault> {
        let or = sign == "||";
        let term = |parser: &mut Self| if or { parser.logical("&&") } else { parser.binary(3) };
        let first = term(self)?;
        let at = self.at();
        let mut terms = vec![first];
        while self.takes(sign) {
            terms.push(term(self)?);
        }
        match <[Node; 1]>::try_from(terms) {
            Ok([only]) => Ok(only),
            Err(terms) => self.node(at, if or { Expr::Or(terms) } else { Expr::And(terms) }),
        }
    }

    /// Operators that bind at least that strongly.
    fn binary(&mut self, least: u8) -> Result<Node, Fault> {
        let mut left = self.unary()?;
        loop {
            let Token::Sign(sign) = self.token() else { return Ok(left) };
            let Some((_, function, strength)) = OPERATORS.into_iter().find(|(known, ..)| known == sign) else {
                return Ok(left);
            };
            if strength < least {
                return Ok(left);
            }
            let at = self.at();
            self.next += 1;
            let right = self.binary(strength + 1)?;
            left = self.call(at, function, false, vec![left, right])?;
        }
    }

    fn call(&self, at: usize, function: &str, member: bool, arguments: Vec<Node>) -> Result<Node, Fault> {
        self.node(at, Expr::Call { function: function.into(), member, arguments })
    }

    fn unary(&mut self) -> Result<Node, Fault> {
        let at = self.at();
        for (sign, function) in [("!", "!_"), ("-", "-_")] {
            let mut count = 0;
            while self.takes(sign) {
                count += 1;
            }
            if count == 0 {
                continue;
            }
            if sign == "-"
                && count % 2 == 1
                && let Some(node) = self.negative(at)
            {
                return self.members(node);
            }
            let operand = self.primary()?;
            let operand = self.members(operand)?;
            // two of them undo each other
            return if count % 2 == 1 { self.call(at, function, false, vec![operand]) } else { Ok(operand) };
        }
        let operand = self.primary()?;
        self.members(operand)
    }

    /// A number after a minus.
    fn negative(&mut self, at: usize) -> Option<Node> {
        let literal = match self.token() {
            Token::Literal(Literal::Int(number)) => Literal::Int(-number),
            Token::Literal(Literal::Double(number)) => Literal::Double(-number),
            Token::TooBig(number) if *number == i64::MIN.unsigned_abs() => Literal::Int(i64::MIN),
            _ => return None,
        };
        self.next += 1;
        Some(Node::new(at, Expr::Literal(literal)))
    }

    /// Selections, calls and indexes behind an operand.
    fn members(&mut self, mut node: Node) -> Result<Node, Fault> {
        loop {
            let at = self.at();
            if self.takes(".") {
                let optional = self.takes("?");
                let (field, quoted) = match self.token() {
                    Token::Name(name) => (name.clone(), false),
                    Token::Quoted(name) => (name.clone(), true),
                    other => {
                        let found = shown(other);
                        return Err(self.fault(format!("Syntax error: no viable alternative at input '.{found}'")));
                    }
                };
                self.next += 1;
                node = if !optional && !quoted && self.takes("(") {
                    let arguments = self.arguments(")")?;
                    self.member_call(at, &field, node, arguments)?
                } else {
                    self.select(at, node, field, optional)?
                };
            } else if self.takes("[") {
                let optional = self.takes("?");
                let index = self.expression()?;
                self.expect("]")?;
                node = self.node(at, Expr::Index { operand: Box::new(node), index: Box::new(index), optional })?;
            } else {
                return Ok(node);
            }
        }
    }

    fn select(&self, at: usize, operand: Node, field: Box<str>, optional: bool) -> Result<Node, Fault> {
        // a qualified name of a type is a name
        if let Expr::Name(package) = &operand.expr
            && matches!(&**package, "google" | "google.protobuf" | "kubernetes" | "net")
        {
            return self.node(operand.at, Expr::Name(format!("{package}.{field}").into()));
        }
        self.node(at, Expr::Select { operand: Box::new(operand), field, optional })
    }

    /// Expressions up to a closing bracket, which is taken too.
    fn arguments(&mut self, close: &'static str) -> Result<Vec<Node>, Fault> {
        let mut arguments = Vec::new();
        while !self.takes(close) {
            arguments.push(self.expression()?);
            if !self.takes(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(arguments)
    }

    fn primary(&mut self) -> Result<Node, Fault> {
        let at = self.at();
        let token = self.token();
        match token {
            Token::Literal(literal) => {
                self.next += 1;
                self.node(at, Expr::Literal(literal.clone()))
            }
            Token::Name(name) => {
                self.next += 1;
                if self.takes("(") {
                    let arguments = self.arguments(")")?;
                    return self.global_call(at, name, arguments);
                }
                if RESERVED.contains(&&**name) {
                    return Err((at, format!("reserved identifier: {name}")));
                }
                self.node(at, Expr::Name(name.clone()))
            }
            Token::TooBig(_) => Err((at, "invalid int literal".to_owned())),
            Token::Sign("(") => {
                self.next += 1;
                let node = self.expression()?;
                self.expect(")")?;
                Ok(node)
            }
            Token::Sign("[") => {
                self.next += 1;
                let items = self.items("]", |parser| parser.item())?;
                self.node(at, Expr::List(items))
            }
            Token::Sign("{") => {
                self.next += 1;
                let entries = self.items("}", |parser| {
                    let optional = parser.takes("?");
                    let key = parser.expression()?;
                    parser.expect(":")?;
                    Ok((key, Item { value: parser.expression()?, optional }))
                })?;
                self.node(at, Expr::Map(entries))
            }
            // a leading dot only says that no shorter name is meant
            Token::Sign(".") if matches!(self.tokens.get(self.next + 1), Some((_, Token::Name(_)))) => {
                self.next += 1;
                self.primary()
            }
            other => Err((
                at,
                format!(
                    "Syntax error: mismatched input '{}' expecting {{'[', '{{', '(', '.', '-', '!', 'true', 'false', \
                     'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}}",
                    shown(other)
                ),
            )),
        }
    }

    fn item(&mut self) -> Result<Item, Fault> {
        let optional = self.takes("?");
        Ok(Item { value: self.expression()?, optional })
    }

    fn items<T>(
        &mut self,
        close: &'static str,
        mut one: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut items = Vec::new();
        while !self.takes(close) {
            items.push(one(self)?);
            if !self.takes(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn global_call(&self, at: usize, name: &str, mut arguments: Vec<Node>) -> Result<Node, Fault> {
        if name != "has" || arguments.len() != 1 {
            return self.call(at, name, false, arguments);
        }
        match arguments.pop().map(|node| node.expr) {
            Some(Expr::Select { operand, field, optional: false }) => self.node(at, Expr::Has { operand, field }),
            _ => Err((at, "invalid argument to has() macro".to_owned())),
        }
    }

    fn member_call(&self, at: usize, name: &str, target: Node, mut arguments: Vec<Node>) -> Result<Node, Fault> {
        if let Expr::Name(qualifier) = &target.expr
            && let qualified = format!("{qualifier}.{name}")
            && is_qualified(&qualified)
        {
            return self.call(at, &qualified, false, arguments);
        }
        let quantifier = match (name, arguments.len()) {
            ("all", 2 | 3) => Quantifier::All,
            ("exists", 2 | 3) => Quantifier::Exists,
            ("exists_one" | "existsOne", 2 | 3) => Quantifier::ExistsOne,
            ("filter", 2) => Quantifier::Filter,
            ("map", 2 | 3) | ("transformList", 3 | 4) => Quantifier::Map,
            ("transformMap", 3 | 4) => Quantifier::MapValues,
            ("optMap" | "optFlatMap", 2) => {
                let (Some(body), Some(variable)) = (arguments.pop(), arguments.pop()) else { return Ok(target) };
                let variable = variable_name(variable)?;
                let (operand, body) = (Box::new(target), Box::new(body));
                return self.node(at, Expr::OptMap { operand, variable, body, flat: name == "optFlatMap" });
            }
            _ => {
                arguments.insert(0, target);
                return self.call(at, name, true, arguments);
            }
        };
        let two_variables = name.starts_with("transform") || name != "map" && arguments.len() == 3;
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().ok_or((at, "argument missing".to_owned()));
        let variable = variable_name(next()?)?;
        let second = if two_variables { Some(variable_name(next()?)?) } else { None };
        let first = next()?;
        let (filter, body) = match arguments.next() {
            Some(body) => (Some(first), body),
            None => (None, first),
        };
        if second.as_ref() == Some(&variable) {
            return Err((at, format!("duplicate variable name: {variable}")));
        }
        self.node(at, Expr::Each(Box::new(Each { quantifier, range: target, variable, second, filter, body })))
    }
}

fn variable_name(node: Node) -> Result<Box<str>, Fault> {
    match node.expr {
        Expr::Name(name) if !name.contains('.') => Ok(name),
        _ => Err((node.at, "argument must be a simple name".to_owned())),
    }
}
