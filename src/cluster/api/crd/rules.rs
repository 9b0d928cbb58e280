//! The rules of a schema (`x-kubernetes-validations`), compiled, and holding objects to them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cel::{Outcome, Program, Wanted};
use super::object::counterpart;
use super::paths::field_path;
use super::schema::Schema;
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::object::{flag, text};

/// What all rules of an object together may cost, as in Kubernetes.
const COST_OF_ALL: u64 = 10_000_000;
/// The longest message that a rule may make.
const LONGEST_MESSAGE: usize = 5 * 1024;

/// The rules of a schema and of what is below it; empty where there are none.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    own: Vec<Rule>,
    properties: BTreeMap<String, Rules>,
    additional: Option<Box<Rules>>,
    items: Option<Box<Rules>>,
}

/// A rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// The compiled rule, or what is wrong with it.
    pub(super) program: Result<Program, String>,
    /// What makes the message, if it is made; or what is wrong with that.
    pub(super) message_program: Option<Result<Program, String>>,
    text: String,
    message: String,
    reason: String,
    field_path: Option<String>,
    pub(super) optional_old: bool,
}

impl Rule {
    /// Compiles a rule of a schema.
    pub(super) fn of(rule: &Value, schema: &Schema) -> Self {
        let source = text(rule, &["rule"]);
        let message_expression = text(rule, &["messageExpression"]);
        let optional_old = flag(rule, &["optionalOldSelf"]);
        let field = text(rule, &["fieldPath"]);
        Self {
            program: Program::compile(source, schema, optional_old, Wanted::Bool),
            message_program: (!message_expression.trim().is_empty())
                .then(|| Program::compile(message_expression, schema, optional_old, Wanted::Text)),
            text: source.trim().to_owned(),
            message: text(rule, &["message"]).trim().to_owned(),
            reason: text(rule, &["reason"]).to_owned(),
            field_path: field_path(field, schema, true).ok().filter(|_| !field.is_empty()).map(|(path, _)| path),
            optional_old,
        }
    }

    /// What is said of the rule in messages.
    fn label(&self) -> &str {
        if self.message.is_empty() { &self.text } else { &self.message }
    }
}

impl Rules {
    /// All rules of a schema.
    pub(super) fn of(schema: &Schema) -> Self {
        let below = |schema: &Schema| Some(Self::of(schema)).filter(|rules| !rules.is_empty());
        let properties = schema.properties.iter();
        Self {
            own: schema.rules.iter().map(|rule| Rule::of(rule, schema)).collect(),
            properties: properties.filter_map(|(name, schema)| Some((name.clone(), below(schema)?))).collect(),
            additional: schema.additional().and_then(below).map(Box::new),
            items: schema.items.as_deref().and_then(below).map(Box::new),
        }
    }

    /// Whether there are none, here and below.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.properties.is_empty() && self.additional.is_none() && self.items.is_none()
    }

    /// The rules that an object breaks. Rules about a change are asked only when there is something to compare with;
    /// others not of what is unchanged.
    pub(super) fn errors(&self, schema: &Schema, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut run = Run { errors: Vec::new(), budget: COST_OF_ALL };
        run.walk(self, schema, object, &Before { value: old, unchanged: false }, "");
        run.errors
    }
}

/// What was before.
struct Before<'a> {
    /// The counterpart of the value, if there is one.
    value: Option<&'a Value>,
    /// What holds the value is unchanged.
    unchanged: bool,
}

/// The budget is spent: nothing more is asked.
struct Spent;

struct Run {
    errors: Vec<FieldError>,
    budget: u64,
}

impl Run {
    fn walk(&mut self, rules: &Rules, schema: &Schema, value: &Value, before: &Before<'_>, path: &str) {
        // an error of this kind is the last
        let _: Result<(), Spent> = self.visit(rules, schema, value, before, path);
    }

