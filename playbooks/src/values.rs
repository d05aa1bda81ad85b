//! Whatever can be stored, as the interpreter's own values. Stored and read again it would be copied twice: once into JSON,
//! and each name of a field with it.
//!
//! Responsible for: that a value looks to an expression as it does when it is stored. Must not know: facts, playbooks.

use std::collections::HashMap;
use std::fmt::Display;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use serde::Serialize;
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

type Value = Box<dyn Val>;

/// What cannot be a value of an expression, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoValue(String);

impl Error for NoValue {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Whole numbers are `int`, whatever their Rust type: CEL does not mix `int` and `uint`, and every number written in an
/// expression is an `int`.
pub(crate) fn value(stored: &(impl Serialize + ?Sized)) -> Result<Value, NoValue> {
    stored.serialize(Values)
}

struct Values;

/// A list that grows; with a name, that of the variant that holds it.
struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

/// A map that grows.
struct Fields {
    variant: Option<&'static str>,
    fields: HashMap<CelMapKey<'static>, Value>,
    /// The key whose value comes next.
    key: CelMapKey<'static>,
}

impl Items {
    fn new(variant: Option<&'static str>, length: Option<usize>) -> Self {
        // Told by what is serialized, so not believed without measure.
        let items = Vec::with_capacity(length.unwrap_or(0).min(1_000));
        Self { variant, items }
    }

    fn push(&mut self, item: &(impl Serialize + ?Sized)) -> Result<(), NoValue> {
        self.items.push(value(item)?);
        Ok(())
    }

    fn done(self) -> Value {
        within(self.variant, Box::new(CelList::from(self.items)))
    }
}

impl Fields {
    fn new(variant: Option<&'static str>, length: Option<usize>) -> Self {
        let fields = HashMap::with_capacity(length.unwrap_or(0).min(1_000));
        Self {
            variant,
            fields,
            key: CelMapKey::from(""),
        }
    }

    fn set(&mut self, key: CelMapKey<'static>, field: &(impl Serialize + ?Sized)) -> Result<(), NoValue> {
        self.fields.insert(key, value(field)?);
        Ok(())
    }

    fn done(self) -> Value {
        // The interpreter's own type, which is looked through in order all the same (`bounds::in_order`).
        within(self.variant, Box::new(CelMap::from(self.fields)))
    }
}

fn within(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        None => value,
        Some(name) => {
            let only = HashMap::from([(CelMapKey::from(name), value)]);
            Box::new(CelMap::from(only))
        }
    }
}

/// A key as it is stored: names as they are, numbers in digits.
fn key(stored: &(impl Serialize + ?Sized)) -> Result<CelMapKey<'static>, NoValue> {
    match serde_json::to_value(stored).map_err(NoValue::custom)? {
        serde_json::Value::String(name) => Ok(name.into()),
        serde_json::Value::Number(number) => Ok(number.to_string().into()),
        serde_json::Value::Bool(yes) => Ok(yes.to_string().into()),
        other => Err(NoValue(format!("{other} cannot be the name of a field"))),
    }
}

impl Serializer for Values {
    type Ok = Value;
    type Error = NoValue;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    fn serialize_bool(self, yes: bool) -> Result<Value, NoValue> {
        Ok(Box::new(CelBool::from(yes)))
    }

    fn serialize_i8(self, number: i8) -> Result<Value, NoValue> {
        self.serialize_i64(number.into())
    }

    fn serialize_i16(self, number: i16) -> Result<Value, NoValue> {
        self.serialize_i64(number.into())
    }

    fn serialize_i32(self, number: i32) -> Result<Value, NoValue> {
        self.serialize_i64(number.into())
    }

    fn serialize_i64(self, number: i64) -> Result<Value, NoValue> {
        Ok(Box::new(CelInt::from(number)))
    }

