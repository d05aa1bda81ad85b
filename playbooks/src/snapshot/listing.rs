//! Where in the facts the things of an area are listed, and which fields each of them has.
//!
//! Responsible for: following a name such as `bgp_peers.prefixes` through the shape of the facts, and reading the rows that
//! stand there. Must not know: which fields identify a thing, or what anybody thinks of a change.

use std::collections::BTreeMap;

use hopgate_paths::nearest_names;
use serde_json::Value;

use crate::facts::{FactArea, Facts};
use crate::shape::Shape;

/// What the one field is called of things that have no fields, such as `pending_changes`.
const VALUE: &str = "value";

/// What the name of an entry of a map is called.
const NAME: &str = "name";

/// A list of things in the facts. Where there is one thing only, such as `system`, it is a list of that one.
///
/// A record in a record is flattened (`local.state`). A list in a list has a name of its own (`bgp_peers.prefixes`),
/// and its things also have the fields of what they are in, under the name of the list outside (`bgp_peers.peer`).
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// The area it is in.
    pub(super) area: FactArea,
    steps: Vec<String>,
    is_map: bool,
    fields: BTreeMap<String, Field>,
}

/// One field of the things in a list.
#[derive(Clone, Debug)]
pub(super) struct Field {
    from: From,
    /// What its values look like.
    pub(super) shape: Shape,
}

#[derive(Clone, Debug)]
enum From {
    /// The name of an entry of a map.
    Name,
    /// A place in the thing itself, or in what it is in, that many lists further out.
    Element { out: usize, path: Vec<String> },
}

/// A part of a name that leads nowhere.
#[derive(Debug)]
pub(super) struct Astray {
    pub(super) part: String,
    /// The nearest that would have led on.
    pub(super) nearest: String,
}

impl Listing {
    /// Follows a name.
    pub(super) fn named(name: &str) -> Result<Self, Astray> {
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        let area = FactArea::ALL.into_iter().find(|area| area.name() == first);
        let area = area.ok_or_else(|| Astray::new(first, FactArea::ALL.map(FactArea::name)))?;
        let mut shape = Shape::of_area(area);
        let mut steps = Vec::new();
        // The lists on the way, each with what its things look like; the innermost last.
        let mut outside = Vec::new();
        let mut called = first;
        for part in parts {
            let inner = match shape.present() {
                Shape::List(of) => {
                    outside.push((called.to_owned(), of.as_ref().clone()));
                    of.present().clone()
                }
                other => other.clone(),
            };
            let Shape::Record(fields) = inner else {
                return Err(Astray::new(part, []));
            };
            let leads_on =
                |shape: &Shape| matches!(shape.present(), Shape::List(_) | Shape::Map(_) | Shape::Record(_));
            let next = fields.get(part).filter(|shape| leads_on(shape));
            let names = fields
                .iter()
                .filter(|(_, shape)| leads_on(shape))
                .map(|(name, _)| name.as_str());
            shape = next.ok_or_else(|| Astray::new(part, names))?.clone();
            steps.push(part.to_owned());
            called = part;
        }
        let mut fields = BTreeMap::new();
        for (out, (name, of)) in outside.iter().rev().enumerate() {
            flatten(of, &format!("{name}."), out + 1, &mut Vec::new(), &mut fields);
        }
        match shape.present() {
            Shape::List(of) => flatten(of, "", 0, &mut Vec::new(), &mut fields),
            Shape::Map(of) => {
                flatten(of, "", 0, &mut Vec::new(), &mut fields);
                fields.insert(
                    NAME.to_owned(),
                    Field {
                        from: From::Name,
                        shape: Shape::Text,
                    },
                );
            }
            one => flatten(one, "", 0, &mut Vec::new(), &mut fields),
        }
        let is_map = matches!(shape.present(), Shape::Map(_));
        Ok(Self {
            area,
            steps,
            is_map,
            fields,
        })
    }

    /// A field of its things.
    pub(super) fn field(&self, name: &str) -> Result<&Field, Astray> {
        self.fields
            .get(name)
            .ok_or_else(|| Astray::new(name, self.fields.keys().map(String::as_str)))
    }

