//! Finds the shape of a type by letting it read itself from a reader that has everything it asks for.
//!
//! Responsible for: serde's side of it. A text that has to mean something (a release, an instant, a day) is tried with
//! one sample after the other until the type takes it. Must not know: which types are traced.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::Shape;

/// What texts that mean something look like: a release, an instant, a local time, a day.
const SAMPLES: &[&str] = &[
    "10.1.0",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01",
];

/// The shape of `T`; none where `T` takes no sample for one of its texts.
pub(super) fn trace<T: DeserializeOwned>() -> Option<Shape> {
    let mut chosen = Vec::new();
    loop {
        let (mut shape, mut texts) = (
            Shape::Any,
            Texts {
                chosen: &mut chosen,
                used: 0,
            },
        );
        let tracer = Tracer {
            shape: &mut shape,
            texts: &mut texts,
        };
        if T::deserialize(tracer).is_ok() {
            return Some(shape);
        }
        // The text that was read last is the one that was refused: what follows it was not read yet.
        let last = texts.used.checked_sub(1)?;
        chosen.truncate(last + 1);
        let sample = chosen.last_mut()?;
        *sample += 1;
        if *sample >= SAMPLES.len() {
            return None;
        }
    }
}

/// Which sample every text was given, in the order in which they are read.
struct Texts<'t> {
    chosen: &'t mut Vec<usize>,
    used: usize,
}

impl Texts<'_> {
    fn next(&mut self) -> &'static str {
        if self.used == self.chosen.len() {
            self.chosen.push(0);
        }
        let sample = self.chosen.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        SAMPLES.get(sample).copied().unwrap_or_default()
    }
}

/// A sample was refused.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sample is refused")
    }
}

impl std::error::Error for Refused {}

impl serde::de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Tracer<'a, 't> {
    shape: &'a mut Shape,
    texts: &'a mut Texts<'t>,
}

impl Tracer<'_, '_> {
    fn inner<T>(
        &mut self,
        read: impl FnOnce(Tracer<'_, '_>) -> Result<T, Refused>,
    ) -> (Shape, Result<T, Refused>) {
        let mut shape = Shape::Any;
        let read = read(Tracer {
            shape: &mut shape,
            texts: &mut *self.texts,
        });
        (shape, read)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            *self.shape = Shape::Number;
            visitor.$visit(1)
        })+
    };
}

macro_rules! texts {
    ($($method:ident,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            *self.shape = Shape::Text;
            visitor.visit_borrowed_str(self.texts.next())
        })+
    };
}

impl<'de> Deserializer<'de> for Tracer<'_, '_> {
    type Error = Refused;

    numbers! {
        deserialize_i8 visit_i8, deserialize_i16 visit_i16, deserialize_i32 visit_i32, deserialize_i64 visit_i64,
        deserialize_u8 visit_u8, deserialize_u16 visit_u16, deserialize_u32 visit_u32, deserialize_u64 visit_u64,
    }

    texts! { deserialize_str, deserialize_string, deserialize_char, }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        *self.shape = Shape::Any;
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        *self.shape = Shape::YesNo;
        visitor.visit_bool(true)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        *self.shape = Shape::Number;
        visitor.visit_f32(1.0)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        *self.shape = Shape::Number;
        visitor.visit_f64(1.0)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        let (shape, read) = self.inner(|inner| visitor.visit_some(inner));
        *self.shape = Shape::optional(shape);
        read
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let mut of = Shape::Any;
        let read = visitor.visit_seq(One {
            shape: &mut of,
            texts: &mut *self.texts,
            left: 1,
        });
        *self.shape = Shape::list(of);
        read
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let mut of = Shape::Any;
        let read = visitor.visit_map(One {
            shape: &mut of,
            texts: &mut *self.texts,
            left: 1,
        });
        *self.shape = Shape::Map(Arc::new(of));
        read
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let mut shapes = BTreeMap::new();
        let read = visitor.visit_map(Fields {
            left: fields.iter(),
            current: "",
            shapes: &mut shapes,
            texts: &mut *self.texts,
        });
        *self.shape = Shape::Record(Arc::new(shapes));
        read
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_enum(Variant {
            tracer: self,
            variants,
        })
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any }
}

/// One element of a list, or one entry of a map.
struct One<'a, 't> {
    shape: &'a mut Shape,
    texts: &'a mut Texts<'t>,
    left: u8,
}

impl<'de> SeqAccess<'de> for One<'_, '_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let element = Tracer {
            shape: &mut *self.shape,
            texts: &mut *self.texts,
        };
        seed.deserialize(element).map(Some)
    }
}

impl<'de> MapAccess<'de> for One<'_, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let key = Tracer {
            shape: &mut Shape::Any,
            texts: &mut *self.texts,
        };
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(Tracer {
            shape: &mut *self.shape,
            texts: &mut *self.texts,
        })
    }
}

/// The fields of a record.
struct Fields<'a, 't> {
    left: std::slice::Iter<'static, &'static str>,
    current: &'static str,
    shapes: &'a mut BTreeMap<String, Shape>,
    texts: &'a mut Texts<'t>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(field) = self.left.next() else {
            return Ok(None);
        };
        self.current = field;
        seed.deserialize(BorrowedStrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        let mut shape = Shape::Any;
        let read = seed.deserialize(Tracer {
            shape: &mut shape,
            texts: &mut *self.texts,
        });
        self.shapes.insert(self.current.to_owned(), shape);
        read
    }
}

/// One of several: the first, which for a fact is the known one.
struct Variant<'a, 't> {
    tracer: Tracer<'a, 't>,
    variants: &'static [&'static str],
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let first: StrDeserializer<'_, Refused> = self
            .variants
            .first()
            .copied()
            .unwrap_or_default()
            .into_deserializer();
        Ok((seed.deserialize(first)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        *self.tracer.shape = Shape::Words(self.variants);
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, Refused> {
        let (known, read) = self.tracer.inner(|inner| seed.deserialize(inner));
        // A fact: a record with the one name or the other.
        let names = self.variants.iter().skip(1).map(|name| (*name, Shape::Text));
        let first = self.variants.first().copied().map(|name| (name, known));
        *self.tracer.shape = Shape::record(first.into_iter().chain(names));
        read
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }
}