    fn serialize_u8(self, number: u8) -> Result<Value, NoValue> {
        self.serialize_i64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Result<Value, NoValue> {
        self.serialize_i64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Result<Value, NoValue> {
        self.serialize_i64(number.into())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a number above the largest `int` is a `double`, as in JSON"
    )]
    fn serialize_u64(self, number: u64) -> Result<Value, NoValue> {
        match i64::try_from(number) {
            Ok(number) => self.serialize_i64(number),
            Err(_) => self.serialize_f64(number as f64),
        }
    }

    fn serialize_f32(self, number: f32) -> Result<Value, NoValue> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<Value, NoValue> {
        if number.is_finite() {
            Ok(Box::new(CelDouble::from(number)))
        } else {
            self.serialize_unit()
        }
    }

    fn serialize_char(self, letter: char) -> Result<Value, NoValue> {
        Ok(Box::new(CelString::from(letter.to_string())))
    }

    fn serialize_str(self, text: &str) -> Result<Value, NoValue> {
        Ok(Box::new(CelString::from(text.to_owned())))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, NoValue> {
        value(bytes)
    }

    fn serialize_none(self) -> Result<Value, NoValue> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, some: &T) -> Result<Value, NoValue> {
        value(some)
    }

    fn serialize_unit(self) -> Result<Value, NoValue> {
        Ok(Box::new(CelNull))
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, NoValue> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, NoValue> {
        Ok(Box::new(CelString::from(variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        inner: &T,
    ) -> Result<Value, NoValue> {
        value(inner)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        inner: &T,
    ) -> Result<Value, NoValue> {
        Ok(within(Some(variant), value(inner)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, NoValue> {
        Ok(Items::new(None, length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, NoValue> {
        Ok(Items::new(None, Some(length)))
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Items, NoValue> {
        Ok(Items::new(None, Some(length)))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Items, NoValue> {
        Ok(Items::new(Some(variant), Some(length)))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Fields, NoValue> {
        Ok(Fields::new(None, length))
    }

    fn serialize_struct(self, _name: &'static str, length: usize) -> Result<Fields, NoValue> {
        Ok(Fields::new(None, Some(length)))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Fields, NoValue> {
        Ok(Fields::new(Some(variant), Some(length)))
    }
}

impl SerializeSeq for Items {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), NoValue> {
        self.push(item)
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.done())
    }
}

impl SerializeTuple for Items {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), NoValue> {
        self.push(item)
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.done())
    }
}

impl SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), NoValue> {
        self.push(item)
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.done())
    }
}

impl SerializeTupleVariant for Items {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), NoValue> {
        self.push(item)
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.done())
    }
}

impl SerializeMap for Fields {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), NoValue> {
        self.key = key(name)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, field: &T) -> Result<(), NoValue> {
        let key = std::mem::replace(&mut self.key, CelMapKey::from(""));
        self.set(key, field)
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.done())
    }
}

impl SerializeStruct for Fields {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        field: &T,
    ) -> Result<(), NoValue> {
        self.set(CelMapKey::from(name), field)
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.done())
    }
}

impl SerializeStructVariant for Fields {
    type Ok = Value;
    type Error = NoValue;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        field: &T,
    ) -> Result<(), NoValue> {
        self.set(CelMapKey::from(name), field)
    }

    fn end(self) -> Result<Value, NoValue> {
        Ok(self.done())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// As an expression would show it.
    fn told(stored: &impl Serialize) -> serde_json::Value {
        let value = value(stored).unwrap();
        cel::Value::try_from(value.as_ref()).unwrap().json().unwrap()
    }

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
        Number(u8),
        Pair(u8, char),
        Named { left: Option<&'static str> },
    }

    #[derive(Serialize)]
    struct Wrapped(u32);

    #[derive(Serialize)]
    struct Marker;

    #[derive(Serialize)]
    struct Everything {
        kinds: Vec<Kind>,
        wrapped: Wrapped,
        marker: Marker,
        pair: (i8, i16),
        bytes: [u8; 2],
        small: f32,
        by_number: BTreeMap<u16, bool>,
        by_name: BTreeMap<&'static str, i64>,
        nothing: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
    }

    #[test]
    fn a_value_looks_as_it_does_when_it_is_stored() {
        let everything = Everything {
            kinds: vec![
                Kind::Plain,
                Kind::Number(1),
                Kind::Pair(2, 'p'),
                Kind::Named { left: Some("l") },
            ],
            wrapped: Wrapped(7),
            marker: Marker,
            pair: (-1, -2),
            bytes: [0, 255],
            small: 0.5,
            by_number: BTreeMap::from([(10, true), (9, false)]),
            by_name: BTreeMap::from([("a", i64::MIN)]),
            nothing: None,
            left_out: None,
        };
        let stored = serde_json::to_value(&everything).unwrap();
        assert_eq!(told(&everything), stored);
        assert_eq!(stored["kinds"][3], json!({"named": {"left": "l"}}));
    }

    #[test]
    fn numbers_are_ints_where_they_fit() {
        let is_int = |number: &serde_json::Value| value(number).unwrap().downcast_ref::<CelInt>().is_some();
        assert!(is_int(&json!(i64::MAX)) && is_int(&json!(0)) && is_int(&json!(-1)));
        assert!(!is_int(&json!(u64::MAX)) && !is_int(&json!(1.0)));
        assert_eq!(told(&f64::NAN), serde_json::Value::Null);
    }

    #[test]
    fn what_names_no_field_is_refused() {
        let said = value(&BTreeMap::from([(vec![1], 2)])).unwrap_err().to_string();
        insta::assert_snapshot!(said, @"[1] cannot be the name of a field");
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            (-1e9..1e9_f64).prop_map(Into::into),
            "[a-zä\"]{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map("[a-c]{0,2}", inner, 0..6)
                    .prop_map(|fields| { serde_json::Value::Object(fields.into_iter().collect()) }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_the_same_in_an_expression(json in any_json()) {
            prop_assert_eq!(told(&json), json);
        }
    }
}
