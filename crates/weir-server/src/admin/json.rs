//! JSON bodies: read so that a refusal names the field, and so that an object is never taken from an array.

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use weir_model::message::tidy;

/// Characters of the path to a field in a refusal.
const LONGEST_PATH: usize = 100;

/// Reads a body. The error says which field does not fit, and why.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut source)).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { None } else { Some(tidy(&path, LONGEST_PATH)) };
        words(place.as_deref(), error.inner())
    })?;
    source.end().map_err(|error| words(None, &error))?;
    Ok(value)
}

/// What does not fit, in words.
fn words(place: Option<&str>, error: &serde_json::Error) -> String {
    let text = error.to_string();
    if !error.is_data() {
        return format!("the body is not JSON: {text}");
    }
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    let wrong = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    let rule = match wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
        Some((found, expected)) => format!("{} was expected, not {}", expected_words(expected), found_words(found)),
        None => text.to_owned(),
    };
    match place {
        Some(place) => format!("{place}: {rule}"),
        None => format!("the body does not fit: {rule}"),
    }
}

fn expected_words(expected: &str) -> &str {
    match expected {
        "a map" => "an object",
        "a sequence" => "an array",
        "i8" | "i16" | "i32" | "i64" | "usize" => "a whole number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number of 0 or more",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

fn found_words(found: &str) -> &str {
    match found {
        "map" => "an object",
        "sequence" => "an array",
        other => other,
    }
}

/// Hands everything on, but lets a structure be read from an object only: derived code takes an array of its fields, too,
/// in their order, which nobody promises.
struct Objects<T>(T);

macro_rules! hand_on {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(Objects(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    hand_on! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit
        deserialize_seq deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Objects(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Objects(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, Objects(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, len, Objects(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Objects(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Objects(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($value:ty))*) => {$(
        fn $method<E: serde::de::Error>(self, value: $value) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Objects<V> {
    type Value = V::Value;

    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64)
        visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(formatter)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(deserializer))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Objects(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Objects(data))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Objects(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        self.0.variant_seed(Objects(seed)).map(|(value, variant)| (value, Objects(variant)))
    }
}

/// The content of a variant with named fields.
struct Fields<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Fields<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_map(Objects(self.0))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Objects(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.newtype_variant_seed(Fields(visitor))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        on: bool,
        count: u32,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        Empty,
        Fields { on: bool },
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Outer {
        name: String,
        settings: Inner,
        maybe: Option<Inner>,
        list: Vec<Inner>,
        map: BTreeMap<String, Inner>,
        choice: Option<Choice>,
        any: serde_json::Value,
    }

    fn wrong(text: &str) -> String {
        read::<Outer>(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn objects_are_read_as_before() {
        let text = r#"{"name":"a","settings":{"on":true},"maybe":{"count":2},"list":[{},{"count":1}],"map":{"k":{"on":true}},
                       "choice":{"fields":{"on":true}},"any":[1,{"a":[true,null]}]}"#;
        let read = read::<Outer>(text.as_bytes()).expect("reads");
        assert_eq!((read.name.as_str(), read.settings.on, read.list.len()), ("a", true, 2));
        assert_eq!(read.maybe, Some(Inner { on: false, count: 2 }));
        assert_eq!((read.map["k"].on, read.choice), (true, Some(Choice::Fields { on: true })));
        assert_eq!(read.any, serde_json::json!([1, { "a": [true, null] }]));
        let unit = super::read::<Outer>(br#"{"choice":"empty","maybe":null}"#).expect("reads");
        assert_eq!((unit.choice, unit.maybe), (Some(Choice::Empty), None));
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        let expected = "an object was expected, not an array";
        for (text, place) in [
            (r#"["x"]"#, "the body does not fit"),
            (r#"{"settings":[true,1]}"#, "settings"),
            (r#"{"maybe":[true,1]}"#, "maybe"),
            (r#"{"list":[{},[true,1]]}"#, "list[1]"),
            (r#"{"map":{"k":[true,1]}}"#, "map.k"),
        ] {
            assert_eq!(wrong(text), format!("{place}: {expected}"));
        }
        assert!(wrong(r#"{"choice":{"fields":[true]}}"#).contains("not an array"));
    }

    #[test]
    fn a_refusal_names_the_field_and_the_rule() {
        assert_eq!(wrong(r#"{"settings":{"on":{}}}"#), "settings.on: a boolean was expected, not an object");
        let count = wrong(r#"{"settings":{"count":-1}}"#);
        assert_eq!(count, "settings.count: a whole number from 0 to 4294967295 was expected, not integer `-1`");
        assert!(wrong(r#"{"settings":{"colour":1}}"#).contains("unknown field `colour`"));
        assert!(wrong(r#"{"name":"a","name":"b"}"#).contains("duplicate field `name`"));
        assert!(wrong("{").starts_with("the body is not JSON: "));
        assert!(wrong("{} x").starts_with("the body is not JSON: "));
        let long = format!(r#"{{"{}":1}}"#, "x".repeat(5_000));
        assert!(wrong(&long).split(": ").next().is_some_and(|place| place.chars().count() <= LONGEST_PATH));
    }
}
