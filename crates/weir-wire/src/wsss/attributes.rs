//! Records whose values are in XML attributes.

use uuid::Uuid;

use super::{ComputerChange, Since};
use crate::soap::{parse_bool, parse_guid, parse_int, trim};

/// The value of an attribute.
pub(super) trait AttributeValue: Sized + Default {
    /// Reads the unescaped value.
    fn parse(text: &str) -> Result<Self, &'static str>;
    /// The text, not escaped yet; `None` leaves the attribute out.
    fn print(&self) -> Option<String>;
}

impl AttributeValue for Option<String> {
    fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(Some(text.to_owned()))
    }

    fn print(&self) -> Option<String> {
        self.clone()
    }
}

impl AttributeValue for Uuid {
    fn parse(text: &str) -> Result<Self, &'static str> {
        parse_guid(text)
    }

    fn print(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl AttributeValue for bool {
    fn parse(text: &str) -> Result<Self, &'static str> {
        parse_bool(text)
    }

    fn print(&self) -> Option<String> {
        Some(self.to_string())
    }
}

macro_rules! numbers {
    ($($kind:ty,)*) => {
        $(
            impl AttributeValue for $kind {
                fn parse(text: &str) -> Result<Self, &'static str> {
                    parse_int(text)
                }

                fn print(&self) -> Option<String> {
                    Some(self.to_string())
                }
            }
        )*
    };
}

numbers! { i16, i32, u8, }

impl AttributeValue for Since {
    fn parse(text: &str) -> Result<Self, &'static str> {
        Self::parse(text)
    }

    fn print(&self) -> Option<String> {
        let mut out = String::new();
        (*self).print(&mut out);
        Some(out)
    }
}

impl AttributeValue for ComputerChange {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match trim(text) {
            "Deleted" => Ok(Self::Deleted),
            "NewParent" => Ok(Self::NewParent),
            _ => Err("neither Deleted nor NewParent"),
        }
    }

    fn print(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

/// Declares a struct whose fields are attributes of its element, those behind `with` child elements. An absent attribute
/// is read as its default.
macro_rules! attributed {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $kind:ty = $attribute:literal,)*
    } with {
        $($(#[$child_meta:meta])* $child:ident: $child_kind:ty = $element:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $($(#[$field_meta])* pub $field: $kind,)*
            $($(#[$child_meta])* pub $child: $child_kind,)*
        }

        impl $crate::soap::Content for $name {
            fn read(cursor: &mut $crate::soap::Cursor<'_>) -> Result<Self, $crate::soap::Malformed> {
                $(let mut $field: Option<$kind> = None;)*
                for attribute in cursor.attribute_list()? {
                    match attribute.name {
                        $($attribute => {
                            let value = <$kind as $crate::wsss::attributes::AttributeValue>::parse(&attribute.value);
                            $field = Some(value.map_err(|problem| cursor.wrong_child($attribute, problem))?);
                        })*
                        _ => {}
                    }
                }
                $(let mut $child: Option<$child_kind> = None;)*
                while let Some(name) = cursor.child()? {
                    match name {
                        $($element => cursor.field(&mut $child)?,)*
                        name => cursor.unknown(name)?,
                    }
                }
                Ok(Self {
                    $($field: $field.unwrap_or_default(),)*
                    $($child: $child.unwrap_or_default(),)*
                })
            }

            fn attributes(&self, out: &mut String) {
                $(
                    if let Some(text) = $crate::wsss::attributes::AttributeValue::print(&self.$field) {
                        $crate::soap::write_attribute(out, $attribute, &text);
                    }
                )*
            }

            fn put(&self, xml: &mut $crate::soap::Xml<'_>) {
                let _ = &xml;
                $($crate::soap::FieldValue::write_field(&self.$child, $element, xml);)*
            }
        }
    };
}
pub(super) use attributed;