    fn visit(
        &mut self,
        rules: &Rules,
        schema: &Schema,
        value: &Value,
        before: &Before<'_>,
        path: &str,
    ) -> Result<(), Spent> {
        if value.is_null() {
            return Ok(());
        }
        let unchanged = before.value.map_or(before.unchanged, |old| old == value);
        for rule in &rules.own {
            self.ask(rule, schema, value, before.value, unchanged, path)?;
        }
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let before = Before { value: before.value.and_then(|old| old.get(name)), unchanged };
                    if let (Some(rules), Some(schema)) = (rules.properties.get(name), schema.properties.get(name)) {
                        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                        self.visit(rules, schema, value, &before, &path)?;
                    } else if let (Some(rules), Some(schema)) = (&rules.additional, schema.additional()) {
                        self.visit(rules, schema, value, &before, &format!("{path}[{name}]"))?;
                    }
                }
            }
            Value::Array(items) => {
                let (Some(rules), Some(items_schema)) = (&rules.items, &schema.items) else { return Ok(()) };
                for (index, item) in items.iter().enumerate() {
                    let old = before.value.and_then(|old| counterpart(schema, old, item));
                    let before = Before { value: old, unchanged };
                    self.visit(rules, items_schema, item, &before, &format!("{path}[{index}]"))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn ask(
        &mut self,
        rule: &Rule,
        schema: &Schema,
        value: &Value,
        old: Option<&Value>,
        unchanged: bool,
        path: &str,
    ) -> Result<(), Spent> {
        let field = if path.is_empty() { "<nil>" } else { path };
        let kind = schema.kind.name();
        let program = match &rule.program {
            Ok(program) => program,
            Err(why) => {
                self.errors.push(FieldError::invalid(field, kind, format!("rule compile error: {why}")));
                return Ok(());
            }
        };
        if program.uses_old() && old.is_none() && !rule.optional_old {
            return Ok(());
        }
        if self.budget == 0 {
            return self.stop(FieldError::invalid(field, kind, out_of_budget()));
        }
        match program.run(schema, value, old, &mut self.budget) {
            Outcome::Bool(true) => Ok(()),
            Outcome::TooCostly if self.budget == 0 => self.stop(FieldError::invalid(field, kind, out_of_budget())),
            Outcome::TooCostly => {
                let why = "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due \
                           to call cost exceeds limit for rule";
                self.stop(FieldError::invalid(field, kind, format!("{why}: {}", rule.label())))
            }
            Outcome::Error(why) if why.starts_with("no such overload") => {
                let text = format!(
                    "'{why}': call arguments did not match a supported operator, function or macro signature for rule: {}",
                    rule.label()
                );
                self.errors.push(FieldError::invalid(field, kind, text));
                Ok(())
            }
            Outcome::Error(why) => {
                self.errors.push(FieldError::invalid(field, kind, format!("{why} evaluating rule: {}", rule.label())));
                Ok(())
            }
            Outcome::Bool(false) | Outcome::Text(_) => {
                if !unchanged || program.uses_old() {
                    let message = self.message(rule, schema, value, old);
                    self.errors.push(broken(rule, schema, value, path, message));
                }
                Ok(())
            }
        }
    }

    fn stop(&mut self, error: FieldError) -> Result<(), Spent> {
        self.errors.push(error);
        Err(Spent)
    }

    /// What is said when a rule is broken.
    fn message(&mut self, rule: &Rule, schema: &Schema, value: &Value, old: Option<&Value>) -> String {
        if let Some(Ok(program)) = &rule.message_program
            && let Outcome::Text(text) = program.run(schema, value, old, &mut self.budget)
        {
            let text = text.trim();
            if !text.is_empty() && !text.contains('\n') && text.len() <= LONGEST_MESSAGE {
                return text.to_owned();
            }
        }
        if rule.message.is_empty() { format!("failed rule: {}", rule.text) } else { rule.message.clone() }
    }
}

fn out_of_budget() -> &'static str {
    "validation failed due to running out of cost budget, no further validation rules will be run"
}

fn broken(rule: &Rule, schema: &Schema, value: &Value, path: &str, message: String) -> FieldError {
    let field = match (&rule.field_path, path) {
        (Some(below), "") => below.trim_start_matches('.').to_owned(),
        (Some(below), path) if below.starts_with('[') => format!("{path}{below}"),
        (Some(below), path) => format!("{path}.{below}"),
        (None, "") => "<nil>".to_owned(),
        (None, path) => path.to_owned(),
    };
    // objects and lists would be too long to show
    let shown = !matches!(schema.kind, super::schema::Kind::Object | super::schema::Kind::Array);
    let fault = match (rule.reason.as_str(), shown) {
        ("FieldValueForbidden", _) => Fault::Forbidden(message),
        ("FieldValueRequired", _) => Fault::Required(message),
        ("FieldValueDuplicate", true) => Fault::Duplicate(value.clone()),
        ("FieldValueDuplicate", false) => Fault::Repeated,
        (_, true) => Fault::Invalid(value.clone(), message),
        (_, false) => Fault::Unfit(message),
    };
    FieldError { field, fault }
}
