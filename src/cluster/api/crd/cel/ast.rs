//! The tree of an expression.

/// An expression and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Characters before it.
    pub(super) at: usize,
    /// How many levels there are below it.
    pub(super) depth: usize,
    pub(super) expr: Expr,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Literal(Literal),
    /// A variable, or a type by its name.
    Name(Box<str>),
    /// `a.b`, or `a.?b` when optional.
    Select {
        operand: Box<Node>,
        field: Box<str>,
        optional: bool,
    },
    /// `has(a.b)`.
    Has {
        operand: Box<Node>,
        field: Box<str>,
    },
    /// `a[b]`, or `a[?b]` when optional.
    Index {
        operand: Box<Node>,
        index: Box<Node>,
        optional: bool,
    },
    /// A function or an operator; of a member call the target is the first argument.
    Call {
        function: Box<str>,
        member: bool,
        arguments: Vec<Node>,
    },
    And(Vec<Node>),
    Or(Vec<Node>),
    /// `a ? b : c`.
    Choice(Box<[Node; 3]>),
    List(Vec<Item>),
    Map(Vec<(Node, Item)>),
    /// `list.all(x, …)` and its like.
    Each(Box<Each>),
    /// `optional.optMap(x, …)`; with `flat`, the result is optional itself.
    OptMap {
        operand: Box<Node>,
        variable: Box<str>,
        body: Box<Node>,
        flat: bool,
    },
}

/// An item of a list or a value of a map; an optional one is left out when there is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) value: Node,
    pub(super) optional: bool,
}

/// Something asked of every item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Each {
    pub(super) quantifier: Quantifier,
    pub(super) range: Node,
    pub(super) variable: Box<str>,
    /// A second variable: index and item, or key and value.
    pub(super) second: Option<Box<str>>,
    /// Only of these items.
    pub(super) filter: Option<Node>,
    pub(super) body: Node,
}

/// What is made of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
    ExistsOne,
    Filter,
    /// A list of the answers.
    Map,
    /// A map with the answers as values.
    MapValues,
}

/// A value that is written down.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
}

impl Node {
    pub(super) fn new(at: usize, expr: Expr) -> Self {
        let depth = expr.depth() + 1;
        Self { at, depth, expr }
    }

    /// What it is made of.
    pub(super) fn children(&self) -> Vec<&Self> {
        self.expr.children()
    }

    /// Whether a variable is used anywhere in it.
    pub(super) fn mentions(&self, variable: &str) -> bool {
        matches!(&self.expr, Expr::Name(name) if **name == *variable)
            || self.expr.children().iter().any(|child| child.mentions(variable))
    }
}

impl Expr {
    fn depth(&self) -> usize {
        self.children().iter().map(|child| child.depth).max().unwrap_or(0)
    }

    fn children(&self) -> Vec<&Node> {
        match self {
            Self::Literal(_) | Self::Name(_) => Vec::new(),
            Self::Select { operand, .. } | Self::Has { operand, .. } => vec![operand],
            Self::Index { operand, index, .. } => vec![operand, index],
            Self::Call { arguments: nodes, .. } | Self::And(nodes) | Self::Or(nodes) => nodes.iter().collect(),
            Self::Choice(nodes) => nodes.iter().collect(),
            Self::List(items) => items.iter().map(|item| &item.value).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(key, item)| [key, &item.value]).collect(),
            Self::Each(each) => {
                [Some(&each.range), each.filter.as_ref(), Some(&each.body)].into_iter().flatten().collect()
            }
            Self::OptMap { operand, body, .. } => vec![operand, body],
        }
    }
}