    /// The fields that are the things' own, not those of what they are in.
    pub(super) fn own(&self) -> impl Iterator<Item = &str> {
        let is_own = |field: &Field| !matches!(field.from, From::Element { out: 1.., .. });
        self.fields
            .iter()
            .filter(move |(_, field)| is_own(field))
            .map(|(name, _)| name.as_str())
    }

    /// These fields of every thing that is listed, in the order of the list; or why they are not known.
    pub(super) fn rows(&self, facts: &Facts, fields: &[String]) -> Result<Vec<Vec<Value>>, String> {
        if let Some(why) = facts.unknown(self.area) {
            return Err(why.to_owned());
        }
        let stored = facts
            .stored(self.area)
            .map_err(|error| format!("it cannot be stored: {error}"))?;
        let fields: Vec<Option<&From>> = fields
            .iter()
            .map(|name| Some(&self.fields.get(name)?.from))
            .collect();
        let mut rows = Vec::new();
        let known = stored.get("known").unwrap_or(&Value::Null);
        walk(
            known,
            &self.steps,
            self.is_map,
            &mut Vec::new(),
            &mut |name, inside| {
                let cell = |field: &Option<&From>| field.map_or(Value::Null, |from| from.of(name, inside));
                rows.push(fields.iter().map(cell).collect());
            },
        );
        Ok(rows)
    }
}

impl From {
    /// Its value, in an entry with this name that is in these, the innermost last.
    fn of(&self, name: &str, inside: &[&Value]) -> Value {
        match self {
            Self::Name => Value::from(name),
            Self::Element { out, path } => {
                let element = inside.iter().rev().nth(*out).copied();
                let found = path.iter().fold(element, |at, part| at?.get(part));
                found.cloned().unwrap_or(Value::Null)
            }
        }
    }
}

impl Astray {
    fn new<'a>(part: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            part: part.to_owned(),
            nearest: nearest_names(part, known, 1).join(", "),
        }
    }
}

/// The fields of a thing that looks so: texts, numbers and lists of them. Lists of records have names of their own.
fn flatten(
    shape: &Shape,
    prefix: &str,
    out: usize,
    path: &mut Vec<String>,
    fields: &mut BTreeMap<String, Field>,
) {
    match shape.present() {
        Shape::Record(record) => {
            for (name, shape) in record.iter() {
                path.push(name.clone());
                flatten(shape, prefix, out, path, fields);
                path.pop();
            }
        }
        Shape::List(of) if matches!(of.present(), Shape::Record(_)) => {}
        Shape::Map(_) if !path.is_empty() => {}
        _ => {
            let name = if path.is_empty() {
                VALUE.to_owned()
            } else {
                path.join(".")
            };
            let field = Field {
                from: From::Element {
                    out,
                    path: path.clone(),
                },
                shape: shape.clone(),
            };
            fields.insert(format!("{prefix}{name}"), field);
        }
    }
}

/// Shows every element of what the steps lead to, with the name it goes by in a map, and all it is in.
fn walk<'v>(
    value: &'v Value,
    steps: &[String],
    is_map: bool,
    inside: &mut Vec<&'v Value>,
    show: &mut impl FnMut(&str, &[&'v Value]),
) {
    let mut show_in = |name: &str, element: &'v Value, inside: &mut Vec<&'v Value>| {
        inside.push(element);
        match steps {
            [] => show(name, inside),
            [step, rest @ ..] => walk(
                element.get(step).unwrap_or(&Value::Null),
                rest,
                is_map,
                inside,
                show,
            ),
        }
        inside.pop();
    };
    match (value, steps) {
        // What is not there is not one thing without fields.
        (Value::Null, _) => {}
        (Value::Array(items), _) => items.iter().for_each(|item| show_in("", item, inside)),
        (Value::Object(entries), []) if is_map => {
            entries
                .iter()
                .for_each(|(name, entry)| show_in(name, entry, inside));
        }
        (_, []) => show_in("", value, inside),
        (_, [step, rest @ ..]) => walk(
            value.get(step).unwrap_or(&Value::Null),
            rest,
            is_map,
            inside,
            show,
        ),
    }
}
