//! A set of fields: a tree of path elements of which some are members.

use std::cmp::Ordering;

use super::element::Element;

/// A set of field paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// Sorted; without nodes that hold no member at all.
    nodes: Vec<(Element, Node)>,
}

/// What a set knows of one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// The path itself is in the set.
    pub(super) member: bool,
    /// What is below it.
    pub(super) below: Set,
}

impl Node {
    pub(super) fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }
}

/// What stands for a path that a set does not know.
static NOTHING: Node = Node { member: false, below: Set { nodes: Vec::new() } };

impl Set {
    /// The set of some paths of member names.
    pub fn of(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<_> = path.iter().map(|name| Element::field(name)).collect();
            set.insert(&path);
        }
        set
    }

    /// Adds a path. The empty path is no field.
    pub fn insert(&mut self, path: &[Element]) {
        let Some((first, rest)) = path.split_first() else { return };
        let place = match self.find(first) {
            Ok(place) => place,
            Err(place) => {
                self.nodes.insert(place, (first.clone(), Node::default()));
                place
            }
        };
        let Some((_, node)) = self.nodes.get_mut(place) else { return };
        if rest.is_empty() {
            node.member = true;
        } else {
            node.below.insert(rest);
        }
    }

    /// A set of nodes in any order; of equal elements the last stays.
    pub(super) fn from_nodes(mut nodes: Vec<(Element, Node)>) -> Self {
        nodes.retain(|(_, node)| !node.is_empty());
        if !nodes.is_sorted_by(|(a, _), (b, _)| a < b) {
            nodes.sort_by(|(a, _), (b, _)| a.cmp(b));
            nodes.reverse();
            nodes.dedup_by(|(later, _), (first, _)| later == first);
            nodes.reverse();
        }
        Self { nodes }
    }

    fn find(&self, element: &Element) -> Result<usize, usize> {
        self.nodes.binary_search_by(|(there, _)| there.cmp(element))
    }

    pub(super) fn node(&self, element: &Element) -> &Node {
        self.find(element).ok().and_then(|place| self.nodes.get(place)).map_or(&NOTHING, |(_, node)| node)
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (&Element, &Node)> {
        self.nodes.iter().map(|(element, node)| (element, node))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether a path is in it.
    pub fn has(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.node(last).member,
            [first, rest @ ..] => self.node(first).below.has(rest),
        }
    }

    /// What is in one or the other.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, &|a, b| match (a.is_empty(), b.is_empty()) {
            (true, _) => b.clone(),
            (_, true) => a.clone(),
            _ => Node { member: a.member || b.member, below: a.below.union(&b.below) },
        })
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, &|a, b| Node { member: a.member && b.member, below: a.below.intersection(&b.below) })
    }

    /// What is not in the other; what is below a member of the other stays.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.remove(other, false);
        rest
    }

    /// What is neither in the other nor below a member of it.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.remove(other, true);
        rest
    }

    /// Takes the members of the other out, with or without all that is below them.
    pub(super) fn remove(&mut self, other: &Self, with_below: bool) {
        let mut emptied = false;
        for (element, taken) in &other.nodes {
            let Ok(place) = self.find(element) else { continue };
            let Some((_, node)) = self.nodes.get_mut(place) else { continue };
            node.member &= !taken.member;
            if taken.member && with_below {
                node.below = Self::default();
            } else {
                node.below.remove(&taken.below, with_below);
            }
            emptied |= node.is_empty();
        }
        if emptied {
            self.nodes.retain(|(_, node)| !node.is_empty());
        }
    }

    /// The members that have none below them.
    #[must_use]
    pub fn leaves(&self) -> Self {
        let leaf = |node: &Node| Node { member: node.member && node.below.is_empty(), below: node.below.leaves() };
        Self { nodes: self.nodes.iter().map(|(element, node)| (element.clone(), leaf(node))).collect() }
    }

    /// Every path in it, in order: members before what is below them.
    pub fn paths(&self) -> Vec<Vec<Element>> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, way: &mut Vec<Element>, paths: &mut Vec<Vec<Element>>) {
        for (element, _) in self.nodes.iter().filter(|(_, node)| node.member) {
            way.push(element.clone());
            paths.push(way.clone());
            way.pop();
        }
        for (element, node) in &self.nodes {
            way.push(element.clone());
            node.below.collect(way, paths);
            way.pop();
        }
    }

    /// Both sets' nodes side by side, combined by `both`; an absent one is empty.
    fn combine(&self, other: &Self, both: &dyn Fn(&Node, &Node) -> Node) -> Self {
        let (mut ours, mut theirs) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        let mut nodes = Vec::with_capacity(self.nodes.len());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return Self { nodes },
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let our = if order.is_le() { ours.next() } else { None };
            let their = if order.is_ge() { theirs.next() } else { None };
            let Some((element, _)) = our.or(their) else { continue };
            let node = both(our.map_or(&NOTHING, |(_, node)| node), their.map_or(&NOTHING, |(_, node)| node));
            if !node.is_empty() {
                nodes.push((element.clone(), node));
            }
        }
    }
}

/// As the lines that a conflict shows: `.spec.replicas`.
pub(super) fn shown(path: &[Element]) -> String {
    path.iter().map(ToString::to_string).collect()
}
